//! The rules of the sample, played on one worker without node, network and clock.

mod book;
mod book_game;
mod first_change;
mod forgetful;
mod gates;
mod kept;
mod mining;
mod pilots;
mod sectors;
mod sky;
mod trading;

//! Integration tests of the `lightmoon` command's library.

mod book;
mod committed;
mod shapes;

//! A game with players and zones that call each other, and whose code can be stopped from outside: for tests of several workers and
//! of the watchdog.

mod game;

use lightmoon::App;
use std::process::ExitCode;

fn main() -> ExitCode {
    App::new(game::game()).title("Halls").version("0.1.0").run()
}

//! The program: `cargo run` serves the game; `cargo run -- --help` says what else it does.

mod bots;
mod game;

use std::process::ExitCode;

use lightmoon::App;
use lightmoon::rust_embed::RustEmbed;

/// The files of the folder `page`: read from disk in a debug build, in the binary of a release build.
#[derive(RustEmbed)]
#[crate_path = "lightmoon::rust_embed"]
#[folder = "page"]
struct Page;

fn main() -> ExitCode {
    let bots = bots::bots();
    App::new(game::game())
        .title("{{title}}")
        .version(env!("CARGO_PKG_VERSION"))
        .page::<Page>()
        .verb(bots.verb())
        .extension(bots.beside(12))
        .run()
}

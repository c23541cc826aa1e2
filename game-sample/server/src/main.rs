//! The sample game's binary: `serve`, `bots`, `audit` and what every game has. Try `--help`.

use std::process::ExitCode;

use game_sample::audit::AuditVerb;
use game_sample::bots::{BotsBeside, BotsVerb};
use game_sample::console;
use game_sample::page::Page;
use lightmoon::App;

fn main() -> ExitCode {
    App::new(game_sample::game())
        .title("Driftlight")
        .version(env!("CARGO_PKG_VERSION"))
        .page::<Page>()
        .console_page(console::page())
        .verb(BotsVerb)
        .verb(AuditVerb)
        .extension(BotsBeside::default())
        .run()
}

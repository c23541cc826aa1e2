//! The smallest game that runs: visitors knock at a door. Its page is one file, and it has a verb and an extension.

mod game;

use lightmoon::{App, Assets, Extension, Failure, Ready, Setting, Settings, Verb};
use std::borrow::Cow;
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

struct Page;

impl Assets for Page {
    fn file(path: &str) -> Option<Cow<'static, [u8]>> {
        (path == "index.html").then_some(b"<!doctype html><title>Tiny</title>".as_slice().into())
    }
}

/// `tiny greet --name Ann`
struct Greet;

impl Verb for Greet {
    fn name(&self) -> &'static str {
        "greet"
    }

    fn about(&self) -> &'static str {
        "greets somebody"
    }

    fn settings(&self) -> Vec<Setting> {
        vec![Setting { name: "name", value: "NAME", default: "world", help: "Whom to greet" }]
    }

    fn run(&self, settings: &Settings) -> Result<(), Failure> {
        writeln!(std::io::stdout(), "hello {}", settings.text("name"))
            .map_err(|e| Failure::new(format!("cannot write: {e}"), ""))
    }
}

/// `tiny --visitors 3`
#[derive(Default)]
struct Visitors {
    linger: AtomicBool,
}

impl Extension for Visitors {
    fn settings(&self) -> Vec<Setting> {
        vec![
            Setting { name: "visitors", value: "N", default: "0", help: "How many visit" },
            Setting {
                name: "linger",
                value: "true|false",
                default: "false",
                help: "Whether they keep the server from stopping, to see what a second Ctrl-C does",
            },
        ]
    }

    fn on_ready(&self, _ready: &Ready, settings: &Settings) -> Result<(), Failure> {
        let count: u32 = settings.parse("visitors")?;
        self.linger.store(settings.parse("linger")?, Ordering::Relaxed);
        note(&format!("{count} visit"))
    }

    fn on_stopping(&self) {
        // It is only a note.
        let _ = note("gone");
        while self.linger.load(Ordering::Relaxed) {
            std::thread::park();
        }
    }
}

fn note(text: &str) -> Result<(), Failure> {
    std::fs::write("visitors", text).map_err(|e| Failure::new(format!("cannot write a note: {e}"), ""))
}

fn main() -> ExitCode {
    App::new(game::game())
        .title("Tiny")
        .version("0.1.0")
        .page::<Page>()
        .verb(Greet)
        .extension(Visitors::default())
        .run()
}

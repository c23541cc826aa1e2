//! The smallest game that runs: visitors knock at a door. Its page is one file, and it has a verb and two extensions.

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

/// `tiny --falls up,abort,3`: what each start does before it serves, for a look at what happens then.
struct Falls;

impl Extension for Falls {
    fn settings(&self) -> Vec<Setting> {
        let help =
            "How starts end before they serve, in order: `abort`, an exit code, or `up` for one that serves";
        vec![Setting { name: "falls", value: "HOW,HOW,…", default: "", help }]
    }

    fn on_ready(&self, _ready: &Ready, settings: &Settings) -> Result<(), Failure> {
        let hows = settings.text("falls");
        if hows.is_empty() {
            return Ok(());
        }
        match hows.split(',').nth(starts_before()?) {
            None | Some("up") => Ok(()),
            Some("abort") => std::process::abort(),
            Some(code) => {
                std::process::exit(code.parse().map_err(|_| settings.wrong("falls", "see --help"))?)
            }
        }
    }
}

/// Counts this start, in the file `starts`.
fn starts_before() -> Result<usize, Failure> {
    let count = || {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open("starts")?;
        let before = file.metadata()?.len();
        file.write_all(b".")?;
        Ok(usize::try_from(before).unwrap_or(usize::MAX))
    };
    count().map_err(|e: std::io::Error| Failure::new(format!("cannot count starts: {e}"), ""))
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
        .extension(Falls)
        .run()
}

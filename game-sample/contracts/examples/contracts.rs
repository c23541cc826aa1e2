//! Prints the descriptor and the next `contracts.lock` of the sample game as one JSON object.
//!
//! *Responsible for*: being what `cargo xtask contracts` runs; that writes the lock from the output.
//! *Not responsible for*: writing files. Exit code 1 with a message on standard error: the lock cannot be made.

use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    match output() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // Nothing is left to do if standard error is closed too.
            let _ = writeln!(io::stderr(), "{problem}");
            ExitCode::FAILURE
        }
    }
}

fn output() -> io::Result<()> {
    let old = match std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/contracts.lock")) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let text = game_sample_contracts::descriptor().for_tools(&old).map_err(io::Error::other)?;
    io::stdout().write_all(text.as_bytes())
}

//! What a person reads.
//!
//! *Responsible for*: lines on standard output and standard error. *Not responsible for*: what they say.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks on its standard output"
)]

/// One line.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// The opening of a step.
pub(crate) fn header(text: &str) {
    println!("\n=== {text}");
}

/// One line about what went wrong.
pub(crate) fn complain(text: &str) {
    eprintln!("{text}");
}

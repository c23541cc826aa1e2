//! Violations planted for the checks that are programs: each passes a clean package and refuses the planted one.
//!
//! The package carries this repository's own lints and `clippy.toml`, so that a lint taken out of them is noticed.

use std::time::Duration;

use crate::check::{TOOLS, ToolCheck};
use crate::fixture::Fixture;
use crate::metadata::cargo;
use crate::program::{self, Show};

/// Longer than a compiler takes for ten lines on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

const CLEAN: &str = "//! A package.\n\n/// Two.\npub fn two() -> u8 {\n    2\n}\n";

/// A package with this source and this repository's rules.
fn package(source: &str) -> Fixture {
    let root = include_str!("../../../../Cargo.toml");
    let lints: String = root
        .split("\n[")
        .filter(|table| table.starts_with("workspace.lints"))
        .map(|table| format!("[{}\n", table.replacen("workspace.lints", "lints", 1)))
        .collect();
    assert!(lints.contains("unwrap_used"), "the root manifest has lints");
    let manifest = format!(
        "[package]\nname = \"planted\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n{lints}"
    );
    Fixture::new()
        .file("Cargo.toml", &manifest)
        .file("clippy.toml", include_str!("../../../../clippy.toml"))
        .file("rustfmt.toml", include_str!("../../../../rustfmt.toml"))
        .file("src/lib.rs", source)
}

fn tool(name: &str) -> &'static ToolCheck {
    TOOLS.iter().find(|tool| tool.name == name).expect("named in the table")
}

fn passes(fixture: &Fixture, tool: &ToolCheck) -> bool {
    let mut command = std::process::Command::new(cargo());
    command.args(tool.arguments).current_dir(fixture.root()).envs(tool.variable);
    command.env("CARGO_TARGET_DIR", fixture.root().join("target")).stderr(std::process::Stdio::null());
    program::run(&mut command, LIMIT, Show::Nothing).unwrap().succeeded
}

fn is_refused(name: &str, planted: &str) {
    assert!(passes(&package(CLEAN), tool(name)), "{name} refuses a clean package");
    assert!(!passes(&package(planted), tool(name)), "{name} lets this through:\n{planted}");
}

#[test]
fn a_file_in_another_format_is_refused() {
    is_refused("format", &CLEAN.replace("    2", "2"));
}

#[test]
fn an_unwrap_is_refused() {
    is_refused("lints", &CLEAN.replace("    2", "    \"2\".parse().unwrap()"));
}

#[test]
fn an_undocumented_item_is_refused() {
    is_refused("lints", &CLEAN.replace("/// Two.\n", ""));
}

#[test]
fn a_dead_link_in_documentation_is_refused() {
    is_refused("documentation", &CLEAN.replace("Two.", "Not [`three`]."));
}

//! Which crate of ours may depend on which.
//!
//! *Responsible for*: the table of `ARCHITECTURE.md`, held against the manifests. *Not responsible for*: crates of others
//! (`owners`).
//!
//! Invariants:
//! - I1: every member has a row.
//! - I2: the table in `ARCHITECTURE.md` is made from this one ([`bless`]).
//! - I3: what only tests use ([`Row::in_tests`]) never gets into a normal dependency.

use std::fmt::Write as _;

use anyhow::Result;

use crate::metadata::Metadata;
use crate::problem::Problem;
use crate::tree::Tree;

/// What one crate may depend on.
struct Row {
    package: &'static str,
    /// Normal and build dependencies.
    may: &'static [&'static str],
    /// Only behind a feature.
    optional: &'static [&'static str],
    /// Tests, examples and benches, beside the above.
    in_tests: &'static [&'static str],
    /// Whether a plain `cargo build` builds it.
    everyday: bool,
}

impl Row {
    const fn new(package: &'static str, may: &'static [&'static str]) -> Self {
        Self { package, may, optional: &[], in_tests: &[], everyday: true }
    }

    const fn optional(self, optional: &'static [&'static str]) -> Self {
        Self { optional, ..self }
    }

    const fn in_tests(self, in_tests: &'static [&'static str]) -> Self {
        Self { in_tests, ..self }
    }

    const fn not_everyday(self) -> Self {
        Self { everyday: false, ..self }
    }
}

const CONTRACT: &str = "lightmoon-contract";
const MACROS: &str = "lightmoon-contract-macros";
const WIRE: &str = "lightmoon-wire";
const ACTOR: &str = "lightmoon-actor";
const REPLICA: &str = "lightmoon-replica";
const STORE: &str = "lightmoon-store";
const DURABLE: &str = "lightmoon-durable";
const STORE_FILES: &str = "lightmoon-store-files";
const ZONE: &str = "lightmoon-zone";
const NODE: &str = "lightmoon-node";
const NET: &str = "lightmoon-net";
const SIM: &str = "lightmoon-sim";
const LIGHTMOON: &str = "lightmoon";
const CLIENT: &str = "lightmoon-client";
const BOTS: &str = "lightmoon-bots";
const SAMPLE: &str = "game-sample";
const SAMPLE_CONTRACTS: &str = "game-sample-contracts";
const SAMPLE_BOTS: &str = "game-sample-bots";
const SAMPLE_RIG: &str = "game-sample-rig";

const ROWS: &[Row] = &[
    Row::new(CONTRACT, &[MACROS]),
    Row::new(MACROS, &[]).in_tests(&[CONTRACT]),
    Row::new(WIRE, &[CONTRACT]),
    Row::new(ACTOR, &[CONTRACT]),
    Row::new(REPLICA, &[CONTRACT]),
    Row::new(STORE, &[CONTRACT]),
    Row::new(STORE_FILES, &[CONTRACT, STORE]),
    Row::new(DURABLE, &[CONTRACT, STORE]),
    Row::new(ZONE, &[CONTRACT, ACTOR, STORE, DURABLE, REPLICA]),
    Row::new(NODE, &[CONTRACT, WIRE, ACTOR, STORE, DURABLE, ZONE]).in_tests(&[REPLICA, CLIENT]),
    Row::new(NET, &[CONTRACT, WIRE]).in_tests(&[CLIENT]),
    Row::new(SIM, &[CONTRACT, WIRE, ACTOR, REPLICA, STORE, DURABLE, ZONE, NODE, CLIENT]),
    Row::new(LIGHTMOON, &[CONTRACT, WIRE, ACTOR, REPLICA, STORE, STORE_FILES, DURABLE, ZONE, NODE, NET])
        .optional(&[SIM])
        .in_tests(&[CLIENT]),
    Row::new(CLIENT, &[CONTRACT, WIRE, REPLICA]).in_tests(&[NODE, NET]),
    // Its programs are behind a feature: bots alone need no server.
    Row::new(BOTS, &[CONTRACT, CLIENT]).optional(&[LIGHTMOON]),
    Row::new(SAMPLE_CONTRACTS, &[CONTRACT]),
    Row::new(SAMPLE, &[LIGHTMOON, CONTRACT, BOTS, SAMPLE_CONTRACTS, SAMPLE_BOTS]).in_tests(&[CLIENT]),
    Row::new(SAMPLE_BOTS, &[CONTRACT, CLIENT, BOTS, SAMPLE_CONTRACTS]),
    Row::new(
        "game-sample-trials",
        &[SAMPLE, SAMPLE_BOTS, SAMPLE_CONTRACTS, LIGHTMOON, CONTRACT, CLIENT, SIM],
    ),
    // It starts programs and knows no crate of ours.
    Row::new(SAMPLE_RIG, &[]),
    Row::new("game-sample-kills", &[SAMPLE, SAMPLE_BOTS, SAMPLE_RIG]),
    Row::new(
        "game-sample-siege",
        &[SAMPLE, SAMPLE_BOTS, SAMPLE_CONTRACTS, SAMPLE_RIG, CONTRACT, WIRE, CLIENT],
    ),
    Row::new("lightmoon-cli", &[CONTRACT]).in_tests(&[SAMPLE_CONTRACTS]),
    Row::new("xtask", &[]),
    Row::new(
        "lightmoon-benches",
        &[CONTRACT, WIRE, ACTOR, REPLICA, STORE, STORE_FILES, DURABLE, ZONE, NODE, NET, SIM, CLIENT],
    )
    .not_everyday(),
    Row::new("lightmoon-load", &[SAMPLE_RIG]).not_everyday(),
];

const TABLE: &str = "the table in tools/xtask/src/check/edges.rs";

/// Where people read it.
const DOCUMENT: &str = "ARCHITECTURE.md";
const BEGIN: &str = "<!-- edges -->\n";
const END: &str = "<!-- /edges -->";

/// Holds the manifests and the document against the table.
pub(crate) fn check(tree: &Tree, metadata: &Metadata) -> Result<Vec<Problem>> {
    let mut problems = crate_edges(metadata);
    if tree.has(DOCUMENT) && !tree.read(DOCUMENT)?.contains(&format!("{BEGIN}{}{END}", document_table())) {
        let what = format!("has another table of edges than {TABLE}");
        problems.push(Problem::new(DOCUMENT, what, "run `cargo xtask tidy --bless`"));
    }
    Ok(problems)
}

/// Writes the table into the document, between its marks.
pub(crate) fn bless(tree: &Tree) -> Result<()> {
    if !tree.has(DOCUMENT) {
        return Ok(());
    }
    let text = tree.read(DOCUMENT)?;
    let Some((before, rest)) = text.split_once(BEGIN) else { return Ok(()) };
    let Some((_, after)) = rest.split_once(END) else { return Ok(()) };
    tree.write(DOCUMENT, &format!("{before}{BEGIN}{}{END}{after}", document_table()))
}

fn document_table() -> String {
    let names = |list: &[&str]| list.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let mut text = String::from("| crate | may use | behind a feature | in tests |\n|---|---|---|---|\n");
    for row in ROWS {
        let cells = [names(&[row.package]), names(row.may), names(row.optional), names(row.in_tests)];
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

fn crate_edges(metadata: &Metadata) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in &metadata.packages {
        let Some(row) = ROWS.iter().find(|row| row.package == package.name) else {
            let what = "a member of the workspace without a row";
            problems.push(Problem::new(&package.name, what, format!("say in {TABLE} what it may depend on")));
            continue;
        };
        let ours = package
            .dependencies
            .iter()
            .filter(|dependency| ROWS.iter().any(|row| row.package == dependency.name));
        for dependency in ours {
            let name = dependency.name.as_str();
            let allowed = row.may.contains(&name)
                || (dependency.is_dev() && (row.in_tests.contains(&name) || row.optional.contains(&name)))
                || (dependency.optional && row.optional.contains(&name));
            if !allowed {
                problems.push(refusal(row, name));
            }
        }
        if row.everyday != metadata.is_default_member(package) {
            let (what, remedy) = if row.everyday {
                ("not among the default members", "add its folder to `default-members` of the root manifest")
            } else {
                ("among the default members", "take its folder out of `default-members` of the root manifest")
            };
            problems.push(Problem::new(&package.name, what, remedy));
        }
    }
    problems
}

fn refusal(row: &Row, name: &str) -> Problem {
    let what = format!("depends on {name}");
    let remedy = if row.optional.contains(&name) {
        format!("make {name} optional, behind a feature")
    } else if row.in_tests.contains(&name) {
        format!("only its tests may: move {name} to [dev-dependencies]")
    } else {
        format!("this edge is not in ARCHITECTURE.md: take it out, or write an ADR and add it to {TABLE}")
    };
    Problem::new(row.package, what, remedy)
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, DOCUMENT, END, ROWS, bless, check};
    use crate::fixture::Fixture;
    use crate::metadata::{Dependency, Metadata};

    /// The real workspace with one more dependency; the problems that came with it.
    fn planted(package: &str, dependency: Dependency) -> Vec<String> {
        let fixture = Fixture::new();
        let mut metadata = Metadata::ask().unwrap();
        let before = check(&fixture.tree(), &metadata).unwrap();
        metadata.package_mut(package).unwrap().dependencies.push(dependency);
        let mut after = check(&fixture.tree(), &metadata).unwrap();
        after.retain(|problem| !before.contains(problem));
        after.iter().map(ToString::to_string).collect()
    }

    fn normal(name: &str) -> Dependency {
        Dependency { name: name.to_owned(), ..Dependency::default() }
    }

    #[test]
    fn an_edge_from_logic_to_the_network_is_found() {
        let found = planted("lightmoon-actor", normal("lightmoon-net"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("lightmoon-actor: depends on lightmoon-net; "), "{found:?}");
    }

    #[test]
    fn the_simulator_stays_behind_a_feature_of_the_public_crate() {
        let found = planted("lightmoon", normal("lightmoon-sim"));
        assert!(found[0].contains("make lightmoon-sim optional"), "{found:?}");
        let optional = Dependency { optional: true, ..normal("lightmoon-sim") };
        assert_eq!(planted("lightmoon", optional), Vec::<String>::new());
    }

    #[test]
    fn the_simulator_never_depends_on_the_public_crate() {
        assert_eq!(planted("lightmoon-sim", normal("lightmoon")).len(), 1);
    }

    #[test]
    fn a_dependency_of_tests_does_not_become_a_normal_one() {
        let found = planted("lightmoon-net", normal("lightmoon-client"));
        assert!(found[0].contains("[dev-dependencies]"), "{found:?}");
        let dev = Dependency { kind: Some("dev".to_owned()), ..normal("lightmoon-client") };
        assert_eq!(planted("lightmoon-net", dev), Vec::<String>::new());
    }

    #[test]
    fn a_new_member_needs_a_row() {
        let found = Fixture::new().package("lightmoon-new", "framework/new", &[]).find(check);
        assert!(found[0].starts_with("lightmoon-new: a member of the workspace without a row"), "{found:?}");
    }

    #[test]
    fn benches_stay_out_of_the_everyday_build_and_crates_in_it() {
        let found = Fixture::new().package("lightmoon-wire", "framework/wire", &[]).find(check);
        assert!(found[0].contains("add its folder to `default-members`"), "{found:?}");
        let found = Fixture::new().package("lightmoon-benches", "benches", &[]).find(check);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn a_document_with_another_table_is_found_and_blessing_mends_it() {
        let fixture = Fixture::new().file(DOCUMENT, &format!("# Map\n\n{BEGIN}| old |\n{END}\n\nMore.\n"));
        assert!(fixture.find(check)[0].contains("--bless"));
        bless(&fixture.tree()).unwrap();
        assert_eq!(fixture.find(check), Vec::<String>::new());
        assert!(
            fixture.read(DOCUMENT).starts_with("# Map\n") && fixture.read(DOCUMENT).ends_with("\nMore.\n")
        );
    }

    #[test]
    fn each_row_names_rows() {
        for row in ROWS {
            for name in row.may.iter().chain(row.optional).chain(row.in_tests) {
                assert!(ROWS.iter().any(|other| other.package == *name), "{} names {name}", row.package);
            }
        }
    }
}

//! Which crate of ours may use which crate of others.
//!
//! *Responsible for*: within `framework/` and `client-sdk/`, that each of the listed crates stays in the one place that
//! knows it. *Not responsible for*: games and benches, which may name what they like; licences and advisories
//! (`deny.toml`).
//!
//! Invariants:
//! - I1: `wincode` is named in one module tree only ([`WINCODE`]), since the byte format hangs on it.

use anyhow::Result;

use crate::metadata::Metadata;
use crate::problem::Problem;
use crate::tree::Tree;

/// The folders whose crates are held to the table.
const FOLDERS: &[&str] = &["framework/", "client-sdk/"];

/// Crates that belong together and those of ours that may use them.
struct Row {
    crates: &'static [&'static str],
    owners: &'static [&'static str],
    /// Those that may use them in tests as well.
    in_tests: &'static [&'static str],
    why: &'static str,
}

const ROWS: &[Row] = &[
    Row {
        crates: &["bevy_ecs"],
        owners: &["lightmoon-zone"],
        in_tests: &["lightmoon-node", "lightmoon-sim", "lightmoon", "lightmoon-bots"],
        why: "actors and clients do without an ECS",
    },
    Row {
        crates: &["quinn-proto", "quinn-udp", "web-transport-proto"],
        owners: &["lightmoon-net"],
        in_tests: &[],
        why: "one driver moves the packets of all clients",
    },
    Row {
        crates: &["quinn"],
        owners: &["lightmoon-client"],
        in_tests: &["lightmoon-net", "lightmoon"],
        why: "a client has one connection; a server has a driver for all",
    },
    Row {
        crates: &["web-transport-quinn"],
        owners: &[],
        in_tests: &["lightmoon-net", "lightmoon"],
        why: "it is the browser of tests",
    },
    Row {
        crates: &["rustls"],
        owners: &["lightmoon-net", "lightmoon-client"],
        in_tests: &["lightmoon"],
        why: "the protocol is sans-io; only shells know the transport",
    },
    Row {
        crates: &["ring"],
        owners: &["lightmoon-net", "lightmoon-client", "lightmoon"],
        in_tests: &[],
        why: "cryptography belongs to the shells",
    },
    Row {
        crates: &["hmac", "sha2"],
        owners: &["lightmoon-node"],
        in_tests: &[],
        why: "tickets of sessions are signed where sessions are, without a system or a C compiler",
    },
    Row {
        crates: &["rcgen"],
        owners: &["lightmoon"],
        in_tests: &["lightmoon-net", "lightmoon-client"],
        why: "certificates are made by the binary",
    },
    Row {
        crates: &["tokio", "socket2"],
        owners: &["lightmoon-net", "lightmoon-client", "lightmoon", "lightmoon-bots"],
        in_tests: &[],
        why: "logic has no runtime, thread or clock",
    },
    Row {
        crates: &[
            "axum",
            "clap",
            "rust-embed",
            "toml",
            "tracing-subscriber",
            "metrics-exporter-prometheus",
            "anyhow",
        ],
        owners: &["lightmoon"],
        in_tests: &[],
        why: "options, pages and output belong to the binary",
    },
    Row {
        crates: &["rustix"],
        owners: &["lightmoon-net", "lightmoon-store-files", "lightmoon"],
        in_tests: &[],
        why: "the system is called by the shells",
    },
    Row {
        crates: &["signal-hook"],
        owners: &["lightmoon"],
        in_tests: &[],
        why: "signals belong to the binary, and its parent has no runtime",
    },
    Row {
        crates: &["serde", "serde_json"],
        owners: &["lightmoon", "lightmoon-bots"],
        in_tests: &["lightmoon-contract", "lightmoon-wire", "lightmoon-replica", "lightmoon-client"],
        why: "what travels has one byte format, that of `contract`",
    },
    Row {
        crates: &["wincode"],
        owners: &["lightmoon-contract"],
        in_tests: &[],
        why: "the byte format lies in one module of `contract`",
    },
    Row {
        crates: &["bincode"],
        owners: &[],
        in_tests: &["lightmoon-contract"],
        why: "it is unmaintained, and here only the oracle of tests",
    },
    Row {
        crates: &["syn", "quote", "proc-macro2"],
        owners: &["lightmoon-contract-macros"],
        in_tests: &[],
        why: "code is generated in one crate",
    },
    Row {
        crates: &["fjall"],
        owners: &["lightmoon-store-files"],
        in_tests: &[],
        why: "a store's engine stays behind the trait `Store`",
    },
    Row {
        crates: &["scylla"],
        owners: &["lightmoon-store-scylla"],
        in_tests: &[],
        why: "a store's driver stays behind the trait `Store`",
    },
    Row {
        crates: &["rtrb", "loom"],
        owners: &["lightmoon"],
        in_tests: &[],
        why: "threads, and the rings between them, belong to the binary",
    },
    Row {
        crates: &["crossbeam", "crossbeam-channel", "crossbeam-queue", "parking_lot"],
        owners: &["lightmoon-actor"],
        in_tests: &[],
        why: "locks and rings are kept in one place",
    },
    Row {
        crates: &["csbindgen"],
        owners: &["lightmoon-ffi"],
        in_tests: &[],
        why: "it serves the C ABI only",
    },
    Row {
        crates: &["bevy", "rand", "getrandom", "chrono", "once_cell", "lazy_static", "async-std", "futures"],
        owners: &[],
        in_tests: &[],
        why: "we do without: time, chance and state are passed in, fastrand takes a seed",
    },
];

/// Crates that these of ours may not use, whatever others do.
const WITHOUT: &[(&str, &[&str])] = &[
    // Both return counts as data; who holds them decides what to log.
    ("lightmoon-contract", &["tracing", "metrics", "log"]),
    ("lightmoon-contract-macros", &["tracing", "metrics", "log"]),
    ("lightmoon-wire", &["metrics", "log"]),
];

/// Where `wincode` may be named.
const WINCODE: &str = "framework/contract/src/codec";

const TABLE: &str = "the table in tools/xtask/src/check/owners.rs";

/// Holds manifests and sources against the tables.
pub(crate) fn check(tree: &Tree, metadata: &Metadata) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for package in &metadata.packages {
        let folder = metadata.folder(package);
        if !FOLDERS.iter().any(|prefix| folder.starts_with(prefix)) {
            continue;
        }
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            let without = WITHOUT.iter().any(|(of, names)| *of == package.name && names.contains(&name));
            if without {
                let remedy = "return counts as data; its users log";
                problems.push(Problem::new(&package.name, format!("depends on {name}"), remedy));
            }
            let Some(row) = ROWS.iter().find(|row| row.crates.contains(&name)) else { continue };
            let own = package.name.as_str();
            if !(row.owners.contains(&own) || (dependency.is_dev() && row.in_tests.contains(&own))) {
                problems.push(refusal(&package.name, name, row));
            }
        }
    }
    for path in tree.ending(&[".rs"]) {
        let held = FOLDERS.iter().any(|prefix| path.starts_with(prefix)) && !path.starts_with(WINCODE);
        if held && tree.read(path)?.lines().any(names_wincode) {
            let remedy = format!("go through `lightmoon_contract::codec`; only {WINCODE} knows that library");
            problems.push(Problem::new(path, "names wincode", remedy));
        }
    }
    Ok(problems)
}

fn refusal(package: &str, name: &str, row: &Row) -> Problem {
    let owners = if row.owners.is_empty() { "no crate".to_owned() } else { row.owners.join(", ") };
    let remedy =
        format!("it belongs to {owners} ({}): go through its owner, or change {TABLE} with an ADR", row.why);
    Problem::new(package, format!("depends on {name}"), remedy)
}

fn names_wincode(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.contains("wincode::") || code.contains("use wincode")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::fixture::Fixture;

    #[test]
    fn an_ecs_in_the_actor_runtime_is_found() {
        let found = Fixture::new().package("lightmoon-actor", "framework/actor", &["bevy_ecs"]).find(check);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("lightmoon-actor: depends on bevy_ecs; it belongs to lightmoon-zone"),
            "{found:?}"
        );
    }

    #[test]
    fn owners_and_games_use_what_they_like() {
        let fixture = Fixture::new()
            .package("lightmoon-zone", "framework/zone", &["bevy_ecs", "tracing"])
            .package("my-game", "game-sample/server", &["bevy_ecs", "rand"]);
        assert_eq!(fixture.find(check), Vec::<String>::new());
    }

    #[test]
    fn what_tests_may_use_is_no_normal_dependency() {
        let mut fixture = Fixture::new().package("lightmoon-contract", "framework/contract", &["bincode"]);
        assert!(fixture.find(check)[0].contains("it belongs to no crate"));
        fixture.metadata.packages[0].dependencies[0].kind = Some("dev".to_owned());
        assert_eq!(fixture.find(check), Vec::<String>::new());
    }

    #[test]
    fn the_lowest_crate_does_not_log() {
        let found =
            Fixture::new().package("lightmoon-contract", "framework/contract", &["tracing"]).find(check);
        assert!(found[0].contains("return counts as data"), "{found:?}");
    }

    #[test]
    fn wincode_outside_of_its_module_is_found() {
        let fixture =
            Fixture::new().file("framework/contract/src/codec/scalar.rs", "use wincode::io;\n").file(
                "framework/wire/src/frame.rs",
                "//! Not wincode::io.\nlet bytes = wincode::serialize(&frame);\n",
            );
        let found = fixture.find(check);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("framework/wire/src/frame.rs: names wincode"), "{found:?}");
    }
}

//! Everything that can be wrong at the start: one sentence, what to do, an exit code.

use crate::harness::Scratch;
use std::net::{TcpListener, UdpSocket};

/// Runs it and checks the form of its answer: one line on stderr, that code, these words.
fn refused(scratch: &Scratch, environment: &[(&str, &str)], arguments: &[&str], code: i32, words: &[&str]) {
    let mut command = scratch.command(arguments);
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(said.starts_with("error: ") && said.lines().count() == 1, "{arguments:?}: {said}");
    assert!(!said.contains("panicked"), "{said}");
    for word in words {
        assert!(said.contains(word), "{word} in {said}");
    }
    assert!(output.stdout.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn wrong_arguments() {
    let scratch = Scratch::new();
    let cases: &[(&[&str], &[&str])] = &[
        (&["--lisen", "127.0.0.1:1"], &["--lisen", "--help"]),
        (&["fly"], &["fly", "--help"]),
        (&["--listen", "nowhere"], &["`nowhere`", "--listen", "127.0.0.1:4433"]),
        (&["--console", "0.0.0.0:1"], &["--console", "loopback"]),
        (&["--store", "postgres:"], &["--store", "`files:`", "`memory:`"]),
        (&["--store", "cql://host/game"], &["--store", "no store in a database"]),
        (&["--supervise", "maybe"], &["--supervise", "`off`"]),
        (&["--accept-loss", "some"], &["--accept-loss", "`off`"]),
        (&["--supervised-by=1"], &["--supervised-by", "leave it out"]),
        (&["--pin", "maybe"], &["--pin", "`off`"]),
        (&["--auth", "anybody"], &["--auth", "`tokens`"]),
        (&["--auth-secret-file", "x"], &["--auth-secret-file", "--auth tokens"]),
        (&["greet", "--listen", "127.0.0.1:1"], &["--listen", "--help"]),
    ];
    for (arguments, words) in cases {
        refused(&scratch, &[], arguments, 2, words);
    }
    assert!(!scratch.path().join("lightmoon-data").exists(), "nothing was begun");
}

#[test]
fn wrong_keys_in_the_file_and_the_environment() {
    let scratch = Scratch::new();
    refused(&scratch, &[("LIGHTMOON_LISEN", "x")], &[], 1, &["LIGHTMOON_LISEN", "listen"]);
    refused(&scratch, &[("LIGHTMOON_LISTEN", "x")], &[], 1, &["LIGHTMOON_LISTEN", "127.0.0.1:4433"]);
    scratch.write("lightmoon.toml", "lisen = \"x\"\n");
    refused(&scratch, &[], &[], 1, &["`lisen`", "lightmoon.toml"]);
    scratch.write("lightmoon.toml", "listen = \n");
    refused(&scratch, &[], &[], 1, &["lightmoon.toml", "line 1"]);
}

#[test]
fn ports_in_use() {
    let scratch = Scratch::new();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = udp.local_addr().unwrap().to_string();
    let console = ["--console", "127.0.0.1:0"];
    let listen = |listen: &str| ["--listen".to_owned(), listen.to_owned()];
    let run = |extra: &[String], words: &[&str]| {
        let mut arguments: Vec<&str> = extra.iter().map(String::as_str).collect();
        arguments.extend_from_slice(&console);
        refused(&scratch, &[], &arguments, 1, words);
    };
    run(&listen(&address), &["UDP", &address, "in use", "--listen"]);
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap().to_string();
    run(&listen(&address), &["TCP", &address, "in use", "--web"]);
    refused(
        &scratch,
        &[],
        &["--listen", "127.0.0.1:0", "--console", &address],
        1,
        &["TCP", &address, "in use", "--console"],
    );
}

#[test]
fn addresses_of_other_machines() {
    let scratch = Scratch::new();
    let arguments = ["--listen", "192.0.2.1:5000", "--console", "127.0.0.1:0"];
    refused(&scratch, &[], &arguments, 1, &["192.0.2.1:5000", "--listen"]);
}

#[test]
fn a_folder_that_cannot_be_written() {
    let scratch = Scratch::new();
    scratch.write("file", "");
    refused(&scratch, &[], &["--data", "file/data"], 1, &["file/data", "choose another place"]);
}

#[test]
fn the_configuration_is_shown_with_its_origins() {
    let scratch = Scratch::new();
    scratch.write("lightmoon.toml", "listen = \"127.0.0.1:7000\"\nvisitors = 5\n");
    let mut command = scratch.command(&["--print-config", "--console", "127.0.0.1:7001"]);
    let output = command.env("LIGHTMOON_LOG", "info").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    for (name, value, origin) in [
        ("listen", "127.0.0.1:7000", "lightmoon.toml"),
        ("visitors", "5", "lightmoon.toml"),
        ("console", "127.0.0.1:7001", "command line"),
        ("log", "info", "environment"),
        ("store", "files:", "default"),
    ] {
        let line = shown.lines().find(|line| line.starts_with(&format!("{name} = "))).expect(name);
        assert!(line.contains(value) && line.ends_with(&format!("# {origin}")), "{line}");
    }
}

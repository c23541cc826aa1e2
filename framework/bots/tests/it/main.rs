//! The verb `bots` of a real program against a real server, over UDP.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "helpers of tests may, clippy knows only the tests themselves")]

mod harness;

use serde_json::Value;

use harness::{Folder, Server, lawn};

/// More than enough for a handful of bots to come in and act on a busy machine.
const SECONDS: &str = "5";

fn report(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn bots_come_in_play_and_are_counted_on_both_sides() {
    let folder = Folder::new();
    let server = Server::start(&folder, &["--bots", "2"]);
    let file = folder.path("report.json");
    let arguments = ["--ready-json", "ready.json", "--count", "7", "--seconds", SECONDS, "--seed", "3"];
    let ran = lawn(&folder).arg("bots").args(arguments).arg("--report").arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!((ran.status.code(), &*said, ran.stdout.len()), (Some(0), "", 0), "all goes to the file");

    let report = report(&std::fs::read_to_string(file).unwrap());
    for (name, value) in [("bots", 7), ("seed", 3), ("connects", 7), ("attaches", 7)] {
        assert_eq!(report[name], value, "{name} in {report}");
    }
    for name in ["disconnects", "reconnects", "connect_failures"] {
        assert_eq!(report[name], 0, "{name} in {report}");
    }
    assert_eq!((report["script"].as_str(), &report["errors"]), (Some("hop"), &Value::Array(vec![])));
    let number = |name: &str| report[name].as_u64().unwrap();
    // Each acts when it comes in, and sees what the others did.
    assert!(number("actions") >= 7 && number("state_packets") >= 7, "{report}");
    assert!(number("bytes_in") > 0 && number("bytes_out") > 0, "{report}");
    server.counts("lightmoon_session_opened_total", 2 + 7);
}

#[test]
fn the_server_is_found_by_the_address_of_its_page() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[]);
    let arguments = ["bots", "--server", server.text("web"), "--count", "1", "--seconds", SECONDS];
    let ran = lawn(&folder).args(arguments).output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    let report = report(&String::from_utf8_lossy(&ran.stdout));
    assert_eq!((&report["connects"], &report["bots"]), (&1.into(), &1.into()), "{report}");
}

#[test]
fn wrong_arguments_are_told_before_any_server_is_asked() {
    let folder = Folder::new();
    for (arguments, part) in [
        (["--count", "0"], "it must be 1 to 5000"),
        (["--count", "5001"], "it must be a whole number up to 5000"),
        (["--count", "many"], "it must be a whole number up to 5000"),
        (["--seconds", "604801"], "up to 604800, a week"),
        (["--script", "fly"], "there is no script `fly`; there are: hop"),
        (["--speed", "9"], "--speed"),
    ] {
        let ran = lawn(&folder).args(["bots", "--server", "127.0.0.1:1"]).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
        assert!(ran.stdout.is_empty(), "there is no report of a run that was none");
    }
}

#[test]
fn a_server_that_is_not_there_is_named_with_what_to_do() {
    let folder = Folder::new();
    // Nobody listens on a port that was just given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let web = format!("127.0.0.1:{port}");
    let dead = format!(r#"{{"game":"{web}","certificateHashes":["{}"]}}"#, "0a".repeat(32));
    std::fs::write(folder.path("dead.json"), dead).unwrap();
    for (arguments, parts) in [
        (["--server", &web], [web.as_str(), "is the server running there?"]),
        (["--ready-json", "none.json"], ["none.json", "is no file that a server wrote by --ready-json"]),
        (["--ready-json", "dead.json"], ["no bot reached 127.0.0.1", "is the server running?"]),
    ] {
        let ran =
            lawn(&folder).args(["bots", "--count", "2", "--seconds", "1"]).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(parts.iter().all(|part| said.contains(part)), "{arguments:?}: {said}");
    }
}

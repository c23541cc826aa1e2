//! Start, stop, kill, start again.

use crate::harness::Scratch;
use rustix::process::Signal;
use std::time::Duration;

#[test]
fn a_server_says_where_it_is_and_what_is_not_fit_for_strangers() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    for part in [
        server.text("web"),
        server.text("game"),
        server.text("console"),
        server.text("consoleToken"),
        "./lightmoon-data",
        "Not for production",
        "self-signed",
        "https",
    ] {
        assert!(server.greeting.contains(part), "{part} in {}", server.greeting);
    }
    assert_eq!(server.ready["certificateHashes"][0].as_str().unwrap().len(), 64);
    assert_eq!(server.port("gamePort"), server.port("webPort"), "the page has the game's port number");
}

#[test]
fn a_page_learns_where_the_game_is() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    let location = server.web("/lightmoon.json");
    assert_eq!(location.status, 200);
    let json = location.json();
    assert_eq!(json["title"], "Tiny");
    assert_eq!(json["game"]["host"], "127.0.0.1");
    assert_eq!(json["game"]["port"], server.ready["gamePort"]);
    assert_eq!(json["certificateHashes"], server.ready["certificateHashes"]);
    assert_eq!(server.web("/health").status, 200);

    let page = server.web("/");
    assert_eq!((page.status, page.body.contains("Tiny")), (200, true));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains(&format!("https://127.0.0.1:{}", server.port("gamePort"))), "{policy}");
    assert_eq!(server.web("/missing.html").status, 404);
    assert_eq!(server.web("/lightmoon/../../../Cargo.toml").status, 404);
    for secret in ["/metrics", "/status.json"] {
        assert_eq!(server.web(secret).status, 404, "{secret} is the console's");
    }
}

#[test]
fn signals_stop_it_in_order_and_in_time() {
    for signal in [Signal::INT, Signal::TERM] {
        let scratch = Scratch::new();
        let server = scratch.serve(&[]);
        server.signal(signal);
        let (code, took, said) = server.end();
        assert_eq!((code, said.as_str()), (Some(0), ""));
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
}

#[test]
fn a_second_signal_stops_it_at_once_whatever_it_does() {
    let scratch = Scratch::new();
    let mut server = scratch.serve(&["--linger", "true"]);
    server.signal(Signal::INT);
    assert!(server.line().starts_with("SIGINT: stopping"));
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(128 + 15));
}

#[test]
fn ports_and_certificate_survive_a_kill() {
    let scratch = Scratch::new();
    let first = scratch.serve(&[]);
    let keys = ["gamePort", "webPort", "consolePort", "consoleToken", "certificateHashes"];
    let before = keys.map(|key| first.ready[key].clone());
    first.signal(Signal::KILL);
    assert_eq!(first.end().0, None);
    let second = scratch.serve(&[]);
    assert_eq!(keys.map(|key| second.ready[key].clone()), before);
}

#[test]
fn a_second_server_in_the_same_folder_is_refused() {
    let scratch = Scratch::new();
    let _first = scratch.serve(&[]);
    let second = scratch.run(&["--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1));
    assert!(
        said.contains("another server is running in ./lightmoon-data") && said.contains("--data"),
        "{said}"
    );
}

#[test]
fn an_extension_runs_beside_the_server_and_hears_of_its_end() {
    let scratch = Scratch::new();
    let server = scratch.serve(&["--visitors", "3"]);
    assert_eq!(std::fs::read_to_string(scratch.path().join("visitors")).unwrap(), "3 visit");
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
    assert_eq!(std::fs::read_to_string(scratch.path().join("visitors")).unwrap(), "gone");
}

#[test]
fn an_extension_that_fails_stops_the_server() {
    let scratch = Scratch::new();
    let output = scratch.run(&["--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", "--visitors", "many"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("`many` is no good value of --visitors"), "{said}");
}

#[test]
fn contracts_are_written_for_tools() {
    let scratch = Scratch::new();
    let shown = scratch.run(&["contracts"]);
    assert_eq!(shown.status.code(), Some(0));
    let json: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert!(json.to_string().contains("tiny"), "{json}");
    assert_eq!(scratch.run(&["contracts", "--out", "tiny.json"]).status.code(), Some(0));
    assert_eq!(std::fs::read(scratch.path().join("tiny.json")).unwrap(), shown.stdout);
}

#[test]
fn a_games_own_verb_runs_with_its_settings() {
    let scratch = Scratch::new();
    let output = scratch.run(&["greet", "--name", "Ann"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hello Ann\n");
    assert!(!scratch.path().join("lightmoon-data").exists(), "only the server has a data folder");
}

#[test]
fn a_server_is_ready_from_its_start_to_the_beginning_of_its_end_and_healthy_to_its_end() {
    let scratch = Scratch::new();
    let mut server = scratch.serve(&["--visitors", "1", "--linger", "true"]);
    // The node reports every so often; until its first report nobody can know.
    let began = std::time::Instant::now();
    while server.web("/ready").status != 200 {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", server.web("/ready"));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(server.web("/ready").body, "ready\n");
    server.signal(Signal::TERM);
    // It lingers in the call that says that it is about to stop.
    while !server.line().contains("stopping") {}
    let began = std::time::Instant::now();
    while server.web("/ready").status == 200 {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
    let answer = server.web("/ready");
    assert_eq!((answer.status, answer.body.as_str()), (503, "the server stops\n"));
    assert_eq!(server.web("/health").status, 200, "it serves its clients still");
}

#[test]
fn the_log_is_one_json_object_a_line_where_that_is_wanted() {
    let scratch = Scratch::new();
    let mut server = scratch.serve(&["--log-format", "json"]);
    rustix::process::kill_process(server.node(), Signal::KILL).unwrap();
    let line = server.complaint("started again");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
    assert_eq!((line["level"].as_str(), line["target"].as_str()), (Some("WARN"), Some("lightmoon::serve")));
    assert!(
        line["timestamp"].is_string() && line["message"].as_str().unwrap().contains("signal 9"),
        "{line}"
    );
    let refused = scratch.run(&["--log-format", "xml"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2));
    assert!(said.contains("`text` or `json`"), "{said}");
}

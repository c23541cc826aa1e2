//! The console's door and what is behind it.

use crate::harness::Scratch;

#[test]
fn without_the_token_there_is_nothing() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    for path in [
        "/",
        "/status.json",
        "/live?topics=map",
        "/contracts.json",
        "/metrics",
        "/console.js",
        "/missing",
        "/?token=wrong",
        "/metrics?token=",
    ] {
        let answer = server.console(path, &[]);
        assert_eq!(answer.status, 401, "{path}");
        assert!(!answer.body.contains(server.text("consoleToken")));
    }
    assert_eq!(server.console("/metrics", &[("authorization", "Bearer wrong")]).status, 401);
    assert_eq!(server.console("/metrics", &[("cookie", "lightmoon_console=wrong")]).status, 401);
}

#[test]
fn the_printed_address_opens_the_page_and_leaves_no_token_in_it() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    let token = server.text("consoleToken");
    assert!(server.greeting.contains(&format!("/?token={token}")));
    let door = server.console(&format!("/?token={token}"), &[]);
    assert_eq!((door.status, door.header("location")), (303, Some("/")));
    let cookie = door.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    for path in
        ["/", "/console.js", "/pages/map.js", "/kit/live.js", "/console.css", "/icon.svg", "/status.json"]
    {
        let answer = server.console(path, &[("cookie", cookie)]);
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.body.contains(token));
        assert!(answer.header("content-security-policy").is_some());
    }
    let status = server.console("/status.json", &[("cookie", cookie)]).json();
    assert_eq!(status["title"], "Tiny");
    assert_eq!(status["healthy"], true);
}

#[test]
fn metrics_are_text_for_prometheus() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    let bearer = format!("Bearer {}", server.text("consoleToken"));
    let metrics = server.console("/metrics", &[("authorization", &bearer)]);
    assert_eq!(metrics.status, 200);
    assert!(metrics.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    assert!(metrics.body.contains("\nlightmoon_healthy 1\n"), "{}", metrics.body);
    assert!(metrics.body.contains("# TYPE lightmoon_link_open gauge"));
}

#[test]
fn dead_letters_are_listed_and_one_that_is_none_cannot_be_sent_again() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    let bearer = format!("Bearer {}", server.text("consoleToken"));
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(server.console("/dead-letters.json", &[]).status, 401);
    let list = server.console("/dead-letters.json", &headers);
    assert_eq!((list.status, list.body.as_str()), (200, "[]"));
    let path = "/dead-letters/replay?kind=1&key=2&number=3";
    assert_eq!(server.console(path, &headers).status, 405, "it changes something, so it is no GET");
    assert_eq!(server.console_post(path, &headers).status, 404);
    assert_eq!(server.console_post("/dead-letters/replay?kind=one", &headers).status, 400);
}

#[test]
fn commands_want_the_token_json_and_no_page_elsewhere() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    let bearer = format!("Bearer {}", server.text("consoleToken"));
    let (token, json) = (("authorization", bearer.as_str()), ("content-type", "application/json"));
    let own = format!("http://localhost:{}", server.port("consolePort"));
    let send = |headers: &[(&str, &str)], body: &str| server.console_send("/command/drain", headers, body);
    assert_eq!(send(&[json], r#"{"drain":true}"#).status, 401);
    for origin in [server.text("web").trim_end_matches('/'), "http://evil.example", "null"] {
        assert_eq!(send(&[token, json, ("origin", origin)], r#"{"drain":true}"#).status, 403, "{origin}");
    }
    assert_eq!(send(&[token], r#"{"drain":true}"#).status, 415);
    assert_eq!(send(&[token, json], r#"{"drain":1}"#).status, 400);
    let audit = || std::fs::read_to_string(scratch.path().join("lightmoon-data/audit.jsonl")).unwrap();
    assert_eq!(audit(), "", "what was refused was never begun");
    assert_eq!(
        send(&[token, json, ("origin", own.as_str()), ("x-lightmoon-operator", "Ada")], r#"{"drain":true}"#)
            .status,
        200
    );
    let lines = audit();
    assert!(lines.contains(r#""who":"Ada""#) && lines.contains("drain the node"), "{lines}");
    let metrics = server.console("/metrics", &[token]).body;
    assert!(metrics.contains("\nlightmoon_console_command_refused_total 5\n"), "{metrics}");
}

#[test]
fn an_operation_is_called_by_name_and_its_answer_is_json() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    let bearer = format!("Bearer {}", server.text("consoleToken"));
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let contracts = server.console("/contracts.json", &headers).json();
    let contract = &contracts["contracts"][0];
    let call = |operation: &str, arguments: &str| {
        let body = format!(
            r#"{{"kind":{},"key":"7","operation":"{operation}","arguments":{arguments}}}"#,
            contract["kind"]
        );
        server.console_send("/command/call", &headers, &body)
    };
    let answer = call("knock", r#"{"times":3}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["answer"], 3);
    let unknown = call("nonsense", "{}");
    assert_eq!(unknown.status, 400);
    assert!(unknown.body.contains("has no operation `nonsense`"), "{}", unknown.body);
}

#[test]
fn a_stream_says_at_once_what_there_is() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    let bearer = format!("Bearer {}", server.text("consoleToken"));
    let said = server.console_beginning(
        "/live?topics=status,events",
        &[("authorization", &bearer)],
        "event: events",
    );
    assert!(said.contains("text/event-stream"), "{said}");
    assert!(said.contains("event: status\ndata: {") && said.contains("\"title\":\"Tiny\""), "{said}");
}

//! The console's door and what is behind it.

use crate::harness::Scratch;

#[test]
fn without_the_token_there_is_nothing() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    for path in
        ["/", "/status.json", "/metrics", "/console.js", "/missing", "/?token=wrong", "/metrics?token="]
    {
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
    for path in ["/", "/console.js", "/console.css", "/status.json"] {
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

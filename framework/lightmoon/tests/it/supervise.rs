//! The small parent and its node.

use crate::harness::{Scratch, Server, process};
use crate::play::{knock, log_in, next_event};
use lightmoon_client::{CloseCode, Event};
use rustix::process::{Pid, Signal, getpgid, kill_process};
use std::time::{Duration, Instant};

const STAYS: [&str; 6] =
    ["gamePort", "webPort", "consolePort", "consoleToken", "certificateHashes", "parent"];

fn kill_node(server: &Server) {
    kill_process(server.node(), Signal::KILL).unwrap();
}

/// Whether a process is dead. One that nobody reaps yet is, too.
fn is_dead(pid: Pid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    status.map_or(true, |status| status.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
}

fn starts(scratch: &Scratch) -> usize {
    std::fs::read(scratch.path().join("starts")).unwrap().len()
}

#[tokio::test]
async fn a_killed_node_is_back_at_its_place_and_its_clients_come_back_by_themselves() {
    let scratch = Scratch::new();
    let mut server = scratch.serve(&[]);
    let mut session = log_in(&server).await;
    assert_eq!(knock(&mut session, 4).await, 4);
    let began = Instant::now();
    kill_node(&server);
    let line = server.complaint("signal 9");
    assert!(line.contains("was started again in"), "{line}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());

    let ready = scratch.ready();
    assert_eq!(STAYS.map(|key| &ready[key]), STAYS.map(|key| &server.ready[key]));
    assert_ne!(process(&ready, "pid"), server.node(), "the file tells of the new one");
    loop {
        if let Event::Connected(_) = next_event(&mut session).await {
            break;
        }
    }
    assert_eq!(knock(&mut session, 1).await, 1, "memory forgets");

    server.signal(Signal::TERM);
    let line = server.line();
    assert!(line.starts_with("SIGTERM: stopping"), "where everything is was said once: {line}");
    let server = tokio::task::spawn_blocking(move || server.end());
    loop {
        if let Event::Resuming(closing) = next_event(&mut session).await {
            assert_eq!(closing.code, CloseCode::ShuttingDown, "{closing:?}");
            break;
        }
    }
    let (code, took, said) = server.await.unwrap();
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_node_dies_with_its_parent_and_the_folder_is_free() {
    let scratch = Scratch::new();
    let first = scratch.serve(&[]);
    let (node, before) = (first.node(), first.ready.clone());
    assert!(!is_dead(node));
    first.signal(Signal::KILL);
    // Reads to the end of what the node holds open, too.
    let (code, took, _) = first.end();
    assert_eq!(code, None);
    assert!(took < Duration::from_secs(2), "{took:?}");
    let second = scratch.serve(&[]);
    assert!(is_dead(node), "nobody else could have the folder");
    assert_eq!(second.ready["gamePort"], before["gamePort"]);
}

#[test]
fn a_terminal_reaches_the_parent_alone() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    let parent = process(&server.ready, "parent");
    assert_eq!(getpgid(Some(server.node())).unwrap(), server.node());
    assert_ne!(getpgid(Some(parent)).unwrap(), server.node());
}

#[test]
fn a_signal_to_both_processes_is_one_request() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    kill_process(server.node(), Signal::TERM).unwrap();
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn a_node_that_is_asked_to_stop_takes_its_parent_with_it() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    kill_process(server.node(), Signal::TERM).unwrap();
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn a_second_signal_ends_both_processes() {
    let scratch = Scratch::new();
    let mut server = scratch.serve(&["--linger", "true"]);
    let node = server.node();
    server.signal(Signal::TERM);
    assert!(server.line().starts_with("SIGTERM: stopping"));
    server.signal(Signal::INT);
    assert_eq!(server.end().0, Some(128 + 2));
    assert!(is_dead(node));
}

#[test]
fn what_cannot_start_is_not_tried_again() {
    let scratch = Scratch::new();
    for code in [1, 2, 3] {
        let falls = format!("up,{code},up");
        let _ = std::fs::write(scratch.path().join("starts"), ".");
        let arguments = ["--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", "--falls", &falls];
        assert_eq!(scratch.run(&arguments).status.code(), Some(code));
        assert_eq!(starts(&scratch), 2, "one before, and the one");
    }
}

#[test]
fn a_node_that_was_up_is_brought_back_with_longer_and_longer_pauses() {
    let scratch = Scratch::new();
    let mut server = scratch.serve(&["--falls", "up,1,2,abort"]);
    let began = Instant::now();
    kill_node(&server);
    for (ending, pause) in [("exit code 1", 100), ("exit code 2", 200), ("signal 6", 400)] {
        let line = server.complaint("the next start is in");
        assert!(line.contains(&format!("({ending}); the next start is in {pause} ms")), "{line}");
    }
    server.complaint("(signal 6) and was started again in");
    assert!(began.elapsed() >= Duration::from_millis(700), "{:?}", began.elapsed());
    assert_eq!(starts(&scratch), 5);
    assert_eq!(STAYS.map(|key| scratch.ready()[key].clone()), STAYS.map(|key| server.ready[key].clone()));
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn a_pause_keeps_the_folder_and_ends_with_a_signal() {
    let scratch = Scratch::new();
    let mut server = scratch.serve(&["--falls", "up,1,1,1,1,1,1"]);
    kill_node(&server);
    server.complaint("the next start is in 1600 ms");
    assert!(!scratch.path().join("ready.json").exists(), "nobody takes a dead node's address");
    let second = scratch.run(&["--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("another server is running in ./lightmoon-data"), "{said}");
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
    assert!(starts(&scratch) <= 6, "the pause was not waited for");
}

#[test]
fn a_node_whose_store_was_taken_over_is_started_again_even_at_the_start() {
    let scratch = Scratch::new();
    let mut server = scratch.serve(&["--falls", "75,75"]);
    let line = server.complaint("the next start is in");
    assert!(line.contains("another server took over its store"), "{line}");
    assert_eq!(starts(&scratch), 3);
}

#[test]
fn nobody_has_to_read_what_a_parent_complains_of() {
    let scratch = Scratch::new();
    let mut server = scratch.serve(&[]);
    server.ignore_complaints();
    kill_node(&server);
    let ready = scratch.ready_after(server.node());
    assert_eq!(ready["parent"], server.ready["parent"]);
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn without_a_parent_there_is_one_process() {
    let scratch = Scratch::new();
    let server = scratch.serve(&["--supervise", "off"]);
    assert!(server.ready["parent"].is_null());
    kill_process(server.node(), Signal::KILL).unwrap();
    assert_eq!(server.end().0, None, "the process that was started is the node");
}

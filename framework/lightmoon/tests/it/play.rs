//! A client against a real server process.

use crate::game::{DoorContract, descriptor, game};
use crate::harness::{Scratch, Server};
use lightmoon::{App, Ready};
use lightmoon_client::{
    CertificateHash, ClientOptions, CloseCode, ConnectError, ConnectOptions, Endpoint, Event, RetryOptions,
    Session, connect,
};
use rustix::process::Signal;
use std::time::Duration;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What a guest makes up.
const VISITOR: &str = "a visitor's token";

pub(crate) fn options(server: &str, hashes: &[String], token: &str) -> ConnectOptions {
    let retry =
        RetryOptions { first: Duration::from_millis(20), tries_max: Some(200), ..RetryOptions::default() };
    let client = ClientOptions::new(descriptor(), &[]).unwrap().token(token.to_owned()).retry(retry);
    let certificates = hashes.iter().map(|hash| hash.parse::<CertificateHash>().unwrap()).collect();
    ConnectOptions { server: server.to_owned(), certificates, client, seed: 1 }
}

pub(crate) fn hashes(server: &Server) -> Vec<String> {
    let hashes = server.ready["certificateHashes"].as_array().unwrap();
    hashes.iter().map(|hash| hash.as_str().unwrap().to_owned()).collect()
}

pub(crate) async fn log_in_with(server: &Server, token: &str) -> Result<Session, ConnectError> {
    let options = options(server.text("game"), &hashes(server), token);
    let session = tokio::time::timeout(PATIENCE, connect(&Endpoint::new().unwrap(), options)).await;
    session.expect("within patience")
}

pub(crate) async fn log_in(server: &Server) -> Session {
    log_in_with(server, VISITOR).await.unwrap()
}

pub(crate) async fn knock(session: &mut Session, times: u32) -> u32 {
    let pending = session.client().me::<DoorContract>().knock(times);
    loop {
        next_event(session).await;
        if let Some(reply) = session.client().reply(&pending) {
            return reply.unwrap();
        }
    }
}

pub(crate) async fn next_event(session: &mut Session) -> Event {
    let event = tokio::time::timeout(PATIENCE, session.next_event()).await;
    event.expect("an event within patience").expect("the session is not lost")
}

#[tokio::test]
async fn a_client_calls_its_player_and_is_remembered_when_it_comes_again() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    let mut session = log_in(&server).await;
    assert_eq!(knock(&mut session, 2).await, 2);
    assert_eq!(knock(&mut session, 3).await, 5);
    session.close("done").await;
    let mut again = log_in(&server).await;
    assert_eq!(knock(&mut again, 1).await, 6, "the same token is the same player");
}

#[tokio::test]
async fn a_stop_tells_clients_why_and_takes_less_than_two_seconds() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    let mut session = log_in(&server).await;
    knock(&mut session, 1).await;
    server.signal(Signal::TERM);
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

#[tokio::test]
async fn a_client_comes_back_after_a_kill() {
    let scratch = Scratch::new();
    let first = scratch.serve(&[]);
    let mut session = log_in(&first).await;
    knock(&mut session, 4).await;
    first.signal(Signal::KILL);
    first.end();
    let _second = scratch.serve(&[]);
    loop {
        if let Event::Connected(connected) = next_event(&mut session).await {
            assert!(connected.is_resumed, "its ticket is good in the next process");
            break;
        }
    }
    assert_eq!(knock(&mut session, 1).await, 1, "memory forgets");
}

#[tokio::test]
async fn a_server_runs_inside_a_program() {
    let scratch = Scratch::new();
    let app = App::new(game());
    let settings = app
        .settings()
        .with("data", scratch.path().join("data").to_str().unwrap())
        .with("listen", "127.0.0.1:0")
        .with("console", "127.0.0.1:0")
        .with("pin", "off");
    let running = app.start(&settings).unwrap();
    let Ready { game, certificate_hashes, .. } = running.ready();
    let endpoint = Endpoint::new().unwrap();
    let mut session =
        connect(&endpoint, options(&game.to_string(), certificate_hashes, VISITOR)).await.unwrap();
    assert_eq!(knock(&mut session, 7).await, 7);
    tokio::task::spawn_blocking(move || running.stop("the test is over")).await.unwrap();
    loop {
        if let Event::Resuming(closing) = next_event(&mut session).await {
            assert_eq!(
                (closing.code, closing.reason.as_str()),
                (CloseCode::ShuttingDown, "the test is over")
            );
            break;
        }
    }
}

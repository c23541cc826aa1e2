//! Who may play: guests where the server lets them in, bearers of tokens where it asks for those.

use crate::game::{descriptor, game};
use crate::harness::Scratch;
use crate::play::{PATIENCE, hashes, knock, log_in_with, options};
use lightmoon::{App, Failure, Game};
use lightmoon_client::{CloseCode, ConnectError, Endpoint, connect};
use std::os::unix::fs::PermissionsExt as _;

/// A token that the program itself signed, without the end of the line.
fn token(scratch: &Scratch, arguments: &[&str]) -> String {
    let output = scratch.run(&[&["token"], arguments].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// What the program says when it makes no token.
fn no_token(scratch: &Scratch, arguments: &[&str]) -> String {
    let output = scratch.run(&[&["token"], arguments].concat());
    assert!(output.stdout.is_empty() && !output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn a_token_plays_as_its_player_and_a_guest_does_not_play() {
    let scratch = Scratch::new();
    let server = scratch.serve(&["--auth", "tokens"]);
    assert!(!server.greeting.contains("guests"), "{}", server.greeting);
    let secret = std::fs::metadata(scratch.path().join("lightmoon-data/keys/token-secret")).unwrap();
    assert_eq!(secret.permissions().mode() & 0o777, 0o600);

    let mut session = log_in_with(&server, &token(&scratch, &["--player", "7"])).await.unwrap();
    assert_eq!(knock(&mut session, 2).await, 2);
    session.close("done").await;
    let second = token(&scratch, &["--player", "7", "--hours", "1", "--roles", "admin,tester"]);
    let mut again = log_in_with(&server, &second).await.unwrap();
    assert_eq!(knock(&mut again, 3).await, 5, "another token of the same player");
    let mut other = log_in_with(&server, &token(&scratch, &["--player", "8"])).await.unwrap();
    assert_eq!(knock(&mut other, 1).await, 1);

    let Err(ConnectError::Lost(closing)) = log_in_with(&server, "a visitor's token").await else {
        panic!("a guest came in");
    };
    assert_eq!(closing.code, CloseCode::Unauthenticated);
    assert!(closing.reason.contains("no signed token"), "{closing:?}");
}

#[tokio::test]
async fn a_secret_of_another_place_and_of_another_server() {
    let scratch = Scratch::new();
    scratch.write("secret", "a secret that a login service has as well\n");
    let server = scratch.serve(&["--auth", "tokens", "--auth-secret-file", "secret"]);
    let good = token(&scratch, &["--player", "7", "--auth-secret-file", "secret"]);
    let mut session = log_in_with(&server, &good).await.unwrap();
    assert_eq!(knock(&mut session, 1).await, 1);
    assert!(!scratch.path().join("lightmoon-data/keys/token-secret").exists(), "it has one");

    scratch.write("other", "a secret that another login service has\n");
    let wrong = token(&scratch, &["--player", "7", "--auth-secret-file", "other"]);
    let Err(ConnectError::Lost(closing)) = log_in_with(&server, &wrong).await else { panic!("it came in") };
    assert_eq!(closing.reason, "the token's signature is wrong");
}

#[test]
fn what_is_no_token_is_explained() {
    let scratch = Scratch::new();
    let cases: &[(&[&str], &[&str])] = &[
        (&[], &["--player"]),
        (&["--player", "0"], &["--player", "from 1"]),
        (&["--player", "ann"], &["`ann`", "--player"]),
        (&["--player", "1", "--hours", "0"], &["--hours", "8784"]),
        (&["--player", "1"], &["keys/token-secret", "--auth tokens"]),
    ];
    for (arguments, words) in cases {
        let said = no_token(&scratch, arguments);
        assert!(said.starts_with("error: ") && said.lines().count() == 1, "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{words:?} in {said}");
    }
    assert!(!scratch.path().join("lightmoon-data").exists(), "nothing was begun");
}

/// A game whose author chose.
fn decided() -> Game {
    game().authenticate(lightmoon::node::Guests)
}

fn start(game: Game, scratch: &Scratch, auth: Option<&str>) -> Result<lightmoon::Running, Failure> {
    let app = App::new(game);
    let mut settings = app.settings();
    let data = scratch.path().join("data");
    for (name, value) in [
        ("data", data.to_str().unwrap()),
        ("listen", "127.0.0.1:0"),
        ("console", "127.0.0.1:0"),
        ("pin", "off"),
    ] {
        settings = settings.with(name, value);
    }
    if let Some(auth) = auth {
        settings = settings.with("auth", auth);
    }
    app.start(&settings)
}

#[test]
fn a_game_that_decides_itself_is_not_overruled() {
    let scratch = Scratch::new();
    for auth in ["tokens", "guests"] {
        let failure = start(decided(), &scratch, Some(auth)).unwrap_err().to_string();
        assert!(failure.contains("its own way") && failure.contains("--auth"), "{failure}");
    }
    start(decided(), &scratch, None).unwrap().stop("the test is over");
    start(game(), &scratch, Some("guests")).unwrap().stop("the test is over");
    assert_eq!(descriptor().game, "tiny");
}

#[tokio::test]
async fn guests_are_let_in_where_nothing_is_said_and_the_start_says_so() {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    assert!(server.greeting.contains("guests: anybody may log in"), "{}", server.greeting);
    let options = options(server.text("game"), &hashes(&server), "a visitor's token");
    let endpoint = Endpoint::new().unwrap();
    let session = tokio::time::timeout(PATIENCE, connect(&endpoint, options)).await;
    assert!(session.expect("within patience").is_ok());
}

//! A store of files under a real server: what it refuses to start with, a full disk, what a kill leaves.

use crate::game::DoorContract;
use crate::harness::{Scratch, Server};
use crate::play::{knock, log_in, log_in_with, next_event};
use lightmoon_client::{Pending, Session};
use lightmoon_contract::{CallError, Operation};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

const DATA: &str = "lightmoon-data";

async fn answer<O: Operation>(session: &mut Session, pending: &Pending<O>) -> Result<O::Reply, CallError> {
    loop {
        next_event(session).await;
        if let Some(reply) = session.client().reply(pending) {
            return reply;
        }
    }
}

async fn pay(session: &mut Session, coins: u32) -> Result<u32, CallError> {
    let pending = session.client().me::<DoorContract>().pay(coins);
    answer(session, &pending).await
}

/// A folder in which 30 coins were paid, one at a time, by a server that was killed.
fn paid(scratch: &Scratch) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = scratch.serve(&[]);
    runtime.block_on(async {
        let mut session = log_in(&server).await;
        for coins in 1..=30 {
            assert_eq!(pay(&mut session, 1).await, Ok(coins));
        }
    });
    server.signal(Signal::KILL);
    server.end();
}

/// Coins that a visitor has paid.
fn coins(server: &Server) -> u32 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { pay(&mut log_in(server).await, 0).await.unwrap() })
}

/// Every file of a folder with its bytes, but for the lock, which says nothing.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            files.insert(path, bytes);
        }
    }
    files
}

const PORTS: [&str; 6] = ["--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", "--pin", "off"];

/// Says what was not tried.
fn skipped(why: &str) {
    println!("SKIPPED: {why}");
}

/// Holds an end of the server to its form: one sentence with these words, code 1.
fn refused(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: ") && said.lines().count() == 1 && !said.contains("panicked"), "{said}");
    words.iter().for_each(|word| assert!(said.contains(word), "{word} in {said}"));
}

/// The log that the engine writes.
fn log(scratch: &Scratch) -> PathBuf {
    let store = scratch.path().join(DATA).join("store");
    let logs = std::fs::read_dir(store).unwrap().map(|entry| entry.unwrap().path());
    logs.filter(|path| path.extension().is_some_and(|extension| extension == "jnl")).max().unwrap()
}

/// Bytes of a log before the zeros at its end.
fn written(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

#[test]
fn a_folder_that_may_not_be_written_is_refused_and_stays_as_it_is() {
    let scratch = Scratch::new();
    paid(&scratch);
    let data = scratch.path().join(DATA);
    let before = files(&data);
    let allow = |mode| std::fs::set_permissions(&data, std::fs::Permissions::from_mode(mode)).unwrap();
    if rustix::process::geteuid().is_root() {
        // Nobody may write what is another user's. The way there has to be open to him.
        let program = scratch.command(&PORTS).get_program().to_owned();
        let copy = scratch.path().join("tiny");
        std::fs::copy(program, &copy).unwrap();
        std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        allow(0o755);
        let mut nobody = std::process::Command::new(copy);
        nobody.args(PORTS).current_dir(scratch.path());
        nobody.uid(65_534);
        match nobody.output() {
            Ok(output) => refused(&output, &[DATA, "ermission", "writable"]),
            Err(error) => skipped(&format!("nobody may not enter the folder of temporary files: {error}")),
        }
    } else {
        allow(0o500);
        refused(&scratch.run(&PORTS), &[DATA, "ermission", "writable"]);
        allow(0o700);
    }
    assert!(before == files(&data));
    let file = scratch.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    let mut arguments = PORTS.to_vec();
    arguments.extend(["--data", "file"]);
    refused(&scratch.run(&arguments), &["file", "choose another place"]);
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
}

#[test]
fn a_folder_of_a_newer_version_is_refused_and_stays_as_it_is() {
    let scratch = Scratch::new();
    paid(&scratch);
    let anchor = scratch.path().join(DATA).join("anchor");
    let mut bytes = std::fs::read(&anchor).unwrap();
    // The first page: magic, format, checksum of both.
    bytes[8..12].copy_from_slice(&99_u32.to_le_bytes());
    let checksum = crc32c(&bytes[..12]);
    bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
    std::fs::write(&anchor, bytes).unwrap();
    let before = files(&scratch.path().join(DATA));
    refused(&scratch.run(&PORTS), &["99", "newer version"]);
    assert!(before == files(&scratch.path().join(DATA)));
}

/// The checksum of the anchor's first page, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0x82f6_3b78 * (sum & 1));
        }
    }
    !sum
}

#[test]
fn a_flipped_bit_in_the_log_is_refused_until_the_loss_is_accepted() {
    let scratch = Scratch::new();
    paid(&scratch);
    let path = log(&scratch);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = written(&bytes) / 2;
    bytes[middle] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    accepting_goes_on(&scratch);
}

#[test]
fn a_log_that_ends_before_its_anchor_is_refused_until_the_loss_is_accepted() {
    let scratch = Scratch::new();
    paid(&scratch);
    let path = log(&scratch);
    let length = written(&std::fs::read(&path).unwrap());
    // The last third: many whole commits.
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len((length * 2 / 3) as u64).unwrap();
    accepting_goes_on(&scratch);
}

/// Refused with a sentence, nothing changed; with the loss accepted it runs, says what is lost, and has the rest.
fn accepting_goes_on(scratch: &Scratch) {
    let data = scratch.path().join(DATA);
    let before = files(&data);
    refused(&scratch.run(&PORTS), &["--accept-loss", "restore a copy"]);
    assert!(before == files(&data), "a refusal changes nothing");
    let mut server = scratch.serve(&["--accept-loss", "on"]);
    let complaint = server.complaint("WARN");
    assert!(complaint.contains("lost") || complaint.contains("cut"), "{complaint}");
    let left = coins(&server);
    assert!(left < 30, "{left} coins");
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
    let server = scratch.serve(&[]);
    assert_eq!(coins(&server), left, "accepted once is accepted");
}

#[test]
fn a_full_disk_refuses_what_must_last_and_goes_on_when_there_is_room() {
    let scratch = Scratch::new();
    // A small disk of our own, in a mount namespace that needs no privileges where the system lets users have one.
    let script = "mount -t tmpfs -o size=256m tmpfs \"$DISK\" && exec \"$@\"";
    let run = |program: &[&std::ffi::OsStr]| {
        let mut command = std::process::Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]).args(program);
        command.env("DISK", scratch.path()).status()
    };
    if !run(&["true".as_ref()]).is_ok_and(|status| status.success()) {
        let why =
            "SKIPPED: a full disk needs `unshare` and a tmpfs of one's own, and this system refuses them\n";
        std::io::stdout().write_all(why.as_bytes()).unwrap();
        return;
    }
    let test = std::env::current_exe().unwrap();
    let mut program = vec![test.as_os_str()];
    program
        .extend(["--exact", "storage::fills_its_disk", "--ignored", "--nocapture"].map(std::ffi::OsStr::new));
    assert!(run(&program).unwrap().success(), "see above");
}

/// Takes all room of the disk of a folder.
fn fill(filler: &Path) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(filler).unwrap();
    for size in [64 * 1024, 4 * 1024, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
}

#[tokio::test]
#[ignore = "runs in a mount namespace of another test"]
async fn fills_its_disk() {
    let Some(disk) = std::env::var_os("DISK") else { return };
    let scratch = Scratch::within(Path::new(&disk));
    let filler = Path::new(&disk).join("filler");
    // At the start: one sentence.
    fill(&filler);
    refused(&scratch.run(&PORTS), &["no room in", "free some and start again"]);
    std::fs::remove_file(&filler).unwrap();

    // While it runs.
    let server = scratch.serve(&[]);
    let mut session = log_in(&server).await;
    for coins in 1..=10 {
        assert_eq!(pay(&mut session, 1).await, Ok(coins));
    }
    let mut other = log_in_with(&server, "another visitor").await.unwrap();
    assert_eq!(knock(&mut other, 1).await, 1);
    fill(&filler);
    // The ballast is room for a while; each payment is durable or refused.
    let (mut paid, mut refusals, mut doubts) = (10, 0_u32, 0_u32);
    let until = Instant::now() + Duration::from_secs(20);
    while refusals < 20 && Instant::now() < until {
        if filler.exists() && refusals == 0 {
            fill(&filler);
        }
        match pay(&mut session, 1).await {
            Ok(coins) => paid = coins,
            Err(CallError::StoreUnavailable) => refusals += 1,
            // It was under way, and nobody knows whether it was done.
            Err(error) => {
                doubts += 1;
                assert!(error == CallError::TimedOut && doubts <= 2, "{error}");
            }
        }
    }
    assert!(refusals >= 20, "the disk never was full: {paid} paid");
    // Play goes on, but for who has something under way: what others could learn from that waits for it.
    assert_eq!(knock(&mut other, 3).await, 4);
    let listen = other.client().me::<DoorContract>().listen();
    assert_eq!(answer(&mut other, &listen).await, Ok(4));
    assert_eq!(pay(&mut other, 1).await, Err(CallError::StoreUnavailable));

    std::fs::remove_file(&filler).unwrap();
    let freed = Instant::now();
    let coins = loop {
        match pay(&mut session, 1).await {
            Ok(coins) => break coins,
            Err(error) => assert_eq!(error, CallError::StoreUnavailable),
        }
        assert!(freed.elapsed() < Duration::from_secs(10), "it does not come up again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(coins > paid, "{coins} after {paid}");
    assert_eq!(knock(&mut other, 1).await, 5, "it was the same process all the time");
    assert_eq!(pay(&mut other, 1).await, Ok(1));
    server.signal(Signal::KILL);
    tokio::task::spawn_blocking(move || server.end()).await.unwrap();
    let server = scratch.serve(&[]);
    let mut session = log_in(&server).await;
    let after = pay(&mut session, 0).await.unwrap();
    assert!(after >= coins, "{after} coins after {coins} were acknowledged");
}

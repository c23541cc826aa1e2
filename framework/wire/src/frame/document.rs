//! `docs/wire.md` says what the code does: its tables are read here.

use super::*;
use crate::close::CloseCode;

/// The rows of all tables, as trimmed cells.
fn rows() -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/wire.md"));
    let page = page.expect("the page is there");
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    page.lines().filter(|line| line.starts_with('|')).map(cells).collect()
}

fn has(row: &[&str]) -> bool {
    rows()
        .iter()
        .any(|cells| cells.len() >= row.len() && cells.iter().zip(row).all(|(cell, word)| cell == word))
}

#[test]
fn every_frame_stands_in_the_page_with_its_number_and_its_sender() {
    for kind in FrameKind::ALL {
        let (sent_by, on) = kind.path();
        let from = match sent_by {
            SentBy::Client => "client",
            SentBy::Server => "server",
            SentBy::Both => "both",
        };
        assert!(has(&[&(*kind as u8).to_string(), &format!("{kind:?}"), from]), "{kind:?}");
        let in_datagrams = has(&[&(*kind as u8).to_string(), &format!("{kind:?}"), from, "datagram"]);
        assert_eq!(in_datagrams, on == On::Datagram, "{kind:?}");
    }
}

#[test]
fn every_close_code_stands_in_the_page_with_its_advice() {
    for code in CloseCode::ALL {
        let advice = if code.is_worth_a_retry() { "yes" } else { "no" };
        let row =
            rows().into_iter().find(|row| row[0] == code.number().to_string() && row[1] == code.to_string());
        assert_eq!(row.expect("a row for each code")[3], advice, "{code}");
    }
}

#[test]
fn the_limits_in_the_page_are_those_of_the_code() {
    let grouped = |number: usize| {
        let digits = number.to_string();
        let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
        groups.join(",")
    };
    let seconds = |time: std::time::Duration| format!("{} s", time.as_secs());
    let table = [
        ("bytes before the Welcome, at the server", grouped(limits::HANDSHAKE_BYTES_MAX)),
        ("time for the handshake", seconds(limits::HANDSHAKE_TIME_MAX)),
        ("silence, at the server", seconds(limits::IDLE_TIME_MAX)),
        ("silence, at the client", seconds(limits::SILENCE_TIME_MAX)),
        ("streams from one side", grouped(limits::STREAMS_MAX)),
        (
            "requests on streams of one frame without an answer, and such streams that are not whole",
            grouped(limits::SOLO_STREAMS_MAX),
        ),
        ("a frame on a stream of its own", format!("{} bytes", grouped(limits::SOLO_FRAME_BYTES_MAX))),
        ("a datagram", format!("{} bytes", grouped(limits::DATAGRAM_BYTES_MAX))),
        ("open requests", grouped(limits::REQUESTS_OPEN_MAX)),
        ("frames in one read, at the server", grouped(limits::CALLS_AT_ONCE_MAX)),
        ("frames in one read, at the client", grouped(limits::PUSHES_AT_ONCE_MAX)),
        ("bytes that wait in one lane", grouped(limits::LANE_BACKLOG_BYTES_MAX)),
        ("bytes of other lanes before the Welcome, at the client", grouped(limits::EARLY_BYTES_MAX)),
    ];
    for (what, most) in table {
        assert!(has(&[what, &most]), "{what}: {most}");
    }
    let (token, ticket) = (grouped(limits::TOKEN_BYTES_MAX), grouped(limits::TICKET_BYTES_MAX));
    let hello = format!("token {token}, ticket {ticket}");
    let payloads = [
        (1, "Hello", hello),
        (3, "Describing", format!("descriptor {}", grouped(limits::DESCRIPTOR_BYTES_MAX))),
        (7, "Ticket", format!("ticket {}", grouped(limits::TICKET_BYTES_MAX))),
        (16, "Call", format!("args {}", grouped(limits::ARGS_BYTES_MAX))),
        (34, "View", format!("payload {}", grouped(limits::VIEW_BYTES_MAX))),
        (48, "State", format!("payload {}", grouped(limits::STATE_BYTES_MAX))),
    ];
    for (number, name, most) in payloads {
        let row = rows().into_iter().find(|row| row[0] == number.to_string() && row[1] == name);
        assert_eq!(row.expect("a row for each frame")[4], most, "{name}");
    }
}

//! The list of what happened: crashes, stalls, ends of sessions, limits that were reached.
//!
//! *Responsible for*: keeping the newest, their words and their JSON. *Not responsible for*: noticing them (`node`, `watch`,
//! `pulse`).
//!
//! Invariants:
//! - I1: at most [`limits::EVENTS_KEPT_MAX`] are kept; each has a number that only grows, so that who looks twice gets what is new.
//! - I2: whoever notes something holds the list for as long as a push takes; words are made by who reads.

use crate::limits;
use lightmoon_actor::Step;
use lightmoon_node::{Event, Happened};
use lightmoon_wire::ClosedBy;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Something that is noted.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum What {
    /// In the node.
    Node(Happened),
    /// A turn does not end.
    Stalled(String),
    /// A counter of a limit has grown by so much.
    Limit(&'static str, u64),
    /// The process began to serve.
    Started(String),
    /// An operator gave a command, and what came of it.
    Commanded(String),
}

/// The events that are kept.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    lines: Mutex<(u64, VecDeque<Line>)>,
}

#[derive(Clone, Debug)]
struct Line {
    number: u64,
    /// Milliseconds since 1970.
    at: i64,
    what: What,
}

impl EventLog {
    /// Notes something that happened at this time, in milliseconds since 1970.
    pub(crate) fn note(&self, at: i64, what: What) {
        let mut guard = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, lines) = &mut *guard;
        *last += 1;
        if lines.len() >= limits::EVENTS_KEPT_MAX {
            lines.pop_front();
        }
        lines.push_back(Line { number: *last, at, what });
    }

    /// Notes what the node says, whose clock is at `zero` of calendar time when it is 0.
    pub(crate) fn note_all(&self, zero: i64, events: Vec<Event>) {
        for Event { at, what } in events {
            let at = zero.saturating_add(i64::try_from(at.0 / 1_000_000).unwrap_or(i64::MAX));
            self.note(at, What::Node(what));
        }
    }

    /// The number of the newest.
    pub(crate) fn newest(&self) -> u64 {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Those after a number, in order.
    pub(crate) fn since(&self, number: u64) -> Value {
        let lines: Vec<Line> = {
            let guard = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            guard.1.iter().filter(|line| line.number > number).cloned().collect()
        };
        lines.iter().map(line_json).collect()
    }
}

fn line_json(line: &Line) -> Value {
    let (level, title, about, text) = words(&line.what);
    json!({
        "number": line.number,
        "at": line.at,
        "level": level,
        "title": title,
        "about": about,
        "text": text,
    })
}

/// Level, title, whom it is about, and the rest.
fn words(what: &What) -> (&'static str, &'static str, String, String) {
    match what {
        What::Node(happened) => of_node(happened),
        What::Stalled(text) => ("fault", "a turn does not end", String::new(), text.clone()),
        What::Limit(name, more) => {
            ("warning", "limit reached", String::new(), format!("{name}: {more} more"))
        }
        What::Started(text) => ("note", "the node serves", String::new(), text.clone()),
        What::Commanded(text) => ("note", "command", String::new(), text.clone()),
    }
}

fn of_node(happened: &Happened) -> (&'static str, &'static str, String, String) {
    match happened {
        Happened::ActorFailed { actor, step, message } => (
            "fault",
            "an actor failed and starts over",
            actor.to_string(),
            format!("{}: {message}", step_text(*step)),
        ),
        Happened::ActorUnreadable { actor, message } => {
            ("fault", "a stored state cannot be read", actor.to_string(), message.clone())
        }
        Happened::SessionOpened { session, player, remote } => {
            ("note", "session opened", session.to_string(), format!("player {player} from {remote}"))
        }
        Happened::SessionClosed { session, player, code, reason } => {
            let text = format!("player {player}: {code:?}, {reason}");
            ("note", "session ended by the node", session.to_string(), text)
        }
        Happened::LinkLost { session, by, code, reason, waits } => {
            let by = match by {
                ClosedBy::Us => "by the node",
                ClosedBy::Peer => "by its client",
                ClosedBy::Transport => "by the network",
            };
            let waits = if *waits { "; the session waits for its client" } else { "" };
            let reason = if reason.is_empty() { String::new() } else { format!(", {reason}") };
            ("note", "connection over", session.to_string(), format!("{by}: {code:?}{reason}{waits}"))
        }
        Happened::LinkClosed { remote, code, reason } => {
            ("warning", "a client was not let in", remote.clone(), format!("{code:?}, {reason}"))
        }
        Happened::Draining(true) => {
            ("warning", "the node drains", String::new(), "no new players".to_owned())
        }
        Happened::Draining(false) => ("note", "the node takes players again", String::new(), String::new()),
    }
}

/// What an actor did, for people.
pub(crate) fn step_text(step: Step) -> String {
    match step {
        Step::Activate => "while it began".to_owned(),
        Step::Operation(number) if number.is_reserved() => "in a message of the framework".to_owned(),
        Step::Operation(number) => format!("in operation {number}"),
        Step::Delivery(number) => format!("in operation {number}, which is tried again"),
        Step::Alarm => "in its alarm or tick".to_owned(),
        Step::Save => "while it was saved".to_owned(),
        Step::Lost => "another owner took it".to_owned(),
        Step::Stopping => "while it was told to end".to_owned(),
        Step::Drop => "while it was dropped".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_events_are_kept_and_who_looks_twice_gets_what_is_new() {
        let log = EventLog::default();
        for number in 0..limits::EVENTS_KEPT_MAX as u64 + 2 {
            log.note(0, What::Limit("x", number));
        }
        let all = log.since(0);
        assert_eq!(all.as_array().unwrap().len(), limits::EVENTS_KEPT_MAX);
        assert_eq!(all[0]["number"], 3);
        assert_eq!(log.since(log.newest() - 1).as_array().unwrap().len(), 1);
    }
}

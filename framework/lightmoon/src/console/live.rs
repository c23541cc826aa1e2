//! Streams to the console's pages: one message made for all that look, sent to each without waiting.
//!
//! *Responsible for*: who looks at what, the form of server-sent events, pages that do not read. *Not responsible for*: what a message
//! says (`pulse`).
//!
//! Invariants:
//! - I1: nobody waits for a page: what has no room is dropped and counted, and the next message of its topic says it anew.
//! - I2: a page that is gone takes nothing from the next pulse on.

use super::Console;
use super::pulse;
use crate::limits;
use crate::web::{reply, text};
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use futures_core::Stream;
use lightmoon_actor::{Inspect, Sought};
use lightmoon_contract::{ActorId, Kind};
use lightmoon_node::Wanted;
use serde::Deserialize;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// What a stream can carry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Topic {
    /// Numbers of the whole node.
    Status,
    /// Where things are.
    Map,
    /// Who there is.
    Actors,
    /// What happened.
    Events,
    /// What operators commanded.
    Audit,
    /// Messages that nobody could take.
    Letters,
}

impl Topic {
    pub(crate) const ALL: [Self; 6] =
        [Self::Status, Self::Map, Self::Actors, Self::Events, Self::Audit, Self::Letters];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Map => "map",
            Self::Actors => "actors",
            Self::Events => "events",
            Self::Audit => "audit",
            Self::Letters => "letters",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Some topics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Topics(u8);

impl Topics {
    pub(crate) const fn has(self, topic: Topic) -> bool {
        self.0 & topic.bit() != 0
    }

    /// Those that are named, with commas between; others are passed over.
    fn named(names: &str) -> Self {
        let named =
            names.split(',').filter_map(|name| Topic::ALL.into_iter().find(|topic| topic.name() == name));
        Self(named.fold(0, |bits, topic| bits | topic.bit()))
    }
}

/// What was counted of streams and commands.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// Streams refused because too many were open.
    pub(crate) streams_refused: AtomicU64,
    /// Messages that a page had no room for.
    pub(crate) messages_dropped: AtomicU64,
    /// Commands refused: without a right, malformed, or too many.
    pub(crate) commands_refused: AtomicU64,
}

impl Counted {
    /// Relaxed: only counted.
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> ConsoleCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ConsoleCounts {
            streams_refused: read(&self.streams_refused),
            messages_dropped: read(&self.messages_dropped),
            commands_refused: read(&self.commands_refused),
        }
    }
}

/// A look at [`Counted`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ConsoleCounts {
    pub(crate) streams_refused: u64,
    pub(crate) messages_dropped: u64,
    pub(crate) commands_refused: u64,
}

#[derive(Debug)]
struct Subscriber {
    topics: Topics,
    sought: Option<Sought>,
    trace: Option<ActorId>,
    /// Entities of that actor are shown from here on.
    entities_from: u64,
    to: mpsc::Sender<Bytes>,
}

/// Everybody who looks.
#[derive(Debug, Default)]
pub(crate) struct Live {
    subscribers: Mutex<Vec<Subscriber>>,
    /// Boot time in ns until which a page of a game wants to know of places. Relaxed: a recent value is enough.
    glanced_until: AtomicU64,
}

impl Live {
    /// What is looked at now. Of several lists of actors that are sought, the newest counts.
    pub(crate) fn wanted(&self, now: lightmoon_contract::Mono) -> (Topics, Wanted) {
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        subscribers.retain(|subscriber| !subscriber.to.is_closed());
        let topics = Topics(subscribers.iter().fold(0, |bits, subscriber| bits | subscriber.topics.0));
        let glances = self.glanced_until.load(Ordering::Relaxed) > now.0;
        let looks_closer = subscribers.iter().rev().find(|subscriber| subscriber.trace.is_some());
        let inspect = looks_closer.and_then(|subscriber| {
            let entities_from = subscriber.entities_from;
            subscriber.trace.map(|actor| Inspect { actor, entities_from })
        });
        let wanted = Wanted {
            charts: (topics.has(Topic::Map) || glances).then_some(limits::CHART_PLACES_MAX),
            actors: subscribers.iter().rev().find_map(|subscriber| subscriber.sought),
            trace: inspect.map(|inspect| inspect.actor),
            inspect,
        };
        (topics, wanted)
    }

    /// A page of a game wants to know of places for a while.
    pub(crate) fn glance(&self, now: lightmoon_contract::Mono) {
        self.glanced_until.store((now + limits::GLANCE_LASTS).0, Ordering::Relaxed);
    }

    /// Sends a message to everybody who looks at its topic.
    pub(crate) fn send(&self, topic: Topic, message: &Bytes, counted: &Counted) {
        let subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        for subscriber in subscribers.iter().filter(|subscriber| subscriber.topics.has(topic)) {
            if let Err(mpsc::error::TrySendError::Full(_)) = subscriber.to.try_send(message.clone()) {
                Counted::add(&counted.messages_dropped);
            }
        }
    }

    /// A place for one more; `None`: there are too many.
    fn subscribe(&self, asked: &Asked) -> Option<(Topics, mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>)> {
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        subscribers.retain(|subscriber| !subscriber.to.is_closed());
        if subscribers.len() >= limits::STREAMS_MAX {
            return None;
        }
        let topics = Topics::named(&asked.topics);
        let sought = Sought { kind: asked.kind.map(Kind), key: asked.key };
        let (to, from) = mpsc::channel(limits::STREAM_MESSAGES_MAX);
        subscribers.push(Subscriber {
            topics,
            sought: topics.has(Topic::Actors).then_some(sought),
            trace: asked.trace(),
            entities_from: asked.from.unwrap_or(0),
            to: to.clone(),
        });
        Some((topics, to, from))
    }
}

/// What a page wants to look at.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    topics: String,
    /// Of actors: of this kind only.
    kind: Option<u16>,
    /// Of actors: with this key only.
    key: Option<u64>,
    /// An actor whose steps are noted and whose state is shown, as `kind/key`.
    trace: Option<String>,
    /// Of that actor: entities from this id on.
    from: Option<u64>,
}

impl Asked {
    fn trace(&self) -> Option<ActorId> {
        let (kind, key) = self.trace.as_deref()?.split_once('/')?;
        Some(ActorId::new(Kind(kind.parse().ok()?), key.parse().ok()?))
    }
}

/// `/live`: server-sent events of the topics that are asked for. What there is comes at once.
pub(super) async fn stream(State(console): State<Console>, Query(asked): Query<Asked>) -> Response {
    let Some((topics, to, from)) = console.live.subscribe(&asked) else {
        Counted::add(&console.board.counted.streams_refused);
        return text(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many pages of this console are open: close some of them.\n",
        );
    };
    for topic in Topic::ALL.into_iter().filter(|topic| topics.has(*topic)) {
        // There is room for one of each topic.
        let _ = to.try_send(event(topic, &pulse::message(topic, &console, 0)));
    }
    reply(StatusCode::OK, "text/event-stream", Body::from_stream(Messages(from)))
}

/// A server-sent event. JSON has no line breaks, which would end it.
pub(crate) fn event(topic: Topic, json: &serde_json::Value) -> Bytes {
    Bytes::from(format!("event: {}\ndata: {json}\n\n", topic.name()))
}

/// What a page reads.
struct Messages(mpsc::Receiver<Bytes>);

impl Stream for Messages {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|message| message.map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightmoon_contract::Mono;

    fn asked(topics: &str, trace: Option<&str>) -> Asked {
        Asked {
            topics: topics.to_owned(),
            kind: None,
            key: None,
            trace: trace.map(str::to_owned),
            from: None,
        }
    }

    #[test]
    fn workers_show_places_only_while_somebody_looks() {
        let live = Live::default();
        assert_eq!(live.wanted(Mono(0)).1, Wanted::default());
        let page = live.subscribe(&asked("map,nonsense", Some("2/5"))).unwrap();
        let (topics, wanted) = live.wanted(Mono(0));
        assert!(topics.has(Topic::Map) && !topics.has(Topic::Status));
        assert_eq!(wanted.charts, Some(limits::CHART_PLACES_MAX));
        assert_eq!(wanted.trace, Some(ActorId::new(Kind(2), 5)));
        assert_eq!(wanted.inspect.map(|inspect| inspect.actor), wanted.trace);
        drop(page);
        assert_eq!(live.wanted(Mono(0)).1, Wanted::default(), "the page is gone");
        live.glance(Mono(0));
        assert!(live.wanted(Mono(1)).1.charts.is_some());
        assert_eq!(live.wanted(Mono(0) + limits::GLANCE_LASTS).1.charts, None);
    }

    #[test]
    fn a_page_that_does_not_read_loses_messages_and_nobody_waits_for_it() {
        let (live, counted) = (Live::default(), Counted::default());
        let (_, _, mut reads) = live.subscribe(&asked("status", None)).unwrap();
        let _sleeps = live.subscribe(&asked("status", None)).unwrap();
        for number in 0..limits::STREAM_MESSAGES_MAX + 5 {
            live.send(Topic::Status, &Bytes::from(number.to_string()), &counted);
            assert_eq!(reads.try_recv().unwrap(), number.to_string());
        }
        assert_eq!(counted.counts().messages_dropped, 5);
    }

    #[test]
    fn streams_beyond_the_limit_are_refused() {
        let live = Live::default();
        let mut open: Vec<_> =
            (0..limits::STREAMS_MAX).map(|_| live.subscribe(&asked("map", None)).unwrap()).collect();
        assert!(live.subscribe(&asked("map", None)).is_none());
        open.pop();
        assert!(live.subscribe(&asked("map", None)).is_some(), "one is closed");
    }
}

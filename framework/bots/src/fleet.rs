//! Many clients in one thread: a few UDP sockets, one tokio runtime, an end for all.
//!
//! *Responsible for*: a socket and a seed for each member, letting them begin a few at a time, telling them that time is up.
//! *Not responsible for*: what a member does, reconnecting (the client core), what is measured.
//!
//! Invariants:
//! - I1: [`run`] returns when every member has ended and all its sockets are idle: sessions that members closed are closed.
//! - I2: at most [`BOTS_MAX`] members, over at most [`ENDPOINTS_MAX`] sockets.
//! - I3: members of equal seeds and numbers have equal seeds, in every run.

use std::future::Future;
use std::time::Duration;

use lightmoon_client::Endpoint;
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep_until};

use crate::Error;
use crate::limits::{BEGIN_EVERY, BEGIN_WITHIN, BOTS_MAX, BOTS_PER_ENDPOINT, ENDPOINTS_MAX};

/// A run.
#[derive(Clone, Debug)]
pub struct FleetOptions {
    /// How many members, 1 to [`BOTS_MAX`].
    pub count: usize,
    /// How long they may take; `None`: until [`Stop`].
    pub time: Option<Duration>,
    /// Decides what they do.
    pub seed: u64,
    /// Whether SIGINT and SIGTERM end the run in order.
    pub signals: bool,
}

/// Ends a run early, from any thread. Clones end the same runs.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    /// Ends the runs that were given this.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// Tells a member that its run is over.
#[derive(Clone, Debug)]
pub struct Over(watch::Receiver<bool>);

impl Over {
    /// Returns when the run is over.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub async fn wait(&mut self) {
        if self.0.wait_for(|over| *over).await.is_err() {
            // Nobody can stop the run any more.
            std::future::pending::<()>().await;
        }
    }
}

/// One member of a run, as it begins.
#[derive(Debug)]
pub struct Member {
    /// Counts from 0.
    pub number: u32,
    /// Its own, far from those of others whatever the run's is.
    pub seed: u64,
    /// When the run began, the same for all.
    pub run_began: Instant,
    /// When it is to begin.
    pub begins: Instant,
    /// The socket that it shares with some others.
    pub endpoint: Endpoint,
    /// Tells it the end.
    pub over: Over,
}

/// Whether so many are run.
pub(crate) fn check(count: usize) -> Result<(), Error> {
    if (1..=BOTS_MAX).contains(&count) { Ok(()) } else { Err(Error::Count(count)) }
}

/// Runs `count` members on this thread until all have ended; gives how long that took. `beside` runs with them, and is dropped
/// at the end.
///
/// # Errors
/// The count is out of range, the system gives no socket, or a member panicked or failed: the first failure ends the run, the other
/// members are dropped where they are.
pub fn run<M, F, E>(
    options: &FleetOptions,
    stop: &Stop,
    beside: impl Future<Output = ()> + 'static,
    member: M,
) -> Result<Duration, E>
where
    M: FnMut(Member) -> F,
    F: Future<Output = Result<(), E>> + 'static,
    E: From<Error> + 'static,
{
    check(options.count)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::System { what: "tokio runtime", source })?;
    let began = Instant::now();
    LocalSet::new().block_on(&runtime, play(options, stop, beside, member))?;
    Ok(began.elapsed())
}

async fn play<M, F, E>(
    options: &FleetOptions,
    stop: &Stop,
    beside: impl Future<Output = ()> + 'static,
    mut member: M,
) -> Result<(), E>
where
    M: FnMut(Member) -> F,
    F: Future<Output = Result<(), E>> + 'static,
    E: From<Error> + 'static,
{
    let sockets = options.count.div_ceil(BOTS_PER_ENDPOINT).min(ENDPOINTS_MAX);
    let endpoints = (0..sockets).map(|_| Endpoint::new()).collect::<std::io::Result<Vec<_>>>();
    let endpoints = endpoints.map_err(|source| Error::System { what: "UDP socket", source })?;
    let run_began = Instant::now();
    let count = u32::try_from(options.count).expect("at most 5,000");
    let gap = BEGIN_EVERY.min(BEGIN_WITHIN / count);
    let mut members = JoinSet::new();
    for number in 0..count {
        members.spawn_local(member(Member {
            number,
            seed: member_seed(options.seed, number),
            run_began,
            begins: run_began + gap * number,
            endpoint: endpoints[number as usize % endpoints.len()].clone(),
            over: Over(stop.0.subscribe()),
        }));
    }
    let mut helpers = JoinSet::new();
    helpers.spawn_local(beside);
    if let Some(time) = options.time {
        helpers.spawn_local(stop_at(run_began + time, stop.clone()));
    }
    if options.signals {
        helpers.spawn_local(stop_when_asked(stop.clone()));
    }
    while let Some(ended) = members.join_next().await {
        ended.map_err(|panic| Error::Panicked(panic.to_string()))??;
    }
    for endpoint in &endpoints {
        endpoint.wait_idle().await;
    }
    Ok(())
}

async fn stop_at(end: Instant, stop: Stop) {
    sleep_until(end).await;
    stop.stop();
}

/// Ends the run at a signal.
async fn stop_when_asked(stop: Stop) {
    use tokio::signal::unix::{SignalKind, signal};
    // Without them the run ends by its time.
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    stop.stop();
}

/// Seeds of one run are far apart, whatever the run's seed is.
#[must_use]
pub fn member_seed(seed: u64, number: u32) -> u64 {
    fastrand::Rng::with_seed(seed ^ (u64::from(number) << 32)).u64(..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(count: usize) -> FleetOptions {
        FleetOptions { count, time: None, seed: 1, signals: false }
    }

    #[test]
    fn members_of_one_run_are_different_and_those_of_another_too() {
        let seeds: std::collections::BTreeSet<u64> =
            (0..1_000).map(|number| member_seed(1, number)).collect();
        assert_eq!(seeds.len(), 1_000);
        assert_ne!(member_seed(1, 0), member_seed(2, 0));
    }

    #[test]
    fn a_run_has_a_bounded_number_of_members() {
        for count in [0, BOTS_MAX + 1] {
            let refused = run(&options(count), &Stop::default(), async {}, |_| async { Ok::<(), Error>(()) });
            assert!(matches!(refused, Err(Error::Count(refused)) if refused == count));
        }
    }

    #[test]
    fn a_run_ends_when_it_is_stopped_and_every_member_is_told() {
        let (stop, told) = (Stop::default(), std::rc::Rc::new(std::cell::Cell::new(0)));
        stop.stop();
        let count = std::rc::Rc::clone(&told);
        let ended = run(&options(40), &stop, std::future::pending(), move |mut member| {
            let count = std::rc::Rc::clone(&count);
            async move {
                member.over.wait().await;
                count.set(count.get() + 1);
                Ok::<(), Error>(())
            }
        });
        assert!(ended.is_ok());
        assert_eq!(told.get(), 40);
    }

    #[test]
    fn a_member_that_panics_ends_the_run_with_its_words() {
        let ended = run(&options(3), &Stop::default(), async {}, |member| async move {
            assert!(member.number != 1, "the second one");
            Ok::<(), Error>(())
        });
        assert!(matches!(ended, Err(Error::Panicked(why)) if why.contains("the second one")));
    }
}

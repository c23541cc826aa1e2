//! A network that loses every fifth packet, each way: no attack, but what players have on a bad day.
//!
//! *Responsible for*: two clients in one sector, one of them behind such a network; how old the state is that each has, and whether
//! all that is promised in order comes in order, once. *Not responsible for*: losing packets (`game_sample_rig::proxy`).
//!
//! Both say numbered lines, which both hear, and ask. So the bad network has ordered frames both ways. The age of a state is measured
//! against the earliest packet of all that came, by the ticks that they name.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use game_sample_bots::Bot;
use game_sample_contracts::sector::Said;
use game_sample_contracts::{PilotContract, SectorContract, pilot};
use game_sample_rig::{Proxy, Weather};
use lightmoon_client::{ConnectOptions, Endpoint, Event, Pending, Session};
use tokio::time::timeout;

use super::{Fought, Ground};
use crate::limits::{AGE_RISE_TICKS_MAX, ASK_EVERY, LOOK_EVERY, LOST, LOST_ANSWERS_WITHIN, LOST_TIME_MIN};

/// Sector in which they meet, with other honest clients.
const SECTOR: u64 = 1;
/// Between two lines: just within the rate of the operation.
const SAY_EVERY: Duration = Duration::from_millis(520);
/// Requests without an answer yet: beyond it the next one waits.
const ASKED_MAX: usize = 64;
/// States before these are not counted: the client has just come.
const FIRST_STATES: usize = 5;

/// One of the two, and what it saw.
struct Player {
    name: &'static str,
    /// When states came, and of which tick.
    states: Vec<(Instant, u64)>,
    /// Numbers of the lines heard, by who said them.
    heard: BTreeMap<String, Vec<u64>>,
    said: u64,
    asked: VecDeque<Pending<pilot::Trades>>,
    answered: u64,
    broken: Vec<String>,
}

pub(super) async fn lossy(ground: &Ground) -> Result<Fought> {
    let mut fought = Fought::default();
    let weather = Weather { lost: LOST, ..Weather::default() };
    let seed = u64::from(ground.from.octets()[3]);
    let (bad, good) =
        (Proxy::start(ground.server, weather, seed)?, Proxy::start(ground.server, Weather::default(), seed)?);
    let (lossy, fair) = (Player::new("lossy"), Player::new("fair"));
    let (lossy, fair) =
        tokio::try_join!(lossy.play(ground, &bad, "fair"), fair.play(ground, &good, "lossy"))?;
    let (ages, ages_fair) = (ages_ms(&lossy, &fair), ages_ms(&fair, &lossy));
    let (age, age_fair) = (median(&ages), median(&ages_fair));
    let tick = period_ms(&fair);
    if age > age_fair + AGE_RISE_TICKS_MAX * tick {
        fought
            .broken
            .push(format!("states are {age:.0} ms old at the median, without loss {age_fair:.0} ms"));
    }
    let (interval, interval_fair) = (median(&intervals_ms(&lossy)), median(&intervals_ms(&fair)));
    if interval > interval_fair * 1.5 {
        fought.broken.push(format!(
            "states come every {interval:.0} ms at the median, without loss {interval_fair:.0} ms"
        ));
    }
    for (player, other) in [(&lossy, &fair), (&fair, &lossy)] {
        fought.broken.extend(player.broken.iter().map(|what| format!("{}: {what}", player.name)));
        for speaker in [player, other] {
            let heard = player.heard.get(speaker.name).map_or(&[][..], Vec::as_slice);
            if !heard.iter().copied().eq(0..speaker.said) {
                fought.broken.push(format!(
                    "{} said {} lines, {} heard {heard:?}",
                    speaker.name, speaker.said, player.name
                ));
            }
        }
    }
    fought.notes.push(format!(
        "age of the state p50 {age:.0} ms (without loss {age_fair:.0}), p99 {:.0} ms ({:.0}); a state every {interval:.0} ms \
         ({interval_fair:.0}); {} of {} states came; {} lines and {} answers in order; {}",
        percentile(&ages, 99),
        percentile(&ages_fair, 99),
        lossy.states.len(),
        lossy.states.last().zip(lossy.states.first()).map_or(0, |(last, first)| last.1 - first.1 + 1),
        lossy.said + fair.said,
        lossy.answered + fair.answered,
        bad.counts
    ));
    Ok(fought)
}

impl Player {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            states: Vec::new(),
            heard: BTreeMap::new(),
            said: 0,
            asked: VecDeque::new(),
            answered: 0,
            broken: Vec::new(),
        }
    }

    /// Enters, talks and asks until the time is over, then waits for what is still to come.
    async fn play(mut self, ground: &Ground, proxy: &Proxy, other: &str) -> Result<Self> {
        let endpoint = Endpoint::new()?;
        let token = format!("{}-{}", self.name, ground.from);
        let mut client = Bot::client_options(&token);
        client.state_events = true;
        let options = ConnectOptions {
            server: proxy.address.to_string(),
            certificates: ground.location.certificates.clone(),
            client,
            seed: 1,
        };
        let mut session = Session::new(&endpoint, options);
        self.enter(&mut session).await?;
        // Both are there before either speaks.
        let began = Instant::now();
        let (mut next_line, mut next_ask) = (began + LOST_TIME_MIN / 4, began);
        let mut last_news = None;
        loop {
            let is_over = ground.is_over() && began.elapsed() > LOST_TIME_MIN;
            if is_over {
                let since = *last_news.get_or_insert_with(Instant::now);
                let is_complete = self.asked.is_empty()
                    && self.heard.get(self.name).map_or(0, Vec::len) as u64 == self.said
                    && self.heard.contains_key(other);
                // Lines of the other one come until it has heard its last.
                if (is_complete && since.elapsed() > LOST_ANSWERS_WITHIN / 3)
                    || since.elapsed() > LOST_ANSWERS_WITHIN
                {
                    break;
                }
            } else {
                if Instant::now() >= next_line {
                    next_line += SAY_EVERY;
                    self.say(&mut session);
                }
                if Instant::now() >= next_ask && self.asked.len() < ASKED_MAX {
                    next_ask = Instant::now() + ASK_EVERY;
                    self.asked.push_back(session.client().me::<PilotContract>().trades());
                }
            }
            if let Ok(event) = timeout(LOOK_EVERY, session.next_event()).await {
                let event = event.context("the session was lost")?;
                self.on_event(&mut session, &event);
            }
        }
        if !self.asked.is_empty() {
            self.broken.push(format!("{} requests have no answer", self.asked.len()));
        }
        session.close("seen enough").await;
        Ok(self)
    }

    fn say(&mut self, session: &mut Session) {
        let line = format!("{} {}", self.name, self.said);
        // What is handed back is not said: the number is free.
        self.said += u64::from(session.client().zone::<SectorContract>().say(line).is_ok());
    }

    async fn enter(&mut self, session: &mut Session) -> Result<()> {
        let name = self.name.to_owned();
        timeout(LOST_ANSWERS_WITHIN, async {
            loop {
                let event = session.next_event().await.context("the session was lost")?;
                if matches!(event, Event::Attached(_)) {
                    return Ok(());
                }
                if matches!(event, Event::Connected(_)) {
                    // That it was answered is seen by being attached.
                    let _answer = session.client().me::<PilotContract>().enter_at(name.clone(), 200, SECTOR);
                }
            }
        })
        .await
        .context("not in play in time")?
    }

    fn on_event(&mut self, session: &mut Session, event: &Event) {
        match event {
            Event::State(tick) => self.states.push((Instant::now(), tick.0)),
            Event::Resuming(closing) | Event::Lost(closing) => {
                self.broken.push(format!("the connection ended: {closing:?}"));
            }
            Event::Push(_) => {
                if let Some(Said { text, .. }) = event.push()
                    && let Some((name, number)) = text.split_once(' ')
                    && let Ok(number) = number.parse()
                    && matches!(name, "lossy" | "fair")
                {
                    self.heard.entry(name.to_owned()).or_default().push(number);
                }
            }
            Event::Answered { request } => self.on_answer(session, *request),
            Event::Connected(_) | Event::Attached(_) | Event::Detached | Event::View(_) | _ => {}
        }
    }

    /// Answers of one lane come in the order of their requests.
    fn on_answer(&mut self, session: &mut Session, request: u64) {
        let Some(at) = self.asked.iter().position(|pending| pending.request() == request) else { return };
        if at != 0 {
            self.broken.push(format!("request {request} was answered before {at} older ones"));
        }
        let Some(pending) = self.asked.remove(at) else { return };
        match session.client().reply(&pending) {
            Some(Ok(_)) => self.answered += 1,
            Some(Err(error)) => self.broken.push(format!("request {request} was answered with {error}")),
            None => self.broken.push(format!("request {request} is answered without an answer")),
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Milliseconds between two states of a client, one after the other.
fn intervals_ms(player: &Player) -> Vec<f64> {
    player.states.windows(2).skip(FIRST_STATES).map(|pair| ms(pair[1].0 - pair[0].0)).collect()
}

/// Milliseconds of a tick, as states came.
fn period_ms(player: &Player) -> f64 {
    let (Some(first), Some(last)) = (player.states.first(), player.states.last()) else { return 0.0 };
    ms(last.0 - first.0) / ticks(first.1, last.1).max(1.0)
}

#[expect(clippy::cast_precision_loss, reason = "some hundred ticks")]
fn ticks(from: u64, to: u64) -> f64 {
    to.saturating_sub(from) as f64
}

/// How old the newest state of a client was, each few milliseconds: against the packet of both clients that was on its way for the
/// shortest time.
fn ages_ms(player: &Player, other: &Player) -> Vec<f64> {
    let (Some(zero), period) = (other.states.first().copied(), period_ms(other)) else { return Vec::new() };
    // When a tick was sent, after the time and tick of `zero`, if every packet took as long as the fastest.
    let late = |(at, tick): (Instant, u64)| {
        let since = ms(at.saturating_duration_since(zero.0)) - ms(zero.0.saturating_duration_since(at));
        since - period * (ticks(zero.1, tick) - ticks(tick, zero.1))
    };
    let fastest =
        player.states.iter().chain(&other.states).map(|state| late(*state)).fold(f64::MAX, f64::min);
    let mut ages = Vec::new();
    for pair in player.states.windows(2).skip(FIRST_STATES) {
        let (mut at, age) = (pair[0].0, late(pair[0]) - fastest);
        while at < pair[1].0 {
            ages.push(age + ms(at - pair[0].0));
            at += LOOK_EVERY;
        }
    }
    ages
}

fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() * percent / 100).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// States of these ticks, each this late, ms.
    fn player(states: &[(u64, u64)], zero: Instant) -> Player {
        let mut player = Player::new("fair");
        player.states = states
            .iter()
            .map(|(tick, late)| (zero + Duration::from_millis(tick * 50 + late), *tick))
            .collect();
        player
    }

    #[test]
    fn the_age_of_a_state_grows_by_what_is_lost_and_by_what_is_late() {
        let zero = Instant::now();
        let all: Vec<(u64, u64)> = (0..100).map(|tick| (tick, 1)).collect();
        let fair = player(&all, zero);
        let every_second: Vec<(u64, u64)> = all.iter().copied().filter(|(tick, _)| tick % 2 == 0).collect();
        let late: Vec<(u64, u64)> = all.iter().map(|(tick, _)| (*tick, 31)).collect();
        assert!((period_ms(&fair) - 50.0).abs() < 0.1);
        assert!((20.0..30.0).contains(&median(&ages_ms(&fair, &fair))));
        assert!((45.0..55.0).contains(&median(&ages_ms(&player(&every_second, zero), &fair))));
        assert!((50.0..60.0).contains(&median(&ages_ms(&player(&late, zero), &fair))));
    }
}

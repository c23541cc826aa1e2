//! Which time to show: a clock that runs a little behind the server's.
//!
//! *Responsible for*: turning arrival times of state packets into a smooth tick to render at.
//! *Not responsible for*: reading a clock; `now` is an argument.
//!
//! The clock estimates the newest tick of the server as packets without delay would show it, and stays behind it by two
//! ticks plus what the jitter asks for. It nears its aim by running up to a tenth faster or slower, and stands where
//! nothing is known any more: two ticks beyond the newest packet.
//!
//! Invariants:
//! - I1: it never runs backwards and, once started, jumps forward only after a stop of more than [`JUMP_TICKS`].

use lightmoon_contract::{Mono, Tick};

use crate::interpolate::EXTRAPOLATE_TICKS;

/// Ticks behind the newest one, without jitter: one to interpolate to, one that may be lost.
const DELAY_TICKS: f64 = 2.0;
/// Most that jitter adds: beyond half a second, showing old worlds is worse than gaps.
const JITTER_TICKS_MAX: f64 = 8.0;
/// Distance from the aim beyond which nearing it slowly would take seconds.
const JUMP_TICKS: f64 = 12.0;
/// Most that the clock runs faster or slower to near its aim.
const HASTE: f64 = 0.1;
/// How much of a late packet's delay moves the estimate: 5 % per packet follows a new route within seconds.
const FOLLOW_LATE: f64 = 0.05;
/// How much of an early packet's lead moves it: early packets are never wrong.
const FOLLOW_EARLY: f64 = 0.5;

/// The clock. Make a new one for each attach.
#[derive(Clone, Copy, Debug, Default)]
pub struct Playback {
    started: Option<Running>,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    rate_hz: f64,
    /// Estimated newest tick of the server at `head_at`.
    head: f64,
    head_at: Mono,
    newest: Tick,
    jitter: f64,
    render: f64,
    render_at: Mono,
}

impl Playback {
    /// A clock that waits for its first packet.
    #[must_use]
    pub const fn new() -> Self {
        Self { started: None }
    }

    /// A state packet of `tick` arrived; the zone runs at `rate_hz`. Packets older than the newest are ignored.
    pub fn on_state(&mut self, now: Mono, tick: Tick, rate_hz: u8) {
        let rate_hz = f64::from(rate_hz.max(1));
        match &mut self.started {
            None => self.started = Some(Running::new(now, tick, rate_hz)),
            Some(running) => running.on_state(now, tick, rate_hz),
        }
    }

    /// The tick to show at `now`, between two ticks mostly; `None` before the first packet. Never lower than before.
    pub fn render_tick(&mut self, now: Mono) -> Option<f64> {
        Some(self.started.as_mut()?.advance(now))
    }

    /// How far the clock aims to stay behind the newest tick, in ticks.
    #[must_use]
    pub fn delay_ticks(&self) -> Option<f64> {
        Some(self.started.as_ref()?.delay())
    }
}

impl Running {
    fn new(now: Mono, tick: Tick, rate_hz: f64) -> Self {
        let head = real(tick);
        Self {
            rate_hz,
            head,
            head_at: now,
            newest: tick,
            jitter: 0.0,
            render: head - DELAY_TICKS,
            render_at: now,
        }
    }

    fn on_state(&mut self, now: Mono, tick: Tick, rate_hz: f64) {
        if tick <= self.newest {
            return;
        }
        // Time before this packet passed at the old rate.
        self.advance(now);
        let expected = self.head_now(now);
        let early = real(tick) - expected;
        self.newest = tick;
        self.rate_hz = rate_hz;
        self.head_at = now;
        if early.abs() > JUMP_TICKS {
            // The server stood still or another zone's time began: what was learnt is worth nothing.
            self.head = real(tick);
            self.jitter = 0.0;
            return;
        }
        self.head = expected + early * if early > 0.0 { FOLLOW_EARLY } else { FOLLOW_LATE };
        self.jitter += (early.abs() - self.jitter) * 0.1;
    }

    fn delay(&self) -> f64 {
        DELAY_TICKS + (2.0 * self.jitter).min(JITTER_TICKS_MAX)
    }

    fn head_now(&self, now: Mono) -> f64 {
        self.head + now.since(self.head_at).as_secs_f64() * self.rate_hz
    }

    fn advance(&mut self, now: Mono) -> f64 {
        let step = now.since(self.render_at).as_secs_f64() * self.rate_hz;
        self.render_at = self.render_at.max(now);
        let aim = self.head_now(now) - self.delay();
        let behind = aim - (self.render + step);
        if behind > JUMP_TICKS {
            self.render = aim;
        } else {
            // A tick of distance is made up within a second or so, at most a tenth of the time that passed.
            let haste = (behind * 0.05).clamp(-HASTE, HASTE);
            let most = real(self.newest) + EXTRAPOLATE_TICKS;
            self.render = (self.render + step * (1.0 + haste)).min(most).max(self.render);
        }
        self.render
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact below 2^53 ticks, 4 million years at 60 Hz")]
const fn real(tick: Tick) -> f64 {
    tick.0 as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of 60 Hz; packets of 20 Hz that arrive after `delay_ms(tick)`. Gives each frame's (server tick, shown tick).
    fn run(seconds: u64, delay_ms: impl Fn(u64) -> u64) -> Vec<(f64, f64)> {
        let mut playback = Playback::new();
        let mut arrivals: Vec<(u64, u64)> =
            (100..100 + seconds * 20).map(|tick| ((tick - 100) * 50 + delay_ms(tick), tick)).collect();
        arrivals.sort_unstable();
        let mut arrivals = arrivals.into_iter().peekable();
        let mut shown = Vec::new();
        for frame in 0..seconds * 60 {
            let now = frame * 1000 / 60;
            while let Some((at, tick)) = arrivals.next_if(|(at, _)| *at <= now) {
                playback.on_state(Mono::from_millis(at), Tick(tick), 20);
            }
            if let Some(tick) = playback.render_tick(Mono::from_millis(now)) {
                shown.push((100.0 + now as f64 / 50.0, tick));
            }
        }
        shown
    }

    fn never_backwards(shown: &[(f64, f64)]) -> bool {
        shown.array_windows().all(|[a, b]| b.1 >= a.1)
    }

    #[test]
    fn on_a_quiet_line_it_shows_two_ticks_behind_what_arrived() {
        let shown = run(10, |_| 50);
        assert!(never_backwards(&shown));
        for (server, tick) in &shown[120..] {
            let behind = server - tick;
            assert!(
                (2.9..3.4).contains(&behind),
                "{behind} ticks behind, 1 for the way and 2 of delay expected"
            );
        }
    }

    #[test]
    fn with_jitter_it_stays_behind_nearly_every_packet_and_never_runs_backwards() {
        for seed in 0..20 {
            let delays: Vec<u64> = {
                let mut random = fastrand::Rng::with_seed(seed);
                (0..400).map(|_| 30 + random.u64(..100)).collect()
            };
            let shown = run(20, |tick| delays[usize::try_from(tick - 100).unwrap() % 400]);
            assert!(never_backwards(&shown), "seed {seed}");
            // A packet of tick t is there at t + 130 ms at the latest: 2.6 ticks. Shown later than that is safe.
            let late = shown[200..].iter().filter(|(server, tick)| server - tick < 2.6).count();
            assert!(late * 20 < shown.len(), "seed {seed}: {late} of {} frames too early", shown.len());
        }
    }

    #[test]
    fn after_a_stop_it_goes_on_without_running_backwards() {
        // Ticks from 200 on come three seconds late: the server stood still.
        let shown = run(20, |tick| if tick < 200 { 40 } else { 3_040 });
        assert!(never_backwards(&shown));
        let (server, tick) = shown[19 * 60];
        assert!((60.0..66.0).contains(&(server - tick)), "{server} {tick}");
    }

    #[test]
    fn a_change_of_rate_changes_its_pace() {
        let mut playback = Playback::new();
        for tick in 0..100u64 {
            playback.on_state(Mono::from_millis(tick * 50), Tick(tick), 20);
        }
        for tick in 100..400u64 {
            playback.on_state(Mono::from_millis(5_000 + (tick - 100) * 20), Tick(tick), 50);
        }
        let end = 5_000 + 299 * 20;
        let first = playback.render_tick(Mono::from_millis(end)).unwrap();
        let second = playback.render_tick(Mono::from_millis(end + 60)).unwrap();
        assert!((2.7..3.3).contains(&(second - first)), "{}", second - first);
        assert!((395.0..399.0).contains(&first), "{first}");
    }
}

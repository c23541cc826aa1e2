//! A bad network between bots and server: a UDP proxy that loses, doubles and swaps packets, both ways.
//!
//! *Responsible for*: forwarding, and what becomes of each packet. *Not responsible for*: what is in packets: it cannot read
//! them, and needs not.
//!
//! ```text
//! bots ──► front socket ──► a socket for each address of theirs ──► server
//!      ◄────────────────────────────────────────────────────── ◄──
//! ```
//!
//! Invariants:
//! - I1: it talks to addresses of this machine only.
//! - I2: what becomes of a packet depends on the seed and on how many came before it through the same socket.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;

use crate::limits::{PACKET_BYTES_MAX, PROXY_ADDRESSES_MAX, PROXY_LOOK_EVERY};

/// How bad the network is: shares of packets, in percent.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Weather {
    /// Lost.
    pub lost: f64,
    /// Sent twice.
    pub doubled: f64,
    /// Sent after the one behind it.
    pub swapped: f64,
}

impl Weather {
    /// Whether nothing happens to packets.
    #[must_use]
    pub fn is_fair(&self) -> bool {
        self.lost == 0.0 && self.doubled == 0.0 && self.swapped == 0.0
    }
}

impl fmt::Display for Weather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} % lost, {} % doubled, {} % swapped", self.lost, self.doubled, self.swapped)
    }
}

/// What was done to packets.
#[derive(Debug, Default)]
pub struct Counts {
    passed: AtomicU64,
    lost: AtomicU64,
    doubled: AtomicU64,
    swapped: AtomicU64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [passed, lost, doubled, swapped] = [&self.passed, &self.lost, &self.doubled, &self.swapped]
            .map(|count| count.load(Ordering::Relaxed));
        write!(f, "{} packets, {lost} lost, {doubled} doubled, {swapped} swapped", passed + lost)
    }
}

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where clients send to.
    pub address: SocketAddr,
    /// What it did.
    pub counts: Arc<Counts>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Begins to forward to `server`, which need not be there.
    ///
    /// # Errors
    /// The server is not on this machine, or there is no socket.
    pub fn start(server: SocketAddr, weather: Weather, seed: u64) -> Result<Self> {
        ensure!(server.ip().is_loopback(), "{server} is not on this machine");
        let front = socket()?;
        let address = front.local_addr().context("the proxy has no address")?;
        let (counts, ends) = (Arc::<Counts>::default(), Arc::<AtomicBool>::default());
        let way = Way { weather, counts: Arc::clone(&counts), ends: Arc::clone(&ends) };
        let thread = std::thread::spawn(move || forward(&Arc::new(front), server, &way, seed));
        Ok(Self { address, counts, ends, thread: Some(thread) })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of its thread was printed there.
            let _panicked = thread.join();
        }
    }
}

/// What all threads of a proxy share.
#[derive(Clone, Debug)]
struct Way {
    weather: Weather,
    counts: Arc<Counts>,
    ends: Arc<AtomicBool>,
}

fn socket() -> Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("no socket for the proxy")?;
    socket.set_read_timeout(Some(PROXY_LOOK_EVERY)).context("the socket of the proxy")?;
    Ok(socket)
}

/// From bots to the server; opens the way back for each address that it meets.
fn forward(front: &Arc<UdpSocket>, server: SocketAddr, way: &Way, seed: u64) {
    let mut bytes = vec![0; PACKET_BYTES_MAX];
    let mut backs: BTreeMap<SocketAddr, (Arc<UdpSocket>, Fate)> = BTreeMap::new();
    let mut threads = Vec::new();
    while !way.ends.load(Ordering::Relaxed) {
        let Ok((length, from)) = front.recv_from(&mut bytes) else { continue };
        if !backs.contains_key(&from) {
            let Ok(back) = socket().map(Arc::new) else { continue };
            if backs.len() >= PROXY_ADDRESSES_MAX || back.connect(server).is_err() {
                continue;
            }
            let number = backs.len() as u64;
            threads.push(spawn_back(front, &back, from, way, seed ^ (number << 8) ^ 1));
            backs.insert(from, (back, Fate::new(way, seed ^ (number << 8))));
        }
        if let Some((back, fate)) = backs.get_mut(&from) {
            // A server that is being killed takes nothing; that is what a run is about.
            fate.decide(&bytes[..length], |packet| drop(back.send(packet)));
        }
    }
    threads.into_iter().for_each(|thread| drop(thread.join()));
}

fn spawn_back(
    front: &Arc<UdpSocket>,
    back: &Arc<UdpSocket>,
    to: SocketAddr,
    way: &Way,
    seed: u64,
) -> JoinHandle<()> {
    let (front, back, way) = (Arc::clone(front), Arc::clone(back), way.clone());
    std::thread::spawn(move || {
        let mut fate = Fate::new(&way, seed);
        let mut bytes = vec![0; PACKET_BYTES_MAX];
        while !way.ends.load(Ordering::Relaxed) {
            let Ok(length) = back.recv(&mut bytes) else {
                // A port without a server answers with an error at once.
                std::thread::yield_now();
                continue;
            };
            fate.decide(&bytes[..length], |packet| drop(front.send_to(packet, to)));
        }
    })
}

/// Decides what becomes of the packets of one direction.
struct Fate {
    weather: Weather,
    counts: Arc<Counts>,
    random: Rng,
    held: Option<Vec<u8>>,
}

impl Fate {
    fn new(way: &Way, seed: u64) -> Self {
        let (weather, counts) = (way.weather, Arc::clone(&way.counts));
        Self { weather, counts, random: Rng::with_seed(seed), held: None }
    }

    fn decide(&mut self, packet: &[u8], mut send: impl FnMut(&[u8])) {
        let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        let mut dice = self.random.f64() * 100.0;
        dice -= self.weather.lost;
        if dice < 0.0 {
            count(&self.counts.lost);
            return;
        }
        count(&self.counts.passed);
        dice -= self.weather.swapped;
        if dice < 0.0 && self.held.is_none() {
            count(&self.counts.swapped);
            self.held = Some(packet.to_vec());
            return;
        }
        send(packet);
        dice -= self.weather.doubled;
        if dice < 0.0 {
            count(&self.counts.doubled);
            send(packet);
        }
        if let Some(held) = self.held.take() {
            send(&held);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(weather: Weather, packets: u32) -> Vec<u32> {
        let server = socket().unwrap();
        let proxy = Proxy::start(server.local_addr().unwrap(), weather, 7).unwrap();
        let client = socket().unwrap();
        client.connect(proxy.address).unwrap();
        let (mut there, mut back) = (Vec::new(), [0; 4]);
        for number in 0..packets {
            client.send(&number.to_le_bytes()).unwrap();
        }
        let mut bytes = [0; 16];
        while let Ok((length, from)) = server.recv_from(&mut bytes) {
            server.send_to(&bytes[..length], from).unwrap();
        }
        while client.recv(&mut back).is_ok() {
            there.push(u32::from_le_bytes(back));
        }
        there
    }

    #[test]
    fn fair_weather_brings_everything_there_and_back_in_order() {
        assert_eq!(echo(Weather::default(), 50), (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn bad_weather_loses_doubles_and_swaps_about_as_much_as_asked_for() {
        let weather = Weather { lost: 20.0, doubled: 20.0, swapped: 20.0 };
        let mut fate = Fate::new(&Way { weather, counts: Arc::default(), ends: Arc::default() }, 3);
        let mut sent = Vec::new();
        for number in 0..10_000u32 {
            fate.decide(&number.to_le_bytes(), |packet| {
                sent.push(u32::from_le_bytes(packet.try_into().unwrap()));
            });
        }
        let mut there = sent.clone();
        there.sort_unstable();
        there.dedup();
        let (lost, doubled) = (10_000 - there.len(), sent.len() - there.len());
        let swapped = sent.windows(2).filter(|pair| pair[0] > pair[1]).count();
        for (count, what) in [(lost, "lost"), (doubled, "doubled"), (swapped, "swapped")] {
            assert!((1_200..2_800).contains(&count), "{count} {what}");
        }
    }

    #[test]
    fn nobody_outside_is_ever_spoken_to() {
        let outside: SocketAddr = "192.0.2.1:9".parse().unwrap();
        assert!(Proxy::start(outside, Weather::default(), 1).is_err());
    }
}

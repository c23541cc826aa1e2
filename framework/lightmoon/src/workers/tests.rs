//! Rings under load: order, room, floods.

use super::courier::pour;
use super::doorbell::Doorbell;
use super::link::Sending;
use super::*;
use std::collections::VecDeque;

#[test]
fn what_does_not_fit_stays_in_order_and_leaves_when_there_is_room() {
    let (mut ring, mut out) = RingBuffer::new(3);
    let mut waiting: VecDeque<u32> = (0..8).collect();
    assert!(pour(&mut waiting, &mut ring));
    assert_eq!(waiting.front(), Some(&3));
    assert!(!pour(&mut waiting, &mut ring), "nothing fits, so nobody is woken");
    let mut taken = Vec::new();
    while !waiting.is_empty() || !out.is_empty() {
        taken.extend(out.pop());
        pour(&mut waiting, &mut ring);
    }
    assert_eq!(taken, (0..8).collect::<Vec<_>>());
}

#[test]
fn the_first_message_leaves_at_once_and_wakes() {
    let (ring, mut out) = RingBuffer::new(8);
    let bell = Arc::new(Doorbell::default());
    let mut sending = Sending::new(ring, Arc::clone(&bell));
    sending.put(1);
    assert!(bell.is_rung());
    assert_eq!(out.pop(), Ok(1));
}

/// Two threads that each send the other more than both rings hold, at the same time, and never wait for room.
#[test]
fn two_that_flood_each_other_over_full_rings_make_progress_in_order() {
    const MESSAGES: u32 = 200_000;
    let (to_left, at_left) = RingBuffer::<u32>::new(16);
    let (to_right, at_right) = RingBuffer::<u32>::new(16);
    let side = |mut ring: Producer<u32>, mut arrives: Consumer<u32>| {
        move || {
            let mut waiting: VecDeque<u32> = VecDeque::new();
            let (mut sent, mut next) = (0, 0);
            while next < MESSAGES || !waiting.is_empty() || sent < MESSAGES {
                let more = (MESSAGES - sent).min(64);
                waiting.extend(sent..sent + more);
                sent += more;
                pour(&mut waiting, &mut ring);
                while let Ok(number) = arrives.pop() {
                    assert_eq!(number, next, "in order");
                    next += 1;
                }
                std::thread::yield_now();
            }
        }
    };
    std::thread::scope(|scope| {
        let left = scope.spawn(side(to_right, at_left));
        let right = scope.spawn(side(to_left, at_right));
        left.join().unwrap();
        right.join().unwrap();
    });
}

/// A thread that sleeps whenever it finds nothing hears of every message.
#[test]
fn a_sleeping_reader_misses_nothing() {
    const MESSAGES: u32 = 20_000;
    let (ring, mut out) = RingBuffer::<u32>::new(64);
    let bell = Arc::new(Doorbell::default());
    let mut sending = Sending::new(ring, Arc::clone(&bell));
    std::thread::scope(|scope| {
        let heard = Arc::clone(&bell);
        scope.spawn(move || {
            heard.is_mine();
            let mut next = 0;
            while next < MESSAGES {
                heard.answer();
                while let Ok(number) = out.pop() {
                    assert_eq!(number, next);
                    next += 1;
                }
                if next < MESSAGES && !heard.is_rung() {
                    // Longer than the test may take: a lost wake fails it by the sender's patience below.
                    std::thread::park();
                }
            }
        });
        for number in 0..MESSAGES {
            sending.put(number);
            while sending.waiting() > 0 {
                sending.flush();
                std::thread::yield_now();
            }
        }
    });
}

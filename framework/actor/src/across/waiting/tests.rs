//! Random puts and takes beside a model that is a plain list.

use super::*;
use crate::{MessageId, ReplyTo};
use lightmoon_contract::{Body, Kind};

const MOST: usize = 64;

const OPERATION: OperationNumber = OperationNumber(1);

fn message(sender: u64, priority: Priority, reliability: Reliability, value: u32) -> Crossing {
    let envelope = Envelope {
        to: ActorId::new(Kind(1), 7),
        from: Caller::Actor(ActorId::new(Kind(1), sender)),
        number: OPERATION,
        priority,
        reliability,
        reply_to: ReplyTo::Nobody,
        // A number to know it by.
        timeout_ms: value,
        id: MessageId::None,
        body: Body::Bytes(bytes::Bytes::new()),
    };
    Crossing::Message { envelope, asked: None }
}

fn value(crossing: &Crossing) -> u32 {
    let Crossing::Message { envelope, .. } = crossing else { panic!("{crossing:?}") };
    envelope.timeout_ms
}

fn lane(crossing: &Crossing) -> (Priority, Reliability) {
    let Crossing::Message { envelope, .. } = crossing else { panic!("{crossing:?}") };
    (envelope.priority, envelope.reliability)
}

/// Nothing is lost silently, nothing reliable gives way, all that leaves is in order but for what replaced another.
#[test]
fn each_message_leaves_in_order_or_is_handed_out() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut waiting = Waiting::with_room_for(MOST);
        let mut evicted = [0; 3];
        // What waits, as it has to leave.
        let mut model: Vec<u32> = Vec::new();
        waiting.is_pressed = true;
        for number in 0..5_000 {
            if random.u8(..) < 40 {
                let popped = waiting.pop();
                let expected = if model.is_empty() { None } else { Some(model.remove(0)) };
                assert_eq!(popped.as_ref().map(value), expected, "seed {seed}");
                continue;
            }
            let priority = if random.bool() { Priority::Normal } else { Priority::Low };
            let reliability = match random.u8(..20) {
                0 => Reliability::ReliableOrdered,
                1 => Reliability::UnreliableLatest,
                _ => Reliability::Unreliable,
            };
            let is_firm = reliability.is_reliable();
            if is_firm && !waiting.has_room() {
                continue;
            }
            let gave_way = waiting.put(message(random.u64(..9), priority, reliability, number));
            match &gave_way {
                None => model.push(number),
                Some(GaveWay { crossing, is_replaced: true }) => {
                    let place = model.iter().position(|waits| *waits == value(crossing)).unwrap();
                    model[place] = number;
                    evicted[0] += 1;
                    assert_eq!(lane(crossing).1, Reliability::UnreliableLatest);
                }
                Some(GaveWay { crossing, is_replaced: false }) if value(crossing) == number => {
                    assert!(!is_firm && priority == Priority::Low, "seed {seed}");
                    evicted[1] += 1;
                }
                Some(GaveWay { crossing, is_replaced: false }) => {
                    let (lost, reliability) = lane(crossing);
                    assert!(!reliability.is_reliable() && (is_firm || lost >= priority), "seed {seed}");
                    let place = model.iter().position(|waits| *waits == value(crossing)).unwrap();
                    model.remove(place);
                    evicted[2] += 1;
                    model.push(number);
                }
            }
            assert_eq!(waiting.len(), model.len());
            assert!(waiting.len() <= MOST);
            assert!(waiting.keys.len() <= 18, "a key for each that waits");
        }
        assert!(evicted[0] > 10 && evicted[2] > 1_000, "seed {seed} tries too little: {evicted:?}");
    }
}

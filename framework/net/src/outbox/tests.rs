//! Promises of the outbox.

use super::*;
use lightmoon_contract::{Priority, Reliability};

fn lane(priority: Priority) -> Lane {
    Lane::new(priority, Reliability::ReliableOrdered)
}

fn overload() -> Farewell {
    Farewell { code: 9, reason: "too much waits".to_owned(), linger: false }
}

fn outbox(queue_bytes_max: usize) -> (Outbox, Arc<Tally>) {
    let tally = Arc::new(Tally::default());
    (Outbox::new(queue_bytes_max, Arc::clone(&tally)), tally)
}

fn batch(outbox: &Outbox, lane: Lane) -> Bytes {
    match outbox.take_batch(lane) {
        Batch::Bytes(bytes) => bytes,
        other @ (Batch::Empty | Batch::Finish) => panic!("{other:?}"),
    }
}

#[test]
fn small_messages_of_a_lane_leave_together_and_in_order() {
    let (outbox, _) = outbox(1 << 20);
    for byte in 0..200 {
        outbox.push_stream(Lane::CONTROL, Bytes::copy_from_slice(&[byte; 3]), overload);
    }
    let expected: Vec<u8> = (0..200).flat_map(|byte| [byte; 3]).collect();
    assert_eq!(batch(&outbox, Lane::CONTROL), expected);
    assert!(matches!(outbox.take_batch(Lane::CONTROL), Batch::Empty));
}

#[test]
fn a_large_message_is_handed_over_without_a_copy() {
    let (outbox, _) = outbox(1 << 20);
    let large = Bytes::from(vec![7; GATHER_BELOW_BYTES]);
    outbox.push_stream(Lane::CONTROL, large.clone(), overload);
    outbox.push_stream(Lane::CONTROL, Bytes::from_static(b"small"), overload);
    assert_eq!(batch(&outbox, Lane::CONTROL).as_ptr(), large.as_ptr());
    assert_eq!(batch(&outbox, Lane::CONTROL), b"small".as_slice());
}

#[test]
fn one_write_is_bounded() {
    let (outbox, _) = outbox(1 << 20);
    for _ in 0..100 {
        outbox.push_stream(Lane::CONTROL, Bytes::from(vec![1; 1_000]), overload);
    }
    assert!(batch(&outbox, Lane::CONTROL).len() <= GATHER_BYTES_MAX);
}

#[test]
fn lanes_do_not_mix() {
    let (outbox, _) = outbox(1 << 20);
    outbox.push_stream(lane(Priority::Low), Bytes::from_static(b"low"), overload);
    outbox.push_stream(lane(Priority::High), Bytes::from_static(b"high"), overload);
    let opened: Vec<Lane> = outbox.take_errands().lanes.into_iter().map(|(lane, _)| lane).collect();
    assert_eq!(opened, [lane(Priority::Low), lane(Priority::High)]);
    assert_eq!(batch(&outbox, lane(Priority::High)), b"high".as_slice());
    assert_eq!(batch(&outbox, lane(Priority::Low)), b"low".as_slice());
    assert!(outbox.take_errands().lanes.is_empty(), "a lane is opened once");
}

#[test]
fn a_client_that_does_not_read_is_closed_as_overloaded() {
    let (outbox, tally) = outbox(1_000);
    outbox.push_stream(Lane::CONTROL, Bytes::from(vec![0; 600]), overload);
    let taken = batch(&outbox, Lane::CONTROL);
    outbox.push_stream(Lane::CONTROL, Bytes::from(vec![0; 600]), overload);
    assert_eq!(outbox.take_errands().farewell, Some(overload()), "bytes being written count too");
    assert_eq!(tally.overloaded.get(), 1);
    outbox.written(taken.len());
    outbox.push_stream(Lane::CONTROL, Bytes::from_static(b"late"), overload);
    assert!(matches!(outbox.take_batch(Lane::CONTROL), Batch::Finish), "nothing is taken in after a close");
}

#[test]
fn what_quinn_took_makes_room() {
    let (outbox, tally) = outbox(1_000);
    for _ in 0..10 {
        outbox.push_stream(Lane::CONTROL, Bytes::from(vec![0; 900]), overload);
        let taken = batch(&outbox, Lane::CONTROL);
        outbox.written(taken.len());
    }
    assert_eq!(tally.overloaded.get(), 0);
}

#[test]
fn a_lingering_close_keeps_what_was_queued_before() {
    let (outbox, _) = outbox(1_000);
    outbox.push_stream(Lane::CONTROL, Bytes::from_static(b"goodbye"), overload);
    outbox.close(Farewell { code: 0, reason: String::new(), linger: true });
    outbox.close(overload());
    assert_eq!(
        outbox.take_errands().farewell.map(|farewell| farewell.code),
        Some(0),
        "the first close counts"
    );
    assert_eq!(batch(&outbox, Lane::CONTROL), b"goodbye".as_slice());
    assert!(matches!(outbox.take_batch(Lane::CONTROL), Batch::Finish));
}

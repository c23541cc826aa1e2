//! Promises that hold for every frame.

use super::vectors::examples;
use super::*;
use crate::close::CloseCode;

/// The sender of an example, where it may come from.
fn sender(frame: &Frame) -> Sender {
    match frame.kind().path().0 {
        SentBy::Client => Sender::Client,
        SentBy::Server | SentBy::Both => Sender::Server,
    }
}

fn read_back(frame: &Frame, bytes: &[u8]) -> Result<Frame, Violation> {
    match frame.kind().path().1 {
        On::Datagram => read_datagram(sender(frame), bytes),
        On::Stream => {
            let (length, header) = read_length(bytes)?.expect("a whole frame has its length");
            check_length(sender(frame), bytes[header], length)?;
            assert_eq!(header + length, bytes.len());
            read_stream(sender(frame), &bytes[header..])
        }
    }
}

/// Kind and body, without the length.
fn inside(frame: &Frame) -> Vec<u8> {
    let bytes = frame.bytes();
    match frame.kind().path().1 {
        On::Datagram => bytes,
        On::Stream => bytes[read_length(&bytes).unwrap().unwrap().1..].to_vec(),
    }
}

#[test]
fn every_kind_has_an_example() {
    for kind in FrameKind::ALL {
        assert!(examples().iter().any(|(_, frame)| frame.kind() == *kind), "{kind:?}");
    }
}

#[test]
fn every_frame_reads_back_as_it_was() {
    for (name, frame) in examples() {
        assert_eq!(read_back(&frame, &frame.bytes()), Ok(frame.clone()), "{name}");
    }
}

#[test]
fn every_prefix_of_every_frame_is_refused() {
    for (name, frame) in examples() {
        let whole = inside(&frame);
        for end in 0..whole.len() {
            let result = read(sender(&frame), &whole[..end], frame.kind().path().1);
            assert!(result.is_err(), "{name} cut at {end} reads as {result:?}");
        }
    }
}

#[test]
fn a_byte_after_a_frame_is_refused() {
    for (name, frame) in examples() {
        let mut longer = inside(&frame);
        longer.push(0);
        let result = read(sender(&frame), &longer, frame.kind().path().1);
        assert!(result.is_err(), "{name} reads as {result:?}");
    }
}

#[test]
fn mutated_frames_are_read_or_refused_but_never_panic() {
    for seed in 0..200 {
        let mut rng = fastrand::Rng::with_seed(seed);
        for (_, frame) in examples() {
            let mut bytes = inside(&frame);
            for _ in 0..rng.usize(1..5) {
                let at = rng.usize(..bytes.len());
                bytes[at] = rng.u8(..);
            }
            for sender in [Sender::Client, Sender::Server] {
                let _ = read_stream(sender, &bytes);
                let _ = read_datagram(sender, &bytes);
            }
        }
    }
}

#[test]
fn claimed_lengths_are_refused_before_the_bytes_are_there() {
    let tests: [(&[u8], CloseCode); 5] = [
        (&[0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 16], CloseCode::TooLarge),
        (&[0xFB, 0x00, 0x50, 16], CloseCode::TooLarge),
        (&[0xFD], CloseCode::TooLarge),
        (&[0xFE], CloseCode::TooLarge),
        (&[0xFF], CloseCode::TooLarge),
    ];
    for (bytes, code) in tests {
        let refused = read_length(bytes).and_then(|length| {
            let (length, header) = length.expect("the length is whole");
            check_length(Sender::Client, bytes[header], length)
        });
        assert_eq!(refused.map_err(|violation| violation.code), Err(code), "{bytes:x?}");
    }
}

#[test]
fn lengths_are_read_only_when_they_are_whole() {
    assert_eq!(read_length(&[]), Ok(None));
    assert_eq!(read_length(&[5]), Ok(Some((5, 1))));
    assert_eq!(read_length(&[0xFB, 0x2C]), Ok(None));
    assert_eq!(read_length(&[0xFB, 0x2C, 0x01]), Ok(Some((300, 3))));
    assert_eq!(read_length(&[0xFC, 0, 0, 1]), Ok(None));
    assert_eq!(read_length(&[0xFC, 0, 0, 1, 0]), Ok(Some((65_536, 5))));
}

#[test]
fn frames_that_travel_the_other_way_are_refused() {
    for (name, frame) in examples() {
        let (sent_by, on) = frame.kind().path();
        let wrong = match on {
            On::Stream => On::Datagram,
            On::Datagram => On::Stream,
        };
        assert!(read(sender(&frame), &inside(&frame), wrong).is_err(), "{name} in the wrong channel");
        let other = match sent_by {
            SentBy::Client => Sender::Server,
            SentBy::Server => Sender::Client,
            SentBy::Both => continue,
        };
        assert!(read(other, &inside(&frame), on).is_err(), "{name} from the wrong side");
    }
}

#[test]
fn a_state_is_written_into_one_allocation_of_its_size() {
    for (generation, size) in [(0, 0), (250, 250), (251, 251), (u32::MAX, limits::STATE_BYTES_MAX)] {
        let state = State { generation, payload: vec![0; size].into() };
        assert_eq!(write_datagram(&state).len(), 1 + state.size());
    }
}

#[test]
fn the_largest_frames_fit_their_limits() {
    let id = lightmoon_contract::ActorId::new(lightmoon_contract::Kind(u16::MAX), u64::MAX);
    let number = lightmoon_contract::OperationNumber(u16::MAX);
    let frames = [
        Frame::Hello(Hello {
            minor: u16::MAX,
            features: u64::MAX,
            fingerprint: lightmoon_contract::Fingerprint(u128::MAX),
            token: vec![0; limits::TOKEN_BYTES_MAX].into(),
            ticket: vec![0; limits::TICKET_BYTES_MAX].into(),
            first_request: u64::MAX,
            held: (0..=u8::MAX)
                .filter_map(Lane::from_number)
                .filter(|lane| lane.reliability.is_reliable())
                .map(|lane| Held { lane, frames: u64::MAX })
                .collect(),
        }),
        Frame::Describing(Describing { descriptor: vec![0; limits::DESCRIPTOR_BYTES_MAX].into() }),
        Frame::Refuse(Refuse {
            code: CloseCode::Unknown(u32::MAX),
            reason: "x".repeat(limits::REASON_BYTES_MAX),
        }),
        Frame::Ticket(Ticket { bytes: vec![0; limits::TICKET_BYTES_MAX].into() }),
        Frame::Call(Call {
            request: u64::MAX,
            target: Aimed::Actor { key: u64::MAX },
            kind: id.kind,
            number,
            args: vec![0; limits::ARGS_BYTES_MAX].into(),
        }),
        Frame::Answer(Answer { request: u64::MAX, result: Ok(vec![0; limits::ANSWER_BYTES_MAX].into()) }),
        Frame::Push(Push { from: id, number, args: vec![0; limits::PUSH_BYTES_MAX].into() }),
        Frame::View(View { generation: u32::MAX, payload: vec![0; limits::VIEW_BYTES_MAX].into() }),
        Frame::State(State { generation: u32::MAX, payload: vec![0; limits::STATE_BYTES_MAX].into() }),
    ];
    let handshake = 1 + frames[0].bytes().len() + frames[1].bytes().len();
    assert!(handshake <= limits::HANDSHAKE_BYTES_MAX, "{handshake}");
    for frame in frames {
        assert_eq!(read_back(&frame, &frame.bytes()), Ok(frame.clone()), "{}", frame.name());
    }
}

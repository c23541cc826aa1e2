//! What the link model promises.

use lightmoon_contract::Lane;

use super::*;

fn drain(link: &mut Link) -> Vec<(Mono, End, Arrival)> {
    let mut all = Vec::new();
    while let Some(at) = link.next_arrival() {
        while let Some((end, arrival)) = link.deliver(at) {
            all.push((at, end, arrival));
        }
    }
    all
}

fn stream(bytes: Vec<u8>) -> Transmit {
    Transmit::Stream { lane: Lane::CONTROL, bytes: bytes.into() }
}

#[test]
fn a_stream_arrives_once_and_in_order_whatever_is_lost() {
    for seed in 0..50 {
        let mut link = Link::new(LinkOptions { loss: 0.3, ..LinkOptions::LOSSY }, seed);
        let mut sent = Vec::new();
        for step in 0..40u64 {
            let piece: Vec<u8> =
                (0..step * 97 % 5_000).map(|byte| u8::try_from(byte % 251).unwrap()).collect();
            sent.extend_from_slice(&piece);
            link.send(Mono::from_millis(step * 10), End::Client, stream(piece));
        }
        let got: Vec<u8> = drain(&mut link)
            .into_iter()
            .flat_map(|(_, end, arrival)| match arrival {
                Arrival::Stream { bytes, .. } => {
                    assert_eq!(end, End::Node);
                    bytes.to_vec()
                }
                Arrival::Datagram(_) | Arrival::Closed { .. } => panic!("nothing else was sent"),
            })
            .collect();
        assert_eq!(got, sent, "seed {seed}");
    }
}

#[test]
fn datagrams_are_lost_doubled_and_reordered_as_often_as_asked() {
    let mut link = Link::new(LinkOptions { loss: 0.2, doubled: 0.1, ..LinkOptions::LOSSY }, 3);
    for number in 0..10_000u32 {
        let bytes = Bytes::copy_from_slice(&number.to_le_bytes());
        link.send(Mono::from_millis(u64::from(number)), End::Node, Transmit::Datagram(bytes));
    }
    let got: Vec<u32> = drain(&mut link)
        .into_iter()
        .map(|(_, _, arrival)| match arrival {
            Arrival::Datagram(bytes) => u32::from_le_bytes(bytes.as_ref().try_into().unwrap()),
            Arrival::Stream { .. } | Arrival::Closed { .. } => panic!("nothing else was sent"),
        })
        .collect();
    assert!((8_700..9_300).contains(&got.len()), "0.8 + 0.1 of 10,000, but {}", got.len());
    assert!(got.windows(2).any(|pair| pair[0] > pair[1]), "jitter reorders");
}

#[test]
fn nothing_arrives_after_the_end_and_both_sides_learn_of_it() {
    for seed in 0..50 {
        let mut link = Link::new(LinkOptions::LOSSY, seed);
        for step in 0..100 {
            let end = if step % 2 == 0 { End::Client } else { End::Node };
            link.send(Mono::from_millis(step), end, stream(vec![1; 3_000]));
        }
        link.kill(Mono::from_millis(100));
        link.send(Mono::from_millis(101), End::Client, stream(vec![2; 10]));
        let arrivals = drain(&mut link);
        for end in [End::Client, End::Node] {
            let mine: Vec<_> = arrivals.iter().filter(|(_, to, _)| *to == end).collect();
            let closed =
                mine.iter().filter(|(_, _, arrival)| matches!(arrival, Arrival::Closed { .. })).count();
            assert_eq!(closed, 1, "seed {seed}");
            assert!(matches!(mine.last().unwrap().2, Arrival::Closed { .. }), "seed {seed}");
        }
        assert!(link.has_ended());
    }
}

#[test]
fn one_seed_is_one_history() {
    let run = |seed| {
        let mut link = Link::new(LinkOptions::LOSSY, seed);
        for step in 0..200 {
            link.send(Mono::from_millis(step), End::Client, stream(vec![7; 100]));
            link.send(Mono::from_millis(step), End::Node, Transmit::Datagram(Bytes::from_static(b"x")));
        }
        drain(&mut link)
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

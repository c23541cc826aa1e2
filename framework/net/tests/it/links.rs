//! Bytes both ways, lanes, closing.

use crate::harness::{Server, lane, new_identity, until};
use bytes::Bytes;
use lightmoon_contract::{Lane, Priority, Reliability};
use lightmoon_net::{NetEvent, Transport};
use lightmoon_wire::{CloseCode, Transmit};
use std::time::Duration;

#[tokio::test]
async fn what_is_sent_at_once_arrives_in_order_per_lane_also_when_the_client_reads_late() {
    let mut server = Server::start();
    let mut transport = quinn::TransportConfig::default();
    transport.stream_receive_window(quinn::VarInt::from_u32(8_192));
    let client = server.try_connect(b"lightmoon/1", transport).await.unwrap();
    let (link, _) = server.opened().await;
    // More than the client's window, so that the lane blocks, and then small ones again while it does not.
    let mut expected = Vec::new();
    for round in 0..40_u8 {
        let bytes = vec![round; if round % 8 == 0 { 9_000 } else { 10 }];
        expected.extend_from_slice(&bytes);
        let stream = Transmit::Stream { lane: lane(Priority::Low), bytes: bytes.into() };
        server.commands.send_all(&mut vec![(link, stream), (link, Transmit::Datagram(vec![round].into()))]);
        tokio::task::yield_now().await;
    }
    let mut stream = client.accept_uni().await.unwrap();
    let mut read = vec![0; expected.len()];
    stream.read_exact(&mut read).await.unwrap();
    assert_eq!(read, expected);
    assert_eq!(client.read_datagram().await.unwrap(), [0].as_slice());
}

#[tokio::test]
async fn the_path_of_a_link_is_reported_when_it_opens_and_when_its_buffer_is_tight() {
    let mut server = Server::start();
    let _client = server.native().await;
    let NetEvent::Opened { link, .. } = server.any_event().await else { panic!("opened first") };
    let NetEvent::Path { path, .. } = server.any_event().await else { panic!("then its path") };
    assert!(path.datagram_bytes_max >= lightmoon_wire::limits::STATE_BYTES_MAX, "{path:?}");
    assert_eq!(path.datagram_room, None);
    let mut flood = vec![(link, Transmit::Datagram(vec![7; 1_000].into())); 40];
    server.commands.send_all(&mut flood);
    let mut rooms = Vec::new();
    while rooms.len() < 2 {
        if let NetEvent::Path { path, .. } = server.any_event().await {
            rooms.push(path.datagram_room.is_some());
        }
    }
    assert_eq!(rooms, [true, false], "tight, then free again");
    assert!(
        server.endpoint.counters().datagrams_dropped > 0,
        "what did not fit was not put before older ones"
    );
}

#[tokio::test]
async fn a_native_clients_bytes_come_and_go() {
    let mut server = Server::start();
    let client = server.native().await;
    let (link, transport) = server.opened().await;
    assert_eq!(transport, Transport::Native);

    let mut stream = client.open_uni().await.unwrap();
    stream.write_all(b"\x03hello").await.unwrap();
    let got = server.stream_bytes(6).await;
    assert_eq!(got, b"\x03hello");
    server.send(link, Lane::CONTROL, got);
    let mut back = client.accept_uni().await.unwrap();
    let mut buffer = [0; 6];
    back.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"\x03hello");

    client.send_datagram(Bytes::from_static(b"ping")).unwrap();
    let datagram = server.datagram().await;
    assert!(server.commands.send(link, Transmit::Datagram(datagram)));
    assert_eq!(client.read_datagram().await.unwrap(), b"ping".as_slice());
}

#[tokio::test]
async fn a_browsers_bytes_come_and_go() {
    let mut server = Server::start();
    let client = server.browser().await;
    let (link, transport) = server.opened().await;
    assert_eq!(transport, Transport::WebTransport);

    let mut stream = client.open_uni().await.unwrap();
    stream.write_all(b"\x03hello").await.unwrap();
    let got = server.stream_bytes(6).await;
    server.send(link, Lane::CONTROL, got);
    let mut back = client.accept_uni().await.unwrap();
    let mut buffer = [0; 6];
    back.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"\x03hello");

    client.send_datagram(Bytes::from_static(b"ping")).unwrap();
    let datagram = server.datagram().await;
    assert!(server.commands.send(link, Transmit::Datagram(datagram)));
    assert_eq!(client.read_datagram().await.unwrap(), b"ping".as_slice());
}

#[tokio::test]
async fn a_state_packet_fits_a_datagram_of_both_kinds_of_client() {
    let mut server = Server::start();
    let (native, browser) = (server.native().await, server.browser().await);
    let packet = Bytes::from(vec![7; 1_110]);
    for _ in 0..2 {
        let (link, _) = server.opened().await;
        assert!(server.commands.send(link, Transmit::Datagram(packet.clone())));
    }
    assert_eq!(native.read_datagram().await.unwrap(), packet);
    assert_eq!(browser.read_datagram().await.unwrap(), packet);
}

#[tokio::test]
async fn a_page_with_another_certificates_hash_is_not_let_in() {
    let server = Server::start();
    assert!(server.try_browser(new_identity().certificate_hash()).await.is_err());
    assert!(server.try_browser(server.identity.certificate_hash()).await.is_ok());
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_new_clients_and_open_links_stay() {
    let mut server = Server::start();
    let old = server.native().await;
    let (link, _) = server.opened().await;
    let next = new_identity();
    server.endpoint.set_identity(&next).unwrap();
    assert!(server.try_browser(next.certificate_hash()).await.is_ok());
    assert!(server.commands.send(link, Transmit::Datagram(Bytes::from_static(b"still here"))));
    assert_eq!(old.read_datagram().await.unwrap(), b"still here".as_slice());
}

#[tokio::test]
async fn a_lane_that_is_not_read_does_not_stop_the_others() {
    let mut server = Server::start();
    let mut transport = quinn::TransportConfig::default();
    transport.stream_receive_window(quinn::VarInt::from_u32(4_096));
    let client = server.try_connect(b"lightmoon/1", transport).await.unwrap();
    let (link, _) = server.opened().await;
    server.send(link, lane(Priority::Low), vec![3; 100_000]);
    let _unread = client.accept_uni().await.unwrap();
    server.send(link, lane(Priority::High), Bytes::from_static(b"urgent"));
    let mut high = client.accept_uni().await.unwrap();
    let mut buffer = [0; 6];
    high.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"urgent");
}

#[tokio::test]
async fn bytes_of_a_lane_arrive_in_the_order_sent() {
    let mut server = Server::start();
    let client = server.native().await;
    let (link, _) = server.opened().await;
    let mut expected = Vec::new();
    for number in 0..2_000_u32 {
        let bytes = number.to_le_bytes().repeat(1 + number as usize % 7);
        expected.extend_from_slice(&bytes);
        server.send(link, Lane::CONTROL, bytes);
    }
    let mut got = vec![0; expected.len()];
    client.accept_uni().await.unwrap().read_exact(&mut got).await.unwrap();
    assert_eq!(got, expected);
    assert_eq!(server.endpoint.counters().stream_bytes_sent, expected.len() as u64);
}

#[tokio::test]
async fn code_and_reason_of_a_close_reach_a_native_client_after_what_was_sent_before() {
    let mut server = Server::start();
    let client = server.native().await;
    let (link, _) = server.opened().await;
    server.send(link, Lane::CONTROL, vec![9; 50_000]);
    let close = Transmit::Close { code: CloseCode::Replaced, reason: "logged in elsewhere".to_owned() };
    assert!(server.commands.send(link, close));
    let all = client.accept_uni().await.unwrap().read_to_end(100_000).await.unwrap();
    assert_eq!(all, vec![9; 50_000]);
    match client.closed().await {
        quinn::ConnectionError::ApplicationClosed(close) => {
            assert_eq!(close.error_code.into_inner(), u64::from(CloseCode::Replaced.number()));
            assert_eq!(close.reason, b"logged in elsewhere".as_slice());
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(server.closed().await, (None, "logged in elsewhere".to_owned()));
    assert!(!server.commands.send(link, Transmit::Datagram(Bytes::new())), "the link is gone");
}

#[tokio::test]
async fn code_and_reason_of_a_close_reach_a_browser() {
    let mut server = Server::start();
    let client = server.browser().await;
    let (link, _) = server.opened().await;
    let close = Transmit::Close { code: CloseCode::Replaced, reason: "logged in elsewhere".to_owned() };
    assert!(server.commands.send(link, close));
    match client.closed().await {
        web_transport_quinn::SessionError::WebTransportError(
            web_transport_quinn::WebTransportError::Closed(code, reason),
        ) => assert_eq!((code, reason.as_str()), (CloseCode::Replaced.number(), "logged in elsewhere")),
        other => panic!("{other:?}"),
    }
    assert_eq!(server.closed().await, (None, "logged in elsewhere".to_owned()));
}

#[tokio::test]
async fn code_and_reason_of_a_client_that_leaves_are_reported() {
    let mut server = Server::start();
    let client = server.native().await;
    server.opened().await;
    client.close(quinn::VarInt::from_u32(41), b"bye");
    assert_eq!(server.closed().await, (Some(41), "bye".to_owned()));

    let browser = server.browser().await;
    server.opened().await;
    browser.close(42, b"tab closed");
    assert_eq!(server.closed().await, (Some(42), "tab closed".to_owned()));
}

#[tokio::test]
async fn a_stop_tells_every_client_why_and_frees_the_port() {
    let mut server = Server::start();
    let address = server.endpoint.address();
    let (native, browser) = (server.native().await, server.browser().await);
    server.opened().await;
    server.opened().await;
    server.endpoint.stop(CloseCode::ShuttingDown, "maintenance", Duration::from_secs(2)).await;
    assert!(native.closed().await.to_string().contains("maintenance"));
    assert!(browser.closed().await.to_string().contains("maintenance"));
    until(|| std::net::UdpSocket::bind(address).is_ok()).await;
}

#[tokio::test]
async fn nothing_is_reported_of_a_link_after_its_end() {
    let mut server = Server::start();
    for _ in 0..20 {
        let client = server.native().await;
        let (link, _) = server.opened().await;
        let mut stream = client.open_uni().await.unwrap();
        stream.write_all(&[1; 3_000]).await.unwrap();
        client.send_datagram(Bytes::from_static(b"x")).unwrap();
        client.close(quinn::VarInt::from_u32(0), b"");
        server.closed().await;
        // The next client's events follow directly; a late event of the old link would come first.
        let next = server.native().await;
        let (next_link, _) = server.opened().await;
        assert_ne!(link, next_link);
        next.close(quinn::VarInt::from_u32(0), b"");
        match server.event().await {
            NetEvent::Closed { link, .. } => assert_eq!(link, next_link),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_stream_of_one_message_ends_and_passes_a_lane_that_the_client_does_not_read() {
    let mut server = Server::start();
    let mut transport = quinn::TransportConfig::default();
    transport.stream_receive_window(quinn::VarInt::from_u32(8_192));
    let client = server.try_connect(b"lightmoon/1", transport).await.unwrap();
    let (link, _) = server.opened().await;
    server.send(link, lane(Priority::Normal), vec![1; 60_000]);
    let mut blocked = client.accept_uni().await.unwrap();
    let unordered = Lane::new(Priority::Normal, Reliability::ReliableUnordered);
    for answer in 0..100_u8 {
        let bytes = vec![answer; 2_000].into();
        assert!(server.commands.send(link, Transmit::Solo { lane: unordered, bytes }));
        let mut stream = client.accept_uni().await.unwrap();
        assert_eq!(stream.read_to_end(2_000).await.unwrap(), vec![answer; 2_000]);
    }
    blocked.read_exact(&mut vec![0; 60_000]).await.unwrap();
}

#[tokio::test]
async fn answers_that_wait_for_a_stream_leave_when_the_client_allows_one() {
    let mut server = Server::start();
    let mut transport = quinn::TransportConfig::default();
    transport.max_concurrent_uni_streams(quinn::VarInt::from_u32(3));
    let client = server.try_connect(b"lightmoon/1", transport).await.unwrap();
    let (link, _) = server.opened().await;
    let unordered = Lane::new(Priority::Normal, Reliability::ReliableUnordered);
    let answer = |number: u8| Transmit::Solo { lane: unordered, bytes: vec![number; 500].into() };
    server.commands.send_all(&mut (0..20).map(|number| (link, answer(number))).collect());
    for number in 0..20 {
        let mut stream = client.accept_uni().await.unwrap();
        assert_eq!(stream.read_to_end(1_000).await.unwrap(), [number; 500]);
    }
}

#[tokio::test]
async fn a_client_that_takes_no_answers_is_closed_before_more_of_them_wait_than_it_may_ask() {
    let mut server = Server::start();
    let mut transport = quinn::TransportConfig::default();
    transport.max_concurrent_uni_streams(quinn::VarInt::from_u32(4));
    let client = server.try_connect(b"lightmoon/1", transport).await.unwrap();
    let (link, _) = server.opened().await;
    let unordered = Lane::new(Priority::Normal, Reliability::ReliableUnordered);
    let answer = || Transmit::Solo { lane: unordered, bytes: Bytes::from_static(b"answer") };
    let most = 2 * lightmoon_wire::limits::SOLO_STREAMS_MAX;
    server.commands.send_all(&mut (0..most).map(|_| (link, answer())).collect());
    // All have got as far as they can.
    let first = client.accept_uni().await.unwrap();
    assert_eq!(server.endpoint.counters().overloaded, 0);
    server.commands.send_all(&mut vec![(link, answer())]);
    let end = client.closed().await;
    drop(first);
    let quinn::ConnectionError::ApplicationClosed(close) = end else { panic!("{end:?}") };
    assert_eq!(close.error_code.into_inner(), u64::from(CloseCode::Overloaded.number()));
}

#[tokio::test]
async fn streams_of_one_message_of_clients_and_browsers_arrive_whole() {
    let mut server = Server::start();
    let client = server.native().await;
    server.opened().await;
    for request in 0..150_u8 {
        let mut stream = client.open_uni().await.unwrap();
        stream.write_all(&[request; 300]).await.unwrap();
        stream.finish().unwrap();
        assert_eq!(server.stream_bytes(300).await, [request; 300]);
    }
    let browser = server.browser().await;
    let (link, _) = server.opened().await;
    let unordered = Lane::new(Priority::Low, Reliability::ReliableUnordered);
    assert!(
        server.commands.send(link, Transmit::Solo { lane: unordered, bytes: Bytes::from_static(b"answer") })
    );
    let mut stream = browser.accept_uni().await.unwrap();
    assert_eq!(stream.read_to_end(100).await.unwrap(), b"answer");
}

//! What happens at the bounds.

use crate::harness::{PANIC, Server, local, until};
use bytes::Bytes;
use lightmoon_contract::Lane;
use lightmoon_net::{NetEvent, NetOptions, limits};
use lightmoon_wire::{CloseCode, Transmit};
use std::sync::atomic::Ordering;
use std::time::Duration;

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected_with_a_reason() {
    let mut server = Server::start();
    let mut transport = quinn::TransportConfig::default();
    transport.stream_receive_window(quinn::VarInt::from_u32(16_384));
    let client = server.try_connect(b"lightmoon/1", transport).await.unwrap();
    let (link, _) = server.opened().await;
    let mut sent = 0;
    while server.endpoint.counters().overloaded == 0 {
        server.send(link, Lane::CONTROL, vec![0; 8_192]);
        sent += 8_192;
        tokio::task::yield_now().await;
        assert!(sent < 4 << 20, "the queue is bounded");
    }
    match client.closed().await {
        quinn::ConnectionError::ApplicationClosed(close) => {
            assert_eq!(close.error_code.into_inner(), u64::from(CloseCode::Overloaded.number()));
            assert!(!close.reason.is_empty());
        }
        other => panic!("{other:?}"),
    }
    server.closed().await;
}

#[tokio::test]
async fn a_slow_receiver_of_events_stops_the_client() {
    let mut server = Server::start();
    let client = server.native().await;
    server.opened().await;
    let total = 4 << 20;
    let writer = tokio::spawn(async move {
        let mut stream = client.open_uni().await.unwrap();
        stream.write_all(&vec![5; total]).await.unwrap();
        stream.finish().unwrap();
        stream.stopped().await.unwrap();
        client
    });
    // Nothing is given back, so reading must stop by itself.
    until(|| server.endpoint.counters().read_stalls > 0).await;
    let mut held = Vec::new();
    let mut bytes_held = 0;
    while let Ok(event) = tokio::time::timeout(Duration::from_millis(300), server.event()).await {
        if let NetEvent::Stream { bytes, .. } = &event {
            bytes_held += bytes.len();
        }
        held.push(event);
    }
    assert!(bytes_held <= usize::try_from(limits::CREDIT_BYTES).unwrap(), "{bytes_held}");
    assert!(!writer.is_finished());

    held.clear();
    let rest = server.stream_bytes(total - bytes_held).await;
    assert_eq!(rest.len() + bytes_held, total, "all of it arrives once there is room");
    writer.await.unwrap();
}

#[tokio::test]
async fn a_datagram_that_fits_no_packet_is_dropped_and_counted() {
    let mut server = Server::start();
    let client = server.native().await;
    let (link, _) = server.opened().await;
    assert!(server.commands.send(link, Transmit::Datagram(Bytes::from(vec![0; 5_000]))));
    assert!(server.commands.send(link, Transmit::Datagram(Bytes::from_static(b"fits"))));
    assert_eq!(client.read_datagram().await.unwrap(), b"fits".as_slice());
    assert_eq!(server.endpoint.counters().datagrams_too_large, 1);
}

#[tokio::test]
async fn half_open_handshakes_are_bounded_and_freed() {
    let options = NetOptions { listen: local(), handshakes_max: 4, ..NetOptions::default() };
    let mut server = Server::with(options);
    // Clients that begin with HTTP/3 and never ask for a session stay in the handshake.
    let mut half_open = Vec::new();
    for _ in 0..4 {
        half_open.push(server.try_connect(b"h3", quinn::TransportConfig::default()).await.unwrap());
    }
    assert_eq!(server.endpoint.counters().handshakes, 4);
    assert!(server.endpoint.counters().retried > 0, "from half of the limit on addresses are validated");
    // Who comes now is not kept out by them: the oldest of them gives way.
    server.native().await;
    server.opened().await;
    assert_eq!(server.endpoint.counters().handshakes_evicted, 1);
    until(|| half_open.iter().any(|connection| connection.close_reason().is_some())).await;
    let reasons: Vec<String> =
        half_open.iter().filter_map(|connection| Some(connection.close_reason()?.to_string())).collect();
    assert!(matches!(&reasons[..], [reason] if reason.contains("gave way")), "{reasons:?}");

    for connection in half_open.drain(..) {
        connection.close(quinn::VarInt::from_u32(0), b"");
    }
    until(|| server.endpoint.counters().handshakes == 0).await;
    until(|| server.endpoint.counters().handshakes_failed == 4).await;
}

#[tokio::test]
async fn one_address_has_its_share_and_others_theirs() {
    let options = NetOptions { listen: local(), source_links_max: 2, ..NetOptions::default() };
    let mut server = Server::with(options);
    let first = server.native().await;
    server.opened().await;
    let _second = server.native().await;
    server.opened().await;
    assert!(server.try_connect(b"lightmoon/1", quinn::TransportConfig::default()).await.is_err());
    assert_eq!(server.endpoint.counters().refused_source, 1);
    let _other = server.native_from([127, 0, 0, 2].into()).await;
    server.next_opened().await;
    first.close(quinn::VarInt::from_u32(0), b"");
    server.closed().await;
    server.native().await;
}

#[tokio::test]
async fn links_are_bounded() {
    let options = NetOptions { listen: local(), links_max: 1, ..NetOptions::default() };
    let mut server = Server::with(options);
    let first = server.native().await;
    server.opened().await;
    assert!(server.try_connect(b"lightmoon/1", quinn::TransportConfig::default()).await.is_err());
    first.close(quinn::VarInt::from_u32(0), b"");
    server.closed().await;
    assert_eq!(server.endpoint.counters().links, 0, "the place is free when the end is reported");
    server.native().await;
}

#[tokio::test]
async fn an_unknown_protocol_is_refused_in_the_handshake() {
    let server = Server::start();
    assert!(server.try_connect(b"lightmoon/999", quinn::TransportConfig::default()).await.is_err());
    assert_eq!(server.endpoint.counters().links_opened, 0);
}

#[tokio::test]
async fn what_came_before_a_close_is_reported_before_it_also_to_a_slow_receiver() {
    let mut server = Server::start();
    let client = server.native().await;
    server.opened().await;
    let total = 100_000;
    let mut stream = client.open_uni().await.unwrap();
    stream.write_all(&vec![5; total]).await.unwrap();
    stream.finish().unwrap();
    stream.stopped().await.unwrap();
    until(|| server.endpoint.counters().read_stalls > 0).await;
    client.close(quinn::VarInt::from_u32(7), b"");
    // Packets come in the order they were sent: who is let in after it shows that the close has come.
    let _next = server.native().await;
    let mut held = Vec::new();
    let mut came = 0;
    loop {
        let event = server.event().await;
        match &event {
            NetEvent::Stream { bytes, .. } => came += bytes.len(),
            NetEvent::Opened { .. } => break,
            other => panic!("{came}: {other:?}"),
        }
        held.push(event);
    }
    assert!(came < total, "the rest waits");
    held.clear();
    while came < total {
        match server.event().await {
            NetEvent::Stream { bytes, .. } => came += bytes.len(),
            other => panic!("{came}: {other:?}"),
        }
    }
    assert_eq!(server.closed().await.0, Some(7));
}

#[tokio::test]
async fn a_link_whose_events_nobody_deals_with_ends_all_the_same() {
    let mut server = Server::start();
    let client = server.native().await;
    server.opened().await;
    let mut stream = client.open_uni().await.unwrap();
    stream.write_all(&vec![5; 100_000]).await.unwrap();
    stream.finish().unwrap();
    // All is there: quinn may keep a close to itself while too much is under way.
    stream.stopped().await.unwrap();
    until(|| server.endpoint.counters().read_stalls > 0).await;
    client.close(quinn::VarInt::from_u32(7), b"");
    let mut held = Vec::new();
    loop {
        match server.event().await {
            NetEvent::Closed { code, .. } => break assert_eq!(code, Some(7)),
            event => held.push(event),
        }
    }
}

#[tokio::test]
async fn who_says_more_than_a_browser_before_a_session_is_let_go() {
    let server = Server::start();
    // A frame of a type that means nothing and may be as large as it likes, instead of a request and instead of settings.
    let header: [&[u8]; 2] = [&[0x21, 0x80, 0x00, 0xEA, 0x60], &[0x00, 0x21, 0x80, 0x00, 0xEA, 0x60]];
    for (failed, header) in (1..).zip(header) {
        let client = server.try_connect(b"h3", quinn::TransportConfig::default()).await.unwrap();
        let is_request = header[0] == 0x21;
        let mut stream =
            if is_request { client.open_bi().await.unwrap().0 } else { client.open_uni().await.unwrap() };
        stream.write_all(header).await.unwrap();
        // Fails once the server has had enough.
        let _ = stream.write_all(&[0; 59_000]).await;
        let why = client.closed().await.to_string();
        assert!(why.contains("more bytes than are allowed"), "{why}");
        until(|| server.endpoint.counters().handshakes_failed == failed).await;
    }
    assert_eq!(server.endpoint.counters().links_opened, 0);
}

#[tokio::test]
async fn a_handshake_that_comes_to_no_end_is_ended() {
    let server = Server::start();
    // TLS is done, and no session is ever asked for.
    let client = server.try_connect(b"h3", quinn::TransportConfig::default()).await.unwrap();
    let why = client.closed().await.to_string();
    assert!(why.contains("took too long"), "{why}");
    assert_eq!((server.endpoint.counters().handshakes, server.endpoint.counters().handshakes_failed), (0, 1));
}

#[tokio::test]
async fn a_browser_that_names_a_session_which_is_not_there_is_let_go() {
    let mut server = Server::start();
    let browser = server.browser().await;
    server.opened().await;
    // Its first bytes: a stream of WebTransport's, of session 8.
    let connection: &quinn::Connection = &browser;
    let mut stream = connection.open_uni().await.unwrap();
    stream.write_all(&[0x40, 0x54, 8, 1, 2, 3]).await.unwrap();
    let (code, reason) = server.closed().await;
    assert_eq!(code, None);
    assert!(reason.contains("session"), "{reason}");
}

#[tokio::test]
async fn a_panic_about_one_connection_ends_that_one() {
    let mut server = Server::start();
    let good = server.native().await;
    let (kept, _) = server.opened().await;
    let bad = server.native().await;
    let (lost, _) = server.opened().await;
    bad.send_datagram(Bytes::from_static(PANIC)).unwrap();
    match server.event().await {
        NetEvent::Closed { link, code: None, reason } => {
            assert_eq!((link, reason.as_str()), (lost, "a fault of the server"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((server.endpoint.counters().panicked, server.endpoint.counters().links), (1, 1));
    assert!(server.commands.send(kept, Transmit::Datagram(Bytes::from_static(b"still here"))));
    assert_eq!(good.read_datagram().await.unwrap(), b"still here".as_slice());
    // Large enough to hide a reset in, as the next packets of a game are.
    bad.send_datagram(Bytes::from(vec![0; 500])).unwrap();
    assert_eq!(bad.closed().await, quinn::ConnectionError::Reset);
    server.native().await;
    server.opened().await;
}

#[tokio::test]
async fn a_panic_while_a_link_opens_leaves_nothing_of_it() {
    let mut server = Server::start();
    server.trips.store(true, Ordering::Relaxed);
    let _bad = server.native().await;
    let lost = match server.event().await {
        NetEvent::Closed { link, code: None, .. } => link,
        other => panic!("{other:?}"),
    };
    assert!(!server.commands.send(lost, Transmit::Datagram(Bytes::from_static(b"anybody?"))));
    assert_eq!((server.endpoint.counters().panicked, server.endpoint.counters().links), (1, 0));
    server.native().await;
    server.opened().await;
}

//! Sessions over broken connections, through a network that swallows what it likes.

use crate::game::DoorContract;
use crate::harness::{Scratch, Server};
use crate::play::{PATIENCE, hashes, knock, next_event, options};
use lightmoon_client::{Endpoint, Event, Session, connect};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A network between one client and a server.
struct Network {
    here: SocketAddr,
    /// Whether what the client sends arrives, and what the server sends.
    to_server: Arc<AtomicBool>,
    to_client: Arc<AtomicBool>,
}

impl Network {
    fn before(server: SocketAddr) -> Self {
        let near = UdpSocket::bind("127.0.0.1:0").unwrap();
        let far = UdpSocket::bind("127.0.0.1:0").unwrap();
        far.connect(server).unwrap();
        let here = near.local_addr().unwrap();
        let open = || Arc::new(AtomicBool::new(true));
        let network = Self { here, to_server: open(), to_client: open() };
        let client = Arc::new(std::sync::Mutex::new(None));
        let (near_too, far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        let (is_open, known) = (Arc::clone(&network.to_server), Arc::clone(&client));
        carry(move |packet| {
            let (size, from) = near_too.recv_from(packet).ok()?;
            *known.lock().unwrap() = Some(from);
            is_open.load(Ordering::Relaxed).then(|| far_too.send(&packet[..size]));
            Some(())
        });
        let is_open = Arc::clone(&network.to_client);
        carry(move |packet| {
            // Nobody listens there while a server is started again.
            let Ok(size) = far.recv(packet) else { return Some(()) };
            let client = *client.lock().unwrap();
            client
                .filter(|_| is_open.load(Ordering::Relaxed))
                .map(|client| near.send_to(&packet[..size], client));
            Some(())
        });
        network
    }

    fn set(&self, to_server: bool, to_client: bool) {
        // Packets are carried one by one: nothing else hangs on these.
        self.to_server.store(to_server, Ordering::Relaxed);
        self.to_client.store(to_client, Ordering::Relaxed);
    }
}

/// Carries packets as long as the test process lives.
fn carry(mut one: impl FnMut(&mut [u8]) -> Option<()> + Send + 'static) {
    std::thread::spawn(move || {
        let mut packet = [0; 2_048];
        while one(&mut packet).is_some() {}
    });
}

async fn log_in(server: &Server, network: &Network) -> Session {
    let options = options(&network.here.to_string(), &hashes(server), "a visitor's token");
    connect(&Endpoint::new().unwrap(), options).await.unwrap()
}

async fn until_connected(session: &mut Session) -> bool {
    loop {
        if let Event::Connected(connected) = next_event(session).await {
            return connected.is_resumed;
        }
    }
}

/// The connection breaks after a request left, or before; how often the door was knocked at then, and what the request heard.
async fn cut(request_arrives: bool) -> (u32, u32) {
    let scratch = Scratch::new();
    let server = scratch.serve(&[]);
    let network = Network::before(server.text("game").parse().unwrap());
    let mut session = log_in(&server, &network).await;
    assert_eq!(knock(&mut session, 3).await, 3);

    network.set(request_arrives, false);
    let pending = session.client().me::<DoorContract>().knock_patiently(1);
    loop {
        if let Event::Resuming(_) = next_event(&mut session).await {
            break;
        }
    }
    network.set(true, true);
    assert!(until_connected(&mut session).await, "the same session goes on");
    let heard = loop {
        if let Some(reply) = session.client().reply(&pending) {
            break reply.unwrap();
        }
        next_event(&mut session).await;
    };
    (knock(&mut session, 0).await, heard)
}

#[tokio::test]
async fn a_request_whose_answer_the_network_swallowed_is_served_once() {
    let both = async { tokio::join!(cut(true), cut(false)) };
    let (arrived, lost) = tokio::time::timeout(PATIENCE, both).await.unwrap();
    assert_eq!(arrived, (4, 4), "its repeat is answered from memory");
    assert_eq!(lost, (4, 4), "its repeat is served");
}

#[tokio::test]
async fn who_does_not_come_back_in_time_begins_anew() {
    let scratch = Scratch::new();
    let server = scratch.serve(&["--resume-time", "0"]);
    let network = Network::before(server.text("game").parse().unwrap());
    let mut session = log_in(&server, &network).await;
    // Too short for the client to notice by itself; the server hears its goodbye to the connection.
    network.set(true, false);
    loop {
        if let Event::Resuming(_) = next_event(&mut session).await {
            break;
        }
    }
    network.set(true, true);
    assert!(!tokio::time::timeout(Duration::from_secs(10), until_connected(&mut session)).await.unwrap());
    assert_eq!(knock(&mut session, 1).await, 1);
}

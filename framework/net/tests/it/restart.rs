//! A process that is killed and comes back.

use crate::harness::{Server, client_config, local, new_identity};
use bytes::Bytes;
use lightmoon_net::NetOptions;
use std::net::SocketAddr;

/// A server that ends without a word, as a killed process does: its runtime is gone before it can send anything.
fn killed(secret: &[u8]) -> (SocketAddr, quinn::Connection, tokio::runtime::Runtime) {
    let identity = new_identity();
    let build = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (server_runtime, client_runtime) = (build(), build());
    let options = NetOptions { listen: local(), reset_secret: secret.to_vec(), ..NetOptions::default() };
    let server = server_runtime.block_on(async { Server::with_identity(options, identity.clone()) });
    let address = server.endpoint.address();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let driver = std::thread::spawn(move || {
        server_runtime.block_on(async { stopped.await.unwrap() });
        drop(server_runtime);
        drop(server);
    });
    let connection = client_runtime.block_on(async {
        let endpoint = quinn::Endpoint::client(local()).unwrap();
        let config = client_config(&identity, b"lightmoon/1");
        endpoint.connect_with(config, address, "localhost").unwrap().await.unwrap()
    });
    stop.send(()).unwrap();
    driver.join().unwrap();
    (address, connection, client_runtime)
}

#[test]
fn a_restarted_process_tells_old_clients_at_once() {
    let secret = [7; 32];
    let (address, old, runtime) = killed(&secret);
    runtime.block_on(async {
        let options = NetOptions { listen: address, reset_secret: secret.to_vec(), ..NetOptions::default() };
        let _restarted = Server::with(options);
        // A stateless reset answers packets that are large enough to hide in.
        old.send_datagram(Bytes::from(vec![0; 500])).unwrap();
        assert_eq!(old.closed().await, quinn::ConnectionError::Reset);
    });
}

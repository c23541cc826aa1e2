//! Raw QUIC under the packets of a game: what any server on quinn would pay at least.
//!
//! *Responsible for*: the transport settings of both sides, as the framework has them. *Not responsible for*: the loops
//! ([`server`], [`swarm`]).
//!
//! There is no session, no world and no view: a timer sends each client bytes, and what comes is read and thrown away.

pub(crate) mod server;
pub(crate) mod swarm;

use std::time::Duration;

use quinn::{IdleTimeout, MtuDiscoveryConfig, TransportConfig, VarInt};

/// Protocol name of the two.
const ALPN: &[u8] = b"lightmoon-raw/1";

/// The settings of a client link (`framework/net/src/settings.rs`) and of the Rust client; both sides have the same here.
fn transport() -> TransportConfig {
    let mut mtu = MtuDiscoveryConfig::default();
    mtu.upper_bound(1_452);
    let mut transport = TransportConfig::default();
    transport
        .send_fairness(true)
        .send_window(1_024 * 1_024)
        .stream_receive_window(VarInt::from_u32(64 * 1_024))
        .receive_window(VarInt::from_u32(256 * 1_024))
        .datagram_send_buffer_size(16 * 1_024)
        .datagram_receive_buffer_size(Some(64 * 1_024))
        .max_concurrent_uni_streams(VarInt::from_u32(16))
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_idle_timeout(IdleTimeout::try_from(Duration::from_secs(30)).ok())
        .keep_alive_interval(Some(Duration::from_secs(5)))
        .mtu_discovery_config(Some(mtu))
        .enable_segmentation_offload(true);
    transport
}

//! The QUIC settings of client links.
//!
//! *Responsible for*: turning our limits and options into quinn's configuration. *Not responsible for*: why each number
//! is what it is ([`limits`](crate::limits)).
//!
//! Invariants:
//! - I1: `send_fairness` is on (crate invariant I5).
//! - I2: resets and connection ids depend on the secret only, so that a restarted process can answer for the old one.

use crate::limits;
use crate::{Error, NetOptions, TlsIdentity};
use quinn_proto::crypto::HmacKey;
use quinn_proto::{
    EndpointConfig, HashedConnectionIdGenerator, MtuDiscoveryConfig, ServerConfig, TransportConfig, VarInt,
};
use ring::hmac;
use std::sync::Arc;

/// The transport settings of every client link.
pub(crate) fn transport(options: &NetOptions) -> TransportConfig {
    let mut mtu = MtuDiscoveryConfig::default();
    mtu.upper_bound(limits::MTU_UPPER_BOUND);
    let idle_ms = u32::try_from(options.idle_timeout.as_millis()).unwrap_or(u32::MAX);
    let mut transport = TransportConfig::default();
    transport
        .send_fairness(true)
        .initial_rtt(limits::INITIAL_RTT)
        .send_window(limits::SEND_WINDOW)
        .stream_receive_window(VarInt::from_u32(limits::STREAM_RECEIVE_WINDOW))
        .receive_window(VarInt::from_u32(limits::RECEIVE_WINDOW))
        .datagram_send_buffer_size(limits::DATAGRAM_SEND_BUFFER)
        .datagram_receive_buffer_size(Some(limits::DATAGRAM_RECEIVE_BUFFER))
        .max_concurrent_uni_streams(VarInt::from_u32(limits::UNI_STREAMS_MAX))
        .max_concurrent_bidi_streams(VarInt::from_u32(limits::STREAMS_MAX))
        .max_idle_timeout(Some(VarInt::from_u32(idle_ms).into()))
        .keep_alive_interval(Some(options.keep_alive))
        .mtu_discovery_config(Some(mtu))
        .enable_segmentation_offload(true);
    transport
}

/// TLS and transport settings for accepting clients.
pub(crate) fn server(options: &NetOptions, identity: &TlsIdentity) -> Result<ServerConfig, Error> {
    let mut config = ServerConfig::with_crypto(Arc::new(identity.server_crypto()?));
    config
        .transport_config(Arc::new(transport(options)))
        // Those that wait for their turn, and as many whose place another one took.
        .max_incoming(options.handshakes_max.saturating_mul(2))
        .incoming_buffer_size(limits::INCOMING_BYTES_MAX)
        .incoming_buffer_size_total(limits::INCOMING_BYTES_TOTAL_MAX);
    Ok(config)
}

/// Settings of the endpoint itself: keys that outlive the process.
pub(crate) fn endpoint(options: &NetOptions) -> EndpointConfig {
    if options.reset_secret.is_empty() {
        return EndpointConfig::default();
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, &options.reset_secret);
    let connection_id_key = first_u64(hmac::sign(&key, b"lightmoon connection ids").as_ref());
    let reset_key = hmac::sign(&key, b"lightmoon stateless reset");
    let reset_key: Arc<dyn HmacKey> = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, reset_key.as_ref()));
    let mut config = EndpointConfig::new(reset_key);
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(connection_id_key)));
    config.min_reset_interval(limits::RESET_EVERY_MIN);
    config
}

fn first_u64(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text of one field of quinn's `Debug` output, the only way to read its settings back.
    fn field(transport: &TransportConfig, name: &str) -> String {
        let text = format!("{transport:?}");
        let start = text.find(&format!(" {name}: ")).expect("quinn names the field") + name.len() + 3;
        text[start..].split([',', ' ']).next().expect("split gives one piece").to_owned()
    }

    #[test]
    fn fairness_between_streams_stays_on() {
        assert_eq!(field(&transport(&NetOptions::default()), "send_fairness"), "true");
    }

    #[test]
    fn a_client_cannot_make_us_hold_more_than_the_windows() {
        let transport = transport(&NetOptions::default());
        assert_eq!(field(&transport, "stream_receive_window"), "65536");
        assert_eq!(field(&transport, "receive_window"), "262144");
        assert_eq!(field(&transport, "send_window"), "1048576");
    }

    #[test]
    fn a_lost_packet_of_a_handshake_costs_a_third_of_a_second() {
        assert_eq!(field(&transport(&NetOptions::default()), "initial_rtt"), "100ms");
    }

    #[test]
    fn the_send_window_leaves_room_above_what_low_lanes_may_queue() {
        // lanes.md rule 4: one budget for all streams; a bulk lane that fills it would cost the high lane 370 ms.
        assert!(limits::SEND_WINDOW >= 4 * u64::try_from(limits::QUEUE_BYTES_MAX).unwrap());
    }
}

//! Network shell of Lightmoon: QUIC and WebTransport on one UDP port.

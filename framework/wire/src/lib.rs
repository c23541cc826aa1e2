//! Sans-io wire protocol of Lightmoon: handshake, frames, lanes, limits; client and server side.

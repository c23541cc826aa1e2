//! Lightmoon: a framework for MMO game servers on bevy_ecs, actors and QUIC.

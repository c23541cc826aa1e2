//! Zones: bevy_ecs worlds as actors with a fixed tick, interest and replication.

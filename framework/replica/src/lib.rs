//! Replication codec of Lightmoon: bit packing, enter and leave, state packets, the client's view, interpolation.

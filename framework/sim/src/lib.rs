//! Deterministic simulation of Lightmoon nodes and clients: clock, links, faults, checkers.

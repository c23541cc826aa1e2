//! Virtual actors on pinned workers: activations, the worker loop as a state machine, timers, supervision.

//! The store trait of Lightmoon, a memory store and the conformance suite.

//! The lightmoon command: code generation for clients.

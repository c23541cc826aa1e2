//! Integration tests of the `lightmoon` command's library.

mod committed;
mod shapes;

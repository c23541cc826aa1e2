//! What must not compile, with the messages that a game's author sees; and a game that must.
//!
//! Messages are compared with the `.stderr` files beside the sources; `TRYBUILD=overwrite cargo test` writes them anew.

#[test]
fn mistakes_are_refused_where_they_stand() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile-fail/*.rs");
    cases.pass("tests/compile-pass/*.rs");
}

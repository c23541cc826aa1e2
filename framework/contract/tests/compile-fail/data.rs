//! What `#[data]` refuses.

use lightmoon_contract::data;

#[data]
enum NoOther {
    A,
    B(u8),
}

#[data]
enum OtherWithFields {
    A,
    #[other]
    B(u8),
}

#[data(fixed)]
enum FixedOther {
    A,
    #[other]
    B,
}

#[data(growing)]
struct UnknownWord;

#[data]
struct Parameters<T> {
    inside: T,
}

#[data(fixed)]
struct RequiredAnyway {
    #[required]
    a: u8,
}

#[data]
struct Reference {
    name: &'static str,
}

#[data]
union Union {
    a: u8,
}

#[data]
enum Never {}

fn main() {}

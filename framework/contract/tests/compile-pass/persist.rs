//! Types that are kept, and what stands beside the name.

#![deny(warnings)]

use lightmoon_contract::limits::PERSIST_NAME_BYTES_MAX;
use lightmoon_contract::descriptor::TypeTable;
use lightmoon_contract::{Data, Persist, Replicate, data, replicate};

/// As long a name as there may be.
#[data(persist = "a-name-of-a-kept-type-that-has-exactly-as-many-bytes-as-may-be-x")]
#[derive(Default)]
pub struct Long {
    /// A field.
    pub left: u32,
}

/// Fixed and kept.
#[data(fixed, persist = "mood")]
pub enum Mood {
    /// The one.
    Calm,
    /// The other.
    Wild,
}

/// Seen and kept.
#[replicate(state, number = 3, persist = "pose")]
#[derive(Clone)]
pub struct Pose {
    /// Is it there?
    pub there: bool,
}

// ANCHOR: secret
/// What is known of a player.
#[data(persist = "account")]
#[derive(Default)]
pub struct Account {
    /// How others call them.
    pub name: String,
    /// Lets them in again who lost their password.
    #[secret]
    pub reset_code: String,
}
// ANCHOR_END: secret

/// Holds somebody's secret.
#[data(fixed)]
pub struct Desk(pub Vec<Account>);

fn main() {
    let mut table = TypeTable::new();
    <Desk as Data>::describe(&mut table);
    assert_eq!(table.secrets().values().collect::<Vec<_>>(), [&["reset_code"].as_slice()]);
    assert_eq!(Long::NAME.len(), PERSIST_NAME_BYTES_MAX);
    assert_eq!((Mood::NAME, Mood::VERSION), ("mood", 1));
    assert_eq!((Pose::NAME, Pose::VERSION, Pose::SPEC.number), ("pose", 1, 3));
}

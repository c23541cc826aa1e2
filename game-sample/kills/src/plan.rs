//! What is killed, and when.
//!
//! *Responsible for*: drawing kinds and waits from the seed. *Not responsible for*: doing it ([`crate::run`]).

use std::fmt;
use std::time::Duration;

use fastrand::Rng;

/// What a kill hits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    /// The process that runs the node; its parent starts it again.
    Node,
    /// The parent; the node ends with it, and an operator starts both.
    Parent,
    /// Both at one moment.
    Both,
    /// The node, and its follower while it starts.
    Twice,
}

impl Kind {
    /// All kinds.
    pub(crate) const ALL: [Self; 4] = [Self::Node, Self::Parent, Self::Both, Self::Twice];

    /// Whether somebody else than the parent has to start the server again.
    pub(crate) const fn takes_parent(self) -> bool {
        matches!(self, Self::Parent | Self::Both)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Node => "node",
            Self::Parent => "parent",
            Self::Both => "both",
            Self::Twice => "twice",
        })
    }
}

/// The next kill.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Step {
    /// How long the server is left alone, from the moment it is ready.
    pub(crate) wait: Duration,
    pub(crate) kind: Kind,
    /// Whether it waits for the next acknowledged operation after that.
    pub(crate) at_line: bool,
    /// Of [`Kind::Twice`]: from the first kill to the second, at least.
    pub(crate) between: Duration,
}

/// Draws the next kill. One of three comes right after an operation was acknowledged: others are under way then. Six of ten waits are so short that bots are on their way back; the others let zones write their
/// snapshots, which they do each ten seconds.
pub(crate) fn next(random: &mut Rng) -> Step {
    let millis = if random.u32(..10) < 6 { random.u64(50..=1_000) } else { random.u64(2_000..=15_000) };
    let kind = match random.u32(..20) {
        0..=10 => Kind::Node,
        11..=14 => Kind::Parent,
        15..=17 => Kind::Both,
        _ => Kind::Twice,
    };
    let at_line = random.u32(..3) == 0;
    let between = Duration::from_millis(random.u64(..80));
    Step { wait: Duration::from_millis(millis), kind, at_line, between }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_one_plan_with_all_kinds_and_long_and_short_waits() {
        let steps = |seed| {
            let mut random = Rng::with_seed(seed);
            (0..200).map(|_| next(&mut random)).collect::<Vec<Step>>()
        };
        assert_eq!(steps(1), steps(1));
        assert_ne!(steps(1), steps(2));
        for kind in Kind::ALL {
            assert!(steps(1).iter().filter(|step| step.kind == kind).count() > 5, "{kind}");
        }
        let snapshots = steps(1).iter().filter(|step| step.wait > Duration::from_secs(10)).count();
        assert!(snapshots > 10, "{snapshots}");
    }
}

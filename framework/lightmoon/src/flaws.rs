//! A server that is wrong on purpose: only in a build with the feature `flaws`, only if the environment asks for it.
//!
//! *Responsible for*: reading `FLAW` and `FLAW_STORE_DELAY_MS`. *Not responsible for*: what a flaw does (`actor`,
//! `durable`, `store-files`).
//!
//! Trials that find nothing prove something only if they find a server that is known to be wrong.

use lightmoon_node::NodeOptions;
use lightmoon_store_files::Faults;

/// Makes a node wrong as the environment asks.
#[cfg(feature = "flaws")]
pub(crate) fn spoil(options: &mut NodeOptions) {
    let flaw = std::env::var("FLAW").unwrap_or_default();
    match flaw.as_str() {
        "" => {}
        "reply-before-commit" => options.worker_flaw = Some(lightmoon_actor::Flaw::ReplyBeforeCommit),
        "tell-past-gate" => options.worker_flaw = Some(lightmoon_actor::Flaw::TellPastGate),
        "no-dedup" => options.worker_flaw = Some(lightmoon_actor::Flaw::NoDedup),
        "mark-skipped" => options.keeper_flaw = Some(lightmoon_durable::Flaw::MarkSkipped),
        "relay-before-commit" => options.keeper_flaw = Some(lightmoon_durable::Flaw::RelayBeforeCommit),
        _ => panic!("there is no FLAW {flaw}"),
    }
}

/// Leaves nodes as they are.
#[cfg(not(feature = "flaws"))]
pub(crate) const fn spoil(_options: &mut NodeOptions) {}

/// A store that takes its time, as the environment asks: what is acknowledged too early is lost more often then.
#[cfg(feature = "flaws")]
pub(crate) fn store() -> Faults {
    let delay = std::env::var("FLAW_STORE_DELAY_MS").ok();
    Faults {
        delay_ms: delay.map_or(0, |text| text.parse().expect("FLAW_STORE_DELAY_MS is a number")),
        ..Faults::default()
    }
}

/// Nothing is left out.
#[cfg(not(feature = "flaws"))]
pub(crate) fn store() -> Faults {
    Faults::default()
}

//! Pages that a game adds to the console.
//!
//! *Responsible for*: [`ConsolePage`], serving its files and its numbers behind the console's token. *Not responsible for*: what it
//! shows.
//!
//! Invariants:
//! - I1: a game's page is let in as every other one: without the token it is not there.

use super::Console;
use crate::board::Snapshot;
use crate::clock;
use crate::web::{Assets, Page, media_type, not_found, reply};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use lightmoon_contract::ActorId;
use lightmoon_node::NodeReport;
use lightmoon_zone::{ZoneChart, ZoneReport};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// What a page's numbers are made of.
type Numbers = Arc<dyn Fn(&Glance<'_>) -> Value + Send + Sync>;

/// A page of a game in the console, beside those that every game has.
///
/// Its files are those of `A`: `page.js` is a module that exports `mount(root, console)`, `page.css` its style. What
/// [`ConsolePage::numbers`] gives comes to the page as `console.numbers(show)`, each second.
///
/// ```
/// use lightmoon::ConsolePage;
/// # struct Files;
/// # impl lightmoon::Assets for Files {
/// #     fn file(_: &str) -> Option<std::borrow::Cow<'static, [u8]>> { None }
/// # }
/// let page = ConsolePage::new::<Files>("crowd", "Crowd").numbers(|glance| {
///     let zones = glance.zones().map(|zone| zone.report.entities);
///     serde_json::json!({ "entities": zones.sum::<usize>() })
/// });
/// ```
#[derive(Clone)]
pub struct ConsolePage {
    pub(crate) name: &'static str,
    pub(crate) title: String,
    files: Page,
    numbers: Option<Numbers>,
}

impl ConsolePage {
    /// A page under this name, which stands in its address: small letters, digits and `-`.
    ///
    /// # Panics
    /// The name has something else, or nothing.
    #[must_use]
    pub fn new<A: Assets>(name: &'static str, title: impl Into<String>) -> Self {
        let is_fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(!name.is_empty() && name.chars().all(is_fit), "`{name}` does not fit an address");
        Self { name, title: title.into(), files: Page::of::<A>(), numbers: None }
    }

    /// Makes the page's numbers, on the thread of the web server: a function of what the node shows, which takes no time.
    #[must_use]
    pub fn numbers(mut self, make: impl Fn(&Glance<'_>) -> Value + Send + Sync + 'static) -> Self {
        self.numbers = Some(Arc::new(make));
        self
    }
}

impl fmt::Debug for ConsolePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsolePage").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What the node showed last, at most a second ago.
#[derive(Debug)]
pub struct Glance<'a> {
    snapshot: &'a Snapshot,
}

/// A zone in a [`Glance`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ZoneGlance<'a> {
    /// Which one.
    pub zone: ActorId,
    /// Its counts and times.
    pub report: &'a ZoneReport,
    /// Where its things are; comes a moment after the page is opened.
    pub chart: Option<&'a ZoneChart>,
}

impl ZoneGlance<'_> {
    /// How many things of this name there are, as [`lightmoon_zone::ZoneBuilder::chart`] named them; `None`: no chart is there yet, or
    /// no such name.
    #[must_use]
    pub fn count(&self, name: &str) -> Option<usize> {
        let chart = self.chart?;
        let at = chart.names.iter().position(|other| *other == name)?;
        chart.counts.get(at).copied()
    }
}

impl<'a> Glance<'a> {
    /// The whole node: sessions, workers, counters.
    #[must_use]
    pub fn node(&self) -> &'a NodeReport {
        &self.snapshot.node
    }

    /// The zones that run, in order.
    pub fn zones(&self) -> impl Iterator<Item = ZoneGlance<'a>> {
        let snapshot = self.snapshot;
        snapshot.node.zones.iter().map(move |(zone, report)| {
            let chart = snapshot.charts().find(|(charted, _)| charted == zone).map(|(_, chart)| chart);
            ZoneGlance { zone: *zone, report, chart }
        })
    }
}

/// `/own/NAME/FILE`; `numbers.json` is made, not a file.
pub(super) async fn file(
    State(console): State<Console>,
    Path((name, path)): Path<(String, String)>,
) -> Response {
    let Some(page) = console.pages.iter().find(|page| page.name == name) else { return not_found() };
    if path == "numbers.json" {
        let Some(numbers) = &page.numbers else { return not_found() };
        console.live.glance(clock::mono());
        let snapshot = console.board.snapshot();
        return reply(
            StatusCode::OK,
            "application/json",
            numbers(&Glance { snapshot: &snapshot }).to_string(),
        );
    }
    match page.files.file(&path) {
        Some(bytes) => reply(StatusCode::OK, media_type(&path), bytes),
        None => not_found(),
    }
}

//! The verb `audit`: holds what is stored against what bots wrote down while they played.
//!
//! *Responsible for*: reading the pilots of a store and the bots' files, printing what is wrong. *Not responsible for*: the
//! rules ([`books`], [`account`], [`trail`]), reading a store ([`lightmoon::archive`]).
//!
//! The server is stopped, in order or by kill -9. Nothing is changed, so an audit can be repeated.

pub mod account;
pub mod books;
pub mod sums;
pub mod trail;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use game_sample_bots::{LedgerLine, TrailLine};
use game_sample_contracts::PilotContract;
use lightmoon::archive::Archive;
use lightmoon::contract::{ActorId, Contract};
use lightmoon::zone::ActorWorld;
use lightmoon::{Failure, Setting, Settings, Verb};

use crate::pilot::PilotActor;
use account::Operation;
use books::{Books, Kept, Mark, Posted};

/// Problems that are printed; all are counted.
const PROBLEMS_SHOWN_MAX: usize = 50;

/// An offer may be open so much longer than its time: its end is noted in a turn of a busy node, and committed.
const OVERDUE_SLACK_MS: u64 = 2_000;

/// The verb `audit`.
#[derive(Clone, Copy, Debug)]
pub struct AuditVerb;

impl Verb for AuditVerb {
    fn name(&self) -> &'static str {
        "audit"
    }

    fn about(&self) -> &'static str {
        "compares the store of a server that has stopped with what bots were told; exit code 1 if something is wrong"
    }

    fn settings(&self) -> Vec<Setting> {
        let setting = |name, value, default, help| Setting { name, value, default, help };
        vec![
            setting("store", "URL", "files:./lightmoon-data", "The store, as the server's --store"),
            setting(
                "ledger",
                "FILE",
                "",
                "What `bots --ledger` wrote; without it only the store itself is checked",
            ),
            setting("trail", "FILE", "", "What `bots --trail` wrote; needs --killed-at"),
            setting(
                "killed-at",
                "MS",
                "0",
                "When the server was killed, milliseconds since 1970: berths must then be places of the seconds before",
            ),
            setting(
                "played-until",
                "MS",
                "0",
                "The machine's boot time, milliseconds, until which all pilots played: no offer may then have been open for longer than its time",
            ),
        ]
    }

    fn run(&self, settings: &Settings) -> Result<(), Failure> {
        let killed_at: u64 = settings.parse("killed-at")?;
        if !settings.text("trail").is_empty() && killed_at == 0 {
            return Err(Failure::wrong_arguments(
                "a trail says where ships were, not when the server was killed",
                "add --killed-at MS",
            ));
        }
        let played_until: u64 = settings.parse("played-until")?;
        let ledger: Vec<LedgerLine> = lines(settings.text("ledger"))?;
        let trail: Vec<TrailLine> = lines(settings.text("trail"))?;
        let mut books = read(settings.text("store"))?;
        books.compare(&ledger);
        if killed_at > 0 {
            let berths = books.pilots().filter_map(|(player, kept)| Some((player, kept.berth?))).collect();
            books.problems.extend(trail::check(&trail, killed_at, &berths));
        }
        if played_until > 0 {
            books.overdue(played_until, OVERDUE_SLACK_MS);
        }
        print(&books, ledger.len(), trail.len());
        match books.problems.len() {
            0 => Ok(()),
            count => Err(Failure::new(format!("the audit found {count} problems"), "they are listed above")),
        }
    }
}

/// All pilots of a store.
fn read(url: &str) -> Result<Books, Failure> {
    let mut archive = Archive::open(url)?;
    let mut books = Books::default();
    let (mut posted, mut marks) = (Vec::new(), Vec::new());
    for player in archive.actors(PilotContract::KIND)? {
        let actor = ActorId::new(PilotContract::KIND, player);
        let Some(stored) = archive.actor(actor)? else { continue };
        let operations = stored.log.iter().map(|(_, entry)| Operation {
            number: entry.operation,
            arguments: &entry.arguments,
            reply: &entry.reply,
        });
        let operations: Vec<Operation<'_>> = operations.collect();
        let kept = match &stored.state {
            None => Ok(Kept::default()),
            Some(state) => ActorWorld::read::<PilotActor>(actor, state).map(|mut world| Kept::of(&mut world)),
        };
        match kept {
            Ok(kept) => books.enter(player, kept, &operations),
            Err(unreadable) => books.problems.push(unreadable.to_string()),
        }
        posted
            .extend(stored.outbox.iter().filter_map(|(number, letter)| Posted::of(player, *number, letter)));
        marks.extend(stored.inbox.iter().filter_map(|(from, number)| Mark::of(player, *from, *number)));
    }
    books.messages(&posted, &marks);
    books.settle();
    Ok(books)
}

/// The lines of a file of JSON. The last one may be cut off: the bots were killed, and nobody was told of it.
fn lines<T: serde::de::DeserializeOwned>(path: &str) -> Result<Vec<T>, Failure> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(Path::new(path)).map_err(|error| {
        Failure::new(format!("cannot read {path}: {error}"), "name the file that the bots wrote")
    })?;
    let whole = text.rsplit_once('\n').map_or("", |(whole, _cut)| whole);
    let read = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| {
            Failure::new(
                format!("line {} of {path} is none that bots write: {error}", number + 1),
                "name the file that the bots wrote",
            )
        })
    };
    whole.lines().enumerate().map(read).collect()
}

fn print(books: &Books, ledger_lines: usize, trail_lines: usize) {
    let mut text = String::new();
    for problem in books.problems.iter().take(PROBLEMS_SHOWN_MAX) {
        // Writing to a text does not fail.
        let _ = writeln!(text, "wrong: {problem}");
    }
    if let Some(more) = books.problems.len().checked_sub(PROBLEMS_SHOWN_MAX).filter(|more| *more > 0) {
        let _ = writeln!(text, "… and {more} more");
    }
    let sums = books.sums();
    for (what, count) in [
        ("pilots stored", sums.pilots.into()),
        ("crystals in operation logs", sums.crystals.into()),
        ("trades settled", sums.trades.into()),
        ("coins minted", sums.minted.coins),
        ("coins destroyed", sums.destroyed.coins),
        ("coins in holds", sums.held.coins),
        ("coins in escrow", sums.escrowed.coins),
        ("coins on their way", sums.in_flight.coins),
        ("ore in operation logs", sums.minted.total()),
        ("ore in holds", sums.held.total()),
        ("ore in escrow", sums.escrowed.total()),
        ("ore on its way", sums.in_flight.total()),
        ("lines of the ledger", ledger_lines as u128),
        ("lines of the trail", trail_lines as u128),
        ("problems", books.problems.len() as u128),
    ] {
        let _ = writeln!(text, "{what:<28}{count:>12}");
    }
    // A reader that left early wants no more; the exit code still tells.
    let _closed = write!(std::io::stdout(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_off_last_line_is_left_out_and_any_other_is_an_error() {
        let path = std::env::temp_dir().join(format!("audit-{}.jsonl", std::process::id()));
        let line = r#"{"player":7,"crystal":9,"ore":1,"total":1,"ms":5}"#;
        let path_text = path.to_str().unwrap();
        std::fs::write(&path, format!("{line}\n{line}\n{{\"pla")).unwrap();
        assert_eq!(lines::<LedgerLine>(path_text).unwrap().len(), 2);
        std::fs::write(&path, format!("{line}\nnonsense\n{line}\n")).unwrap();
        let failure = lines::<LedgerLine>(path_text).unwrap_err();
        assert!(failure.to_string().contains("line 2"), "{failure}");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_trail_without_a_time_is_refused() {
        let settings = Settings::defaults(&AuditVerb.settings()).with("trail", "trail.jsonl");
        assert_eq!(AuditVerb.run(&settings).unwrap_err().code(), 2);
    }

    #[test]
    fn a_store_that_is_not_there_is_one_sentence() {
        let settings = Settings::defaults(&AuditVerb.settings()).with("store", "files:/nonexistent/store");
        let failure = AuditVerb.run(&settings).unwrap_err();
        assert_eq!((failure.code(), failure.to_string().lines().count()), (1, 1), "{failure}");
    }
}

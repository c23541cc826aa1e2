//! The market: coins and ore of all pilots and of the messages between them add up, and what traders were told is in the logs.
//!
//! *Responsible for*: reading pilots and their messages out of the simulated store into the game's own books. *Not responsible
//! for*: bookkeeping (`game_sample::audit`).

use std::time::Duration;

use game_sample::audit::account::Operation;
use game_sample::audit::books::{Books, Kept, Mark, Posted};
use game_sample::pilot::PilotActor;
use game_sample_bots::LedgerLine;
use game_sample_bots::ledger::Acknowledged;
use game_sample_contracts::PilotContract;
use lightmoon::zone::ActorWorld;
use lightmoon_contract::Contract;
use lightmoon_sim::{Violation, World};

use crate::pilot::Pilot;

/// An offer may be open so much longer than its time: for a store that answers late, and for a pilot that has to be loaded.
const SLACK: Duration = Duration::from_secs(2);

/// Everything that stands in the store has to be right at every moment: what was acknowledged, what each log adds up to, and all
/// goods together.
pub(crate) fn check(world: &mut World<Pilot>) -> Result<(), Violation> {
    judged(books(world)?)
}

/// Nothing is on its way: all goods are there, and no offer is open longer than its time.
pub(crate) fn check_quiet(world: &mut World<Pilot>) -> Result<(), Violation> {
    let mut books = books(world)?;
    books.overdue(world.now().as_millis(), u64::try_from(SLACK.as_millis()).unwrap_or(u64::MAX));
    judged(books)
}

/// How many trades were settled, by the logs.
pub(crate) fn settled(world: &mut World<Pilot>) -> Result<u64, Violation> {
    Ok(books(world)?.sums().trades)
}

fn books(world: &mut World<Pilot>) -> Result<Books, Violation> {
    let actors = world.store().actors()?;
    let mut books = Books::default();
    let (mut posted, mut marks) = (Vec::new(), Vec::new());
    for (actor, stored) in actors.iter().filter(|(actor, _)| actor.kind == PilotContract::KIND) {
        let kept = match &stored.state {
            None => Kept::default(),
            Some(state) => {
                let read = ActorWorld::read::<PilotActor>(*actor, state);
                let mut kept = read.map_err(|why| wrong(why.to_string()))?;
                Kept::of(&mut kept)
            }
        };
        let rows = stored.log.iter().map(|(_, _, entry)| Operation {
            number: entry.operation,
            arguments: &entry.arguments,
            reply: &entry.reply,
        });
        let log: Vec<Operation<'_>> = rows.collect();
        books.enter(actor.key, kept, &log);
        let sent = stored.outbox.iter();
        posted.extend(sent.filter_map(|(number, letter)| Posted::of(actor.key, *number, letter)));
        let taken = stored.inbox.iter();
        marks.extend(taken.filter_map(|(from, number)| Mark::of(actor.key, *from, *number)));
    }
    books.messages(&posted, &marks);
    books.settle();
    books.compare(&told(world));
    Ok(books)
}

/// What bots were told, as they would have written it into their ledger.
fn told(world: &World<Pilot>) -> Vec<LedgerLine> {
    let mut lines = Vec::new();
    for (_, _, pilot) in world.clients() {
        let mined = pilot.mined.iter().map(|mined| Acknowledged::Mined(*mined));
        let traded =
            pilot.traded.iter().map(|(act, trade, goods)| Acknowledged::Traded(*act, *trade, goods.clone()));
        lines.extend(mined.chain(traded).map(|what| LedgerLine::at(pilot.player, &what, 0)));
    }
    lines
}

fn judged(books: Books) -> Result<(), Violation> {
    let count = books.problems.len();
    books.problems.into_iter().next().map_or(Ok(()), |first| Err(wrong(format!("{first} ({count} in all)"))))
}

const fn wrong(what: String) -> Violation {
    Violation { checker: "market", what }
}

//! Operation logs against holds against the ledger.
//!
//! *Responsible for*: the rules of bookkeeping. *Not responsible for*: where the books come from ([`crate::audit`]).
//!
//! Invariants, each a check:
//! - I1: a crystal stands in one player's log, and every answer to that player about it is the same.
//! - I2: a hold is the sum of its player's log, colour by colour.
//! - I3: what the answers call the total grows by exactly the ore of each crystal.
//! - I4: every line of the ledger stands in its player's log.

use std::collections::BTreeMap;

use game_sample_bots::LedgerLine;
use game_sample_contracts::{Hold, MineRefused, Mined, OreStack, pilot};
use lightmoon::contract::codec::{self, Limits};
use lightmoon::contract::{NetId, Operation as _};

use crate::pilot::Berth;

/// A row of an operation log.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// Which operation.
    pub number: u16,
    /// Its arguments.
    pub arguments: &'a [u8],
    /// Its answer.
    pub reply: &'a [u8],
}

/// What is stored of a pilot besides its log.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Kept {
    /// The hold.
    pub hold: Hold,
    /// The berth.
    pub berth: Option<Berth>,
}

/// The books of all pilots, and what is wrong in them.
#[derive(Clone, Debug, Default)]
pub struct Books {
    pilots: BTreeMap<u64, (Kept, BTreeMap<NetId, Mined>)>,
    owners: BTreeMap<NetId, u64>,
    /// What is wrong, for people.
    pub problems: Vec<String>,
}

/// What there is in all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sums {
    /// Pilots.
    pub pilots: u64,
    /// Crystals in their logs, each once.
    pub crystals: u64,
    /// Ore in their logs.
    pub ore_logged: u64,
    /// Ore in their holds.
    pub ore_held: u64,
}

impl Books {
    /// Enters what is stored of a pilot; its log in the order of its commits.
    pub fn enter(&mut self, player: u64, kept: Kept, log: &[Operation<'_>]) {
        let mut mined: BTreeMap<NetId, Mined> = BTreeMap::new();
        let mut total = 0;
        for operation in log.iter().filter(|operation| operation.number == pilot::Mine::SPEC.number.0) {
            let answer = match read(operation) {
                Ok(Some(answer)) => answer,
                Ok(None) => continue,
                Err(why) => {
                    self.problems.push(format!("player {player}: a row of the log cannot be read: {why}"));
                    continue;
                }
            };
            match mined.get(&answer.crystal) {
                Some(first) if *first == answer => continue,
                Some(first) => {
                    self.problems
                        .push(format!("player {player}: one crystal, two answers: {first:?}, {answer:?}"));
                    continue;
                }
                None => mined.insert(answer.crystal, answer),
            };
            total += u64::from(answer.ore);
            if answer.total != total {
                let problem =
                    format!("player {player}: the log adds up to {total}, the answer was {answer:?}");
                self.problems.push(problem);
                total = answer.total;
            }
            if let Some(other) = self.owners.insert(answer.crystal, player) {
                let crystal = answer.crystal;
                self.problems
                    .push(format!("crystal {crystal} was mined by player {other} and by player {player}"));
            }
        }
        self.check_hold(player, &kept.hold, &mined);
        self.pilots.insert(player, (kept, mined));
    }

    fn check_hold(&mut self, player: u64, hold: &Hold, mined: &BTreeMap<NetId, Mined>) {
        let mut stacks: BTreeMap<u16, u64> = BTreeMap::new();
        for Mined { hue, ore, .. } in mined.values() {
            *stacks.entry(*hue).or_default() += u64::from(*ore);
        }
        let logged = Hold {
            total: stacks.values().sum(),
            crystals: mined.len() as u64,
            stacks: stacks.into_iter().map(|(hue, amount)| OreStack { hue, amount }).collect(),
        };
        if *hold != logged {
            self.problems
                .push(format!("player {player}: the hold is {hold:?}, the log adds up to {logged:?}"));
        }
    }

    /// Looks every line of a ledger up.
    pub fn compare(&mut self, ledger: &[LedgerLine]) {
        for line in ledger {
            let LedgerLine { player, crystal, ore, total, .. } = *line;
            let answer = self.pilots.get(&player).and_then(|(_, mined)| mined.get(&NetId(crystal)));
            match answer {
                Some(answer) if answer.ore == ore && answer.total == total => {}
                Some(answer) => {
                    self.problems.push(format!("the ledger has {line:?}, the log of its player {answer:?}"));
                }
                None => self.problems.push(format!("lost: {line:?} is in no log of its player")),
            }
        }
    }

    /// What is stored of each pilot.
    pub fn pilots(&self) -> impl Iterator<Item = (u64, &Kept)> {
        self.pilots.iter().map(|(player, (kept, _))| (*player, kept))
    }

    /// What there is in all.
    #[must_use]
    pub fn sums(&self) -> Sums {
        let mut sums = Sums { pilots: self.pilots.len() as u64, ..Sums::default() };
        for (kept, mined) in self.pilots.values() {
            sums.crystals += mined.len() as u64;
            sums.ore_logged += mined.values().map(|mined| u64::from(mined.ore)).sum::<u64>();
            sums.ore_held += kept.hold.total;
        }
        sums
    }
}

/// What a row says was mined; `None`: it was refused.
fn read(operation: &Operation<'_>) -> Result<Option<Mined>, String> {
    let asked: pilot::Mine =
        codec::decode(operation.arguments, Limits::NODE).map_err(|error| error.to_string())?;
    let reply: Result<Mined, MineRefused> =
        codec::decode(operation.reply, Limits::NODE).map_err(|error| error.to_string())?;
    match reply {
        Ok(mined) if mined.crystal == asked.crystal => Ok(Some(mined)),
        Ok(mined) => Err(format!("asked for {}, answered {mined:?}", asked.crystal)),
        Err(_refused) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of a log: what was asked for and answered.
    struct Row(Vec<u8>, Vec<u8>);

    fn row(crystal: u64, reply: Result<Mined, MineRefused>) -> Row {
        Row(codec::encode(&pilot::Mine { crystal: NetId(crystal) }), codec::encode(&reply))
    }

    fn mined(crystal: u64, ore: u32, total: u64) -> Mined {
        Mined { crystal: NetId(crystal), ore, hue: 60, total }
    }

    fn held(total: u64, crystals: u64) -> Kept {
        let stacks = (total > 0).then_some(OreStack { hue: 60, amount: total });
        Kept { hold: Hold { stacks: stacks.into_iter().collect(), total, crystals }, berth: None }
    }

    fn line(player: u64, mined: Mined) -> LedgerLine {
        LedgerLine { player, crystal: mined.crystal.0, ore: mined.ore, total: mined.total, ms: 0 }
    }

    fn entered(books: &mut Books, player: u64, kept: Kept, rows: &[Row]) {
        let number = pilot::Mine::SPEC.number.0;
        let log: Vec<Operation<'_>> =
            rows.iter().map(|Row(arguments, reply)| Operation { number, arguments, reply }).collect();
        books.enter(player, kept, &log);
    }

    #[test]
    fn books_that_agree_have_no_problem() {
        let mut books = Books::default();
        let (one, two) = (mined(1, 3, 3), mined(2, 4, 7));
        let rows = [
            row(1, Ok(one)),
            row(9, Err(MineRefused::Spent)),
            row(1, Ok(one)),
            row(2, Ok(two)),
            row(1, Ok(one)),
        ];
        entered(&mut books, 7, held(7, 2), &rows);
        entered(&mut books, 8, held(0, 0), &[]);
        books.compare(&[line(7, one), line(7, two), line(7, two)]);
        assert_eq!(books.problems, Vec::<String>::new());
        assert_eq!(books.sums(), Sums { pilots: 2, crystals: 2, ore_logged: 7, ore_held: 7 });
    }

    #[test]
    fn a_line_that_is_in_no_log_is_lost() {
        let mut books = Books::default();
        entered(&mut books, 7, held(3, 1), &[row(1, Ok(mined(1, 3, 3)))]);
        for lost in [line(7, mined(2, 3, 6)), line(8, mined(1, 3, 3)), line(7, mined(1, 3, 4))] {
            books.problems.clear();
            books.compare(&[lost]);
            assert_eq!(books.problems.len(), 1, "{lost:?}");
        }
    }

    #[test]
    fn a_hold_that_is_not_the_sum_of_its_log_is_found() {
        for kept in [held(4, 1), held(3, 2), held(0, 0)] {
            let mut books = Books::default();
            entered(&mut books, 7, kept, &[row(1, Ok(mined(1, 3, 3)))]);
            assert_eq!(books.problems.len(), 1, "{:?}", books.problems);
        }
    }

    #[test]
    fn a_crystal_of_two_players_and_one_with_two_answers_are_found() {
        let mut books = Books::default();
        entered(&mut books, 7, held(3, 1), &[row(1, Ok(mined(1, 3, 3)))]);
        entered(&mut books, 8, held(3, 1), &[row(1, Ok(mined(1, 3, 3)))]);
        assert_eq!(books.problems, ["crystal 0:1 was mined by player 7 and by player 8"]);
        let mut books = Books::default();
        entered(&mut books, 7, held(3, 1), &[row(1, Ok(mined(1, 3, 3))), row(1, Ok(mined(1, 3, 6)))]);
        assert_eq!(books.problems.len(), 1, "{:?}", books.problems);
    }

    #[test]
    fn a_total_that_does_not_add_up_and_a_torn_row_are_found() {
        let mut books = Books::default();
        let torn = Row(codec::encode(&pilot::Mine { crystal: NetId(3) }), vec![0xFF]);
        entered(&mut books, 7, held(7, 2), &[row(1, Ok(mined(1, 3, 3))), torn, row(2, Ok(mined(2, 4, 8)))]);
        assert_eq!(books.problems.len(), 2, "{:?}", books.problems);
    }
}

//! Books that are right, and each way in which they can be wrong.

use super::*;
use crate::purse::GRANT;
use game_sample_bots::ledger::TradeAct;
use game_sample_contracts::{MineRefused, Mined, Moved, Trade, TradeEnd, TradeRefused, pilot};
use lightmoon::contract::codec::{self, Data};

/// A row of a log: operation, what was asked for, the answer.
#[derive(Clone)]
struct Row(u16, Vec<u8>, Vec<u8>);

fn row<O: lightmoon::contract::Operation>(asked: &O, reply: &impl Data) -> Row {
    Row(O::SPEC.number.0, codec::encode(asked), codec::encode(reply))
}

fn mine(crystal: u64, reply: Result<Mined, MineRefused>) -> Row {
    row(&pilot::Mine { crystal: NetId(crystal) }, &reply)
}

fn mined(crystal: u64, ore: u32, total: u64) -> Mined {
    Mined { crystal: NetId(crystal), ore, hue: 60, total, coins: 0 }
}

/// What is kept of a pilot of a build without coins.
fn held(total: u64, crystals: u64) -> Kept {
    let stacks = (total > 0).then_some(OreStack { hue: 60, amount: total });
    let hold = Hold { stacks: stacks.into_iter().collect(), total, crystals, coins: 0 };
    Kept { hold, ..Kept::default() }
}

fn line(player: u64, mined: Mined) -> LedgerLine {
    let Mined { crystal, ore, total, coins, .. } = mined;
    LedgerLine::Mined(MinedLine { player, crystal: crystal.0, ore, total, coins, ms: 0 })
}

fn entered(books: &mut Books, player: u64, kept: Kept, rows: &[Row]) {
    let rows =
        rows.iter().map(|Row(number, arguments, reply)| Operation { number: *number, arguments, reply });
    let log: Vec<Operation<'_>> = rows.collect();
    books.enter(player, kept, &log);
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn books_that_agree_have_no_problem() {
    let mut books = Books::default();
    let (one, two) = (mined(1, 3, 3), mined(2, 4, 7));
    let rows = [
        mine(1, Ok(one)),
        mine(9, Err(MineRefused::Spent)),
        mine(1, Ok(one)),
        mine(2, Ok(two)),
        mine(1, Ok(one)),
    ];
    entered(&mut books, 7, held(7, 2), &rows);
    entered(&mut books, 8, held(0, 0), &[]);
    books.settle();
    books.compare(&[line(7, one), line(7, two), line(7, two)]);
    assert_eq!(books.problems, none());
    let sums = books.sums();
    assert_eq!((sums.pilots, sums.crystals, sums.minted.total(), sums.held.total()), (2, 2, 7, 7));
}

#[test]
fn a_line_that_is_in_no_log_is_lost() {
    let mut books = Books::default();
    entered(&mut books, 7, held(3, 1), &[mine(1, Ok(mined(1, 3, 3)))]);
    for lost in [line(7, mined(2, 3, 6)), line(8, mined(1, 3, 3)), line(7, mined(1, 3, 4))] {
        books.problems.clear();
        books.compare(std::slice::from_ref(&lost));
        assert_eq!(books.problems.len(), 1, "{lost:?}");
    }
}

#[test]
fn a_hold_that_is_not_the_sum_of_its_log_is_found() {
    for kept in [held(4, 1), held(3, 2), held(0, 0)] {
        let mut books = Books::default();
        entered(&mut books, 7, kept, &[mine(1, Ok(mined(1, 3, 3)))]);
        assert_eq!(books.problems.len(), 1, "{:?}", books.problems);
    }
}

#[test]
fn a_crystal_of_two_players_and_one_with_two_answers_are_found() {
    let mut books = Books::default();
    entered(&mut books, 7, held(3, 1), &[mine(1, Ok(mined(1, 3, 3)))]);
    entered(&mut books, 8, held(3, 1), &[mine(1, Ok(mined(1, 3, 3)))]);
    assert_eq!(books.problems, ["crystal 0:1 was mined by player 7 and by player 8"]);
    let mut books = Books::default();
    entered(&mut books, 7, held(3, 1), &[mine(1, Ok(mined(1, 3, 3))), mine(1, Ok(mined(1, 3, 6)))]);
    assert_eq!(books.problems.len(), 1, "{:?}", books.problems);
}

#[test]
fn a_total_that_does_not_add_up_and_a_torn_row_are_found() {
    let mut books = Books::default();
    let Row(number, asked, _) = mine(3, Err(MineRefused::Gone));
    let torn = Row(number, asked, vec![0xFF]);
    entered(&mut books, 7, held(7, 2), &[mine(1, Ok(mined(1, 3, 3))), torn, mine(2, Ok(mined(2, 4, 8)))]);
    assert_eq!(books.problems.len(), 2, "{:?}", books.problems);
}

const ADA: u64 = 4;
const BO: u64 = 9;
const TRADE: TradeId = TradeId { pilot: ADA, number: 1 };

fn coins(coins: u64) -> Goods {
    Goods { coins, ore: Vec::new() }
}

/// A pilot that has so many coins, of all that were minted for it, and destroyed so many.
fn purse(coins: u64, destroyed: u64) -> Kept {
    let purse = Purse { coins, minted: GRANT, destroyed, is_granted: true };
    Kept { hold: Hold { coins, ..Hold::default() }, purse, ..Kept::default() }
}

/// Ada offers Bo 10 coins for 3: Ada's rows and Bo's, up to the end.
fn rows() -> (Vec<Row>, Vec<Row>) {
    let trade =
        Trade { id: TRADE, with: BO, give: coins(10), want: coins(3), left_ms: 30_000, ..Trade::default() };
    let asked = pilot::Offer { ship: NetId(1), give: coins(10), want: coins(3) };
    let moved = Moved { trade: TRADE, goods: coins(3) };
    let offered = pilot::Offered {
        trade: TRADE,
        from_name: "Ada".to_owned(),
        give: coins(10),
        want: coins(3),
        left_ms: 30_000,
    };
    (
        vec![
            row(&asked, &Ok::<_, TradeRefused>(trade)),
            row(&pilot::Accepted { trade: TRADE, goods: coins(3) }, &()),
        ],
        vec![
            row(&offered, &()),
            row(&pilot::Accept { trade: TRADE }, &Ok::<_, TradeRefused>(moved)),
            row(&pilot::Settled { trade: TRADE, goods: coins(10) }, &()),
        ],
    )
}

fn escrow() -> Escrow {
    Escrow { number: 1, to: BO, give: coins(10), want: coins(3), until_ms: 30_000, ..Escrow::default() }
}

fn proposal(is_paid: bool) -> Proposal {
    Proposal {
        trade: TRADE,
        give: coins(10),
        want: coins(3),
        until_ms: 30_000,
        is_paid,
        ..Proposal::default()
    }
}

fn posted<O: lightmoon::contract::Operation>(from: u64, to: u64, message: &O) -> Posted {
    Posted {
        from,
        to,
        number: 1,
        operation: O::SPEC.number.0,
        arguments: codec::encode(message),
        is_dead: false,
    }
}

fn acceptance() -> Posted {
    posted(BO, ADA, &pilot::Accepted { trade: TRADE, goods: coins(3) })
}

fn settlement() -> Posted {
    posted(ADA, BO, &pilot::Settled { trade: TRADE, goods: coins(10) })
}

/// Books after the first rows of both.
fn books(ada: (usize, Kept), bo: (usize, Kept), posted: &[Posted], marks: &[Mark]) -> Books {
    let (rows_ada, rows_bo) = rows();
    let mut books = Books::default();
    entered(&mut books, ADA, ada.1, &rows_ada[..ada.0]);
    entered(&mut books, BO, bo.1, &rows_bo[..bo.0]);
    books.messages(posted, marks);
    books.settle();
    books
}

#[test]
fn at_every_step_of_a_trade_all_coins_are_in_one_place() {
    let offers = || Kept { escrows: vec![escrow()], ..purse(GRANT - 10, 0) };
    let is_offered = |coins, is_paid| Kept { proposals: vec![proposal(is_paid)], ..purse(coins, 0) };
    let mark = |from, to| Mark { from, to, number: 1 };
    let steps = [
        books((0, purse(GRANT, 0)), (0, purse(GRANT, 0)), &[], &[]),
        books((1, offers()), (0, purse(GRANT, 0)), &[], &[]),
        books((1, offers()), (1, is_offered(GRANT, false)), &[], &[]),
        books((1, offers()), (2, is_offered(GRANT - 3, true)), &[acceptance()], &[]),
        books(
            (2, purse(GRANT - 8, 1)),
            (2, is_offered(GRANT - 3, true)),
            &[acceptance(), settlement()],
            &[mark(BO, ADA)],
        ),
        books(
            (2, purse(GRANT - 8, 1)),
            (3, purse(GRANT + 7, 0)),
            &[acceptance(), settlement()],
            &[mark(BO, ADA), mark(ADA, BO)],
        ),
        books((2, purse(GRANT - 8, 1)), (3, purse(GRANT + 7, 0)), &[], &[]),
    ];
    for (step, books) in steps.into_iter().enumerate() {
        assert_eq!(books.problems, none(), "step {step}");
    }
    let waits = Parcel { to: BO, trade: TRADE, goods: coins(10), settles: true };
    let kept = Kept { parcels: vec![waits], ..purse(GRANT - 8, 1) };
    let waiting = books((2, kept), (2, is_offered(GRANT - 3, true)), &[], &[]);
    assert_eq!(waiting.problems, none(), "what could not be sent is still there");
}

#[test]
fn goods_that_vanished_or_came_twice_are_found() {
    let is_offered = || Kept { proposals: vec![proposal(true)], ..purse(GRANT - 3, 0) };
    let lost = books((2, purse(GRANT - 8, 1)), (2, is_offered()), &[], &[]);
    assert_eq!(lost.problems.len(), 2, "the parcel and the sums: {:?}", lost.problems);
    let (rows_ada, mut rows_bo) = rows();
    rows_bo.push(rows_bo[2].clone());
    let mut twice = Books::default();
    entered(&mut twice, ADA, purse(GRANT - 8, 1), &rows_ada);
    entered(&mut twice, BO, purse(GRANT + 17, 0), &rows_bo);
    twice.settle();
    assert!(twice.problems.len() >= 3, "{:?}", twice.problems);
    let taken = books((2, purse(GRANT - 8, 1)), (3, purse(GRANT + 7, 0)), &[settlement()], &[]);
    assert!(!taken.problems.is_empty(), "a message that was taken and is not marked so would come again");
}

#[test]
fn goods_that_nobody_sent_are_found() {
    let (_, rows_bo) = rows();
    let mut books = Books::default();
    entered(&mut books, BO, purse(GRANT + 7, 0), &rows_bo);
    books.settle();
    assert!(!books.problems.is_empty());
}

#[test]
fn a_fee_that_was_not_destroyed_and_an_offer_that_is_in_no_log_are_found() {
    let no_fee = books((2, purse(GRANT - 7, 0)), (3, purse(GRANT + 7, 0)), &[], &[]);
    assert!(!no_fee.problems.is_empty());
    let no_log =
        books((0, Kept { escrows: vec![escrow()], ..purse(GRANT - 10, 0) }), (0, purse(GRANT, 0)), &[], &[]);
    assert!(!no_log.problems.is_empty());
}

#[test]
fn who_gives_what_it_has_not_is_found() {
    let trade = Trade { id: TRADE, with: BO, give: coins(GRANT + 1), ..Trade::default() };
    let asked = pilot::Offer { ship: NetId(1), give: coins(GRANT + 1), want: coins(0) };
    let mut books = Books::default();
    let kept =
        Kept { escrows: vec![Escrow { give: coins(GRANT + 1), want: coins(0), ..escrow() }], ..purse(0, 0) };
    entered(&mut books, ADA, kept, &[row(&asked, &Ok::<_, TradeRefused>(trade))]);
    assert_eq!(books.problems.len(), 1, "{:?}", books.problems);
}

#[test]
fn every_line_of_a_trade_is_looked_up() {
    let mut books = books((2, purse(GRANT - 8, 1)), (3, purse(GRANT + 7, 0)), &[], &[]);
    let line = |player, trade, coins| {
        LedgerLine::Traded(TradeLine { player, trade, pilot: ADA, number: 1, coins, ore: Vec::new(), ms: 0 })
    };
    books.compare(&[line(ADA, TradeAct::Offer, 10), line(BO, TradeAct::Accept, 3)]);
    assert_eq!(books.problems, none());
    for lost in [
        line(ADA, TradeAct::Accept, 3),
        line(BO, TradeAct::Accept, 4),
        line(BO, TradeAct::Refuse, 0),
        line(1, TradeAct::Offer, 10),
    ] {
        books.problems.clear();
        books.compare(std::slice::from_ref(&lost));
        assert_eq!(books.problems.len(), 1, "{lost:?}");
    }
}

#[test]
fn an_offer_that_ended_by_itself_is_back_and_one_that_did_not_is_overdue() {
    let (mut rows_ada, _) = rows();
    rows_ada[1] = row(&pilot::TimeOut { trade: TRADE }, &true);
    let mut books = Books::default();
    entered(&mut books, ADA, purse(GRANT, 0), &rows_ada);
    entered(
        &mut books,
        5,
        purse(GRANT, 0),
        &[row(&pilot::Withdrawn { trade: TRADE, end: TradeEnd::TimedOut }, &())],
    );
    books.settle();
    books.overdue(1_000_000, 1_000);
    assert_eq!(books.problems, none());
    rows_ada.truncate(1);
    entered(&mut books, ADA, Kept { escrows: vec![escrow()], ..purse(GRANT - 10, 0) }, &rows_ada);
    books.overdue(30_900, 1_000);
    assert_eq!(books.problems, none());
    books.overdue(31_100, 1_000);
    assert_eq!(books.problems.len(), 1, "{:?}", books.problems);
}

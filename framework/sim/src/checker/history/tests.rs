//! Histories that are right pass, wrong ones are refused, and what is found by trying all orders is what the search finds.

use super::*;

/// An account. An answer is what is there then.
struct Account;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Call {
    Look,
    PayIn(u64),
    TakeOut(u64),
}
use Call::{Look, PayIn, TakeOut};

impl Model for Account {
    type State = u64;
    type Call = Call;
    type Answer = Option<u64>;

    fn first(&self) -> u64 {
        0
    }

    fn step(&self, balance: &u64, call: &Call, answer: Option<&Option<u64>>) -> Option<u64> {
        let after = match call {
            Look => Some(*balance),
            PayIn(amount) => Some(balance + amount),
            TakeOut(amount) => balance.checked_sub(*amount),
        };
        answer.is_none_or(|answer| *answer == after).then(|| after.unwrap_or(*balance))
    }
}

type Made = (u64, u64, Call, Outcome<Option<u64>>);

/// Each with the times of its invocation and return, in the order of the former.
fn history(made: &[Made]) -> History<Account> {
    let mut history = History::new(Account);
    for (client, (invoked, returned, call, outcome)) in (0..).zip(made.iter().cloned()) {
        let id = history.invoked(Mono(invoked), client, call).unwrap();
        history.returned(Mono(returned), id, outcome);
    }
    history
}

const fn ok(balance: u64) -> Outcome<Option<u64>> {
    Outcome::Ok(Some(balance))
}

fn passes(made: &[Made]) {
    assert_eq!(history(made).check(), Ok(Verdict::Linearizable), "{made:?}");
}

fn is_refused(made: &[Made]) -> String {
    let found = history(made).check().expect_err("no order explains it");
    assert_eq!(found.checker, "history");
    found.what
}

#[test]
fn operations_one_after_the_other_have_one_order() {
    passes(&[(0, 1, PayIn(5), ok(5)), (2, 3, Look, ok(5)), (4, 5, TakeOut(2), ok(3)), (6, 7, Look, ok(3))]);
    passes(&[(0, 1, TakeOut(2), Outcome::Ok(None)), (2, 3, Look, ok(0))]);
    passes(&[]);
    let what = is_refused(&[(0, 1, PayIn(5), ok(5)), (2_000_000, 3_000_000, Look, ok(0))]);
    assert!(
        what.contains("reaches 1 of 2") && what.contains("client 1 called Look from 2 to 3 ms"),
        "{what}"
    );
}

#[test]
fn concurrent_operations_may_have_any_order_and_one_only() {
    passes(&[(0, 9, PayIn(5), ok(5)), (1, 8, Look, ok(0))]);
    passes(&[(0, 9, PayIn(5), ok(5)), (1, 8, Look, ok(5))]);
    passes(&[(0, 9, PayIn(5), ok(7)), (1, 8, PayIn(2), ok(2)), (2, 7, Look, ok(2))]);
    // Both cannot have been first.
    is_refused(&[(0, 9, PayIn(5), ok(5)), (1, 8, PayIn(2), ok(2))]);
    // What one has seen the next one sees.
    is_refused(&[(0, 9, PayIn(5), ok(5)), (1, 2, Look, ok(5)), (3, 4, Look, ok(0))]);
    // What was answered before another one began was before it, also where a third is concurrent with both.
    is_refused(&[(0, 9, PayIn(1), ok(8)), (1, 2, PayIn(5), ok(7)), (3, 4, PayIn(2), ok(2))]);
}

#[test]
fn what_failed_did_not_happen() {
    passes(&[(0, 1, PayIn(5), Outcome::Failed), (2, 3, Look, ok(0))]);
    is_refused(&[(0, 1, PayIn(5), Outcome::Failed), (2, 3, Look, ok(5))]);
}

#[test]
fn what_is_unknown_happened_once_at_any_later_time_or_never() {
    let unknown = (0, 1, PayIn(5), Outcome::Unknown);
    passes(&[unknown.clone(), (2, 3, Look, ok(0))]);
    passes(&[unknown.clone(), (2, 3, Look, ok(0)), (4, 5, Look, ok(5)), (6, 7, Look, ok(5))]);
    is_refused(&[unknown.clone(), (2, 3, Look, ok(5)), (4, 5, Look, ok(0))]);
    is_refused(&[unknown.clone(), (2, 3, Look, ok(5)), (4, 5, Look, ok(10))]);
    is_refused(&[(2, 3, Look, ok(5)), (4, 5, PayIn(5), Outcome::Unknown)]);
    passes(&[unknown.clone(), unknown.clone(), (2, 3, Look, ok(5)), (4, 5, Look, ok(10))]);
    is_refused(&[unknown.clone(), unknown, (2, 3, Look, ok(15))]);
}

/// A right history of `count` operations by clients that overlap, with outcomes lost.
fn right(random: &mut fastrand::Rng, count: u64, lost: f64) -> Vec<Made> {
    let mut balance = 0;
    let mut made: Vec<Made> = (1..=count)
        .map(|number| {
            let call = match random.u8(..4) {
                0 => PayIn(random.u64(1..4)),
                1 => TakeOut(random.u64(1..4)),
                _ => Look,
            };
            // It happens at its hundreds; around that it was under way.
            let (invoked, returned) =
                (number * 100 - random.u64(0..300).min(number * 100), number * 100 + random.u64(0..300));
            let happened = random.f64() >= lost / 2.0;
            let answer = if happened {
                Account.step(&balance, &call, None).map_or(Outcome::Unknown, |after| {
                    let is_refused = matches!(call, TakeOut(amount) if amount > balance);
                    balance = after;
                    if is_refused { Outcome::Ok(None) } else { ok(after) }
                })
            } else {
                Outcome::Unknown
            };
            let answer = if random.f64() < lost { Outcome::Unknown } else { answer };
            (invoked, returned, call, answer)
        })
        .collect();
    made.sort_by_key(|(invoked, ..)| *invoked);
    made
}

#[test]
fn long_histories_with_lost_outcomes_are_decided() {
    for seed in 0..4 {
        let mut random = fastrand::Rng::with_seed(seed);
        let made = right(&mut random, HISTORY_OPERATIONS_MAX as u64, 0.2);
        assert_eq!(history(&made).check(), Ok(Verdict::Linearizable), "seed {seed}");
    }
}

#[test]
fn one_wrong_answer_in_a_long_history_is_found() {
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut made = right(&mut random, 300, 0.0);
        let looks = made.iter().enumerate().filter(|(_, one)| one.2 == Look).map(|(at, _)| at);
        let looks: Vec<usize> = looks.collect();
        let at = random.choice(looks).unwrap();
        made[at].3 = ok(1_000);
        assert!(history(&made).check().is_err(), "seed {seed}");
    }
}

/// Whether some order explains it, by trying all.
fn by_trying_all(made: &[Made], left: &[usize], balance: u64) -> bool {
    let known = |at: &usize| matches!(made[*at].3, Outcome::Ok(_));
    if !left.iter().any(known) {
        return true;
    }
    left.iter().any(|at| {
        let (invoked, _, call, outcome) = &made[*at];
        let is_preceded = left.iter().filter(|other| known(other)).any(|other| made[*other].1 < *invoked);
        let answer = match outcome {
            Outcome::Ok(answer) => Some(answer),
            Outcome::Failed => return false,
            Outcome::Unknown => None,
        };
        let rest: Vec<usize> = left.iter().copied().filter(|other| other != at).collect();
        !is_preceded
            && Account.step(&balance, call, answer).is_some_and(|balance| by_trying_all(made, &rest, balance))
    })
}

#[test]
fn the_search_agrees_with_trying_all_orders() {
    let mut refused = 0;
    for seed in 0..3_000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut made = right(&mut random, 6, 0.4);
        // Some are made wrong, by chance.
        for one in &mut made {
            if random.u8(..6) == 0 {
                one.3 = if random.bool() { ok(random.u64(..6)) } else { Outcome::Failed };
            }
        }
        let all: Vec<usize> = (0..made.len()).collect();
        let is_right = by_trying_all(&made, &all, 0);
        assert_eq!(history(&made).check().is_ok(), is_right, "seed {seed}: {made:?}");
        refused += usize::from(!is_right);
    }
    assert!((500..2_500).contains(&refused), "{refused} of 3000 were wrong");
}

#[test]
fn a_full_history_ends_and_stays_right() {
    let mut history = History::new(Account);
    let open = history.invoked(Mono(0), 1, PayIn(1)).unwrap();
    for at in 1..HISTORY_OPERATIONS_MAX as u64 {
        let id = history.invoked(Mono(at), 2, Look).unwrap();
        history.returned(Mono(at), id, ok(0));
    }
    assert!(history.invoked(Mono(2_000), 2, PayIn(7)).is_none());
    // It tells of what is not recorded.
    history.returned(Mono(3_000), open, ok(8));
    assert_eq!((history.check(), history.len()), (Ok(Verdict::Linearizable), HISTORY_OPERATIONS_MAX));
}

#[test]
fn a_history_that_is_too_hard_is_not_refused() {
    // Which of many different sums were paid in? None of them makes an odd balance.
    let mut made: Vec<Made> = (0..40).map(|at| (0, 1, PayIn(2 << at), Outcome::Unknown)).collect();
    made.push((2, 3, Look, ok(1)));
    assert_eq!(history(&made).check(), Ok(Verdict::Undecided));
}

//! `contracts.lock`: its text keeps numbers and refuses what would break clients in the field.

use lightmoon_contract::descriptor::LockProblem;
use lightmoon_contract::{Descriptor, contract, contracts, data};

/// What travels.
#[data]
#[derive(Clone, Debug, Default)]
pub(crate) enum Mood {
    /// Good.
    #[default]
    Good,
    /// Unknown.
    #[other]
    Other,
}

/// Somebody.
#[contract]
pub(crate) trait Somebody {
    /// Hello.
    #[operation]
    fn hello(mood: Mood);
    /// Bye.
    #[operation]
    fn bye();
}

contracts! { game = "test", contracts = [Somebody], lock = none }

fn without_comments(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

const FIRST: [&str; 5] = [
    "contract 1 Somebody",
    "operation 1 Somebody.hello",
    "operation 2 Somebody.bye",
    "variant 0 Mood.Good",
    "variant 1 Mood.Other",
];

fn changed(change: impl FnOnce(&mut Descriptor)) -> Descriptor {
    let mut descriptor = descriptor();
    change(&mut descriptor);
    descriptor
}

#[test]
fn the_first_lock_holds_all_numbers_and_the_next_one_is_the_same() {
    let first = descriptor().lock_text("").unwrap();
    assert_eq!(without_comments(&first), FIRST);
    assert_eq!(descriptor().lock_text(&first), Ok(first));
}

#[test]
fn what_is_new_stands_behind_what_was_there() {
    let first = descriptor().lock_text("").unwrap();
    let newer = changed(|descriptor| {
        let operations = &mut descriptor.contracts[0].operations;
        let mut new = operations[0].clone();
        (new.name, new.number) = ("again".into(), lightmoon_contract::OperationNumber(3));
        operations.insert(0, new);
    });
    let text = newer.lock_text(&first).unwrap();
    assert_eq!(
        without_comments(&text)[1..4],
        ["operation 1 Somebody.hello", "operation 2 Somebody.bye", "operation 3 Somebody.again"]
    );
}

#[test]
fn a_removal_is_refused_unless_it_is_retired() {
    let first = descriptor().lock_text("").unwrap();
    let shorter = changed(|descriptor| drop(descriptor.contracts[0].operations.pop()));
    let problem = shorter.lock_text(&first).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "operation `Somebody.bye` (number 2) is in contracts.lock but no longer in the code: clients in the field may \
         still use it. Put it back; or, if no such client is left, write `retired` in front of its line in contracts.lock"
    );
    let retired = first.replace("operation 2", "retired operation 2");
    let text = shorter.lock_text(&retired).unwrap();
    assert!(text.contains("\nretired operation 2 Somebody.bye\n"), "{text}");
}

#[test]
fn numbers_never_change_and_are_never_given_twice() {
    let first = descriptor().lock_text("").unwrap();
    let moved = changed(|descriptor| descriptor.contracts[0].operations[0].number.0 = 9);
    assert!(matches!(moved.lock_text(&first), Err(LockProblem::Changed { locked: 1, found: 9, .. })));
    let retired = format!("{first}retired operation 3 Somebody.old\n");
    let reused = changed(|descriptor| {
        let operations = &mut descriptor.contracts[0].operations;
        let mut new = operations[0].clone();
        (new.name, new.number) = ("new".into(), lightmoon_contract::OperationNumber(3));
        operations.push(new);
    });
    assert!(matches!(reused.lock_text(&retired), Err(LockProblem::Doubled { number: 3, .. })));
}

#[test]
fn a_damaged_lock_is_refused_by_its_line() {
    for (text, line) in
        [("contract one Somebody", 1), ("# x\n\noperation 1", 3), ("thing 1 a", 1), ("contract 1 a b", 1)]
    {
        let problem = descriptor().lock_text(text).unwrap_err();
        assert!(matches!(&problem, LockProblem::Line { line: found, .. } if *found == line), "{problem}");
    }
    let twice = descriptor().lock_text("contract 1 Somebody\ncontract 2 Somebody");
    assert!(matches!(twice, Err(LockProblem::DoubledName { .. })));
}

#[test]
fn tools_get_lock_and_descriptor_as_one_object() {
    let text = descriptor().for_tools("").unwrap();
    assert!(text.starts_with(r##"{"lock": "# The numbers of this crate's contracts"##), "{text}");
    assert!(
        text.contains(r#"\ncontract 1 Somebody\n"#) && text.contains(r#""descriptor": {"format": 1"#),
        "{text}"
    );
}

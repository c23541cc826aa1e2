//! What an operator sees of the state of actors and zones.

use bytes::Bytes;
use lightmoon_actor::{ActorKind, ActorState, Inspected, Inspection, Parcel, StateLook, limits};
use lightmoon_contract::codec::{Limits, decode};
use lightmoon_contract::descriptor::{Shape, TypeRef};
use lightmoon_contract::{ActorId, Contract, Data, Operation};
use lightmoon_durable::{Loaded, record};
use lightmoon_zone::{durable, world_actor};

use crate::arena::Arena;
use crate::desk::Desk;
use crate::game::Label;
use crate::goods::{Cargo, Till, first, fresh, yard};
use crate::world_actor::{BagContract, BankContract, Player, Teller, bag, bank, player};

fn look(desk: &mut Desk, entities_from: u64) -> StateLook {
    match desk.inspect(entities_from) {
        Some(Inspected::Shown(look)) => look,
        other => panic!("it shows itself, not {other:?}"),
    }
}

/// What a kind shows of what the desk stored.
fn stored(kind: &impl ActorKind, desk: &Desk, entities_from: u64) -> StateLook {
    let mut inspection = Inspection::new(entities_from);
    kind.inspect_stored(2, Box::new(desk.stored()), &mut inspection).unwrap();
    inspection.finish()
}

/// Whose each value is, and its name.
fn names(look: &StateLook) -> Vec<(Option<u64>, &str)> {
    look.values.iter().map(|value| (value.entity, value.name)).collect()
}

fn value<T: Data>(look: &StateLook, at: usize) -> T {
    decode(look.values[at].bytes.as_ref().unwrap(), Limits::NODE).unwrap()
}

/// Names of the fields of a value's type.
fn fields(look: &StateLook, at: usize) -> Vec<&str> {
    let TypeRef::Named(index) = look.values[at].kind else { panic!("a type with a name") };
    match &look.types.named(index).unwrap().shape {
        Shape::Struct { fields, .. } => fields.iter().map(|field| field.name.as_str()).collect(),
        Shape::Enum { .. } => panic!("a struct"),
    }
}

#[test]
fn an_actor_shows_the_state_that_it_has_now_and_saves_nothing_by_it() {
    let make = || Box::new(durable::<BankContract, Teller>()) as Box<dyn ActorKind>;
    let mut desk = Desk::new(ActorId::new(BankContract::KIND, 2), make);
    desk.ask(bank::PayIn { amount: 50 });
    desk.save(false);
    desk.ask(bank::PayIn { amount: 7 });
    let shown = look(&mut desk, 0);
    assert_eq!((names(&shown), fields(&shown, 0)), (vec![(None, "account")], vec!["balance"]));
    let balance: crate::world_actor::Account = value(&shown, 0);
    assert_eq!(balance.balance, 157, "not what was stored last");
    assert!(desk.save(false).is_some(), "looking is no save");
}

#[test]
fn what_is_stored_is_shown_as_an_actor_that_lives_would_show_it() {
    let make = || Box::new(durable::<BankContract, Teller>()) as Box<dyn ActorKind>;
    let mut desk = Desk::new(ActorId::new(BankContract::KIND, 2), make);
    desk.ask(bank::PayIn { amount: 50 });
    desk.save(false);
    let alive = look(&mut desk, 0);
    desk.ask(bank::PayIn { amount: 7 });
    assert_eq!(stored(&durable::<BankContract, Teller>(), &desk, 0), alive, "not what it has now");

    let mut desk = player();
    for number in 0..49 {
        desk.ask(bag::Put { name: format!("thing {number}") });
    }
    desk.save(false);
    let all = look(&mut desk, 0);
    let kind = world_actor::<BagContract, Player>();
    assert_eq!(stored(&kind, &desk, 0), all);
    let next = all.next.unwrap();
    assert_eq!(stored(&kind, &desk, next), look(&mut desk, next));
}

#[test]
fn stored_bytes_that_are_no_state_of_the_kind_are_an_error_with_its_name() {
    let kind = durable::<BankContract, Teller>();
    for state in
        [Bytes::from_static(b"nonsense"), record::seal("item", 1, &[]), record::seal("account", 99, &[])]
    {
        let parcel: Parcel = Box::new(Loaded { state: Some(state), ..Loaded::default() });
        let error = kind.inspect_stored(2, parcel, &mut Inspection::new(0)).unwrap_err();
        assert!(error.0.contains(BankContract::NAME), "{error}");
    }
}

#[test]
fn an_actor_whose_operation_waits_says_so() {
    let make = || Box::new(durable::<BankContract, Teller>()) as Box<dyn ActorKind>;
    let mut desk = Desk::new(ActorId::new(BankContract::KIND, 2), make);
    let answer = desk.begin(bank::Transfer { amount: 1 });
    let waits = ActorState::Waiting(<bank::Transfer as Operation>::SPEC.number);
    assert_eq!(desk.inspect(0), Some(Inspected::Away(waits)));
    desk.ticks(3);
    desk.take::<bank::Transfer>(answer);
    assert!(matches!(desk.inspect(0), Some(Inspected::Shown(_))));
}

#[test]
fn a_world_shows_its_resources_and_its_entities_part_by_part() {
    let mut desk = player();
    for number in 0..49 {
        desk.ask(bag::Put { name: format!("thing {number}") });
    }
    let all = look(&mut desk, 0);
    assert_eq!((all.entities, all.values[0].entity, all.values[0].name), (50, None, "weight"));
    assert_eq!(fields(&all, 0), ["letters", "sessions"]);
    assert_eq!((all.values.len() - 1, all.values[1].entity), (limits::INSPECTED_ENTITIES_MAX, Some(1)));
    let rest = look(&mut desk, all.next.unwrap());
    assert_eq!(rest.values.len() - 1 + limits::INSPECTED_ENTITIES_MAX, 50, "and no entity twice");
    assert_eq!(rest.next, None);
}

#[test]
fn a_zone_shows_what_is_kept_of_its_entities_and_what_clients_see_of_others() {
    let mut desk = fresh::<2>();
    desk.ask(yard::Earn { gold: 12 });
    desk.ask(yard::Load { id: first(2), number: 9 });
    desk.ask(yard::Hide { id: first(2), hidden: true });
    let shown = look(&mut desk, 0);
    let (one, two) = (Some(first(1).0), Some(first(2).0));
    // Both kept and seen: once.
    let expected =
        [(None, "till"), (one, "place"), (two, "cargo"), (two, "lightmoon.disabled"), (two, "place")];
    assert_eq!(names(&shown), expected);
    assert_eq!((value::<Till>(&shown, 0).gold, value::<Cargo>(&shown, 2).crates), (12, vec![9]));
    assert_eq!(names(&look(&mut desk, first(2).0))[1], (two, "cargo"));

    let mut arena = Arena::new(3);
    let id = arena.spawn("ann", 1.0, 2.0);
    let shown = arena.inspect(0);
    assert_eq!(shown.entities, 1);
    let at = shown.values.iter().position(|value| value.name == "Label").unwrap();
    assert_eq!((shown.values[at].entity, value::<Label>(&shown, at).name.as_str()), (Some(id.0), "ann"));
}

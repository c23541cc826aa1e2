//! The hash of a world.

use crate::arena::Arena;
use crate::game::space;

#[test]
fn the_hash_does_not_depend_on_archetypes_or_order_and_counts_the_disabled() {
    // The same two things; in the second world their components came in another order, over other archetypes.
    let mut first = Arena::new(1);
    let (a, b) = (first.spawn("a", 1.0, 2.0), first.spawn("b", 3.0, 4.0));
    first.tell(space::Heal { id: b.0, points: Some(7) });
    let mut second = Arena::new(99);
    assert_eq!((second.spawn("", 1.0, 2.0), second.spawn("", 3.0, 4.0)), (a, b));
    second.tell(space::Heal { id: b.0, points: Some(1) });
    second.tell(space::Heal { id: a.0, points: Some(1) });
    second.tell(space::Rename { id: b.0, name: "b".into() });
    second.tell(space::Rename { id: a.0, name: "a".into() });
    second.tell(space::Heal { id: a.0, points: None });
    second.tell(space::Heal { id: b.0, points: Some(7) });
    let hash = first.ask(space::Hash {}).unwrap();
    assert_eq!(second.ask(space::Hash {}).unwrap(), hash);
    assert_ne!(hash, 0);
    first.tell(space::Disable { id: a.0, hidden: true });
    assert_eq!(first.ask(space::Hash {}).unwrap(), hash, "a disabled thing is still there");
    first.tell(space::Place { id: b.0, x: 3.0, y: 4.5 });
    assert_ne!(first.ask(space::Hash {}).unwrap(), hash);
    first.tell(space::Remove { id: b.0 });
    second.tell(space::Remove { id: b.0 });
    assert_eq!(first.ask(space::Hash {}).unwrap(), second.ask(space::Hash {}).unwrap());
}

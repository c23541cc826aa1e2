//! The prelude beside that of bevy_ecs: whoever takes both by `*` can use every name of ours.

use bevy_ecs::prelude::*;
use lightmoon::prelude::*;

/// Takes each name out of the two globs, which fails to compile if both have it.
macro_rules! named {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        #[expect(unused_imports, reason = "they are here to be named")]
        mod named {
            $(use super::$name;)*
        }
    };
}

named! {
    App Extension Failure Game Ready Setting Settings Verb
    Actor Cx
    ActorId ActorRef CallError Caller Mono NetId Priority Reliability SessionId Tick contract contracts data replicate
    Authenticate Denied Identity
    ActorWorld AlwaysVisible Audience Avatar DurableActor First Host InterestOptions Last NetIdentity NetIds
    Optional Outgoing Overload TickRate Update Viewers WorldActor WorldBuilder Zone ZoneBuilder ZoneOptions ZoneRandom ZoneTime
}

#[test]
fn no_name_of_the_prelude_clashes_with_one_of_bevy_ecs() {
    let prelude = include_str!("../../src/prelude.rs");
    let code = prelude.lines().filter(|line| !line.starts_with("//")).collect::<String>();
    let lists = code.split("pub use ").skip(1).map(|list| list.split_once("::").unwrap().1);
    let words = lists.flat_map(|list| list.split(|letter: char| !letter.is_alphanumeric() && letter != '_'));
    let mut missing: Vec<&str> = words.filter(|word| !word.is_empty() && !NAMES.contains(word)).collect();
    missing.sort_unstable();
    assert!(missing.is_empty(), "name these above too, so that the compiler sees them: {missing:?}");
    // Something of theirs, so that their prelude is really here.
    let mut world = World::new();
    assert!(world.spawn_empty().get_ref::<Name>().is_none_or(|name: Ref<'_, Name>| name.is_added()));
}

//! A whole contracts crate without `unsafe`, without a warning and without another crate of ours.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub)]

use std::collections::BTreeMap;

use lightmoon_contract::{NetId, contract, contracts, data, replicate};

/// A point.
#[data(fixed)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Up.
    pub y: f32,
}

/// What happened.
#[data]
#[derive(Clone, Debug, Default)]
pub enum Event {
    /// Somebody moved.
    Moved(NetId, Point),
    /// Something was said.
    Said {
        /// What.
        text: String,
        /// To whom, and how loud.
        to: BTreeMap<u64, Option<u8>>,
    },
    /// Something else.
    #[default]
    #[other]
    Other,
}

/// A place.
#[contract(ticking)]
pub trait Space {
    /// Moves the caller.
    #[operation(client = zone, priority = high, reliability = unreliable_latest, rate = 60)]
    fn go(to: Point);
    /// Events since a tick.
    #[operation(client = zone)]
    fn events(since: u64, r#type: u8) -> Vec<Event>;
    /// Tells of an event.
    #[operation(push)]
    fn happened(event: Event);
}

/// Nobody may call it yet.
#[contract]
pub trait Empty {}

mod inner {
    use lightmoon_contract::contract;

    /// Of this module.
    #[contract(number = 70)]
    trait Private {
        #[operation]
        fn nothing(inside: u8);
    }

    /// Of the module around.
    #[contract(number = 71)]
    pub(super) trait Parents {
        #[operation]
        fn nothing(inside: u8);
    }

    pub(super) fn messages() -> (u8, u8) {
        (private::Nothing { inside: 1 }.inside, parents::Nothing { inside: 2 }.inside)
    }
}

/// Where it is.
#[replicate(state)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Pose {
    /// To the right.
    #[quantise(min = -10.0, max = 10.0, step = 0.5)]
    pub x: f32,
    /// Whether it stands.
    pub stands: bool,
}

/// Who it is.
#[replicate(sticky)]
#[derive(Clone, Debug, Default)]
pub struct Label(pub String);

contracts! { game = "example", contracts = [Space, Empty], components = [Pose, Label], lock = none }

mod host {
    use super::{Event, Point, Space};

    #[derive(Debug)]
    pub(super) struct Zone;

    impl<Cx> Space<Cx, Vec<Point>> for Zone {
        fn go(world: &mut Vec<Point>, _: &mut Cx, to: Point) {
            world.push(to);
        }

        fn events(_: &mut Vec<Point>, _: &mut Cx, _: u64, _: u8) -> Vec<Event> {
            Vec::new()
        }
    }
}

fn main() {
    assert_eq!(inner::messages(), (1, 2));
    assert_eq!(inner::parents::Nothing { inside: 3 }.inside, 3);
    let descriptor = descriptor();
    assert_eq!(descriptor.contracts.len(), 2);
    assert_eq!(descriptor.components.len(), 2);
    let go = space::Go { to: Point { x: 1.0, y: 2.0 } };
    let bytes = lightmoon_contract::codec::encode(&go);
    assert_eq!(bytes.len(), 9);
    let mut world = Vec::new();
    <SpaceContract as lightmoon_contract::call::ServeWorld<host::Zone, (), Vec<Point>>>::serve_world(
        &mut world,
        &mut (),
        lightmoon_contract::OperationNumber(1),
        lightmoon_contract::Body::Bytes(bytes.into()),
        lightmoon_contract::Form::Nothing,
    )
    .unwrap();
    assert_eq!(world, [Point { x: 1.0, y: 2.0 }]);
}

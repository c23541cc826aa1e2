//! Contracts: what the macro makes of a trait, used as actors, zones and clients use it.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use lightmoon_contract::call::{Serve, ServeWorld, Served};
use lightmoon_contract::codec::{Limits, decode, encode};
use lightmoon_contract::operation::{Aim, CallForm, Link, Rate, Target};
use lightmoon_contract::{
    ActorRef, Body, CallError, Contract, Form, Lane, NetId, Operation, OperationNumber, Priority,
    Reliability, contract, data,
};

/// Controls.
#[data]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Steer {
    thrust: f32,
}

/// A place with ships.
#[contract(ticking, number = 3)]
pub(crate) trait Space {
    /// Sets the controls.
    #[operation(client = zone, priority = high, reliability = unreliable_latest, rate = 60, burst = 90)]
    fn steer(steer: Steer);
    /// Puts a ship in.
    #[operation(priority = high, timeout_ms = 5000)]
    fn spawn(player: u64, name: String) -> NetId;
    /// Somebody said something.
    #[operation(push, priority = low, number = 9)]
    fn said(text: String);
    /// Is done when it returns.
    #[operation(ack)]
    fn clear();
}

/// A player.
#[contract(number = 4)]
pub(crate) trait Pilot {
    /// Comes in.
    #[operation(client = own)]
    async fn enter(name: String) -> Result<u64, String>;
    /// Counts.
    #[operation]
    fn count(by: u32);
    /// Runs by itself.
    #[operation(every_ms = 500)]
    fn beat();
    /// Waits, gives nothing.
    #[operation(client = any, reliability = reliable_unordered)]
    async fn nap(#[required] of: ActorRef<PilotContract>);
}

/// A context that remembers what was done through it.
#[derive(Clone, Default)]
struct Cx(Rc<RefCell<Vec<String>>>);

impl Cx {
    fn note(&self, what: impl Into<String>) {
        self.0.borrow_mut().push(what.into());
    }
}

struct Zone;

impl Space<Cx, Vec<f32>> for Zone {
    fn steer(world: &mut Vec<f32>, cx: &mut Cx, steer: Steer) {
        cx.note("steer");
        world.push(steer.thrust);
    }

    fn spawn(world: &mut Vec<f32>, _: &mut Cx, player: u64, _: String) -> NetId {
        NetId::from_parts(u32::try_from(world.len()).unwrap(), player)
    }

    fn clear(world: &mut Vec<f32>, _: &mut Cx) {
        world.clear();
    }
}

#[derive(Default)]
struct Player {
    count: u32,
}

impl Pilot<Cx> for Player {
    async fn enter(&mut self, cx: &mut Cx, name: String) -> Result<u64, String> {
        cx.note("entering");
        let mut polled = false;
        std::future::poll_fn(|_| {
            if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        cx.note("entered");
        self.count += 1;
        if name.is_empty() { Err("nobody".into()) } else { Ok(self.count.into()) }
    }

    fn count(&mut self, _: &mut Cx, by: u32) {
        self.count += by;
    }

    fn beat(&mut self, cx: &mut Cx) {
        cx.note("beat");
    }

    async fn nap(&mut self, _: &mut Cx, _: ActorRef<PilotContract>) {}
}

fn number<O: Operation>() -> OperationNumber {
    O::SPEC.number
}

#[test]
fn a_world_is_served_typed_and_from_bytes() {
    let (mut world, mut cx) = (Vec::new(), Cx::default());
    let steer = space::Steer { steer: Steer { thrust: 0.5 } };
    let bytes = Body::Bytes(encode(&steer).into());
    let mut serve = |number, body, form| {
        <SpaceContract as ServeWorld<Zone, Cx, Vec<f32>>>::serve_world(
            &mut world, &mut cx, number, body, form,
        )
    };
    assert!(serve(number::<space::Steer>(), Body::typed(steer), Form::Nothing).unwrap().is_none());
    assert!(serve(number::<space::Steer>(), bytes, Form::Nothing).unwrap().is_none());
    let spawn = Body::typed(space::Spawn { player: 7, name: "x".into() });
    let Ok(Some(Body::Bytes(answer))) = serve(number::<space::Spawn>(), spawn, Form::Bytes) else {
        panic!("no bytes")
    };
    assert_eq!(decode(&answer, Limits::CLIENT), Ok(NetId::from_parts(2, 7)));
    let clear = serve(number::<space::Clear>(), Body::empty_message(), Form::Typed).unwrap().unwrap();
    assert_eq!(clear.open::<()>(Limits::CLIENT), Ok(()));
    assert!(world.is_empty());
    assert_eq!(*cx.0.borrow(), ["steer", "steer"]);
}

#[test]
fn what_cannot_be_served_is_refused_by_name() {
    let (mut world, mut cx) = (Vec::new(), Cx::default());
    let mut serve = |number, body| {
        <SpaceContract as ServeWorld<Zone, Cx, Vec<f32>>>::serve_world(
            &mut world,
            &mut cx,
            number,
            body,
            Form::Typed,
        )
    };
    let unknown = OperationNumber(77);
    assert_eq!(serve(unknown, Body::empty_message()).unwrap_err(), CallError::NoSuchOperation(unknown));
    let push = number::<space::Said>();
    assert_eq!(
        serve(push, Body::empty_message()).unwrap_err(),
        CallError::NoSuchOperation(push),
        "clients serve pushes"
    );
    let garbage = serve(number::<space::Steer>(), Body::Bytes(vec![9].into())).unwrap_err();
    assert!(matches!(garbage, CallError::BadArguments(_)), "{garbage}");
    let other = serve(number::<space::Steer>(), Body::typed(5u8)).unwrap_err();
    assert!(matches!(other, CallError::WrongType(_)), "{other}");
    assert!(world.is_empty());
}

#[test]
fn a_waiting_operation_takes_the_actor_with_it_and_brings_it_back() {
    let mut cx = Cx::default();
    let body = Body::typed(pilot::Enter { name: "Ann".into() });
    let served = PilotContract::serve(
        Box::new(Player::default()),
        &mut cx,
        number::<pilot::Enter>(),
        body,
        Form::Typed,
    );
    let Served::Waits(mut waiting) = served else { panic!("did not wait") };
    assert!(cx.0.borrow().is_empty(), "nothing runs before the first poll");
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    let Poll::Ready((player, answer)) = waiting.as_mut().poll(&mut context) else { panic!("still waits") };
    assert_eq!(player.count, 1);
    let answer = answer.unwrap().unwrap().open::<Result<u64, String>>(Limits::CLIENT).unwrap();
    assert_eq!(answer, Ok(1));
    assert_eq!(*cx.0.borrow(), ["entering", "entered"]);
}

#[test]
fn a_plain_operation_is_served_at_once() {
    let mut cx = Cx::default();
    let mut player = Box::new(Player::default());
    for body in [Body::typed(pilot::Count { by: 2 }), Body::Bytes(encode(&pilot::Count { by: 3 }).into())] {
        let served = PilotContract::serve(player, &mut cx, number::<pilot::Count>(), body, Form::Nothing);
        let Served::Done(back, Ok(None)) = served else { panic!("{served:?}") };
        player = back;
    }
    assert_eq!(player.count, 5);
    let served =
        PilotContract::serve(player, &mut cx, number::<pilot::Beat>(), Body::empty_message(), Form::Nothing);
    assert!(matches!(served, Served::Done(_, Ok(None))));
    assert_eq!(*cx.0.borrow(), ["beat"]);
}

#[test]
fn a_spec_says_what_the_attributes_said() {
    let spec = space::Steer::SPEC;
    assert_eq!((spec.name, spec.number, spec.form), ("steer", OperationNumber(10), CallForm::OneWay));
    assert_eq!(spec.lane, Lane::new(Priority::High, Reliability::UnreliableLatest));
    assert_eq!((spec.aim, spec.rate), (Some(Aim::Zone), Rate { per_second: 60, burst: 90 }));
    let spawn = space::Spawn::SPEC;
    assert_eq!((spawn.form, spawn.timeout_ms, spawn.aim), (CallForm::Request, 5000, None));
    let said = space::Said::SPEC;
    assert_eq!((said.form, said.number), (CallForm::Push, OperationNumber(9)));
    assert_eq!(space::Clear::SPEC.form, CallForm::Request);
    let enter = pilot::Enter::SPEC;
    assert_eq!(enter.lane, Lane::new(Priority::Normal, Reliability::ReliableOrdered));
    assert_eq!((enter.rate, enter.timeout_ms), (Rate { per_second: 30, burst: 30 }, 10_000));
    assert_eq!(pilot::Beat::SPEC.every_ms, Some(500));
    assert_eq!((SpaceContract::NAME, SpaceContract::SPEC.ticking), ("Space", true));
    assert_eq!(SpaceContract::SPEC.operation(OperationNumber(9)), Some(&said));
}

/// A link that writes down what it is given.
#[derive(Default)]
struct Wire(Vec<(Target, &'static str, Vec<u8>)>);

impl Link for Wire {
    type Told = usize;
    type Asked<O: Operation> = &'static str;

    fn tell<O: Operation>(&mut self, to: Target, message: O) -> usize {
        self.0.push((to, O::SPEC.name, encode(&message)));
        self.0.len()
    }

    fn ask<O: Operation>(&mut self, to: Target, message: O) -> &'static str {
        self.tell(to, message);
        std::any::type_name::<O::Reply>()
    }
}

#[test]
fn a_proxy_sends_each_operation_as_its_message() {
    let mut wire = Wire::default();
    assert_eq!(SpaceContract::proxy(&mut wire, Target::Zone).steer(Steer { thrust: 1.0 }), 1);
    let to = ActorRef::<PilotContract>::new(8);
    let reply = PilotContract::proxy(&mut wire, to.into()).enter("Ann".into());
    assert!(reply.contains("Result<u64"), "{reply}");
    assert_eq!(wire.0[0], (Target::Zone, "steer", vec![5, 4, 0, 0, 0x80, 0x3F]));
    assert_eq!(wire.0[1], (Target::Actor(to.id()), "enter", vec![4, 3, b'A', b'n', b'n']));
}

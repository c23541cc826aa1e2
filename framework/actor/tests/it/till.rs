//! A kind that is kept: tills that count money, stored as one number.

use std::cell::RefCell;
use std::time::Duration;

use lightmoon_actor::{
    Activation, ActorKind, Cx, Inspection, Keeping, Kept, Parcel, Save, Told, Unreadable, Unsavable,
    ValueKind,
};
use lightmoon_contract::call::{Body, Form, Serve, Served};
use lightmoon_contract::operation::OperationSpec;
use lightmoon_contract::{
    ActorRef, Caller, Contract, Data as _, OperationNumber, SessionId, codec, contract,
};

/// What a till can be made to do.
#[contract]
pub trait Till {
    /// Pays in; the answer is what is there then.
    #[operation(durability = sync, log)]
    fn pay(amount: u64) -> u64;
    /// As pay, and tells another till before it answers.
    #[operation(durability = sync)]
    fn pay_and_tell(amount: u64, other: u64) -> u64;
    /// Asks another till to be paid first, pays in, and tells the session that called.
    #[operation(durability = sync)]
    async fn pay_after(amount: u64, other: u64) -> u64;
    /// A `sync` operation that changes nothing.
    #[operation(durability = sync, ack)]
    fn look_hard();
    /// Pays in, to be saved some time.
    #[operation(ack)]
    fn pay_lazily(amount: u64);
    /// As pay_lazily, but not as lazily.
    #[operation(ack, max_loss_ms = 1000)]
    fn pay_soon(amount: u64);
    /// Says what is there.
    #[operation(durability = none)]
    fn look() -> u64;
    /// Notes that it was called.
    #[operation(durability = none)]
    fn told(amount: u64);
    /// Panics after paying in.
    #[operation(durability = sync, ack)]
    fn explode();
    /// Waits.
    #[operation(ack)]
    async fn wait();
    /// Pays in what another till gave; 666 is torn up.
    #[operation(reliability = exactly_once)]
    fn receive(amount: u64);
    /// As receive, to be saved some time.
    #[operation(reliability = exactly_once, durability = behind)]
    fn receive_lazily(amount: u64);
    /// Takes out what another till receives.
    #[operation(durability = sync)]
    fn give(amount: u64, other: u64) -> bool;
    /// As give, to be saved some time.
    #[operation(ack)]
    fn give_lazily(amount: u64, other: u64);
    /// As give, and waits before it is done.
    #[operation(ack)]
    async fn give_slowly(amount: u64, other: u64);
    /// As give, as often as it can; how often.
    #[operation(durability = sync)]
    fn give_all(other: u64) -> u32;
    /// Receives bytes.
    #[operation(reliability = exactly_once)]
    fn receive_bytes(bytes: Vec<u8>);
    /// Gives bytes.
    #[operation(durability = sync)]
    fn give_bytes(size: u64, other: u64) -> bool;
    /// Pays, and says much.
    #[operation(durability = sync)]
    fn pay_verbosely(amount: u64) -> Vec<u8>;
    /// Pays, and shows it many times to the session that called.
    #[operation(durability = sync)]
    fn pay_and_show(amount: u64, times: u32) -> u64;
    /// Says what is there, to a client.
    #[operation(push)]
    fn shows(amount: u64);
}

thread_local! {
    static TOLD: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// What tills were told.
pub(crate) fn take_told() -> Vec<u64> {
    TOLD.take()
}

/// The state as it is stored; `None`: never stored.
pub(crate) type Stored = Option<u64>;

/// The money that no till can save.
pub(crate) const UNSAVABLE: u64 = 13;

#[derive(Debug, Default)]
pub(crate) struct Money {
    amount: u64,
    saved: Option<u64>,
}

impl Till<Cx> for Money {
    fn pay(&mut self, _: &mut Cx, amount: u64) -> u64 {
        self.amount += amount;
        self.amount
    }

    fn pay_and_tell(&mut self, cx: &mut Cx, amount: u64, other: u64) -> u64 {
        self.amount += amount;
        let _told: Told = cx.to(ActorRef::<TillContract>::new(other)).told(self.amount);
        self.amount
    }

    async fn pay_after(&mut self, cx: &mut Cx, amount: u64, other: u64) -> u64 {
        let there = cx.to(ActorRef::<TillContract>::new(other)).look().await.unwrap_or(0);
        self.amount += amount + there;
        if let Caller::Client { session, .. } = cx.caller() {
            cx.push(session, till::Shows { amount: self.amount });
        }
        self.amount
    }

    fn look_hard(&mut self, _: &mut Cx) {}

    fn pay_lazily(&mut self, _: &mut Cx, amount: u64) {
        self.amount += amount;
    }

    fn pay_soon(&mut self, _: &mut Cx, amount: u64) {
        self.amount += amount;
    }

    fn look(&mut self, _: &mut Cx) -> u64 {
        self.amount
    }

    fn told(&mut self, _: &mut Cx, amount: u64) {
        TOLD.with_borrow_mut(|told| told.push(amount));
    }

    fn receive(&mut self, _: &mut Cx, amount: u64) {
        assert!(amount != 666, "the note is torn");
        self.amount += amount;
    }

    fn receive_lazily(&mut self, _: &mut Cx, amount: u64) {
        self.amount += amount;
    }

    fn give(&mut self, cx: &mut Cx, amount: u64, other: u64) -> bool {
        let is_sent = cx.to(ActorRef::<TillContract>::new(other)).receive(amount).is_ok();
        self.amount -= if is_sent { amount } else { 0 };
        is_sent
    }

    fn give_lazily(&mut self, cx: &mut Cx, amount: u64, other: u64) {
        self.give(cx, amount, other);
    }

    async fn give_slowly(&mut self, cx: &mut Cx, amount: u64, other: u64) {
        self.give(cx, amount, other);
        cx.sleep(Duration::from_secs(5)).await;
    }

    fn give_all(&mut self, cx: &mut Cx, other: u64) -> u32 {
        let mut count = 0;
        while self.amount > 0 && self.give(cx, 1, other) {
            count += 1;
        }
        count
    }

    fn pay_and_show(&mut self, cx: &mut Cx, amount: u64, times: u32) -> u64 {
        self.amount += amount;
        if let Caller::Client { session, .. } = cx.caller() {
            (0..times).for_each(|_| cx.push(session, till::Shows { amount: self.amount }));
        }
        self.amount
    }

    fn receive_bytes(&mut self, _: &mut Cx, bytes: Vec<u8>) {
        self.amount += bytes.len() as u64;
    }

    fn give_bytes(&mut self, cx: &mut Cx, size: u64, other: u64) -> bool {
        self.amount += 1;
        cx.to(ActorRef::<TillContract>::new(other))
            .receive_bytes(vec![0; usize::try_from(size).expect("a size in memory")])
            .is_ok()
    }

    fn pay_verbosely(&mut self, _: &mut Cx, amount: u64) -> Vec<u8> {
        self.amount += amount;
        vec![0; 5000]
    }

    fn explode(&mut self, _: &mut Cx) {
        self.amount += 1_000;
        panic!("the till is torn");
    }

    async fn wait(&mut self, cx: &mut Cx) {
        cx.sleep(Duration::from_secs(5)).await;
    }
}

/// Makes tills.
#[derive(Debug, Default)]
pub(crate) struct TillKind {
    /// Tills that are copied now and then: only the copies hold what is behind.
    pub(crate) snapshot_every: Option<Duration>,
}

/// A till that is alive, and whether it is copied.
struct Live(Option<Box<Money>>, bool);

impl ActorKind for TillKind {
    fn activate(&self, _: &mut Cx, key: u64) -> Box<dyn Activation> {
        panic!("till {key} was activated without what is stored of it");
    }

    fn operations(&self) -> &'static [OperationSpec] {
        TillContract::SPEC.operations
    }

    fn keeping(&self) -> Option<Keeping> {
        Some(Keeping { snapshot_every: self.snapshot_every, ..Keeping::default() })
    }

    fn restore(&self, _: &mut Cx, _: u64, stored: Parcel) -> Result<Box<dyn Activation>, Unreadable> {
        let stored = stored.downcast::<Stored>().expect("tests store numbers");
        if *stored == Some(u64::MAX) {
            return Err(Unreadable("that much money was written by a newer build".to_owned()));
        }
        let money = Money { amount: stored.unwrap_or(0), saved: *stored };
        Ok(Box::new(Live(Some(Box::new(money)), self.snapshot_every.is_some())))
    }

    fn inspect_stored(&self, _: u64, stored: Parcel, to: &mut Inspection) -> Result<(), Unreadable> {
        let stored = stored.downcast::<Stored>().expect("tests store numbers");
        let amount = stored.expect("nothing is shown of nothing");
        assert!(amount != UNSAVABLE, "thirteen cannot be seen");
        if amount == u64::MAX {
            return Err(Unreadable("that much money was written by a newer build".to_owned()));
        }
        to.show(None, ValueKind { name: "money", describe: u64::describe }, &codec::encode(&amount));
        Ok(())
    }
}

impl Activation for Live {
    fn serve(
        mut self: Box<Self>,
        cx: &mut Cx,
        number: OperationNumber,
        body: Body,
        form: Form,
    ) -> Served<Box<dyn Activation>> {
        if number.is_reserved() {
            return Served::Done(self, Ok(None));
        }
        let money = self.0.take().expect("one operation at a time");
        match <TillContract as Serve<Money, Cx>>::serve(money, cx, number, body, form) {
            Served::Done(money, result) => {
                self.0 = Some(money);
                Served::Done(self, result)
            }
            Served::Waits(waiting) => Served::Waits(Box::pin(async move {
                let (money, result) = waiting.await;
                self.0 = Some(money);
                (self as Box<dyn Activation>, result)
            })),
        }
    }

    fn alarm(&mut self, _: &mut Cx) {}

    fn save(&mut self, what: Save) -> Result<Kept, Unsavable> {
        let copies = self.1;
        let money = self.0.as_mut().expect("no operation waits");
        if money.amount == UNSAVABLE {
            return Err(Unsavable("thirteen cannot be saved".to_owned()));
        }
        if copies {
            let parcel = what.snapshot.then(|| Box::new(money.amount) as Parcel);
            return Ok(Kept { parcel, in_commit: false, bytes: 8 });
        }
        if money.saved == Some(money.amount) {
            return Ok(Kept::default());
        }
        money.saved = Some(money.amount);
        Ok(Kept { parcel: Some(Box::new(money.amount)), in_commit: true, bytes: 8 })
    }
}

/// A session's caller.
pub(crate) const fn client() -> Caller {
    Caller::Client { session: SessionId(77), player: 77 }
}

//! What the words of `#[operation]` cannot say together.

use lightmoon_contract::contract;

#[contract]
trait SaysNothing {
    fn silent();
}

#[contract]
trait UnknownWord {
    #[operation(speed = 3)]
    fn fly();
}

#[contract]
trait UnknownChoice {
    #[operation(priority = urgent)]
    fn fly();
}

#[contract]
trait Twice {
    #[operation(rate = 3, client = own, rate = 4)]
    fn fly();
}

#[contract(ticking)]
trait AsyncInAWorld {
    #[operation]
    async fn wait();
}

#[contract]
trait UnreliableRequest {
    #[operation(reliability = unreliable)]
    fn ask() -> u8;
}

#[contract]
trait UnreliableAck {
    #[operation(ack, reliability = unreliable_latest)]
    fn ask();
}

#[contract]
trait AckedValue {
    #[operation(ack)]
    fn ask() -> u8;
}

#[contract]
trait EmptyAnswer {
    #[operation]
    fn ask() -> ();
}

#[contract]
trait PushFromClient {
    #[operation(push, client = own)]
    fn told();
}

#[contract]
trait PushWithAnswer {
    #[operation(push)]
    fn told() -> u8;
}

#[contract]
trait ExactlyOnceFromClient {
    #[operation(client = own, reliability = exactly_once)]
    fn give();
}

#[contract]
trait ExactlyOnceAnswered {
    #[operation(reliability = exactly_once)]
    fn give() -> u32;
}

#[contract]
trait ExactlyOnceWaiting {
    #[operation(reliability = exactly_once)]
    async fn give();
}

#[contract]
trait ExactlyOnceForgotten {
    #[operation(reliability = exactly_once, durability = none)]
    fn give();
}

#[contract]
trait ExactlyOncePushed {
    #[operation(push, reliability = exactly_once)]
    fn given();
}

#[contract]
trait ExactlyOnceRepeated {
    #[operation(reliability = exactly_once, every_ms = 100)]
    fn give();
}

#[contract]
trait Unlocked {
    #[operation(lock = none)]
    async fn give();
}

#[contract]
trait RateOfNobody {
    #[operation(rate = 5)]
    fn give();
}

#[contract]
trait TimeoutOfNothing {
    #[operation(timeout_ms = 5)]
    fn give();
}

#[contract]
trait RepeatedWithArguments {
    #[operation(every_ms = 5)]
    fn beat(a: u8);
}

#[contract]
trait RepeatedRequest {
    #[operation(every_ms = 5)]
    fn beat() -> u8;
}

#[contract]
trait SameNumbers {
    #[operation(number = 5)]
    fn first();
    #[operation(number = 5)]
    fn second();
}

fn main() {}

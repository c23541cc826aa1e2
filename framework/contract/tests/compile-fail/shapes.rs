//! What no contract has.

use lightmoon_contract::contract;

#[contract]
trait Receiver {
    #[operation]
    fn fly(&self);
}

#[contract]
trait Reference {
    #[operation]
    fn fly(to: &str);
}

#[contract]
trait Body {
    #[operation]
    fn fly() {}
}

#[contract]
trait Parameters<T> {
    #[operation]
    fn fly(to: T);
}

#[contract]
trait OperationParameters {
    #[operation]
    fn fly<T>(to: T);
}

#[contract]
trait Constant {
    const SPEED: u8;
}

#[contract]
trait Pattern {
    #[operation]
    fn fly((x, y): (u8, u8));
}

#[contract]
trait TakenName {
    #[operation]
    fn fly(cx: u8);
}

#[contract(fast)]
trait UnknownWord {}

#[contract]
trait ANameThatIsMuchLongerThanAnybodyWouldEverWantToReadOrWriteInTheirGame {}

#[contract]
struct NoTrait;

fn main() {}

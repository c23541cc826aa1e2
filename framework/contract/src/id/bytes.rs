//! Byte forms of ids and times.
//!
//! *Responsible for*: fixed layouts that never change. *Not responsible for*: `Mono`, which means nothing in another
//! process and so does not travel.

use crate::codec::{Data, DecodeError, Reader, Writer};
use crate::descriptor::{FieldEntry, Shape, TypeRef, TypeTable};
use crate::{ActorId, ActorRef, Contract, ErrorCode, Kind, NetId, OperationNumber, SessionId, Tick, Utc};

macro_rules! newtypes {
    ($($type:ident($inside:ty), $docs:literal;)*) => {$(
        impl Data for $type {
            const MIN_BYTES: usize = <$inside as Data>::MIN_BYTES;

            #[inline]
            fn write(&self, to: &mut Writer) {
                self.0.write(to);
            }

            #[inline]
            fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                <$inside>::read(from).map(Self)
            }

            fn describe(table: &mut TypeTable) -> TypeRef {
                table.named::<Self>(stringify!($type), $docs, |table| {
                    Shape::fixed(vec![FieldEntry::new("0", <$inside>::describe(table))])
                })
            }
        }
    )*};
}

newtypes! {
    Kind(u16), "The number of a kind of actor.";
    NetId(u64), "The identity of a replicated entity; 0 is none.";
    SessionId(u64), "A client's connection that outlives its sockets.";
    OperationNumber(u16), "The number of an operation within its contract.";
    Tick(u64), "Steps of one zone.";
    Utc(i64), "Milliseconds since 1970-01-01 UTC.";
    ErrorCode(u16), "The stable number of an error.";
}

impl Data for ActorId {
    const MIN_BYTES: usize = 2;

    #[inline]
    fn write(&self, to: &mut Writer) {
        self.kind.write(to);
        self.key.write(to);
    }

    #[inline]
    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { kind: from.get()?, key: from.get()? })
    }

    fn describe(table: &mut TypeTable) -> TypeRef {
        table.named::<Self>("ActorId", "The name of an actor.", |table| {
            Shape::fixed(vec![
                FieldEntry::new("kind", Kind::describe(table)),
                FieldEntry::new("key", u64::describe(table)),
            ])
        })
    }
}

/// Only the key travels: the contract of the field says the kind.
impl<C: Contract> Data for ActorRef<C> {
    const MIN_BYTES: usize = 1;

    fn write(&self, to: &mut Writer) {
        self.key().write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        from.get().map(Self::new)
    }

    fn describe(_: &mut TypeTable) -> TypeRef {
        TypeRef::Ref(C::NAME.to_owned())
    }
}

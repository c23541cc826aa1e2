//! Whether a client may make a call, and which actor it is for.
//!
//! *Responsible for*: form, aim and lane of a call against its contract. *Not responsible for*: rates and limits of
//! sessions, delivering.
//!
//! Invariants:
//! - I1: a client reaches its own player, the zone it is attached to, or what the contract opened with `client = any`;
//!   nothing else. Of zones only those that the game starts: naming one must not make it.

use lightmoon_contract::operation::{Aim, CallForm, OperationSpec, Target};
use lightmoon_contract::{ActorId, CallError, Kind};
use lightmoon_wire::IncomingCall;

use super::session::Session;
use crate::game::Operations;

/// The operation that a call names and the actor it goes to.
///
/// # Errors
/// What the client did wrong; nothing was delivered.
pub(crate) fn route(
    operations: &Operations,
    player_kind: Kind,
    session: &Session,
    call: &IncomingCall,
) -> Result<(&'static OperationSpec, ActorId), CallError> {
    let spec = operations.find(call.kind, call.number).ok_or(CallError::NoSuchOperation(call.number))?;
    let wants_answer = call.request.is_some();
    let fits = match spec.form {
        CallForm::Request => wants_answer,
        CallForm::OneWay => !wants_answer,
        CallForm::Push => false,
    };
    if !fits || call.lane != spec.lane {
        return Err(CallError::NotAllowed);
    }
    let to = aimed_at(spec.aim.ok_or(CallError::NotAllowed)?, player_kind, session, call)?;
    if call.target != Target::Zone && !operations.may_be_named(to) {
        return Err(CallError::NotAllowed);
    }
    Ok((spec, to))
}

fn aimed_at(
    aim: Aim,
    player_kind: Kind,
    session: &Session,
    call: &IncomingCall,
) -> Result<ActorId, CallError> {
    let own = ActorId::new(player_kind, session.player);
    let to = match (call.target, aim) {
        (Target::Own, Aim::Own | Aim::Any) => own,
        (Target::Zone, Aim::Zone | Aim::Any) => session.attached.ok_or(CallError::NotAttached)?.zone,
        (Target::Actor(id), Aim::Any) => id,
        // Naming oneself or one's zone by its id is as good as by its role.
        (Target::Actor(id), Aim::Own) if id == own => id,
        (Target::Actor(id), Aim::Zone) if session.attached.is_some_and(|attached| attached.zone == id) => id,
        (Target::Own | Target::Zone | Target::Actor(_), Aim::Own | Aim::Zone) => {
            return Err(CallError::NotAllowed);
        }
    };
    if to.kind == call.kind { Ok(to) } else { Err(CallError::NotAllowed) }
}

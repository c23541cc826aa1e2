//! The committed `contracts.lock` is the one that the code asks for.

#![forbid(unsafe_code)]

use game_sample_contracts::{Label, Pose, Role, Sector, SectorContract, descriptor};
use lightmoon_contract::call::ServeWorld;
use lightmoon_contract::codec::{Limits, decode, encode};
use lightmoon_contract::{Body, CallError, Form, Operation, Replicate};

#[test]
fn the_lock_is_current() {
    let lock = include_str!("../contracts.lock");
    assert_eq!(
        descriptor().lock_text(lock).as_deref(),
        Ok(lock),
        "run `cargo xtask contracts` and commit contracts.lock"
    );
    let contracts = descriptor().contracts;
    assert!(contracts.iter().all(|contract| !contract.provisional), "the lock was not read while compiling");
    assert!(
        contracts.iter().flat_map(|contract| &contract.operations).all(|operation| !operation.provisional)
    );
}

#[test]
fn the_descriptor_fits_into_a_handshake() {
    assert!(descriptor().fits_handshake());
}

#[test]
fn a_pose_is_44_bits() {
    assert_eq!(Pose::SPEC.fields.iter().map(|field| u32::from(field.bits)).sum::<u32>(), 16 + 16 + 10 + 2);
}

#[test]
fn a_role_of_a_newer_game_is_some_other_role() {
    let label = Label { name: "Moth".to_owned(), hue: 200, role: Role::Crystal };
    let mut bytes = encode(&label);
    assert_eq!(decode(&bytes, Limits::CLIENT), Ok(label.clone()));
    let role = bytes.len() - 2;
    bytes[role] = 77;
    assert_eq!(decode(&bytes, Limits::CLIENT), Ok(Label { role: Role::Other, ..label }));
}

/// A sector that only counts what it is asked.
struct Counter;

impl Sector<(), u32> for Counter {
    fn steer(world: &mut u32, (): &mut (), _: game_sample_contracts::Steer) {
        *world += 1;
    }

    fn say(world: &mut u32, (): &mut (), _: String) {
        *world += 10;
    }

    fn spawn(
        _: &mut u32,
        (): &mut (),
        _: u64,
        _: String,
        _: u16,
        _: game_sample_contracts::Entry,
    ) -> Result<game_sample_contracts::Spawned, game_sample_contracts::SpawnRefused> {
        Err(game_sample_contracts::SpawnRefused::Closing)
    }

    fn remove(_: &mut u32, (): &mut (), _: u64) {}

    fn moor(_: &mut u32, (): &mut (), _: u64) -> Option<game_sample_contracts::Place> {
        None
    }

    fn take(
        _: &mut u32,
        (): &mut (),
        _: u64,
        _: lightmoon_contract::NetId,
    ) -> Result<game_sample_contracts::Taken, game_sample_contracts::TakeRefused> {
        Err(game_sample_contracts::TakeRefused::NoShip)
    }

    fn pilot_of(
        _: &mut u32,
        (): &mut (),
        _: lightmoon_contract::NetId,
    ) -> Option<game_sample_contracts::Flown> {
        None
    }
}

#[test]
fn an_empty_steer_of_an_older_client_drifts() -> Result<(), CallError> {
    let mut world = 0;
    let number = game_sample_contracts::sector::Steer::SPEC.number;
    let body = Body::Bytes(vec![0].into());
    <SectorContract as ServeWorld<Counter, (), u32>>::serve_world(
        &mut world,
        &mut (),
        number,
        body,
        Form::Nothing,
    )?;
    assert_eq!(world, 1);
    Ok(())
}

//! bevy_replicon: a server without a transport, and as many clients that really receive and acknowledge.
//!
//! *Responsible for*: the workload, its time and bytes. *Not responsible for*: sockets; messages go from queue to queue,
//! outside of the time that counts.
//!
//! The time is that of moving all entities and of one update of the server, in which replicon ticks once. Places are
//! integers of the width that ours has (1/64 m, a byte of direction), so that nobody pays for floats.

use std::time::Instant;

use bevy::prelude::*;
use bevy::state::app::StatesPlugin;
use bevy_replicon::prelude::*;
use bevy_replicon::server::visibility::client_visibility::ClientVisibility;
use bevy_replicon::server::visibility::filters_mask::FilterBit;
use bevy_replicon::server::visibility::registry::FilterRegistry;
use bevy_replicon::shared::replication::registry::ReplicationRegistry;
use bevy_replicon::test_app::{ServerTestAppExt as _, TestClientEntity};
use serde::{Deserialize, Serialize};

use crate::{Cost, Workload};

/// Where something is: x, z, direction.
#[derive(Component, Clone, Copy, Serialize, Deserialize)]
struct Place {
    x: u32,
    z: u32,
    yaw: u8,
}

/// Ticks before those that count: spawns are sent and acknowledged.
const WARM_UP: usize = 10;

/// Runs the workload.
pub(crate) fn measure(workload: Workload) -> Cost {
    let mut server = app();
    let mut clients: Vec<App> = (0..workload.clients).map(|_| app()).collect();
    for client in &mut clients {
        server.connect_client(client);
    }
    let entities: Vec<Entity> = (0..workload.entities)
        .map(|index| {
            let at = u32::try_from(index).unwrap_or(0) * 61 % 200_000;
            server.world_mut().spawn((Replicated, Place { x: at + 1_000, z: 100_000 + at / 2, yaw: 7 })).id()
        })
        .collect();
    hide(&mut server, &clients, &entities, workload.visible);

    let (mut times, mut bytes) = (Vec::new(), 0);
    for round in 0..WARM_UP + workload.rounds {
        let began = Instant::now();
        step(&mut server, round);
        server.update();
        let took = began.elapsed();
        let sent: usize = server
            .world()
            .resource::<ServerMessages>()
            .iter_sent()
            .map(|(_, _, message)| message.len())
            .sum();
        for client in &mut clients {
            server.exchange_with_client(client);
            client.update();
            server.exchange_with_client(client);
        }
        if round >= WARM_UP {
            times.push(took.as_secs_f64() * 1e6);
            bytes += sent;
        }
    }
    check(&mut clients, workload.visible);
    times.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let bytes = bytes as f64 / (workload.rounds * workload.clients) as f64;
    Cost { us: times[times.len() / 2], us_min: times[0], bytes }
}

fn app() -> App {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, StatesPlugin, RepliconPlugins.set(ServerPlugin::new(PostUpdate))));
    app.replicate::<Place>();
    app.finish();
    app
}

/// Hides from each client all but `visible` entities, other ones from each.
fn hide(server: &mut App, clients: &[App], entities: &[Entity], visible: usize) {
    if visible >= entities.len() {
        return;
    }
    let bit: FilterBit = server.world_mut().resource_scope(|world, mut filters: Mut<FilterRegistry>| {
        world.resource_scope(|world, mut registry: Mut<ReplicationRegistry>| {
            filters.register_scope::<Entity>(world, &mut registry, ScopeLifetime::WhileVisible)
        })
    });
    for (number, client) in clients.iter().enumerate() {
        let of: Entity = **client.world().resource::<TestClientEntity>();
        let mut client = server.world_mut().entity_mut(of);
        let mut seen = client.get_mut::<ClientVisibility>().expect("a client has a visibility");
        for (index, entity) in entities.iter().enumerate() {
            let place = (index + entities.len() - number * visible % entities.len()) % entities.len();
            seen.set(*entity, bit, place < visible);
        }
    }
}

/// Moves everything by at most a step.
fn step(server: &mut App, round: usize) {
    let mut places = server.world_mut().query::<&mut Place>();
    let by = if round.is_multiple_of(2) { 19 } else { 23 };
    for mut place in places.iter_mut(server.world_mut()) {
        place.x += by;
        place.z += by / 2;
        place.yaw = place.yaw.wrapping_add(3);
    }
}

/// What was measured arrived.
fn check(clients: &mut [App], visible: usize) {
    for client in clients {
        let mut places = client.world_mut().query_filtered::<&Place, With<Remote>>();
        let seen = places.iter(client.world()).count();
        assert_eq!(seen, visible, "each client has what it is to see");
    }
}

//! What of the test game is in the store.

use std::collections::BTreeMap;

use lightmoon_contract::{ActorId, Contract, Limits, Mono, codec};
use lightmoon_durable::record;
use lightmoon_sim::checker::ledger::Found;
use lightmoon_sim::checker::{Forward, Ledger, StoredActor};
use lightmoon_sim::{SimStore, Violation};
use lightmoon_zone::audit::{StoredEntity, world};

use super::game::{Book, Chest, ClerkContract, Item, Mark, Mover, Receipt, VaultContract, patron};

/// Reads everything; tells `forward` who is who and `ledger` what actors were told.
pub(crate) fn find(
    now: Mono,
    store: &mut SimStore,
    forward: &mut Forward,
    ledger: &mut Ledger,
) -> Result<Found, Violation> {
    let actors = store.actors()?;
    forward.check(&actors)?;
    let mut found = Found::default();
    for (actor, stored) in &actors {
        for (_, _, entry) in &stored.log {
            // All that is logged has a token and nothing else.
            let logged = codec::decode::<patron::Take>(&entry.arguments, Limits::NODE);
            found.logs(logged.map_err(|_| wrong(*actor, "a log entry without a token"))?.token);
        }
        if actor.kind == VaultContract::KIND {
            in_vault(stored, forward, &mut found)?;
        } else if let Some(state) = &stored.state {
            if actor.kind == ClerkContract::KIND {
                let record =
                    record::open_as("book", state).map_err(|error| wrong(*actor, &error.to_string()))?;
                let book: Book = codec::decode(&record.body, Limits::NODE)
                    .map_err(|_| wrong(*actor, "a book that cannot be read"))?;
                book.tokens.iter().for_each(|token| found.holds(*token));
                book.heard.iter().try_for_each(|token| ledger.told(now, *token))?;
            } else {
                let entities = world(state).map_err(|error| wrong(*actor, &error.0))?;
                for entity in entities.values() {
                    entity.get::<Item>().into_iter().for_each(|item| found.holds(item.token));
                    entity.get::<Receipt>().map_or(Ok(()), |receipt| ledger.told(now, receipt.token))?;
                }
            }
        }
    }
    Ok(found)
}

fn in_vault(stored: &StoredActor, forward: &mut Forward, found: &mut Found) -> Result<(), Violation> {
    let entities = stored.entities(0);
    for (net, entity) in &entities {
        for token in tokens(entity) {
            found.holds(token);
        }
        if let Some(mark) = entity.get::<Mark>() {
            found.holds(mark.token);
            forward.named(*net, mark.token)?;
        }
        entity.get::<Chest>().map_or(Ok(()), |chest| forward.named(*net, chest.maker))?;
        entity.get::<Mover>().map_or(Ok(()), |mover| forward.named(*net, mover.who))?;
    }
    // Falling back to an older snapshot loses no durable entity.
    let durable = |entities: BTreeMap<_, StoredEntity>| {
        let mut all: Vec<u64> = entities.values().flat_map(tokens).collect();
        all.sort_unstable();
        all
    };
    let newest = durable(entities);
    for older in 1..stored.snapshots.len() {
        if durable(stored.entities(older)) != newest {
            return Err(wrong(stored.actor, "an older snapshot loses what `sync` operations did"));
        }
    }
    Ok(())
}

/// What `sync` operations put there.
fn tokens(entity: &StoredEntity) -> Vec<u64> {
    entity.get::<Chest>().map(|chest| chest.tokens).unwrap_or_default()
}

fn wrong(actor: ActorId, what: &str) -> Violation {
    Violation::new("audit", format!("actor {actor}: {what}"))
}

//! The store behind a server: in files, or in memory.
//!
//! *Responsible for*: opening what `--store` names, carrying requests and outcomes. *Not responsible for*: what is stored
//! (`durable`), the files (`store-files`), the data folder's lock (`folder`).
//!
//! The node's thread submits and polls; a store of files does its work on a thread of its own and wakes the node.

use crate::Failure;
use crate::node_thread::ToNode;
use crate::options::{ServeOptions, StoreChoice};
use lightmoon_contract::Mono;
use lightmoon_store::{MemoryStore, Outcome, Rejected, Request, Store, Ticket};
use lightmoon_store_files::{FilesOptions, FilesStore, OpenError, Report};
use std::path::Path;
use std::sync::mpsc::Sender;

/// A store that is open.
#[derive(Debug)]
pub(crate) enum Storage {
    /// In a folder; outlives the process.
    Files(FilesStore),
    /// In memory.
    Memory(MemoryStore),
}

impl Storage {
    /// Opens what was chosen. `to_node` is woken when outcomes are there.
    pub(crate) fn open(options: &ServeOptions, to_node: Sender<ToNode>) -> Result<Self, Failure> {
        let files = FilesOptions {
            accept_loss: options.accept_loss,
            table_bytes: options.store_buffer_bytes,
            cache_bytes: options.store_cache_bytes,
            ..FilesOptions::default()
        };
        match &options.store {
            StoreChoice::Memory => Ok(Self::Memory(MemoryStore::new())),
            StoreChoice::Files(folder) => {
                // A node that is gone needs no waking.
                let wake = move || drop(to_node.send(ToNode::Woken));
                open_files(folder, files, wake).map(Self::Files)
            }
        }
    }

    /// What a store of files says of itself.
    pub(crate) fn report(&self) -> Option<Report> {
        match self {
            Self::Files(store) => Some(store.report()),
            Self::Memory(_) => None,
        }
    }
}

/// Opens a store of files, logging what an operator should know.
pub(crate) fn open_files(
    folder: &Path,
    options: FilesOptions,
    wake: impl Fn() + Send + 'static,
) -> Result<FilesStore, Failure> {
    let options = FilesOptions { faults: crate::flaws::store(), ..options };
    let failed = |error: OpenError| match std::error::Error::source(&error) {
        Some(source) => Failure::new(format!("{error} ({source})"), ""),
        None => Failure::new(error.to_string(), ""),
    };
    let (store, opened) = FilesStore::open(folder, options, wake).map_err(failed)?;
    for warning in &opened.warnings {
        tracing::warn!(target: "lightmoon::store", "{warning}");
    }
    Ok(store)
}

impl Store for Storage {
    fn submit(&mut self, ticket: Ticket, request: Request) -> Result<(), Rejected> {
        match self {
            Self::Files(store) => store.submit(ticket, request),
            Self::Memory(store) => store.submit(ticket, request),
        }
    }

    fn poll(&mut self, now: Mono) -> Option<(Ticket, Outcome)> {
        match self {
            Self::Files(store) => store.poll(now),
            Self::Memory(store) => store.poll(now),
        }
    }
}

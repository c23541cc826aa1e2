//! The kinds of actors that a worker runs.
//!
//! *Responsible for*: finding a kind by its number. *Not responsible for*: activations.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use lightmoon_contract::Kind;

use crate::{ActorKind, Keeping};

#[derive(Clone)]
struct Registered {
    name: &'static str,
    kind: Rc<dyn ActorKind>,
}

/// The registry of kinds: number → name and maker.
#[derive(Clone, Default)]
pub struct Kinds {
    registered: BTreeMap<Kind, Registered>,
}

impl Kinds {
    /// Runs actors of `kind`, called `name` in reports, by `maker`.
    ///
    /// # Panics
    /// The kind is registered already, is 0, or belongs to the framework.
    pub fn register(&mut self, kind: Kind, name: &'static str, maker: impl ActorKind) {
        let is_for_actors = (1..Kind::FIRST_RESERVED).contains(&kind.0) || kind == Kind::VISITOR;
        assert!(is_for_actors, "kind {kind} ({name}) is not for actors");
        let before = self.registered.insert(kind, Registered { name, kind: Rc::new(maker) });
        if let Some(before) = before {
            panic!("kind {kind} is registered twice: as {} and as {name}", before.name);
        }
    }

    /// Puts another maker in the place of the one of `kind`, which it may use; nothing happens if there is none.
    pub fn wrap<K: ActorKind>(&mut self, kind: Kind, wrap: impl FnOnce(Rc<dyn ActorKind>) -> K) {
        if let Some(registered) = self.registered.get_mut(&kind) {
            registered.kind = Rc::new(wrap(Rc::clone(&registered.kind)));
        }
    }

    /// Whether actors of `kind` run here.
    #[must_use]
    pub fn has(&self, kind: Kind) -> bool {
        self.registered.contains_key(&kind)
    }

    /// What `kind` is called.
    #[must_use]
    pub fn name(&self, kind: Kind) -> Option<&'static str> {
        self.registered.get(&kind).map(|registered| registered.name)
    }

    /// How actors of `kind` are kept; `None`: not at all, or there is no such kind.
    #[must_use]
    pub fn keeping(&self, kind: Kind) -> Option<Keeping> {
        self.registered.get(&kind)?.kind.keeping()
    }

    /// Whether any kind keeps what its actors are.
    #[must_use]
    pub fn any_kept(&self) -> bool {
        self.registered.values().any(|registered| registered.kind.keeping().is_some())
    }

    pub(crate) fn maker(&self, kind: Kind) -> Option<Rc<dyn ActorKind>> {
        self.registered.get(&kind).map(|registered| Rc::clone(&registered.kind))
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.registered.iter().map(|(kind, registered)| (kind.0, registered.name)))
            .finish()
    }
}

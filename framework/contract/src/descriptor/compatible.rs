//! Whether a client built from one descriptor may talk to a server built from another.
//!
//! *Responsible for*: comparing field by field and naming the first difference that matters.
//! *Not responsible for*: remembering verdicts (`node` does, by fingerprint).
//!
//! The server has to have all that the client knows, unchanged; what it has beyond is the additions that growing types
//! allow. So servers are updated first. Operations that are not open to clients are not compared.
//!
//! Invariants:
//! - I1: it ends and never panics whatever the client's descriptor says: each of its types is compared at most once,
//!   with the server's type of the same name.

use std::collections::BTreeSet;
use std::fmt;

use super::{
    ComponentEntry, ContractEntry, Descriptor, FieldEntry, OperationEntry, QuantisedEntry, Shape, TypeRef,
    VariantEntry,
};
use crate::operation::CallForm;
use crate::replicate::{Quantise, Travel};

/// The first difference that matters. The client has to be built again from the server's contracts.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{place}: {difference}")]
pub struct Incompatible {
    /// Where: contract, operation and field.
    pub place: String,
    /// What: server's side and client's side.
    pub difference: String,
}

/// Checks that a client of descriptor `client` can talk to a server of descriptor `server`.
///
/// # Errors
/// The first thing that the client knows and the server has not, or has otherwise.
pub fn check_compatible(server: &Descriptor, client: &Descriptor) -> Result<(), Incompatible> {
    let mut comparison = Comparison { server, client, compared: BTreeSet::new(), place: Vec::new() };
    comparison.contracts()?;
    comparison.components()
}

struct Comparison<'a> {
    server: &'a Descriptor,
    client: &'a Descriptor,
    /// Indices of the client's types that were compared or are being compared.
    compared: BTreeSet<u32>,
    place: Vec<String>,
}

impl<'a> Comparison<'a> {
    /// Runs `compare` with `place` named in errors.
    fn at<T>(&mut self, place: impl fmt::Display, compare: impl FnOnce(&mut Self) -> T) -> T {
        self.place.push(place.to_string());
        let result = compare(self);
        self.place.pop();
        result
    }

    fn refuse(&self, difference: impl Into<String>) -> Result<(), Incompatible> {
        Err(Incompatible { place: self.place.join(", "), difference: difference.into() })
    }

    fn equal<T: PartialEq + fmt::Display>(
        &self,
        what: &str,
        server: T,
        client: T,
    ) -> Result<(), Incompatible> {
        if server == client {
            return Ok(());
        }
        self.refuse(format!("{what} is {server} in the server and {client} in the client"))
    }

    fn contracts(&mut self) -> Result<(), Incompatible> {
        let client = self.client;
        for contract in &client.contracts {
            let visible: Vec<_> =
                contract.operations.iter().filter(|operation| is_visible(operation)).collect();
            if !visible.is_empty() {
                self.at(format!("contract `{}`", contract.name), |this| this.contract(contract, &visible))?;
            }
        }
        Ok(())
    }

    fn contract(&mut self, client: &ContractEntry, visible: &[&OperationEntry]) -> Result<(), Incompatible> {
        let Some(server) = self.server.contract_named(&client.name) else {
            return self.refuse("the server does not have it");
        };
        self.equal("the number", server.kind, client.kind)?;
        for operation in visible {
            self.at(format!("operation `{}`", operation.name), |this| this.operation(server, operation))?;
        }
        Ok(())
    }

    fn operation(&mut self, contract: &ContractEntry, client: &OperationEntry) -> Result<(), Incompatible> {
        let Some(server) = contract.operation_named(&client.name) else {
            return self.refuse("the server does not have it");
        };
        self.equal("the number", server.number, client.number)?;
        self.equal("the form", form_name(server), form_name(client))?;
        self.equal("the aim", aim_name(server), aim_name(client))?;
        self.equal("the lane", server.lane, client.lane)?;
        self.fields(&server.arguments, &client.arguments, true)?;
        self.at("the answer", |this| this.types(&server.reply, &client.reply))
    }

    /// Components that the client does not know pass: the layout of a view says how to step over them.
    fn components(&mut self) -> Result<(), Incompatible> {
        let (server, client) = (self.server, self.client);
        for theirs in &client.components {
            self.at(format!("component `{}`", theirs.name), |this| {
                match server.components.iter().find(|ours| ours.name == theirs.name) {
                    Some(ours) => this.component(ours, theirs),
                    None => this.refuse("the server does not have it"),
                }
            })?;
        }
        Ok(())
    }

    fn component(&mut self, server: &ComponentEntry, client: &ComponentEntry) -> Result<(), Incompatible> {
        self.equal("the number", server.number, client.number)?;
        match (server.travel, client.travel) {
            (Travel::State, Travel::State) => self.quantised(&server.fields, &client.fields),
            (Travel::Sticky, Travel::Sticky) => self.types(&server.value, &client.value),
            (Travel::State, Travel::Sticky) => self.refuse("state in the server and sticky in the client"),
            (Travel::Sticky, Travel::State) => self.refuse("sticky in the server and state in the client"),
        }
    }

    /// The client's fields have to be the first of the server's, bit for bit.
    fn quantised(
        &mut self,
        server: &[QuantisedEntry],
        client: &[QuantisedEntry],
    ) -> Result<(), Incompatible> {
        for (index, theirs) in client.iter().enumerate() {
            self.at(format!("field `{}`", theirs.name), |this| match server.get(index) {
                Some(ours) if ours == theirs => Ok(()),
                Some(ours) if ours.name == theirs.name => {
                    this.equal("its quantising", quantise_text(ours), quantise_text(theirs))
                }
                Some(ours) => this.refuse(format!("the server has `{}` in its place", ours.name)),
                None => this.refuse("the server does not have it"),
            })?;
        }
        Ok(())
    }

    fn types(&mut self, server: &TypeRef, client: &TypeRef) -> Result<(), Incompatible> {
        match (server, client) {
            (TypeRef::Named(ours), TypeRef::Named(theirs)) => self.named(*ours, *theirs),
            (TypeRef::List(ours), TypeRef::List(theirs))
            | (TypeRef::Set(ours), TypeRef::Set(theirs))
            | (TypeRef::Option(ours), TypeRef::Option(theirs)) => self.types(ours, theirs),
            (TypeRef::Array(ours, count), TypeRef::Array(theirs, their_count)) if count == their_count => {
                self.types(ours, theirs)
            }
            (TypeRef::Map(ours, our_value), TypeRef::Map(theirs, their_value))
            | (TypeRef::Result(ours, our_value), TypeRef::Result(theirs, their_value)) => {
                self.types(ours, theirs)?;
                self.types(our_value, their_value)
            }
            (TypeRef::Tuple(ours), TypeRef::Tuple(theirs)) if ours.len() == theirs.len() => {
                ours.iter().zip(theirs).try_for_each(|(ours, theirs)| self.types(ours, theirs))
            }
            (ours, theirs) if ours == theirs => Ok(()),
            (ours, theirs) => {
                let (ours, theirs) = (self.server.type_text(ours), self.client.type_text(theirs));
                self.equal("the type", ours, theirs)
            }
        }
    }

    fn named(&mut self, server: u32, client: u32) -> Result<(), Incompatible> {
        let (Some(ours), Some(theirs)) = (self.server.named(server), self.client.named(client)) else {
            return self.refuse("the descriptor refers to a type that it does not have");
        };
        self.equal("the type", &ours.name, &theirs.name)?;
        if !self.compared.insert(client) {
            return Ok(());
        }
        match (&ours.shape, &theirs.shape) {
            (Shape::Struct { grows, fields }, Shape::Struct { grows: they_grow, fields: their_fields })
                if grows == they_grow =>
            {
                self.fields(fields, their_fields, *grows)
            }
            (Shape::Enum { grows, variants }, Shape::Enum { grows: they_grow, variants: theirs })
                if grows == they_grow =>
            {
                self.variants(variants, theirs, *grows)
            }
            _ => self.refuse(
                "one of server and client has a struct and the other an enum, or one grows and one is fixed",
            ),
        }
    }

    /// Fields have no numbers: the client's have to be the first of the server's.
    fn fields(
        &mut self,
        server: &[FieldEntry],
        client: &[FieldEntry],
        grows: bool,
    ) -> Result<(), Incompatible> {
        for (index, theirs) in client.iter().enumerate() {
            self.at(format!("field `{}`", theirs.name), |this| match server.get(index) {
                Some(ours) if ours.name == theirs.name => this.types(&ours.value, &theirs.value),
                Some(ours) => this.refuse(format!("the server has `{}` in its place", ours.name)),
                None => this.refuse("the server does not have it"),
            })?;
        }
        match server.get(client.len()..).unwrap_or_default().iter().find(|new| new.required || !grows) {
            Some(new) => self.at(format!("field `{}`", new.name), |this| {
                this.refuse("the client does not send it, and it cannot be left out")
            }),
            None => Ok(()),
        }
    }

    fn variants(
        &mut self,
        server: &[VariantEntry],
        client: &[VariantEntry],
        grows: bool,
    ) -> Result<(), Incompatible> {
        for theirs in client {
            self.at(format!("variant `{}`", theirs.name), |this| {
                let Some(ours) = server.iter().find(|ours| ours.name == theirs.name) else {
                    return this.refuse("the server does not have it");
                };
                this.equal("the number", ours.number, theirs.number)?;
                this.fields(&ours.fields, &theirs.fields, grows)
            })?;
        }
        match server.iter().find(|ours| !client.iter().any(|theirs| theirs.name == ours.name)) {
            Some(new) if !grows => self.at(format!("variant `{}`", new.name), |this| {
                this.refuse("the client does not know it, and the enum is fixed")
            }),
            Some(_) | None => Ok(()),
        }
    }
}

fn quantise_text(field: &QuantisedEntry) -> String {
    match field.quantise {
        Quantise::Range { min, step } => format!("{} bits from {min} by {step}", field.bits),
        Quantise::Angle => format!("{} bits of a circle", field.bits),
        Quantise::Unsigned => format!("{} bits", field.bits),
        Quantise::Bool => "a bit".to_owned(),
    }
}

/// Whether a client ever sends or gets this operation.
fn is_visible(operation: &OperationEntry) -> bool {
    operation.aim.is_some() || operation.form == CallForm::Push
}

const fn form_name(operation: &OperationEntry) -> &'static str {
    match operation.form {
        CallForm::OneWay => "one-way",
        CallForm::Request => "a request",
        CallForm::Push => "a push",
    }
}

const fn aim_name(operation: &OperationEntry) -> &'static str {
    use crate::operation::Aim;
    match operation.aim {
        None => "closed to clients",
        Some(Aim::Own) => "own",
        Some(Aim::Zone) => "zone",
        Some(Aim::Any) => "any",
    }
}

impl Descriptor {
    /// A type as text: `List<u16>`.
    #[must_use]
    pub fn type_text(&self, value: &TypeRef) -> String {
        let text = |inside: &TypeRef| self.type_text(inside);
        match value {
            TypeRef::Scalar(scalar) => scalar.name().to_owned(),
            TypeRef::NonZero(scalar) => format!("NonZero<{}>", scalar.name()),
            TypeRef::Text => "String".to_owned(),
            TypeRef::List(item) => format!("List<{}>", text(item)),
            TypeRef::Set(item) => format!("Set<{}>", text(item)),
            TypeRef::Map(key, value) => format!("Map<{}, {}>", text(key), text(value)),
            TypeRef::Option(inside) => format!("Option<{}>", text(inside)),
            TypeRef::Result(value, error) => format!("Result<{}, {}>", text(value), text(error)),
            TypeRef::Array(item, count) => format!("[{}; {count}]", text(item)),
            TypeRef::Tuple(items) => format!("({})", items.iter().map(text).collect::<Vec<_>>().join(", ")),
            TypeRef::Named(index) => {
                self.named(*index).map_or_else(|| "?".to_owned(), |entry| entry.name.clone())
            }
            TypeRef::Ref(contract) => format!("ActorRef<{contract}>"),
        }
    }
}

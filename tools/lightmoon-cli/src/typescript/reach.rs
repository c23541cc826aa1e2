//! Which types clients meet, and in which direction.
//!
//! *Responsible for*: following arguments, replies, pushes and components to named types. *Not responsible for*: code.

use std::collections::BTreeSet;

use crate::descriptor::{CallForm, Descriptor, Error, Shape, TypeRef};

/// Names of types that clients write and read.
#[derive(Debug, Default)]
pub(super) struct Reach {
    pub(super) written: BTreeSet<String>,
    pub(super) read: BTreeSet<String>,
}

impl Reach {
    pub(super) fn of(descriptor: &Descriptor) -> Result<Self, Error> {
        let mut reach = Self::default();
        for operation in descriptor.contracts.iter().flat_map(|contract| &contract.operations) {
            let arguments = operation.arguments.iter().map(|field| &field.value);
            if operation.form == CallForm::Push {
                arguments.into_iter().try_for_each(|value| follow(value, descriptor, &mut reach.read))?;
            } else if operation.aim.is_some() {
                arguments.into_iter().try_for_each(|value| follow(value, descriptor, &mut reach.written))?;
                follow(&operation.reply, descriptor, &mut reach.read)?;
            }
        }
        for component in &descriptor.components {
            follow(&component.value, descriptor, &mut reach.read)?;
        }
        Ok(reach)
    }

    pub(super) fn holds(&self, name: &str) -> bool {
        self.written.contains(name) || self.read.contains(name)
    }
}

/// Adds every named type that `value` leads to.
fn follow(value: &TypeRef, descriptor: &Descriptor, found: &mut BTreeSet<String>) -> Result<(), Error> {
    match value {
        TypeRef::Scalar(_) | TypeRef::NonZero(_) | TypeRef::Text | TypeRef::Ref => Ok(()),
        TypeRef::List(inside)
        | TypeRef::Set(inside)
        | TypeRef::Option(inside)
        | TypeRef::Array(inside, _) => follow(inside, descriptor, found),
        TypeRef::Map(one, other) | TypeRef::Result(one, other) => {
            follow(one, descriptor, found)?;
            follow(other, descriptor, found)
        }
        TypeRef::Tuple(items) => items.iter().try_for_each(|item| follow(item, descriptor, found)),
        TypeRef::Named(name) => {
            // Types may refer to themselves: each is followed once.
            if !found.insert(name.clone()) {
                return Ok(());
            }
            match &descriptor.named(name)?.shape {
                Shape::Struct { fields, .. } => {
                    fields.iter().try_for_each(|field| follow(&field.value, descriptor, found))
                }
                Shape::Enum { variants, .. } => variants
                    .iter()
                    .flat_map(|variant| &variant.fields)
                    .try_for_each(|field| follow(&field.value, descriptor, found)),
            }
        }
    }
}

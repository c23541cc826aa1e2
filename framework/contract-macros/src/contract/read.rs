//! The trait as it was written.
//!
//! *Responsible for*: taking the trait apart, refusing what no contract has. *Not responsible for*: options that exclude
//! each other (`check`).

use proc_macro2::TokenStream;
use syn::parse::Parser as _;
use syn::{
    Error, FnArg, Ident, ItemTrait, LitInt, Pat, PatType, Result, ReturnType, Safety, TraitItem, TraitItemFn,
    Type,
};

use super::operation::{Argument, Operation, Options, Word};
use super::{Contract, check};
use crate::lock::{Lock, Number, Section};
use crate::{attributes, data, names};

/// Operations of a contract: more are two contracts.
const OPERATIONS_MAX: usize = 256;
/// Arguments of an operation: more are a struct.
const ARGUMENTS_MAX: usize = 16;
/// Names of arguments that the emitted signatures use themselves.
const TAKEN: [&str; 2] = ["cx", "world"];

/// Reads and checks a contract.
pub(super) fn read(arguments: TokenStream, item: TokenStream, lock: &Lock) -> Result<Contract> {
    let (ticking, given) = read_arguments(arguments)?;
    let item: ItemTrait = syn::parse2(item).map_err(|error| {
        Error::new(error.span(), format!("`#[contract]` is for a trait of operations: {error}"))
    })?;
    refuse_extras(&item)?;
    let name = names::checked(&item.ident)?;
    let locked = match given {
        Some(number) => Some(number),
        None => lock.find(Section::Contract, &name, &item.ident)?,
    };
    let kind = match locked.map(u16::try_from) {
        Some(Ok(kind @ 1..0xFF00)) => Some(kind),
        Some(_) => return Err(Error::new(item.ident.span(), "the number of a contract is 1 to 65279")),
        None => None,
    };
    let operations = read_operations(&item, &name, lock)?;
    for operation in &operations {
        check::check(operation, ticking)?;
    }
    Ok(Contract {
        docs: attributes::docs(&item.attrs),
        visibility: item.vis,
        ident: item.ident,
        name,
        ticking,
        kind,
        operations,
        tracking: lock.tracking(),
    })
}

fn read_arguments(arguments: TokenStream) -> Result<(bool, Option<u32>)> {
    let mut ticking = false;
    let mut number = None;
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("ticking") {
            ticking = true;
        } else if meta.path.is_ident("number") {
            number = Some(meta.value()?.parse::<LitInt>()?.base10_parse()?);
        } else {
            return Err(meta.error("expected `ticking` (its actors hold a world that ticks) or `number = N`"));
        }
        Ok(())
    });
    parser.parse2(arguments)?;
    Ok((ticking, number))
}

fn refuse_extras(item: &ItemTrait) -> Result<()> {
    if !item.generics.params.is_empty() || item.generics.where_clause.is_some() {
        return Err(Error::new_spanned(
            &item.generics,
            "a contract has no parameters; the macro adds those of its host",
        ));
    }
    if !item.supertraits.is_empty() {
        return Err(Error::new_spanned(
            &item.supertraits,
            "a contract has no supertraits: it is a list of operations",
        ));
    }
    if item.items.len() > OPERATIONS_MAX {
        return Err(Error::new_spanned(
            &item.ident,
            format!("a contract has at most {OPERATIONS_MAX} operations; make two of it"),
        ));
    }
    Ok(())
}

fn read_operations(item: &ItemTrait, contract: &str, lock: &Lock) -> Result<Vec<Operation>> {
    let mut operations = Vec::new();
    for item in &item.items {
        let TraitItem::Fn(function) = item else {
            return Err(Error::new_spanned(
                item,
                "a contract consists of operations: `fn name(argument: Type);`",
            ));
        };
        operations.push(read_operation(function)?);
    }
    let members: Vec<(Ident, Option<u32>)> = operations
        .iter()
        .map(|operation| {
            (operation.ident.clone(), operation.options.get(Word::Number).map(|value| value.number))
        })
        .collect();
    let numbers = lock.members(Section::Operation, contract, &members)?;
    for (operation, number) in operations.iter_mut().zip(numbers) {
        operation.number = number;
    }
    Ok(operations)
}

fn read_operation(function: &TraitItemFn) -> Result<Operation> {
    let signature = &function.sig;
    let name = names::checked(&signature.ident)?;
    let mut attrs = function.attrs.clone();
    let Some(attribute) = attributes::take(&mut attrs, "operation")? else {
        return Err(Error::new(
            signature.ident.span(),
            format!(
                "operation `{name}` says nothing of itself: put `#[operation]` above it, with `client = own` if clients may call it"
            ),
        ));
    };
    if let Some(body) = &function.default {
        return Err(Error::new_spanned(
            body,
            "a contract says what there is, not how: end the operation with `;`",
        ));
    }
    if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
        return Err(Error::new_spanned(
            &signature.generics,
            "an operation has no parameters: its message is one type",
        ));
    }
    if signature.constness.is_some()
        || !matches!(signature.safety, Safety::Default)
        || signature.abi.is_some()
    {
        return Err(Error::new_spanned(signature, "an operation is a plain `fn` or `async fn`"));
    }
    let mut arguments = Vec::new();
    for (index, input) in signature.inputs.iter().enumerate() {
        arguments.push(read_argument(input, index)?);
    }
    if arguments.len() > ARGUMENTS_MAX {
        return Err(Error::new_spanned(
            &signature.ident,
            format!("an operation has at most {ARGUMENTS_MAX} arguments; make a struct of them"),
        ));
    }
    Ok(Operation {
        ident: signature.ident.clone(),
        name,
        docs: attributes::docs(&attrs),
        is_async: signature.asyncness.is_some(),
        arguments,
        reply: read_reply(&signature.output)?,
        options: Options::read(&attribute)?,
        number: Number { value: 0, provisional: true },
    })
}

fn read_argument(input: &FnArg, index: usize) -> Result<Argument> {
    let input: &PatType = match input {
        FnArg::Receiver(receiver) => {
            return Err(Error::new_spanned(
                receiver,
                "leave `self` out: the macro adds what the actor needs",
            ));
        }
        FnArg::Typed(input) => input,
    };
    let Pat::Ident(pattern) = &*input.pat else {
        return Err(Error::new_spanned(&input.pat, "an argument has a plain name: `name: Type`"));
    };
    let ident = pattern.ident.clone();
    if TAKEN.iter().any(|taken| ident == taken) {
        return Err(Error::new(
            ident.span(),
            format!("`{ident}` is the name of what the macro adds; choose another"),
        ));
    }
    let mut attrs = input.attrs.clone();
    let required = data::take_required(&mut attrs, true)?;
    let ty = (*input.ty).clone();
    data::refuse_reference(&ty)?;
    let field = data::argument(&ident, &ty, attributes::docs(&attrs), required, index)?;
    Ok(Argument { ident, ty, field })
}

/// `-> ()` is no answer: `ack` asks for an empty one.
fn read_reply(output: &ReturnType) -> Result<Option<Type>> {
    match output {
        ReturnType::Default => Ok(None),
        ReturnType::Type(_, ty) => {
            data::refuse_reference(ty)?;
            if matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty()) {
                return Err(Error::new_spanned(
                    ty,
                    "leave `-> ()` out; write `#[operation(ack)]` if the caller waits until it was done",
                ));
            }
            Ok(Some((**ty).clone()))
        }
    }
}

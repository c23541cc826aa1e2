//! Which options go together.
//!
//! *Responsible for*: refusing the rest at the word that is too much, naming what exists.
//! *Not responsible for*: reading them.

use syn::{Error, Result};

use super::operation::{Form, Operation, Word};

/// The same numbers as `lightmoon_contract::limits::MAX_LOSS_MS_MIN` and `MAX_LOSS_MS_MAX`.
const MAX_LOSS_MS: std::ops::RangeInclusive<u32> = 1_000..=60_000;

/// Checks one operation.
pub(super) fn check(operation: &Operation, ticking: bool) -> Result<()> {
    not_offered(operation)?;
    handler(operation, ticking)?;
    match operation.form() {
        Form::OneWay => one_way(operation)?,
        Form::Request => request(operation)?,
        Form::Push => push(operation)?,
    }
    durability(operation)?;
    client(operation)?;
    repeated(operation)?;
    exactly_once(operation)
}

fn refuse(operation: &Operation, word: Word, message: &str) -> Result<()> {
    match operation.options.get(word) {
        Some(value) => Err(Error::new(value.span, message)),
        None => Ok(()),
    }
}

/// What the words promise but the framework does not do yet.
fn not_offered(operation: &Operation) -> Result<()> {
    if let Some(value) = operation.options.get(Word::Lock)
        && value.text != "actor"
    {
        return Err(Error::new(
            value.span,
            format!(
                "lock = {} is not offered yet; there is lock = actor: the actor serves one operation at a time",
                value.text
            ),
        ));
    }
    Ok(())
}

fn handler(operation: &Operation, ticking: bool) -> Result<()> {
    if operation.is_async && ticking {
        return Err(Error::new(
            operation.ident.span(),
            "a ticking contract has no async operations: the world's tick waits for nothing; let a plain actor wait \
             and tell the zone",
        ));
    }
    Ok(())
}

fn one_way(operation: &Operation) -> Result<()> {
    refuse(
        operation,
        Word::TimeoutMs,
        "a one-way operation has no answer to wait for; leave timeout_ms out, or add `ack`",
    )
}

fn request(operation: &Operation) -> Result<()> {
    if let Some(value) = operation.options.get(Word::Ack)
        && operation.reply.is_some()
    {
        return Err(Error::new(
            value.span,
            "an operation that returns a value is acknowledged by it; leave `ack` out",
        ));
    }
    match operation.options.get(Word::Reliability) {
        Some(value) if value.text.starts_with("unreliable") => Err(Error::new(
            value.span,
            format!(
                "an operation with an answer cannot be {}: its caller would wait in vain; use reliable_ordered or \
                 reliable_unordered, or leave the answer out",
                value.text
            ),
        )),
        Some(_) | None => Ok(()),
    }
}

fn push(operation: &Operation) -> Result<()> {
    refuse(operation, Word::Client, "a push goes to clients, they do not call it; leave `client` out")?;
    refuse(operation, Word::Ack, "a push has no answer; leave `ack` out")?;
    refuse(operation, Word::TimeoutMs, "a push has no answer to wait for; leave timeout_ms out")?;
    refuse(operation, Word::EveryMs, "a push is not served by the actor and cannot repeat itself")?;
    for word in [Word::Durability, Word::MaxLossMs, Word::Log] {
        refuse(
            operation,
            word,
            "a push changes no state of its actor; leave durability, max_loss_ms and `log` out",
        )?;
    }
    if let Some(reply) = &operation.reply {
        return Err(Error::new_spanned(reply, "a push has no answer; let the client call an operation"));
    }
    if operation.is_async {
        return Err(Error::new(
            operation.ident.span(),
            "a push is a message to clients, not served by the actor; leave `async` out",
        ));
    }
    Ok(())
}

/// What is kept, and how long an operation may stand in the way of keeping it.
fn durability(operation: &Operation) -> Result<()> {
    let options = &operation.options;
    let durability = operation.durability();
    if let Some(value) = options.get(Word::Durability)
        && durability == "sync"
        && operation.form() == Form::OneWay
        && !operation.is_exactly_once()
    {
        return Err(Error::new(
            value.span,
            "durability = sync is a promise to the caller, who has to hear of it; add `ack`, return a value, or use \
             durability = behind",
        ));
    }
    if let Some(value) = options.get(Word::MaxLossMs) {
        if durability != "behind" {
            return Err(Error::new(
                value.span,
                format!("durability = {durability} has no max_loss_ms; it is for durability = behind"),
            ));
        }
        if !MAX_LOSS_MS.contains(&value.number) {
            return Err(Error::new(
                value.span,
                format!("max_loss_ms is from {} to {}", MAX_LOSS_MS.start(), MAX_LOSS_MS.end()),
            ));
        }
    }
    if durability != "sync" {
        refuse(
            operation,
            Word::Log,
            "an operation is logged in the commit that its caller waits for; add `durability = sync`",
        )?;
    }
    match (options.get(Word::TimeoutMs), operation.longest_wait_ms()) {
        (Some(value), Some(longest)) if value.number > longest => Err(Error::new(
            value.span,
            format!(
                "an async operation keeps its actor from being saved while it waits: timeout_ms is at most {}",
                if durability == "sync" {
                    format!("{longest} with durability = sync")
                } else {
                    format!("max_loss_ms, which is {longest}; raise that, or use durability = none")
                }
            ),
        )),
        (_, _) => Ok(()),
    }
}

fn client(operation: &Operation) -> Result<()> {
    if operation.options.has(Word::Client) {
        return Ok(());
    }
    let message =
        "rate and burst limit clients, who cannot call this operation: add `client = …`, or leave them out";
    refuse(operation, Word::Rate, message)?;
    refuse(operation, Word::Burst, message)
}

fn repeated(operation: &Operation) -> Result<()> {
    let Some(every) = operation.options.get(Word::EveryMs) else { return Ok(()) };
    if let Some(argument) = operation.arguments.first() {
        return Err(Error::new(
            argument.ident.span(),
            "an operation with every_ms is called by the actor itself and has no arguments",
        ));
    }
    if operation.form() == Form::Request {
        return Err(Error::new(
            every.span,
            "an operation with every_ms is called by the actor itself: nobody takes its answer",
        ));
    }
    if operation.options.has(Word::Client) {
        return Err(Error::new(
            every.span,
            "an operation with every_ms is called by the actor itself; leave `client` out",
        ));
    }
    Ok(())
}

/// What takes effect exactly once is a step between two commits: of its sender, and of its receiver.
fn exactly_once(operation: &Operation) -> Result<()> {
    let Some(value) = operation.options.get(Word::Reliability).filter(|value| value.text == "exactly_once")
    else {
        return Ok(());
    };
    let message = if operation.options.has(Word::Client) {
        "exactly_once is between actors: it is never open to clients, who can repeat what they send; use reliable_ordered"
    } else if operation.form() == Form::Push {
        "a push goes to a client, which commits nothing; use reliable_ordered"
    } else if operation.form() == Form::Request {
        "exactly_once has no answer: its sender goes on when its own commit is through; let the receiver send a message back"
    } else if operation.is_async {
        "exactly_once is taken in one commit with its effect, so its operation cannot wait; leave `async` out"
    } else if operation.options.has(Word::EveryMs) {
        "an actor that calls itself every so often needs no exactly_once; leave it or every_ms out"
    } else if operation.durability() == "none" {
        "exactly_once means that effect and acceptance are stored; use durability = sync or behind"
    } else {
        return Ok(());
    };
    Err(Error::new(value.span, message))
}

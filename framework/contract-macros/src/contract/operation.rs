//! What `#[operation(…)]` says.
//!
//! *Responsible for*: the words, their defaults and where they stand. *Not responsible for*: which go together (`check`).

use std::collections::BTreeMap;

use proc_macro2::Span;
use quote::format_ident;
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, Ident, LitInt, Result, Type};

use crate::data::Field;
use crate::lock::Number;
use crate::names;

/// Of an operation that does not say it. An answer that takes half a minute is not awaited by anybody.
const TIMEOUT_MS_DEFAULT: u32 = 30_000;

/// The same, of an operation that may wait while its actor should be saved.
const WAITING_TIMEOUT_MS_DEFAULT: u32 = 10_000;

/// The same number as `lightmoon_contract::limits::MAX_LOSS_MS_DEFAULT`.
const MAX_LOSS_MS_DEFAULT: u32 = 10_000;

/// One argument.
pub(super) struct Argument {
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) field: Field,
}

/// How an operation is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    OneWay,
    Request,
    Push,
}

/// An operation as the macro sees it.
pub(super) struct Operation {
    pub(super) ident: Ident,
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) is_async: bool,
    pub(super) arguments: Vec<Argument>,
    /// The type written after `->`.
    pub(super) reply: Option<Type>,
    pub(super) options: Options,
    pub(super) number: Number,
}

impl Operation {
    pub(super) fn form(&self) -> Form {
        if self.options.has(Word::Push) {
            Form::Push
        } else if self.reply.is_some() || self.options.has(Word::Ack) {
            Form::Request
        } else {
            Form::OneWay
        }
    }

    /// Its durability by name. A push changes nothing that could be kept.
    pub(super) fn durability(&self) -> &str {
        match self.form() {
            Form::Push => "none",
            // Its acceptance is a commit; the next one would let its sender wait.
            Form::OneWay if self.is_exactly_once() => self.options.choice(Word::Durability, "sync"),
            Form::OneWay | Form::Request => self.options.choice(Word::Durability, "behind"),
        }
    }

    /// Whether each of its messages takes effect exactly once.
    pub(super) fn is_exactly_once(&self) -> bool {
        self.options.choice(Word::Reliability, "reliable_ordered") == "exactly_once"
    }

    /// Milliseconds of changes that a crash may take, if its durability is `behind`.
    pub(super) fn max_loss_ms(&self) -> u32 {
        self.options.number(Word::MaxLossMs, MAX_LOSS_MS_DEFAULT)
    }

    /// The longest that it may hold its actor without the actor being saved; `None`: it never holds it, or nothing is
    /// saved.
    pub(super) fn longest_wait_ms(&self) -> Option<u32> {
        match self.durability() {
            "none" => None,
            _ if !self.is_async => None,
            "sync" => Some(MAX_LOSS_MS_DEFAULT),
            _ => Some(self.max_loss_ms()),
        }
    }

    /// Milliseconds until its caller gives up.
    pub(super) fn timeout_ms(&self) -> u32 {
        let default = self
            .longest_wait_ms()
            .map_or(TIMEOUT_MS_DEFAULT, |longest| longest.min(WAITING_TIMEOUT_MS_DEFAULT));
        self.options.number(Word::TimeoutMs, default)
    }

    /// The name of the message beside the trait; the module of the contract shows it under a short one.
    pub(super) fn message(&self, contract: &Ident) -> Ident {
        format_ident!("{}{}Message", contract, names::camel(&self.name), span = self.ident.span())
    }

    /// The short name of the message.
    pub(super) fn short(&self) -> Ident {
        Ident::new(&names::camel(&self.name), self.ident.span())
    }
}

/// A word of `#[operation(…)]`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Word {
    Priority,
    Reliability,
    Client,
    Rate,
    Burst,
    TimeoutMs,
    EveryMs,
    Ack,
    Push,
    Lock,
    Durability,
    MaxLossMs,
    Log,
    Number,
}

impl Word {
    const ALL: [(Self, &'static str); 14] = [
        (Self::Priority, "priority"),
        (Self::Reliability, "reliability"),
        (Self::Client, "client"),
        (Self::Rate, "rate"),
        (Self::Burst, "burst"),
        (Self::TimeoutMs, "timeout_ms"),
        (Self::EveryMs, "every_ms"),
        (Self::Ack, "ack"),
        (Self::Push, "push"),
        (Self::Lock, "lock"),
        (Self::Durability, "durability"),
        (Self::MaxLossMs, "max_loss_ms"),
        (Self::Log, "log"),
        (Self::Number, "number"),
    ];

    /// The values of those that take a name.
    const fn choices(self) -> &'static [&'static str] {
        match self {
            Self::Priority => &["critical", "high", "normal", "low"],
            Self::Reliability => {
                &["unreliable", "unreliable_latest", "reliable_unordered", "reliable_ordered", "exactly_once"]
            }
            Self::Client => &["own", "zone", "any"],
            Self::Lock => &["actor", "operation", "none"],
            Self::Durability => &["none", "behind", "sync"],
            Self::Rate
            | Self::Burst
            | Self::TimeoutMs
            | Self::EveryMs
            | Self::Ack
            | Self::Push
            | Self::MaxLossMs
            | Self::Log
            | Self::Number => &[],
        }
    }
}

/// The value of a word, with its place.
pub(super) struct Value {
    pub(super) span: Span,
    /// One of the choices; empty for marks and numbers.
    pub(super) text: String,
    pub(super) number: u32,
}

/// All words of one operation.
#[derive(Default)]
pub(super) struct Options {
    values: BTreeMap<Word, Value>,
}

impl Options {
    pub(super) fn has(&self, word: Word) -> bool {
        self.values.contains_key(&word)
    }

    pub(super) fn get(&self, word: Word) -> Option<&Value> {
        self.values.get(&word)
    }

    /// The chosen name, or the default.
    pub(super) fn choice(&self, word: Word, default: &'static str) -> &str {
        self.get(word).map_or(default, |value| value.text.as_str())
    }

    /// The number, or the default.
    pub(super) fn number(&self, word: Word, default: u32) -> u32 {
        self.get(word).map_or(default, |value| value.number)
    }

    /// Reads `#[operation(…)]`.
    pub(super) fn read(attribute: &Attribute) -> Result<Self> {
        let mut values = BTreeMap::new();
        if matches!(attribute.meta, syn::Meta::Path(_)) {
            return Ok(Self { values });
        }
        attribute.parse_nested_meta(|meta| {
            let Some((word, name)) = Word::ALL.into_iter().find(|(_, name)| meta.path.is_ident(name)) else {
                let names: Vec<_> = Word::ALL.iter().map(|(_, name)| *name).collect();
                return Err(
                    meta.error(format!("an operation has no such word; there are: {}", names.join(", ")))
                );
            };
            let span = meta.path.span();
            let value = match word {
                Word::Ack | Word::Push | Word::Log => Value { span, text: String::new(), number: 0 },
                Word::Rate
                | Word::Burst
                | Word::TimeoutMs
                | Word::EveryMs
                | Word::MaxLossMs
                | Word::Number => number(&meta.value()?.parse::<LitInt>()?, word)?,
                Word::Priority | Word::Reliability | Word::Client | Word::Lock | Word::Durability => {
                    choice(&meta.value()?.parse::<Ident>()?, word)?
                }
            };
            match values.insert(word, value) {
                Some(_) => Err(Error::new(span, format!("`{name}` stands here twice"))),
                None => Ok(()),
            }
        })?;
        Ok(Self { values })
    }
}

fn number(literal: &LitInt, word: Word) -> Result<Value> {
    let number = literal.base10_parse()?;
    if number == 0 && word != Word::Number {
        return Err(Error::new(literal.span(), "must be at least 1"));
    }
    Ok(Value { span: literal.span(), text: String::new(), number })
}

fn choice(ident: &Ident, word: Word) -> Result<Value> {
    let text = ident.to_string();
    if !word.choices().contains(&text.as_str()) {
        return Err(Error::new(ident.span(), format!("expected one of: {}", word.choices().join(", "))));
    }
    Ok(Value { span: ident.span(), text, number: 0 })
}

//! The state of the actor that is looked at: fields by name, with their values.
//!
//! *Responsible for*: the form of it, its bounds, leaving out what is secret, sentences where there is nothing to show. *Not responsible
//! for*: whose state that is and its bytes (`lightmoon_actor::Inspection`), reading values (`value`).
//!
//! Invariants:
//! - I1: of a field that is secret only the name is in a message, wherever it stands.
//! - I2: bytes that are no value of their type are a sentence, for that value alone.
//! - I3: a message has at most [`limits::STATE_PARTS_MAX`] parts of at most [`limits::STATE_TEXT_MAX`] characters each.

use super::value::{self, nameless};
use crate::limits;
use lightmoon_actor::{ActorState, Inspected, StateLook, StoredLook, ValueLook};
use lightmoon_contract::ActorId;
use lightmoon_contract::descriptor::{Descriptor, FieldEntry, Shape, TypeRef};
use serde_json::{Map, Value, json};

const MORE: &str = "…";

/// What an actor shows of itself.
pub(crate) fn json(worker: usize, actor: ActorId, inspected: &Inspected) -> Value {
    let mut message = json!({
        "kind": actor.kind.0,
        // As text: it has 64 bits, and a page's numbers have 53.
        "key": actor.key.to_string(),
        "worker": worker,
        "says": says(inspected),
        "isStored": matches!(inspected, Inspected::Stored(..)),
    });
    if let Inspected::Shown(look) | Inspected::Stored(_, StoredLook::Shown(look)) = inspected {
        let mut left = limits::STATE_PARTS_MAX;
        let values = look.values.iter().map(|value| value_json(look, value, &mut left));
        message["values"] = values.collect();
        message["entities"] = Value::from(look.entities);
        message["next"] = Value::from(look.next.map(|next| next.to_string()));
    }
    message
}

fn says(inspected: &Inspected) -> Option<String> {
    Some(match inspected {
        Inspected::Away(state) => away(*state).to_owned(),
        Inspected::Nothing => {
            "Actors of this kind are in memory only, and show nothing of themselves.".to_owned()
        }
        Inspected::Failed => "Its code panicked when it was asked for its state.".to_owned(),
        Inspected::Shown(look) => return look_says(look).map(str::to_owned),
        Inspected::Stored(state, look) => {
            let stored = match look {
                StoredLook::Nothing => "Nothing is stored of it: its first call makes it.".to_owned(),
                StoredLook::Away => "The store is away: what is stored of it cannot be read now.".to_owned(),
                StoredLook::Unreadable(why) => format!("What is stored of it cannot be read: {why}."),
                StoredLook::World => {
                    "What is stored of it is a whole world, which is shown while it lives.".to_owned()
                }
                StoredLook::Failed => "The code that reads what is stored of it panicked.".to_owned(),
                StoredLook::Shown(look) => {
                    look_says(look).unwrap_or("This is what is stored of it.").to_owned()
                }
            };
            format!("{} {stored}", away(*state))
        }
    })
}

/// Why the state in memory is not shown.
const fn away(state: ActorState) -> &'static str {
    match state {
        ActorState::Waiting(_) | ActorState::Running => {
            "One of its operations waits and has its state: it is shown when the operation has ended."
        }
        ActorState::Loading => "It is being loaded.",
        ActorState::Resting => "It rests after a panic, and has no state until it starts over.",
        ActorState::SetAside => {
            "It is set aside: it panicked too often, or what is stored of it cannot be read. The events say which."
        }
        ActorState::Empty | ActorState::Idle => "It has no activation.",
    }
}

fn look_says(look: &StateLook) -> Option<&'static str> {
    (look.values.is_empty() && look.entities == 0).then_some("Nothing of it is kept.")
}

fn value_json(state: &StateLook, look: &ValueLook, left: &mut usize) -> Value {
    let mut shown = json!({
        "entity": look.entity.map(|entity| entity.to_string()),
        "name": look.name,
        "bytes": look.length,
    });
    let Some(bytes) = &look.bytes else {
        shown["error"] = Value::from("too long to be shown here");
        return shown;
    };
    let value = match value::decode_without(&state.types, &state.secrets, &look.kind, bytes) {
        Ok(value) => value,
        Err(error) => {
            shown["error"] = Value::from(format!("cannot be read: {error}"));
            return shown;
        }
    };
    match (fields_of(&state.types, &look.kind), value) {
        (Some(fields), Value::Object(mut object)) => {
            let field = |field: &FieldEntry| {
                let value = object.remove(&field.name).unwrap_or_default();
                json!({ "name": field.name, "docs": field.docs, "value": shortened(value, 0, left) })
            };
            shown["fields"] = fields.iter().map(field).collect();
        }
        // A mark: that it is there is all that it says.
        (None, Value::Null) if matches!(&look.kind, TypeRef::Tuple(parts) if parts.is_empty()) => {
            shown["fields"] = json!([]);
        }
        (_, value) => shown["value"] = shortened(value, 0, left),
    }
    shown
}

/// The fields of a struct; of one that only gives a value another name those of the value.
fn fields_of<'a>(types: &'a Descriptor, kind: &'a TypeRef) -> Option<&'a [FieldEntry]> {
    let mut kind = kind;
    for _ in 0..limits::STATE_DEPTH_MAX {
        let TypeRef::Named(index) = kind else { return None };
        let Shape::Struct { fields, .. } = &types.named(*index)?.shape else { return None };
        match nameless(fields) {
            Some(only) => kind = &only.value,
            None => return Some(fields),
        }
    }
    None
}

/// A value as far as it is shown; `left`: how many parts there may be.
fn shortened(value: Value, depth: usize, left: &mut usize) -> Value {
    let Some(rest) = left.checked_sub(1) else { return Value::from(MORE) };
    *left = rest;
    match value {
        Value::Array(_) | Value::Object(_) if depth >= limits::STATE_DEPTH_MAX => Value::from(MORE),
        Value::Array(items) => {
            let over = items.len().saturating_sub(limits::STATE_ITEMS_MAX);
            let items = items.into_iter().take(limits::STATE_ITEMS_MAX);
            let mut items: Vec<Value> = items.map(|item| shortened(item, depth + 1, left)).collect();
            if over > 0 {
                items.push(Value::from(format!("{MORE} {over} more")));
            }
            Value::Array(items)
        }
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, shortened(value, depth + 1, left)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::String(text) => match text.char_indices().nth(limits::STATE_TEXT_MAX) {
            Some((at, _)) => Value::from(format!("{}{MORE}", &text[..at])),
            None => Value::String(text),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightmoon_actor::{Inspection, ValueKind};
    use lightmoon_contract::{Data as _, Kind, Persist, codec, data};

    /// What is stored of somebody.
    #[data(persist = "account")]
    #[derive(Clone, Debug, Default)]
    struct Account {
        /// As it is written.
        name: String,
        /// For nobody.
        #[secret]
        token: String,
        /// What came and went.
        moves: Vec<i32>,
    }

    /// Nothing but a secret.
    #[data(persist = "key")]
    struct Key(#[secret] u64);

    /// Another name for it.
    #[data(persist = "own")]
    struct Own(Account);

    /// Holds somebody's secret.
    #[data(persist = "desk")]
    #[derive(Default)]
    struct Desk {
        held: Vec<Option<Account>>,
    }

    fn shown<T: Persist>(bytes: &[u8]) -> Value {
        let kind = ValueKind { name: T::NAME, describe: T::describe };
        let mut inspection = Inspection::new(0);
        inspection.show(None, kind, bytes);
        let actor = ActorId::new(Kind(3), u64::MAX);
        json(1, actor, &Inspected::Shown(inspection.finish()))
    }

    #[test]
    fn fields_are_shown_in_their_order_and_of_secret_ones_the_name_alone() {
        let account =
            Account { name: "Ada".to_owned(), token: "hunter2".to_owned(), moves: (0..100).collect() };
        let message = shown::<Account>(&codec::encode(&account));
        assert_eq!((&message["key"], &message["says"]), (&json!("18446744073709551615"), &Value::Null));
        let fields = &message["values"][0]["fields"];
        assert_eq!(fields[0], json!({ "name": "name", "docs": "As it is written.", "value": "Ada" }));
        assert_eq!(fields[1], json!({ "name": "token", "docs": "For nobody.", "value": "(secret)" }));
        assert_eq!(fields[2]["value"].as_array().map(Vec::len), Some(limits::STATE_ITEMS_MAX + 1));
        assert_eq!(fields[2]["value"][limits::STATE_ITEMS_MAX], "… 68 more");
        assert!(!message.to_string().contains("hunter2"));
        let key = shown::<Key>(&codec::encode(&Key(771_177)));
        assert!(key["values"][0]["value"] == "(secret)" && !key.to_string().contains("771177"), "{key}");
        let own = shown::<Own>(&codec::encode(&Own(account.clone())));
        assert_eq!(&own["values"][0]["fields"], fields);
        let desk = shown::<Desk>(&codec::encode(&Desk { held: vec![None, Some(account)] }));
        assert_eq!(desk["values"][0]["fields"][0]["value"][1]["name"], "Ada");
        assert!(!desk.to_string().contains("hunter2"), "a secret is one wherever it is held: {desk}");
    }

    #[test]
    fn what_is_only_stored_is_shown_with_the_reason_why_it_is() {
        let bytes =
            codec::encode(&Account { name: "Ada".to_owned(), token: "hunter2".to_owned(), moves: vec![] });
        let mut inspection = Inspection::new(0);
        inspection.show(None, ValueKind { name: Account::NAME, describe: Account::describe }, &bytes);
        let of = |state, look| json(0, ActorId::new(Kind(3), 1), &Inspected::Stored(state, look));
        let shown = of(ActorState::Empty, StoredLook::Shown(inspection.finish()));
        assert_eq!(shown["says"], "It has no activation. This is what is stored of it.");
        assert_eq!(
            (&shown["isStored"], &shown["values"][0]["fields"][0]["value"]),
            (&json!(true), &json!("Ada"))
        );
        assert!(!shown.to_string().contains("hunter2"), "a secret is one in the store as well: {shown}");
        let unreadable =
            of(ActorState::SetAside, StoredLook::Unreadable("it is from a newer build".to_owned()));
        let says = unreadable["says"].as_str().unwrap();
        assert!(says.starts_with("It is set aside") && says.ends_with("it is from a newer build."), "{says}");
        for look in [StoredLook::Nothing, StoredLook::Away, StoredLook::World, StoredLook::Failed] {
            let message = of(ActorState::Empty, look);
            assert!(message["values"].is_null() && message["says"].is_string(), "{message}");
        }
    }

    #[test]
    fn bytes_that_are_no_value_of_their_type_are_a_sentence() {
        let whole = codec::encode(&Account { name: "Ada".to_owned(), ..Account::default() });
        for cut in 0..whole.len() {
            let message = shown::<Account>(&whole[..cut]);
            let error = message["values"][0]["error"].as_str().unwrap_or_default();
            assert!(error.starts_with("cannot be read: "), "{message}");
        }
        for byte in 0..=u8::MAX {
            shown::<Account>(&[byte; 64]);
        }
        // An older state that has fewer fields shows those that it has.
        let older = shown::<Account>(&[4, 3, b'A', b'd', b'a']);
        assert_eq!(older["values"][0]["fields"][0]["value"], "Ada");
        assert_eq!(older["values"][0]["fields"][2]["value"], Value::Null);
    }

    #[test]
    fn a_message_is_bounded_whatever_the_state_is() {
        let mut deep = Value::from("x".repeat(10_000));
        for _ in 0..100 {
            deep = Value::from(vec![deep; 2]);
            if let Some([first, _]) = deep.as_array_mut().map(Vec::as_mut_slice) {
                *first = Value::from("x".repeat(10_000));
            }
        }
        let mut left = limits::STATE_PARTS_MAX;
        let text = shortened(deep, 0, &mut left).to_string();
        assert!(text.len() < 10 * (limits::STATE_TEXT_MAX + 10), "{}", text.len());
        let wide = Value::from(vec![Value::from(vec![Value::from(vec![1; 30]); 30]); 30]);
        let mut left = limits::STATE_PARTS_MAX;
        let text = shortened(wide, 0, &mut left).to_string();
        assert!(left == 0 && text.len() < 10 * limits::STATE_PARTS_MAX, "{}", text.len());
    }
}

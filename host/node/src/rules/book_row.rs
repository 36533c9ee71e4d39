//! One entry of a book file: which keys it may have, what they say, and the order that they make.
//!
//! The rule: a key that is none is refused: a preference that is misspelt must not clear like an order without one. A
//! cancellation may repeat what its order said; only its `id` and `seq` count.

use contract_interface::{Order, Side, flags};
use runtime_primitives::{Energy, EntityId, MeterId, Price, Seq};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Keys of an order.
const ORDER_KEYS: [&str; 11] = [
    "id",
    "user",
    "side",
    "qty",
    "price",
    "seq",
    "min_qty",
    "min_energy",
    "green",
    "auto_confirm",
    "partner",
];

/// Meters have other numbers than entities, so that mistaking one for the other shows.
const METER_OFFSET: u32 = 1_000_000;

/// The meter of an entity on the desk.
pub const fn meter_of(entity: EntityId) -> MeterId {
    MeterId::from_number(entity.number().wrapping_add(METER_OFFSET))
}

/// Users as entities: a number is the entity's own; names get the numbers that are left, in the file's order.
pub(super) struct Entities {
    taken: BTreeSet<u32>,
    names: BTreeMap<String, EntityId>,
    next: u32,
}

impl Entities {
    pub(super) fn of(rows: &[Value]) -> Result<Self, (usize, String)> {
        let mut taken = BTreeSet::new();
        for (index, row) in rows.iter().enumerate().filter(|(_, row)| !is_cancellation(row)) {
            for key in ["user", "partner"] {
                if let Some(Value::Number(number)) = row.get(key) {
                    let number = whole::<u32>(&Value::Number(number.clone()));
                    taken.insert(number.map_err(|what| (index, format!("{key} {what}")))?);
                }
            }
        }
        Ok(Self { taken, names: BTreeMap::new(), next: 1 })
    }

    fn fresh(&mut self) -> EntityId {
        while self.taken.contains(&self.next) {
            self.next += 1;
        }
        self.next += 1;
        EntityId::from_number(self.next - 1)
    }

    fn entity(&mut self, user: &Value) -> Result<EntityId, String> {
        match user {
            Value::Null => Ok(self.fresh()),
            Value::Number(_) => whole(user).map(EntityId::from_number),
            Value::String(name) => match self.names.get(name) {
                Some(known) => Ok(*known),
                None => {
                    let entity = self.fresh();
                    self.names.insert(name.clone(), entity);
                    Ok(entity)
                }
            },
            other => Err(format!("a user is a name or a number, not {other}")),
        }
    }
}

/// Whether an operation takes an order back.
fn is_cancellation(row: &Value) -> bool {
    row.get("op").and_then(Value::as_str) == Some("cancel")
}

/// A whole number, also written as 5.0 or "5".
fn whole<T: TryFrom<u64>>(value: &Value) -> Result<T, String> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let digits = text.strip_suffix(".0").unwrap_or(&text);
    let number: Option<u64> = digits.parse().ok();
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| format!("must be a whole number of at most {} bits, not {text}", size_of::<T>() * 8))
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// An order of an auction.
    Order,
    /// An order that comes into a continuous book.
    New,
    /// An order that leaves one.
    Cancellation,
}

impl Entry {
    const fn name(self) -> &'static str {
        match self {
            Self::Order | Self::New => "an order",
            Self::Cancellation => "a cancellation",
        }
    }

    fn keys(self) -> Vec<&'static str> {
        let op: &[_] = if self == Self::Order { &[] } else { &["op"] };
        [op, &ORDER_KEYS].concat()
    }
}

#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    fields: &'a Map<String, Value>,
    index: usize,
}

impl<'a> Row<'a> {
    pub(super) fn of(value: &'a Value, index: usize) -> Result<Self, String> {
        let fields = value.as_object().ok_or_else(|| format!("{value} is no object"))?;
        Ok(Self { fields, index })
    }

    /// What is there under `key`; null is nothing.
    pub(super) fn get(self, key: &str) -> Option<&'a Value> {
        self.fields.get(key).filter(|value| !value.is_null())
    }

    /// What the file calls the order: its place where it has no id.
    pub(super) fn id(self) -> Value {
        self.get("id").cloned().unwrap_or_else(|| self.index.into())
    }

    /// Only keys that somebody reads.
    pub(super) fn check_keys(self, entry: Entry) -> Result<(), String> {
        let known = entry.keys();
        let Some(key) = self.fields.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
        let (id, name, known) = (self.id(), entry.name(), known.join(", "));
        Err(format!("order {id} has the key {key:?}, which nobody reads: {name} may have {known}"))
    }

    pub(super) fn number<T: TryFrom<u64>>(self, key: &str) -> Result<T, String> {
        let value = self.fields.get(key).ok_or_else(|| format!("{key:?} is missing"))?;
        whole(value).map_err(|what| format!("{key:?} {what}"))
    }

    fn flag(self, key: &str, bit: u8) -> Result<u8, String> {
        match self.get(key) {
            None | Some(Value::Bool(false)) => Ok(0),
            Some(Value::Bool(true)) => Ok(bit),
            Some(other) => Err(format!("{key:?} is true or false, not {other}")),
        }
    }

    fn side(self) -> Result<Side, String> {
        match self.get("side").and_then(Value::as_str) {
            Some("buy" | "bid") => Ok(Side::Buy),
            Some("sell" | "ask") => Ok(Side::Sell),
            _ => Err("\"side\" is \"buy\" or \"sell\"".to_owned()),
        }
    }

    pub(super) fn order(self, seq: Seq, entities: &mut Entities) -> Result<Order, String> {
        let absent = Value::Null;
        let energy: u64 = self.number("qty")?;
        if energy == 0 {
            return Err("\"qty\" is 0: an order is of at least 1 Wh".to_owned());
        }
        let least = ["min_qty", "min_energy"].map(|key| self.fields.contains_key(key).then_some(key));
        let least: u64 = match least {
            [Some(one), Some(other)] => {
                return Err(format!("{one:?} and {other:?} are one thing: say it once"));
            }
            [one, other] => one.or(other).map_or(Ok(0), |key| self.number(key))?,
        };
        if least > energy {
            return Err(format!("the least fill of {least} Wh is more than its {energy} Wh"));
        }
        let entity = entities.entity(self.get("user").unwrap_or(&absent))?;
        let partner = self.get("partner").map(|user| entities.entity(user)).transpose()?;
        let preference = if partner.is_some() { flags::PARTNER } else { 0 };
        Ok(Order {
            seq,
            entity,
            meter: meter_of(entity),
            side: self.side()?,
            energy: Energy::from_wh(energy),
            min_energy: Energy::from_wh(least),
            price: Price::from_ticks(self.number("price")?),
            flags: self.flag("green", flags::GREEN)?
                | self.flag("auto_confirm", flags::AUTO_CONFIRM)?
                | preference,
            partner: partner.unwrap_or(EntityId::ZERO),
        })
    }
}

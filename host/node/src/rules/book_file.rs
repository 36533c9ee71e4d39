//! Books as files: JSON in, orders out, and back; liberal in what it takes, exact in what it says is wrong.
//!
//! Names of the file (ids, users) never reach a rule: it sees seqs and entities, as on a chain.
//!
//! ```text
//! {"orders": [{"id", "user", "side": "buy" | "sell", "qty", "price", "seq"}, …]}
//! {"ops": [{"op": "new", "id", "user", "side", "qty", "price"} | {"op": "cancel", "id"}, …]}
//! {"cases": [book, book, …]}
//! qty, min_qty   Wh         price   10⁻⁴ yuan per kWh         green, auto_confirm   true | false
//! user, partner  a name, or a number that is the entity's     without user every order is its own entity's
//! ```

use contract_interface::{Book, Op, Order, Side, flags};
use runtime_primitives::{Energy, EntityId, MeterId, Price, Seq};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A book and what its orders are called.
#[derive(Clone, Debug)]
pub struct NamedBook {
    /// What the rule gets to see.
    pub book: Book,
    /// The file's id of each order.
    pub ids: BTreeMap<Seq, Value>,
}

/// Why a file is no book.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Json(String),
    /// Neither orders nor operations.
    #[error("no book: it needs \"orders\": […] or, for a continuous book, \"ops\": […]")]
    NoBook,
    /// A file of many books of which none was chosen, or one that is not there.
    #[error("a file of {count} books: choose one with --case N, a number of a case or below {count}")]
    Cases {
        /// How many.
        count: usize,
    },
    /// One entry is wrong.
    #[error("{place} {index}: {what}")]
    Entry {
        /// The list.
        place: &'static str,
        /// Where in it, from 0.
        index: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// Meters have other numbers than entities, so that mistaking one for the other shows.
const METER_OFFSET: u32 = 1_000_000;

/// The meter of an entity on the desk.
pub const fn meter_of(entity: EntityId) -> MeterId {
    MeterId::from_number(entity.number().wrapping_add(METER_OFFSET))
}

impl NamedBook {
    /// Read a book; of a file with many, case number `case`.
    ///
    /// # Errors
    /// The first thing that is wrong with the file.
    pub fn read(text: &str, case: Option<u64>) -> Result<Self, BookError> {
        let file: Value = serde_json::from_str(text).map_err(|error| BookError::Json(error.to_string()))?;
        let book = chosen(&file, case)?;
        if let Some(orders) = book.get("orders").and_then(Value::as_array).or(book.as_array()) {
            return auction(orders);
        }
        match book.get("ops").and_then(Value::as_array) {
            Some(ops) => continuous(ops),
            None => Err(BookError::NoBook),
        }
    }

    /// The id of an order; its seq if the file does not name it.
    pub fn id(&self, seq: Seq) -> Value {
        self.ids.get(&seq).cloned().unwrap_or_else(|| json!(seq.number()))
    }
}

fn chosen(file: &Value, case: Option<u64>) -> Result<&Value, BookError> {
    let Some(cases) = file.get("cases").and_then(Value::as_array) else { return Ok(file) };
    let named = |case: u64| cases.iter().find(|one| one.get("case").and_then(Value::as_u64) == Some(case));
    let at = |case: u64| usize::try_from(case).ok().and_then(|index| cases.get(index));
    let wanted = case.or((cases.len() == 1).then_some(0));
    let found = wanted.and_then(|case| named(case).or_else(|| at(case)));
    found.ok_or(BookError::Cases { count: cases.len() })
}

fn auction(rows: &[Value]) -> Result<NamedBook, BookError> {
    let wrong = |index, what| BookError::Entry { place: "orders", index, what };
    let mut entities = Entities::of(rows).map_err(|(index, what)| wrong(index, what))?;
    let all_numbered = rows.iter().all(|row| row.get("seq").is_some_and(|seq| !seq.is_null()));
    let (mut orders, mut ids, mut named) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
    for (index, row) in rows.iter().enumerate() {
        let row = Row::of(row).map_err(|what| wrong(index, what))?;
        let seq = if all_numbered { row.number::<u32>("seq") } else { position(index) };
        let seq = Seq::from_number(seq.map_err(|what| wrong(index, what))?);
        let order = row.order(seq, &mut entities).map_err(|what| wrong(index, what))?;
        let id = row.0.get("id").cloned().unwrap_or_else(|| json!(index));
        if !named.insert(id.to_string()) {
            return Err(wrong(index, format!("id {id} is another order's")));
        }
        if ids.insert(seq, id).is_some() {
            return Err(wrong(index, format!("seq {seq} is another order's")));
        }
        orders.push(order);
    }
    orders.sort_by_key(|order: &Order| order.seq);
    Ok(NamedBook { book: Book::Auction(orders), ids })
}

fn continuous(rows: &[Value]) -> Result<NamedBook, BookError> {
    let wrong = |index, what| BookError::Entry { place: "ops", index, what };
    let mut entities = Entities::of(rows).map_err(|(index, what)| wrong(index, what))?;
    let (mut ops, mut ids, mut seqs) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    for (index, row) in rows.iter().enumerate() {
        let row = Row::of(row).map_err(|what| wrong(index, what))?;
        let seq = Seq::from_number(position(index).map_err(|what| wrong(index, what))?);
        let id = row.0.get("id").cloned();
        match row.0.get("op").and_then(Value::as_str) {
            Some("new") | None => {
                let order = row.order(seq, &mut entities).map_err(|what| wrong(index, what))?;
                let id = id.unwrap_or_else(|| json!(index));
                if seqs.insert(id.to_string(), seq).is_some() {
                    return Err(wrong(index, format!("id {id} is another order's")));
                }
                ids.insert(seq, id);
                ops.push(Op::New(order));
            }
            Some("cancel") => {
                let id = id.ok_or_else(|| wrong(index, "a cancellation names an \"id\"".to_owned()))?;
                // Of what was never there nothing is left to cancel: as for an order that is filled.
                let target = seqs.get(&id.to_string()).copied().unwrap_or(Seq::MAX);
                ops.push(Op::Cancel { seq, target });
            }
            Some(other) => {
                return Err(wrong(index, format!("op {other:?}: there are \"new\" and \"cancel\"")));
            }
        }
    }
    Ok(NamedBook { book: Book::Continuous { resting: Vec::new(), ops }, ids })
}

fn position(index: usize) -> Result<u32, String> {
    u32::try_from(index).map_err(|_| "too many".to_owned())
}

/// Users as entities: a number is the entity's own; names get the numbers that are left, in the file's order.
struct Entities {
    taken: BTreeSet<u32>,
    names: BTreeMap<String, EntityId>,
    next: u32,
}

impl Entities {
    fn of(rows: &[Value]) -> Result<Self, (usize, String)> {
        let mut taken = BTreeSet::new();
        for (index, row) in rows.iter().enumerate() {
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

struct Row<'a>(&'a Map<String, Value>);

impl<'a> Row<'a> {
    fn of(value: &'a Value) -> Result<Self, String> {
        value.as_object().map(Self).ok_or_else(|| format!("{value} is no object"))
    }

    fn number<T: TryFrom<u64>>(&self, key: &str) -> Result<T, String> {
        let value = self.0.get(key).ok_or_else(|| format!("{key:?} is missing"))?;
        whole(value).map_err(|what| format!("{key:?} {what}"))
    }

    fn flag(&self, key: &str, bit: u8) -> Result<u8, String> {
        match self.0.get(key) {
            None | Some(Value::Null | Value::Bool(false)) => Ok(0),
            Some(Value::Bool(true)) => Ok(bit),
            Some(other) => Err(format!("{key:?} is true or false, not {other}")),
        }
    }

    fn side(&self) -> Result<Side, String> {
        match self.0.get("side").and_then(Value::as_str) {
            Some("buy" | "bid") => Ok(Side::Buy),
            Some("sell" | "ask") => Ok(Side::Sell),
            _ => Err("\"side\" is \"buy\" or \"sell\"".to_owned()),
        }
    }

    fn order(&self, seq: Seq, entities: &mut Entities) -> Result<Order, String> {
        let absent = Value::Null;
        let energy: u64 = self.number("qty")?;
        if energy == 0 {
            return Err("\"qty\" is 0: an order is of at least 1 Wh".to_owned());
        }
        let least = ["min_qty", "min_energy"].into_iter().find(|key| self.0.contains_key(*key));
        let least: u64 = least.map_or(Ok(0), |key| self.number(key))?;
        if least > energy {
            return Err(format!("the least fill of {least} Wh is more than its {energy} Wh"));
        }
        let entity = entities.entity(self.0.get("user").unwrap_or(&absent))?;
        let partner = match self.0.get("partner") {
            None | Some(Value::Null) => None,
            Some(user) => Some(entities.entity(user)?),
        };
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

/// A book as a file that [`NamedBook::read`] reads back; its ids are seqs and its users entities.
pub fn written(book: &Book) -> Value {
    match book {
        Book::Auction(orders) => json!({ "orders": orders.iter().map(order_row).collect::<Vec<_>>() }),
        Book::Continuous { ops, .. } => {
            let row = |op: &Op| match op {
                Op::New(order) => {
                    let mut row = order_row(order);
                    row["op"] = "new".into();
                    row
                }
                Op::Cancel { target, .. } => json!({ "op": "cancel", "id": target.number() }),
            };
            json!({ "ops": ops.iter().map(row).collect::<Vec<_>>() })
        }
    }
}

fn order_row(order: &Order) -> Value {
    let side = if order.side == Side::Buy { "buy" } else { "sell" };
    let mut row = json!({
        "id": order.seq.number(),
        "user": order.entity.number(),
        "side": side,
        "qty": order.energy.wh(),
        "price": order.price.ticks(),
        "seq": order.seq.number(),
    });
    if !order.min_energy.is_zero() {
        row["min_qty"] = order.min_energy.wh().into();
    }
    for (key, bit) in [("green", flags::GREEN), ("auto_confirm", flags::AUTO_CONFIRM)] {
        if order.flags & bit != 0 {
            row[key] = true.into();
        }
    }
    if order.flags & flags::PARTNER != 0 {
        row["partner"] = order.partner.number().into();
    }
    row
}

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
//! a cancellation may repeat keys of its order: none but id, and seq, is read
//! seq            arrival: of all orders or of none; operations come as the file lists them, and a seq there must rise
//! ```

use super::book_row::{Entities, Entry, Row};
use contract_interface::{Book, Op, Order, Side, flags};
use runtime_primitives::Seq;
use serde_json::{Value, json};
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
    /// Orders and operations.
    #[error("two books: \"orders\" are an auction's, \"ops\" a continuous book's; leave one away")]
    TwoBooks,
    /// A file of many books of which none was chosen, or one that is not there.
    #[error("a file of {count} books; choose one with --case N, a number of a case or below {count}")]
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

impl NamedBook {
    /// Read a book; of a file with many, case number `case`.
    ///
    /// # Errors
    /// The first thing that is wrong with the file.
    pub fn read(text: &str, case: Option<u64>) -> Result<Self, BookError> {
        let file: Value = serde_json::from_str(text).map_err(|error| BookError::Json(error.to_string()))?;
        let book = chosen(&file, case)?;
        if book.get("orders").is_some() && book.get("ops").is_some() {
            return Err(BookError::TwoBooks);
        }
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
    let is_numbered = |row: &Value| row.get("seq").is_some_and(|seq| !seq.is_null());
    let all_numbered = rows.iter().any(is_numbered);
    let (mut orders, mut ids, mut named) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
    for (index, row) in rows.iter().enumerate() {
        let row = Row::of(row, index).map_err(|what| wrong(index, what))?;
        row.check_keys(Entry::Order).map_err(|what| wrong(index, what))?;
        let id = row.id();
        if all_numbered && row.get("seq").is_none() {
            let what = format!("order {id} has no \"seq\" and others have: all have one, or none");
            return Err(wrong(index, what));
        }
        let seq = if all_numbered { row.number::<u32>("seq") } else { position(index) };
        let seq = Seq::from_number(seq.map_err(|what| wrong(index, what))?);
        let order = row.order(seq, &mut entities).map_err(|what| wrong(index, what))?;
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
    let mut last = None;
    for (index, row) in rows.iter().enumerate() {
        let row = Row::of(row, index).map_err(|what| wrong(index, what))?;
        rise(row, &mut last).map_err(|what| wrong(index, what))?;
        let seq = Seq::from_number(position(index).map_err(|what| wrong(index, what))?);
        match row.get("op").map_or(Some("new"), Value::as_str) {
            Some("new") => {
                row.check_keys(Entry::New).map_err(|what| wrong(index, what))?;
                let order = row.order(seq, &mut entities).map_err(|what| wrong(index, what))?;
                let id = row.id();
                if seqs.insert(id.to_string(), seq).is_some() {
                    return Err(wrong(index, format!("id {id} is another order's")));
                }
                ids.insert(seq, id);
                ops.push(Op::New(order));
            }
            Some("cancel") => {
                row.check_keys(Entry::Cancellation).map_err(|what| wrong(index, what))?;
                let id =
                    row.get("id").ok_or_else(|| wrong(index, "a cancellation names an \"id\"".to_owned()))?;
                // Of what was never there nothing is left to cancel: as for an order that is filled.
                let target = seqs.get(&id.to_string()).copied().unwrap_or(Seq::MAX);
                ops.push(Op::Cancel { seq, target });
            }
            other => {
                let op = other.map_or_else(|| "that is no text".to_owned(), |op| format!("{op:?}"));
                return Err(wrong(index, format!("op {op}: there are \"new\" and \"cancel\"")));
            }
        }
    }
    Ok(NamedBook { book: Book::Continuous { resting: Vec::new(), ops }, ids })
}

/// Operations are played as the file lists them; a `seq` that says otherwise is not ignored.
fn rise(row: Row, last: &mut Option<u32>) -> Result<(), String> {
    if row.get("seq").is_none() {
        return Ok(());
    }
    let seq = row.number("seq")?;
    match last.replace(seq).filter(|before| *before >= seq) {
        None => Ok(()),
        Some(before) => Err(format!("seq {seq} after seq {before}: list operations as they came")),
    }
}

fn position(index: usize) -> Result<u32, String> {
    u32::try_from(index).map_err(|_| "too many".to_owned())
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

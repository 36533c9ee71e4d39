//! Bills: what an entity was paid and paid, line by line, from a node's archive.
//!
//! The rule: a line is a record of the ledger, nothing else. What an account had at genesis and all its lines are what it
//! has, free and held together, to the unit; a bill that cannot show this says so.

mod curtailments;
mod error;
mod evidence;
mod movements;
mod period;
mod records;

pub use curtailments::{Curtailment, Hurt};
pub use error::BillError;
pub use movements::{Lines, Movement, movements};
pub use period::Period;
pub use records::{Records, RemoteRecords};

use crate::report::{Amount, BillLine};
use runtime_execution::modules::balances;
use runtime_execution::modules::registry::Entity;
use runtime_primitives::{AccountId, EntityId, Height, Money};
use runtime_state::Overlay;

/// An entity's bill for a period.
#[derive(Clone, Debug)]
pub struct Bill {
    /// Whose.
    pub entity: EntityId,
    /// Its name, else its number.
    pub name: String,
    /// The account of its money.
    pub account: AccountId,
    /// Free and held money before the first line, if the period is one of time.
    pub opening: Option<Amount>,
    /// Free and held money after the last line, if the period is one of time.
    pub closing: Option<Amount>,
    /// The lines, oldest first.
    pub lines: Vec<BillLine>,
    /// Caps of the grid operator: on its own meters, and on those it traded with.
    pub curtailments: Vec<Curtailment>,
    /// What the lines add up to.
    pub total: Amount,
    /// Whether what the account had at genesis and all its lines since are what it has now.
    pub adds_up: bool,
    /// The last block counted.
    pub height: Height,
}

impl Bill {
    /// Read the bill of `entity` for `period`; `state` is the one after the last block counted, `name` knows accounts.
    ///
    /// # Errors
    /// [`BillError`].
    pub fn read(
        records: &dyn Records,
        state: &Overlay,
        (id, entity): (EntityId, &Entity),
        genesis: Money,
        period: &Period,
        name: &dyn Fn(&AccountId) -> String,
    ) -> Result<Self, BillError> {
        let account = entity.owner;
        let mut balance = Amount::received(genesis).ok_or(BillError::Sum)?;
        let (mut total, mut opening, mut lines) = (Amount::ZERO, balance, Vec::new());
        let add = |sum: Amount, more: Amount| sum.checked_add(more).ok_or(BillError::Sum);
        let mut maker = Lines::new(records, state, name);
        for movement in movements(records, state)? {
            let Some(line) = maker.line_of(&movement?, &account, id)? else { continue };
            if period.starts_after(line.time) {
                opening = add(opening, line.amount)?;
            }
            balance = add(balance, line.amount)?;
            if period.contains(&line) {
                total = add(total, line.amount)?;
                lines.push(line);
            }
        }
        let money = balances::account(state, &account).data;
        let has = Amount::received(money.free.saturating_add(money.reserved)).ok_or(BillError::Sum)?;
        let of_time = period.is_of_time();
        let curtailments = curtailments::of_bill(records, state, id, period, &lines)?;
        Ok(Self {
            entity: id,
            name: name(&account),
            account,
            opening: of_time.then_some(opening),
            closing: of_time.then_some(add(opening, total)?),
            lines,
            curtailments,
            total,
            adds_up: balance == has,
            height: movements::height_of(state),
        })
    }
}

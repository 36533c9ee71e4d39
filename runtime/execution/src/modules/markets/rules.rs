//! Calling a pure rule: bytes in, bytes out, nothing else. Whatever a rule does, the answer here is a value.

use super::Error;
use crate::context::Context;
use crate::modules::contracts;
use crate::storage::{Map, storage};
use contract_interface::{
    ADMIT, Admission, AdmitInput, CLEAR, ClearParams, Clearing, DESCRIBE, Descriptor, INTERFACE, Order,
    RuleError, RuleResult, SETTLE, Selector, SettleInput, SettlementReport, Terms, flags,
};
use parity_scale_codec::{Decode, DecodeAll, Encode};
use runtime_primitives::limits::{
    ADMIT_GAS_MAX, CLEAR_GAS_MAX, DESCRIBE_GAS_MAX, MINIMUMS_PER_SLOT_MAX, SETTLE_GAS_MAX,
};
use runtime_primitives::{Gas, Hash};
use runtime_state::Overlay;
use runtime_vm::{Kind, Vm};

/// Why a run gives no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It trapped, ran out of gas or of stack, or is not on chain.
    Trapped,
    /// Its answer does not decode.
    Garbage,
    /// It refused its input.
    Rule(RuleError),
}

macro_rules! into_event_failure {
    ($($target:ident),*) => {$(
        impl From<Failure> for super::$target {
            fn from(failure: Failure) -> Self {
                match failure {
                    Failure::Trapped => Self::Trapped,
                    Failure::Garbage => Self::Garbage,
                    Failure::Rule(error) => Self::Rule(error),
                }
            }
        }
    )*};
}
into_event_failure!(ClearFailure, SettleFailure);

/// A run of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run<T> {
    /// What it answered.
    pub answer: Result<T, Failure>,
    /// What it costs: gas used, or the whole limit after a trap (where inside a trap's block the counter
    /// stood is nobody's business).
    pub gas: Gas,
}

/// Run `selector` of a rule on SCALE-encoded arguments. Used by execution, by validators on their second engine
/// and by anyone who audits: the answer depends on the arguments alone.
pub fn run<T: Decode>(
    vm: &Vm,
    code_hash: &Hash,
    code: impl FnOnce() -> Option<Vec<u8>>,
    selector: Selector,
    arguments: &[u8],
    limit: Gas,
) -> Run<T> {
    let failed = |failure| Run { answer: Err(failure), gas: limit };
    let Ok(module) = vm.load(code_hash, Kind::Pure, || code().unwrap_or_default()) else {
        return failed(Failure::Trapped);
    };
    let outcome = vm.call_pure(&module, &[&selector, arguments].concat(), limit);
    let Ok(output) = outcome.result else { return failed(Failure::Trapped) };
    let answer = match RuleResult::<T>::decode_all(&mut &output.data[..]) {
        Ok(Ok(Ok(value))) if output.flags == 0 => Ok(value),
        Ok(Ok(Err(error))) => Err(Failure::Rule(error)),
        _ => Err(Failure::Garbage),
    };
    Run { answer, gas: outcome.gas_used }
}

fn on_chain<T: Decode>(
    ctx: &Context,
    code: &Hash,
    selector: Selector,
    arguments: &[u8],
    limit: u64,
) -> Run<T> {
    let bytes = || contracts::code(&ctx.state, code);
    run(ctx.vm, code, bytes, selector, arguments, Gas::from_units(limit))
}

/// Ask a bid rule.
pub fn admit(ctx: &Context, code: &Hash, input: &AdmitInput) -> Run<Admission> {
    on_chain(ctx, code, ADMIT, &input.encode(), ADMIT_GAS_MAX)
}

/// Clear a book; `input` is SCALE of `(ClearParams, Book)`.
pub fn clear(ctx: &Context, code: &Hash, input: &[u8]) -> Run<Clearing> {
    clear_within(ctx, code, input, Gas::from_units(CLEAR_GAS_MAX))
}

/// Clear a book with at most so much gas.
pub fn clear_within(ctx: &Context, code: &Hash, input: &[u8], limit: Gas) -> Run<Clearing> {
    on_chain(ctx, code, CLEAR, input, limit.units())
}

/// The arguments of `clear` for an auction.
pub fn clear_input(params: &ClearParams, book: &[Order]) -> Vec<u8> {
    // As `Book::Auction` encodes, without a copy of the book.
    (params, 0u8, book).encode()
}

/// The book as a rule can read it. A fallback may know less than the rule it replaces: preferences it does not
/// know are left out (they bind nobody), orders whose minimum it would not honour stay out of the clearing. So do, of
/// those with a minimum, all but the first [`MINIMUMS_PER_SLOT_MAX`]: sealed ones cannot be counted before the gate.
pub fn readable_book(rule: &Descriptor, orders: &[Order]) -> Vec<Order> {
    let mut minimums = 0;
    let fits = |order: &&Order| {
        let has_minimum = !order.min_energy.is_zero();
        minimums += u32::from(has_minimum);
        !has_minimum || rule.min_energy && minimums <= MINIMUMS_PER_SLOT_MAX
    };
    let mut readable = Vec::with_capacity(orders.len());
    readable.extend(orders.iter().filter(fits).map(|order| readable_order(rule, order)));
    readable
}

/// An order with the flags that `rule` knows.
pub const fn readable_order(rule: &Descriptor, order: &Order) -> Order {
    Order { flags: order.flags & (rule.flags_supported | flags::AUTO_CONFIRM), ..*order }
}

/// Settle a slot.
pub fn settle(ctx: &Context, code: &Hash, input: &SettleInput) -> Run<SettlementReport> {
    on_chain(ctx, code, SETTLE, &input.encode(), SETTLE_GAS_MAX)
}

storage! {
    "Markets":
    /// What rules in use say of themselves; asked once, when a market first names them.
    pub static DESCRIPTORS: Map<Hash, Descriptor> = "Descriptors";
}

/// Whether slots under these terms have a continuous book.
pub fn is_continuous(state: &Overlay, terms: &Terms) -> bool {
    DESCRIPTORS.get(state, &terms.matching).is_some_and(|rule| rule.continuous)
}

/// A rule's description.
///
/// # Errors
/// [`Error::UnknownCode`], [`Error::NotARule`], [`Error::RuleRefused`].
pub fn describe(ctx: &mut Context, code: &Hash) -> Result<Descriptor, Error> {
    if let Some(known) = DESCRIPTORS.get(&ctx.state, code) {
        return Ok(known);
    }
    if contracts::code(&ctx.state, code).is_none() {
        return Err(Error::UnknownCode(*code));
    }
    let descriptor = match on_chain::<Descriptor>(ctx, code, DESCRIBE, &[], DESCRIBE_GAS_MAX).answer {
        Ok(descriptor) if descriptor.interface == INTERFACE => descriptor,
        Err(Failure::Rule(error)) => return Err(Error::RuleRefused { code: *code, error }),
        _ => return Err(Error::NotARule(*code)),
    };
    DESCRIPTORS.put(&mut ctx.state, code, &descriptor);
    Ok(descriptor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract_interface::{Book, Side};
    use runtime_primitives::{Energy, EntityId, MarketId, MeterId, Price, Seq, Slot};

    #[test]
    fn an_auctions_input_is_that_of_its_book() {
        let order = |seq| Order {
            seq: Seq::from_number(seq),
            entity: EntityId::from_number(3),
            meter: MeterId::from_number(5),
            side: Side::Sell,
            energy: Energy::from_wh(500),
            min_energy: Energy::ZERO,
            price: Price::from_ticks(4_000),
            flags: 0,
            partner: EntityId::from_number(0),
        };
        let params = ClearParams {
            interface: INTERFACE,
            market: MarketId::ZERO,
            slot: Slot::from_number(9),
            batch: 0,
            slot_minutes: 15,
            tick_size: Price::from_ticks(1),
            price_min: Price::from_ticks(0),
            price_max: Price::from_ticks(9_000),
        };
        for book in [vec![], vec![order(0)], vec![order(0), order(7)]] {
            assert_eq!(clear_input(&params, &book), (params, Book::Auction(book)).encode());
        }
    }
}

//! One running contract, as the VM's host: who called it, what it may see, what it changes.
//!
//! A frame borrows the context for as long as its contract runs and keeps nothing of the state itself, so that frames
//! may lie inside one another. Every write goes to the layer that the invocation opened.

use super::contract::{storage_at, write};
use super::{Error, Event};
use crate::context::Context;
use crate::modules::{balances, system};
use parity_scale_codec::Encode;
use runtime_primitives::limits::EVENTS_BYTES_MAX;
use runtime_primitives::{AccountId, Hash, Money};
use runtime_vm::{Host, ReturnCode};

/// Balance below which a payment is refused: one unit.
const MINIMUM_BALANCE: u128 = 1;
/// Bytes of debug messages that a dry run keeps: as many as a block's events may have.
const DEBUG_BYTES_MAX: usize = EVENTS_BYTES_MAX;

/// One running contract.
pub(super) struct Frame<'f, 'a> {
    /// The block.
    pub ctx: &'f mut Context<'a>,
    /// Who called.
    pub caller: AccountId,
    /// The contract.
    pub contract: AccountId,
    /// What was sent along.
    pub value: Money,
    /// Where debug messages go; dropped in a block.
    pub debug: Option<&'f mut String>,
    /// Whether an event found no room; the call then fails.
    pub events_refused: bool,
}

/// Move money; nothing to do if it is none or stays where it is.
///
/// # Errors
/// [`Error::TransferFailed`].
pub(super) fn transfer(ctx: &mut Context, from: AccountId, to: AccountId, value: Money) -> Result<(), Error> {
    if value.is_zero() || from == to {
        return Ok(());
    }
    let record = balances::plain(ctx, from, to, value);
    balances::transfer(ctx, &record).map_err(|_| Error::TransferFailed)
}

impl Host for Frame<'_, '_> {
    fn caller(&self) -> [u8; 32] {
        self.caller.0
    }

    fn address(&self) -> [u8; 32] {
        self.contract.0
    }

    fn value_transferred(&self) -> u128 {
        self.value.units()
    }

    fn balance(&self) -> u128 {
        balances::account(&self.ctx.state, &self.contract).data.free.units()
    }

    fn minimum_balance(&self) -> u128 {
        MINIMUM_BALANCE
    }

    fn block_number(&self) -> u32 {
        system::block_number(self.ctx.env.height.number())
    }

    fn now(&self) -> u64 {
        self.ctx.env.now.ms()
    }

    /// Registered entities pay no fees.
    fn weight_to_fee(&self, _gas: u64) -> u128 {
        0
    }

    fn get_storage(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        storage_at(&self.ctx.state, &self.contract, key)
    }

    fn set_storage(&mut self, key: &[u8], value: Option<&[u8]>) -> Option<u32> {
        write(&mut self.ctx.state, &self.contract, key, value)
    }

    fn deposit_event(&mut self, topics: Vec<[u8; 32]>, data: Vec<u8>) {
        // Gas alone would let one call emit many times what a block may hold.
        let bytes = topics.encoded_size() + data.len();
        if self.ctx.events_bytes().saturating_add(bytes) > EVENTS_BYTES_MAX {
            self.events_refused = true;
            return;
        }
        let event = Event::ContractEmitted { contract: self.contract, data };
        self.ctx.emit_with_topics(event, topics.into_iter().map(Hash).collect());
    }

    fn debug_message(&mut self, text: &str) {
        if let Some(debug) = &mut self.debug
            && debug.len() + text.len() <= DEBUG_BYTES_MAX
        {
            debug.push_str(text);
        }
    }

    fn transfer(&mut self, to: &[u8; 32], value: u128) -> Result<(), ReturnCode> {
        transfer(self.ctx, self.contract, AccountId(*to), Money::from_units(value))
            .map_err(|_| ReturnCode::TransferFailed)
    }
}

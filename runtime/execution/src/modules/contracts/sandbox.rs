//! Contracts tried without a chain: a state of one's own, one step at a time, everything it did on the table.
//!
//! The state has a chain's items under a chain's keys and a step runs as an extrinsic would, so a contract cannot tell
//! the difference. Each step that succeeds is a block of its own; one that fails leaves no trace. Roles, registration
//! and signatures are not asked.

use super::contract::{CONTRACT_INFO, ContractInfo, STORAGE, clean_up};
use super::deposit::StorageDeposit;
use super::dry_run::{DryRun, Instantiation, conclude, context, upload_and_instantiate};
use super::invocation::{Invoked, Message, call};
use super::stack::Trace;
use crate::context::Context;
use crate::event::{Event, EventRecord};
use crate::modules::{balances, system, timestamp};
use runtime_primitives::{AccountId, Gas, Hash, Height, Money, Timestamp};
use runtime_state::{MemoryState, Overlay};
use runtime_vm::{Output, Vm};
use std::collections::BTreeMap;

/// What every caller starts with: a million yuan.
pub const SANDBOX_ENDOWMENT: Money = Money::from_units(10_000_000_000_000);
/// Time of the block before the first: 1 January 2026, 0:00 UTC.
const START: Timestamp = Timestamp::from_ms(1_767_225_600_000);
/// Between two blocks.
const BLOCK_MS: u64 = 1_000;

/// A state with contracts in it, and a machine to run them on.
pub struct Sandbox<'v> {
    vm: &'v Vm,
    state: MemoryState,
}

/// Money that moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Payer.
    pub from: AccountId,
    /// Payee.
    pub to: AccountId,
    /// Amount.
    pub amount: Money,
}

impl Transfer {
    /// The payments among `events`, in order.
    pub fn among(events: &[EventRecord]) -> Vec<Self> {
        let payment = |record: &EventRecord| match record.event {
            Event::Balances(balances::Event::Transfer { from, to, amount }) => {
                Some(Self { from, to, amount })
            }
            _ => None,
        };
        events.iter().filter_map(payment).collect()
    }
}

impl<'v> Sandbox<'v> {
    /// Go on from `state`, the empty one or one that another sandbox left.
    pub const fn new(vm: &'v Vm, state: MemoryState) -> Self {
        Self { vm, state }
    }

    /// Everything that is there, to go on from another time.
    pub fn into_state(self) -> MemoryState {
        self.state
    }

    /// Store the code if it is new, make a contract from it, and run its constructor; its address, unless its code is
    /// refused.
    ///
    /// The thread needs [`runtime_vm::VM_THREAD_STACK_BYTES`] of stack.
    pub fn deploy(&mut self, new: Instantiation) -> (DryRun, Option<AccountId>) {
        let mut address = None;
        let run = self.step(new.message.caller, new.message.gas_limit, |ctx, trace| {
            let (invoked, uploaded, contract) = upload_and_instantiate(ctx, new, trace);
            address = contract;
            (invoked, uploaded)
        });
        (run, address)
    }

    /// Call a contract.
    ///
    /// The thread needs [`runtime_vm::VM_THREAD_STACK_BYTES`] of stack.
    pub fn call(&mut self, contract: AccountId, message: Message) -> DryRun {
        let (caller, limit) = (message.caller, message.gas_limit);
        self.step(caller, limit, |ctx, trace| (call(ctx, contract, message, Some(trace)), Money::ZERO))
    }

    /// The contracts that there are.
    pub fn contracts(&self) -> BTreeMap<AccountId, ContractInfo> {
        CONTRACT_INFO.entries(&Overlay::new(&self.state))
    }

    /// What a contract stores, by the hash of the key: the state does not know the keys themselves.
    pub fn storage(&self, contract: &AccountId) -> BTreeMap<Hash, Vec<u8>> {
        let state = Overlay::new(&self.state);
        let Some(info) = CONTRACT_INFO.get(&state, contract) else { return BTreeMap::new() };
        let trie_id = info.trie_id();
        let entries = STORAGE.entries(&state).into_iter();
        entries.filter(|((of, _), _)| *of == trie_id).map(|((_, key), value)| (key, value)).collect()
    }

    /// One block with one extrinsic of `caller`; kept if it succeeded. `run` gives what was reserved for code, too.
    fn step(
        &mut self,
        caller: AccountId,
        limit: Gas,
        run: impl FnOnce(&mut Context, &mut Trace) -> (Invoked<(Output, StorageDeposit)>, Money),
    ) -> DryRun {
        let mut ctx = context(self.vm, &self.state);
        begin(&mut ctx, &caller);
        let mut trace = Trace::default();
        let (invoked, uploaded) = run(&mut ctx, &mut trace);
        let succeeded = invoked.result.is_ok();
        let (done, mut state) = conclude(ctx, invoked, limit, uploaded, trace);
        if succeeded {
            clean_up(&mut state);
            let changes = state.into_changes();
            self.state.commit(&changes);
        }
        done
    }
}

/// Begin the next block: its height and time, and a caller who has money.
fn begin(ctx: &mut Context, caller: &AccountId) {
    let last = timestamp::NOW.get(&ctx.state).unwrap_or(START);
    ctx.env.now = last.plus_ms(BLOCK_MS);
    ctx.env.height = Height::from_number(ctx.env.height.number() + 1);
    timestamp::NOW.put(&mut ctx.state, &ctx.env.now);
    system::NUMBER.put(&mut ctx.state, &system::block_number(ctx.env.height.number()));
    if balances::account(&ctx.state, caller).nonce == 0 {
        balances::endow(&mut ctx.state, caller, SANDBOX_ENDOWMENT);
    }
    system::bump_nonce(&mut ctx.state, caller);
}

//! The contracts that run inside one another: what each may do, and what they share.

use super::deposit::Meter;
use super::{ContractInfo, Error};
use runtime_primitives::limits::CALL_DEPTH_MAX;
use runtime_primitives::{AccountId, Hash, Money};
use runtime_vm::Entry;

/// One running contract.
pub(super) struct Level {
    /// The contract.
    pub contract: AccountId,
    /// Names its storage.
    pub trie_id: Hash,
    /// Who called it; below a delegate call, who called whoever delegates.
    pub caller: AccountId,
    /// What was sent along.
    pub value: Money,
    /// Where it was entered.
    pub entry: Entry,
    /// Whether it may only read.
    pub read_only: bool,
    /// Whether what it calls may call it back; set for the time of each call.
    pub allows_reentry: bool,
    /// What it owes for storage.
    pub deposits: Meter,
}

/// What a dry run learns beside the result; nobody asks in a block.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// Debug messages.
    pub debug: String,
    /// Most contracts that ran inside one another.
    pub levels: usize,
}

/// A call stack.
pub(super) struct Stack<'d> {
    /// Who signed.
    pub origin: AccountId,
    /// Outermost first; never empty while a contract runs.
    levels: Vec<Level>,
    /// What a dry run is told.
    pub trace: Option<&'d mut Trace>,
    /// Why the chain made the innermost contract trap.
    pub refusal: Option<Error>,
}

impl<'d> Stack<'d> {
    pub(super) fn new(origin: AccountId, trace: Option<&'d mut Trace>) -> Self {
        Self { origin, levels: Vec::new(), trace, refusal: None }
    }

    /// The innermost level.
    ///
    /// # Panics
    /// If no contract runs.
    pub(super) fn top(&self) -> &Level {
        self.levels.last().expect("a contract runs")
    }

    /// [`Self::top`], to change.
    pub(super) fn top_mut(&mut self) -> &mut Level {
        self.levels.last_mut().expect("a contract runs")
    }

    /// Whether one level more is too many.
    pub(super) fn is_full(&self) -> bool {
        self.levels.len() > CALL_DEPTH_MAX
    }

    pub(super) fn push(&mut self, level: Level) {
        self.levels.push(level);
        if let Some(trace) = &mut self.trace {
            trace.levels = trace.levels.max(self.levels.len());
        }
    }

    /// Take the innermost level away.
    pub(super) fn pop(&mut self) -> Level {
        self.levels.pop().expect("levels are popped by whoever pushed them")
    }

    /// Whether a contract may be entered as far as those who run it say.
    pub(super) fn allows_entering(&self, contract: &AccountId) -> bool {
        self.levels.iter().all(|level| level.contract != *contract || level.allows_reentry)
    }

    /// Whether a contract's constructor has not ended.
    pub(super) fn is_under_construction(&self, contract: &AccountId) -> bool {
        self.levels.iter().any(|level| level.contract == *contract && level.entry == Entry::Deploy)
    }

    /// Whether the innermost contract runs further out as well.
    pub(super) fn is_recursive(&self) -> bool {
        let Some((top, below)) = self.levels.split_last() else { return false };
        below.iter().any(|level| level.contract == top.contract)
    }
}

impl Level {
    /// A contract entered by `caller`.
    pub(super) fn new(contract: AccountId, info: &ContractInfo, caller: AccountId, value: Money) -> Self {
        Self {
            contract,
            trie_id: info.trie_id(),
            caller,
            value,
            entry: Entry::Call,
            read_only: false,
            allows_reentry: true,
            deposits: Meter::default(),
        }
    }

    /// The same contract, running another code.
    pub(super) fn delegate(&self) -> Self {
        Self { entry: Entry::Call, allows_reentry: true, deposits: self.deposits.nested(0), ..*self }
    }
}

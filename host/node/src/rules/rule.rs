//! One rule from a file, loaded on both engines: asked like a chain asks it, answered like nothing can go wrong.
//!
//! A trap is told with its reason, which a chain would not remember: here it is for the rule's author.

use super::fault::Fault;
use super::generate::plain_message;
use contract_interface::{
    ADMIT, Admission, Book, CLEAR, ClearParams, Clearing, DESCRIBE, Descriptor, INTERFACE, Pricing,
    RuleError, RuleResult, SETTLE, Selector, SettlementReport,
};
use parity_scale_codec::{Decode, DecodeAll, Encode};
use runtime_primitives::limits::{
    ADMIT_GAS_MAX, CLEAR_GAS_MAX, DESCRIBE_GAS_MAX, MAX_ORDERS_PER_SLOT, SETTLE_GAS_MAX,
};
use runtime_primitives::{Gas, Hash, blake2_256};
use runtime_vm::{CodeError, EngineKind, Kind, Module, Outcome, Trap, Vm, VmFault};

/// What a rule is asked on a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RuleKind {
    /// Clears books.
    Matching,
    /// Admits orders.
    Bid,
    /// Settles slots.
    Settlement,
}

impl RuleKind {
    /// All of them; what answers several messages is taken for the first.
    pub const ALL: [Self; 3] = [Self::Matching, Self::Bid, Self::Settlement];

    /// The message that makes it one.
    pub const fn selector(self) -> Selector {
        match self {
            Self::Matching => CLEAR,
            Self::Bid => ADMIT,
            Self::Settlement => SETTLE,
        }
    }

    /// What one answer may cost.
    pub const fn gas_max(self) -> Gas {
        Gas::from_units(match self {
            Self::Matching => CLEAR_GAS_MAX,
            Self::Bid => ADMIT_GAS_MAX,
            Self::Settlement => SETTLE_GAS_MAX,
        })
    }

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matching => "matching",
            Self::Bid => "bid",
            Self::Settlement => "settlement",
        }
    }
}

/// Why a rule could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The engine does not start on this machine.
    #[error(transparent)]
    Engine(#[from] VmFault),
    /// The chain would not accept the code.
    #[error("the chain refuses the code: {0}")]
    Code(#[from] CodeError),
}

/// Why a rule gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// It trapped or ran out of gas.
    #[error("it trapped: {0}")]
    Trapped(Trap),
    /// What it returned does not decode.
    #[error("its answer of {bytes} bytes with flags {flags} is none that the interface knows")]
    Garbage {
        /// Bytes returned.
        bytes: usize,
        /// Return flags.
        flags: u32,
    },
    /// It did not understand the message.
    #[error("it does not understand the message")]
    Unread,
    /// It refused its input.
    #[error("it refused its input: {0:?}")]
    Refused(RuleError),
}

/// A rule on the engine that executes blocks and on the one that validators compare with.
pub struct Rule {
    hash: Hash,
    compiled: (Vm, Module),
    interpreted: (Vm, Module),
}

impl Rule {
    /// Loads `code`.
    ///
    /// # Errors
    /// If an engine does not start, or the chain would not accept the code as a rule.
    pub fn load(code: &[u8]) -> Result<Self, LoadError> {
        let hash = blake2_256(code);
        let load = |engine| -> Result<(Vm, Module), LoadError> {
            let vm = Vm::new(engine)?;
            let module = vm.load(&hash, Kind::Pure, || code.to_vec())?;
            Ok((vm, module))
        };
        Ok(Self { hash, compiled: load(EngineKind::Wasmtime)?, interpreted: load(EngineKind::Wasmi)? })
    }

    /// Its name on chain.
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// Asks it as blocks do.
    pub fn call(&self, message: &[u8], limit: Gas) -> Outcome {
        let (vm, module) = &self.compiled;
        vm.call_pure(module, message, limit)
    }

    /// Asks it as validators do before they sign.
    pub fn call_interpreted(&self, message: &[u8], limit: Gas) -> Outcome {
        let (vm, module) = &self.interpreted;
        vm.call_pure(module, message, limit)
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// If it says nothing that a market could register.
    pub fn describe(&self) -> Result<Descriptor, Fault> {
        let outcome = self.call(&DESCRIBE, Gas::from_units(DESCRIBE_GAS_MAX));
        let descriptor: Descriptor = answer(&outcome)
            .map_err(|why| Fault::new("Describe", format!("asked to describe itself, {why}")))?;
        if descriptor.interface != INTERFACE {
            let theirs = descriptor.interface;
            return Err(Fault::new(
                "Interface",
                format!("it speaks interface {theirs}, the chain {INTERFACE}"),
            ));
        }
        if descriptor.continuous && descriptor.pricing == Pricing::Uniform {
            return Err(Fault::new("Descriptor", "a continuous book has no uniform price"));
        }
        Ok(Descriptor { max_orders: descriptor.max_orders.min(MAX_ORDERS_PER_SLOT), ..descriptor })
    }

    /// Which messages it understands: those of which it does not leave a valid input unread.
    pub fn kinds(&self) -> Vec<RuleKind> {
        let understands = |kind: &RuleKind| {
            let outcome = self.call(&plain_message(*kind), kind.gas_max());
            match kind {
                RuleKind::Matching => understood::<Clearing>(&outcome),
                RuleKind::Bid => understood::<Admission>(&outcome),
                RuleKind::Settlement => understood::<SettlementReport>(&outcome),
            }
        };
        RuleKind::ALL.into_iter().filter(understands).collect()
    }
}

fn understood<T: Decode>(outcome: &Outcome) -> bool {
    matches!(answer::<T>(outcome), Ok(_) | Err(NoAnswer::Refused(_)))
}

/// What an outcome says.
///
/// # Errors
/// Why it is no answer.
pub fn answer<T: Decode>(outcome: &Outcome) -> Result<T, NoAnswer> {
    let output = outcome.result.as_ref().map_err(|trap| NoAnswer::Trapped(trap.clone()))?;
    match RuleResult::<T>::decode_all(&mut &output.data[..]) {
        Ok(Ok(Ok(value))) if output.flags == 0 => Ok(value),
        Ok(Ok(Err(error))) => Err(NoAnswer::Refused(error)),
        Ok(Err(_)) => Err(NoAnswer::Unread),
        _ => Err(NoAnswer::Garbage { bytes: output.data.len(), flags: output.flags }),
    }
}

/// The message that asks a matching rule to clear `book`.
pub fn clear_message(params: &ClearParams, book: &Book) -> Vec<u8> {
    (CLEAR, params, book).encode()
}

//! What a stateful contract sees of the chain.
//!
//! The VM does not know what an account is: addresses are 32 bytes, values `u128`. It charges gas and checks sizes
//! before it calls; a host only answers.
//!
//! A host that runs other contracts gives the [`Budget`] of the nested call to [`Vm::call`](crate::Vm::call) and
//! tells what came of it by an [`Answer`].

use crate::limits::STACK_SLOTS;
use crate::{HostTrap, Output};
use runtime_abi::ReturnCode;
use runtime_primitives::Gas;

/// Status of a function of an extension that there is not.
pub const EXTENSION_NOT_REGISTERED: u32 = 1;

/// What a call may use: gas, and slots of the logical stack, which all calls inside one another share.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub(crate) gas: Gas,
    pub(crate) stack: u32,
}

impl Budget {
    /// Gas that the call may use.
    pub const fn gas(self) -> Gas {
        self.gas
    }

    /// What is left after `gas` was used for something else, if that is enough.
    pub fn less(self, gas: Gas) -> Option<Self> {
        Some(Self { gas: self.gas.checked_sub(gas)?, ..self })
    }
}

/// The budget of an outermost call: the whole stack.
impl From<Gas> for Budget {
    fn from(gas: Gas) -> Self {
        Self { gas, stack: STACK_SLOTS }
    }
}

/// Why a host did not do what a contract asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostError {
    /// The contract learns the code and goes on.
    Code(ReturnCode),
    /// The contract traps.
    Trap(HostTrap),
}

impl From<ReturnCode> for HostError {
    fn from(code: ReturnCode) -> Self {
        Self::Code(code)
    }
}

impl From<HostTrap> for HostError {
    fn from(trap: HostTrap) -> Self {
        Self::Trap(trap)
    }
}

/// What came of a nested call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// The callee's output, a revert's included, or what its caller learns instead.
    pub result: Result<T, HostError>,
    /// Gas used: at most the budget's; the whole of it after a trap.
    pub gas_used: Gas,
}

impl<T> Answer<T> {
    /// The callee did not run.
    pub fn refused(error: impl Into<HostError>) -> Self {
        Self { result: Err(error.into()), gas_used: Gas::ZERO }
    }
}

/// A call of another contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractCall {
    /// Whom.
    pub callee: [u8; 32],
    /// Sent along.
    pub value: u128,
    /// Selector and arguments.
    pub input: Vec<u8>,
    /// Most that the callee may add to the storage deposit; 0 for what the caller itself may add.
    pub deposit_limit: u128,
    /// Whether the callee may call back into the caller.
    pub allow_reentry: bool,
    /// Whether everything below may only read.
    pub read_only: bool,
}

/// A contract to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewContract {
    /// Its code.
    pub code_hash: [u8; 32],
    /// Sent along.
    pub value: u128,
    /// The constructor's selector and arguments.
    pub input: Vec<u8>,
    /// Tells contracts apart that are otherwise equal.
    pub salt: Vec<u8>,
    /// Most that the constructor may add to the storage deposit; 0 for what the caller itself may add.
    pub deposit_limit: u128,
}

/// The chain, as one contract call sees it. What a host leaves to the defaults is that of a chain which has no other
/// contract and denies nothing.
pub trait Host {
    /// Address of whoever called this contract.
    fn caller(&self) -> [u8; 32];
    /// Address of this contract.
    fn address(&self) -> [u8; 32];
    /// Whether whoever called this contract signed the transaction.
    fn caller_is_origin(&self) -> bool {
        true
    }
    /// Whether this call and all below it may only read.
    fn is_read_only(&self) -> bool {
        false
    }
    /// Value sent with this call.
    fn value_transferred(&self) -> u128;
    /// Balance of this contract, the value sent included.
    fn balance(&self) -> u128;
    /// Balance below which an account ceases to exist.
    fn minimum_balance(&self) -> u128;
    /// Height of the block being executed.
    fn block_number(&self) -> u32;
    /// Time of the block being executed, in ms since the UNIX epoch.
    fn now(&self) -> u64;
    /// Fee of `gas`.
    fn weight_to_fee(&self, gas: u64) -> u128;
    /// The value under `key` (at most `STORAGE_KEY_BYTES_MAX` bytes) of this contract's storage.
    fn get_storage(&mut self, key: &[u8]) -> Option<Vec<u8>>;
    /// Replaces the value under `key` (at most `PAYLOAD_BYTES_MAX` bytes), or removes it; the old value's length.
    fn set_storage(&mut self, key: &[u8], value: Option<&[u8]>) -> Option<u32>;
    /// Records an event of this contract: at most `EVENT_TOPICS_MAX` topics, `PAYLOAD_BYTES_MAX` bytes.
    ///
    /// # Errors
    /// If the chain has no room for it; the contract traps.
    fn deposit_event(&mut self, topics: Vec<[u8; 32]>, data: Vec<u8>) -> Result<(), HostTrap>;
    /// Records a text for whoever dry-runs the call; it must not influence anything.
    fn debug_message(&mut self, text: &str);
    /// Sends `value` from this contract to `to`.
    ///
    /// # Errors
    /// [`ReturnCode::TransferFailed`] if the balance does not allow it; the contract goes on with the code.
    fn transfer(&mut self, to: &[u8; 32], value: u128) -> Result<(), ReturnCode>;
    /// The code hash of the contract at an address, if there is one.
    fn code_hash(&self, _address: &[u8; 32]) -> Option<[u8; 32]> {
        None
    }
    /// The code hash of this contract.
    fn own_code_hash(&self) -> [u8; 32] {
        [0; 32]
    }
    /// Calls another contract.
    fn call(&mut self, _call: ContractCall, _budget: Budget) -> Answer<Output> {
        Answer::refused(ReturnCode::NotCallable)
    }
    /// Runs the code with this hash on this contract's storage and balance, with this call's caller and value.
    fn delegate_call(&mut self, _code_hash: [u8; 32], _input: Vec<u8>, _budget: Budget) -> Answer<Output> {
        Answer::refused(ReturnCode::CodeNotFound)
    }
    /// Makes a contract and runs its constructor; the answer tells its address.
    fn instantiate(&mut self, _new: NewContract, _budget: Budget) -> Answer<(Output, [u8; 32])> {
        Answer::refused(ReturnCode::CodeNotFound)
    }
    /// A number that is different in every constructor.
    fn instantiation_nonce(&self) -> u64 {
        0
    }
    /// Removes this contract; its balance goes to `beneficiary`.
    ///
    /// # Errors
    /// If it is on the call stack more than once.
    fn terminate(&mut self, _beneficiary: [u8; 32]) -> Result<(), HostTrap> {
        Err(HostTrap::Refused)
    }
    /// Lets this contract run other code from its next call on.
    ///
    /// # Errors
    /// [`ReturnCode::CodeNotFound`].
    fn set_code_hash(&mut self, _code_hash: [u8; 32]) -> Result<(), HostError> {
        Err(ReturnCode::CodeNotFound.into())
    }
    /// How many codes this contract keeps from being removed.
    fn delegate_dependencies(&self) -> u64 {
        0
    }
    /// Keeps a code from being removed.
    ///
    /// # Errors
    /// If it is its own, unknown, locked already, or one too many.
    fn lock_delegate_dependency(&mut self, _code_hash: [u8; 32]) -> Result<(), HostTrap> {
        Err(HostTrap::Refused)
    }
    /// Releases a code.
    ///
    /// # Errors
    /// If it is not locked.
    fn unlock_delegate_dependency(&mut self, _code_hash: [u8; 32]) -> Result<(), HostTrap> {
        Err(HostTrap::Refused)
    }
    /// Answers function `id` of the chain's own extension, which only reads.
    ///
    /// # Errors
    /// The status that the contract learns: never 0.
    fn extension(&mut self, _id: u32, _input: &[u8]) -> Result<Vec<u8>, u32> {
        Err(EXTENSION_NOT_REGISTERED)
    }
}

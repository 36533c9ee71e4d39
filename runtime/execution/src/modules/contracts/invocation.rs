//! Running a contract: a layer of the state around one frame of the VM.
//!
//! The layer is opened before the first effect (the value sent, the contract's own record) and kept only if the
//! contract neither trapped nor reverted.

use super::contract::{CONTRACT_INFO, ContractInfo, address};
use super::frame::{Frame, transfer};
use super::{Caller, Error, Event, code};
use crate::context::Context;
use runtime_primitives::{AccountId, Gas, Hash, Money};
use runtime_vm::{Entry, Kind, Module, Output, Trap};

/// What a caller hands to a contract.
pub(super) struct Message {
    /// Who calls.
    pub caller: AccountId,
    /// What it sends along.
    pub value: Money,
    /// Gas the contract may use.
    pub gas_limit: Gas,
    /// Selector and arguments.
    pub input: Vec<u8>,
}

/// How an invocation ended without its effects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Undone {
    /// The contract asked for it; its answer.
    Reverted(Output),
    /// The contract trapped.
    Trapped(Trap),
    /// A rule of the chain was broken before or after the contract ran.
    Refused(Error),
}

impl From<Undone> for Error {
    fn from(undone: Undone) -> Self {
        match undone {
            Undone::Reverted(_) => Self::ContractReverted,
            Undone::Trapped(Trap::OutOfGas) => Self::OutOfGas,
            Undone::Trapped(_) => Self::ContractTrapped,
            Undone::Refused(error) => error,
        }
    }
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// What came of an invocation.
pub(super) struct Invoked {
    /// The contract's answer, or how it was undone.
    pub result: Result<Output, Undone>,
    /// Gas used; the whole limit after a trap.
    pub gas_used: Gas,
}

/// Call a contract.
pub(super) fn call(
    ctx: &mut Context,
    contract: AccountId,
    message: Message,
    debug: Option<&mut String>,
) -> Invoked {
    let mut gas_used = Gas::ZERO;
    let result = ctx.transactional(|ctx| {
        let info = CONTRACT_INFO.get(&ctx.state, &contract).ok_or(Error::ContractNotFound(contract))?;
        let module = module(ctx, &info.code_hash)?;
        let caller = Caller::Signed(message.caller);
        let output = run(ctx, &module, Entry::Call, contract, message, debug, &mut gas_used)?;
        ctx.emit(Event::Called { caller, contract });
        Ok(output)
    });
    Invoked { result, gas_used }
}

/// Make a contract and run its constructor. Its address is the answer's second half.
pub(super) fn instantiate(
    ctx: &mut Context,
    code_hash: &Hash,
    salt: &[u8],
    message: Message,
    debug: Option<&mut String>,
) -> (Invoked, AccountId) {
    let mut gas_used = Gas::ZERO;
    let (deployer, contract) = (message.caller, address(&message.caller, code_hash, &message.input, salt));
    let result = ctx.transactional(|ctx| {
        code::add_user(&mut ctx.state, code_hash)?;
        let module = module(ctx, code_hash)?;
        if CONTRACT_INFO.contains(&ctx.state, &contract) {
            return Err(Error::DuplicateContract(contract).into());
        }
        CONTRACT_INFO.put(&mut ctx.state, &contract, &ContractInfo::new(&contract, *code_hash));
        let output = run(ctx, &module, Entry::Deploy, contract, message, debug, &mut gas_used)?;
        ctx.emit(Event::Instantiated { deployer, contract });
        Ok(output)
    });
    (Invoked { result, gas_used }, contract)
}

/// The compiled contract of a code on chain.
fn module(ctx: &Context, code_hash: &Hash) -> Result<Module, Error> {
    let bytes = || code::code(&ctx.state, code_hash).expect("code that is counted on is not removed");
    let module = ctx.vm.load(code_hash, Kind::Stateful, bytes);
    module.map_err(|reason| Error::CodeRejected(reason.to_string()))
}

/// Send the value and run `entry` of a contract that exists, in the current layer.
fn run(
    ctx: &mut Context,
    module: &Module,
    entry: Entry,
    contract: AccountId,
    message: Message,
    debug: Option<&mut String>,
    gas_used: &mut Gas,
) -> Result<Output, Undone> {
    let Message { caller, value, gas_limit, input } = message;
    transfer(ctx, caller, contract, value)?;
    let vm = ctx.vm;
    let mut frame = Frame { ctx, caller, contract, value, debug, events_refused: false };
    let outcome = vm.call(module, entry, input, gas_limit, &mut frame);
    let events_refused = frame.events_refused;
    *gas_used = outcome.gas_used;
    match outcome.result {
        Ok(output) if output.reverted() => Err(Undone::Reverted(output)),
        Ok(_) if events_refused => Err(Error::EventSpaceExhausted.into()),
        Ok(output) => Ok(output),
        Err(trap) => {
            // Where inside a trap's block the counter stood is nobody's business.
            *gas_used = gas_limit;
            Err(Undone::Trapped(trap))
        }
    }
}

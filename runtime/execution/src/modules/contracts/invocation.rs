//! Running a contract: a layer of the state and a level of the call stack around one frame of the VM.
//!
//! The layer is opened before the first effect (the value sent, the contract's own record) and kept only if the
//! contract neither trapped nor reverted. Outermost and nested calls take the same way in; they differ in who learns
//! what came of it, and in when deposits are paid.

use super::contract::{CONTRACT_INFO, ContractInfo, NONCE, address};
use super::deposit::{Meter, StorageDeposit, rates};
use super::frame::Frame;
use super::stack::{Level, Stack, Trace};
use super::{Caller, Error, Event, code};
use crate::context::Context;
use crate::modules::balances;
use runtime_primitives::limits::EVENTS_BYTES_MAX;
use runtime_primitives::{AccountId, Gas, Hash, Money};
use runtime_vm::{Budget, Entry, HostTrap, Kind, Module, Output, Trap};

/// Gas of finding a contract's code, for each byte of it: in memory mostly, on the disk if many codes take turns.
pub const GAS_PER_LOADED_BYTE: u64 = 1_000;

/// What a signer hands to a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who signed.
    pub caller: AccountId,
    /// What it sends along.
    pub value: Money,
    /// Gas the contract may use.
    pub gas_limit: Gas,
    /// Most that is deposited for storage: `None` for all the caller has left.
    pub storage_deposit_limit: Option<Money>,
    /// Selector and arguments.
    pub input: Vec<u8>,
}

/// How an invocation ended without its effects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Undone {
    /// The contract asked for it; its answer.
    Reverted(Output),
    /// The contract trapped.
    Trapped {
        /// In words, for whoever dry-runs.
        trap: Trap,
        /// What the chain remembers of it.
        error: Error,
    },
    /// A rule of the chain was broken before or after the contract ran.
    Refused(Error),
}

impl From<Undone> for Error {
    fn from(undone: Undone) -> Self {
        match undone {
            Undone::Reverted(_) => Self::ContractReverted,
            Undone::Trapped { error, .. } | Undone::Refused(error) => error,
        }
    }
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// What came of an invocation.
pub(super) struct Invoked<T = Output> {
    /// The contract's answer, or how it was undone.
    pub result: Result<T, Undone>,
    /// Gas used; the whole limit after a trap.
    pub gas_used: Gas,
}

/// A contract about to be entered.
pub(super) struct Entering {
    /// Where, by whom, with what.
    pub level: Level,
    /// The code to run.
    pub code: Hash,
    /// Selector and arguments.
    pub input: Vec<u8>,
}

impl Entering {
    /// A contract that exists.
    ///
    /// # Errors
    /// [`Error::ReentranceDenied`], [`Error::MaxCallDepthReached`], [`Error::ContractNotFound`].
    pub(super) fn contract(
        ctx: &Context,
        stack: &Stack,
        contract: AccountId,
        (caller, value): (AccountId, Money),
        input: Vec<u8>,
    ) -> Result<Self, Error> {
        if !stack.allows_entering(&contract) {
            return Err(Error::ReentranceDenied);
        }
        if stack.is_full() {
            return Err(Error::MaxCallDepthReached);
        }
        let info = CONTRACT_INFO.get(&ctx.state, &contract);
        let info = info.filter(|_| !stack.is_under_construction(&contract));
        let info = info.ok_or(Error::ContractNotFound(contract))?;
        Ok(Self { level: Level::new(contract, &info, caller, value), code: info.code_hash, input })
    }

    /// A contract that does not exist, made in the current layer.
    ///
    /// # Errors
    /// [`Error::CodeNotFound`], [`Error::CodeRejected`] for a pure rule, [`Error::MaxCallDepthReached`],
    /// [`Error::DuplicateContract`].
    pub(super) fn new_contract(
        ctx: &mut Context,
        stack: &Stack,
        code: Hash,
        (deployer, value): (AccountId, Money),
        input: Vec<u8>,
        salt: &[u8],
        deposits: Meter,
    ) -> Result<Self, Error> {
        code::ensure_contract(&ctx.state, &code)?;
        let code_deposit = code::add_user(&mut ctx.state, &code)?;
        if stack.is_full() {
            return Err(Error::MaxCallDepthReached);
        }
        let contract = address(&deployer, &code, &input, salt);
        if CONTRACT_INFO.contains(&ctx.state, &contract) {
            return Err(Error::DuplicateContract(contract));
        }
        let nonce = NONCE.get(&ctx.state).unwrap_or(0) + 1;
        NONCE.put(&mut ctx.state, &nonce);
        let mut info = ContractInfo::new(&contract, nonce, code);
        info.set_base_deposit(rates(&ctx.state), code_deposit);
        CONTRACT_INFO.put(&mut ctx.state, &contract, &info);
        let mut level =
            Level { deposits, entry: Entry::Deploy, ..Level::new(contract, &info, deployer, value) };
        level.deposits.count(contract, Money::ZERO, info.total_deposit());
        Ok(Self { level, code, input })
    }
}

/// Call a contract.
pub(super) fn call(
    ctx: &mut Context,
    contract: AccountId,
    message: Message,
    trace: Option<&mut Trace>,
) -> Invoked<(Output, StorageDeposit)> {
    outermost(ctx, message, trace, |ctx, stack, message, deposits, gas_used| {
        let Message { caller, value, gas_limit, input, .. } = message;
        let mut entering = Entering::contract(ctx, stack, contract, (caller, value), input)?;
        entering.level.deposits = deposits;
        transfer(ctx, caller, contract, value)?;
        let done = Event::Called { caller: Caller::Signed(caller), contract };
        run(ctx, stack, entering, gas_limit.into(), gas_used, done)
    })
}

/// Make a contract and run its constructor. Its address is the answer's second half.
pub(super) fn instantiate(
    ctx: &mut Context,
    code_hash: &Hash,
    salt: &[u8],
    message: Message,
    trace: Option<&mut Trace>,
) -> (Invoked<(Output, StorageDeposit)>, AccountId) {
    let (deployer, contract) = (message.caller, address(&message.caller, code_hash, &message.input, salt));
    let invoked = outermost(ctx, message, trace, |ctx, stack, message, deposits, gas_used| {
        let Message { value, gas_limit, input, .. } = message;
        let entering =
            Entering::new_contract(ctx, stack, *code_hash, (deployer, value), input, salt, deposits)?;
        transfer(ctx, deployer, contract, value)?;
        let done = Event::Instantiated { deployer, contract };
        run(ctx, stack, entering, gas_limit.into(), gas_used, done)
    });
    (invoked, contract)
}

/// Open the layer and the call stack of an outermost call, and pay what it owes in the end.
fn outermost(
    ctx: &mut Context,
    message: Message,
    trace: Option<&mut Trace>,
    enter: impl FnOnce(&mut Context, &mut Stack, Message, Meter, &mut Gas) -> Result<(Output, Meter), Undone>,
) -> Invoked<(Output, StorageDeposit)> {
    let mut gas_used = Gas::ZERO;
    let result = ctx.transactional(|ctx| {
        let caller = message.caller;
        let free = balances::account(&ctx.state, &caller).data.free;
        let most = free.saturating_sub(message.value);
        let limit = message.storage_deposit_limit.unwrap_or(most);
        if limit > most {
            return Err(Error::StorageDepositNotEnoughFunds.into());
        }
        let mut stack = Stack::new(caller, trace);
        let (output, deposits) = enter(ctx, &mut stack, message, Meter::outermost(limit), &mut gas_used)?;
        let deposit = deposits.settle(ctx, caller)?;
        Ok((output, deposit))
    });
    Invoked { result, gas_used }
}

/// Enter a contract in the current layer; its answer, and what it owes.
///
/// # Errors
/// How it is to be undone.
pub(super) fn run(
    ctx: &mut Context,
    stack: &mut Stack,
    entering: Entering,
    budget: Budget,
    gas_used: &mut Gas,
    done: Event,
) -> Result<(Output, Meter), Undone> {
    let Entering { level, code, input } = entering;
    let info = code::CODE_INFO.get(&ctx.state, &code).expect("whoever enters has found the code");
    let loading = Gas::from_units(GAS_PER_LOADED_BYTE * u64::from(info.code_len));
    let Some(left) = budget.less(loading) else {
        *gas_used = budget.gas();
        return Err(Undone::Trapped { trap: Trap::OutOfGas, error: Error::OutOfGas });
    };
    let module = module(ctx, &code)?;
    let (vm, entry, contract) = (ctx.vm, level.entry, level.contract);
    stack.push(level);
    let outcome = vm.call(&module, entry, input, left, &mut Frame { ctx, stack });
    let Level { deposits, .. } = stack.pop();
    *gas_used = loading.saturating_add(outcome.gas_used);
    let output = match outcome.result {
        Ok(output) if output.reverted() => return Err(Undone::Reverted(output)),
        Ok(output) => output,
        Err(trap) => {
            // Where inside a trap's block the counter stood is nobody's business.
            *gas_used = budget.gas();
            let error = match &trap {
                Trap::HostRefused(HostTrap::Refused) => {
                    stack.refusal.take().expect("the frame says why it refused")
                }
                trap => trap.into(),
            };
            return Err(Undone::Trapped { trap, error });
        }
    };
    if entry == Entry::Deploy && !CONTRACT_INFO.contains(&ctx.state, &contract) {
        return Err(Error::TerminatedInConstructor.into());
    }
    deposits.enforce()?;
    ctx.emit(done);
    // Payments and nested calls emit too; what a contract emits itself is refused at once.
    if ctx.events_bytes() > EVENTS_BYTES_MAX {
        return Err(Error::EventSpaceExhausted.into());
    }
    Ok((output, deposits))
}

/// The compiled contract of a code on chain.
///
/// # Errors
/// [`Error::CodeRejected`] where the deploy checks have changed since it was uploaded: never on a running chain.
fn module(ctx: &Context, code_hash: &Hash) -> Result<Module, Error> {
    let bytes = || code::code(&ctx.state, code_hash).expect("the code is there");
    let module = ctx.vm.load(code_hash, Kind::Stateful, bytes);
    module.map_err(|reason| Error::CodeRejected(reason.to_string()))
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

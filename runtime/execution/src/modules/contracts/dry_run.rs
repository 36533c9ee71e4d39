//! Calls that leave nothing behind: what the host answers clients with that read, or that ask for gas.
//!
//! A dry run happens at the end of the block whose state it is given, on an overlay that is thrown away. Roles, registration
//! and debts are not asked: it proves what a contract does, not that the extrinsic would be included.

use super::deposit::StorageDeposit;
use super::invocation::{Invoked, Message, Undone, call, instantiate};
use super::stack::Trace;
use super::{Determinism, Error, code};
use crate::context::{BlockEnv, Context, VerifySingly};
use crate::event::EventRecord;
use crate::modules::{system, timestamp};
use runtime_primitives::{AccountId, Gas, Hash, Height, Money, Timestamp};
use runtime_state::{Backend, Overlay};
use runtime_vm::{Output, Trap, Vm};

/// Gas that the VM may charge ahead and give back: a read is charged for the longest value before it is known.
/// So much in each contract.
const CHARGED_AHEAD_GAS: Gas = Gas::from_units(2_000_000);

/// What a dry run found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRun {
    /// The contract's answer, a revert's included (see [`Output::reverted`]), or why there is none.
    pub result: Result<Output, Error>,
    /// Why it trapped, if it did: in words, which may differ from machine to machine.
    pub trap: Option<Trap>,
    /// Gas used; the whole limit after a trap.
    pub gas: Gas,
    /// A limit that suffices for the same call on the same state, and is no higher than the one of this call.
    pub gas_required: Gas,
    /// How the signer's storage deposits would change; nothing if it failed or reverted.
    pub storage_deposit: StorageDeposit,
    /// The contract's debug messages.
    pub debug: String,
    /// Events that would be emitted; none if it failed or reverted.
    pub events: Vec<EventRecord>,
}

/// Where a new contract's code comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewCode {
    /// Not on chain yet.
    Upload(Vec<u8>),
    /// On chain.
    Existing(Hash),
}

/// A contract to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instantiation {
    /// By whom, with what; the input is the constructor's selector and arguments.
    pub message: Message,
    /// From which code.
    pub code: NewCode,
    /// Tells contracts apart that are otherwise equal.
    pub salt: Vec<u8>,
}

/// Call a contract on the state of `backend` and forget what it changed.
///
/// The thread needs [`runtime_vm::VM_THREAD_STACK_BYTES`] of stack.
pub fn dry_call(vm: &Vm, backend: &dyn Backend, dest: AccountId, message: Message) -> DryRun {
    let mut trace = Trace::default();
    let mut ctx = context(vm, backend);
    let limit = message.gas_limit;
    let invoked = call(&mut ctx, dest, message, Some(&mut trace));
    conclude(ctx, invoked, limit, Money::ZERO, trace).0
}

/// Make a contract on the state of `backend` and forget it; its address, unless its code is refused.
///
/// The thread needs [`runtime_vm::VM_THREAD_STACK_BYTES`] of stack.
pub fn dry_instantiate(vm: &Vm, backend: &dyn Backend, new: Instantiation) -> (DryRun, Option<AccountId>) {
    let (mut trace, limit) = (Trace::default(), new.message.gas_limit);
    let mut ctx = context(vm, backend);
    let (invoked, uploaded, contract) = upload_and_instantiate(&mut ctx, new, &mut trace);
    (conclude(ctx, invoked, limit, uploaded, trace).0, contract)
}

/// Store code on the state of `backend` and forget it; its hash and what would be reserved for it.
///
/// # Errors
/// As [`code::upload`]; [`Error::Indeterministic`].
pub fn dry_upload(
    vm: &Vm,
    backend: &dyn Backend,
    owner: AccountId,
    code: &Vec<u8>,
    limit: Option<Money>,
    determinism: Determinism,
) -> Result<(Hash, Money), Error> {
    if determinism == Determinism::Relaxed {
        return Err(Error::Indeterministic);
    }
    code::upload(&mut context(vm, backend), owner, code, limit)
}

/// What came of it, what was reserved for the code, and the address, unless the code is refused.
pub(super) fn upload_and_instantiate(
    ctx: &mut Context,
    new: Instantiation,
    trace: &mut Trace,
) -> (Invoked<(Output, StorageDeposit)>, Money, Option<AccountId>) {
    let Instantiation { mut message, code, salt } = new;
    let code_hash = match code {
        NewCode::Existing(hash) => Ok((hash, Money::ZERO)),
        NewCode::Upload(bytes) => code::upload(ctx, message.caller, &bytes, message.storage_deposit_limit),
    };
    let (code_hash, deposit) = match code_hash {
        Ok(uploaded) => uploaded,
        Err(error) => {
            let refused = Invoked { result: Err(error.into()), gas_used: Gas::ZERO };
            return (refused, Money::ZERO, None);
        }
    };
    message.storage_deposit_limit = message.storage_deposit_limit.map(|limit| limit.saturating_sub(deposit));
    let (invoked, contract) = instantiate(ctx, &code_hash, &salt, message, Some(trace));
    (invoked, deposit, Some(contract))
}

pub(super) fn context<'a>(vm: &'a Vm, backend: &'a dyn Backend) -> Context<'a> {
    let state = Overlay::new(backend);
    let height = Height::from_number(system::NUMBER.get(&state).unwrap_or(0).into());
    let now = timestamp::NOW.get(&state).unwrap_or(Timestamp::ZERO);
    // No contract can ask for the genesis hash or for a signature of the chain's own.
    Context::new(state, BlockEnv { height, now, genesis: Hash::ZERO }, vm, &VerifySingly)
}

/// A limit of gas within which `levels` contracts inside one another use `gas` together. A caller keeps a 64th of what
/// it has at each call, so a callee finds its part only if there is a 63rd more.
fn sufficient(gas: Gas, levels: usize) -> Gas {
    let alone = gas.saturating_add(CHARGED_AHEAD_GAS);
    (1..levels).fold(alone, |inside, _| inside.saturating_add(Gas::from_units(inside.units() / 63 + 1)))
}

/// What a dry run within `limit` tells, `uploaded` having been reserved for the code before; and the state it left.
pub(super) fn conclude<'a>(
    ctx: Context<'a>,
    invoked: Invoked<(Output, StorageDeposit)>,
    limit: Gas,
    uploaded: Money,
    trace: Trace,
) -> (DryRun, Overlay<'a>) {
    let Invoked { result, gas_used: gas } = invoked;
    let (state, mut events, _) = ctx.finish();
    if result.is_err() {
        events.clear();
    }
    let trap = match &result {
        Err(Undone::Trapped { trap, .. }) => Some(trap.clone()),
        _ => None,
    };
    let (result, storage_deposit) = match result {
        Ok((output, deposit)) => (Ok(output), deposit.plus(uploaded)),
        Err(Undone::Reverted(output)) => (Ok(output), StorageDeposit::NONE),
        Err(undone) => (Err(undone.into()), StorageDeposit::NONE),
    };
    let gas_required = sufficient(gas, trace.levels).min(limit);
    let done = DryRun { result, trap, gas, gas_required, storage_deposit, debug: trace.debug, events };
    (done, state)
}

//! Calls that leave nothing behind: what the host answers clients with that read, or that ask for gas.
//!
//! A dry run happens at the end of the block whose state it is given, on an overlay that is thrown away. Roles and
//! registration are not asked: it proves what a contract does, not that the extrinsic would be included.

use super::deposit::StorageDeposit;
use super::invocation::{Invoked, Message, Undone, call, instantiate};
use super::{Error, code};
use crate::context::{BlockEnv, Context, VerifySingly};
use crate::event::EventRecord;
use crate::modules::{system, timestamp};
use runtime_primitives::{AccountId, Gas, Hash, Height, Money, Timestamp};
use runtime_state::{Backend, Overlay};
use runtime_vm::{Output, Trap, Vm};

/// Gas that the VM may charge ahead and give back: a read is charged for the longest value before it is known.
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
    /// A limit that suffices for the same call on the same state.
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
    let mut debug = String::new();
    let mut ctx = context(vm, backend);
    let invoked = call(&mut ctx, dest, message, Some(&mut debug));
    conclude(ctx, invoked, Money::ZERO, debug).0
}

/// Make a contract on the state of `backend` and forget it; its address, unless its code is refused.
///
/// The thread needs [`runtime_vm::VM_THREAD_STACK_BYTES`] of stack.
pub fn dry_instantiate(vm: &Vm, backend: &dyn Backend, new: Instantiation) -> (DryRun, Option<AccountId>) {
    let mut debug = String::new();
    let mut ctx = context(vm, backend);
    let (invoked, uploaded, contract) = upload_and_instantiate(&mut ctx, new, &mut debug);
    (conclude(ctx, invoked, uploaded, debug).0, contract)
}

/// What came of it, what was reserved for the code, and the address, unless the code is refused.
pub(super) fn upload_and_instantiate(
    ctx: &mut Context,
    new: Instantiation,
    debug: &mut String,
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
    let (invoked, contract) = instantiate(ctx, &code_hash, &salt, message, Some(debug));
    (invoked, deposit, Some(contract))
}

/// The end of the block whose state `backend` holds.
pub(super) fn context<'a>(vm: &'a Vm, backend: &'a dyn Backend) -> Context<'a> {
    let state = Overlay::new(backend);
    let height = Height::from_number(system::NUMBER.get(&state).unwrap_or(0).into());
    let now = timestamp::NOW.get(&state).unwrap_or(Timestamp::ZERO);
    // No contract can ask for the genesis hash or for a signature of the chain's own.
    Context::new(state, BlockEnv { height, now, genesis: Hash::ZERO }, vm, &VerifySingly)
}

/// What a dry run tells, `uploaded` having been reserved for the code before; and the state after it.
pub(super) fn conclude<'a>(
    ctx: Context<'a>,
    invoked: Invoked<(Output, StorageDeposit)>,
    uploaded: Money,
    debug: String,
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
    let gas_required = gas.saturating_add(CHARGED_AHEAD_GAS);
    (DryRun { result, trap, gas, gas_required, storage_deposit, debug, events }, state)
}

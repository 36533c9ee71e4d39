//! Calls of the contracts module, with the indices and fields of `pallet_contracts`, and who may make them.
//!
//! `proof_size` is accepted and never limits: execution reads no proofs.

use super::invocation::{self, Message};
use super::{CONTRACT_INFO, ContractInfo, Error, Event, code};
use crate::context::Context;
use crate::error::DispatchError;
use crate::extrinsic::MultiAddress;
use crate::modules::markets::receivables;
use crate::modules::registry;
use crate::modules::system::Weight;
use crate::origin::Origin;
use contract_interface::roles;
use parity_scale_codec::{Compact, Decode, Encode};
use runtime_primitives::{AccountId, Gas, Hash, Money};
use scale_info::TypeInfo;

/// `pallet_contracts::Determinism`: whether code may do what differs from machine to machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Determinism {
    /// Everywhere the same: the only code that there is on this chain.
    #[default]
    #[codec(index = 0)]
    Enforced,
    /// It may; refused.
    #[codec(index = 1)]
    Relaxed,
}

/// Calls, with the indices of `pallet_contracts`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Call {
    /// Store code. By a contract author or market operator.
    #[codec(index = 3)]
    UploadCode {
        /// The wasm module.
        code: Vec<u8>,
        /// Most to reserve for it.
        storage_deposit_limit: Option<Compact<u128>>,
        /// What the code may do.
        determinism: Determinism,
    },
    /// Remove code that nothing uses. By its uploader.
    #[codec(index = 4)]
    RemoveCode {
        /// Its hash.
        code_hash: Hash,
    },
    /// Let a contract run other code. By the sudo key.
    #[codec(index = 5)]
    SetCode {
        /// The contract.
        dest: MultiAddress,
        /// What it will run.
        code_hash: Hash,
    },
    /// Call a contract. By any registered key.
    #[codec(index = 6)]
    Call {
        /// The contract.
        dest: MultiAddress,
        /// Sent along, in units of money.
        value: Compact<u128>,
        /// Gas the contract may use.
        gas_limit: Weight,
        /// Most to reserve for what it stores.
        storage_deposit_limit: Option<Compact<u128>>,
        /// Selector and arguments.
        data: Vec<u8>,
    },
    /// Store code and make a contract from it. By a contract author.
    #[codec(index = 7)]
    InstantiateWithCode {
        /// Sent along, in units of money.
        value: Compact<u128>,
        /// Gas the constructor may use.
        gas_limit: Weight,
        /// Most to reserve for code and storage.
        storage_deposit_limit: Option<Compact<u128>>,
        /// The wasm module.
        code: Vec<u8>,
        /// The constructor's selector and arguments.
        data: Vec<u8>,
        /// Tells contracts apart that are otherwise equal.
        salt: Vec<u8>,
    },
    /// Make a contract from stored code. By a contract author.
    #[codec(index = 8)]
    Instantiate {
        /// Sent along, in units of money.
        value: Compact<u128>,
        /// Gas the constructor may use.
        gas_limit: Weight,
        /// Most to reserve for what it stores.
        storage_deposit_limit: Option<Compact<u128>>,
        /// The code.
        code_hash: Hash,
        /// The constructor's selector and arguments.
        data: Vec<u8>,
        /// Tells contracts apart that are otherwise equal.
        salt: Vec<u8>,
    },
}

/// Signature, accounts and book-keeping of one call.
const BASE_GAS: u64 = 50_000_000;
/// Writing a new contract's record and its code's.
const INSTANTIATE_GAS: u64 = 100_000_000;
/// Reference time to check and instrument one byte of code, as a contract and as a rule.
const GAS_PER_CODE_BYTE: u64 = 100_000;

impl Call {
    /// Gas the call declares: its own book-keeping, and all that the contract may use.
    pub fn gas(&self) -> Gas {
        let (own, limit) = match self {
            Self::UploadCode { code, .. } => (checking(code), Gas::ZERO),
            Self::RemoveCode { .. } | Self::SetCode { .. } => (0, Gas::ZERO),
            Self::Call { gas_limit, .. } => (0, gas_limit.gas()),
            Self::InstantiateWithCode { gas_limit, code, .. } => {
                (INSTANTIATE_GAS + checking(code), gas_limit.gas())
            }
            Self::Instantiate { gas_limit, .. } => (INSTANTIATE_GAS, gas_limit.gas()),
        };
        Gas::from_units(BASE_GAS + own).saturating_add(limit)
    }
}

/// What checking `code` costs; an extrinsic's bytes are limited, so this cannot overflow.
const fn checking(code: &[u8]) -> u64 {
    GAS_PER_CODE_BYTE * code.len() as u64
}

/// Handle a call.
///
/// # Errors
/// As the call says.
pub fn dispatch(ctx: &mut Context, origin: &Origin, call: Call) -> Result<(), DispatchError> {
    match call {
        Call::UploadCode { code, storage_deposit_limit, determinism } => {
            registry::ensure_role(ctx, origin, roles::AUTHOR | roles::MARKET_OPERATOR)?;
            receivables::ensure_spendable(&ctx.state, origin)?;
            if determinism == Determinism::Relaxed {
                return Err(Error::Indeterministic.into());
            }
            code::upload(ctx, origin.signer()?, &code, limit(storage_deposit_limit))?;
        }
        Call::RemoveCode { code_hash } => {
            // The bare sudo key owns the codes of genesis; they stay.
            origin.entity()?;
            code::remove(ctx, origin.signer()?, &code_hash)?;
        }
        Call::SetCode { dest: MultiAddress::Id(contract), code_hash } => {
            if *origin != Origin::Root {
                return Err(DispatchError::BadOrigin);
            }
            set_code(ctx, contract, code_hash)?;
        }
        Call::Call { dest: MultiAddress::Id(contract), value, gas_limit, storage_deposit_limit, data } => {
            origin.entity()?;
            // Without money and deposits, a call takes nothing from its signer.
            if value.0 != 0 || storage_deposit_limit != Some(Compact(0)) {
                receivables::ensure_spendable(&ctx.state, origin)?;
            }
            let message = message(origin, value, gas_limit, storage_deposit_limit, data)?;
            invocation::call(ctx, contract, message, None).result.map_err(Error::from)?;
        }
        Call::InstantiateWithCode { value, gas_limit, storage_deposit_limit, code, data, salt } => {
            registry::ensure_role(ctx, origin, roles::AUTHOR)?;
            receivables::ensure_spendable(&ctx.state, origin)?;
            let mut message = message(origin, value, gas_limit, storage_deposit_limit, data)?;
            let (code_hash, deposit) =
                code::upload(ctx, message.caller, &code, message.storage_deposit_limit)?;
            message.storage_deposit_limit =
                message.storage_deposit_limit.map(|limit| limit.saturating_sub(deposit));
            instantiate(ctx, &code_hash, &salt, message)?;
        }
        Call::Instantiate { value, gas_limit, storage_deposit_limit, code_hash, data, salt } => {
            registry::ensure_role(ctx, origin, roles::AUTHOR)?;
            receivables::ensure_spendable(&ctx.state, origin)?;
            let message = message(origin, value, gas_limit, storage_deposit_limit, data)?;
            instantiate(ctx, &code_hash, &salt, message)?;
        }
    }
    Ok(())
}

fn limit(storage_deposit_limit: Option<Compact<u128>>) -> Option<Money> {
    storage_deposit_limit.map(|limit| Money::from_units(limit.0))
}

/// As the contracts pallet has it, what is deposited for the contract stays as it is.
fn set_code(ctx: &mut Context, contract: AccountId, code_hash: Hash) -> Result<(), Error> {
    let info = CONTRACT_INFO.get(&ctx.state, &contract).ok_or(Error::ContractNotFound(contract))?;
    let (_, old_code_hash) = code::replace(ctx, &info, code_hash)?;
    CONTRACT_INFO.put(&mut ctx.state, &contract, &ContractInfo { code_hash, ..info });
    ctx.emit(Event::ContractCodeUpdated { contract, new_code_hash: code_hash, old_code_hash });
    Ok(())
}

fn message(
    origin: &Origin,
    value: Compact<u128>,
    gas_limit: Weight,
    storage_deposit_limit: Option<Compact<u128>>,
    input: Vec<u8>,
) -> Result<Message, DispatchError> {
    let (caller, value) = (origin.signer()?, Money::from_units(value.0));
    let storage_deposit_limit = limit(storage_deposit_limit);
    Ok(Message { caller, value, gas_limit: gas_limit.gas(), storage_deposit_limit, input })
}

fn instantiate(ctx: &mut Context, code_hash: &Hash, salt: &[u8], message: Message) -> Result<(), Error> {
    let (invoked, _) = invocation::instantiate(ctx, code_hash, salt, message, None);
    invoked.result.map_err(Error::from)?;
    Ok(())
}

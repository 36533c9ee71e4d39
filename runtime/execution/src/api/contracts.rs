//! `ContractsApi`: dry runs in the types of `pallet_contracts`.

use super::Environment;
use crate::error::{DispatchError, SubstrateError};
use crate::event::EventRecord;
use crate::modules::contracts::{
    self, CONTRACT_INFO, Determinism, DryRun, Instantiation, Message, NewCode, StorageDeposit, storage_at,
};
use crate::modules::system::Weight;
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::BLOCK_GAS_MAX;
use runtime_primitives::{AccountId, Gas, Hash, Money};
use runtime_vm::Output;
use scale_info::TypeInfo;

/// `pallet_contracts::ContractResult`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ContractResult<R> {
    /// Gas used; the whole limit after a trap.
    pub gas_consumed: Weight,
    /// A limit that suffices for the same call on the same state.
    pub gas_required: Weight,
    /// How the signer's deposits would change.
    pub storage_deposit: StorageDeposit,
    /// The contract's debug messages, and why it trapped.
    pub debug_message: Vec<u8>,
    /// What it answers.
    pub result: Result<R, SubstrateError>,
    /// Events that would be emitted.
    pub events: Option<Vec<EventRecord>>,
}

/// `pallet_contracts::ReturnFlags`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ReturnFlags {
    /// 1: what was changed is undone.
    pub bits: u32,
}

/// `pallet_contracts::ExecReturnValue`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ExecReturnValue {
    /// Whether it reverted.
    pub flags: ReturnFlags,
    /// The bytes returned.
    pub data: Vec<u8>,
}

impl From<Output> for ExecReturnValue {
    fn from(output: Output) -> Self {
        Self { flags: ReturnFlags { bits: output.flags }, data: output.data }
    }
}

/// `pallet_contracts::InstantiateReturnValue`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct InstantiateReturnValue {
    /// What the constructor answers.
    pub result: ExecReturnValue,
    /// Where the contract would live.
    pub account_id: AccountId,
}

/// `pallet_contracts::CodeUploadReturnValue`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct CodeUploadReturnValue {
    /// The code's hash.
    pub code_hash: Hash,
    /// Reserved on the uploader.
    pub deposit: Money,
}

/// `pallet_contracts::Code`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Code {
    /// The code itself.
    Upload(Vec<u8>),
    /// The hash of code on chain.
    Existing(Hash),
}

/// `pallet_contracts::ContractAccessError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum ContractAccessError {
    /// There is no contract at the address.
    DoesntExist,
    /// Never: keys are bytes.
    KeyDecodingFailed,
}

fn message(
    caller: AccountId,
    value: u128,
    gas_limit: Option<Weight>,
    storage_deposit_limit: Option<u128>,
    input: Vec<u8>,
) -> Message {
    let most = Gas::from_units(BLOCK_GAS_MAX);
    Message {
        caller,
        value: Money::from_units(value),
        gas_limit: gas_limit.map_or(most, |limit| limit.gas().min(most)),
        storage_deposit_limit: storage_deposit_limit.map(Money::from_units),
        input,
    }
}

fn conclude<R>(done: DryRun, answer: impl FnOnce(ExecReturnValue) -> R) -> ContractResult<R> {
    let words = [Some(done.debug), done.trap.map(|trap| trap.to_string())];
    let words: Vec<String> = words.into_iter().flatten().filter(|words| !words.is_empty()).collect();
    let result = done.result.map(|output| answer(output.into()));
    ContractResult {
        gas_consumed: Weight::from_gas(done.gas),
        gas_required: Weight::from_gas(done.gas_required),
        storage_deposit: done.storage_deposit,
        debug_message: words.join("\n").into_bytes(),
        result: result.map_err(|error| SubstrateError::from(&DispatchError::from(error))),
        events: Some(done.events),
    }
}

pub fn call(
    of: &Environment,
    origin: AccountId,
    dest: AccountId,
    value: u128,
    gas_limit: Option<Weight>,
    storage_deposit_limit: Option<u128>,
    input: Vec<u8>,
) -> ContractResult<ExecReturnValue> {
    let message = message(origin, value, gas_limit, storage_deposit_limit, input);
    conclude(contracts::dry_call(of.vm, of.state, dest, message), |answer| answer)
}

#[expect(clippy::too_many_arguments, reason = "they are the API's")]
pub fn instantiate(
    of: &Environment,
    origin: AccountId,
    value: u128,
    gas_limit: Option<Weight>,
    storage_deposit_limit: Option<u128>,
    code: Code,
    data: Vec<u8>,
    salt: Vec<u8>,
) -> ContractResult<InstantiateReturnValue> {
    let message = message(origin, value, gas_limit, storage_deposit_limit, data);
    let code = match code {
        Code::Upload(bytes) => NewCode::Upload(bytes),
        Code::Existing(hash) => NewCode::Existing(hash),
    };
    let (done, address) = contracts::dry_instantiate(of.vm, of.state, Instantiation { message, code, salt });
    let account_id = address.unwrap_or(AccountId::ZERO);
    conclude(done, |result| InstantiateReturnValue { result, account_id })
}

pub fn upload_code(
    of: &Environment,
    origin: AccountId,
    code: Vec<u8>,
    storage_deposit_limit: Option<u128>,
    determinism: Determinism,
) -> Result<CodeUploadReturnValue, SubstrateError> {
    let limit = storage_deposit_limit.map(Money::from_units);
    let uploaded = contracts::dry_upload(of.vm, of.state, origin, &code, limit, determinism);
    let (code_hash, deposit) = uploaded.map_err(|error| SubstrateError::from(&DispatchError::from(error)))?;
    Ok(CodeUploadReturnValue { code_hash, deposit })
}

pub fn get_storage(
    of: &Environment,
    address: AccountId,
    key: Vec<u8>,
) -> Result<Option<Vec<u8>>, ContractAccessError> {
    let state = of.overlay();
    if !CONTRACT_INFO.contains(&state, &address) {
        return Err(ContractAccessError::DoesntExist);
    }
    Ok(storage_at(&state, &address, &key))
}

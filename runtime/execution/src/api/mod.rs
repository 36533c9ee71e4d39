//! The runtime APIs: what clients ask of the runtime at a block, by name and in SCALE, through `state_call`.
//!
//! One table drives the answers and their metadata. Names, versions and types of Substrate's APIs are Substrate's; `MarketsApi`
//! is ours. Nothing here changes the state.

mod contracts;
mod markets;
mod transactions;

use crate::metadata::{self, RuntimeVersion, Unchecked};
use crate::modules::contracts::Determinism;
use crate::modules::system;
use crate::modules::system::Weight;
use parity_scale_codec::{DecodeLimit, Encode};
use runtime_primitives::limits::DECODE_DEPTH_MAX;
use runtime_primitives::{AccountId, EntityId, Hash, MarketId, Slot, blake2_64};
use runtime_state::{Backend, Overlay};
use runtime_vm::Vm;
use scale_info::{MetaType, TypeInfo, meta_type};
use std::sync::OnceLock;
use thiserror::Error;

/// Stack of a thread on which functions are asked: contracts may run.
pub use runtime_vm::VM_THREAD_STACK_BYTES as THREAD_STACK_BYTES;

pub use contracts::{
    Code, CodeUploadReturnValue, ContractAccessError, ContractResult, ExecReturnValue,
    InstantiateReturnValue, ReturnFlags,
};
pub use markets::BookPage;
pub use transactions::{
    FeeDetails, InclusionFee, InvalidTransaction, RuntimeDispatchInfo, TransactionSource,
    TransactionValidityError, UnknownTransaction, ValidTransaction,
};

/// The state of a block, and what asking about it takes.
#[derive(Clone, Copy)]
pub struct Environment<'a> {
    /// The contract machine.
    pub vm: &'a Vm,
    /// The state after the block.
    pub state: &'a dyn Backend,
    /// Hash of the block's header.
    pub block: Hash,
    /// Hash of the genesis header.
    pub genesis: Hash,
}

impl<'a> Environment<'a> {
    fn overlay(&self) -> Overlay<'a> {
        Overlay::new(self.state)
    }
}

/// Why a call of the runtime has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ApiError {
    /// No such function.
    #[error("the runtime has no function {0}; the metadata lists those that it has")]
    NotFound(String),
    /// The arguments do not decode, or something is left over.
    #[error("{name}: argument {argument} does not decode")]
    Argument {
        /// The function.
        name: &'static str,
        /// The argument's name.
        argument: &'static str,
    },
    /// Bytes are left over.
    #[error("{name}: {bytes} bytes are left over behind the arguments")]
    LeftOver {
        /// The function.
        name: &'static str,
        /// How many.
        bytes: usize,
    },
}

/// An API as metadata describes it.
pub struct ApiInfo {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: u32,
    /// Its documentation.
    pub docs: Vec<&'static str>,
    /// Its functions.
    pub methods: Vec<MethodInfo>,
}

/// A function as metadata describes it.
pub struct MethodInfo {
    /// Its name within the API.
    pub name: &'static str,
    /// Its arguments, in order.
    pub inputs: Vec<(&'static str, MetaType)>,
    /// What it answers.
    pub output: MetaType,
    /// Its documentation.
    pub docs: Vec<&'static str>,
}

type Run = fn(&Environment, &[u8]) -> Result<Vec<u8>, ApiError>;

/// Declare the table: for each function its arguments, its answer and what computes it.
macro_rules! apis {
    ($(
        $(#[doc = $doc:literal])*
        $api:ident $version:literal {
            $(
                $(#[doc = $line:literal])*
                $method:ident($($argument:ident: $ty:ty),*) -> $output:ty = $function:expr;
            )*
        }
    )*) => {
        /// All APIs, as metadata describes them.
        pub fn describe() -> Vec<ApiInfo> {
            vec![$(ApiInfo {
                name: stringify!($api),
                version: $version,
                docs: vec![$($doc.trim_start()),*],
                methods: vec![$(MethodInfo {
                    name: stringify!($method),
                    inputs: vec![$((stringify!($argument), meta_type::<$ty>())),*],
                    output: meta_type::<$output>(),
                    docs: vec![$($line.trim_start()),*],
                }),*],
            }),*]
        }

        /// All functions by their full names, ascending, with what runs them.
        fn functions() -> Vec<(&'static str, Run)> {
            let mut functions: Vec<(&'static str, Run)> = vec![$($({
                const NAME: &str = concat!(stringify!($api), "_", stringify!($method));
                let run: Run = |environment, input| {
                    let mut rest = input;
                    let left = &mut rest;
                    $(let $argument: $ty = argument(NAME, stringify!($argument), left)?;)*
                    all_used(NAME, left)?;
                    let answer: $output = $function(environment, $($argument),*);
                    Ok(answer.encode())
                };
                (NAME, run)
            }),*),*];
            functions.sort_unstable_by_key(|(name, _)| *name);
            functions
        }
    };
}

apis! {
    /// What every runtime tells.
    Core 5 {
        /// The version of the runtime.
        version() -> RuntimeVersion = |_: &Environment| metadata::version();
    }
    /// The description of the runtime.
    Metadata 2 {
        /// In format V14.
        metadata() -> Vec<u8> = |_: &Environment| encoded_metadata(14).unwrap_or_default();
        /// In the format asked for.
        metadata_at_version(version: u32) -> Option<Vec<u8>> = |_: &Environment, version| encoded_metadata(version);
        /// The formats that there are.
        metadata_versions() -> Vec<u32> = |_: &Environment| metadata::VERSIONS.to_vec();
    }
    /// Nonces.
    AccountNonceApi 1 {
        /// The nonce of the account's next extrinsic; what waits in a pool is not counted.
        account_nonce(account: AccountId) -> u32 = |of: &Environment, account| {
            system::ACCOUNT.get_or_default(&of.overlay(), &account).nonce
        };
    }
    /// Whether extrinsics may be included.
    TaggedTransactionQueue 3 {
        /// Check an extrinsic for the block after this one.
        validate_transaction(source: TransactionSource, tx: Extrinsic, block_hash: Hash)
            -> Result<ValidTransaction, TransactionValidityError> = transactions::validate;
    }
    /// What extrinsics cost.
    TransactionPaymentApi 4 {
        /// What an extrinsic weighs, and the fee for what is beyond its entity's quota.
        query_info(uxt: Extrinsic, len: u32) -> RuntimeDispatchInfo = transactions::query_info;
        /// The same fee by its parts.
        query_fee_details(uxt: Extrinsic, len: u32) -> FeeDetails = transactions::query_fee_details;
        /// What so much gas costs beyond the quota.
        query_weight_to_fee(weight: Weight) -> u128 = transactions::weight_to_fee;
        /// What so many bytes cost: nothing.
        query_length_to_fee(length: u32) -> u128 = |_: &Environment, _length| 0;
    }
    /// Contracts, tried on the state of the block.
    ContractsApi 2 {
        /// Call a contract and forget what it changed.
        call(
            origin: AccountId, dest: AccountId, value: u128, gas_limit: Option<Weight>,
            storage_deposit_limit: Option<u128>, input_data: Vec<u8>
        ) -> ContractResult<ExecReturnValue> = contracts::call;
        /// Make a contract and forget it.
        instantiate(
            origin: AccountId, value: u128, gas_limit: Option<Weight>, storage_deposit_limit: Option<u128>,
            code: Code, data: Vec<u8>, salt: Vec<u8>
        ) -> ContractResult<InstantiateReturnValue> = contracts::instantiate;
        /// Check code and what its deposit would be.
        upload_code(
            origin: AccountId, code: Vec<u8>, storage_deposit_limit: Option<u128>, determinism: Determinism
        ) -> Result<CodeUploadReturnValue, crate::SubstrateError> = contracts::upload_code;
        /// What a contract stores under a key.
        get_storage(address: AccountId, key: Vec<u8>) -> Result<Option<Vec<u8>>, ContractAccessError>
            = contracts::get_storage;
    }
    /// Markets and their slots. What a settled slot leaves in the state is its records; its orders and trades are in the
    /// archive.
    MarketsApi 1 {
        /// Whom a key acts for now.
        entity_of(key: AccountId) -> Option<EntityId> = markets::entity_of;
        /// Who runs a market, and by which terms in the slot.
        market_params(market: MarketId, slot: Slot) -> Option<markets::MarketParams> = markets::market_params;
        /// Where a slot stands.
        slot_state(market: MarketId, slot: Slot) -> Option<markets::SlotInfo> = markets::slot_state;
        /// Orders of a slot that is not settled, from a place on to the end of its page of 400.
        book(market: MarketId, slot: Slot, from: u32) -> Option<BookPage> = markets::book;
        /// Trades of a slot that is not settled, from an index on to the end of its page of 400.
        clearing(market: MarketId, slot: Slot, from: u32) -> Option<markets::ClearedTrades> = markets::clearing;
        /// What it takes to check a line of an entity's bill for a slot.
        bill(market: MarketId, slot: Slot, entity: EntityId) -> Option<markets::BillInfo> = markets::bill;
    }
}

/// The bytes of an extrinsic, its length in front as extrinsics have it.
pub struct Extrinsic(Vec<u8>);

impl TypeInfo for Extrinsic {
    type Identity = Unchecked;

    fn type_info() -> scale_info::Type {
        Unchecked::type_info()
    }
}

impl parity_scale_codec::Decode for Extrinsic {
    fn decode<I: parity_scale_codec::Input>(input: &mut I) -> Result<Self, parity_scale_codec::Error> {
        Vec::<u8>::decode(input).map(|bytes| Self(bytes.encode()))
    }
}

fn argument<T: DecodeLimit>(
    name: &'static str,
    argument: &'static str,
    input: &mut &[u8],
) -> Result<T, ApiError> {
    T::decode_with_depth_limit(DECODE_DEPTH_MAX, input).map_err(|_| ApiError::Argument { name, argument })
}

const fn all_used(name: &'static str, rest: &[u8]) -> Result<(), ApiError> {
    if rest.is_empty() { Ok(()) } else { Err(ApiError::LeftOver { name, bytes: rest.len() }) }
}

fn encoded_metadata(version: u32) -> Option<Vec<u8>> {
    metadata::encoded(version).map(<[u8]>::to_vec)
}

/// The APIs of the runtime version: blake2-64 of each name, and its version.
pub fn ids() -> Vec<([u8; 8], u32)> {
    describe().iter().map(|api| (blake2_64(api.name.as_bytes()), api.version)).collect()
}

/// Answer function `name`, whose arguments are `input`.
///
/// The thread needs [`runtime_vm::VM_THREAD_STACK_BYTES`] of stack: contracts may run.
///
/// # Errors
/// [`ApiError`].
pub fn call(environment: &Environment, name: &str, input: &[u8]) -> Result<Vec<u8>, ApiError> {
    static FUNCTIONS: OnceLock<Vec<(&str, Run)>> = OnceLock::new();
    let functions = FUNCTIONS.get_or_init(functions);
    let found = functions.binary_search_by_key(&name, |(name, _)| name);
    let (_, run) = functions[found.map_err(|_| ApiError::NotFound(name.to_owned()))?];
    run(environment, input)
}

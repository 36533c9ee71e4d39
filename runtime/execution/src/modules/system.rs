//! `System`: accounts, block numbers and hashes, events. The only module that knows a nonce.

use crate::context::Context;
use crate::error::SubstrateError;
use crate::event::EventRecord;
use crate::metadata::{Module, RuntimeVersion, constants, version};
use crate::origin::Origin;
use crate::storage::{Map, Value, storage};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::{BLOCK_GAS_MAX, BLOCK_HASH_COUNT, SS58_PREFIX};
use runtime_primitives::{AccountId, Digest, Gas, Hash, Header, Height, Money, blake2_256};
use runtime_state::Overlay;
use scale_info::TypeInfo;

/// Calls.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Call {
    /// Nothing, with a note.
    #[codec(index = 0)]
    Remark {
        /// The note.
        remark: Vec<u8>,
    },
    /// Nothing, with a note that leaves an event.
    #[codec(index = 7)]
    RemarkWithEvent {
        /// The note.
        remark: Vec<u8>,
    },
}

/// `sp_weights::Weight`: what a call may use, or has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Weight {
    /// Gas.
    #[codec(compact)]
    pub ref_time: u64,
    /// Never limits: execution reads no proofs.
    #[codec(compact)]
    pub proof_size: u64,
}

impl Weight {
    /// From gas.
    pub const fn from_gas(gas: Gas) -> Self {
        Self { ref_time: gas.units(), proof_size: 0 }
    }

    /// As gas.
    pub const fn gas(self) -> Gas {
        Gas::from_units(self.ref_time)
    }
}

/// `frame_support::dispatch::DispatchClass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum DispatchClass {
    /// Of users.
    Normal,
    /// Of operators; not used.
    Operational,
    /// Inherents.
    Mandatory,
}

/// `frame_support::dispatch::Pays`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Pays {
    /// A fee was paid.
    Yes,
    /// It was within the entity's quota.
    No,
}

/// What an extrinsic weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct DispatchInfo {
    /// What it declared.
    pub weight: Weight,
    /// Whose it was.
    pub class: DispatchClass,
    /// Whether it cost something.
    pub pays_fee: Pays,
}

impl DispatchInfo {
    /// A normal extrinsic that paid `fee`: nothing within its entity's quota.
    pub fn normal(gas: Gas, fee: Money) -> Self {
        let pays_fee = if fee.is_zero() { Pays::No } else { Pays::Yes };
        Self { weight: Weight::from_gas(gas), class: DispatchClass::Normal, pays_fee }
    }
}

/// `frame_system::limits::BlockWeights`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BlockWeights {
    /// Of an empty block.
    pub base_block: Weight,
    /// Of all extrinsics.
    pub max_block: Weight,
    /// Of each class.
    pub per_class: PerDispatchClass,
}

/// `frame_support::dispatch::PerDispatchClass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct PerDispatchClass {
    /// Of users.
    pub normal: WeightsPerClass,
    /// Of operators; not used.
    pub operational: WeightsPerClass,
    /// Of inherents.
    pub mandatory: WeightsPerClass,
}

/// `frame_system::limits::WeightsPerClass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct WeightsPerClass {
    /// Of an extrinsic that does nothing.
    pub base_extrinsic: Weight,
    /// Of one extrinsic.
    pub max_extrinsic: Option<Weight>,
    /// Of all.
    pub max_total: Option<Weight>,
    /// Kept free.
    pub reserved: Option<Weight>,
}

impl BlockWeights {
    fn of_chain() -> Self {
        let none = Weight::default();
        let all = Weight::from_gas(Gas::from_units(BLOCK_GAS_MAX));
        let class = WeightsPerClass {
            base_extrinsic: none,
            max_extrinsic: Some(all),
            max_total: Some(all),
            reserved: None,
        };
        let per_class = PerDispatchClass { normal: class, operational: class, mandatory: class };
        Self { base_block: none, max_block: all, per_class }
    }
}

/// Events.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Event {
    /// An extrinsic succeeded.
    #[codec(index = 0)]
    ExtrinsicSuccess {
        /// What it weighed.
        dispatch_info: DispatchInfo,
    },
    /// An extrinsic failed; its effects are undone.
    #[codec(index = 1)]
    ExtrinsicFailed {
        /// Why.
        dispatch_error: SubstrateError,
        /// What it weighed.
        dispatch_info: DispatchInfo,
    },
    /// A remark.
    #[codec(index = 5)]
    Remarked {
        /// Who.
        sender: AccountId,
        /// blake2-256 of the note.
        hash: Hash,
    },
}

/// `pallet_balances::AccountData`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AccountData {
    /// Spendable.
    pub free: Money,
    /// Held: order holds, deposits.
    pub reserved: Money,
    /// Always 0.
    pub frozen: Money,
    /// Substrate's marker of the current reserve logic.
    pub flags: ExtraFlags,
}

/// `pallet_balances::ExtraFlags`; always 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ExtraFlags(u128);

/// `frame_system::AccountInfo`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AccountInfo {
    /// Next nonce.
    pub nonce: u32,
    /// Always 0.
    pub consumers: u32,
    /// 1 once the account holds money.
    pub providers: u32,
    /// Always 0.
    pub sufficients: u32,
    /// Money.
    pub data: AccountData,
}

storage! {
    "System":
    /// Accounts.
    pub static ACCOUNT: Map<AccountId, AccountInfo> = "Account" or default;
    /// Current block number.
    pub static NUMBER: Value<u32> = "Number" or default;
    /// Hash of the parent header.
    pub static PARENT_HASH: Value<Hash> = "ParentHash" or default;
    /// Hashes of the last 4096 blocks.
    pub static BLOCK_HASH: Map<u32, Hash> = "BlockHash" or default;
    /// Events of the current block.
    pub static EVENTS: Value<Vec<EventRecord>> = "Events" or default;
    /// Their number.
    pub static EVENT_COUNT: Value<u32> = "EventCount" or default;
    /// Never set: a block's digest follows from its execution, and stands in its header.
    static DIGEST: Value<Digest> = "Digest" or default;
}

/// The state's 32-bit block number.
///
/// # Panics
/// After 2³² blocks (136 years at one a second).
pub fn block_number(height: u64) -> u32 {
    u32::try_from(height).expect("fewer than 2^32 blocks")
}

/// Start a block.
pub fn initialize(ctx: &mut Context, parent: &Header) {
    let hash = parent.hash();
    let state = &mut ctx.state;
    NUMBER.put(state, &block_number(ctx.env.height.number()));
    PARENT_HASH.put(state, &hash);
    remember(state, parent.height(), &hash);
    if let Some(old) = parent.number.checked_sub(BLOCK_HASH_COUNT) {
        BLOCK_HASH.remove(state, &block_number(old));
    }
}

/// Remember the hash of the parent. A block does so when it starts: whoever looks at the state between blocks adds the
/// last block's hash this way before it judges an era, because an era may begin with the last block.
pub fn remember(state: &mut Overlay, parent: Height, hash: &Hash) {
    BLOCK_HASH.put(state, &block_number(parent.number()), hash);
}

/// End a block: publish its events.
pub fn finalize(state: &mut Overlay, events: &Vec<EventRecord>) {
    EVENTS.put(state, events);
    EVENT_COUNT.put(state, &block_number(events.len() as u64));
}

/// Use the account's nonce.
pub fn bump_nonce(state: &mut Overlay, who: &AccountId) {
    let mut account = ACCOUNT.get_or_default(state, who);
    account.nonce += 1;
    ACCOUNT.put(state, who, &account);
}

/// Handle a call.
///
/// # Errors
/// None today; remarks always succeed.
pub fn dispatch(ctx: &mut Context, origin: &Origin, call: Call) -> Result<(), crate::DispatchError> {
    match call {
        Call::Remark { .. } => {}
        Call::RemarkWithEvent { remark } => {
            let sender = origin.signer()?;
            ctx.emit(Event::Remarked { sender, hash: blake2_256(&remark) });
        }
    }
    Ok(())
}

constants! {
    /// What a block has for extrinsics. Reference time alone limits.
    BlockWeights: BlockWeights = BlockWeights::of_chain();
    /// Blocks whose hashes are remembered: how old an era's first block may be.
    BlockHashCount: u32 = block_number(BLOCK_HASH_COUNT);
    /// The version of the runtime.
    Version: RuntimeVersion = version();
    /// Prefix of addresses.
    SS58Prefix: u16 = SS58_PREFIX;
}

/// What clients see of the module.
pub(crate) fn describe() -> Module {
    Module::new("System", 0).storage(storage()).calls::<Call>().events::<Event>().constants(constants())
}

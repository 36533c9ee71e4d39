//! `System`: accounts, block numbers and hashes, events. The only module that knows a nonce.

use crate::context::Context;
use crate::error::SubstrateError;
use crate::event::EventRecord;
use crate::origin::Origin;
use crate::storage::{Map, Value};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::BLOCK_HASH_COUNT;
use runtime_primitives::{AccountId, Gas, Hash, Header, Height, Money, blake2_256};
use runtime_state::Overlay;

/// Calls.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
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

/// What an extrinsic weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DispatchInfo {
    /// Gas.
    #[codec(compact)]
    pub ref_time: u64,
    /// Always 0.
    #[codec(compact)]
    pub proof_size: u64,
    /// 0 normal, 1 operational, 2 mandatory.
    pub class: u8,
    /// 0 yes, 1 no.
    pub pays_fee: u8,
}

impl DispatchInfo {
    /// A normal extrinsic that paid `fee`: nothing within its entity's quota.
    pub fn normal(gas: Gas, fee: Money) -> Self {
        Self { ref_time: gas.units(), proof_size: 0, class: 0, pays_fee: fee.is_zero().into() }
    }
}

/// Events.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct AccountData {
    /// Spendable.
    pub free: Money,
    /// Held: order holds, deposits.
    pub reserved: Money,
    /// Always 0.
    pub frozen: Money,
    /// Substrate's marker of the current reserve logic.
    pub flags: u128,
}

/// `frame_system::AccountInfo`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
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

/// Accounts.
pub static ACCOUNT: Map<AccountId, AccountInfo> = Map::new("System", "Account");
/// Current block number.
pub static NUMBER: Value<u32> = Value::new("System", "Number");
/// Hash of the parent header.
pub static PARENT_HASH: Value<Hash> = Value::new("System", "ParentHash");
/// Hashes of the last 4096 blocks.
pub static BLOCK_HASH: Map<u32, Hash> = Map::new("System", "BlockHash");
/// Events of the current block.
pub static EVENTS: Value<Vec<EventRecord>> = Value::new("System", "Events");
/// Their number.
pub static EVENT_COUNT: Value<u32> = Value::new("System", "EventCount");

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

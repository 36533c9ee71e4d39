//! `Balances`: money of accounts, free and reserved. Every movement goes through [`transfer`] or
//! [`pay`] and leaves a ledger entry, so that bill lines add up to Δ(free + held).
//!
//! Nothing here creates or destroys money after genesis.

use crate::archive::ArchiveEntry;
use crate::context::Context;
use crate::extrinsic::MultiAddress;
use crate::metadata::{Module, constants};
use crate::modules::markets::receivables;
use crate::modules::system::{ACCOUNT, AccountInfo};
use crate::origin::Origin;
use crate::storage::{Value, storage};
use contract_interface::{TransferRecord, kinds};
use parity_scale_codec::{Compact, Decode, Encode};
use runtime_primitives::{AccountId, Hash, Money};
use runtime_state::Overlay;
use scale_info::TypeInfo;
use thiserror::Error as ThisError;

/// Calls, with the indices of `pallet_balances`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Call {
    /// Transfer free money.
    #[codec(index = 0)]
    TransferAllowDeath {
        /// Payee.
        dest: MultiAddress,
        /// Amount in units.
        value: Compact<u128>,
    },
    /// Transfer free money, keeping the existential deposit.
    #[codec(index = 3)]
    TransferKeepAlive {
        /// Payee.
        dest: MultiAddress,
        /// Amount in units.
        value: Compact<u128>,
    },
}

/// Events, with the indices of `pallet_balances`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Event {
    /// Money moved.
    #[codec(index = 2)]
    Transfer {
        /// Payer.
        from: AccountId,
        /// Payee.
        to: AccountId,
        /// Amount.
        amount: Money,
    },
    /// Free became reserved.
    #[codec(index = 4)]
    Reserved {
        /// Whose.
        who: AccountId,
        /// Amount.
        amount: Money,
    },
    /// Reserved became free.
    #[codec(index = 5)]
    Unreserved {
        /// Whose.
        who: AccountId,
        /// Amount.
        amount: Money,
    },
}

/// Errors, with the indices of `pallet_balances`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, ThisError)]
pub enum Error {
    /// Not enough free money.
    #[error(
        "insufficient balance: {free} yuan are free, {needed} needed; ask for no more than is free, or fund the account"
    )]
    #[codec(index = 2)]
    InsufficientBalance {
        /// Free.
        free: Money,
        /// Needed.
        needed: Money,
    },
    /// A payee would hold less than the existential deposit of one unit.
    #[error("a transfer moves at least one unit")]
    #[codec(index = 3)]
    ExistentialDeposit,
    /// The payer would fall below the existential deposit.
    #[error("the transfer would empty the account; use transfer_allow_death")]
    #[codec(index = 4)]
    Expendability,
}

storage! {
    "Balances":
    /// All money; set at genesis and never changed.
    pub static TOTAL_ISSUANCE: Value<Money> = "TotalIssuance" or default;
}

/// An account's money.
pub fn account(state: &Overlay, who: &AccountId) -> AccountInfo {
    ACCOUNT.get_or_default(state, who)
}

/// Read `accounts` ahead, for a step that moves money of all of them.
pub fn warm(state: &Overlay, accounts: &[AccountId]) {
    ACCOUNT.warm(state, accounts);
}

/// Move `amount` from free to reserved.
///
/// # Errors
/// [`Error::InsufficientBalance`].
pub fn reserve(ctx: &mut Context, who: &AccountId, amount: Money) -> Result<(), Error> {
    let mut info = account(&ctx.state, who);
    let free = info.data.free;
    info.data.free = free.checked_sub(amount).ok_or(Error::InsufficientBalance { free, needed: amount })?;
    info.data.reserved = info.data.reserved.checked_add(amount).expect("bounded by the issuance");
    ACCOUNT.put(&mut ctx.state, who, &info);
    if !amount.is_zero() {
        ctx.emit(Event::Reserved { who: *who, amount });
    }
    Ok(())
}

/// Move `amount` from reserved to free.
///
/// # Panics
/// If less is reserved: holds are the runtime's own book-keeping.
pub fn unreserve(ctx: &mut Context, who: &AccountId, amount: Money) {
    if amount.is_zero() {
        return;
    }
    let mut info = account(&ctx.state, who);
    info.data.reserved = info.data.reserved.checked_sub(amount).expect("a hold is released once");
    info.data.free = info.data.free.checked_add(amount).expect("bounded by the issuance");
    ACCOUNT.put(&mut ctx.state, who, &info);
    ctx.emit(Event::Unreserved { who: *who, amount });
}

/// Pay `record.amount`, taking up to `from_reserved` from the payer's reserved money and the rest from free.
///
/// # Errors
/// [`Error::InsufficientBalance`]; nothing has moved then.
///
/// # Panics
/// If less than `from_reserved` is reserved.
pub fn pay(ctx: &mut Context, record: &TransferRecord, from_reserved: Money) -> Result<(), Error> {
    let reserved_part = record.amount.min(from_reserved);
    let free_part = record.amount.saturating_sub(reserved_part);
    let mut payer = account(&ctx.state, &record.payer);
    let free = payer.data.free;
    payer.data.free =
        free.checked_sub(free_part).ok_or(Error::InsufficientBalance { free, needed: free_part })?;
    payer.data.reserved = payer.data.reserved.checked_sub(reserved_part).expect("holds cover what they pay");
    ACCOUNT.put(&mut ctx.state, &record.payer, &payer);
    let mut payee = account(&ctx.state, &record.payee);
    payee.data.free = payee.data.free.checked_add(record.amount).expect("bounded by the issuance");
    payee.providers = 1;
    ACCOUNT.put(&mut ctx.state, &record.payee, &payee);
    note(ctx, record);
    Ok(())
}

/// Pay from free money alone.
///
/// # Errors
/// [`Error::InsufficientBalance`]; nothing has moved then.
pub fn transfer(ctx: &mut Context, record: &TransferRecord) -> Result<(), Error> {
    pay(ctx, record, Money::ZERO)
}

/// Append a movement to the ledger. Alone, it is for what an account pays itself, whether it has the money or not.
pub(crate) fn note(ctx: &mut Context, record: &TransferRecord) {
    ctx.emit(Event::Transfer { from: record.payer, to: record.payee, amount: record.amount });
    let index = ctx.next_move();
    ctx.archive(ArchiveEntry::ledger(ctx.env.height, index, record.encode()));
}

/// A plain transfer's record.
pub fn plain(ctx: &Context, payer: AccountId, payee: AccountId, amount: Money) -> TransferRecord {
    TransferRecord {
        slot: None,
        payer,
        payee,
        amount,
        kind: kinds::BALANCE,
        trade: None,
        meter: None,
        spends: Hash::ZERO,
        authorised_by: ctx.extrinsic,
    }
}

/// Handle a call. An entity that owes pays its creditors first, by `PayReceivables`; a key beside the owner's has money of
/// its own.
///
/// # Errors
/// Nothing to pay, open receivables, insufficient balance, an account that is to be kept.
pub fn dispatch(ctx: &mut Context, origin: &Origin, call: Call) -> Result<(), crate::DispatchError> {
    let payer = origin.signer()?;
    let (MultiAddress::Id(payee), value, keep) = match call {
        Call::TransferAllowDeath { dest, value } => (dest, value, false),
        Call::TransferKeepAlive { dest, value } => (dest, value, true),
    };
    let amount = Money::from_units(value.0);
    if amount.is_zero() {
        return Err(Error::ExistentialDeposit.into());
    }
    receivables::ensure_spendable(&ctx.state, origin)?;
    if keep && account(&ctx.state, &payer).data.free == amount {
        return Err(Error::Expendability.into());
    }
    let record = plain(ctx, payer, payee, amount);
    Ok(transfer(ctx, &record)?)
}

/// Give an account its genesis balance. Only genesis creates money.
pub(crate) fn endow(state: &mut Overlay, who: &AccountId, amount: Money) {
    let mut info = account(state, who);
    info.data.free = info.data.free.checked_add(amount).expect("the genesis issuance fits u128");
    info.providers = 1;
    ACCOUNT.put(state, who, &info);
    let issued = TOTAL_ISSUANCE.get(state).unwrap_or_default();
    TOTAL_ISSUANCE.put(state, &issued.checked_add(amount).expect("the genesis issuance fits u128"));
}

constants! {
    /// Least that a transfer moves.
    ExistentialDeposit: u128 = 1;
}

/// What clients see of the module.
pub(crate) fn describe() -> Module {
    Module::new("Balances", 2)
        .storage(storage())
        .calls::<Call>()
        .events::<Event>()
        .errors::<Error>()
        .constants(constants())
}

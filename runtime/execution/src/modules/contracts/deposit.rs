//! Storage deposits: money that stays with a contract for as long as it takes up room in the state.
//!
//! Rates are the chain's, for ever, so a deposit is always rate × what there is: refunds need no proportions and lose
//! no unit. Who signed the transaction pays and is paid, whichever contract stored or removed. What a call stack owes is
//! counted level by level beside the writes and moved once, when the outermost call has succeeded.
//!
//! ```text
//! code        bytes of code and record × per_byte + 2 × per_item      reserved on the uploader
//! contract    bytes of its record × per_byte + per_item               reserved on the contract, as are
//!             + 30 % of its code's deposit, of each locked code's deposit, and of what its storage takes
//! storage     bytes of values × per_byte + values × per_item
//! ```

use super::{Error, Event};
use crate::context::Context;
use crate::modules::balances;
use crate::storage::{Value, storage};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{AccountId, Money};
use runtime_state::Overlay;
use scale_info::TypeInfo;
use std::collections::BTreeMap;

/// What room in the state costs, in units of money. Both may be 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct DepositRates {
    /// For one value.
    pub per_item: u64,
    /// For one byte.
    pub per_byte: u64,
}

storage! {
    "Contracts":
    /// The chain's rates; set at genesis.
    pub static RATES: Value<DepositRates> = "DepositRates";
}

/// `CodeHashLockupDepositPercent`: part of a code's deposit that whoever keeps it from being removed deposits too.
const LOCKUP_PERCENT: u128 = 30;
/// `CodeInfo::max_encoded_len` in the contracts pallet.
const CODE_INFO_BYTES: u64 = 63;
/// The code and its record.
const CODE_ITEMS: u64 = 2;

/// The chain's rates.
pub fn rates(state: &Overlay) -> DepositRates {
    RATES.get(state).unwrap_or_default()
}

impl DepositRates {
    /// The deposit for so many values of so many bytes together.
    pub fn of(self, items: u64, bytes: u64) -> Money {
        // A product of two u64 leaves room for their sum.
        let items = u128::from(self.per_item) * u128::from(items);
        Money::from_units(items.saturating_add(u128::from(self.per_byte) * u128::from(bytes)))
    }

    /// The deposit for a code of `code_len` bytes.
    pub fn of_code(self, code_len: u32) -> Money {
        self.of(CODE_ITEMS, u64::from(code_len) + CODE_INFO_BYTES)
    }
}

/// What keeping a code with this deposit from being removed costs, rounded up.
pub fn lockup(code_deposit: u128) -> Money {
    let (whole, rest) = (code_deposit / 100, code_deposit % 100);
    Money::from_units(whole * LOCKUP_PERCENT + (rest * LOCKUP_PERCENT).div_ceil(100))
}

/// `pallet_contracts::StorageDeposit`: how the deposits of whoever signs change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum StorageDeposit {
    /// So much is given back.
    #[codec(index = 0)]
    Refund(Money),
    /// So much is reserved.
    #[codec(index = 1)]
    Charge(Money),
}

impl StorageDeposit {
    /// No change.
    pub const NONE: Self = Self::Charge(Money::ZERO);

    /// This, and a charge.
    pub(super) fn plus(self, charge: Money) -> Self {
        match self {
            Self::Charge(amount) => Self::Charge(amount.saturating_add(charge)),
            Self::Refund(amount) if amount > charge => Self::Refund(amount.saturating_sub(charge)),
            Self::Refund(amount) => Self::Charge(charge.saturating_sub(amount)),
        }
    }

    /// A net change: positive is a charge.
    pub(super) fn of_net(net: i128) -> Self {
        let amount = Money::from_units(net.unsigned_abs());
        if net < 0 { Self::Refund(amount) } else { Self::Charge(amount) }
    }
}

/// What one level of a call stack, and the levels that ended above it, owe or get back.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Most that [`Self::net`] may come to.
    limit: u128,
    /// Whether the limit is checked when this level ends, not only at the bottom.
    own_limit: bool,
    /// What is owed together; negative if more is given back.
    net: i128,
    /// The part of it that this level's own values owe. They may be gone when it ends, so they leave the levels above
    /// as much as there was.
    stored: i128,
    /// The same, by contract.
    by_contract: BTreeMap<AccountId, i128>,
    /// Contracts that ended, with what they had and who gets it.
    ended: Vec<(AccountId, Money, AccountId)>,
}

impl Meter {
    /// The outermost level's.
    pub(super) fn outermost(limit: Money) -> Self {
        Self { limit: limit.units(), own_limit: true, ..Self::default() }
    }

    /// For a level above this one: `limit`, or what this one has left if that is less or `limit` is 0.
    pub(super) fn nested(&self, limit: u128) -> Self {
        let fixed = self.net - self.stored;
        let (spent, back) = if fixed < 0 { (0, fixed.unsigned_abs()) } else { (fixed.unsigned_abs(), 0) };
        let left = self.limit.saturating_add(back).saturating_sub(spent);
        match left.min(limit) {
            0 => Self { limit: left, ..Self::default() },
            limit => Self { limit, own_limit: true, ..Self::default() },
        }
    }

    /// Count a deposit of `contract` that was `old` and is `new`; gives the difference.
    pub(super) fn count(&mut self, contract: AccountId, old: Money, new: Money) -> i128 {
        let signed = |money: Money| i128::try_from(money.units()).expect("deposits are far below 2^127");
        let change = signed(new) - signed(old);
        self.net += change;
        *self.by_contract.entry(contract).or_default() += change;
        change
    }

    /// [`Self::count`], for what the values of this level's contract changed.
    pub(super) fn count_stored(&mut self, contract: AccountId, old: Money, new: Money) {
        self.stored += self.count(contract, old, new);
    }

    #[cfg(test)]
    pub(super) fn net(&self) -> i128 {
        self.net
    }

    /// Note that a contract ended that had `left`.
    pub(super) fn end(&mut self, contract: AccountId, left: Money, beneficiary: AccountId) {
        self.ended.push((contract, left, beneficiary));
    }

    /// Check the limit, if this level has one.
    ///
    /// # Errors
    /// [`Error::StorageDepositLimitExhausted`].
    pub(super) fn enforce(&self) -> Result<(), Error> {
        let exceeded = u128::try_from(self.net).is_ok_and(|owed| owed > self.limit);
        if self.own_limit && exceeded { Err(Error::StorageDepositLimitExhausted) } else { Ok(()) }
    }

    /// Take over what a level above this one, that succeeded, owes.
    pub(super) fn absorb(&mut self, above: Self) {
        self.net += above.net;
        for (contract, change) in above.by_contract {
            *self.by_contract.entry(contract).or_default() += change;
        }
        self.ended.extend(above.ended);
    }

    /// Move the money: refunds, then charges, then what ended contracts leave. Gives the net change.
    ///
    /// # Errors
    /// [`Error::StorageDepositNotEnoughFunds`].
    pub(super) fn settle(self, ctx: &mut Context, payer: AccountId) -> Result<StorageDeposit, Error> {
        for (contract, change) in &self.by_contract {
            if *change < 0 {
                release(ctx, *contract, payer, Money::from_units(change.unsigned_abs()));
            }
        }
        for (contract, change) in &self.by_contract {
            if *change > 0 {
                hold(ctx, payer, *contract, Money::from_units(change.unsigned_abs()))?;
            }
        }
        for (contract, had, beneficiary) in self.ended {
            // What arrived since stays: it may belong to a contract made at the same address.
            let left = balances::account(&ctx.state, &contract).data.free.min(had);
            if !left.is_zero() && contract != beneficiary {
                let record = balances::plain(ctx, contract, beneficiary, left);
                balances::transfer(ctx, &record).expect("an account has what is free");
            }
        }
        Ok(StorageDeposit::of_net(self.net))
    }
}

fn hold(ctx: &mut Context, from: AccountId, to: AccountId, amount: Money) -> Result<(), Error> {
    let record = balances::plain(ctx, from, to, amount);
    balances::transfer(ctx, &record).map_err(|_| Error::StorageDepositNotEnoughFunds)?;
    balances::reserve(ctx, &to, amount).expect("the amount has just arrived");
    ctx.emit(Event::StorageDepositTransferredAndHeld { from, to, amount });
    Ok(())
}

fn release(ctx: &mut Context, from: AccountId, to: AccountId, amount: Money) {
    let record = balances::plain(ctx, from, to, amount);
    balances::pay(ctx, &record, amount).expect("a contract's deposit is reserved on it");
    ctx.emit(Event::StorageDepositTransferredAndReleased { from, to, amount });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lockups_round_up() {
        for (deposit, expected) in [(0, 0), (1, 1), (3, 1), (4, 2), (10, 3), (99, 30), (100, 30), (101, 31)] {
            assert_eq!(lockup(deposit), Money::from_units(expected), "{deposit}");
        }
        assert_eq!(lockup(u128::MAX).units(), u128::MAX / 100 * 30 + 17);
    }

    #[test]
    fn a_level_may_owe_what_is_left_below() {
        let contract = AccountId([7; 32]);
        let money = Money::from_units;
        let mut below = Meter::outermost(money(100));
        below.count(contract, money(0), money(60));
        // Asking for more than is left gives what is left; asking for nothing leaves the check to those below.
        for (asked, owed, fits) in
            [(0, 1_000, true), (10, 10, true), (10, 11, false), (70, 40, true), (70, 41, false)]
        {
            let mut above = below.nested(asked);
            above.count(contract, money(5), money(5 + owed));
            assert_eq!(above.enforce().is_ok(), fits, "{asked} {owed}");
        }
        let mut above = below.nested(0);
        above.count(contract, money(60), money(0));
        below.absorb(above);
        assert_eq!((below.net, below.enforce()), (0, Ok(())));
        let mut above = below.nested(101);
        above.count(contract, money(0), money(101));
        assert_eq!(above.enforce(), Err(Error::StorageDepositLimitExhausted));
    }
}

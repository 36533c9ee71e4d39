//! `TransactionPayment`: what weight costs. The gas that an entity declares is free up to a quota an hour; what it
//! declares beyond that costs a fee, whether the call then succeeds or not.
//!
//! Signed extrinsics count when they are included. Bare ones have limits of their own, and nobody to charge.

use crate::context::Context;
use crate::error::Invalid;
use crate::metadata::Module;
use crate::modules::markets::FUNDINGS;
use crate::modules::markets::money::fee_account;
use crate::modules::{balances, registry};
use crate::storage::{Map, Value, storage};
use contract_interface::{TransferRecord, kinds};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{AccountId, EntityId, Gas, Money, Timestamp};
use runtime_state::Overlay;
use scale_info::TypeInfo;
use std::num::NonZeroU64;

/// Length of the hour that a quota is for.
pub const HOUR_MS: u64 = 3_600_000;

/// What weight costs on a chain; set at genesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct WeightRates {
    /// Gas that an entity may declare in an hour without a fee.
    pub quota: Gas,
    /// Gas beyond the quota that one unit of money pays for.
    pub gas_per_unit: NonZeroU64,
}

impl Default for WeightRates {
    /// A concentrator that posts 10,000 meters' readings four times an hour declares 3 × 10¹². Beyond the quota as
    /// much again costs a yuan.
    fn default() -> Self {
        const GAS_PER_UNIT: NonZeroU64 = NonZeroU64::new(1_000_000).expect("it is not 0");
        Self { quota: Gas::from_units(10_000_000_000_000), gas_per_unit: GAS_PER_UNIT }
    }
}

impl WeightRates {
    /// The fee for `declared` gas of an entity that declared `used` in the same hour before, rounded up.
    pub fn fee(self, used: Gas, declared: Gas) -> Money {
        self.price(used.saturating_add(declared).saturating_sub(used.max(self.quota)))
    }

    /// What so much gas costs where nothing is free, rounded up.
    pub fn price(self, gas: Gas) -> Money {
        Money::from_units(u128::from(gas.units().div_ceil(self.gas_per_unit.get())))
    }
}

/// Gas that an entity declared in the last hour in which it declared any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Usage {
    /// Hours from 1970 to the hour's start.
    pub hour: u32,
    /// Gas.
    pub gas: Gas,
}

storage! {
    "TransactionPayment":
    /// The chain's rates.
    pub static RATES: Value<WeightRates> = "WeightRates";
    /// What entities used of their quota.
    pub static USAGE: Map<EntityId, Usage> = "Usage" or default;
}

/// The chain's rates.
pub fn rates(state: &Overlay) -> WeightRates {
    RATES.get(state).unwrap_or_default()
}

/// Gas that the entity has declared in the hour of `now`.
pub fn usage(state: &Overlay, entity: EntityId, now: Timestamp) -> Usage {
    let hour = u32::try_from(now.ms() / HOUR_MS).unwrap_or(u32::MAX);
    let last = USAGE.get_or_default(state, &entity);
    if last.hour == hour { last } else { Usage { hour, gas: Gas::ZERO } }
}

/// Whether the entity can pay for what an extrinsic declares.
///
/// # Errors
/// [`Invalid::Payment`].
pub fn check(ctx: &Context, entity: EntityId, declared: Gas) -> Result<(), Invalid> {
    let (needed, payer) = due(ctx, entity, declared);
    let free = payer.map_or(Money::ZERO, |payer| balances::account(&ctx.state, &payer).data.free);
    if needed > free { Err(Invalid::Payment { needed, free }) } else { Ok(()) }
}

/// Count what an extrinsic declares, and charge what is beyond the quota to the entity's owner. Gives the fee.
///
/// # Panics
/// If [`check`] would refuse it.
pub fn charge(ctx: &mut Context, entity: EntityId, declared: Gas) -> Money {
    let (fee, payer) = due(ctx, entity, declared);
    let mut usage = usage(&ctx.state, entity, ctx.env.now);
    usage.gas = usage.gas.saturating_add(declared);
    USAGE.put(&mut ctx.state, &entity, &usage);
    if let Some(payer) = payer {
        let record = TransferRecord {
            kind: kinds::WEIGHT_FEE,
            spends: FUNDINGS.get_or_default(&ctx.state, &payer),
            ..balances::plain(ctx, payer, fee_account(), fee)
        };
        balances::transfer(ctx, &record).expect("the checker saw the money");
    }
    fee
}

/// The fee, and who pays it if it is not nothing.
fn due(ctx: &Context, entity: EntityId, declared: Gas) -> (Money, Option<AccountId>) {
    let used = usage(&ctx.state, entity, ctx.env.now).gas;
    let fee = rates(&ctx.state).fee(used, declared);
    let owner = || registry::entity(&ctx.state, entity).expect("a bound key's entity is registered").owner;
    (fee, (!fee.is_zero()).then(owner))
}

/// What clients see of the module.
pub(crate) fn describe() -> Module {
    Module::new("TransactionPayment", 8).storage(storage())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_beyond_the_quota_costs_and_units_are_rounded_up() {
        let ten = NonZeroU64::MIN.saturating_add(9);
        let rates = WeightRates { quota: Gas::from_units(100), gas_per_unit: ten };
        let rows = [
            (0, 0, 0),
            (0, 100, 0),
            (99, 1, 0),
            (0, 101, 1),
            (90, 20, 1),
            (90, 21, 2),
            (100, 10, 1),
            (500, 10, 1),
            (500, 11, 2),
            (500, 0, 0),
            (u64::MAX, 10, 0),
        ];
        for (used, declared, fee) in rows {
            let got = rates.fee(Gas::from_units(used), Gas::from_units(declared));
            assert_eq!(got.units(), fee, "{declared} after {used}");
        }
    }
}

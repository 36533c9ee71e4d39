//! Quotas in the accountant's book: what extrinsics declare in an hour, and what is beyond it costs.

use super::{Ledger, Line};
use contract_interface::kinds;
use runtime_execution::extrinsic::{MultiAddress, UncheckedExtrinsic};
use runtime_execution::modules::payment::WeightRates;
use runtime_primitives::{AccountId, Timestamp};
use std::collections::BTreeMap;

/// What entities have declared, by entity and hour.
#[derive(Clone)]
pub struct Quotas {
    rates: WeightRates,
    declared: BTreeMap<(u32, u64), u64>,
}

impl Quotas {
    /// Nothing declared.
    pub const fn new(rates: WeightRates) -> Self {
        Self { rates, declared: BTreeMap::new() }
    }

    /// Units for `gas` more of `entity` in `hour`: the fee for all that is beyond, less what was beyond before.
    fn declare(&mut self, entity: u32, hour: u64, gas: u64) -> u128 {
        let declared = self.declared.entry((entity, hour)).or_default();
        let quota = self.rates.quota.units();
        let before = declared.saturating_sub(quota);
        *declared += gas;
        let more = declared.saturating_sub(quota) - before;
        self.price(more)
    }

    /// What so much gas costs where nothing is free.
    pub fn price(&self, gas: u64) -> u128 {
        u128::from(gas.div_ceil(self.rates.gas_per_unit.get()))
    }
}

impl Ledger {
    /// Charge an included extrinsic to its signer's entity. A bare one has no signer; the sudo key alone is no entity.
    pub(super) fn weigh(&mut self, extrinsic: &UncheckedExtrinsic, time: Timestamp) {
        let Some(envelope) = extrinsic.envelope else { return };
        let MultiAddress::Id(signer) = envelope.signer;
        let Some(entity) = self.keys.get(&signer).copied() else { return };
        let amount = self.quotas.declare(entity, time.ms() / 3_600_000, extrinsic.call.weight().units());
        if amount > 0 {
            let line = Line {
                slot: None,
                payer: self.owner(entity),
                payee: AccountId::of_module(b"bb/fees", 0),
                amount,
                kind: kinds::WEIGHT_FEE,
                trade: None,
                meter: None,
            };
            self.pay(line, 0);
        }
    }
}

//! The checks of admission (MARKET sections 1 and 3).
//!
//! They look at one request only; funds, signatures and slot states are the runtime's affair.

use crate::error::{Refusal, bad_input};
use contract_interface::{
    Admission, AdmitInput, ClearParams, Descriptor, INTERFACE, OrderRequest, Pricing, RuleError, flags, roles,
};
use runtime_primitives::{Energy, limits};

/// What this rule says of itself; pricing and order counts have no meaning for a bid rule.
///
/// # Errors
/// None.
pub const fn describe() -> Result<Descriptor, RuleError> {
    Ok(Descriptor {
        interface: INTERFACE,
        name: *b"bid\0\0\0\0\0\0\0\0\0\0\0\0\0",
        version: 1,
        pricing: Pricing::Single,
        flags_supported: flags::ALL,
        min_energy: true,
        continuous: true,
        no_residual_cross: false,
        max_orders: limits::MAX_ORDERS_PER_SLOT,
    })
}

/// Admits the request or names the first rule that it breaks.
///
/// # Errors
/// [`RuleError::UnsupportedInterface`], and [`RuleError::BadInput`] with a code of [`bad_input`].
pub fn admit(input: AdmitInput) -> Result<Admission, RuleError> {
    if input.interface != INTERFACE {
        return Err(RuleError::UnsupportedInterface(input.interface));
    }
    contradiction(&input).map_err(RuleError::BadInput)?;
    Ok(match entitled(&input).and_then(|()| well_formed(&input)).and_then(|()| priced(&input)) {
        Ok(()) => Admission::Accept { memo: input.memo },
        Err(refusal) => refusal.into(),
    })
}

fn contradiction(input: &AdmitInput) -> Result<(), u32> {
    let AdmitInput { request, params, .. } = input;
    if request.market != params.market || request.slot != params.slot {
        return Err(bad_input::OTHER_SLOT);
    }
    if input.orders_of_entity > input.orders_in_slot {
        return Err(bad_input::ORDER_COUNTS);
    }
    if params.tick_size.is_zero() || params.price_min > params.price_max || params.slot_minutes == 0 {
        return Err(bad_input::PARAMETERS);
    }
    if input.memo.len() > limits::MEMO_BYTES_MAX {
        return Err(bad_input::MEMO);
    }
    Ok(())
}

const fn entitled(input: &AdmitInput) -> Result<(), Refusal> {
    if input.roles & roles::TRADER == 0 {
        return Err(Refusal::NotATrader);
    }
    if input.orders_in_slot >= limits::MAX_ORDERS_PER_SLOT {
        return Err(Refusal::SlotFull);
    }
    Ok(())
}

fn well_formed(input: &AdmitInput) -> Result<(), Refusal> {
    let OrderRequest { energy, min_energy, flags: set, partner, .. } = input.request;
    if set & !flags::ALL != 0 {
        return Err(Refusal::UnknownFlag);
    }
    if set & flags::PARTNER != 0 && partner == input.entity {
        return Err(Refusal::PartnerIsSelf);
    }
    if energy.is_zero() {
        return Err(Refusal::ZeroEnergy);
    }
    if min_energy > energy {
        return Err(Refusal::MinEnergyAboveEnergy);
    }
    if energy > capacity(input.p_max_w, &input.params) {
        return Err(Refusal::OverCapacity);
    }
    Ok(())
}

fn priced(input: &AdmitInput) -> Result<(), Refusal> {
    let ClearParams { tick_size, price_min, price_max, .. } = input.params;
    let price = input.request.price;
    if price < price_min {
        return Err(Refusal::PriceTooLow);
    }
    if price > price_max {
        return Err(Refusal::PriceTooHigh);
    }
    if !price.ticks().is_multiple_of(tick_size.ticks()) {
        return Err(Refusal::OffTick);
    }
    Ok(())
}

/// `P_max · L / 60`, rounded down: the most energy that a connection moves in one slot.
fn capacity(p_max_w: u32, params: &ClearParams) -> Energy {
    Energy::from_wh(u64::from(p_max_w) * u64::from(params.slot_minutes) / 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{vec, vec::Vec};
    use contract_interface::Side;
    use runtime_primitives::{EntityId, Hash, MarketId, MeterId, Price, Slot, Timestamp};

    fn input() -> AdmitInput {
        AdmitInput {
            interface: INTERFACE,
            request: OrderRequest {
                market: MarketId::from_number(1),
                slot: Slot::from_number(500),
                terms: Hash::ZERO,
                meter: MeterId::from_number(3),
                side: Side::Buy,
                energy: Energy::from_wh(2_750),
                min_energy: Energy::ZERO,
                price: Price::from_ticks(6_700),
                flags: flags::AUTO_CONFIRM,
                partner: EntityId::ZERO,
                valid_until: Timestamp::MAX,
            },
            entity: EntityId::from_number(7),
            roles: roles::TRADER | roles::AUTHOR,
            params: ClearParams {
                interface: INTERFACE,
                market: MarketId::from_number(1),
                slot: Slot::from_number(500),
                batch: 0,
                slot_minutes: 15,
                tick_size: Price::from_ticks(10),
                price_min: Price::from_ticks(4_000),
                price_max: Price::from_ticks(8_000),
            },
            orders_in_slot: 40,
            orders_of_entity: 2,
            p_max_w: 11_000,
            memo: vec![1, 2, 3],
        }
    }

    fn check(change: impl FnOnce(&mut AdmitInput), expected: Result<Admission, RuleError>) {
        let mut changed = input();
        change(&mut changed);
        assert_eq!(admit(changed.clone()), expected, "{changed:?}");
    }

    #[test]
    fn a_request_within_all_limits_is_admitted_with_its_memo() {
        let accept = |memo: Vec<u8>| Ok(Admission::Accept { memo });
        check(|_| (), accept(vec![1, 2, 3]));
        check(|i| i.memo = vec![9; 256], accept(vec![9; 256]));
        check(|i| i.request.price = i.params.price_min, accept(vec![1, 2, 3]));
        check(|i| i.request.price = i.params.price_max, accept(vec![1, 2, 3]));
        check(|i| i.request.min_energy = i.request.energy, accept(vec![1, 2, 3]));
        check(|i| i.request.side = Side::Sell, accept(vec![1, 2, 3]));
        check(
            |i| (i.request.flags, i.request.partner) = (flags::ALL, EntityId::from_number(8)),
            accept(vec![1, 2, 3]),
        );
        check(|i| i.request.partner = i.entity, accept(vec![1, 2, 3]));
        check(|i| i.orders_in_slot = limits::MAX_ORDERS_PER_SLOT - 1, accept(vec![1, 2, 3]));
    }

    #[test]
    fn each_rule_refuses_with_its_own_code() {
        use Refusal::*;
        type Case = (fn(&mut AdmitInput), Refusal);
        let cases: [Case; 14] = [
            (|i| i.roles = roles::VALIDATOR, NotATrader),
            (|i| i.orders_in_slot = limits::MAX_ORDERS_PER_SLOT, SlotFull),
            (|i| i.request.flags = 8, UnknownFlag),
            (|i| (i.request.flags, i.request.partner) = (flags::PARTNER, i.entity), PartnerIsSelf),
            (|i| i.request.energy = Energy::ZERO, ZeroEnergy),
            (|i| i.request.min_energy = Energy::from_wh(2_751), MinEnergyAboveEnergy),
            (|i| i.request.energy = Energy::from_wh(2_751), OverCapacity),
            (|i| i.request.energy = Energy::MAX, OverCapacity),
            (|i| i.p_max_w = 0, OverCapacity),
            (|i| (i.p_max_w, i.params.slot_minutes) = (10_999, 15), OverCapacity),
            (|i| i.request.price = Price::from_ticks(3_990), PriceTooLow),
            (|i| i.request.price = Price::from_ticks(8_010), PriceTooHigh),
            (|i| i.request.price = Price::from_ticks(6_701), OffTick),
            (|i| (i.request.energy, i.request.price) = (Energy::ZERO, Price::ZERO), ZeroEnergy),
        ];
        for (change, refusal) in cases {
            check(change, Ok(Admission::Refuse { rule: refusal as u16 }));
        }
    }

    #[test]
    fn contradictions_are_the_callers_fault() {
        type Case = (fn(&mut AdmitInput), RuleError);
        let cases: [Case; 8] = [
            (|i| i.interface = 2, RuleError::UnsupportedInterface(2)),
            (|i| i.request.market = MarketId::from_number(2), RuleError::BadInput(bad_input::OTHER_SLOT)),
            (|i| i.request.slot = Slot::from_number(501), RuleError::BadInput(bad_input::OTHER_SLOT)),
            (|i| i.orders_of_entity = 41, RuleError::BadInput(bad_input::ORDER_COUNTS)),
            (|i| i.params.tick_size = Price::ZERO, RuleError::BadInput(bad_input::PARAMETERS)),
            (|i| i.params.price_min = Price::from_ticks(8_001), RuleError::BadInput(bad_input::PARAMETERS)),
            (|i| i.params.slot_minutes = 0, RuleError::BadInput(bad_input::PARAMETERS)),
            (|i| i.memo = vec![0; 257], RuleError::BadInput(bad_input::MEMO)),
        ];
        for (change, error) in cases {
            check(change, Err(error));
        }
    }
}

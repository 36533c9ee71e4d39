//! Admission inputs as a chain builds them: consistent, but with every value that a signed request may carry.
//!
//! A request is the only input of a rule that a stranger writes, so its edges are tried most.

use super::Random;
use crate::rules::trial::PARAMS;
use contract_interface::{AdmitInput, ClearParams, INTERFACE, OrderRequest, Side, flags, roles};
use runtime_primitives::limits::{MAX_ORDERS_PER_SLOT, MEMO_BYTES_MAX};
use runtime_primitives::{Energy, EntityId, Hash, MeterId, Price, Timestamp};

/// An offer of 1 kWh within the market's bounds.
pub fn plain() -> AdmitInput {
    let params = ClearParams {
        tick_size: Price::from_ticks(10),
        price_min: Price::from_ticks(3_000),
        price_max: Price::from_ticks(9_000),
        ..PARAMS
    };
    AdmitInput {
        interface: INTERFACE,
        request: OrderRequest {
            market: params.market,
            slot: params.slot,
            terms: Hash::ZERO,
            meter: MeterId::from_number(7),
            side: Side::Sell,
            energy: Energy::from_wh(1_000),
            min_energy: Energy::ZERO,
            price: Price::from_ticks(5_000),
            flags: 0,
            partner: EntityId::ZERO,
            valid_until: Timestamp::MAX,
        },
        entity: EntityId::from_number(3),
        roles: roles::TRADER,
        params,
        orders_in_slot: 0,
        orders_of_entity: 0,
        p_max_w: 4_000,
        memo: Vec::new(),
    }
}

/// Request number `number`: the first is the plain one, each later one differs in a few values.
pub fn request(random: &mut Random, number: u32) -> AdmitInput {
    let mut input = plain();
    for _ in 0..random.below(5).min(number) {
        let any = random.bits();
        let small = random.below(5_000);
        let request = &mut input.request;
        match random.below(12) {
            0 => request.side = Side::Buy,
            1 => request.energy = Energy::from_wh(*random.pick(&[0, 1, u64::from(small), any, u64::MAX])),
            2 => request.min_energy = Energy::from_wh(*random.pick(&[1, u64::from(small), any, u64::MAX])),
            3 => request.price = Price::from_ticks(*random.pick(&[0, 1, small, 5_005, 9_001, u32::MAX])),
            4 => request.flags = *random.pick(&[flags::GREEN, flags::PARTNER, flags::ALL, 8, u8::MAX]),
            5 => request.partner = EntityId::from_number(*random.pick(&[3, small, u32::MAX])),
            6 => request.meter = MeterId::from_number(*random.pick(&[0, small, u32::MAX])),
            7 => input.roles = *random.pick(&[0, roles::OPERATORS, u16::MAX]),
            8 => {
                input.orders_in_slot = *random.pick(&[1, small, MAX_ORDERS_PER_SLOT]);
                input.orders_of_entity = *random.pick(&[0, 1, input.orders_in_slot]);
            }
            9 => input.p_max_w = *random.pick(&[0, 1, small, u32::MAX]),
            10 => input.request.valid_until = Timestamp::from_ms(any),
            _ => {
                let bytes = *random.pick(&[1, 9, MEMO_BYTES_MAX]);
                input.memo = std::iter::repeat_with(|| random.bits().to_le_bytes()[0]).take(bytes).collect();
            }
        }
    }
    input
}

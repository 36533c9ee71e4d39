//! Admission inputs: one that every rule admits, and random ones.
//!
//! A random input breaks a few rules, so that all of them are met.

use super::books::{PARAMS, Random};
use contract_interface::{AdmitInput, INTERFACE, OrderRequest, Side, roles};
use runtime_primitives::{Energy, EntityId, Hash, MarketId, MeterId, Price, Slot, Timestamp, limits};

/// An offer of 1 kWh, which is all that its connection can move.
pub fn input() -> AdmitInput {
    AdmitInput {
        interface: INTERFACE,
        request: OrderRequest {
            market: MarketId::ZERO,
            slot: Slot::ZERO,
            terms: Hash::ZERO,
            meter: MeterId::ZERO,
            side: Side::Sell,
            energy: Energy::from_wh(1_000),
            min_energy: Energy::ZERO,
            price: Price::from_ticks(5_000),
            flags: 0,
            partner: EntityId::ZERO,
            valid_until: Timestamp::MAX,
        },
        entity: EntityId::from_number(1),
        roles: roles::TRADER,
        params: PARAMS,
        orders_in_slot: 0,
        orders_of_entity: 0,
        p_max_w: 4_000,
        memo: vec![5; 9],
    }
}

/// That offer with some of its fields changed.
pub fn random_input(random: &mut Random) -> AdmitInput {
    let mut input = input();
    for _ in 0..random.below(4) {
        let small = random.below(4);
        let request = &mut input.request;
        match random.below(14) {
            0 => input.interface = u16::try_from(small).unwrap(),
            1 => request.market = MarketId::from_number(small / 3),
            2 => request.side = random.either(Side::Buy, Side::Sell),
            3 => request.energy = Energy::from_wh(u64::from(random.below(3_000))),
            4 => request.min_energy = Energy::from_wh(u64::from(random.below(2_000))),
            5 => request.price = Price::from_ticks(random.below(10_000)),
            6 => {
                (request.flags, request.partner) = (small.to_le_bytes()[0] * 3, EntityId::from_number(small))
            }
            7 => input.roles = u16::try_from(random.below(512)).unwrap(),
            8 => input.params.tick_size = Price::from_ticks(small),
            9 => {
                (input.params.price_min, input.params.price_max) =
                    (Price::from_ticks(4_000), Price::from_ticks(6_000))
            }
            10 => input.params.slot_minutes = u16::try_from(small * 15).unwrap(),
            11 => {
                (input.orders_in_slot, input.orders_of_entity) =
                    (random.either(3, limits::MAX_ORDERS_PER_SLOT), small)
            }
            12 => input.p_max_w = random.below(10_000),
            _ => input.memo = vec![7; random.below(300) as usize],
        }
    }
    input
}

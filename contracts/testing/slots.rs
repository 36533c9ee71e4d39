//! Settlement inputs: by hand, and at random from one seed.
//!
//! Entities and meters have different numbers, so that mistaking one for the other shows.

use super::books::Random;
use contract_interface::{CertifiedTrade, Fee, INTERFACE, MeterSlot, Rates, SettleInput};
use runtime_primitives::{Energy, EntityId, MarketId, MeterId, Price, Slot};

/// The buyer pays the network.
pub const FEE: Fee = Fee { buyer: Price::from_ticks(200), seller: Price::ZERO };

/// Rates with every charge above zero.
pub const RATES: Rates = Rates {
    feed_in: Price::from_ticks(3_000),
    retail: Price::from_ticks(9_000),
    fee: FEE,
    deviation: Price::from_ticks(1_000),
    tol_wh: Energy::from_wh(5),
    tol_bp: 500,
};

/// A meter whose owner is the entity with the number + 100: import, export.
pub fn meter(number: u32, import: u64, export: u64) -> MeterSlot {
    MeterSlot {
        meter: MeterId::from_number(number),
        entity: EntityId::from_number(number + 100),
        import_wh: Energy::from_wh(import),
        export_wh: Energy::from_wh(export),
        curtailed: false,
    }
}

/// The same, interrupted by the grid operator.
pub fn curtailed(number: u32, import: u64, export: u64) -> MeterSlot {
    MeterSlot { curtailed: true, ..meter(number, import, export) }
}

/// A certified trade; prices are the buyer's and the seller's.
pub fn trade(id: u32, buy_meter: u32, sell_meter: u32, energy: u64, prices: (u32, u32)) -> CertifiedTrade {
    CertifiedTrade {
        id,
        buy_meter: MeterId::from_number(buy_meter),
        sell_meter: MeterId::from_number(sell_meter),
        energy: Energy::from_wh(energy),
        buy_price: Price::from_ticks(prices.0),
        sell_price: Price::from_ticks(prices.1),
        fee: FEE,
    }
}

/// An input of slot 500.
pub fn input(rates: Rates, trades: &[CertifiedTrade], meters: &[MeterSlot]) -> SettleInput {
    SettleInput {
        interface: INTERFACE,
        market: MarketId::from_number(1),
        slot: Slot::from_number(500),
        rates,
        trades: trades.to_vec(),
        meters: meters.to_vec(),
    }
}

/// A small slot: meters that buy and sell, deliver more or less, and share owners.
pub fn random_input(random: &mut Random) -> SettleInput {
    let count = 4 + random.below(10);
    let meters: Vec<MeterSlot> = (0..count)
        .map(|number| MeterSlot {
            curtailed: random.once_in(5),
            entity: EntityId::from_number(number / 2),
            ..meter(number * 3, u64::from(random.below(3_000)), u64::from(random.below(3_000)))
        })
        .collect();
    let trades: Vec<CertifiedTrade> = (0..random.below(30))
        .filter_map(|id| {
            let sell_price = 3_000 + random.below(3_000);
            let buy_price = sell_price + random.either(0, 500);
            let seller = random.below(count);
            let buyer = (seller + 1 + random.below(count - 1)) % count;
            // Nobody trades with itself.
            if seller / 2 == buyer / 2 {
                return None;
            }
            let energy = u64::from(1 + random.below(1_500));
            let [buyer_pays, seller_pays] =
                [0, 0].map(|_| Price::from_ticks(random.either(0, 1) * random.below(300)));
            let fee = Fee { buyer: buyer_pays, seller: seller_pays };
            Some(CertifiedTrade { fee, ..trade(id, buyer * 3, seller * 3, energy, (buy_price, sell_price)) })
        })
        .collect();
    let rates = Rates {
        tol_wh: Energy::from_wh(u64::from(random.below(100))),
        tol_bp: u16::try_from(random.below(1_000)).expect("below 1000"),
        ..RATES
    };
    input(rates, &trades, &meters)
}

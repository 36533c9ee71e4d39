//! Settlement inputs: certified trades, and meters that delivered more or less.
//!
//! Meters and entities have different numbers, and one owner may have several meters.

use super::Random;
use contract_interface::{CertifiedTrade, Fee, INTERFACE, MeterSlot, Rates, SettleInput};
use runtime_primitives::{Energy, EntityId, MarketId, MeterId, Price, Slot};

/// The buyer pays the network.
const FEE: Fee = Fee { buyer: Price::from_ticks(200), seller: Price::ZERO };

fn rates() -> Rates {
    Rates {
        feed_in: Price::from_ticks(3_000),
        retail: Price::from_ticks(9_000),
        fee: FEE,
        deviation: Price::from_ticks(1_000),
        tol_wh: Energy::from_wh(5),
        tol_bp: 500,
    }
}

fn trade(id: u32, buy_meter: u32, sell_meter: u32, energy: u64, prices: (u32, u32)) -> CertifiedTrade {
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

fn meter(number: u32, import: u64, export: u64) -> MeterSlot {
    MeterSlot {
        meter: MeterId::from_number(number),
        entity: EntityId::from_number(number / 6 + 100),
        import_wh: Energy::from_wh(import),
        export_wh: Energy::from_wh(export),
        curtailed: false,
    }
}

fn input(rates: Rates, trades: Vec<CertifiedTrade>, meters: Vec<MeterSlot>) -> SettleInput {
    let (market, slot) = (MarketId::from_number(1), Slot::from_number(500));
    SettleInput { interface: INTERFACE, market, slot, rates, trades, meters }
}

/// A slot in which nothing happened.
pub fn empty() -> SettleInput {
    input(rates(), Vec::new(), Vec::new())
}

/// Slot number `number`: the first is empty, then some with little and some with exact delivery.
pub fn slot(random: &mut Random, number: u32) -> SettleInput {
    if number == 0 {
        return empty();
    }
    let count = 4 + random.below(10);
    let exact = number.is_multiple_of(3);
    let mut meters: Vec<MeterSlot> = (0..count)
        .map(|at| {
            let (import, export) = (u64::from(random.below(3_000)), u64::from(random.below(3_000)));
            MeterSlot { curtailed: random.once_in(5), ..meter(at * 3, import, export) }
        })
        .collect();
    let trades: Vec<CertifiedTrade> = (0..random.below(30))
        .filter_map(|id| {
            let sell_price = 3_000 + random.below(3_000);
            let buy_price = sell_price + *random.pick(&[0, 500]);
            let seller = random.below(count);
            let buyer = (seller + 1 + random.below(count - 1)) % count;
            // Two meters each have one owner, and nobody trades with itself.
            if seller / 2 == buyer / 2 {
                return None;
            }
            let energy = u64::from(1 + random.below(1_500));
            let [of_buyer, of_seller] = [0, 0].map(|_| Price::from_ticks(*random.pick(&[0, 50, 200])));
            let fee = Fee { buyer: of_buyer, seller: of_seller };
            Some(CertifiedTrade { fee, ..trade(id, buyer * 3, seller * 3, energy, (buy_price, sell_price)) })
        })
        .collect();
    if exact {
        for meter in &mut meters {
            let sum = |ours: fn(&CertifiedTrade) -> MeterId| {
                let own = trades.iter().filter(|trade| ours(trade) == meter.meter);
                own.map(|trade| trade.energy).fold(Energy::ZERO, Energy::saturating_add)
            };
            (meter.import_wh, meter.export_wh) =
                (sum(|trade| trade.buy_meter), sum(|trade| trade.sell_meter));
        }
    }
    let (tol_wh, tol_bp) = (u64::from(random.below(100)), random.below(1_000));
    let tol_bp = u16::try_from(tol_bp).expect("below 1000");
    input(Rates { tol_wh: Energy::from_wh(tol_wh), tol_bp, ..rates() }, trades, meters)
}

/// `trades` trades among a tenth as many meters.
pub fn full_slot(trades: u32) -> SettleInput {
    let meters = (trades / 10).max(2);
    let all = (0..meters).map(|at| meter(at, 1_000_000, 1_000_000)).collect();
    let each = |id: u32| trade(id, id % meters, (id + 1) % meters, 10, (6_000, 6_000));
    input(rates(), (0..trades).map(each).collect(), all)
}

//! The published formulas, in plain numbers (MARKET sections 3 and 4).

use contract_interface::{Rates, Side};

/// Ticks held for each kWh of an order.
pub fn hold_price(rates: &Rates, side: Side, limit: u32) -> u64 {
    let (limit, fee, deviation) =
        (u64::from(limit), u64::from(rates.network_fee.ticks()), u64::from(rates.deviation.ticks()));
    match (side, rates.fee_payer) {
        (Side::Sell, _) => deviation,
        (Side::Buy, Side::Buy) => deviation.max(limit + fee),
        (Side::Buy, Side::Sell) => deviation.max(limit),
    }
}

/// Units charged for `confirmed` Wh of which `moved` went through the meter.
pub fn deviation(rates: &Rates, confirmed: u64, moved: u64) -> u128 {
    let missing = confirmed.saturating_sub(moved);
    let relative = u128::from(confirmed) * u128::from(rates.tol_bp) / 10_000;
    let tolerance = relative.max(u128::from(rates.tol_wh.wh()));
    u128::from(rates.deviation.ticks()) * u128::from(missing).saturating_sub(tolerance)
}

/// Units for `energy` Wh at `ticks`.
pub fn price(ticks: u32, energy: u64) -> u128 {
    u128::from(ticks) * u128::from(energy)
}

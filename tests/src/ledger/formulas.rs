//! The published formulas, in plain numbers (MARKET sections 3 and 4).

use contract_interface::{Fee, Rates, Side, Terms};

/// Ticks held for each kWh of an order.
pub fn hold_price(terms: &Terms, side: Side, limit: u32) -> u64 {
    let deviation = u64::from(terms.rates.deviation.ticks());
    if side == Side::Sell {
        return deviation;
    }
    let listed = terms.fees.iter().map(|listed| listed.fee.buyer);
    let fee = listed.fold(terms.rates.fee.buyer, std::cmp::Ord::max);
    deviation.max(u64::from(limit) + u64::from(fee.ticks()))
}

/// What both sides pay for the network between two feeders.
pub fn fee(terms: &Terms, seller: u32, buyer: u32) -> Fee {
    let mut listed = terms.fees.iter();
    let found = listed.find(|pair| (pair.seller.number(), pair.buyer.number()) == (seller, buyer));
    found.map_or(terms.rates.fee, |pair| pair.fee)
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

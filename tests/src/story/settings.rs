//! The head of a story: who is there and under which terms. Whatever it does not say is [`Plan::default`].
//!
//! A line is `key: value`; a value has its unit. The same keys change terms later on.

use super::words::{decimal, seconds};
use crate::artifacts;
use crate::evil;
use crate::two_faced::{self, Deed};
use crate::world::Plan;
use runtime_execution::modules::payment::WeightRates;
use runtime_primitives::{Energy, Gas, Money, Price};
use std::num::NonZeroU64;

/// What a key is worth, as documented.
pub const KEYS: [(&str, &str); 28] = [
    ("slot length", "minutes, like `10 min`"),
    ("feed-in", "price in yuan/kWh that the retailer pays for what nobody bought"),
    ("retail", "price in yuan/kWh of what nobody sold"),
    ("buyer fee", "yuan/kWh of traded energy that the buyer pays to the grid operator"),
    ("seller fee", "the same, paid by the seller out of what it is paid"),
    ("deviation", "yuan/kWh of what was agreed and not moved"),
    ("tolerance energy", "energy that may always be missing, like `5 Wh`"),
    ("tolerance share", "per cent of the agreed energy that may be missing, like `5 %`"),
    ("tick", "prices are multiples of this, in yuan/kWh"),
    ("lowest price", "yuan/kWh"),
    ("highest price", "yuan/kWh"),
    ("orders a slot", "a number"),
    ("orders an entity", "a number"),
    ("opens before", "time before delivery, like `30 min`"),
    ("gate before", "time before delivery"),
    ("reveal", "time after the gate: orders are sealed until then"),
    ("voting", "time after the slot's end"),
    ("objection", "time after the slot's end"),
    ("dispute", "time after the slot's end"),
    ("billing slots", "slots of a billing period, a number"),
    ("deposit slots", "unsettled slots that supply deposits and the retailer's pre-funding cover, a number"),
    ("bid rule", "a rule"),
    ("matching", "a rule"),
    ("settlement", "a rule"),
    ("fallback", "a rule"),
    ("funds", "money of each household, like `100 yuan`"),
    ("operator deposit", "money for market steps"),
    ("quota", "calls of the least gas that an entity may send in an hour; others cost 0.00005 yuan each"),
];

/// Rules by name. `poison` describes itself well and traps on a real book; `broken` traps whenever it is asked.
pub const RULES: [&str; 9] = [
    "bid",
    "high-low",
    "min-spread",
    "uniform-price",
    "continuous",
    "huang",
    "settlement",
    "poison",
    "broken",
];

/// Set one key.
///
/// # Errors
/// What was expected instead.
pub fn set(plan: &mut Plan, key: &str, value: &str) -> Result<(), String> {
    let price = || decimal(value, 4).and_then(|ticks| u32::try_from(ticks).ok()).map(Price::from_ticks);
    let price = || price().ok_or_else(|| format!("expected a price in yuan/kWh, not `{value}`"));
    let count = || value.parse::<u32>().map_err(|_| format!("expected a number, not `{value}`"));
    match key {
        "slot length" => {
            let minutes = duration(value)? / 60;
            plan.slot_minutes = u16::try_from(minutes).map_err(|_| "a slot has at most a day")?;
        }
        "feed-in" => plan.rates.feed_in = price()?,
        "retail" => plan.rates.retail = price()?,
        "buyer fee" => plan.rates.fee.buyer = price()?,
        "seller fee" => plan.rates.fee.seller = price()?,
        "deviation" => plan.rates.deviation = price()?,
        "tolerance energy" => {
            let wh = unit(value, "Wh").and_then(|number| number.parse().ok());
            plan.rates.tol_wh = Energy::from_wh(wh.ok_or("expected Wh, like `5 Wh`")?);
        }
        "tolerance share" => {
            let share = unit(value, "%").and_then(|number| decimal(number, 2));
            let share = share.and_then(|points| u16::try_from(points).ok());
            plan.rates.tol_bp = share.ok_or("expected per cent, like `5 %`")?;
        }
        "tick" => plan.limits.tick_size = price()?,
        "lowest price" => plan.limits.price_min = price()?,
        "highest price" => plan.limits.price_max = price()?,
        "orders a slot" => plan.limits.orders_per_slot = count()?,
        "orders an entity" => plan.limits.orders_per_entity = count()?,
        "opens before" => plan.windows.open_before_s = duration(value)?,
        "gate before" => plan.windows.gate_before_s = duration(value)?,
        "reveal" => plan.windows.reveal_s = duration(value)?,
        "voting" => plan.windows.voting_s = duration(value)?,
        "objection" => plan.windows.objection_s = duration(value)?,
        "dispute" => plan.windows.dispute_s = duration(value)?,
        "billing slots" => plan.billing_slots = count()?,
        "deposit slots" => {
            plan.deposit_slots = u16::try_from(count()?).map_err(|_| "deposits cover fewer slots")?;
        }
        "bid rule" => plan.rules[0] = rule(plan, value)?,
        "matching" => plan.rules[1] = rule(plan, value)?,
        "settlement" => plan.rules[2] = rule(plan, value)?,
        "fallback" => plan.rules[3] = rule(plan, value)?,
        "funds" => plan.funds = money(value)?,
        "operator deposit" => plan.deposit = money(value)?,
        "quota" => plan.weight = quota(value)?,
        _ => {
            let keys: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
            return Err(format!("unknown key `{key}`; expected one of: {}", keys.join(", ")));
        }
    }
    Ok(())
}

fn unit<'value>(value: &'value str, unit: &str) -> Option<&'value str> {
    value.strip_suffix(unit).map(str::trim_end)
}

/// So many calls of the least gas; a unit of money buys a hundred thousand gas beyond.
fn quota(value: &str) -> Result<WeightRates, String> {
    let calls: u64 = value.parse().map_err(|_| format!("expected a number of calls, not `{value}`"))?;
    let quota = Gas::from_units(calls * 50_000_000);
    Ok(WeightRates { quota, gas_per_unit: NonZeroU64::new(100_000).expect("above zero") })
}

fn money(value: &str) -> Result<Money, String> {
    let units = unit(value, "yuan").and_then(|number| decimal(number, 7));
    units.map(Money::from_units).ok_or_else(|| format!("expected money, like `100 yuan`, not `{value}`"))
}

fn duration(value: &str) -> Result<u32, String> {
    let parts = value.split_once(' ');
    let found = parts.and_then(|(number, unit)| seconds(number, unit));
    found.ok_or_else(|| format!("expected a time, like `10 min`, `30 s` or `24 h`, not `{value}`"))
}

/// The code of a rule. A poisonous one has to know how many orders a full book has: set the limits before it.
fn rule(plan: &Plan, name: &str) -> Result<Vec<u8>, String> {
    let committed = match name {
        "bid" => artifacts::BID,
        "high-low" => artifacts::HIGH_LOW,
        "min-spread" => artifacts::MIN_SPREAD,
        "uniform-price" => artifacts::UNIFORM_PRICE,
        "continuous" => artifacts::CONTINUOUS,
        "huang" => artifacts::HUANG,
        "settlement" => artifacts::SETTLEMENT,
        "poison" => return Ok(two_faced::rule(&evil::DESCRIPTOR, plan.limits.orders_per_slot, &Deed::Trap)),
        "broken" => return Ok(evil::traps()),
        _ => return Err(format!("unknown rule `{name}`; expected one of: {}", RULES.join(", "))),
    };
    Ok(committed.to_vec())
}

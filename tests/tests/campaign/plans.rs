//! Random markets within the bounds that the chain checks, and the terms that some of them change to.
//!
//! How often something is drawn is data: the deck of matching rules and the odds.

use crate::books::Random;
use busbar_tests::world::{FIRST, Plan};
use busbar_tests::{artifacts, evil, plodding, two_faced};
use contract_interface::{Fee, FeederFee, Rates};
use runtime_primitives::{Energy, FeederId, Gas, Money, Price, Slot};

/// Matching rules as consecutive cases are dealt them, each as often as it is here: what few cases might miss by chance.
const DECK: [&[u8]; 10] = [
    artifacts::HIGH_LOW,
    artifacts::HUANG,
    artifacts::CONTINUOUS,
    artifacts::UNIFORM_PRICE,
    artifacts::MIN_SPREAD,
    artifacts::CONTINUOUS,
    artifacts::HUANG,
    artifacts::UNIFORM_PRICE,
    artifacts::HIGH_LOW,
    artifacts::MIN_SPREAD,
];
/// Those that clear a book at the gate.
const AUCTIONS: [&[u8]; 4] =
    [artifacts::HIGH_LOW, artifacts::MIN_SPREAD, artifacts::UNIFORM_PRICE, artifacts::HUANG];

/// Once in how many markets it happens.
mod odds {
    /// Terms change while slots are played.
    pub const CHANGE: u32 = 2;
    /// Terms that would change, and one party does not agree.
    pub const LAPSE: u32 = 6;
    /// Orders are sealed, if the rule is an auction and there is a deviation rate.
    pub const SEALED: u32 = 3;
    /// Fees differ by feeders.
    pub const FEEDERS: u32 = 3;
    /// The matching rule fails on real books.
    pub const TRAP: u32 = 6;
    /// So does the fallback.
    pub const FALLBACK_TRAPS: u32 = 20;
    /// So does the settlement rule.
    pub const SETTLEMENT_TRAPS: u32 = 10;
    /// The operator's deposit is for a few steps.
    pub const POOR_OPERATOR: u32 = 12;
    /// Extrinsics beyond a few an hour cost a fee.
    pub const SMALL_QUOTA: u32 = 5;
}

/// A market, and what it changes to.
pub struct Script {
    /// At first.
    pub plan: Plan,
    /// Published terms.
    pub change: Option<Change>,
}

/// Terms that are to change.
pub struct Change {
    /// From this slot on.
    pub from: Slot,
    /// To these.
    pub plan: Plan,
    /// Whether all parties agree.
    pub is_agreed: bool,
}

/// The market of a case, with five to eight households.
pub fn script(seed: u32, slots: u32, random: &mut Random) -> Script {
    let mut plan = Plan { homes: 5 + random.below(4), ..Plan::default() };
    plan.slot_minutes = [10, 15, 30][random.below(3) as usize];
    plan.billing_slots = [3, 7, 144][random.below(3) as usize];
    plan.feeders = (0..plan.homes).map(|_| random.below(3)).collect();
    // Poor households run out of money, poor operators of their deposit.
    plan.funds = Money::from_units([30_000_000, 1_000_000_000, 1_000_000_000][random.below(3) as usize]);
    if random.once_in(odds::POOR_OPERATOR) {
        plan.deposit = Money::from_units(u128::from(random.below(40_000)));
    }
    if random.once_in(odds::SMALL_QUOTA) {
        plan.weight.quota = Gas::from_units(1_000_000_000);
    }
    plan.windows.open_before_s = 1_800;
    (plan.windows.objection_s, plan.windows.dispute_s) = (2_400, 3_600);
    terms(DECK[seed as usize % DECK.len()], random, &mut plan);
    let change = random.once_in(odds::CHANGE).then(|| {
        // Terms are published a day ahead.
        plan.lead_h = 26;
        let mut next = plan.clone();
        terms(DECK[random.below(u32::try_from(DECK.len()).unwrap()) as usize], random, &mut next);
        let from = FIRST.number() + 1 + random.below(slots.saturating_sub(2).max(1));
        Change { from: Slot::from_number(from), plan: next, is_agreed: !random.once_in(odds::LAPSE) }
    });
    Script { plan, change }
}

/// All that terms may change.
fn terms(matching: &[u8], random: &mut Random, plan: &mut Plan) {
    plan.rates = rates(random);
    plan.fees = fees(random, &plan.rates);
    limits(random, plan);
    rules(matching, random, plan);
    let may_seal = matching != artifacts::CONTINUOUS && !plan.rates.deviation.is_zero();
    // Sealed until a minute after the gate.
    plan.windows.reveal_s = if may_seal && random.once_in(odds::SEALED) { 60 } else { 0 };
    // Two slots may cost a household with money a third of it, one without all of it and more.
    plan.deposit_slots = [0, 0, 1, 2][random.below(4) as usize];
}

fn rates(random: &mut Random) -> Rates {
    let feed_in = 100 * random.below(40);
    let [of_buyer, of_seller] = [0, 0].map(|_| if random.once_in(3) { 0 } else { random.below(400) });
    let retail = feed_in + 2 * (of_buyer + of_seller) + 100 + random.below(8_000);
    Rates {
        feed_in: Price::from_ticks(feed_in),
        retail: Price::from_ticks(retail),
        fee: Fee { buyer: Price::from_ticks(of_buyer), seller: Price::from_ticks(of_seller) },
        deviation: Price::from_ticks([0, random.below(1_500), retail][random.below(3) as usize].min(retail)),
        tol_wh: Energy::from_wh(u64::from(random.below(50))),
        tol_bp: u16::try_from(random.below(2_000)).unwrap(),
    }
}

/// Fees of some pairs of three feeders, at most what the rates leave room for.
fn fees(random: &mut Random, rates: &Rates) -> Vec<FeederFee> {
    if !random.once_in(odds::FEEDERS) {
        return Vec::new();
    }
    let mut most = |usual: Price| Price::from_ticks(random.below(2 * usual.ticks() + 50));
    let pairs = (0..3).flat_map(|seller| (0..3).map(move |buyer| [seller, buyer].map(FeederId::from_number)));
    let fees = pairs.map(|[seller, buyer]| {
        let fee = Fee { buyer: most(rates.fee.buyer), seller: most(rates.fee.seller) };
        FeederFee { seller, buyer, fee }
    });
    let fees: Vec<FeederFee> = fees.collect();
    fees.into_iter().filter(|_| !random.once_in(3)).collect()
}

fn limits(random: &mut Random, plan: &mut Plan) {
    let (rates, fee) = (plan.rates, plan.terms().highest_fee());
    let tick = [1, 10, 50][random.below(3) as usize];
    let (low, high) = (rates.feed_in.ticks() + fee.seller.ticks(), rates.retail.ticks() - fee.buyer.ticks());
    plan.limits.tick_size = Price::from_ticks(tick);
    plan.limits.price_min = Price::from_ticks(low);
    plan.limits.price_max = Price::from_ticks(high);
    plan.limits.orders_per_entity = 1 + random.below(8);
}

/// The rule and what stands in for it; now and then one that fails.
fn rules(matching: &[u8], random: &mut Random, plan: &mut Plan) {
    let is_continuous = matching == artifacts::CONTINUOUS;
    plan.rules[1] = matching.to_vec();
    plan.rules[3] = if is_continuous { matching } else { AUCTIONS[random.below(4) as usize] }.to_vec();
    if random.once_in(odds::TRAP) {
        plan.rules[1] = if is_continuous {
            let first = 1 + random.below(3);
            plodding::rule(&plodding::DESCRIPTOR, &(first..first + 3))
        } else {
            // It knows the worst book by its length, so no real book may be as long.
            two_faced::rule(&evil::DESCRIPTOR, plan.limits.orders_per_slot, &two_faced::Deed::Trap)
        };
    }
    if random.once_in(odds::FALLBACK_TRAPS) && !is_continuous {
        plan.rules[3] =
            two_faced::rule(&evil::DESCRIPTOR, plan.limits.orders_per_slot, &two_faced::Deed::Recurse);
    }
    if random.once_in(odds::SETTLEMENT_TRAPS) {
        plan.rules[2] = evil::traps();
    }
}

//! The longest report of a settlement: what terms allow fits a rule's output, and not one order more.
#![allow(clippy::unwrap_used, reason = "tests")]

use busbar_tests::machine::on_vm_thread;
use busbar_tests::world::{Plan, World};
use contract_interface::{
    Fee, LangError, Party, Pricing, RuleError, SettlementReport, Terms, Transfer, kinds,
};
use parity_scale_codec::Encode;
use runtime_execution::modules::markets::report_size::orders_most;
use runtime_execution::modules::markets::{self, Error};
use runtime_execution::{DispatchError, Outcome};
use runtime_primitives::limits::{MAX_ORDERS_PER_SLOT, METERS_PER_MARKET_MAX, PURE_IO_BYTES_MAX};
use runtime_primitives::{Energy, EntityId, MeterId, Money, Price};

const TRADER: Party = Party::Entity(EntityId::ZERO);

fn terms(buyer: u32, seller: u32) -> Terms {
    let mut plan = Plan::default();
    plan.rates.fee = Fee { buyer: Price::from_ticks(buyer), seller: Price::from_ticks(seller) };
    plan.limits.price_min = Price::from_ticks(3_500);
    plan.terms()
}

/// Every payment that there can be for so many trades and the meters of a full market, as the rule answers.
fn longest(terms: &Terms, two_prices: bool, trades: u32) -> Vec<u8> {
    let transfer = |from, to, kind, trade, meter| {
        let amount = Money::from_units(u128::MAX);
        Transfer { from, to, amount, kind, trade, meter }
    };
    let mut transfers = Vec::new();
    for id in 0..trades {
        let of_trade = |to, kind| transfer(TRADER, to, kind, Some(id), None);
        transfers.push(of_trade(TRADER, kinds::ENERGY));
        let fee = terms.rates.fee;
        let due =
            [(two_prices, Party::Pool, kinds::SURPLUS), (!fee.buyer.is_zero(), Party::Grid, kinds::FEE)];
        for (_, to, kind) in
            due.into_iter().chain([(!fee.seller.is_zero(), Party::Grid, kinds::FEE)]).filter(|due| due.0)
        {
            transfers.push(of_trade(to, kind));
        }
    }
    for meter in 0..METERS_PER_MARKET_MAX {
        let of_meter = |from, to, kind| transfer(from, to, kind, None, Some(MeterId::from_number(meter)));
        transfers.push(of_meter(Party::Retailer, TRADER, kinds::FEED_IN));
        for kind in [kinds::RETAIL, kinds::DEVIATION, kinds::DEVIATION] {
            transfers.push(of_meter(TRADER, Party::Retailer, kind));
        }
    }
    let settled = vec![Energy::MAX; trades as usize];
    Ok::<_, LangError>(Ok::<_, RuleError>(SettlementReport { settled, transfers })).encode()
}

#[test]
fn the_longest_report_fits_and_one_more_trade_does_not() {
    for (buyer, seller, pricing) in [
        (200, 0, Pricing::Single),
        (0, 0, Pricing::TwoPrice),
        (200, 100, Pricing::Uniform),
        (200, 0, Pricing::TwoPrice),
        (200, 100, Pricing::TwoPrice),
    ] {
        let (terms, two_prices) = (terms(buyer, seller), pricing == Pricing::TwoPrice);
        let most = orders_most(&terms, two_prices);
        assert!(longest(&terms, two_prices, most).len() <= PURE_IO_BYTES_MAX, "{buyer} {seller} {pricing:?}");
        if most < MAX_ORDERS_PER_SLOT {
            let more = longest(&terms, two_prices, most + 1).len();
            assert!(more > PURE_IO_BYTES_MAX, "{buyer} {seller} {pricing:?}: {most}, {more} bytes");
        }
    }
    // One fee and one price are what the largest slots are for.
    assert_eq!(orders_most(&terms(200, 0), false), MAX_ORDERS_PER_SLOT);
}

#[test]
fn terms_beyond_it_are_refused_by_name() {
    on_vm_thread(|| {
        let plan = Plan::default();
        let mut world = World::at_genesis(&plan);
        world.upload(&plan.rules);
        let most = orders_most(&terms(200, 100), false);
        let mut create = |wanted| {
            let markets::Call::Create { mut new } = world.new_market(&plan) else { unreachable!() };
            new.terms.rates.fee = Fee { buyer: Price::from_ticks(200), seller: Price::from_ticks(100) };
            new.terms.limits.price_min = Price::from_ticks(3_500);
            new.terms.limits.orders_per_slot = wanted;
            new.terms.fallback = new.terms.matching;
            let platform = world.platform().clone();
            let hash = world.chain.submit(&platform, markets::Call::Create { new });
            world.chain.block();
            world.chain.outcome(&hash).clone()
        };
        let refused = create(most + 1);
        let wrong = DispatchError::from(Error::ReportTooLong { wanted: most + 1, most });
        assert!(matches!(&refused, Outcome::Failed { error, .. } if *error == wrong), "{refused:?}");
        let created = create(most);
        assert!(matches!(created, Outcome::Applied { .. }), "{created:?}");
    });
}

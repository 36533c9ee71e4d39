//! Markets that may not be created and terms that may not be scheduled.

use super::scenes::Scene;
use super::{Attempt, Row, row};
use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use busbar_tests::{artifacts, evil, plodding, two_faced};
use contract_interface::{Clearing, Descriptor, Fee, FeederFee, Terms, Windows};
use runtime_execution::Call;
use runtime_execution::modules::markets::registration::NewMarket;
use runtime_execution::modules::markets::{self, BadTerms, BadWindow, Error};
use runtime_primitives::{EntityId, FeederId, Hash, MarketId, Price, Slot};

/// The plan's market with a change.
fn create(world: &World, change: impl FnOnce(&mut NewMarket), wrong: Error) -> Attempt {
    let markets::Call::Create { mut new } = world.new_market(&Plan::default()) else { unreachable!() };
    change(&mut new);
    let call = Call::Markets(markets::Call::Create { new });
    (world.chain.signed(world.platform(), &call), wrong.into())
}

fn bad(world: &World, change: impl FnOnce(&mut Terms), wrong: BadTerms) -> Attempt {
    create(world, |new| change(&mut new.terms), Error::BadTerms(wrong))
}

fn window(world: &World, change: impl FnOnce(&mut Windows), wrong: BadWindow) -> Attempt {
    bad(world, |terms| change(&mut terms.windows), BadTerms::Windows(wrong))
}

/// Terms that name uploaded code as their matching rule.
fn matching(world: &mut World, code: Vec<u8>, wrong: impl FnOnce(Hash) -> Error) -> Attempt {
    let hash = artifacts::hash(&code);
    world.upload(&[code]);
    create(world, |new| new.terms.matching = hash, wrong(hash))
}

/// Terms whose matching rule and fallback are uploaded code.
fn continuous(world: &mut World, code: Vec<u8>, wrong: impl FnOnce(Hash) -> Error) -> Attempt {
    let hash = artifacts::hash(&code);
    world.upload(&[code]);
    let change = |new: &mut NewMarket| (new.terms.matching, new.terms.fallback) = (hash, hash);
    create(world, change, wrong(hash))
}

/// Terms that name uploaded code as what stands in for the matching rule.
fn fallback(world: &mut World, code: Vec<u8>, wrong: impl FnOnce(Hash) -> Error) -> Attempt {
    let hash = artifacts::hash(&code);
    world.upload(&[code]);
    create(world, |new| new.terms.fallback = hash, wrong(hash))
}

fn schedule(world: &World, slot: Slot, change: impl FnOnce(&mut Terms), wrong: Error) -> Attempt {
    let mut terms = Box::new(world.terms.clone());
    change(&mut terms);
    let call = Call::Markets(markets::Call::ScheduleTerms { market: MARKET, slot, terms });
    (world.chain.signed(world.platform(), &call), wrong.into())
}

pub fn rows() -> Vec<Row> {
    let mut rows = figures();
    rows.extend(windows());
    rows.extend(rules());
    rows.extend(creation());
    rows
}

fn figures() -> Vec<Row> {
    vec![
        row("terms: no slot length", Scene::NoMarket, |world| {
            bad(world, |terms| terms.slot_minutes = 0, BadTerms::SlotMinutes)
        }),
        row("terms: reveals as long as consents", Scene::NoMarket, |world| {
            bad(world, |terms| terms.windows.reveal_s = terms.windows.confirm_s, BadTerms::Sealed)
        }),
        row("terms: no tick", Scene::NoMarket, |world| {
            bad(world, |terms| terms.limits.tick_size = Price::ZERO, BadTerms::Tick)
        }),
        row("terms: prices below the feed-in tariff", Scene::NoMarket, |world| {
            bad(world, |terms| terms.limits.price_min = Price::from_ticks(2_999), BadTerms::PriceBounds)
        }),
        row("terms: prices above retail less fee", Scene::NoMarket, |world| {
            bad(world, |terms| terms.limits.price_max = Price::from_ticks(8_801), BadTerms::PriceBounds)
        }),
        row("terms: deviation above retail", Scene::NoMarket, |world| {
            bad(world, |terms| terms.rates.deviation = Price::from_ticks(9_001), BadTerms::Deviation)
        }),
        row("terms: sealed orders that nothing binds", Scene::NoMarket, |world| {
            let change = |terms: &mut Terms| {
                terms.windows.reveal_s = 60;
                terms.rates.deviation = Price::ZERO;
            };
            bad(world, change, BadTerms::SealedFree)
        }),
        row("terms: a price that leaves the seller less than the retailer pays", Scene::NoMarket, |world| {
            let change = |terms: &mut Terms| {
                terms.rates.fee = Fee { buyer: Price::ZERO, seller: Price::from_ticks(200) };
                terms.limits.price_min = Price::from_ticks(3_199);
            };
            bad(world, change, BadTerms::SellerFee)
        }),
        row("terms: a pair of feeders that leaves the seller less", Scene::NoMarket, |world| {
            bad(world, |terms| terms.fees = vec![between(0, 1, 0, 10)], BadTerms::SellerFee)
        }),
        row(
            "terms: a pair of feeders that costs the buyer more than the retailer",
            Scene::NoMarket,
            |world| bad(world, |terms| terms.fees = vec![between(0, 1, 210, 0)], BadTerms::PriceBounds),
        ),
        row("terms: no billing period", Scene::NoMarket, |world| {
            bad(world, |terms| terms.billing_slots = 0, BadTerms::BillingSlots)
        }),
        row("terms: a billing period of years", Scene::NoMarket, |world| {
            bad(world, |terms| terms.billing_slots = 44_641, BadTerms::BillingSlots)
        }),
        row("terms: deposits for more slots than a day of minutes", Scene::NoMarket, |world| {
            bad(world, |terms| terms.deposit_slots = 1_441, BadTerms::DepositSlots)
        }),
        row("terms: a pair of feeders twice", Scene::NoMarket, |world| {
            bad(world, |terms| terms.fees = vec![between(0, 1, 10, 0); 2], BadTerms::FeeOrder)
        }),
        row("terms: more pairs of feeders than anybody may price", Scene::NoMarket, |world| {
            let pairs = (0..=256).map(|buyer| between(0, buyer, 10, 0)).collect();
            bad(world, |terms| terms.fees = pairs, BadTerms::TooManyFees)
        }),
        row("terms: no orders", Scene::NoMarket, |world| {
            bad(world, |terms| terms.limits.orders_per_slot = 0, BadTerms::Counts)
        }),
        row("terms: too many orders", Scene::NoMarket, |world| {
            bad(world, |terms| terms.limits.orders_per_slot = 100_001, BadTerms::Counts)
        }),
        row("more orders of an entity than a curtailment withdraws", Scene::NoMarket, |world| {
            bad(world, |terms| terms.limits.orders_per_entity = 129, BadTerms::Counts)
        }),
    ]
}

/// What a trade from one feeder to another costs the buyer and the seller, in ticks.
fn between(seller: u32, buyer: u32, buyer_pays: u32, seller_pays: u32) -> FeederFee {
    let [seller, buyer] = [seller, buyer].map(FeederId::from_number);
    let fee = Fee { buyer: Price::from_ticks(buyer_pays), seller: Price::from_ticks(seller_pays) };
    FeederFee { seller, buyer, fee }
}

fn windows() -> Vec<Row> {
    vec![
        row("terms: open after the gate", Scene::NoMarket, |world| {
            window(world, |w| w.open_before_s = w.gate_before_s, BadWindow::OpenAfterGate)
        }),
        row("terms: gate after certification", Scene::NoMarket, |world| {
            window(world, |w| w.gate_before_s = w.certify_before_s, BadWindow::GateAfterCertification)
        }),
        row("terms: no time to certify", Scene::NoMarket, |world| {
            window(world, |w| w.confirm_s = 291, BadWindow::ConfirmationTooLong)
        }),
        row("terms: votes before readings", Scene::NoMarket, |world| {
            window(world, |w| w.voting_s = w.readings_s, BadWindow::VotingBeforeReadings)
        }),
        row("terms: objections before votes", Scene::NoMarket, |world| {
            window(world, |w| w.objection_s = w.voting_s, BadWindow::ObjectionBeforeVoting)
        }),
        row("terms: disputes before objections", Scene::NoMarket, |world| {
            window(world, |w| w.dispute_s = w.objection_s, BadWindow::DisputeBeforeObjection)
        }),
        row("terms: dispute for ever", Scene::NoMarket, |world| {
            window(world, |w| w.dispute_s = u32::MAX, BadWindow::DisputeTooLong)
        }),
        row("terms: open for ever", Scene::NoMarket, |world| {
            window(world, |w| w.open_before_s = u32::MAX, BadWindow::OpenTooEarly)
        }),
        row("terms: readings awaited longer than a slot", Scene::NoMarket, |world| {
            window(world, |w| w.readings_s = 601, BadWindow::ReadingsTooLong)
        }),
    ]
}

fn rules() -> Vec<Row> {
    vec![
        row("unknown code", Scene::NoMarket, |world| {
            let code = Hash([4; 32]);
            create(world, |new| new.terms.bid = code, Error::UnknownCode(code))
        }),
        row("rule that touches storage", Scene::NoMarket, |world| {
            matching(world, two_faced::writes_storage(), Error::NotARule)
        }),
        row("rule that reads the clock", Scene::NoMarket, |world| {
            matching(world, two_faced::reads_the_clock(), Error::NotARule)
        }),
        row("rule of another interface", Scene::NoMarket, |world| {
            let descriptor = Descriptor { interface: 2, ..evil::DESCRIPTOR };
            matching(world, evil::returning(&descriptor, &Clearing::default()), Error::NotARule)
        }),
        row("rule that clears fewer orders", Scene::NoMarket, |world| {
            let descriptor = Descriptor { max_orders: 39, ..evil::DESCRIPTOR };
            let code = evil::returning(&descriptor, &Clearing::default());
            matching(world, code, |_| Error::TooManyForRule { wanted: 40, max: 39 })
        }),
        row("continuous rule with sealed orders", Scene::NoMarket, |world| {
            let descriptor = Descriptor { continuous: true, ..evil::DESCRIPTOR };
            let code = evil::returning(&descriptor, &Clearing::default());
            let hash = artifacts::hash(&code);
            world.upload(&[code]);
            let change = |terms: &mut Terms| {
                terms.matching = hash;
                terms.windows.reveal_s = 60;
            };
            bad(world, change, BadTerms::SealedContinuous)
        }),
        row("continuous rule with an auction to fall back on", Scene::NoMarket, |world| {
            matching(world, plodding::rule(&plodding::DESCRIPTOR, &(0..0)), |_| Error::FallbackKind {
                rule: true,
            })
        }),
        row("auction with a continuous rule to fall back on", Scene::NoMarket, |world| {
            let code = plodding::rule(&plodding::DESCRIPTOR, &(0..0));
            let hash = artifacts::hash(&code);
            world.upload(&[code]);
            create(world, |new| new.terms.fallback = hash, Error::FallbackKind { rule: false })
        }),
        row("continuous rule with minimum fills", Scene::NoMarket, |world| {
            let descriptor = Descriptor { min_energy: true, ..plodding::DESCRIPTOR };
            continuous(world, plodding::rule(&descriptor, &(0..0)), |_| Error::ContinuousMinimum)
        }),
        row("continuous rule that fails on a full batch", Scene::NoMarket, |world| {
            continuous(world, plodding::rule(&plodding::DESCRIPTOR, &(0..1)), |code| {
                Error::WorstCase(40, code)
            })
        }),
        row("continuous rule that leaves a full batch crossed", Scene::NoMarket, |world| {
            let descriptor = Descriptor { no_residual_cross: false, ..plodding::DESCRIPTOR };
            let code = evil::returning(&descriptor, &Clearing::default());
            continuous(world, code, |code| Error::WorstCase(40, code))
        }),
        row("rule that does not end on a full book", Scene::NoMarket, |world| {
            matching(world, evil::loops_for_ever(), |code| Error::WorstCase(40, code))
        }),
        row("fallback that traps on a full book", Scene::NoMarket, |world| {
            fallback(world, evil::traps(), |code| Error::WorstCase(40, code))
        }),
        row("fallback that does not end on a full book", Scene::NoMarket, |world| {
            fallback(world, evil::loops_for_ever(), |code| Error::WorstCase(40, code))
        }),
        row("rule that answers garbage on a full book", Scene::NoMarket, |world| {
            matching(world, evil::garbage(), |code| Error::WorstCase(40, code))
        }),
        row("rule that breaks its promise on a full book", Scene::NoMarket, |world| {
            let descriptor = Descriptor { no_residual_cross: true, ..evil::DESCRIPTOR };
            matching(world, evil::returning(&descriptor, &Clearing::default()), |code| {
                Error::WorstCase(40, code)
            })
        }),
    ]
}

fn creation() -> Vec<Row> {
    vec![
        row("retailer without its role", Scene::NoMarket, |world| {
            let entity = EntityId::from_number(entities::BANK);
            let wrong = Error::PartyRole { entity, needed: contract_interface::roles::RETAILER };
            create(world, |new| new.retailer = entity, wrong)
        }),
        row("meter operator without its role", Scene::NoMarket, |world| {
            let entity = EntityId::from_number(entities::GRID);
            let wrong = Error::PartyRole { entity, needed: contract_interface::roles::METER_OPERATOR };
            create(world, |new| new.meter_operator = entity, wrong)
        }),
        row("first slot that has passed", Scene::NoMarket, |world| {
            let slot = Slot::from_number(488);
            create(world, |new| new.first_slot = slot, Error::FirstSlotPassed(slot))
        }),
        row("terms too late: the slot is open", Scene::Open, |world| {
            schedule(world, FIRST, |_| (), Error::TermsTooLate { slot: FIRST })
        }),
        row("terms too late: less than a day ahead", Scene::Open, |world| {
            let slot = Slot::from_number(510);
            schedule(world, slot, |_| (), Error::TermsTooLate { slot })
        }),
        row("terms off the market's grid", Scene::Open, |world| {
            let wrong = Error::BadTerms(BadTerms::Grid);
            schedule(world, Slot::from_number(900), |terms| terms.slot_minutes = 15, wrong)
        }),
        row("more changes of terms than anybody schedules", Scene::Open, |world| {
            let platform = world.platform().clone();
            for change in 0..63 {
                let slot = Slot::from_number(900 + change);
                let terms = Box::new(world.terms.clone());
                world.chain.must(&platform, markets::Call::ScheduleTerms { market: MARKET, slot, terms });
            }
            // In the next hour the platform has its quota of gas again.
            world.chain.pass_to(world.chain.now.plus_ms(3_600_000));
            schedule(world, Slot::from_number(963), |_| (), Error::ScheduleFull(64))
        }),
        row("terms with another billing period", Scene::Open, |world| {
            let wrong = Error::BadTerms(BadTerms::Grid);
            schedule(world, Slot::from_number(900), |terms| terms.billing_slots = 7, wrong)
        }),
        row("terms of an unknown market", Scene::Open, |world| {
            let terms = Box::new(world.terms.clone());
            let market = MarketId::from_number(5);
            let call = Call::Markets(markets::Call::ScheduleTerms { market, slot: FIRST, terms });
            (world.chain.signed(world.platform(), &call), Error::UnknownMarket(market).into())
        }),
    ]
}

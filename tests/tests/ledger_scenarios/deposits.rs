//! Supply deposits and the retailer's pre-funding: what they cover, in which order, and who fills them when.

use super::shortfalls::{empty, owed};
use super::{A, B, C, audited, scenario};
use busbar_tests::days::{Day, Moved};
use busbar_tests::world::{FIRST, MARKET, P_MAX_W, Plan, World, entities, register_meter};
use contract_interface::{Side, kinds};
use parity_scale_codec::Compact;
use runtime_execution::modules::balances;
use runtime_execution::modules::markets::deposits::Backing;
use runtime_execution::modules::markets::{self, Error, Event};
use runtime_execution::{DispatchError, Outcome};
use runtime_primitives::{EntityId, MarketId, MeterId, Money, Price, Seq, Slot};
use std::sync::Arc;

/// What a connection may cost in a slot: 11 kWh at 0.90 yuan.
const SLOT_COST: u128 = 99_000_000;

fn deposit(world: &World, market: MarketId, home: usize) -> u128 {
    Backing::Supply(market, world.homes[home].entity).get(&world.chain.view()).held.units()
}

fn prefunded(world: &World) -> u128 {
    Backing::Retailer(MARKET).get(&world.chain.view()).held.units()
}

fn fund(world: &mut World, home: usize, units: u128) {
    let (bank, entity) = (Arc::clone(world.bank()), world.homes[home].entity);
    world.chain.must(&bank, markets::Call::Fund { entity, amount: Money::from_units(units) });
}

/// One more meter of a household, in a market.
fn add_meter(world: &mut World, home: usize, market: MarketId) {
    let key = world.keys.add(&format!("meter of {home} in {market}, {}", world.chain.header.number));
    let home = busbar_tests::world::Home { market, meter_key: key, ..world.homes[home].clone() };
    let registrar = Arc::clone(&world.owners[entities::REGISTRAR as usize]);
    world.chain.must(&registrar, register_meter(&home));
}

fn error(outcome: &Outcome) -> Option<DispatchError> {
    match outcome {
        Outcome::Failed { error, .. } => Some(error.clone()),
        _ => None,
    }
}

#[test]
fn amounts_are_exact_and_rounded_up_by_the_slot() {
    let terms = |ticks: u32, minutes: u16, slots: u16| {
        let mut plan = Plan { slot_minutes: minutes, deposit_slots: slots, ..Plan::default() };
        (plan.rates.retail, plan.rates.feed_in) = (Price::from_ticks(ticks), Price::from_ticks(ticks));
        plan.terms()
    };
    let rows = [
        (9_000, P_MAX_W.into(), 10, 1, SLOT_COST),
        (9_000, P_MAX_W.into(), 10, 7, 7 * SLOT_COST),
        (9_000, P_MAX_W.into(), 10, 0, 0),
        (9_000, 0, 10, 7, 0),
        // 1/60 of a unit a slot.
        (1, 1, 1, 1, 1),
        (1, 1, 1, 5, 5),
        (7, 13, 5, 1, 8),
        (60, 1, 1, 3, 3),
        (61, 1, 1, 3, 6),
    ];
    for (ticks, watts, minutes, slots, units) in rows {
        let terms = terms(ticks, minutes, slots);
        let got = [terms.supply_deposit(watts), terms.prefunding(watts)].map(Money::units);
        assert_eq!(got, [units; 2], "{slots} slots of {minutes} min, {watts} W at {ticks}");
    }
    let most = terms(u32::MAX, u16::MAX, u16::MAX).supply_deposit(u64::MAX).units();
    let hour = u128::from(u32::MAX) * u128::from(u64::MAX) * u128::from(u16::MAX);
    assert_eq!(most, hour.div_ceil(60).saturating_mul(u16::MAX.into()));
}

#[test]
fn deposits_cover_as_many_slots_as_terms_say() {
    for deposit_slots in 0..=3u16 {
        scenario(move |mut plan| {
            plan.deposit_slots = deposit_slots;
            let mut world = World::new(&plan);
            for home in [A, B, C] {
                empty(&mut world, home);
            }
            // B takes all that its connection can, twice, and buys nothing.
            let moved = |home| Moved { import: if home == B { 11_000 } else { 0 }, export: 0, posted: true };
            let day = Day { wishes: Vec::new(), moved: [A, B, C].map(moved).to_vec() };
            world.play(FIRST, &[day.clone(), day]);
            let (before, used) = (u128::from(deposit_slots), u128::from(deposit_slots.min(2)));
            let book = audited(&world);
            let paid = book.lines.iter().filter(|line| line.kind == kinds::RETAIL);
            assert_eq!(paid.map(|line| line.amount).sum::<u128>(), used * SLOT_COST);
            assert_eq!(owed(&world).iter().map(|(_, owed)| owed).sum::<u128>(), (2 - used) * SLOT_COST);
            assert_eq!(deposit(&world, MARKET, B), (before - used) * SLOT_COST);
            assert_eq!(deposit(&world, MARKET, A), before * SLOT_COST);
        });
    }
}

#[test]
fn free_money_pays_before_the_deposit_and_fills_it_again() {
    scenario(|mut plan| {
        plan.deposit_slots = 1;
        let mut world = World::new(&plan);
        empty(&mut world, B);
        fund(&mut world, B, 40_000_000);
        world.open(FIRST);
        world.finish(FIRST, &[(0, 0), (11_000, 0), (0, 0)]);
        let (free, held) = world.chain.money(&world.homes[B].account());
        assert_eq!((free.units(), held.units()), (0, 40_000_000), "40 of 99 million were free");
        let drawn = world.chain.market_events().filter_map(|event| match event {
            Event::ReserveDrawn { entity, amount, .. } => Some((*entity, amount.units())),
            _ => None,
        });
        assert_eq!(drawn.collect::<Vec<_>>(), [(Some(world.homes[B].entity), 59_000_000)]);
        fund(&mut world, B, 60_000_000);
        let (free, held) = world.chain.money(&world.homes[B].account());
        assert_eq!((free.units(), held.units()), (1_000_000, SLOT_COST));
        audited(&world);
    });
}

#[test]
fn debts_are_paid_before_the_deposit_is_filled() {
    scenario(|mut plan| {
        plan.deposit_slots = 1;
        plan.funds = Money::from_units(30_000_000);
        let mut world = World::new(&plan);
        assert_eq!(deposit(&world, MARKET, B), 30_000_000, "as far as its money goes");
        world.open(FIRST);
        world.finish(FIRST, &[(0, 0), (11_000, 0), (0, 0)]);
        assert_eq!(owed(&world), [(world.homes[B].entity, 69_000_000)]);
        for (units, left) in [(60_000_000, 0), (10_000_000, 1_000_000), (98_500_000, SLOT_COST)] {
            fund(&mut world, B, units);
            assert_eq!(deposit(&world, MARKET, B), left);
        }
        let (free, _) = world.chain.money(&world.homes[B].account());
        assert_eq!(free.units(), 500_000);
        assert!(audited(&world).owed.is_empty());
    });
}

#[test]
fn a_bank_fills_deposits_in_four_markets_and_an_order_any() {
    scenario(|mut plan| {
        plan.deposit_slots = 1;
        plan.funds = Money::ZERO;
        let mut world = World::new(&plan);
        let markets: Vec<MarketId> = (0..5).map(MarketId::from_number).collect();
        for market in &markets[1..] {
            world.add_market(&Plan { homes: 0, ..plan.clone() });
            add_meter(&mut world, B, *market);
        }
        let deposits =
            |world: &World| markets.iter().map(|market| deposit(world, *market, B)).collect::<Vec<_>>();
        fund(&mut world, B, 3 * SLOT_COST + 1);
        assert_eq!(deposits(&world), [SLOT_COST, SLOT_COST, SLOT_COST, 1, 0]);
        fund(&mut world, B, 3 * SLOT_COST);
        assert_eq!(deposits(&world), [SLOT_COST, SLOT_COST, SLOT_COST, SLOT_COST, 0]);
        world.open(FIRST);
        let (meter, market) = (runtime_primitives::MeterId::from_number(6), markets[4]);
        let request = world.request(B, FIRST, Side::Sell, 1_000, 6_000);
        let request = contract_interface::OrderRequest { market, meter, ..request };
        let delegate = Arc::clone(&world.homes[B].delegate);
        world.chain.must(&delegate, markets::Call::Place { request });
        assert_eq!(deposits(&world), [SLOT_COST; 5]);
        audited(&world);
    });
}

#[test]
fn a_sealed_order_whose_deposit_has_grown_is_revealed_when_it_is_paid() {
    scenario(|mut plan| {
        plan.windows.reveal_s = 60;
        plan.deposit_slots = 1;
        plan.funds = Money::from_units(SLOT_COST + 10_000_000);
        let mut world = World::new(&plan);
        world.open(FIRST);
        let ask = world.request(A, FIRST, Side::Sell, 10_000, 6_000);
        let refused = Error::InsufficientFunds {
            hold: Money::from_units(11_000_000),
            free: Money::from_units(10_000_000),
        };
        let delegate = Arc::clone(&world.homes[A].delegate);
        let commit = world.commitment(A, &ask);
        let call = world.chain.submit(&delegate, markets::Call::Commit { commit: commit.clone() });
        world.chain.block();
        assert_eq!(error(world.chain.outcome(&call)), Some(refused.into()), "the deposit comes first");
        fund(&mut world, A, 1_000_000);
        world.chain.must(&delegate, markets::Call::Commit { commit });
        add_meter(&mut world, A, MARKET);
        world.close_gate(FIRST);
        let salt = world.salt(A, &ask);
        let reveal = markets::Call::Reveal { seq: Seq::ZERO, request: ask, salt };
        let call = world.chain.submit(&delegate, reveal.clone());
        world.chain.block();
        let wrong = Error::SupplyDeposit {
            needed: Money::from_units(2 * SLOT_COST),
            held: Money::from_units(SLOT_COST),
            free: Money::from_units(11_000_000),
        };
        assert_eq!(error(world.chain.outcome(&call)), Some(wrong.into()));
        fund(&mut world, A, SLOT_COST);
        world.chain.must(&delegate, reveal);
        assert_eq!(deposit(&world, MARKET, A), 2 * SLOT_COST);
        audited(&world);
    });
}

#[test]
fn a_template_waits_for_the_deposit() {
    scenario(|mut plan| {
        plan.deposit_slots = 1;
        let mut world = World::new(&plan);
        let mut template = super::standing::template(&world, B, Side::Sell, 1_000, 9);
        template.last = runtime_primitives::Slot::from_number(502);
        super::standing::set(&mut world, B, template);
        world.open(FIRST);
        empty(&mut world, B);
        add_meter(&mut world, B, MARKET);
        world.chain.pass_to(world.before_start(runtime_primitives::Slot::from_number(501), 1_790));
        let skipped = world.chain.market_events().find_map(|event| match event {
            Event::StandingSkipped { error, .. } => Some(error.clone()),
            _ => None,
        });
        let wrong = Error::SupplyDeposit {
            needed: Money::from_units(2 * SLOT_COST),
            held: Money::from_units(SLOT_COST),
            free: Money::ZERO,
        };
        assert_eq!(skipped, Some(wrong.into()));
        audited(&world);
    });
}

#[test]
fn the_retailer_owes_what_it_has_not_prefunded() {
    scenario(|mut plan| {
        plan.deposit_slots = 1;
        let mut world = World::new(&plan);
        assert_eq!(prefunded(&world), 3 * 33_000_000, "three connections of 11 kWh at 0.30");
        let retailer = Arc::clone(&world.owners[entities::RETAILER as usize]);
        let (free, _) = world.chain.money(&retailer.account());
        let (dest, value) = (
            runtime_execution::extrinsic::MultiAddress::Id(world.bank().account()),
            parity_scale_codec::Compact(free.units()),
        );
        let call = runtime_execution::modules::balances::Call::TransferAllowDeath { dest, value };
        world.chain.must(&retailer, call);
        // All give what their connections can, in two slots; only one is covered.
        let all = [Moved { import: 0, export: 11_000, posted: true }; 3].to_vec();
        let day = Day { wishes: Vec::new(), moved: all };
        world.play(FIRST, &[day.clone(), day]);
        let book = audited(&world);
        let paid = book.lines.iter().filter(|line| line.kind == kinds::FEED_IN);
        assert_eq!(paid.map(|line| line.amount).sum::<u128>(), 3 * 33_000_000);
        assert_eq!(owed(&world).iter().map(|(_, owed)| owed).sum::<u128>(), 3 * 33_000_000);
        let short = |event: &&Event| matches!(event, Event::PrefundingShort { .. });
        assert!(world.chain.market_events().any(|event| short(&event)));
        // A meter more is one too many.
        let registrar = Arc::clone(&world.owners[entities::REGISTRAR as usize]);
        let call = world.another_meter(A);
        let call = world.chain.submit(&registrar, call);
        world.chain.block();
        let wrong = error(world.chain.outcome(&call));
        assert!(matches!(wrong, Some(DispatchError::Markets(Error::RetailerFunding { .. }))), "{wrong:?}");
    });
}

#[test]
fn debts_are_paid_before_the_retailer_pre_funds() {
    scenario(|mut plan| {
        plan.deposit_slots = 1;
        let mut world = World::new(&plan);
        let retailer = Arc::clone(&world.owners[entities::RETAILER as usize]);
        let (free, _) = world.chain.money(&retailer.account());
        let transfer = |to, units| {
            let (dest, value) = (runtime_execution::extrinsic::MultiAddress::Id(to), Compact(units));
            balances::Call::TransferAllowDeath { dest, value }
        };
        let bank = Arc::clone(world.bank());
        world.chain.must(&retailer, transfer(bank.account(), free.units()));
        let all = [Moved { import: 0, export: 11_000, posted: true }; 3].to_vec();
        let day = Day { wishes: Vec::new(), moved: all };
        world.play(FIRST, &[day.clone(), day]);
        let debts = 3 * 33_000_000;
        assert_eq!(prefunded(&world), 0);
        // What others leave in its account is for its creditors, though slots open.
        world.chain.must(&bank, transfer(retailer.account(), debts + 5));
        let next = markets::market(&world.chain.view(), MARKET).unwrap().next_slot;
        world.open(next);
        assert_eq!((world.chain.money(&retailer.account()).0.units(), prefunded(&world)), (debts, 5));
        world.chain.must(&retailer, markets::Call::PayReceivables);
        assert!(audited(&world).owed.is_empty());
        assert_eq!((world.chain.money(&retailer.account()).0.units(), prefunded(&world)), (0, 5));
    });
}

#[test]
fn nobody_owes_itself() {
    for funds in [0, 1_000] {
        scenario(move |plan| {
            let mut world = World::new(&plan);
            // The retailer's shop has a meter, and the retailer next to no money.
            let retailer = Arc::clone(&world.owners[entities::RETAILER as usize]);
            let mut shop = world.homes[C].clone();
            (shop.entity, shop.owner) = (EntityId::from_number(entities::RETAILER), Arc::clone(&retailer));
            (shop.meter, shop.meter_key) = (MeterId::from_number(3), world.keys.add("meter of the shop"));
            let registrar = Arc::clone(&world.owners[entities::REGISTRAR as usize]);
            world.chain.must(&registrar, register_meter(&shop));
            world.homes.push(shop);
            let (free, _) = world.chain.money(&retailer.account());
            let (bank, amount) =
                (EntityId::from_number(entities::BANK), Money::from_units(free.units() - funds));
            world.chain.must(&retailer, markets::Call::Withdraw { bank, amount });
            world.open(FIRST);
            world.finish(FIRST, &[(0, 0), (0, 0), (0, 0), (2_000, 0)]);
            assert_eq!(owed(&world), []);
            let book = audited(&world);
            let account = retailer.account();
            let own: Vec<_> = book.lines.iter().filter(|line| line.kind == kinds::RETAIL).collect();
            assert_eq!((own[0].payer, own[0].payee, own[0].amount), (account, account, 18_000_000));
            let money = world.chain.money(&account);
            assert_eq!((money.0.units(), own.len()), (funds, 1), "it is billed, and nothing moves");
        });
    }
}

#[test]
fn a_full_schedule_keeps_the_terms_of_slots_that_are_not_settled() {
    scenario(|mut plan| {
        (plan.deposit_slots, plan.slot_minutes) = (2, 360);
        plan.windows.dispute_s = 7 * 86_400;
        plan.funds = Money::from_units(100_000_000_000);
        let mut world = World::new(&plan);
        let before = deposit(&world, MARKET, A);
        world.open(FIRST);
        let lower = Plan { deposit_slots: 1, ..plan.clone() }.terms();
        let platform = Arc::clone(world.platform());
        for slot in 505..568 {
            let (slot, terms) = (Slot::from_number(slot), Box::new(lower.clone()));
            world.chain.must(&platform, markets::Call::ScheduleTerms { market: MARKET, slot, terms });
            if slot.number() == 505 {
                world.agree(lower.hash());
                world.chain.block_of_successes();
            }
        }
        // Nobody posts a list: the first slot is not settled when the terms that it opened under are past.
        world.open(Slot::from_number(506));
        let (slot, terms) = (Slot::from_number(568), Box::new(lower));
        let more = markets::Call::ScheduleTerms { market: MARKET, slot, terms };
        let call = world.chain.submit(&platform, more);
        world.chain.block();
        assert_eq!(error(world.chain.outcome(&call)), Some(Error::ScheduleFull(64).into()));
        let owner = Arc::clone(&world.homes[A].owner);
        let call = world.chain.submit(&owner, markets::Call::ReleaseDeposit { market: MARKET });
        world.chain.block();
        let (held, needed) = (Money::from_units(before), Money::from_units(before));
        let wrong = Error::NothingToRelease { held, needed };
        assert_eq!(error(world.chain.outcome(&call)), Some(wrong.into()));
    });
}

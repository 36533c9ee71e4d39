//! Parties of a market agree to its terms, or do not: which slot is the first, and which terms govern later ones.

use busbar_tests::ledger::{Ledger, native_rules};
use busbar_tests::machine::on_vm_thread;
use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use contract_interface::Terms;
use runtime_execution::modules::markets::{self, Event, SLOTS};
use runtime_execution::{DispatchError, Outcome};
use runtime_primitives::{EntityId, Hash, Price, Slot};
use std::sync::Arc;

/// A market whose parties have not been asked yet.
fn offered(plan: &Plan) -> World {
    let mut world = World::at_genesis(plan);
    world.upload(&plan.rules);
    let (platform, call) = (Arc::clone(world.platform()), world.new_market(plan));
    world.chain.must(&platform, call);
    world
}

fn agree(world: &mut World, parties: &[u32], terms: Hash) {
    for party in parties {
        let key = Arc::clone(&world.owners[*party as usize]);
        world.chain.must(&key, markets::Call::Agree { market: MARKET, terms });
    }
}

fn schedule(world: &mut World, slot: Slot, terms: &Terms) {
    let platform = Arc::clone(world.platform());
    let terms = Box::new(terms.clone());
    world.chain.must(&platform, markets::Call::ScheduleTerms { market: MARKET, slot, terms });
}

/// What the chain says to the platform's terms.
fn refused(world: &mut World, slot: Slot, terms: &Terms) -> DispatchError {
    let platform = Arc::clone(world.platform());
    let terms = Box::new(terms.clone());
    let call = world.chain.submit(&platform, markets::Call::ScheduleTerms { market: MARKET, slot, terms });
    world.chain.block();
    match world.chain.outcome(&call) {
        Outcome::Failed { error, .. } => error.clone(),
        other => panic!("{other:?}"),
    }
}

fn market(world: &World) -> markets::Market {
    markets::market(&world.chain.view(), MARKET).unwrap()
}

const PARTIES: [u32; 3] = [entities::RETAILER, entities::GRID, entities::METER_OPERATOR];

/// Seconds after the gate of the first slot at which the last party agrees, and the slot that the market begins with.
#[test]
fn a_market_begins_as_asked_or_with_the_first_slot_whose_gate_is_ahead() {
    on_vm_thread(|| {
        let plan = Plan { homes: 0, ..Plan::default() };
        for (seconds, first) in [(-600, 500), (-1, 500), (0, 501), (599, 501), (600, 502), (86_400, 645)] {
            let mut world = offered(&plan);
            let gate = world.before_start(FIRST, world.terms.windows.gate_before_s);
            let last = gate.minus_ms(600_000).plus_ms(u64::try_from((600 + seconds) * 1_000).unwrap());
            let terms = world.terms.hash();
            agree(&mut world, &PARTIES[..2], terms);
            world.chain.block_at(last.minus_ms(1_000));
            assert_eq!(markets::slots::next_due(&world.chain.view()), None, "nobody is charged for waiting");
            assert_eq!(market(&world).missing(), [EntityId::from_number(entities::METER_OPERATOR)]);
            let key = Arc::clone(&world.owners[entities::METER_OPERATOR as usize]);
            world.chain.submit(&key, markets::Call::Agree { market: MARKET, terms });
            world.chain.block_at(last);
            let slot = Slot::from_number(first);
            assert!(market(&world).is_agreed(), "{seconds}");
            assert_eq!(market(&world).first_slot, slot, "{seconds} s after the gate");
            world.chain.block();
            assert!(SLOTS.contains(&world.chain.view(), &(MARKET, slot)), "slot {slot} is open");
            Ledger::audit(&world, native_rules());
        }
    });
}

#[test]
fn another_offer_is_agreed_to_anew() {
    on_vm_thread(|| {
        let mut world = offered(&Plan { homes: 0, ..Plan::default() });
        let first = world.terms.hash();
        agree(&mut world, &PARTIES[..2], first);
        let mut better = world.terms.clone();
        better.rates.retail = Price::from_ticks(9_500);
        schedule(&mut world, Slot::from_number(503), &better);
        assert_eq!(market(&world).missing(), PARTIES.map(EntityId::from_number));
        agree(&mut world, &PARTIES, better.hash());
        assert_eq!(market(&world).first_slot, Slot::from_number(503));
        assert_eq!(market(&world).schedule.len(), 1);
        let told = world.chain.market_events().find_map(|event| match event {
            Event::TermsReplaced { slot, terms, agreed, .. } => Some((*slot, *terms, agreed.clone())),
            _ => None,
        });
        let void = PARTIES[..2].iter().copied().map(EntityId::from_number).collect();
        assert_eq!(told, Some((FIRST, first, void)), "what they had agreed to is void, and they are told");
    });
}

#[test]
fn the_deposit_of_a_market_that_nobody_agrees_to_comes_back() {
    on_vm_thread(|| {
        let plan = Plan { homes: 0, ..Plan::default() };
        let mut world = World::at_genesis(&plan);
        let platform = Arc::clone(world.platform());
        world.upload(&plan.rules);
        let before = world.chain.money(&platform.account());
        let call = world.new_market(&plan);
        world.chain.must(&platform, call);
        let terms = world.terms.hash();
        agree(&mut world, &PARTIES[..2], terms);
        world.chain.must(&platform, markets::Call::TakeBackDeposit { market: MARKET });
        assert_eq!(world.chain.money(&platform.account()), before);
        let told = world
            .chain
            .market_events()
            .any(|event| *event == Event::DepositTakenBack { market: MARKET, amount: plan.deposit });
        assert!(told);
        // The others may still agree; it then runs on what the platform adds.
        agree(&mut world, &PARTIES[2..], terms);
        world.chain.must(&platform, markets::Call::TopUp { market: MARKET, amount: plan.deposit });
        assert_eq!((market(&world).missing(), market(&world).deposit), (Vec::new(), plan.deposit));
        Ledger::audit(&world, native_rules());
    });
}

/// A party that is the operator itself has agreed by creating; with no other there is nobody to wait for.
#[test]
fn who_runs_a_market_agrees_by_creating_it() {
    on_vm_thread(|| {
        let mut world = offered(&Plan { homes: 0, ..Plan::default() });
        let mut own = market(&world);
        (own.retailer, own.grid, own.meter_operator) = (own.operator, own.operator, own.operator);
        assert_eq!(own.parties(), []);
        (own.grid, own.meter_operator) = (EntityId::from_number(3), EntityId::from_number(3));
        assert_eq!(own.parties(), [EntityId::from_number(3)], "one entity agrees once");
        let terms = world.terms.hash();
        agree(&mut world, &PARTIES, terms);
        assert_eq!(market(&world).missing(), []);
    });
}

/// What the platform changes, whether the parties agree to it, and whether it governs the slot it was scheduled for.
#[test]
fn terms_that_bind_the_parties_otherwise_govern_once_they_agree() {
    type Change = fn(&mut Terms);
    let rows: [(&str, Change, &[u32], bool); 9] = [
        ("another rule", |terms| terms.matching = terms.fallback, &[], true),
        ("fewer orders", |terms| terms.limits.orders_per_slot = 39, &[], true),
        ("retail, and nobody agrees", |terms| terms.rates.retail = Price::from_ticks(9_500), &[], false),
        (
            "retail, and one agrees",
            |terms| terms.rates.retail = Price::from_ticks(9_500),
            &PARTIES[..1],
            false,
        ),
        ("retail, and all agree", |terms| terms.rates.retail = Price::from_ticks(9_500), &PARTIES, true),
        ("the fee", |terms| terms.rates.fee.buyer = Price::from_ticks(100), &PARTIES[..2], false),
        ("the tolerance", |terms| terms.rates.tol_bp = 10_000, &[], false),
        ("another settlement rule", |terms| terms.settlement = terms.bid, &[], false),
        ("time to object", |terms| terms.windows.objection_s = 1_201, &[], false),
    ];
    on_vm_thread(|| {
        for (name, change, agreeing, governs) in rows {
            let plan = Plan { homes: 0, slot_minutes: 360, ..Plan::default() };
            let mut world = World::new(&plan);
            let (before, mut new) = (world.terms.hash(), world.terms.clone());
            change(&mut new);
            let slot = Slot::from_number(505);
            schedule(&mut world, slot, &new);
            agree(&mut world, agreeing, new.hash());
            world.chain.pass_to(world.before_start(slot, world.terms.windows.open_before_s));
            let opened = SLOTS.get(&world.chain.view(), &(MARKET, slot)).expect("it has opened").terms;
            assert_eq!(opened, if governs { new.hash() } else { before }, "{name}");
            let lapsed = |event: &Event| matches!(event, Event::TermsLapsed { .. });
            assert_eq!(world.chain.market_events().any(lapsed), !governs, "{name}");
            assert_eq!(market(&world).schedule.len(), if governs { 2 } else { 1 }, "{name}");
            Ledger::audit(&world, native_rules());
        }
    });
}

/// Proposals at the very slot of agreed terms, and before agreed terms of a later slot: what governs without anybody's
/// agreement stays what was agreed, and the chain goes on.
#[test]
fn agreed_terms_stand_beside_what_is_proposed() {
    on_vm_thread(|| {
        let plan = Plan { homes: 0, slot_minutes: 360, ..Plan::default() };
        let mut world = World::new(&plan);
        let agreed = world.terms.hash();
        let (mut rules, mut rates) = (world.terms.clone(), world.terms.clone());
        rules.limits.orders_per_slot = 39;
        rates.rates.retail = Price::from_ticks(9_500);
        let slots = |world: &World| {
            let market = market(world);
            market.schedule.iter().map(|known| (known.from.number(), known.terms)).collect::<Vec<_>>()
        };
        let first = market(&world).first_slot.number();
        schedule(&mut world, Slot::from_number(509), &rules);
        schedule(&mut world, Slot::from_number(506), &rates);
        let all = [(first, agreed), (506, rates.hash()), (509, rules.hash())];
        assert_eq!(slots(&world), all, "what is scheduled for another slot stands");
        let taken = markets::Error::SlotAgreed { slot: Slot::from_number(509), terms: rules.hash() };
        assert_eq!(refused(&mut world, Slot::from_number(509), &rates), taken.into());
        for (slot, governs) in [(506, agreed), (509, rules.hash())] {
            let slot = Slot::from_number(slot);
            world.chain.pass_to(world.before_start(slot, world.terms.windows.open_before_s));
            let opened = SLOTS.get(&world.chain.view(), &(MARKET, slot)).expect("it has opened").terms;
            assert_eq!(opened, governs, "slot {slot}");
        }
        Ledger::audit(&world, native_rules());
    });
}

/// Terms that were withdrawn while a party was silent govern nothing, whoever agreed.
#[test]
fn withdrawn_terms_govern_nothing() {
    on_vm_thread(|| {
        let plan = Plan { homes: 0, slot_minutes: 360, ..Plan::default() };
        let mut world = World::new(&plan);
        let (slot, before) = (Slot::from_number(505), world.terms.hash());
        let mut dearer = world.terms.clone();
        dearer.rates.retail = Price::from_ticks(9_500);
        schedule(&mut world, slot, &dearer);
        agree(&mut world, &PARTIES[..2], dearer.hash());
        let platform = Arc::clone(world.platform());
        let terms = dearer.hash();
        world.chain.must(&platform, markets::Call::WithdrawTerms { market: MARKET, terms });
        let told = Event::TermsWithdrawn { market: MARKET, slot, terms };
        assert!(world.chain.market_events().any(|event| *event == told));
        assert_eq!(market(&world).schedule.len(), 1);
        world.chain.pass_to(world.before_start(slot, world.terms.windows.open_before_s));
        assert_eq!(SLOTS.get(&world.chain.view(), &(MARKET, slot)).expect("it has opened").terms, before);
        Ledger::audit(&world, native_rules());
    });
}

/// Terms that bind alike take the place of agreed ones, and with it what was said to those.
#[test]
fn what_was_agreed_stays_agreed_under_other_limits() {
    on_vm_thread(|| {
        let plan = Plan { homes: 0, slot_minutes: 360, ..Plan::default() };
        let mut world = World::new(&plan);
        let slot = Slot::from_number(509);
        let mut dearer = world.terms.clone();
        dearer.rates.retail = Price::from_ticks(9_500);
        schedule(&mut world, slot, &dearer);
        agree(&mut world, &PARTIES, dearer.hash());
        let said = market(&world).schedule.last().expect("it is scheduled").consents.clone();
        assert!(said.len() == PARTIES.len() && said.iter().all(|consent| consent.agreed_at.is_some()));
        let mut fewer = dearer.clone();
        fewer.limits.orders_per_slot = 39;
        schedule(&mut world, slot, &fewer);
        let last = market(&world).schedule.last().expect("it is scheduled").clone();
        assert_eq!((last.from, last.terms, last.consents), (slot, fewer.hash(), said));
        let void = world.chain.market_events().find_map(|event| match event {
            Event::TermsReplaced { terms, agreed, .. } if *terms == dearer.hash() => Some(agreed.clone()),
            _ => None,
        });
        assert_eq!(void, Some(Vec::new()), "nobody's agreement is void");
        Ledger::audit(&world, native_rules());
    });
}

/// A market that is agreed and has not begun: other terms for its first slot leave it with those it has.
#[test]
fn the_first_slots_agreed_terms_are_not_replaced_by_a_proposal() {
    on_vm_thread(|| {
        let plan = Plan { homes: 0, ..Plan::default() };
        let mut world = offered(&plan);
        let first = world.terms.hash();
        let mut later = world.terms.clone();
        later.rates.retail = Price::from_ticks(9_500);
        let offer = world.terms.clone();
        schedule(&mut world, Slot::from_number(900), &offer);
        agree(&mut world, &PARTIES, first);
        let slot = Slot::from_number(900);
        let taken = markets::Error::SlotAgreed { slot, terms: first };
        assert_eq!(refused(&mut world, slot, &later), taken.into());
        schedule(&mut world, Slot::from_number(901), &later);
        world.chain.pass_to(world.before_start(slot, world.terms.windows.open_before_s));
        assert_eq!(SLOTS.get(&world.chain.view(), &(MARKET, slot)).expect("it has opened").terms, first);
        Ledger::audit(&world, native_rules());
    });
}

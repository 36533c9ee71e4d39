//! Standing orders: what becomes of them as slots open, keys go and terms change.

use super::{A, B, C, audited, expected, lines, scenario};
use busbar_tests::world::{FIRST, MARKET, Plan, World};
use contract_interface::{Fee, Side, Terms, kinds};
use parity_scale_codec::Decode;
use runtime_execution::DispatchError;
use runtime_execution::archive::{HoldRecord, tables};
use runtime_execution::modules::markets::standing::{Mask, Template, Within};
use runtime_execution::modules::markets::{self, Event, SlotState};
use runtime_execution::modules::registry;
use runtime_primitives::{Energy, Price, Slot};

/// What a household signs to trade in some slots after the first.
pub(super) fn template(world: &World, home: usize, side: Side, wh: u64, slots: u32) -> Template {
    let request = world.request(home, FIRST, side, wh, 6_700);
    Template {
        market: MARKET,
        terms: request.terms,
        accept_within: None,
        first: FIRST,
        last: Slot::from_number(FIRST.number() + slots - 1),
        mask: None,
        meter: request.meter,
        side,
        energy: request.energy,
        min_energy: request.min_energy,
        price: request.price,
        flags: 0,
        partner: request.partner,
    }
}

pub(super) fn set(world: &mut World, home: usize, template: Template) {
    let delegate = world.homes[home].delegate.clone();
    world.chain.must(&delegate, markets::Call::SetStanding { template: Box::new(template) });
}

/// What became of standing orders, in order: what was placed, skipped and removed.
fn story(world: &World) -> Vec<String> {
    let told = world.chain.market_events().filter_map(|event| match event {
        Event::StandingPlaced { slot, id, seq, .. } => Some(format!("{slot}: {id} is order {seq}")),
        Event::StandingSkipped { slot, id, error: DispatchError::Markets(error), .. } => {
            let name = format!("{error:?}");
            Some(format!("{slot}: {id} {}", name.split([' ', '(']).next().unwrap()))
        }
        Event::StandingRemoved { id, reason, .. } => Some(format!("{id} {reason:?}")),
        _ => None,
    });
    told.collect()
}

#[test]
fn templates_trade_in_each_of_their_slots_and_end() {
    scenario(|plan| {
        let mut world = World::new(&plan);
        let ask = template(&world, A, Side::Sell, 10_000, 2);
        let bid = template(&world, B, Side::Buy, 10_000, 2);
        set(&mut world, A, ask);
        set(&mut world, B, bid);
        let setters: Vec<_> =
            world.chain.past.iter().rev().take(2).map(|past| past.receipts[0].extrinsic).collect();
        world.open(FIRST);
        world.finish(FIRST, &[(0, 10_000), (10_000, 0), (0, 0)]);
        assert_eq!(
            story(&world),
            [
                "500: 1 is order 0",
                "500: 0 is order 1",
                "501: 1 is order 0",
                "1 Ended",
                "501: 0 is order 1",
                "0 Ended"
            ]
        );
        let book = audited(&world);
        let due = [(kinds::ENERGY, "B", "A", 67_000_000), (kinds::FEE, "B", "grid", 2_000_000)];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
        let holds =
            world.chain.archived(tables::HOLD).map(|row| HoldRecord::decode(&mut &row.value[..]).unwrap());
        let authors: Vec<_> = holds.map(|hold| hold.authorised_by).collect();
        assert_eq!(authors[..2], setters[..], "the extrinsic that set a template authorises its orders");
    });
}

#[test]
fn what_refuses_an_order_refuses_a_templates_and_it_stands() {
    scenario(|mut plan| {
        // Enough for one bid of 10 kWh at 6700 + 200 ticks, not for two.
        plan.funds = runtime_primitives::Money::from_units(100_000_000);
        let mut world = World::new(&plan);
        for (home, side) in [(B, Side::Buy), (B, Side::Sell), (C, Side::Buy), (C, Side::Buy)] {
            let template = template(&world, home, side, 10_000, 9);
            set(&mut world, home, template);
        }
        world.open(FIRST);
        let mut told = story(&world);
        told.sort();
        // The last set is looked at first.
        assert_eq!(
            told,
            ["500: 0 BothSides", "500: 1 is order 1", "500: 2 AboveCapacity", "500: 3 is order 0"]
        );
        world.chain.pass_to(world.before_start(Slot::from_number(501), 1_800));
        assert!(story(&world).contains(&"501: 3 InsufficientFunds".to_owned()), "{:?}", story(&world));
        audited(&world);
    });
}

#[test]
fn a_template_goes_with_its_key_and_when_it_is_told_to() {
    scenario(|plan| {
        let mut world = World::new(&plan);
        for home in [A, B, C] {
            let template = template(&world, home, Side::Sell, 100, 9);
            set(&mut world, home, template);
        }
        let (owner, key) = (world.homes[A].owner.clone(), world.homes[A].delegate.account());
        world.chain.must(&owner, registry::Call::RemoveDelegate { key });
        let delegate = world.homes[B].delegate.clone();
        world.chain.must(&delegate, markets::Call::RemoveStanding { market: MARKET, id: 1 });
        world.open(FIRST);
        assert_eq!(story(&world), ["1 Withdrawn", "500: 2 is order 0", "0 KeyGone"]);
    });
}

#[test]
fn a_mask_says_which_slots() {
    scenario(|plan| {
        let mut world = World::new(&plan);
        // Every third slot from 501 on: 501 % 3 = 0.
        let mask = Some(Mask { period: 3, bits: vec![1] });
        let masked = Template { mask, ..template(&world, A, Side::Sell, 100, 5) };
        set(&mut world, A, masked);
        world.open(FIRST);
        for slot in 501..=505 {
            world.chain.pass_to(world.before_start(Slot::from_number(slot), 1_800));
        }
        assert_eq!(story(&world), ["501: 0 is order 0", "504: 0 is order 0", "0 Ended"]);
    });
}

/// Whether terms wait for the market's parties.
fn terms_wait(world: &World) -> bool {
    let market = markets::market(&world.chain.view(), MARKET).unwrap();
    !market.schedule.iter().all(markets::Scheduled::is_agreed)
}

/// Schedule changed terms a day ahead, open their first slot, and say what becomes of a template that accepts `within`.
fn after_change(plan: &Plan, within: Option<Within>, change: impl FnOnce(&mut Terms)) -> String {
    let mut world = World::new(plan);
    let slot = Slot::from_number(FIRST.number() + 150);
    let mut terms = world.terms.clone();
    change(&mut terms);
    let (platform, hash) = (world.platform().clone(), terms.hash());
    let call = markets::Call::ScheduleTerms { market: MARKET, slot, terms: Box::new(terms) };
    world.chain.must(&platform, call);
    if terms_wait(&world) {
        world.agree(hash);
        world.chain.block_of_successes();
    }
    let standing =
        Template { accept_within: within, first: slot, ..template(&world, A, Side::Sell, 100, 200) };
    set(&mut world, A, standing);
    world.chain.pass_to(world.before_start(slot, world.terms.windows.open_before_s));
    assert_eq!(world.state(slot), SlotState::Open);
    story(&world).join(", ")
}

#[test]
fn a_template_ends_when_terms_change_beyond_what_it_accepts() {
    scenario(|plan| {
        let within = Within {
            fee: Fee { buyer: Price::from_ticks(250), seller: Price::ZERO },
            deviation: Price::from_ticks(1_000),
            tol_wh: Energy::from_wh(5),
            tol_bp: 500,
            other_rules: false,
        };
        let placed = "650: 0 is order 0";
        let removed = "0 TermsChanged";
        let lower_fee = |terms: &mut Terms| terms.rates.fee.buyer = Price::from_ticks(199);
        let higher_fee = |terms: &mut Terms| {
            terms.rates.fee.buyer = Price::from_ticks(251);
            terms.limits.price_max = Price::from_ticks(8_700);
        };
        let other_rule = |terms: &mut Terms| terms.matching = terms.fallback;
        assert_eq!(after_change(&plan, None, |_| ()), placed, "the same terms");
        assert_eq!(after_change(&plan, None, lower_fee), removed, "other terms");
        assert_eq!(after_change(&plan, Some(within), lower_fee), placed);
        assert_eq!(after_change(&plan, Some(within), higher_fee), removed);
        let deviation = |terms: &mut Terms| terms.rates.deviation = Price::from_ticks(1_001);
        assert_eq!(after_change(&plan, Some(within), deviation), removed);
        assert_eq!(after_change(&plan, Some(within), |terms| terms.rates.tol_bp = 499), removed);
        assert_eq!(after_change(&plan, Some(within), other_rule), removed);
        let any_rule = Within { other_rules: true, ..within };
        assert_eq!(after_change(&plan, Some(any_rule), other_rule), placed);
    });
}

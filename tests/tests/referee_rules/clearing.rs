//! Malicious matching rules: well-behaved on the full book of registration, evil on the real one.

use crate::{A, B, C, FULL, clearing, matching, money, open_with_book, plan, seq, ticks, trade, wh};
use busbar_tests::evil;
use busbar_tests::machine::on_vm_thread;
use busbar_tests::two_faced::{self, Deed};
use busbar_tests::world::{FIRST, World};
use contract_interface::{Clearing, Descriptor, LangError, OrderRequest, Pricing, RuleError, Side, flags};
use parity_scale_codec::Encode;
use runtime_execution::modules::markets::{ClearFailure, Event, SlotState, VoidReason};
use runtime_execution::referee::ClearingFault;

fn failures(world: &World) -> Vec<ClearFailure> {
    let failed = world.chain.market_events().filter_map(|event| match event {
        Event::ClearingFailed { slot: FIRST, failure, .. } => Some(failure.clone()),
        _ => None,
    });
    failed.collect()
}

/// What a matching rule answers or does, and what is said of it.
fn evil_clearings() -> Vec<(&'static str, Deed, ClearFailure)> {
    use ClearingFault as Fault;
    let limit = |buy_price, sell_price| Fault::Limit {
        trade: 0,
        ask: ticks(5_000),
        sell_price: ticks(sell_price),
        buy_price: ticks(buy_price),
        bid: ticks(6_000),
    };
    let answers = [
        (
            "overfills",
            vec![trade(1, 0, 2_001, 5_500, 5_500)],
            Fault::Overfill { seq: seq(1), fill: wh(2_001), energy: wh(2_000) },
        ),
        ("breaks the buyer's limit", vec![trade(1, 0, 2_000, 6_010, 5_500)], limit(6_010, 5_500)),
        ("breaks the seller's limit", vec![trade(1, 0, 2_000, 4_990, 4_990)], limit(4_990, 4_990)),
        (
            "pays the seller more than the buyer pays",
            vec![trade(1, 0, 2_000, 5_400, 5_500)],
            limit(5_400, 5_500),
        ),
        (
            "prices the sides differently",
            vec![trade(1, 0, 2_000, 5_600, 5_500)],
            Fault::TwoPrices { trade: 0 },
        ),
        (
            "pairs an order with itself",
            vec![trade(0, 0, 2_000, 5_500, 5_500)],
            Fault::WrongSide { trade: 0, seq: seq(0) },
        ),
        (
            "swaps buyer and seller",
            vec![trade(0, 1, 2_000, 5_500, 5_500)],
            Fault::WrongSide { trade: 0, seq: seq(0) },
        ),
        (
            "references a foreign order",
            vec![trade(1, 9, 2_000, 5_500, 5_500)],
            Fault::UnknownOrder { trade: 0, seq: seq(9) },
        ),
        (
            "references a closed order",
            vec![trade(1, 2, 1_000, 5_500, 5_500)],
            Fault::UnknownOrder { trade: 0, seq: seq(2) },
        ),
        (
            "repeats a pair",
            vec![trade(1, 0, 1_000, 5_500, 5_500); 2],
            Fault::RepeatedPair { buy: seq(1), sell: seq(0) },
        ),
        ("trades nothing", vec![trade(1, 0, 0, 5_500, 5_500)], Fault::ZeroEnergy { trade: 0 }),
        (
            "fills below the minimum",
            vec![trade(1, 0, 1_499, 5_500, 5_500)],
            Fault::Underfill { seq: seq(0), fill: wh(1_499), min: wh(1_500) },
        ),
        (
            "makes more trades than orders",
            vec![trade(1, 0, 1, 5_500, 5_500); 4],
            Fault::TooManyTrades { trades: 4, orders: 3 },
        ),
    ];
    let mut rows: Vec<_> = answers
        .into_iter()
        .map(|(name, trades, fault)| (name, Deed::clearing(&clearing(trades)), ClearFailure::Refused(fault)))
        .collect();
    let withdrawn = Clearing { cancelled: vec![seq(0)], ..Clearing::default() };
    let refusal = Ok::<_, LangError>(Err::<(), _>(RuleError::Custom(9))).encode();
    rows.extend([
        ("withdraws orders", Deed::clearing(&withdrawn), ClearFailure::Refused(Fault::Withdrawn)),
        ("refuses the book", Deed::Answer(refusal), ClearFailure::Rule(RuleError::Custom(9))),
        ("answers garbage", Deed::Answer(vec![0xff; 97]), ClearFailure::Garbage),
        ("answers nothing", Deed::Answer(Vec::new()), ClearFailure::Garbage),
        ("traps", Deed::Trap, ClearFailure::Trapped),
        ("loops for ever", Deed::Loop, ClearFailure::Trapped),
        ("recurses for ever", Deed::Recurse, ClearFailure::Trapped),
    ]);
    rows
}

#[test]
fn a_malicious_clearing_is_refused_and_the_fallback_clears() {
    on_vm_thread(|| {
        let moved = [(0, 2_000), (1_900, 0), (40, 0)];
        let mut honest = open_with_book(&plan());
        honest.finish(FIRST, &moved);
        for (name, deed, failure) in evil_clearings() {
            let mut world = open_with_book(&matching(two_faced::rule(&evil::DESCRIPTOR, FULL, &deed)));
            world.close_gate(FIRST);
            assert_eq!(failures(&world), [failure], "{name}");
            assert_eq!(world.state(FIRST), SlotState::Clearing, "{name}: one heavy step a block");
            world.chain.block();
            let record = world.slot(FIRST);
            assert!(record.fallback && record.cleared_by == world.terms.fallback, "{name}");
            assert_eq!((record.state, record.trades), (SlotState::Proposed, 1), "{name}");
            world.finish_proposed(&moved);
            assert_eq!(money(&world), money(&honest), "{name}");
            assert_eq!(failures(&world).len(), 1, "{name}");
        }
    });
}

/// From the proposal to the settlement.
trait FinishProposed {
    fn finish_proposed(&mut self, moved: &[(u64, u64)]);
}

impl FinishProposed for World {
    fn finish_proposed(&mut self, moved: &[(u64, u64)]) {
        self.confirm_all(FIRST);
        self.attest(FIRST);
        self.chain.pass_to(self.terms.delivery_start(FIRST));
        self.chain.pass_to(self.terms.delivery_end(FIRST));
        self.measure_all(FIRST, moved);
        self.certify(FIRST);
        self.settle(FIRST);
    }
}

#[test]
fn a_rule_is_held_to_what_it_says_of_itself() {
    let uniform = Descriptor { pricing: Pricing::Uniform, ..evil::DESCRIPTOR };
    let one = trade(1, 0, 2_000, 5_500, 5_500);
    let claimed = |price| Clearing { uniform_price: price, ..clearing(vec![one]) };
    on_vm_thread(|| {
        for answer in [claimed(None), claimed(Some(ticks(5_600)))] {
            let code = two_faced::rule(&uniform, FULL, &Deed::clearing(&answer));
            let mut world = open_with_book(&matching(code));
            world.close_gate(FIRST);
            let fault = ClearingFault::NotUniform { trade: 0 };
            assert_eq!(failures(&world), [ClearFailure::Refused(fault)]);
        }
        let code = two_faced::rule(&uniform, FULL, &Deed::clearing(&claimed(Some(ticks(5_500)))));
        let mut world = open_with_book(&matching(code));
        world.close_gate(FIRST);
        assert_eq!((failures(&world), world.slot(FIRST).trades), (Vec::new(), 1));

        // A full book of two orders has 1000 Wh to buy: the same answer is right there and leaves a cross here.
        let promise = Descriptor { no_residual_cross: true, ..evil::DESCRIPTOR };
        let answer = clearing(vec![trade(0, 1, 1_000, 5_500, 5_500)]);
        let mut plan = matching(evil::returning(&promise, &answer));
        plan.limits.orders_per_slot = 2;
        let mut world = World::new(&plan);
        world.open(FIRST);
        world.place(B, FIRST, Side::Buy, 2_000, 6_000);
        world.place(A, FIRST, Side::Sell, 2_000, 5_000);
        world.close_gate(FIRST);
        let fault = ClearingFault::ResidualCross { buy: seq(0), sell: seq(1) };
        assert_eq!(failures(&world), [ClearFailure::Refused(fault)]);
    });
}

#[test]
fn a_slot_whose_rules_both_fail_is_void_and_still_billed() {
    on_vm_thread(|| {
        let refusal = Ok::<_, LangError>(Err::<Clearing, _>(RuleError::BadInput(3))).encode();
        for (deed, second) in [
            (Deed::Recurse, ClearFailure::Trapped),
            (Deed::Answer(vec![0xff; 97]), ClearFailure::Garbage),
            (Deed::Answer(refusal), ClearFailure::Rule(RuleError::BadInput(3))),
        ] {
            let mut plan = matching(two_faced::rule(&evil::DESCRIPTOR, FULL, &Deed::Trap));
            plan.rules[3] = two_faced::rule(&evil::DESCRIPTOR, FULL, &deed);
            let mut world = open_with_book(&plan);
            let before = money(&world);
            world.close_gate(FIRST);
            world.chain.block();
            assert_eq!(failures(&world), [ClearFailure::Trapped, second]);
            world.expect(FIRST, SlotState::Void);
            assert_eq!(world.slot(FIRST).void, Some(VoidReason::NoClearing));
            for home in &world.homes {
                assert!(world.chain.money(&home.account()).1.is_zero(), "holds are released");
            }
            assert_eq!(money(&world), before);

            world.chain.pass_to(world.terms.delivery_end(FIRST));
            world.expect(FIRST, SlotState::Metering);
            world.measure_all(FIRST, &[(0, 2_000), (1_900, 0), (40, 0)]);
            world.certify(FIRST);
            world.settle(FIRST);
            // Feed-in 3000 and retail 9000 ticks a kWh.
            let lines = [(A, 6_000_000, true), (B, 17_100_000, false), (C, 360_000, false)];
            for (home, amount, gains) in lines {
                let expected = if gains { before[home] + amount } else { before[home] - amount };
                assert_eq!(money(&world)[home], expected);
            }
        }
    });
}

#[test]
fn a_fallback_reads_orders_whose_preferences_it_does_not_know() {
    on_vm_thread(|| {
        let knows_green = Descriptor { flags_supported: flags::GREEN, ..evil::DESCRIPTOR };
        let mut world = World::new(&matching(two_faced::rule(&knows_green, FULL, &Deed::Trap)));
        world.open(FIRST);
        let request = world.request(A, FIRST, Side::Sell, 2_000, 5_000);
        world.place_request(A, OrderRequest { flags: flags::GREEN, ..request });
        world.place(B, FIRST, Side::Buy, 2_000, 6_000);
        world.close_gate(FIRST);
        world.chain.block();
        assert_eq!(failures(&world), [ClearFailure::Trapped]);
        let record = world.slot(FIRST);
        assert_eq!((record.state, record.trades, record.fallback), (SlotState::Proposed, 1, true));
    });
}

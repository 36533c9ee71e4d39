//! Malicious settlement rules: each forges one thing in the honest report of one slot.

use crate::{A, money, open_with_book, plan, ticks, wh};
use busbar_tests::machine::on_vm_thread;
use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use busbar_tests::{artifacts, evil};
use contract_interface::{
    CertifiedTrade, INTERFACE, MeterSlot, Party, RuleError, SettleInput, SettlementReport, Transfer, kinds,
};
use runtime_execution::modules::markets::{Event, SettleFailure, SlotState};
use runtime_execution::referee::{PaymentFault, SettlementFault};
use runtime_primitives::{EntityId, Hash, MeterId, Money};

/// A sells B 2000 Wh at 5500, exports 1500 and takes 300; B takes 3000; C, who did not trade, gives 100.
fn settle_input() -> SettleInput {
    let meter = |home: u32, import: u64, export: u64| MeterSlot {
        meter: MeterId::from_number(home),
        entity: EntityId::from_number(entities::HOME + home),
        import_wh: wh(import),
        export_wh: wh(export),
        curtailed: false,
    };
    SettleInput {
        interface: INTERFACE,
        market: MARKET,
        slot: FIRST,
        rates: plan().rates,
        trades: vec![CertifiedTrade {
            id: 0,
            buy_meter: MeterId::from_number(1),
            sell_meter: MeterId::from_number(0),
            energy: wh(2_000),
            buy_price: ticks(5_500),
            sell_price: ticks(5_500),
            fee: plan().rates.fee,
        }],
        meters: vec![meter(0, 300, 1_500), meter(1, 3_000, 0), meter(2, 0, 100)],
    }
}

const MOVED: [(u64, u64); 3] = [(300, 1_500), (3_000, 0), (0, 100)];

fn settle_plan(code: Vec<u8>) -> Plan {
    let mut plan = plan();
    plan.rules[2] = code;
    plan
}

fn honest_report() -> SettlementReport {
    contract_settlement::settle(settle_input()).unwrap().into()
}

/// What is done to the honest report, and what is said of it. Lines: energy, fee, A's retail, A's deviation, B's
/// retail, C's feed-in.
type Forgery = (&'static str, fn(&mut SettlementReport), SettlementFault);

fn forgeries() -> Vec<Forgery> {
    use SettlementFault as Fault;
    const fn mispriced(index: u32, detail: PaymentFault) -> Fault {
        Fault::Mispriced { index, detail }
    }
    const fn due(units: u128) -> PaymentFault {
        PaymentFault::Amount { due: Money::from_units(units) }
    }
    const TRADE: u32 = 0;
    let a = MeterId::from_number(0);
    vec![
        (
            "overprices energy",
            |report| report.transfers[0].amount = Money::from_units(8_250_001),
            mispriced(0, due(8_250_000)),
        ),
        (
            "underprices energy",
            |report| report.transfers[0].amount = Money::from_units(1),
            mispriced(0, due(8_250_000)),
        ),
        (
            "raises the fee",
            |report| report.transfers[1].amount = Money::from_units(600_000),
            mispriced(1, due(300_000)),
        ),
        (
            "pays the fee to the pool",
            |report| report.transfers[1].to = Party::Pool,
            mispriced(1, PaymentFault::NotDue),
        ),
        (
            "lets the seller pay the buyer",
            |report| {
                let line = &mut report.transfers[0];
                std::mem::swap(&mut line.from, &mut line.to);
            },
            mispriced(0, PaymentFault::NotDue),
        ),
        (
            "pays a stranger",
            |report| report.transfers[5].to = Party::Entity(EntityId::from_number(entities::HOME)),
            mispriced(5, PaymentFault::NotDue),
        ),
        (
            "bills another meter",
            |report| report.transfers[4].meter = Some(MeterId::from_number(2)),
            mispriced(4, PaymentFault::NotDue),
        ),
        (
            "pays twice",
            |report| report.transfers.push(report.transfers[0]),
            mispriced(6, PaymentFault::NotDue),
        ),
        ("pays nothing", |report| report.transfers[0].amount = Money::ZERO, mispriced(0, due(8_250_000))),
        (
            "adds a line of nothing",
            |report| {
                let line = Transfer {
                    amount: Money::ZERO,
                    kind: kinds::SURPLUS,
                    to: Party::Pool,
                    ..report.transfers[0]
                };
                report.transfers.push(line);
            },
            mispriced(6, PaymentFault::NotDue),
        ),
        (
            "leaves a bill out: does not sum to zero",
            |report| _ = report.transfers.remove(4),
            Fault::Missing { missing: 1 },
        ),
        ("leaves everything out", |report| report.transfers.clear(), Fault::Missing { missing: 5 }),
        (
            "charges too much for a deviation",
            |report| report.transfers[3].amount = Money::from_units(500_001),
            mispriced(3, PaymentFault::AboveDeviation { most: Money::from_units(500_000) }),
        ),
        (
            "charges a deviation twice",
            |report| report.transfers.push(report.transfers[3]),
            mispriced(6, PaymentFault::NotDue),
        ),
        (
            "invents energy",
            |report| report.settled[0] = wh(1_501),
            Fault::InventedEnergy { meter: MeterId::from_number(0) },
        ),
        (
            "settles more than was traded",
            |report| report.settled[0] = wh(2_001),
            Fault::AboveTrade { trade: TRADE, settled: wh(2_001), energy: wh(2_000) },
        ),
        (
            "withholds delivered energy",
            |report| report.settled[0] = wh(1_499),
            Fault::Withheld { trade: TRADE, settled: wh(1_499), possible: wh(1_500) },
        ),
        ("forgets a trade", |report| report.settled.clear(), Fault::SettledCount { expected: 1, got: 0 }),
        ("invents a trade", |report| report.settled.push(wh(1)), Fault::SettledCount { expected: 1, got: 2 }),
        (
            "invents the energy of the whole trade",
            |report| report.settled[0] = wh(2_000),
            Fault::InventedEnergy { meter: a },
        ),
    ]
}

fn evil_settlements() -> Vec<(&'static str, Vec<u8>, SettleFailure)> {
    let forged = forgeries().into_iter().map(|(name, forge, fault)| {
        let mut report = honest_report();
        forge(&mut report);
        (name, evil::returning(&evil::DESCRIPTOR, &report), SettleFailure::Refused(fault))
    });
    let mut rows: Vec<_> = forged.collect();
    rows.extend([
        ("traps", evil::traps(), SettleFailure::Trapped),
        ("loops for ever", evil::loops_for_ever(), SettleFailure::Trapped),
        ("recurses for ever", evil::recurses_for_ever(), SettleFailure::Trapped),
        ("hoards memory", evil::hoards_memory(), SettleFailure::Trapped),
        ("answers too much", evil::too_long(), SettleFailure::Trapped),
        ("answers garbage", evil::garbage(), SettleFailure::Garbage),
        ("answers nothing", evil::silent(), SettleFailure::Garbage),
        ("refuses", evil::refusing(RuleError::Custom(1)), SettleFailure::Rule(RuleError::Custom(1))),
    ]);
    rows
}

fn settle_failures(world: &World) -> Vec<(Hash, SettleFailure)> {
    let failed = world.chain.market_events().filter_map(|event| match event {
        Event::SettlementFailed { code, failure, .. } => Some((*code, failure.clone())),
        _ => None,
    });
    failed.collect()
}

#[test]
fn a_malicious_settlement_is_refused_and_the_default_settles() {
    on_vm_thread(|| {
        let lines = honest_report().transfers.iter().map(|line| line.kind).collect::<Vec<_>>();
        let expected =
            [kinds::ENERGY, kinds::FEE, kinds::RETAIL, kinds::DEVIATION, kinds::RETAIL, kinds::FEED_IN];
        assert_eq!(lines, expected, "the table names lines by their place");
        let mut honest = open_with_book(&plan());
        honest.finish(FIRST, &MOVED);
        assert_eq!(settle_failures(&honest), []);
        for (name, code, failure) in evil_settlements() {
            let hash = artifacts::hash(&code);
            let mut world = open_with_book(&settle_plan(code));
            world.finish(FIRST, &MOVED);
            assert_eq!(settle_failures(&world), [(hash, failure)], "{name}");
            assert_eq!(money(&world), money(&honest), "{name}");
        }
    });
}

#[test]
fn a_rule_may_be_more_lenient_than_the_formulas_but_only_with_deviations() {
    on_vm_thread(|| {
        let mut report = honest_report();
        let forgiven = report.transfers.remove(3);
        let mut honest = open_with_book(&plan());
        honest.finish(FIRST, &MOVED);
        let mut world = open_with_book(&settle_plan(evil::returning(&evil::DESCRIPTOR, &report)));
        world.finish(FIRST, &MOVED);
        assert_eq!(settle_failures(&world), []);
        assert_eq!(money(&world)[A], money(&honest)[A] + forgiven.amount.units());
    });
}

#[test]
fn a_slot_whose_settlements_both_fail_is_held_until_one_does_not() {
    on_vm_thread(|| {
        let mut plan = settle_plan(evil::traps());
        plan.default_settlement = evil::garbage();
        let mut world = open_with_book(&plan);
        world.deliver(FIRST);
        world.measure_all(FIRST, &MOVED);
        world.certify(FIRST);
        let before = money(&world);
        let held: Vec<Money> = world.homes.iter().map(|home| world.chain.money(&home.account()).1).collect();
        assert!(held[..2].iter().all(|held| !held.is_zero()));
        for attempts in 1..=3 {
            world.chain.pass_to(world.after_end(FIRST, 3_600 * attempts));
            world.expect(FIRST, SlotState::Payable);
            assert_eq!(settle_failures(&world).len(), 2 * attempts as usize, "an alarm an hour");
            assert_eq!(money(&world), before);
            let now: Vec<Money> =
                world.homes.iter().map(|home| world.chain.money(&home.account()).1).collect();
            assert_eq!(now, held, "nothing is released before it is settled");
        }
    });
}

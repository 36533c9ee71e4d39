//! The property checker: every shipped rule passes, every flaw is found by its name with a small book that shows it.
//!
//! `BUSBAR_SEED` sets the seed of the generated inputs; a failure prints it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod flawed;

use busbar_tests::{artifacts, evil};
use contract_interface::{Admission, Clearing, Descriptor, RuleError, SettlementReport, Trade};
use flawed::{Flaw, HONEST, constant};
use host_node::rules::{Finding, NamedBook, Plan, Rule, RuleKind, Verdict, check, try_book};
use runtime_primitives::{Energy, Price, Seq};
use runtime_vm::VM_THREAD_STACK_BYTES;

fn on_a_vm_thread(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES).spawn(test).unwrap();
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

fn plan(cases: u32) -> Plan {
    let seed = std::env::var("BUSBAR_SEED").map_or(1, |seed| seed.parse().expect("BUSBAR_SEED is a number"));
    println!("BUSBAR_SEED={seed}");
    Plan { cases, seed, claims_names: true, claims_arrival: false }
}

fn findings(code: &[u8], kind: RuleKind, plan: &Plan) -> Vec<Finding> {
    let rule = Rule::load(code).unwrap();
    let descriptor = rule.describe().unwrap();
    check(&rule, kind, &descriptor, plan, |_| ())
}

fn broken(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().filter(|finding| finding.failed()).map(|finding| finding.property).collect()
}

#[test]
fn every_shipped_rule_keeps_its_promises() {
    on_a_vm_thread(|| {
        for code in artifacts::ALL {
            let rule = Rule::load(code).unwrap();
            let kinds = rule.kinds();
            assert_eq!(kinds.len(), 1, "{kinds:?}");
            let findings = findings(code, kinds[0], &plan(200));
            assert_eq!(broken(&findings), [""; 0], "{findings:#?}");
            assert!(!findings.iter().any(Finding::never_trades), "{findings:#?}");
            let looked_at = findings.iter().filter(|finding| finding.cases > 0).count();
            assert!(looked_at >= if kinds[0] == RuleKind::Bid { 3 } else { 7 }, "{findings:#?}");
        }
    });
}

/// The market's high-low is also indifferent to arrival where no two prices are equal.
#[test]
fn a_claim_is_checked_where_it_is_made() {
    on_a_vm_thread(|| {
        let plan = Plan { claims_arrival: true, claims_names: false, ..plan(100) };
        let findings = findings(artifacts::HIGH_LOW, RuleKind::Matching, &plan);
        let of = |name: &str| findings.iter().find(|finding| finding.property == name).unwrap();
        assert!(of("arrival changes nothing").cases > 20, "{findings:#?}");
        assert_eq!(of("names change nothing").verdict, Verdict::NotClaimed);
        assert_eq!(broken(&findings), [""; 0]);
    });
}

const FLAWS: fn() -> Vec<(&'static str, Flaw, usize)> = || {
    let says = |change: fn(&mut Descriptor)| {
        let mut descriptor = HONEST.descriptor;
        change(&mut descriptor);
        descriptor
    };
    vec![
        ("no order is overfilled", Flaw { energy: "(call $wh (local.get $bid))", ..HONEST }, 2),
        ("limits of both sides", Flaw { prices_fit: "(i32.const 1)", ..HONEST }, 2),
        ("no trade with oneself", Flaw { entities_fit: "(i32.const 1)", ..HONEST }, 2),
        ("declared pricing", Flaw { buy_price: "(call $price (local.get $bid))", ..HONEST }, 2),
        (
            "declared residual cross",
            Flaw { descriptor: says(|one| one.no_residual_cross = true), ..HONEST },
            3,
        ),
        ("minimum quantities", Flaw { descriptor: says(|one| one.min_energy = true), ..HONEST }, 2),
        ("trades are of the book", Flaw { energy: "(i64.const 0)", ..HONEST }, 2),
        (
            "names change nothing",
            Flaw {
                entities_fit: "(i32.and (i32.const 1) (i32.and (i32.ne (call $entity (local.get $bid))
                    (call $entity (local.get $ask))) (i32.eqz (i32.and (call $entity (local.get $bid)) (i32.const 2)))))",
                ..HONEST
            },
            2,
        ),
        (
            "answers every valid input",
            Flaw { first: "(if (i32.gt_u (local.get $count) (i32.const 7)) (then unreachable))", ..HONEST },
            8,
        ),
    ]
};

#[test]
fn every_flaw_has_its_name_and_a_small_book_that_shows_it() {
    on_a_vm_thread(|| {
        let plan = plan(120);
        assert_eq!(broken(&findings(&HONEST.code(), RuleKind::Matching, &plan)), [""; 0]);
        for (name, flaw, orders) in FLAWS() {
            let code = flaw.code();
            let findings = findings(&code, RuleKind::Matching, &plan);
            let found = findings.iter().find(|finding| finding.property == name).unwrap();
            let Verdict::Fails { reason, example } = &found.verdict else { panic!("{name}: {findings:#?}") };
            let rows = example["orders"].as_array().unwrap();
            assert_eq!(rows.len(), orders, "{name} is shown by fewer orders: {example}");
            assert!(!reason.is_empty());
            // The referee lets pass what it does not know of; all else it would have stopped as well.
            let named = NamedBook::read(&example.to_string(), None).unwrap();
            let (rule, descriptor) = (Rule::load(&code).unwrap(), &flaw.descriptor);
            let refused = try_book(&rule, descriptor, &named.book, usize::MAX);
            let passes = refused.is_ok_and(|trial| trial.verdict.is_ok());
            assert_eq!(passes, name == "names change nothing", "{name}: {example}");
        }
    });
}

#[test]
fn what_only_large_books_show_is_found() {
    on_a_vm_thread(|| {
        let spin =
            "(local.set $a (local.get $count)) (block $out (loop $l1 (br_if $out (i32.eqz (local.get $a)))
            (local.set $b (local.get $count)) (block $o2 (loop $l2 (br_if $o2 (i32.eqz (local.get $b)))
            (local.set $c (local.get $count)) (block $o3 (loop $l3 (br_if $o3 (i32.eqz (local.get $c)))
            (local.set $c (i32.sub (local.get $c) (i32.const 1))) (br $l3)))
            (local.set $b (i32.sub (local.get $b) (i32.const 1))) (br $l2)))
            (local.set $a (i32.sub (local.get $a) (i32.const 1))) (br $l1)))";
        let larger = |max_orders| Descriptor { max_orders, ..HONEST.descriptor };
        let cubic = Flaw { first: spin, descriptor: larger(600), ..HONEST };
        let found = findings(&cubic.code(), RuleKind::Matching, &plan(20));
        assert_eq!(broken(&found), ["gas grows with the input"], "{found:#?}");
        let first = "(if (i32.gt_u (local.get $count) (i32.const 100)) (then unreachable))";
        let short = Flaw { first, descriptor: larger(200), ..HONEST };
        let found = findings(&short.code(), RuleKind::Matching, &plan(20));
        assert_eq!(broken(&found), ["a full input fits the gas"], "{found:#?}");
        // Who fails is told why, not what the inputs before it cost.
        let two_prices = Flaw { buy_price: "(call $price (local.get $bid))", ..HONEST };
        for (code, why) in [(short.code(), "it trapped"), (two_prices.code(), "the referee refuses: ")] {
            let found = findings(&code, RuleKind::Matching, &plan(20));
            let full = found.iter().find(|one| one.property == "a full input fits the gas").unwrap();
            assert!(full.failed() && full.note.starts_with(why), "{why}: {full:#?}");
        }
    });
}

#[test]
fn malicious_rules_fail() {
    on_a_vm_thread(|| {
        let seq = Seq::from_number;
        let (energy, price) = (Energy::from_wh(1), Price::from_ticks(1));
        let trade = Trade { buy: seq(1), sell: seq(2), energy, buy_price: price, sell_price: price };
        let forged = Clearing { trades: vec![trade], ..Clearing::default() };
        let auction = Descriptor { continuous: false, ..evil::DESCRIPTOR };
        let memo = Admission::Accept { memo: vec![7; 257] };
        let none = SettlementReport::default();
        use RuleKind::{Bid, Matching, Settlement};
        let answers = "answers every valid input";
        let rows: [(&str, RuleKind, Vec<u8>, &str); 14] = [
            ("garbage", Matching, evil::garbage(), answers),
            ("silent", Matching, evil::silent(), answers),
            ("too long", Matching, evil::too_long(), answers),
            ("out of bounds", Matching, evil::out_of_bounds(), answers),
            ("traps", Matching, evil::traps(), answers),
            ("loops", Matching, evil::loops_for_ever(), answers),
            ("recurses", Matching, evil::recurses_for_ever(), answers),
            ("hoards", Matching, evil::hoards_memory(), answers),
            ("refuses", Matching, evil::refusing(RuleError::BadInput(5)), answers),
            ("forges", Matching, evil::returning(&auction, &forged), "trades are of the book"),
            (
                "forges, continuously",
                Matching,
                evil::returning(&evil::DESCRIPTOR, &forged),
                "trades are of the book",
            ),
            ("remembers too much", Bid, constant(&auction, &memo), "memos fit"),
            ("pays nothing", Settlement, evil::returning(&auction, &none), "settled energies"),
            ("traps a bid", Bid, evil::traps(), answers),
        ];
        for (name, kind, code, property) in rows {
            let findings = findings(&code, kind, &plan(12));
            assert!(broken(&findings).contains(&property), "{name}: {findings:#?}");
        }
        for code in [evil::touches_storage(), evil::reads_the_clock()] {
            assert!(Rule::load(&code).is_err());
        }
    });
}

/// Not to trade is told by itself, and a violation only of the promise that nothing crosses afterwards.
#[test]
fn a_rule_that_never_trades_is_told_apart() {
    on_a_vm_thread(|| {
        let auction = Descriptor { continuous: false, no_residual_cross: false, ..evil::DESCRIPTOR };
        let promising = Descriptor { no_residual_cross: true, ..auction.clone() };
        let continuous = Descriptor { continuous: true, min_energy: false, ..auction.clone() };
        let rows = [
            ("auction", auction.clone(), 60, true, None),
            // The referee holds every continuous book to it.
            ("continuous", continuous, 60, true, Some("passes the referee")),
            ("promises", promising, 60, true, Some("declared residual cross")),
            ("only an empty book", auction, 1, false, None),
        ];
        for (name, descriptor, cases, idle, expected) in rows {
            let code = evil::returning(&descriptor, &Clearing::default());
            let findings = findings(&code, RuleKind::Matching, &plan(cases));
            let trading =
                findings.iter().find(|found| found.property == "trades where orders cross").unwrap();
            assert_eq!(trading.never_trades(), idle, "{name}: {findings:#?}");
            let broken = broken(&findings);
            let as_expected = expected.map_or(broken.is_empty(), |property| broken.contains(&property));
            assert!(as_expected, "{name}: {broken:?}");
            assert_eq!(trading.note.is_empty(), !idle, "{name}: {trading:?}");
        }
    });
}

/// A settlement that settles what it should and charges a household nothing: the payments are found, not the energies.
#[test]
fn a_report_without_payments_is_named_as_that() {
    on_a_vm_thread(|| {
        let settled = SettlementReport { settled: vec![Energy::ZERO; 3], transfers: Vec::new() };
        let findings =
            findings(&evil::returning(&evil::DESCRIPTOR, &settled), RuleKind::Settlement, &plan(40));
        let broken = broken(&findings);
        assert!(broken.contains(&"settled energies"), "{findings:#?}");
        let energies = findings.iter().find(|finding| finding.property == "settled energies").unwrap();
        let Verdict::Fails { example, .. } = &energies.verdict else { panic!("it failed") };
        assert!(example["trades"].as_array().unwrap().is_empty(), "nothing simpler: {example}");
    });
}

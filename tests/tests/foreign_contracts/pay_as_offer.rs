//! The matching rule in C: it trades what high-low trades, at the offers' prices, and refuses what it cannot clear.
//!
//! High-low is the oracle of its pairs: both let the highest bid take the cheapest offer of somebody else.

use busbar_tests::artifacts;
use busbar_tests::world::{FIRST, Plan, World, entities};
use contract_interface::{
    ADMIT, Book, CLEAR, ClearParams, Clearing, DESCRIBE, Descriptor, LangError, Op, Order, Pricing,
    RuleError, RuleResult, Side, flags,
};
use host_node::rules::{self, NamedBook, PARAMS, Rule, RuleKind, clear_message, generate};
use parity_scale_codec::Encode;
use runtime_primitives::limits::CLEAR_GAS_MAX;
use runtime_primitives::{Energy, EntityId, Gas, MeterId, Price, Seq};
use runtime_vm::Outcome;

const PLENTY: Gas = Gas::from_units(CLEAR_GAS_MAX);
const ORDERS_MAX: u32 = 100_000;

fn rule() -> Rule {
    Rule::load(&crate::example("pay_as_offer")).expect("the chain accepts it")
}

fn high_low() -> Rule {
    Rule::load(artifacts::HIGH_LOW).expect("the chain accepts it")
}

fn descriptor() -> Descriptor {
    Descriptor {
        interface: 1,
        name: *b"pay-as-offer\0\0\0\0",
        version: 1,
        pricing: Pricing::Single,
        flags_supported: flags::AUTO_CONFIRM,
        min_energy: false,
        continuous: false,
        no_residual_cross: true,
        max_orders: ORDERS_MAX,
    }
}

fn order(seq: u32, side: Side) -> Order {
    Order {
        seq: Seq::from_number(seq),
        entity: EntityId::from_number(seq),
        meter: MeterId::from_number(seq),
        side,
        energy: Energy::from_wh(100),
        min_energy: Energy::ZERO,
        price: Price::from_ticks(5_000),
        flags: flags::AUTO_CONFIRM,
        partner: EntityId::ZERO,
    }
}

fn message(orders: Vec<Order>) -> Vec<u8> {
    clear_message(&PARAMS, &Book::Auction(orders))
}

/// The clearing of a book, which the referee passes.
fn cleared(rule: &Rule, book: &Book) -> Clearing {
    let descriptor = rule.describe().expect("it describes itself");
    let trial = rules::try_book(rule, &descriptor, book, usize::MAX).expect("it answers");
    assert_eq!(trial.verdict, Ok(()), "{book:?}");
    trial.clearing
}

/// High-low's clearing, with every trade at its offer's price.
fn expected(high_low: &Rule, book: &Book) -> Clearing {
    let Book::Auction(orders) = book else { panic!("an auction") };
    let mut clearing = cleared(high_low, book);
    for trade in &mut clearing.trades {
        let at = orders.binary_search_by_key(&trade.sell, |order| order.seq).expect("an order of the book");
        (trade.buy_price, trade.sell_price) = (orders[at].price, orders[at].price);
    }
    clearing
}

#[test]
fn every_promise_holds_and_they_are_these() {
    crate::on_vm_thread(|| {
        let rule = rule();
        assert_eq!(rule.describe(), Ok(descriptor()));
        assert_eq!(rule.kinds(), [RuleKind::Matching]);
        let plan = rules::Plan { cases: 200, seed: 1, claims_names: true, claims_arrival: true };
        let findings = rules::check(&rule, RuleKind::Matching, &descriptor(), &plan, |_| ());
        let broken: Vec<_> = findings.iter().filter(|finding| finding.failed()).collect();
        assert!(broken.is_empty(), "{broken:#?}");
        let looked_at = findings.iter().filter(|finding| finding.cases > 0).count();
        assert_eq!(looked_at, findings.len() - 2, "all but minimum fills and batches: {findings:#?}");
    });
}

#[test]
fn the_worked_example_trades_at_the_offers_prices() {
    crate::on_vm_thread(|| {
        let text = include_str!("../../vectors/worked_example.json");
        let book = NamedBook::read(text, None).expect("a book").book;
        let trades = cleared(&rule(), &book).trades.into_iter().map(|trade| {
            let ticks = [trade.buy_price, trade.sell_price].map(Price::ticks);
            (trade.buy.number(), trade.sell.number(), trade.energy.wh(), ticks)
        });
        let expected = [(0, 3, 100, [3_000, 3_000]), (1, 4, 100, [4_000, 4_000]), (2, 4, 50, [4_000, 4_000])];
        assert_eq!(trades.collect::<Vec<_>>(), expected);
    });
}

#[test]
fn it_trades_what_high_low_trades() {
    crate::on_vm_thread(|| {
        let (rule, high_low, descriptor) = (rule(), high_low(), descriptor());
        let mut trades = 0;
        for number in 0..400 {
            let book = generate::book(&mut generate::Random::of_case(7, number), number, &descriptor);
            let clearing = cleared(&rule, &book);
            trades += clearing.trades.len();
            assert_eq!(clearing, expected(&high_low, &book), "case {number}: {book:?}");
        }
        assert!(trades > 1_000, "{trades} trades");
    });
}

/// A list's length has one, two or four bytes, in the book and in the answer.
#[test]
fn lists_of_every_length_are_read_and_written() {
    crate::on_vm_thread(|| {
        let (rule, high_low) = (rule(), high_low());
        for trades in [0, 1, 31, 32, 63, 64, 8_191, 8_192, 16_383, 16_384, ORDERS_MAX / 2] {
            let side = |seq| if seq % 2 == 0 { Side::Buy } else { Side::Sell };
            let book = Book::Auction((0..2 * trades).map(|seq| order(seq, side(seq))).collect());
            let clearing = cleared(&rule, &book);
            assert_eq!(clearing.trades.len(), trades as usize);
            assert!(clearing == expected(&high_low, &book), "{trades} trades");
        }
    });
}

/// One entity with all the best bids and offers, another that trades with it: nobody looks twice at its own.
#[test]
fn its_own_offers_cost_a_bidder_nothing() {
    crate::on_vm_thread(|| {
        let rule = rule();
        let gas = |own: bool| {
            let orders = (0..ORDERS_MAX).map(|seq| {
                let side = if seq < ORDERS_MAX / 2 { Side::Buy } else { Side::Sell };
                let entity = if own { EntityId::ZERO } else { EntityId::from_number(seq) };
                Order { entity, ..order(seq, side) }
            });
            let outcome = rule.call(&message(orders.collect()), PLENTY);
            assert!(rules::answer::<Clearing>(&outcome).is_ok_and(|found| found.trades.is_empty() == own));
            outcome.gas_used.units()
        };
        assert!(gas(true) < 2 * gas(false));
    });
}

/// What the rule answers, with the flag that undoes, on both engines.
fn check_refusal(rule: &Rule, input: &[u8], error: Result<RuleError, LangError>) {
    let expected: RuleResult<Clearing> = error.map(Err);
    let said = |outcome: &Outcome| {
        let output = outcome.result.as_ref().unwrap_or_else(|trap| panic!("{trap:?} instead of {error:?}"));
        (output.flags, output.data.clone())
    };
    let start = &input[..input.len().min(80)];
    assert_eq!(said(&rule.call(input, PLENTY)), (1, expected.encode()), "{error:?}: {start:?}");
    assert_eq!(said(&rule.call_interpreted(input, PLENTY)), (1, expected.encode()), "{error:?}: {start:?}");
}

#[test]
fn a_book_that_it_cannot_clear_is_refused_by_name() {
    crate::on_vm_thread(|| {
        let (rule, good) = (rule(), order(9, Side::Buy));
        let next = order(10, Side::Sell);
        let too_many = ORDERS_MAX + 1;
        let continuous = Book::Continuous { resting: vec![], ops: vec![Op::New(good)] };
        let two = ClearParams { interface: 2, ..PARAMS };
        let empty = Book::Auction(vec![]);
        let rows = [
            (clear_message(&two, &empty), RuleError::UnsupportedInterface(2)),
            ([&CLEAR[..], &[2, 0]].concat(), RuleError::UnsupportedInterface(2)),
            (
                message((0..too_many).map(|seq| order(seq, Side::Buy)).collect()),
                RuleError::TooManyOrders(too_many),
            ),
            (message(vec![good, Order { flags: flags::GREEN, ..next }]), RuleError::UnsupportedFlag(10)),
            (message(vec![Order { flags: flags::PARTNER, ..good }, next]), RuleError::UnsupportedFlag(9)),
            (message(vec![Order { flags: 0x80, ..good }]), RuleError::UnsupportedFlag(9)),
            (
                message(vec![good, Order { min_energy: Energy::from_wh(1), ..next }]),
                RuleError::UnsupportedFlag(10),
            ),
            (clear_message(&PARAMS, &continuous), RuleError::BadInput(1)),
            (message(vec![next, good]), RuleError::BadInput(2)),
            (message(vec![good, good]), RuleError::BadInput(2)),
            (message(vec![good, Order { energy: Energy::ZERO, ..next }]), RuleError::BadInput(3)),
        ];
        for (input, error) in rows {
            check_refusal(&rule, &input, Ok(error));
        }
    });
}

#[test]
fn input_that_is_no_message_is_not_understood() {
    crate::on_vm_thread(|| {
        let rule = rule();
        let whole = message(vec![order(0, Side::Buy), order(1, Side::Sell)]);
        let length_at = message(vec![]).len() - 1;
        let with = |at: usize, bytes: &[u8]| {
            let mut changed = whole.clone();
            changed.splice(at..=at, bytes.iter().copied());
            changed
        };
        assert_eq!(whole[length_at], 2 << 2);
        let side_at = length_at + 1 + 12;
        let mut rows = vec![
            vec![],
            ADMIT.to_vec(),
            [&DESCRIBE[..], &[0]].concat(),
            [&whole[..], &[0]].concat(),
            with(length_at - 1, &[2]),                  // no such book
            with(length_at, &[3 << 2]),                 // an order is missing
            with(length_at, &[2 << 2 | 1, 0]),          // not the shortest form
            with(length_at, &[2 << 2 | 2, 0, 0, 0]),    // nor this
            with(length_at, &[3, 2, 0, 0, 0]),          // nor the longest
            with(length_at, &[0xfe, 0xff, 0xff, 0xff]), // more orders than memory
            with(side_at, &[2]),                        // no such side
        ];
        // From the version on, which alone is answered before all is there.
        rows.extend((0..whole.len()).filter(|end| *end != CLEAR.len() + 2).map(|end| whole[..end].to_vec()));
        for input in rows {
            check_refusal(&rule, &input, Err(LangError::CouldNotReadInput));
        }
        assert!(rules::answer::<Clearing>(&rule.call(&whole, PLENTY)).is_ok(), "the message itself is good");
    });
}

#[test]
fn a_market_runs_on_it() {
    crate::on_vm_thread(|| {
        let mut plan = Plan { homes: 3, ..Plan::default() };
        plan.rules[1] = crate::example("pay_as_offer");
        let mut world = World::new(&plan);
        world.open(FIRST);
        world.place(0, FIRST, Side::Sell, 6_000, 4_000);
        world.place(2, FIRST, Side::Sell, 6_000, 5_000);
        world.place(1, FIRST, Side::Buy, 10_000, 6_700);
        let homes = [0, 1, 2].map(|home: usize| world.homes[home].account());
        let parties = [homes[0], homes[2], world.account(entities::GRID), homes[1]];
        let whole = |world: &World| {
            parties.map(|account| {
                let (free, reserved) = world.chain.money(&account);
                free.units() + reserved.units()
            })
        };
        let before = whole(&world);
        world.finish(FIRST, &[(0, 6_000), (10_000, 0), (0, 4_000)]);
        let after = whole(&world);
        let gained = [0, 1, 2].map(|party: usize| after[party] - before[party]);
        assert_eq!(
            gained,
            [6_000 * 4_000, 4_000 * 5_000, 10_000 * 200],
            "each offer at its price, and the grid"
        );
        assert_eq!(before[3] - after[3], gained.iter().sum::<u128>(), "all of it from the buyer");
    });
}

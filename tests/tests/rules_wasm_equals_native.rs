//! The committed artifacts answer what the native rules answer, on both engines, at the same gas.
//!
//! The artifacts may come from another compiler than this machine's: this test, not their bytes, says that they are the
//! rules. `BUSBAR_SEED` sets the seed of the random inputs; a failure prints it.

#[path = "../../contracts/testing/mod.rs"]
mod testing;

use busbar_tests::evil;
use contract_interface::{
    ADMIT, CLEAR, DESCRIBE, Descriptor, Op, Order, RuleError, RuleResult, SETTLE, SettleInput, flags,
};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{Energy, EntityId, Gas, blake2_256, limits};
use runtime_vm::{CodeError, EngineKind, Kind, Module, Outcome, Output, Trap, VM_THREAD_STACK_BYTES, Vm};
use testing::books::{PARAMS, Random, Shape, ask, bid, book, random_orders};
use testing::{batches, requests, slots, vectors};

/// One rule in both its forms.
struct Rule {
    name: &'static str,
    wasm: &'static [u8],
    native: fn(&[u8]) -> (u32, Vec<u8>),
    input_bytes_max: usize,
}

macro_rules! rule {
    ($name:literal, $crate_name:ident) => {
        Rule {
            name: $name,
            wasm: include_bytes!(concat!("../../contracts/artifacts/", $name, ".wasm")),
            native: $crate_name::dispatch,
            input_bytes_max: $crate_name::INPUT_BYTES_MAX,
        }
    };
}

static BID: Rule = rule!("bid", contract_bid);
static HIGH_LOW: Rule = rule!("high_low", contract_high_low);
static MIN_SPREAD: Rule = rule!("min_spread", contract_min_spread);
static UNIFORM_PRICE: Rule = rule!("uniform_price", contract_uniform_price);
static CONTINUOUS: Rule = rule!("continuous", contract_continuous);
static HUANG: Rule = rule!("huang", contract_huang);
static SETTLEMENT: Rule = rule!("settlement", contract_settlement);
static ALL: [&Rule; 7] = [&BID, &HIGH_LOW, &MIN_SPREAD, &UNIFORM_PRICE, &CONTINUOUS, &HUANG, &SETTLEMENT];

/// Gas that no input of these tests uses up.
const PLENTY: Gas = Gas::from_units(limits::CLEAR_GAS_MAX);

/// A module on both engines.
struct Both {
    engines: [Vm; 2],
    modules: [Module; 2],
}

impl Both {
    fn load(code: &[u8]) -> Self {
        let engines =
            [EngineKind::Wasmtime, EngineKind::Wasmi].map(|kind| Vm::new(kind).expect("the engine starts"));
        let hash = blake2_256(code);
        let modules = [0, 1].map(|at: usize| {
            engines[at].load(&hash, Kind::Pure, || code.to_vec()).expect("the code follows the rules")
        });
        Self { engines, modules }
    }

    /// Calls both engines, which must agree on the result's presence, the output and the gas.
    fn call(&self, input: &[u8], gas: Gas) -> Outcome {
        let [first, second] =
            [0, 1].map(|at: usize| self.engines[at].call_pure(&self.modules[at], input, gas));
        assert_eq!(first, second, "the engines differ on {} bytes of input", input.len());
        first
    }
}

/// A rule, its native form beside both engines.
struct Subject {
    rule: &'static Rule,
    both: Both,
}

impl Subject {
    fn of(rule: &'static Rule) -> Self {
        Self { rule, both: Both::load(rule.wasm) }
    }

    /// Compares all three answers; returns the gas.
    fn check(&self, input: &[u8], about: &str) -> u64 {
        let (flags, data) = (self.rule.native)(input);
        let outcome = self.both.call(input, PLENTY);
        assert_eq!(outcome.result, Ok(Output { flags, data }), "{} {about}", self.rule.name);
        outcome.gas_used.units()
    }
}

/// Runs on a thread with the stack that contracts need.
fn on_a_vm_thread(test: impl FnOnce() + Send + 'static) {
    let thread =
        std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES).spawn(test).expect("a thread starts");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn seed() -> u64 {
    let seed = std::env::var("BUSBAR_SEED").map_or(1, |seed| seed.parse().expect("BUSBAR_SEED is a number"));
    println!("BUSBAR_SEED={seed}");
    seed
}

fn clear_message(orders: &[Order]) -> Vec<u8> {
    (CLEAR, PARAMS, book(orders)).encode()
}

#[test]
fn every_rule_describes_itself_cheaply() {
    on_a_vm_thread(|| {
        for rule in ALL {
            let subject = Subject::of(rule);
            let gas = subject.check(&DESCRIBE, "describe");
            assert!(gas <= limits::DESCRIBE_GAS_MAX, "{}: {gas}", rule.name);
            let (_, data) = (rule.native)(&DESCRIBE);
            let descriptor = RuleResult::<Descriptor>::decode(&mut &data[..]).expect("an answer decodes");
            let name = descriptor.expect("readable").expect("describe never fails").name;
            let name = std::str::from_utf8(&name).expect("ASCII").trim_end_matches('\0');
            assert_eq!(name.replace('-', "_"), rule.name);
            println!("{:12} describe {gas:>13} gas", rule.name);
        }
    });
}

#[test]
fn the_oracles_books_clear_alike() {
    on_a_vm_thread(|| {
        for rule in [&HIGH_LOW, &MIN_SPREAD, &UNIFORM_PRICE, &HUANG] {
            let subject = Subject::of(rule);
            for case in vectors::oracles() {
                subject.check(&clear_message(&case.orders), &case.name);
            }
        }
    });
}

#[test]
fn the_oracles_sequences_clear_alike() {
    on_a_vm_thread(|| {
        let subject = Subject::of(&CONTINUOUS);
        for case in batches::sequences() {
            let message = (CLEAR, PARAMS, batches::batch(&[], &case.ops)).encode();
            subject.check(&message, &format!("case {}", case.number));
        }
    });
}

#[test]
fn random_messages_are_answered_alike() {
    on_a_vm_thread(|| {
        let seed = seed();
        let mut random = Random(seed);
        let subjects = ALL.map(Subject::of);
        let [bid, high_low, min_spread, uniform_price, continuous, huang, settlement] = &subjects;
        for round in 0..120 {
            let about = format!("seed {seed} round {round}");
            bid.check(&(ADMIT, requests::random_input(&mut random)).encode(), &about);
            settlement.check(&(SETTLE, slots::random_input(&mut random)).encode(), &about);
            let auctions = [
                (high_low, flags::ALL),
                (min_spread, flags::AUTO_CONFIRM),
                (uniform_price, flags::AUTO_CONFIRM),
                (huang, flags::AUTO_CONFIRM),
            ];
            for (rule, flags) in auctions {
                let shape = Shape::small(&mut random, flags);
                rule.check(&clear_message(&random_orders(&mut random, shape)), &about);
            }
            let resting = [ask(0, 90, 4_050), ask(1, 90, 4_060)];
            let (entities, levels) = (1 + random.below(20), 1 + random.below(50));
            let ops = batches::random_ops(&mut random, 2, 60, entities, levels);
            continuous.check(&(CLEAR, PARAMS, batches::batch(&resting, &ops)).encode(), &about);
            // Other rules' messages, and bytes that are no message.
            let mut bytes = (ADMIT, requests::random_input(&mut random)).encode();
            let at = random.below(u32::try_from(bytes.len()).expect("small")) as usize;
            bytes[at] ^= random.bits().to_le_bytes()[0];
            for subject in &subjects {
                subject.check(&bytes[..bytes.len() - random.either(0, at / 2)], &about);
            }
        }
    });
}

#[test]
fn gas_of_common_sizes_stays_far_below_the_limits() {
    on_a_vm_thread(|| {
        let subject = Subject::of(&BID);
        let gas = subject.check(&(ADMIT, requests::input()).encode(), "one order");
        println!("admit                       {gas:>13} gas");
        assert!(gas * 4 <= limits::ADMIT_GAS_MAX, "{gas}");

        for (rule, sizes) in [
            (&HIGH_LOW, [100, 1_000, 10_000].as_slice()),
            (&MIN_SPREAD, &[100, 1_000, 2_000]),
            (&UNIFORM_PRICE, &[100, 1_000, 10_000]),
            (&HUANG, &[100, 1_000, 10_000]),
        ] {
            let subject = Subject::of(rule);
            for &orders in sizes {
                let shape = Shape {
                    orders,
                    entities: orders,
                    levels: 3_000,
                    minimums: 0,
                    flags: flags::AUTO_CONFIRM,
                };
                let gas =
                    subject.check(&clear_message(&random_orders(&mut Random(7), shape)), "a usual book");
                println!("{:12} {orders:>6} orders {gas:>13} gas", rule.name);
                assert!(gas * 10 <= limits::CLEAR_GAS_MAX, "{gas}");
            }
        }

        let subject = Subject::of(&SETTLEMENT);
        let gas = subject.check(&(SETTLE, settle_input(100, 50)).encode(), "100 meters");
        println!("settle 100 meters           {gas:>13} gas");
        assert!(gas * 10 <= limits::SETTLE_GAS_MAX, "{gas}");
    });
}

/// `trades` trades among `meters` meters, each delivered in full and with residuals: two payments a trade, one a meter.
fn settle_input(meters: u32, trades: u32) -> SettleInput {
    let meter = |number| slots::meter(number, 1_000_000, 1_000_000);
    let trade = |id| slots::trade(id, id % meters, (id + 1) % meters, 10, (6_000, 6_000));
    slots::input(
        slots::RATES,
        &(0..trades).map(trade).collect::<Vec<_>>(),
        &(0..meters).map(meter).collect::<Vec<_>>(),
    )
}

/// The largest slot fits memory, output and gas.
#[test]
fn full_slots_fit() {
    on_a_vm_thread(|| {
        let count = limits::MAX_ORDERS_PER_SLOT;
        let preferring = |order: Order| Order { flags: flags::ALL, partner: order.entity, ..order };
        // Every order trades, so there are as many trades as there can be.
        let asks = (0..count / 2).map(|seq| preferring(ask(seq, 2, 4_000 + seq % 100)));
        let bids = (count / 2..count)
            .map(|seq| preferring(bid(seq, if seq % 2 == 0 { 1 } else { 3 }, 5_000 + seq % 100)));
        let orders: Vec<Order> = asks.chain(bids).collect();
        let part = &orders[30_000..70_000];
        for (rule, orders) in [(&HIGH_LOW, &orders[..]), (&UNIFORM_PRICE, &orders), (&HUANG, part)] {
            // What the other does not know is a preference.
            let known = if rule.name == HIGH_LOW.name { flags::ALL } else { flags::AUTO_CONFIRM };
            let orders: Vec<Order> =
                orders.iter().map(|order| Order { flags: order.flags & known, ..*order }).collect();
            let book = clear_message(&orders);
            assert!(book.len() <= rule.input_bytes_max);
            let gas = Subject::of(rule).check(&book, "a full book");
            println!("{:12} {:>6} orders {gas:>13} gas", rule.name, orders.len());
        }

        // As much memory as there can be: all that the rule takes rests, and goes.
        let resting: Vec<Order> = (0..count).map(|seq| ask(seq, 2, 4_000 + seq % 100)).collect();
        let cancels: Vec<Op> = (0..count).map(|seq| batches::cancel(count + seq, seq)).collect();
        // And as much work: half of it is new, and trades.
        let half = count as usize / 2;
        let ops: Vec<Op> =
            (count..).zip(&resting[half..]).map(|(seq, _)| Op::New(bid(seq, 1, 5_000))).collect();
        for (resting, ops) in [(&resting[..], &cancels), (&resting[half..], &ops)] {
            let batch = (CLEAR, PARAMS, batches::batch(resting, ops)).encode();
            assert!(batch.len() <= CONTINUOUS.input_bytes_max);
            let gas = Subject::of(&CONTINUOUS).check(&batch, "a full batch");
            println!("continuous   {count:>6} orders {gas:>13} gas");
        }

        let slot = (SETTLE, settle_input(20_000, count)).encode();
        let gas = Subject::of(&SETTLEMENT).check(&slot, "a full slot");
        println!("settlement   {count:>6} trades {gas:>13} gas");
        assert!(gas <= limits::SETTLE_GAS_MAX);
    });
}

/// The dearest books known: 64 minimum fills of which each is found wanting at the end of a run of its own, beneath
/// bids that all follow the same asks down, or asks that are all the bidder's own.
#[test]
fn the_worst_books_fit_the_gas_of_a_clearing() {
    on_a_vm_thread(|| {
        let vm = Vm::new(EngineKind::Wasmtime).expect("the engine starts");
        let worst = |rule: &Rule, count: u32, asks: &dyn Fn(u32) -> Order, bids: &dyn Fn(u32) -> Order| {
            let unsold = |seq| Order {
                energy: Energy::from_wh(1 << 40),
                min_energy: Energy::from_wh(1 << 40),
                ..ask(seq, 1, 1 + seq)
            };
            let asks = (0..count / 2).map(|seq| if seq < 64 { unsold(seq) } else { asks(seq) });
            let orders: Vec<Order> = asks.chain((count / 2..count).map(bids)).collect();
            let module =
                vm.load(&blake2_256(rule.wasm), Kind::Pure, || rule.wasm.to_vec()).expect("it loads");
            let outcome = vm.call_pure(&module, &clear_message(&orders), PLENTY);
            println!("{:12} {count:>6} orders {:>13} gas at worst", rule.name, outcome.gas_used.units());
            assert!(outcome.result.is_ok(), "{} {outcome:?}", rule.name);
        };
        let household = EntityId::from_number(9_999);
        let (asks, bids) = (|seq| ask(seq, 7, 10_000 + seq * 1_000), |seq| bid(seq, 8, 5_000_000 + seq));
        let own = |order: Order| Order { entity: household, ..order };
        worst(&MIN_SPREAD, 2_000, &asks, &bids);
        worst(&MIN_SPREAD, 2_000, &|seq| own(asks(seq)), &|seq| own(bids(seq)));
        let (asks, bids) = (|seq| ask(seq, 3, 4_000 + seq % 100), |seq| bid(seq, 2, 5_000 + seq % 100));
        worst(&HIGH_LOW, 100_000, &asks, &bids);
        worst(&UNIFORM_PRICE, 100_000, &asks, &bids);
        // Everybody could trade with itself, and one owns so much that others' prices matter.
        let owned = |order: Order, entity: u32| Order { entity: EntityId::from_number(entity), ..order };
        worst(
            &UNIFORM_PRICE,
            100_000,
            &|seq| owned(ask(seq, 3, 1_000_000 - seq), if seq % 4 == 0 { seq } else { 1 }),
            &|seq| owned(bid(seq, 2, seq), if seq % 4 == 0 { seq - 50_000 } else { 1 }),
        );
        // A bid for all that is offered below makes the dearest ask the margin. Every ask is cut, at a level of its own and
        // with products beyond 64 bits; or what is kept of them is little, and found in as many rounds as known.
        for (least, most) in [(1 << 40, 1 << 40), (1, 1 << 40)] {
            worst(
                &HUANG,
                40_000,
                &|seq| {
                    owned(ask(seq, if seq % 9 == 0 { most } else { least + u64::from(seq) }, 1 + seq), seq)
                },
                &|seq| {
                    let energy = if seq == 20_000 { 1 << 62 } else { 1 << 39 >> (seq % 40) };
                    owned(bid(seq, energy, 1_000_000 + seq), seq - 20_000)
                },
            );
        }
    });
}

#[test]
fn a_longer_input_than_reserved_traps() {
    on_a_vm_thread(|| {
        let subject = Subject::of(&BID);
        let mut input = (ADMIT, requests::input()).encode();
        input.resize(BID.input_bytes_max, 0);
        subject.check(&input, "as long as can be");
        input.push(0);
        assert!(matches!(subject.both.call(&input, PLENTY).result, Err(Trap::HostRefused(_))));
    });
}

#[test]
fn evil_rules_describe_themselves_and_then_misbehave() {
    on_a_vm_thread(|| {
        let gas = Gas::from_units(limits::DESCRIBE_GAS_MAX);
        let call = |code: Vec<u8>, input: &[u8]| Both::load(&code).call(input, gas).result;
        let description = RuleResult::<Descriptor>::Ok(Ok(evil::DESCRIPTOR)).encode();
        let returned = |flags, data: &[u8]| Ok(Output { flags, data: data.to_vec() });
        type Case = (Vec<u8>, fn(&Trap) -> bool);
        let trapping: [Case; 6] = [
            (evil::traps(), |trap| *trap == Trap::Unreachable),
            (evil::loops_for_ever(), |trap| *trap == Trap::OutOfGas),
            (evil::recurses_for_ever(), |trap| *trap == Trap::StackOverflow),
            (evil::hoards_memory(), |trap| *trap == Trap::OutOfGas),
            (evil::too_long(), |trap| matches!(trap, Trap::HostRefused(_))),
            (evil::out_of_bounds(), |trap| matches!(trap, Trap::HostRefused(_))),
        ];
        for (at, (code, expected)) in trapping.into_iter().enumerate() {
            assert_eq!(call(code.clone(), &DESCRIBE), returned(0, &description), "case {at}");
            let trap = call(code, &CLEAR).expect_err("it misbehaves");
            assert!(expected(&trap), "case {at}: {trap}");
        }
        let large = vec![3; 100_000];
        let reverted = [0, 1, 3, 5, 0, 0, 0];
        for (code, flags, data) in [
            (evil::answering(b"nonsense"), 0, b"nonsense".as_slice()),
            (evil::answering(&large), 0, &large),
            (evil::returning(&evil::DESCRIPTOR, &7u8), 0, &[0, 0, 7]),
            (evil::refusing(RuleError::BadInput(5)), 1, &reverted),
            (evil::garbage(), 0, &[0xff; 97]),
            (evil::silent(), 0, &[]),
        ] {
            assert_eq!(call(code.clone(), &DESCRIBE), returned(0, &description));
            assert_eq!(call(code, &[CLEAR.as_slice(), &large].concat()), returned(flags, data));
        }
        for code in [evil::touches_storage(), evil::reads_the_clock()] {
            let error = runtime_vm::check(&code, Kind::Pure).expect_err("a pure rule has no such import");
            assert!(matches!(error, CodeError::NotPure { .. }), "{error}");
        }
    });
}

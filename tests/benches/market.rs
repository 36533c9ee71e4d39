//! What a block costs in which a market clears: `cargo bench -p busbar-tests --bench market
//! [-- ORDERS…]`.
//!
//! Everything is real: orders are signed extrinsics, blocks are executed and committed by a node with its store on disk.
//! Figures are CPU time of the whole process on one core, so that other programs do not count. A benchmark, never a test.

use busbar_tests::world::{FIRST, MARKET, Plan, World};
use contract_interface::{OrderRequest, Side, flags};
use cpu_time::ProcessTime;
use host_consensus::{Application, Certificate};
use host_node::node::Chain;
use runtime_execution::modules::markets::{Call, Event};
use runtime_execution::{Event as AnyEvent, VerifySingly, execute_block};
use runtime_primitives::Money;
use runtime_vm::VM_THREAD_STACK_BYTES;
use std::time::Duration;

/// Orders of each entity.
const EACH: u32 = 10;
/// Orders in one block while the book fills.
const IN_BLOCK: usize = 2_000;
/// Orders in the block that is measured on a continuous book.
const BATCH: u32 = 100;
/// CPU time allowed for 10,000 and 100,000 orders, and how much more the latter may take.
const BOUNDS: [(u32, u128); 2] = [(10_000, 100), (100_000, 1_500)];
const GROWTH_MAX: u128 = 15;

struct Mechanism {
    name: &'static str,
    rule: &'static str,
    fallback: &'static str,
    continuous: bool,
}

const MECHANISMS: [Mechanism; 3] = [
    Mechanism { name: "high-low", rule: "high_low", fallback: "high_low", continuous: false },
    Mechanism { name: "uniform-price", rule: "uniform_price", fallback: "high_low", continuous: false },
    Mechanism { name: "continuous", rule: "continuous", fallback: "continuous", continuous: true },
];

/// A rule as committed.
fn artifact(name: &str) -> Vec<u8> {
    let path = format!("{}/../contracts/artifacts/{name}.wasm", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}: run scripts/build-contracts"))
}

/// What the measured block came to.
struct Measured {
    trades: u32,
    rule: Duration,
    execution: Duration,
    block: Duration,
    keys: usize,
    rows: usize,
}

fn plan(mechanism: &Mechanism, orders: u32) -> Plan {
    let mut plan = Plan { homes: orders / EACH, funds: Money::from_units(30_000_000), ..Plan::default() };
    plan.rules[1] = artifact(mechanism.rule);
    plan.rules[3] = artifact(mechanism.fallback);
    plan.limits.orders_per_slot = orders;
    plan.limits.orders_per_entity = 2 * EACH;
    plan
}

/// Order `number` of a book: half sell, half buy; in an auction prices overlap, a continuous book rests.
fn request(world: &World, number: u32, crosses: bool) -> (usize, OrderRequest) {
    let homes = u32::try_from(world.homes.len()).expect("as planned");
    let home = (number % homes) as usize;
    let side = if home.is_multiple_of(2) { Side::Sell } else { Side::Buy };
    let spread = 10 * (number.wrapping_mul(2_654_435_761) % 150);
    let ticks = match (side, crosses) {
        (_, true) => 5_000 + spread,
        (Side::Sell, false) => 6_000 + spread,
        (Side::Buy, false) => 5_990 - spread,
    };
    let request = world.request(home, FIRST, side, u64::from(20 + number % 37), ticks);
    (home, OrderRequest { flags: flags::AUTO_CONFIRM, ..request })
}

fn fill(world: &mut World, numbers: std::ops::Range<u32>, crosses: bool) {
    for block in numbers.collect::<Vec<_>>().chunks(IN_BLOCK) {
        for number in block {
            let (home, request) = request(world, *number, crosses);
            let delegate = world.homes[home].delegate.clone();
            world.chain.submit(&delegate, Call::Place { request });
        }
        world.chain.block_of_successes();
    }
}

/// Play a slot up to the block to measure, which is the last of the world's past.
fn play(mechanism: &Mechanism, orders: u32) -> World {
    let mut world = World::new(&plan(mechanism, orders));
    world.open(FIRST);
    if mechanism.continuous {
        // The last hundred of a full book are what is measured.
        fill(&mut world, 0..orders - BATCH, false);
        fill(&mut world, orders - BATCH..orders, true);
    } else {
        fill(&mut world, 0..orders, true);
        world.close_gate(FIRST);
    }
    world
}

fn measure(mechanism: &Mechanism, orders: u32) -> Measured {
    let world = play(mechanism, orders);
    let (last, before) = world.chain.past.split_last().expect("blocks were played");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let node = Chain::open(&folder.path().join("chain.redb"), &world.genesis).expect("the node starts");
    for past in before {
        node.finalized(past.ordered.clone(), Certificate::solo()).expect("a block of this chain");
    }
    let snapshot = node.snapshot();
    let parent = snapshot.best_header();
    let began = ProcessTime::now();
    let done = execute_block(node.vm(), &snapshot, parent, &node.genesis(), &last.ordered, &VerifySingly);
    let execution = began.elapsed();
    let done = done.expect("a block of this chain");
    drop(snapshot);
    let began = ProcessTime::now();
    node.finalized(last.ordered.clone(), Certificate::solo()).expect("a block of this chain");
    let block = began.elapsed();
    assert_eq!(node.snapshot().hash(), last.header.hash(), "the node derives the world's header");
    let cleared = last.events.iter().find_map(|record| match record.event {
        AnyEvent::Markets(Event::Cleared { market: MARKET, trades, gas, .. }) => Some((trades, gas)),
        _ => None,
    });
    let (trades, gas) = cleared.expect("the block clears");
    Measured {
        trades,
        rule: Duration::from_nanos(gas.units() / 1_000),
        execution,
        block,
        keys: done.changes.len(),
        rows: done.archive.len(),
    }
}

fn report(sizes: &[u32]) -> bool {
    println!(
        "| mechanism | orders | trades | rule by its gas ms | execution ms | block ms | keys | archive rows |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    let mut holds = true;
    for mechanism in &MECHANISMS {
        let mut blocks = Vec::new();
        for orders in sizes {
            let done = measure(mechanism, *orders);
            let [rule, execution, block] =
                [done.rule, done.execution, done.block].map(|time| time.as_millis());
            println!(
                "| {} | {orders} | {} | {rule} | {execution} | {block} | {} | {} |",
                mechanism.name, done.trades, done.keys, done.rows
            );
            let bound = BOUNDS.iter().find(|(size, _)| size == orders);
            holds &= bound.is_none_or(|(_, most)| block <= *most);
            blocks.push(block);
        }
        if let [small, large] = blocks[..] {
            holds &= large <= GROWTH_MAX * small.max(1);
        }
    }
    println!("\nbounds {}", if holds { "hold" } else { "are broken" });
    holds
}

fn main() {
    // `cargo bench` passes `--bench`; arguments of ours are numbers.
    let asked: Vec<u32> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if asked.is_empty() { BOUNDS.map(|(orders, _)| orders).to_vec() } else { asked };
    let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
    let bench = thread.spawn(move || report(&sizes)).expect("the system can start a thread");
    if !bench.join().is_ok_and(|holds| holds) {
        std::process::exit(1);
    }
}

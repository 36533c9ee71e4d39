//! What it costs to clear a slot: `cargo bench -p busbar-tests --bench market [-- OPTIONS]`, see [`HELP`].
//!
//! Everything is real: orders are signed extrinsics, blocks are executed and committed to a store on disk. Figures are CPU
//! time of the whole process on one core, so that other programs do not count. Of a block that also takes orders only what
//! comes after the last signature was checked counts: the batch, the state's root, the commit. A benchmark, never a test.

mod report;
#[path = "../verdicts.rs"]
mod verdicts;

use busbar_tests::chain::Past;
use busbar_tests::machine::{on_vm_thread, vm};
use busbar_tests::world::{FIRST, MARKET, Plan, World};
use contract_interface::{OrderRequest, Side, flags};
use cpu_time::ProcessTime;
use host_node::node::Chain;
use host_storage::{Commit, Store};
use parity_scale_codec::Encode;
use runtime_execution::modules::markets::{Call, Event};
use runtime_execution::{Event as AnyEvent, Verifier, VerifySingly, execute_block};
use runtime_primitives::crypto::Statement;
use runtime_primitives::{Height, Money, OrderedBlock};
use std::cell::Cell;
use std::ops::Range;
use std::process::ExitCode;
use std::time::Duration;

/// Orders of each entity.
const EACH: u32 = 10;
/// Orders in a block while a book fills.
const FILL: u32 = 2_000;
/// Orders in a batch of a continuous book.
const BATCH: u32 = 100;
/// Orders and the CPU time that their clearing may take.
const BOUNDS: [(u32, Duration); 2] =
    [(10_000, Duration::from_millis(100)), (100_000, Duration::from_millis(1_500))];
/// How many times longer the last of these may take than the first.
const GROWTH_MAX_PERCENT: u128 = 1_500;
/// Orders of the smallest book: more than one batch.
const SIZE_MIN: u32 = 1_000;
/// State keys that the block may write which clears the most orders.
const KEYS_MAX: usize = 20_000;
/// How many times the block that clears last is executed and committed; the median counts.
const ROUNDS: usize = 11;

struct Mechanism {
    name: &'static str,
    rule: &'static str,
    fallback: &'static str,
    play: fn(&mut World, u32),
    /// Whether all blocks that clear count, not the last alone.
    whole: bool,
}

/// A continuous book is measured as one batch against a full book that rests, the dearest there is, and as the whole
/// book of a slot whose orders meet like an auction's, by batches of two sizes.
const MECHANISMS: [Mechanism; 5] = [
    Mechanism { name: "high-low", rule: "high_low", fallback: "high_low", play: auction, whole: false },
    Mechanism {
        name: "uniform-price",
        rule: "uniform_price",
        fallback: "high_low",
        play: auction,
        whole: false,
    },
    Mechanism { name: "continuous, a batch of 100", play: full_book, whole: false, ..CONTINUOUS },
    Mechanism { name: "continuous, all batches of 2,000", play: large_batches, ..CONTINUOUS },
    Mechanism { name: "continuous, all batches of 100", play: small_batches, ..CONTINUOUS },
];
const CONTINUOUS: Mechanism = Mechanism {
    name: "continuous",
    rule: "continuous",
    fallback: "continuous",
    play: small_batches,
    whole: true,
};

fn auction(world: &mut World, orders: u32) {
    fill(world, 0..orders, FILL, true);
    world.close_gate(FIRST);
}

fn full_book(world: &mut World, orders: u32) {
    fill(world, 0..orders - BATCH, FILL, false);
    fill(world, orders - BATCH..orders, BATCH, true);
}

fn large_batches(world: &mut World, orders: u32) {
    fill(world, 0..orders, FILL, true);
    world.close_gate(FIRST);
}

fn small_batches(world: &mut World, orders: u32) {
    fill(world, 0..orders, BATCH, true);
    world.close_gate(FIRST);
}

/// A rule as committed.
fn artifact(name: &str) -> Vec<u8> {
    let path = format!("{}/../contracts/artifacts/{name}.wasm", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}: run scripts/build-contracts"))
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

fn fill(world: &mut World, numbers: Range<u32>, in_block: u32, crosses: bool) {
    for first in numbers.clone().step_by(in_block as usize) {
        for number in first..numbers.end.min(first + in_block) {
            let (home, request) = request(world, number, crosses);
            let delegate = world.homes[home].delegate.clone();
            world.chain.submit(&delegate, Call::Place { request });
        }
        world.chain.block_of_successes();
    }
}

/// Notes when the last signature was checked.
#[derive(Default)]
struct LastSignature(Cell<Option<ProcessTime>>);

impl Verifier for LastSignature {
    fn verify(&self, statement: &Statement) -> bool {
        let valid = VerifySingly.verify(statement);
        self.0.set(Some(ProcessTime::now()));
        valid
    }
}

/// CPU time of a block's clearing.
#[derive(Clone, Copy, Default)]
struct Cost {
    execution: Duration,
    commit: Duration,
}

impl Cost {
    fn all(self) -> Duration {
        self.execution + self.commit
    }
}

/// A store that follows the world's chain.
struct Follower {
    store: Store,
    _folder: tempfile::TempDir,
}

impl Follower {
    fn new(world: &World) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let commit = Chain::first(&world.genesis).expect("the world's genesis");
        let store = Store::create(&folder.path().join("chain.redb"), commit).expect("a new store");
        Self { store, _folder: folder }
    }

    /// Execute a block and commit it.
    fn follow(&self, block: &OrderedBlock) -> Block {
        let (snapshot, signatures) = (self.store.snapshot(), LastSignature::default());
        let (parent, genesis) = (snapshot.best_header(), snapshot.genesis_hash());
        let began = ProcessTime::now();
        let done = execute_block(vm(), &snapshot, parent, &genesis, block, &signatures);
        let execution = ProcessTime::now().duration_since(signatures.0.take().unwrap_or(began));
        let done = done.expect("a block of this chain");
        let of = |event: &AnyEvent| match event {
            AnyEvent::Markets(Event::Cleared { market: MARKET, trades, gas, .. }) => Some((*trades, *gas)),
            _ => None,
        };
        let cleared = done.events.iter().filter_map(|record| of(&record.event));
        let (trades, gas) = cleared.fold((0, 0), |sum, (trades, gas)| (sum.0 + trades, sum.1 + gas.units()));
        let (keys, rows) = (done.changes.len(), done.archive.len());
        let commit = Commit {
            header: done.header,
            block: block.clone(),
            body: done.body,
            receipts: done.receipts.encode(),
            changes: done.changes,
            trie: done.trie,
            archive: done.archive,
            finality: None,
        };
        let began = ProcessTime::now();
        self.store.commit(commit).expect("a block that follows");
        let cost = Cost { execution, commit: began.elapsed() };
        Block { cost, trades, rule: Duration::from_nanos(gas / 1_000), keys, rows }
    }
}

/// What a block came to.
#[derive(Clone, Copy)]
struct Block {
    cost: Cost,
    trades: u32,
    /// What the rule's gas stands for.
    rule: Duration,
    keys: usize,
    rows: usize,
}

/// What the measured blocks of a slot came to.
struct Measured {
    mechanism: &'static str,
    whole: bool,
    orders: u32,
    blocks: u32,
    trades: u32,
    rule: Duration,
    sum: Cost,
    /// The dearest of the blocks.
    most: Duration,
    keys_most: usize,
    rows: usize,
}

impl Measured {
    fn add(&mut self, block: &Block) {
        self.blocks += 1;
        self.trades += block.trades;
        self.rule += block.rule;
        self.sum.execution += block.cost.execution;
        self.sum.commit += block.cost.commit;
        self.most = self.most.max(block.cost.all());
        self.keys_most = self.keys_most.max(block.keys);
        self.rows += block.rows;
    }
}

/// A chain before the block that clears last.
struct Slot {
    follower: Follower,
    last: Past,
    measured: Measured,
}

impl Slot {
    fn play(mechanism: &Mechanism, orders: u32) -> Self {
        let mut world = World::new(&plan(mechanism, orders));
        world.open(FIRST);
        let opened = world.chain.past.len();
        (mechanism.play)(&mut world, orders);
        let follower = Follower::new(&world);
        let mut measured = Measured {
            mechanism: mechanism.name,
            whole: mechanism.whole,
            orders,
            blocks: 0,
            trades: 0,
            rule: Duration::ZERO,
            sum: Cost::default(),
            most: Duration::ZERO,
            keys_most: 0,
            rows: 0,
        };
        let last = world.chain.past.pop().expect("a slot takes blocks");
        for (number, past) in world.chain.past.iter().enumerate() {
            let block = follower.follow(&past.ordered);
            if mechanism.whole && number >= opened {
                measured.add(&block);
            }
        }
        Self { follower, last, measured }
    }

    /// Execute and commit the last block, undone first if it was committed before.
    fn clear(&self) -> Block {
        let store = &self.follower.store;
        let before = self.last.header.height().number() - 1;
        store.rollback(Height::from_number(before)).expect("undo records reach one block");
        let block = self.follower.follow(&self.last.ordered);
        assert_eq!(store.snapshot().hash(), self.last.header.hash(), "the store follows the world");
        block
    }
}

/// A mechanism with books of several sizes. They take turns: a machine whose speed drifts does not change how they compare,
/// and neither finds the caches full of its own last round.
fn measure(mechanism: &Mechanism, sizes: &[u32]) -> Vec<Measured> {
    let slots: Vec<Slot> = sizes.iter().map(|orders| Slot::play(mechanism, *orders)).collect();
    let rounds: Vec<Vec<Block>> = (0..ROUNDS).map(|_| slots.iter().map(Slot::clear).collect()).collect();
    let median = |(number, slot): (usize, Slot)| {
        let mut blocks: Vec<Block> = rounds.iter().map(|round| round[number]).collect();
        blocks.sort_unstable_by_key(|block| block.cost.all());
        let mut measured = slot.measured;
        measured.add(&blocks[ROUNDS / 2]);
        assert!(measured.trades > 0, "something trades");
        measured
    };
    slots.into_iter().enumerate().map(median).collect()
}

/// What `--help` prints.
const HELP: &str = "\
What it costs to clear a slot, in CPU time, and whether that is within the bounds. Ends with 1 if it is not.

  [ORDERS…]         sizes of the book; 10000 and 100000 if there are none
  --only MECHANISM  one of those whose name begins so: high-low, uniform-price, continuous
  --whole           also continuous books from the first batch to the last: several minutes more
  --json            the figures as JSON";

/// What the command line asks for.
#[derive(Default)]
struct Options {
    sizes: Vec<u32>,
    only: String,
    whole: bool,
    json: bool,
}

impl Options {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let (mut options, mut arguments) = (Self::default(), arguments);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                // `cargo bench` passes it.
                "--bench" => {}
                "--only" => options.only = arguments.next().ok_or("--only needs a mechanism")?,
                "--whole" => options.whole = true,
                "--json" => options.json = true,
                "--help" => return Ok(None),
                other => {
                    let size = other.parse().ok().filter(|size| *size >= SIZE_MIN);
                    let size = size
                        .ok_or_else(|| format!("{other} is no option and no size of {SIZE_MIN} or more"))?;
                    options.sizes.push(size);
                }
            }
        }
        if options.sizes.is_empty() {
            options.sizes = BOUNDS.map(|(orders, _)| orders).to_vec();
        }
        if options.mechanisms().next().is_none() {
            return Err(format!("no mechanism measured here begins with {}", options.only));
        }
        Ok(Some(options))
    }

    fn mechanisms(&self) -> impl Iterator<Item = &'static Mechanism> {
        MECHANISMS.iter().filter(|each| each.name.starts_with(&self.only) && (self.whole || !each.whole))
    }
}

fn main() -> ExitCode {
    let options = match verdicts::asked(Options::read, HELP) {
        Ok(options) => options,
        Err(ended) => return ended,
    };
    let all: Vec<Measured> = on_vm_thread(|| {
        options.mechanisms().flat_map(|mechanism| measure(mechanism, &options.sizes)).collect()
    });
    let verdicts = report::judge(&all);
    if options.json {
        println!("{:#}", report::json(&all, &verdicts));
    } else {
        report::print(&all, &verdicts);
    }
    verdicts::exit_code(&verdicts)
}

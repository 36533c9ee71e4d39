//! What four validators on this machine do a second: `cargo bench --workspace --bench network [-- OPTIONS]`, see [`HELP`].
//!
//! Everything is real: processes, sockets, files, signed bids, contracts. The clock is a file that a thread moves at the pace of
//! time, so that a day's slots are open at once. A benchmark, never a test.
#![allow(clippy::unwrap_used, reason = "what it runs is run by tests")]

#[allow(dead_code, reason = "shared with the tests that run processes")]
#[path = "../../../host/node/tests/serve/course.rs"]
mod course;
#[allow(dead_code, reason = "shared with the tests that run processes")]
#[path = "../../../host/node/tests/serve/node_process.rs"]
mod node_process;
mod report;
#[allow(dead_code, reason = "shared with the tests that run processes")]
#[path = "../../../host/node/tests/serve/validators.rs"]
mod validators;

use contract_interface::{OrderRequest, Side};
use course::{Course, Hand, script};
use host_node::chain_spec::Preset;
use host_node::keys::{Signer, SigningPolicy};
use host_node::scenario::{Cast, Casting, MARKET, Script, pair};
use host_node::wallet::Wallet;
use host_rpc::{NodeStatus, RemoteNode};
use report::{CatchUp, Phase, Report};
use runtime_execution::Call;
use runtime_execution::modules::markets::{self, slots::next_due};
use runtime_primitives::{Energy, EntityId, Hash, Height, MeterId, Price, Slot, Timestamp, blake2_256};
use runtime_state::Overlay;
use runtime_vm::VM_THREAD_STACK_BYTES;
use std::collections::{HashMap, HashSet};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, scope, sleep};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use validators::{PATIENCE, VALIDATORS, Validators};

/// Least time between two blocks of a load profile.
const INTERVAL_MS: u64 = 250;
/// Slots that are open at once; the first ones are about to close.
const SLOTS: (u32, u32) = (4, 88);
/// Bids of a household in a slot.
const ORDERS_PER_ENTITY: usize = 4;
const LOOK: Duration = Duration::from_millis(4);
/// The validator that is killed and comes back.
const DOWN: usize = 3;
const PHASES: usize = 3;
/// Bids of a phase, unless told otherwise, and at most: the open slots have no place for more.
const BIDS: usize = 3_000;
const BIDS_MAX: usize = 11_000;

const HELP: &str = "\
Measures four validators on this machine under signed bids: all up, one down, one restarting, and catching up.

  cargo bench --workspace --bench network [-- [--json] [BIDS]]    BIDS of a phase: 3000 unless given; at most 11000

A quiet machine is wanted.";

/// Everybody's bids, signed before anything is measured.
struct Bids {
    wallets: Vec<Wallet>,
    script: Script,
    terms: Hash,
    made: usize,
}

impl Bids {
    fn new(script: Script, cast: &Cast, genesis: Hash) -> Self {
        let delegate = |name: &str| Signer::new(pair("summer", name, "delegate"), SigningPolicy::Production);
        let wallets = script.households.iter().map(|one| Wallet::new(delegate(&one.name), genesis)).collect();
        Self { wallets, script, terms: cast.terms.hash(), made: 0 }
    }

    /// The next bid, of the next household.
    fn next(&mut self, cast: &Cast) -> Vec<u8> {
        let household = self.made % self.wallets.len();
        let round = self.made / self.wallets.len();
        self.made += 1;
        let slot = SLOTS.0 + u32::try_from(round / ORDERS_PER_ENTITY).unwrap();
        assert!(slot < SLOTS.1, "no slot is left");
        let limits = &self.script.limits;
        let side = if household.is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let request = OrderRequest {
            market: MARKET,
            slot: Slot::from_number(slot),
            terms: self.terms,
            meter: MeterId::from_number(u32::try_from(household).unwrap()),
            side,
            energy: Energy::from_wh(1),
            min_energy: Energy::ZERO,
            price: Price::from_ticks(u32::midpoint(limits.price_min.ticks(), limits.price_max.ticks())),
            flags: 0,
            partner: EntityId::ZERO,
            valid_until: cast.terms.delivery_start(Slot::from_number(slot)),
        };
        self.wallets[household].sign(&Call::Markets(markets::Call::Place { request }))
    }
}

/// Submit bids at the nodes, each household's at one of them, and see when blocks have them.
fn load(network: &Validators, bids: &[Vec<u8>], households: usize) -> Phase {
    let running: Vec<usize> = network.running().filter(|number| *number != DOWN).collect();
    let watcher = network.remote(running[0]);
    let from = watcher.height(watcher.best().unwrap()).unwrap().unwrap().number();
    let began = Instant::now();
    let (sent, seen, last) = scope(|scope| {
        let clients: Vec<_> = (0..running.len())
            .map(|turn| {
                let (own, running) = (network.remote(running[turn]), running.len());
                let mine = move |(index, _): &(usize, &Vec<u8>)| index % households % running == turn;
                scope
                    .spawn(move || submit(&own, bids.iter().enumerate().filter(mine).map(|(_, bytes)| bytes)))
            })
            .collect();
        let (seen, last) = watch(&watcher, from, bids.len());
        let sent: HashMap<Hash, Instant> =
            clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        (sent, seen, last)
    });
    let mut times: Vec<u128> =
        sent.iter().map(|(hash, at)| seen[hash].duration_since(*at).as_millis()).collect();
    times.sort_unstable();
    let at = |part: usize| u64::try_from(times[(times.len() - 1) * part / 100]).unwrap();
    Phase {
        blocks: last - from,
        bids: bids.len() as u64,
        ms: u64::try_from(began.elapsed().as_millis()).unwrap(),
        p50_ms: at(50),
        p95_ms: at(95),
    }
}

/// When each was first sent. What the pool has no place for yet is sent again.
fn submit<'a>(node: &RemoteNode, bids: impl Iterator<Item = &'a Vec<u8>>) -> Vec<(Hash, Instant)> {
    let mut sent = Vec::new();
    for bytes in bids {
        let at = Instant::now();
        while let Err(refused) = node.submit(bytes) {
            let words = refused.to_string();
            assert!(["ahead", "full", "waiting;"].iter().any(|known| words.contains(known)), "{words}");
            assert!(at.elapsed() < PATIENCE, "{words}");
            sleep(LOOK);
        }
        sent.push((blake2_256(bytes), at));
    }
    sent
}

/// When each of `count` extrinsics was first in a block that the node shows, and the height of the last of these blocks.
fn watch(node: &RemoteNode, from: u64, count: usize) -> (HashMap<Hash, Instant>, u64) {
    let (mut seen, mut height) = (HashMap::new(), from);
    let mut progress = Instant::now();
    while seen.len() < count {
        assert!(progress.elapsed() < PATIENCE, "{} of {count} bids are in blocks", seen.len());
        let Some(hash) = node.block_hash(Height::from_number(height + 1)).unwrap() else {
            sleep(LOOK);
            continue;
        };
        let now = Instant::now();
        for bytes in node.body(hash).unwrap().unwrap() {
            if is_bid(&bytes) {
                seen.insert(blake2_256(&bytes), now);
            }
        }
        (height, progress) = (height + 1, now);
    }
    (seen, height)
}

fn is_bid(bytes: &[u8]) -> bool {
    use runtime_execution::extrinsic::UncheckedExtrinsic;
    let call = UncheckedExtrinsic::from_bytes(bytes).unwrap().call;
    matches!(call, Call::Markets(markets::Call::Place { .. }))
}

/// Move the clock at the pace of time until told to stop.
fn run_clock(hand: &mut Hand, stop: &AtomicBool) {
    let (from, began) = (hand.time(), Instant::now());
    while !stop.load(Ordering::SeqCst) {
        hand.reach(from.plus_ms(u64::try_from(began.elapsed().as_millis()).unwrap()));
        sleep(Duration::from_millis(5));
    }
}

/// Stops the clock, also when a measurement fails.
struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Found the market, and open the slots.
fn set_up(network: &Validators, cast: &mut Cast, hand: &mut Hand) {
    let node = network.remote(0);
    let mut course = Course::from(node.best().unwrap(), Slot::from_number(SLOTS.0));
    let open_at = cast.terms.delivery_start(Slot::from_number(SLOTS.1)).minus_ms(24 * 3_600_000 - 60_000);
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < PATIENCE * 4, "the market does not come about");
        course.follow(&node);
        hand.reach(course.now(&node).plus_ms(INTERVAL_MS));
        let backend = node.state(course.best());
        let state = Overlay::new(&backend);
        let batch = cast.setup(&state);
        let due = next_due(&state);
        if batch.is_none() {
            hand.reach(open_at);
            if due.is_some_and(|due| due > open_at) {
                return;
            }
        }
        let (best, mut waiting) = (course.best(), batch.unwrap_or_default());
        waiting.iter().for_each(|bytes| assert!(node.submit(bytes).is_ok()));
        while course.best() == best || !waiting.is_empty() {
            assert!(began.elapsed() < PATIENCE * 4, "{} extrinsics in no block", waiting.len());
            sleep(LOOK);
            let read = course.blocks.len();
            course.follow(&node);
            hand.reach(course.now(&node).plus_ms(INTERVAL_MS));
            let applied: HashSet<&Vec<u8>> =
                course.blocks[read..].iter().flat_map(|block| &block.extrinsics).collect();
            waiting.retain(|bytes| !applied.contains(bytes));
        }
    }
}

/// Come back and fetch what was missed.
fn catch_up(network: &mut Validators) -> CatchUp {
    let height = |network: &Validators, number: usize| {
        let node = network.remote(number);
        node.height(node.best().unwrap()).unwrap().unwrap().number()
    };
    let ms = |began: Instant| u64::try_from(began.elapsed().as_millis()).unwrap();
    let began = Instant::now();
    network.run(DOWN);
    let start_ms = ms(began);
    let (from, to) = (height(network, DOWN), height(network, 0));
    let node = network.remote(DOWN);
    // Since it started: shown block by block, while the chain itself is shown as far as it is durable.
    let executed = || {
        let NodeStatus { blocks, extrinsics, .. } = node.status().unwrap();
        (blocks, extrinsics)
    };
    let began = Instant::now();
    let until = |blocks: u64| {
        while executed().0 < blocks {
            assert!(began.elapsed() < PATIENCE * 4, "it does not catch up");
            sleep(LOOK);
        }
    };
    until(1);
    let (search_ms, began_executing, (_, first)) = (ms(began), Instant::now(), executed());
    until(to - from);
    while height(network, DOWN) < to {
        sleep(LOOK);
    }
    let bids = executed().1 - first;
    CatchUp { start_ms, search_ms, blocks: to - from, bids, ms: ms(began_executing) }
}

fn measure(count: usize) -> Report {
    let folder = TempDir::new().unwrap();
    let start: Timestamp = Preset::Summer.config().timestamp;
    let mut hand = Hand::at(folder.path().join("time"), start);
    let (clock, interval) = (hand.path.display().to_string(), INTERVAL_MS.to_string());
    let spec = ["--scenario", "summer", "--interval-ms", &interval];
    let mut network = Validators::start(&spec, &["--clock-file", &clock]);
    let genesis = network.best(0);
    let script = script(SLOTS.0, SLOTS.1);
    let casting = Casting { more_validators: 1, ..Casting::default() };
    let mut cast = Cast::assemble(&script, casting, genesis, folder.path()).unwrap();
    eprintln!("the market is founded");
    set_up(&network, &mut cast, &mut hand);
    let households = script.households.len();
    let mut bids = Bids::new(script, &cast, genesis);
    eprintln!("{} bids are signed", PHASES * count);
    let phases: Vec<Vec<Vec<u8>>> =
        (0..PHASES).map(|_| (0..count).map(|_| bids.next(&cast)).collect()).collect();
    let stop = AtomicBool::new(false);
    scope(|scope| {
        scope.spawn(|| run_clock(&mut hand, &stop));
        let _stopping = Stopping(&stop);
        eprintln!("all validators are up");
        let up = load(&network, &phases[0], households);
        eprintln!("one is down");
        network.kill(DOWN);
        let one_down = load(&network, &phases[1], households);
        eprintln!("it catches up");
        let catch_up = catch_up(&mut network);
        eprintln!("it starts again");
        network.kill(DOWN);
        network.run(DOWN);
        let one_restarting = load(&network, &phases[2], households);
        Report { validators: VALIDATORS, interval_ms: INTERVAL_MS, up, one_down, one_restarting, catch_up }
    })
}

fn main() -> ExitCode {
    let (mut is_json, mut bids) = (false, BIDS);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            // Cargo's own word.
            "--bench" => {}
            "--json" => is_json = true,
            "-h" | "--help" => {
                println!("{HELP}");
                return ExitCode::SUCCESS;
            }
            other => match other.parse() {
                Ok(count) if (1..=BIDS_MAX).contains(&count) => bids = count,
                _ => {
                    eprintln!(
                        "network: {other} is no option and no number of bids from 1 to {BIDS_MAX}; see --help"
                    );
                    return ExitCode::from(64);
                }
            },
        }
    }
    let measured = Builder::new().stack_size(VM_THREAD_STACK_BYTES).spawn(move || measure(bids)).unwrap();
    let report = measured.join().unwrap();
    println!("{}", if is_json { report.json().to_string() } else { report.to_string() });
    ExitCode::SUCCESS
}

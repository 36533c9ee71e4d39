//! The network in figures: bids a second, time to a final and executed block, and how fast a validator catches up. Run by
//! `scripts/network-figures`, which builds for speed.
//!
//! The clock is a file that a thread moves at the pace of time, so that a day's slots are open at once.

use crate::course::{Course, Hand};
use crate::summer_day::script;
use crate::theatre::on_a_vm_thread;
use crate::validators::{PATIENCE, VALIDATORS, Validators};
use contract_interface::{OrderRequest, Side};
use host_node::chain_spec::Preset;
use host_node::keys::{Signer, SigningPolicy};
use host_node::scenario::{Cast, Casting, MARKET, Script, pair};
use host_node::wallet::Wallet;
use host_rpc::RemoteNode;
use runtime_execution::Call;
use runtime_execution::modules::markets::{self, slots::next_due};
use runtime_primitives::{Energy, EntityId, Hash, Height, MeterId, Price, Slot, Timestamp, blake2_256};
use runtime_state::Overlay;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Least time between two blocks of a load profile.
const INTERVAL_MS: u64 = 250;
/// Slots that are open at once; the first ones are about to close.
const SLOTS: (u32, u32) = (4, 88);
/// Bids of a household in a slot.
const ORDERS_PER_ENTITY: usize = 4;
const LOOK: Duration = Duration::from_millis(4);
/// The validator that is killed and comes back.
const DOWN: usize = 3;

fn bids_per_phase() -> usize {
    std::env::var("BUSBAR_FIGURES_BIDS").map_or(3_000, |count| count.parse().unwrap())
}

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
        assert!(slot < SLOTS.1, "no slot is left: fewer BUSBAR_FIGURES_BIDS");
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
fn load(network: &Validators, bids: &[Vec<u8>], households: usize) -> Value {
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
    let (blocks, ms) = (last - from, u64::try_from(began.elapsed().as_millis()).unwrap());
    let at = |part: usize| u64::try_from(times[(times.len() - 1) * part / 100]).unwrap();
    json!({ "blocks": blocks, "bids": bids.len(), "ms": ms, "p50_ms": at(50), "p95_ms": at(95) })
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

/// Come back and fetch what was missed: blocks missed, and time until there are none, the start included.
fn catch_up(network: &mut Validators) -> Value {
    let height = |network: &Validators, number: usize| {
        let node = network.remote(number);
        node.height(node.best().unwrap()).unwrap().unwrap().number()
    };
    let began = Instant::now();
    network.run(DOWN);
    let (from, to) = (height(network, DOWN), height(network, 0));
    while height(network, DOWN) < to {
        assert!(began.elapsed() < PATIENCE * 4, "it does not catch up");
        sleep(LOOK);
    }
    json!({ "blocks": to - from, "ms": u64::try_from(began.elapsed().as_millis()).unwrap() })
}

#[test]
#[ignore = "a measurement: scripts/network-figures runs it"]
fn the_network_in_figures() {
    on_a_vm_thread(|| {
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
        set_up(&network, &mut cast, &mut hand);
        let households = script.households.len();
        let mut bids = Bids::new(script, &cast, genesis);
        let count = bids_per_phase();
        let phases: Vec<Vec<Vec<u8>>> =
            (0..3).map(|_| (0..count).map(|_| bids.next(&cast)).collect()).collect();
        let stop = AtomicBool::new(false);
        let report = scope(|scope| {
            scope.spawn(|| run_clock(&mut hand, &stop));
            let _stopping = Stopping(&stop);
            let up = load(&network, &phases[0], households);
            network.kill(DOWN);
            let down = load(&network, &phases[1], households);
            let caught_up = catch_up(&mut network);
            network.kill(DOWN);
            network.run(DOWN);
            let restarting = load(&network, &phases[2], households);
            json!({ "validators": VALIDATORS, "interval_ms": INTERVAL_MS, "up": up, "one_down": down,
                "one_restarting": restarting, "catch_up": caught_up })
        });
        println!("{report}");
    });
}

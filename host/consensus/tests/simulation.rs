//! The engine's wiring in the library's simulator: lossy links, partitions, crashes and restarts, from one seed.
//!
//! The application is a chain of bytes with a disk that loses what was not settled. The whole node is simulated by the
//! `simulation` test of the tests package; here only the wiring is at stake.

#![allow(clippy::unwrap_used, reason = "tests")]

use commonware_cryptography::ed25519::PublicKey;
use commonware_glue::simulate::action::{Action, Crash, Schedule};
use commonware_glue::simulate::engine::{EngineDefinition, InitContext};
use commonware_glue::simulate::exit::ProcessedHeightAtLeast;
use commonware_glue::simulate::plan::PlanBuilder;
use commonware_glue::simulate::processed::ProcessedHeight;
use commonware_glue::simulate::reporter::MonitorReporter;
use commonware_p2p::simulated::Link;
use commonware_runtime::{Clock as _, Handle, Quota, Supervisor as _, deterministic};
use commonware_utils::{NZU32, NZU64, SystemTimeExt as _, probability};
use host_consensus::network::{self, Channels, Config, EngineSecret, Member, Progress, Signal, Timing};
use host_consensus::{Application, Certificate, Clock, Parent, Proposal, Verdict};
use runtime_primitives::{Executed, Hash, Height, OrderedBlock, Timestamp, blake2_256};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const INTERVAL_MS: u64 = 250;
const EPOCH_BLOCKS: u64 = 10;

/// A chain of bytes: a block's state is the hash of the one before and of what it holds.
struct Tape {
    disk: Mutex<Disk>,
    members: Vec<Member>,
}

#[derive(Clone)]
struct Disk {
    blocks: Vec<(OrderedBlock, Hash)>,
    settled: usize,
}

fn first() -> OrderedBlock {
    let executed = Executed { height: Height::ZERO, header_hash: Hash::ZERO };
    OrderedBlock { height: Height::ZERO, executed, timestamp: Timestamp::from_ms(0), extrinsics: vec![] }
}

impl Tape {
    fn new(members: Vec<Member>) -> Self {
        let disk = Disk { blocks: vec![(first(), blake2_256(b"genesis"))], settled: 1 };
        Self { disk: Mutex::new(disk), members }
    }

    /// The power fails: what was not settled is gone.
    fn lose_power(&self) {
        let mut disk = self.disk.lock().unwrap();
        let settled = disk.settled;
        disk.blocks.truncate(settled);
    }

    fn headers(&self) -> Vec<Hash> {
        self.disk.lock().unwrap().blocks.iter().map(|(_, header)| *header).collect()
    }
}

impl Application for Tape {
    type Error = Infallible;

    fn tip(&self) -> Parent {
        let disk = self.disk.lock().unwrap();
        let (block, _) = disk.blocks.last().unwrap();
        Parent { height: block.height, timestamp: block.timestamp }
    }

    fn propose(
        &self,
        parent: &Parent,
        unexecuted: &[&OrderedBlock],
        _: Timestamp,
    ) -> Result<Option<Proposal>, Infallible> {
        let disk = self.disk.lock().unwrap();
        let (tip, header_hash) = disk.blocks.last().map(|(block, header)| (block.height, *header)).unwrap();
        assert_eq!(tip.number() + unexecuted.len() as u64, parent.height.number());
        let executed = Executed { height: tip, header_hash };
        Ok(Some(Proposal { executed, extrinsics: vec![parent.height.number().to_le_bytes().to_vec()] }))
    }

    fn verify(&self, block: &OrderedBlock) -> Verdict {
        match block.extrinsics.len() {
            1 => Verdict::Valid,
            found => Verdict::Invalid { reason: format!("{found} extrinsics") },
        }
    }

    fn executed(&self, height: Height) -> Option<Hash> {
        let disk = self.disk.lock().unwrap();
        disk.blocks.get(usize::try_from(height.number()).unwrap()).map(|(_, header)| *header)
    }

    fn diverged(&self, theirs: &Executed, own: &Hash) {
        panic!("{theirs:?} is not {own}");
    }

    fn committee(&self, _: u64) -> Option<Vec<Member>> {
        Some(self.members.clone())
    }

    fn hear(&self, _: Vec<Vec<u8>>) {}

    fn finalized(&self, block: OrderedBlock, _: Certificate) -> Result<(), Infallible> {
        let mut disk = self.disk.lock().unwrap();
        assert_eq!(usize::try_from(block.height.number()), Ok(disk.blocks.len()));
        let (_, parent) = disk.blocks.last().unwrap();
        let header = blake2_256(&[&parent.0[..], &block.payload_hash().0].concat());
        disk.blocks.push((block, header));
        Ok(())
    }

    fn settle(&self) -> Result<(), Infallible> {
        let mut disk = self.disk.lock().unwrap();
        disk.settled = disk.blocks.len();
        Ok(())
    }
}

/// The simulator's clock, set wrong by some milliseconds.
#[derive(Clone)]
struct Skewed(Arc<deterministic::Context>, u64);

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        let ms = u64::try_from(self.0.current().epoch().as_millis()).unwrap();
        Timestamp::from_ms(1_000_000 + ms + self.1)
    }
}

#[derive(Clone)]
struct Network {
    secrets: Arc<Vec<EngineSecret>>,
    tapes: Arc<Vec<Arc<Tape>>>,
}

struct State(Progress);

impl ProcessedHeight for State {
    async fn processed_height(&self) -> u64 {
        self.0.processed().await
    }
}

fn public(secret: &EngineSecret) -> PublicKey {
    secret.public().peer().unwrap()
}

impl Network {
    fn of(validators: u8) -> Self {
        let mut secrets: Vec<_> =
            (0..validators).map(|index| EngineSecret::from_seed([index + 1; 32])).collect();
        secrets.sort_by_key(public);
        let members: Vec<_> =
            secrets.iter().map(|secret| Member { key: secret.public(), address: String::new() }).collect();
        let tapes = secrets.iter().map(|_| Arc::new(Tape::new(members.clone()))).collect();
        Self { secrets: Arc::new(secrets), tapes: Arc::new(tapes) }
    }
}

impl EngineDefinition for Network {
    type PublicKey = PublicKey;
    type Engine = Handle<()>;
    type State = State;

    fn participants(&self) -> Vec<PublicKey> {
        self.secrets.iter().map(public).collect()
    }

    fn channels(&self) -> Vec<(u64, Quota)> {
        (0..Channels::<(), ()>::COUNT).map(|channel| (channel, Quota::per_second(NZU32!(1_024)))).collect()
    }

    fn max_message_size(&self) -> u32 {
        network::max_message_size(u32::try_from(self.secrets.len()).unwrap())
    }

    async fn init(&self, start: InitContext<'_, PublicKey>) -> (Handle<()>, State) {
        let InitContext { context, index, public_key, oracle, channels, monitor, .. } = start;
        self.tapes[index].lose_power();
        let clock = Skewed(Arc::new(context.child("clock")), 40 * index as u64);
        let config = Config {
            secret: self.secrets[index].clone(),
            genesis: Hash([9; 32]),
            first: first(),
            epoch_blocks: NZU64!(EPOCH_BLOCKS),
            interval_ms: INTERVAL_MS,
            timing: Timing::for_interval(INTERVAL_MS),
            clock,
            signal: Signal::default(),
            partition: format!("validator-{index}"),
            blocker: oracle.control(public_key.clone()),
            peers: oracle.manager(),
            track: Arc::new(|_, _| {}),
        };
        let key = public_key.clone();
        let channels = Channels::of(channels.into_iter()).unwrap();
        let watch = move |deliveries| MonitorReporter::new(key, monitor, deliveries);
        let running = network::start(context, config, self.tapes[index].clone(), channels, watch).await;
        (running.ordering, State(running.progress))
    }

    fn start(engine: Handle<()>) -> Handle<()> {
        engine
    }
}

const GOOD: Link = Link {
    latency: Duration::from_millis(20),
    jitter: Duration::from_millis(5),
    success_rate: probability!(1.0),
};
const LOSSY: Link = Link {
    latency: Duration::from_millis(60),
    jitter: Duration::from_millis(40),
    success_rate: probability!(0.9),
};
const CUT: Link = Link { success_rate: probability!(0.0), ..GOOD };
const HEIGHT: u64 = 40;

/// Two halves cannot hear one another for four seconds; before that one validator is down for four.
fn storm(who: &[PublicKey]) -> Schedule<PublicKey> {
    let at = Duration::from_secs;
    let mut schedule =
        Schedule::new().at(at(2), Action::Crash(who[3].clone())).at(at(6), Action::Restart(who[3].clone()));
    let half = who.len() / 2;
    for (near, far) in who[..half].iter().flat_map(|near| who[half..].iter().map(move |far| (near, far))) {
        for (from, to) in [(near, far), (far, near)] {
            let cut = Action::UpdateLink { from: from.clone(), to: to.clone(), link: CUT };
            schedule = schedule.at(at(8), cut);
        }
    }
    schedule.at(at(12), Action::Heal(GOOD))
}

/// The run's fingerprint, and the headers that all validators agree on.
fn run(seed: u64, validators: u8, link: Link) -> (String, Vec<Hash>) {
    let network = Network::of(validators);
    let tapes = network.tapes.clone();
    let who = network.participants();
    let result = PlanBuilder::new(network)
        .seed(seed)
        .link(link)
        .timeout(Duration::from_secs(240))
        .exit_condition(ProcessedHeightAtLeast::new(HEIGHT))
        .crash(Crash::Schedule(storm(&who)))
        .run()
        .unwrap();
    let chains: Vec<_> = tapes.iter().map(|tape| tape.headers()).collect();
    let common = chains.iter().map(Vec::len).min().unwrap();
    assert!(common as u64 > HEIGHT, "seed {seed}: {common} blocks");
    for chain in &chains {
        assert_eq!(chain[..common], chains[0][..common], "seed {seed}");
    }
    (result[0].state.clone(), chains[0][..common].to_vec())
}

/// `BUSBAR_SEEDS=A..B` runs others than the first ones; a failure names its seed.
fn seeds() -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("BUSBAR_SEEDS") else { return 1..51 };
    let (from, to) = text.split_once("..").expect("BUSBAR_SEEDS=A..B");
    from.parse().unwrap()..to.parse().unwrap()
}

#[test]
fn all_execute_the_same_blocks_through_crashes_cuts_and_epochs() {
    for seed in seeds() {
        let validators = 4 + u8::try_from(seed % 4).unwrap();
        run(seed, validators, if seed % 2 == 0 { LOSSY } else { GOOD });
    }
}

#[test]
fn a_seed_tells_everything() {
    assert_eq!(run(5, 4, LOSSY), run(5, 4, LOSSY));
    assert_ne!(run(5, 4, LOSSY).0, run(6, 4, LOSSY).0);
}

//! The validators of a run in the library's simulator: the engine's real wiring, on applications that are watched.

use crate::application::{NodeClock, Tape};
use crate::audit::Audit;
use crate::byzantine::equivocator::twin;
use crate::byzantine::{Conspiracy, Identity, Liar, Rewriting, Wire};
use crate::faults::{Faults, HEALED_MS};
use crate::simulator::Dice;
use crate::simulator::{Machine, Power};
use commonware_cryptography::ed25519::PublicKey;
use commonware_glue::simulate::engine::{EngineDefinition, InitContext};
use commonware_glue::simulate::processed::ProcessedHeight;
use commonware_glue::simulate::reporter::MonitorReporter;
use commonware_p2p::simulated::Oracle;
use commonware_runtime::{
    Handle, Metrics as _, Quota, Spawner as _, Storage as _, Supervisor as _, deterministic,
};
use commonware_utils::{NZU32, NZU64};
use host_consensus::network::{self, Channels, Config, EngineSecret, Member, Progress, Signal, Timing};
use runtime_primitives::Hash;
use std::sync::Arc;

pub const INTERVAL_MS: u64 = 250;
pub const EPOCH_BLOCKS: u64 = 10;
/// Into the next epoch.
const GROWTH: u64 = EPOCH_BLOCKS + 2;
const GENESIS: Hash = Hash([9; 32]);
/// No disk fails after this, in ms: the node's last start comes later.
const LAST_FAULT_MS: u64 = HEALED_MS - 200;
/// The network carries this much more than an honest validator ever sends, in bytes.
const MESSAGE_BYTES_MORE: u32 = 1 << 16;

#[derive(Clone)]
pub struct Validators {
    secrets: Arc<Vec<EngineSecret>>,
    liars: Arc<Vec<Option<Arc<dyn Liar>>>>,
    pub faults: Arc<Faults>,
    /// Of the engines' own files.
    pub powers: Arc<Vec<Power>>,
    /// Blocks that all must have executed after the network is healed.
    pub growth: u64,
    forgets_votes: bool,
    restores: bool,
    pub tapes: Arc<Vec<Arc<Tape>>>,
    pub audit: Arc<Audit>,
}

/// How a run differs from one of the real build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// In nothing.
    Real,
    /// These many validators, the last ones, tell two stories together: the first to the first honest validator, the
    /// other to the other ones.
    Conspirators(usize),
    /// Commits keep the state and forget the height.
    ForgetsHeight,
    /// Nothing that an engine wrote is there after it was killed.
    ForgetsVotes,
    /// The second validator loses its disk and its engine's files when it is killed, and begins with the state that the first
    /// has.
    Restored,
    /// The applications have nothing to order after this height, and the engines go on.
    RestsAfter(u64),
}

fn public(secret: &EngineSecret) -> PublicKey {
    secret.public().peer().unwrap()
}

impl Validators {
    pub fn new(seed: u64, faults: &Faults, build: Build) -> Self {
        let count = u8::try_from(faults.validators).unwrap();
        let mut seeds: Vec<_> = (1..=count).map(|index| [index; 32]).collect();
        seeds.sort_by_key(|seed| public(&EngineSecret::from_seed(*seed)));
        let secrets: Vec<_> = seeds.iter().map(|seed| EngineSecret::from_seed(*seed)).collect();
        let keys: Vec<_> = secrets.iter().map(public).collect();
        let members: Vec<_> =
            secrets.iter().map(|secret| Member { key: secret.public(), address: String::new() }).collect();
        let audit = Arc::new(Audit::default());
        let identity = |who: usize| {
            Identity::new(audit.clone(), seeds[who], who, &keys, &GENESIS, message_bytes(keys.len()))
        };
        let plot = Conspiracy::default();
        let liar = |who: usize| match build {
            Build::Conspirators(liars) if who + liars >= keys.len() => {
                let near: Vec<_> = [0]
                    .into_iter()
                    .chain(keys.len() - liars..keys.len())
                    .map(|near| keys[near].clone())
                    .collect();
                let rewriting = Rewriting::new(identity(who), move |told| Some((twin(told), near.clone())));
                Some(Arc::new(rewriting.conspiring(plot.clone())) as Arc<dyn Liar>)
            }
            _ => faults
                .liars
                .get(&who)
                .map(|kind| kind.liar(identity(who), Dice::new(seed ^ who as u64), faults)),
        };
        let liars: Vec<_> = (0..keys.len()).map(liar).collect();
        let rests_after = if let Build::RestsAfter(height) = build { Some(height) } else { None };
        let tape = |who: usize| {
            let tape = Tape::new(who, members.clone(), audit.clone(), liars[who].is_none());
            let fails = faults
                .power_failures
                .get(&who)
                .map_or(0..0, |at| Audit::true_ms(*at)..Audit::true_ms(LAST_FAULT_MS));
            let tape = tape.failing_within(fails).resting_after(rests_after);
            Arc::new(if build == Build::ForgetsHeight { tape.forgetful() } else { tape })
        };
        let power = |who: usize| {
            let power = Power::new(Dice::new(seed ^ (who as u64 + 1) << 32));
            if let Some((at, operations)) = faults.engine_failures.get(&who) {
                power.fail_within(*at..LAST_FAULT_MS, *operations);
            }
            power
        };
        Self {
            growth: if rests_after.is_some() { 0 } else { GROWTH },
            forgets_votes: build == Build::ForgetsVotes,
            restores: build == Build::Restored,
            powers: Arc::new((0..keys.len()).map(power).collect()),
            tapes: Arc::new((0..keys.len()).map(tape).collect()),
            faults: Arc::new(faults.clone()),
            secrets: Arc::new(secrets),
            liars: Arc::new(liars),
            audit,
        }
    }
}

impl Validators {
    fn clock(&self, who: usize, runtime: &deterministic::Context) -> NodeClock {
        NodeClock {
            runtime: Arc::new(runtime.child("clock")),
            audit: self.audit.clone(),
            skew_ms: self.faults.skews_ms[who],
            jump: self.faults.jump.filter(|(jumps, _)| *jumps == who).map(|(_, jump)| jump),
        }
    }
}

fn message_bytes(validators: usize) -> usize {
    let honest = network::max_message_size(u32::try_from(validators).unwrap());
    usize::try_from(honest + MESSAGE_BYTES_MORE).unwrap()
}

/// A validator at work, and what the end of a run asks of it.
pub struct State {
    pub tape: Arc<Tape>,
    pub progress: Progress,
    pub context: deterministic::Context,
    pub oracle: Oracle<PublicKey, deterministic::Context>,
}

impl ProcessedHeight for State {
    async fn processed_height(&self) -> u64 {
        self.progress.processed().await
    }
}

impl State {
    /// Files of a validator's votes and certificates on the way to the blocks of an epoch.
    pub async fn journal_files(&self, who: usize, epoch: u64) -> usize {
        let partition = format!("validator-{who}-0-epoch-{epoch}");
        self.context.scan(&partition).await.map_or(0, |files| files.len())
    }

    /// The counters of all validators.
    pub fn counters(&self) -> String {
        self.context.encode()
    }
}

/// A node that runs, and what ends it.
pub struct Node {
    context: deterministic::Context,
    tasks: [Handle<()>; 3],
}

impl EngineDefinition for Validators {
    type PublicKey = PublicKey;
    type Engine = Node;
    type State = State;

    fn participants(&self) -> Vec<PublicKey> {
        self.secrets.iter().map(public).collect()
    }

    fn channels(&self) -> Vec<(u64, Quota)> {
        (0..Channels::<(), ()>::COUNT).map(|channel| (channel, Quota::per_second(NZU32!(1_024)))).collect()
    }

    fn max_message_size(&self) -> u32 {
        u32::try_from(message_bytes(self.secrets.len())).unwrap()
    }

    async fn init(&self, start: InitContext<'_, PublicKey>) -> (Node, State) {
        let InitContext { context, index, public_key, oracle, channels, monitor, .. } = start;
        self.tapes[index].restart();
        let power = self.powers[index].clone();
        let (life, off) = power.restore();
        let mut off = off.watch();
        if self.restores && index == 1 {
            self.tapes[1].begin_with(&self.tapes[0]);
        }
        let base = self.tapes[index].base();
        let config = Config {
            secret: self.secrets[index].clone(),
            genesis: GENESIS,
            anchor: self.tapes[index].anchor(),
            epoch_blocks: NZU64!(EPOCH_BLOCKS),
            interval_ms: INTERVAL_MS,
            timing: Timing::for_interval(INTERVAL_MS),
            clock: self.clock(index, &context),
            signal: Signal::default(),
            partition: format!("validator-{index}-{}", if self.forgets_votes { life } else { base }),
            blocker: oracle.control(public_key.clone()),
            peers: oracle.manager(),
            track: Arc::new(|_, _| {}),
        };
        let (pipes, receivers): (Vec<_>, Vec<_>) = channels.into_iter().unzip();
        let wires = Wire::all(&pipes, self.liars[index].as_ref());
        let channels = Channels::of(wires.into_iter().zip(receivers)).unwrap();
        let key = public_key.clone();
        let watch = move |deliveries| MonitorReporter::new(key, monitor, deliveries);
        let own = context.child("node");
        let seen = context.child("seen");
        let machine = Machine::new(context, power.clone());
        let running = network::start(machine, config, self.tapes[index].clone(), channels, watch).await;
        power.engine_runs();
        let off = Handle::from_future(async move {
            off.next().await;
            Ok(())
        });
        let execution = running.execution;
        let execution = Handle::from_future(async move { execution.await.map(|_| ()) });
        let state = State {
            tape: self.tapes[index].clone(),
            progress: running.progress,
            context: seen,
            oracle: oracle.clone(),
        };
        (Node { context: own, tasks: [execution, running.ordering, off] }, state)
    }

    /// As on sockets: when execution ends with an error, so does the node; and without power it ends as well.
    fn start(node: Node) -> Handle<()> {
        node.context.spawn(move |_| async move {
            let _ = Handle::select(node.tasks).await;
        })
    }
}

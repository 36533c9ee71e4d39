//! The real wiring in the library's simulator, with the real node behind it, its clients in front and its gossip.

use crate::body::{Body, state_of};
use crate::clients::Clients;
use crate::node::Node;
use crate::scene::{INTERVAL_MS, RATE, Scene};
use crate::simulator::{Goal, Machine};
use commonware_cryptography::ed25519::PublicKey;
use commonware_glue::simulate::engine::{EngineDefinition, InitContext};
use commonware_glue::simulate::processed::ProcessedHeight;
use commonware_glue::simulate::reporter::MonitorReporter;
use commonware_runtime::{Clock as _, Handle, Quota, Spawner as _, Supervisor as _, deterministic};
use commonware_utils::{NZU32, SystemTimeExt as _};
use host_consensus::Clock;
use host_consensus::network::{self, Channels, Config, Timing, gossip};
use host_node::node::Chain;
use runtime_execution::modules::markets::SlotState;
use runtime_primitives::{EntityId, Slot, Timestamp};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

/// How often clients look at their node.
const CLIENTS_LOOK: Duration = Duration::from_millis(250);
/// How long they stay with one.
const CLIENTS_STAY_MS: u64 = 1_500;
/// What still waits after this time is told again, as by a real node.
const RETELL: Duration = Duration::from_secs(10 / RATE);
/// How often a node that starts looks whether the one before has let go of its files.
const LET_GO: Duration = Duration::from_millis(1);

/// The simulator's clock, faster and set wrong by some milliseconds.
#[derive(Clone)]
pub struct Skewed {
    context: Arc<deterministic::Context>,
    start: Timestamp,
}

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        self.start.plus_ms(passed_ms(&self.context) * RATE)
    }

    fn until(&self, time: Timestamp) -> Duration {
        Duration::from_millis(time.ms().saturating_sub(self.now().ms()).div_ceil(RATE))
    }
}

fn passed_ms(context: &deterministic::Context) -> u64 {
    u64::try_from(context.current().epoch().as_millis()).unwrap()
}

/// All validators of a run.
#[derive(Clone)]
pub struct Network {
    pub scene: &'static Scene,
    pub bodies: Arc<Vec<Arc<Body>>>,
    /// How far ahead each clock is, by the chain's time.
    pub ahead_ms: Vec<u64>,
}

/// What the simulator sees of a running validator.
pub struct State(Arc<Chain>);

impl ProcessedHeight for State {
    async fn processed_height(&self) -> u64 {
        self.0.snapshot().height().number()
    }
}

impl Network {
    fn serve(clients: &mut Clients, node: &Node, passed_ms: u64, validators: usize) {
        let stay = passed_ms / CLIENTS_STAY_MS;
        let here =
            |who: EntityId| (u64::from(who.number()) + stay) % validators as u64 == node.body.index as u64;
        node.submit(clients.wishes(&node.published(), here));
    }
}

impl EngineDefinition for Network {
    type PublicKey = PublicKey;
    type Engine = Handle<()>;
    type State = State;

    fn participants(&self) -> Vec<PublicKey> {
        let public = |index| self.scene.session(index).engine_secret().public().peer().unwrap();
        (0..self.bodies.len()).map(public).collect()
    }

    fn channels(&self) -> Vec<(u64, Quota)> {
        // The last one is the gossip's.
        (0..=Channels::<(), ()>::COUNT).map(|channel| (channel, Quota::per_second(NZU32!(1_024)))).collect()
    }

    fn max_message_size(&self) -> u32 {
        network::max_message_size(u32::try_from(self.bodies.len()).unwrap())
    }

    async fn init(&self, start: InitContext<'_, PublicKey>) -> (Handle<()>, State) {
        let InitContext { context, index, public_key, oracle, mut channels, monitor, .. } = start;
        let (scene, validators) = (self.scene, self.bodies.len());
        let body = self.bodies[index].clone();
        while body.is_awake() {
            context.sleep(LET_GO).await;
        }
        let (chain, keeper) = body.wake();
        let power = body.power.clone();
        let (_, off) = power.restore();
        let mut off = off.watch();
        power.engine_runs();
        let (gossip, outbox) = gossip();
        let (tell, hear) = channels.pop().unwrap();
        let node = Arc::new(Node::new(body.clone(), chain.clone(), keeper, gossip));
        let clock_start = scene.begins().plus_ms(self.ahead_ms[index]);
        let clock = Skewed { context: Arc::new(context.child("clock")), start: clock_start };
        let config = Config {
            secret: scene.session(index).engine_secret(),
            genesis: chain.genesis(),
            anchor: chain.anchor().unwrap(),
            epoch_blocks: NonZeroU64::new(scene.world.genesis.epoch_blocks).unwrap(),
            interval_ms: INTERVAL_MS,
            timing: Timing::for_interval(INTERVAL_MS / RATE),
            clock,
            signal: node.signal.clone(),
            partition: format!("validator-{index}"),
            blocker: oracle.control(public_key.clone()),
            peers: oracle.manager(),
            track: Arc::new(|_, _| {}),
        };
        let mut attest = (body.conduct.attest)(scene, &body, &chain);
        let (key, blocker) = (public_key.clone(), oracle.control(public_key.clone()));
        // What it spawns ends with it: a crash ends it, and so do a disk that fails and power that does.
        let life = context.spawn(move |context| async move {
            let (client, own) = (node.clone(), context.child("clients"));
            own.spawn(move |own| async move {
                let mut clients = Clients::new(scene);
                loop {
                    own.sleep(CLIENTS_LOOK).await;
                    client.body.ages(passed_ms(&own));
                    Self::serve(&mut clients, &client, passed_ms(&own), validators);
                }
            });
            let voter = node.clone();
            context.child("attestor").spawn(move |_| async move {
                let mut durable = voter.durable.watch();
                loop {
                    voter.attest(&mut *attest);
                    voter.sign_checkpoints();
                    durable.next().await;
                }
            });
            let teller = node.clone();
            context.child("retell").spawn(move |own| async move {
                loop {
                    own.sleep(RETELL).await;
                    teller.retell();
                }
            });
            context.child("tell").spawn(move |own| network::tell(own, outbox, tell));
            let (listener, raise) = (node.clone(), node.signal.clone());
            context
                .child("hear")
                .spawn(move |own| network::hear(own, listener, raise, blocker, hear, Arc::default()));
            let channels = Channels::of(channels.into_iter()).unwrap();
            let watch = move |deliveries| MonitorReporter::new(key, monitor, deliveries);
            let machine = Machine::new(context.child("engine"), power);
            let engine = context.child("life").spawn(move |_| async move {
                let running = network::start(machine, config, node, channels, watch).await;
                let _ = running.execution.await;
            });
            let off = Handle::from_future(async move {
                off.next().await;
                Ok(())
            });
            let _ = Handle::select([engine, off]).await;
        });
        (life, State(chain))
    }

    fn start(life: Handle<()>) -> Handle<()> {
        life
    }
}

/// The run is over when all are up, and those that are awaited have a slot settled and their checkpoints certified.
#[derive(Clone)]
pub struct AllSettled {
    pub bodies: Arc<Vec<Arc<Body>>>,
    pub awaited: fn(&Body) -> bool,
    pub slot: Slot,
}

impl Goal<State> for AllSettled {
    async fn is_reached(&self, running: &[&State], all: usize) -> Result<bool, String> {
        let mut awaited = self.bodies.iter().filter(|body| (self.awaited)(body));
        let is_done = |body: &Arc<Body>| {
            state_of(&body.chain(), self.slot) == Some(SlotState::Settled) && body.has_certified()
        };
        Ok(running.len() == all && awaited.all(is_done))
    }
}

//! A node at work: the engine orders, alone or among validators; this executes, publishes and attests.
//!
//! Three threads: the engine's, which also executes; one that re-runs clearings and votes; and RPC's. The rule: nothing is
//! shown or voted on twice differently after a crash. Blocks are durable before they are published, votes are journalled
//! before they are released.

use super::attesting::Attesting;
use super::bell::Bell;
use super::config::ServiceConfig;
use super::error::ServiceError;
use super::files;
use super::hand::Hand;
use super::room::{LOOK, Room};
use super::view::{Role, View};
use crate::checkpoint::{Keeper, KeeperError};
use crate::keys::Signer;
use crate::node::{Chain, ChainError, Statistics};
use host_consensus::network::{
    Counters, EngineKey, EngineSecret, Gossip, Member, Outbox, Signal, SocketConfig, Timing, Watch, gossip,
};
use host_consensus::{Application, Certificate, Clock, Parent, Proposal, Verdict, network};
use host_rpc::RpcServer;
use runtime_primitives::{Executed, Hash, Height, OrderedBlock, Timestamp, blake2_256};
use runtime_vm::VM_THREAD_STACK_BYTES;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};
use tracing::{error, info, warn};

/// Longest wait of the attestor without a look at the chain.
const PATIENCE: Duration = Duration::from_secs(1);
/// What still waits after this time is told again: a peer may have been away.
const RETELL: Duration = Duration::from_secs(10);
/// Bytes that are told again at a time.
const RETELL_BYTES: usize = 256 << 10;
/// A clock so far behind the chain is worth a word, in seconds.
const CLOCK_BEHIND_S: u64 = 60;

/// A node, ready to run.
pub struct Service<C> {
    node: Arc<Node>,
    clock: C,
    engine: SocketConfig,
    attesting: Attesting,
    signal: Signal,
    outbox: Outbox,
    server: Option<RpcServer>,
    folder: PathBuf,
    room: Room,
}

/// The application behind the engine.
struct Node {
    chain: Arc<Chain>,
    view: View,
    gossip: Gossip,
    checkpoints: Arc<Keeper>,
    crew: Crew,
    /// Rung when a block is durable: claims may be open on it.
    executed: Arc<Bell>,
}

/// Who orders from this node's point of view.
struct Crew {
    /// This node's engine.
    own: Member,
    /// Engines whose keys this node keeps.
    kept: Vec<EngineKey>,
    /// Whether others can reach it.
    listens: bool,
}

impl Crew {
    /// The committee as this node runs it. Where all its keys are kept here, and where no validator has an engine, this
    /// node orders alone.
    fn of(&self, committee: Vec<Member>) -> Vec<Member> {
        let is_kept = |member: &Member| self.kept.contains(&member.key);
        let is_alone = committee.is_empty() || (!self.listens && committee.iter().all(is_kept));
        if is_alone { vec![self.own.clone()] } else { committee }
    }
}

/// The engine's key of a node: that of its first session; without a session, one that proves nothing to anybody.
fn engine_secret(sessions: &[Signer], genesis: &Hash) -> EngineSecret {
    let nobodys =
        || EngineSecret::from_seed(blake2_256(&[b"busbar/engine-key/nobody/v1", &genesis.0[..]].concat()).0);
    sessions.first().map_or_else(nobodys, Signer::engine_secret)
}

impl<C: Clock + Clone + 'static> Service<C> {
    /// Open or start the chain, the sessions and the RPC server.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn start(config: ServiceConfig, clock: C) -> Result<Self, ServiceError> {
        files::allow_many();
        let (chain, room) = config.open()?;
        let ServiceConfig { data, genesis, interval_ms, rpc, listen, sessions, .. } = config;
        let counters = Arc::<Counters>::default();
        let engine = SocketConfig {
            secret: engine_secret(&sessions, &chain.genesis()),
            listen,
            folder: data.join("engine"),
            genesis: chain.genesis(),
            anchor: chain.anchor()?,
            epoch_blocks: chain.epoch_blocks(),
            interval_ms,
            timing: Timing::for_interval(interval_ms),
            stack_bytes: VM_THREAD_STACK_BYTES,
            counters: counters.clone(),
        };
        knows_its_votes(&chain, &engine)?;
        chain.begin_votes(&engine.folder, clock.now())?;
        let own = Member {
            key: engine.secret.public(),
            address: listen.map_or_else(String::new, |address| address.to_string()),
        };
        let kept = sessions.iter().map(|session| session.engine_secret().public()).collect();
        let crew = Crew { own, kept, listens: listen.is_some() };
        if !crew.listens {
            is_alone(&chain, &crew)?;
        }
        let checkpoints = Arc::new(Keeper::open(&data, &chain, sessions.clone())?);
        let attesting = Attesting::new(&chain, sessions, &data)?;
        let signal = Signal::default();
        let (gossip, outbox) = gossip();
        let view = {
            let (signal, gossip) = (signal.clone(), gossip.clone());
            let submitted = move |extrinsic: &[u8]| {
                gossip.tell(extrinsic.to_vec());
                signal.raise();
            };
            let sessions = attesting.sessions();
            let role =
                Role { is_networked: crew.listens, is_voter: crew.listens, sessions, network: counters };
            View::new(&genesis.chain, chain.clone(), role, checkpoints.clone(), Arc::new(submitted))
        };
        let server = rpc.map(|address| RpcServer::start(address, view.clone())).transpose()?;
        let snapshot = chain.snapshot();
        info!(genesis = %chain.genesis(), height = %snapshot.height(), best = %snapshot.hash(), "chain opened");
        let node = Arc::new(Node { chain, view, gossip, checkpoints, crew, executed: Arc::default() });
        Ok(Self { node, clock, engine, attesting, signal, outbox, server, folder: data, room })
    }

    /// The chain.
    pub fn chain(&self) -> &Arc<Chain> {
        &self.node.chain
    }

    /// What wakes the engine: to be raised after something was submitted to [`Service::chain`] itself.
    pub const fn signal(&self) -> &Signal {
        &self.signal
    }

    /// Where RPC is served.
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(RpcServer::address)
    }

    /// Order, execute, attest and serve until `stop` is raised. What is committed then is durable.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn run(self, mut stop: Watch) -> Result<(), ServiceError> {
        let Self { node, clock, engine, mut attesting, signal, outbox, server, folder, room } = self;
        let ahead_s = node.chain.now().ms().saturating_sub(clock.now().ms()) / 1_000;
        if ahead_s > CLOCK_BEHIND_S {
            warn!(
                ahead_s,
                "the chain's time is ahead of this node's clock: no block until the clock is there; was it run with \
                 --clock-rate?"
            );
        }
        let failed = Signal::default();
        let for_help = || {
            let failed = failed.clone();
            move || failed.raise()
        };
        let attestor = {
            let (node, signal) = (node.clone(), signal.clone());
            Hand::start("attestor", for_help(), move || {
                let mut told = Instant::now();
                while !node.executed.is_stopped() {
                    if attesting
                        .attest(&node.chain, &node.view.published(), |vote| node.gossip.tell(vote.to_vec()))
                    {
                        signal.raise();
                    }
                    node.sign_checkpoints();
                    if told.elapsed() > RETELL {
                        node.retell();
                        told = Instant::now();
                    }
                    node.executed.wait(PATIENCE);
                }
            })?
        };
        let watchman = {
            let (node, full) = (node.clone(), failed.clone());
            Hand::start("room", for_help(), move || -> Result<(), ServiceError> {
                while !node.executed.is_stopped() {
                    room.look().inspect_err(|_| full.raise())?;
                    thread::sleep(LOOK);
                }
                Ok(())
            })?
        };
        let mut failed = failed.watch();
        let stop = async move {
            let (mut stop, mut failed) = (pin!(stop.next()), pin!(failed.next()));
            poll_fn(|context| match (stop.as_mut().poll(context), failed.as_mut().poll(context)) {
                (Poll::Pending, Poll::Pending) => Poll::Pending,
                _ => Poll::Ready(()),
            })
            .await;
        };
        let ended = network::run(engine, clock, node.clone(), signal, outbox, stop);
        node.executed.stop();
        let (attested, watched) = (attestor.join(), watchman.join());
        drop(server);
        let ended = ended.map_err(|reason| ServiceError::from(Box::new(reason)));
        let settled = ended.and_then(|()| Ok(node.chain.settle()?));
        settled.map_err(|reason| reason.or_no_room(&folder))?;
        attested.and(watched)??;
        info!(height = %node.chain.snapshot().height(), "stopped");
        Ok(())
    }
}

/// Whether a node among others still has what its engine voted for. One that began with a snapshot does not need it: it votes
/// in no epoch that it may have voted in before.
fn knows_its_votes(chain: &Chain, engine: &SocketConfig) -> Result<(), ServiceError> {
    let snapshot = chain.snapshot();
    let is_new = snapshot.height() == Height::ZERO || snapshot.base().is_some();
    if engine.listen.is_none() || engine.folder.exists() || is_new {
        return Ok(());
    }
    Err(ServiceError::VotesLost { folder: engine.folder.clone(), height: snapshot.height() })
}

/// Whether a node that nobody can reach may order: it must do so alone.
fn is_alone(chain: &Chain, crew: &Crew) -> Result<(), ServiceError> {
    let epoch = chain.snapshot().height().next().number() / chain.epoch_blocks();
    let committee = crew.of(chain.committee(epoch).unwrap_or_default());
    if committee == [crew.own.clone()] {
        return match chain.snapshot().base() {
            Some(base) => Err(ServiceError::OthersBegan(base.height)),
            None => Ok(()),
        };
    }
    let own = committee.iter().find(|member| member.key == crew.own.key);
    Err(ServiceError::NeedsPeers {
        engines: committee.len(),
        own: own.map_or_else(|| "HOST:PORT".to_owned(), |member| member.address.clone()),
    })
}

impl Node {
    /// Sign the checkpoints that are durable now.
    fn sign_checkpoints(&self) {
        let signed = self.checkpoints.advance(&self.view.published(), |epoch| self.chain.session_set(epoch));
        self.tell_checkpoints(signed);
    }

    fn tell_checkpoints(&self, words: Result<Vec<Vec<u8>>, KeeperError>) {
        match words {
            Ok(words) => words.into_iter().for_each(|word| self.gossip.tell_checkpoint(word)),
            Err(reason) => error!(%reason, "checkpoints stand still"),
        }
    }

    /// What peers may have missed, once more.
    fn retell(&self) {
        self.chain.own_waiting(RETELL_BYTES).into_iter().for_each(|one| self.gossip.tell(one));
        self.tell_checkpoints(Ok(self.checkpoints.retell()));
    }
}

impl Application for Node {
    type Error = ChainError;

    fn tip(&self) -> Parent {
        self.chain.tip()
    }

    fn propose(
        &self,
        parent: &Parent,
        unexecuted: &[&OrderedBlock],
        timestamp: Timestamp,
    ) -> Result<Option<Proposal>, ChainError> {
        self.chain.propose(parent, unexecuted, timestamp)
    }

    fn verify(&self, block: &OrderedBlock) -> Verdict {
        self.chain.verify(block)
    }

    fn executed(&self, height: Height) -> Option<Hash> {
        self.chain.executed(height)
    }

    fn ordered(&self, height: Height) -> Option<OrderedBlock> {
        self.chain.ordered(height)
    }

    fn diverged(&self, theirs: &Executed, own: &Hash, by: EngineKey) {
        self.chain.diverged(theirs, own, by);
    }

    fn committee(&self, epoch: u64) -> Option<Vec<Member>> {
        self.chain.committee(epoch).map(|committee| self.crew.of(committee))
    }

    fn may_vote(&self, epoch: u64) -> bool {
        self.chain.may_vote(epoch)
    }

    fn hear(&self, extrinsics: Vec<Vec<u8>>) {
        self.chain.hear(extrinsics);
    }

    fn hear_checkpoints(&self, words: Vec<Vec<u8>>) {
        self.tell_checkpoints(self.checkpoints.hear(&words));
    }

    fn finalized(&self, block: OrderedBlock, certificate: Certificate) -> Result<(), ChainError> {
        let (height, time, before) = (block.height, block.timestamp, self.chain.statistics());
        self.chain.finalized(block, certificate)?;
        let done = since(self.chain.statistics(), before);
        info!(
            %height,
            hash = %self.chain.snapshot().hash(),
            time_ms = time.ms(),
            extrinsics = done.extrinsics,
            failed = done.failed,
            skipped = done.skipped,
            execute_us = micros(done.executing),
            commit_us = micros(done.committing),
            "block"
        );
        Ok(())
    }

    fn settle(&self) -> Result<(), ChainError> {
        Application::settle(&*self.chain)?;
        self.view.publish();
        self.executed.ring();
        Ok(())
    }
}

const fn since(now: Statistics, before: Statistics) -> Statistics {
    Statistics {
        blocks: now.blocks - before.blocks,
        extrinsics: now.extrinsics - before.extrinsics,
        failed: now.failed - before.failed,
        skipped: now.skipped - before.skipped,
        verifying: now.verifying.saturating_sub(before.verifying),
        executing: now.executing.saturating_sub(before.executing),
        committing: now.committing.saturating_sub(before.committing),
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

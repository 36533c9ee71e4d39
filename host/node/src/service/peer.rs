//! A node among validators: the engine of the network orders, this executes, publishes and attests.
//!
//! Three threads: the engine's, which also executes; one that re-runs clearings and votes; and RPC's.

use super::attesting::Attesting;
use super::bell::Bell;
use super::config::{EngineConfig, ServiceConfig};
use super::error::ServiceError;
use super::view::{Role, View};
use crate::chain_spec::ChainSpec;
use crate::checkpoint::{Keeper, KeeperError};
use crate::node::{Chain, ChainError};
use host_consensus::network::{Gossip, Member, Outbox, Signal, SocketConfig, Timing, gossip};
use host_consensus::{Application, Certificate, Clock, Parent, Proposal, Verdict, network};
use host_rpc::RpcServer;
use runtime_execution::build_genesis;
use runtime_primitives::{Executed, Hash, Height, OrderedBlock, Timestamp};
use runtime_vm::VM_THREAD_STACK_BYTES;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tracing::{error, info, warn};

/// Longest wait of the attestor without a look at the chain.
const PATIENCE: Duration = Duration::from_secs(1);
/// What still waits after this time is told again: a peer may have been away.
const RETELL: Duration = Duration::from_secs(10);
/// Bytes that are told again at a time.
const RETELL_BYTES: usize = 256 << 10;

/// A node of a network, ready to run.
pub struct Peer<C> {
    node: Arc<Node>,
    clock: C,
    engine: SocketConfig,
    attesting: Attesting,
    signal: Signal,
    outbox: Outbox,
    server: Option<RpcServer>,
}

/// The application behind the engine.
struct Node {
    chain: Arc<Chain>,
    view: View,
    gossip: Gossip,
    checkpoints: Arc<Keeper>,
    /// Rung when a block is durable: claims may be open on it.
    executed: Arc<Bell>,
}

impl<C: Clock + Clone + 'static> Peer<C> {
    /// Open or start the chain, the sessions and the RPC server.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn start(config: ServiceConfig, engine: EngineConfig, clock: C) -> Result<Self, ServiceError> {
        let ServiceConfig { data, genesis, interval_ms, rpc, sessions } = config;
        let file = data.join("chain.redb");
        std::fs::create_dir_all(&data)
            .map_err(|source| ServiceError::Folder { path: data.clone(), source })?;
        let is_new = !file.exists();
        let chain = Arc::new(Chain::open(&file, &genesis)?);
        if is_new {
            ChainSpec::keep(&genesis, interval_ms, &file)?;
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
            let role = Role { is_networked: true, sessions: attesting.sessions() };
            View::new(&genesis.chain, chain.clone(), role, checkpoints.clone(), Arc::new(submitted))
        };
        let server = rpc.map(|address| RpcServer::start(address, view.clone())).transpose()?;
        let first = build_genesis(&genesis).map_err(ChainError::from)?.block;
        let snapshot = chain.snapshot();
        info!(genesis = %chain.genesis(), height = %snapshot.height(), best = %snapshot.hash(), "chain opened");
        let engine = SocketConfig {
            secret: engine.secret,
            listen: engine.listen,
            folder: data.join("engine"),
            genesis: chain.genesis(),
            first,
            epoch_blocks: chain.epoch_blocks(),
            interval_ms,
            timing: Timing::for_interval(interval_ms),
            stack_bytes: VM_THREAD_STACK_BYTES,
        };
        let node = Arc::new(Node { chain, view, gossip, checkpoints, executed: Arc::default() });
        Ok(Self { node, clock, engine, attesting, signal, outbox, server })
    }

    /// The chain.
    pub fn chain(&self) -> &Arc<Chain> {
        &self.node.chain
    }

    /// Where RPC is served.
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(RpcServer::address)
    }

    /// Order, execute, attest and serve until `stop` is raised. What is committed then is durable.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn run(self, stop: &Signal) -> Result<(), ServiceError> {
        let Self { node, clock, engine, mut attesting, signal, outbox, server } = self;
        let mut stopping = stop.watch();
        let folder = engine.folder.parent().map_or_else(|| engine.folder.clone(), Path::to_owned);
        let attestor = {
            let (node, signal) = (node.clone(), signal.clone());
            let work = move || {
                let mut told = Instant::now();
                while !node.executed.is_stopped() {
                    node.executed.wait(PATIENCE);
                    node.attest(&mut attesting, &signal);
                    node.sign_checkpoints();
                    if told.elapsed() > RETELL {
                        node.retell();
                        told = Instant::now();
                    }
                }
            };
            let thread = thread::Builder::new().name("attestor".into()).stack_size(VM_THREAD_STACK_BYTES);
            thread.spawn(work).map_err(ServiceError::Thread)?
        };
        let ended =
            network::run(engine, clock, node.clone(), signal, outbox, async move { stopping.next().await });
        node.executed.stop();
        let _ = attestor.join();
        drop(server);
        let ended = ended.map_err(|reason| ServiceError::from(Box::new(reason)));
        let settled = ended.and_then(|()| Ok(node.chain.settle()?));
        settled.map_err(|reason| reason.or_no_room(&folder))?;
        info!(height = %node.chain.snapshot().height(), "stopped");
        Ok(())
    }
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

    fn attest(&self, attesting: &mut Attesting, signal: &Signal) {
        let votes = attesting.votes(&self.view.published());
        if votes.is_empty() {
            return;
        }
        for (vote, answer) in votes.iter().zip(self.chain.submit(votes.clone())) {
            match answer {
                Ok(_) => self.gossip.tell(vote.clone()),
                Err(reason) => warn!(%reason, "a vote was refused"),
            }
        }
        signal.raise();
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

    fn diverged(&self, theirs: &Executed, own: &Hash) {
        self.chain.diverged(theirs, own);
    }

    fn committee(&self, epoch: u64) -> Option<Vec<Member>> {
        self.chain.committee(epoch)
    }

    fn hear(&self, extrinsics: Vec<Vec<u8>>) {
        self.chain.hear(extrinsics);
    }

    fn hear_checkpoints(&self, words: Vec<Vec<u8>>) {
        self.tell_checkpoints(self.checkpoints.hear(&words));
    }

    fn finalized(&self, block: OrderedBlock, certificate: Certificate) -> Result<(), ChainError> {
        let (height, time, extrinsics) = (block.height, block.timestamp, block.extrinsics.len());
        self.chain.finalized(block, certificate)?;
        info!(%height, time_ms = time.ms(), extrinsics, hash = %self.chain.snapshot().hash(), "block");
        Ok(())
    }

    fn settle(&self) -> Result<(), ChainError> {
        Application::settle(&*self.chain)?;
        self.view.publish();
        self.executed.ring();
        Ok(())
    }
}

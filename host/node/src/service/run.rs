//! The service's one loop: vote on open claims, order a block if there is something to order, publish it, wait.
//!
//! The rule: nothing is shown or voted on twice differently after a crash. Votes are journalled before they are
//! released, blocks flushed before they are published.

use super::bell::Bell;
use super::config::ServiceConfig;
use super::error::ServiceError;
use super::view::View;
use crate::agent::{Attestor, Desk, Journal};
use crate::chain_spec::ChainSpec;
use crate::keys::Signer;
use crate::node::{Chain, Statistics};
use contract_interface::Stage;
use host_consensus::{Clock, Progress, Solo};
use host_rpc::RpcServer;
use host_storage::Snapshot;
use runtime_execution::modules::attestation::BALLOTS;
use runtime_execution::modules::markets::At;
use runtime_execution::modules::registry::VALIDATORS;
use runtime_primitives::{Hash, Timestamp};
use runtime_state::Overlay;
use runtime_vm::{EngineKind, Vm};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tracing::{error, info, warn};

/// Longest wait without a look at the clock: the system's may be set.
const PATIENCE: Duration = Duration::from_secs(10);

/// A clock so far behind the chain is worth a word, in seconds.
const CLOCK_BEHIND_S: u64 = 60;

/// A running node under a solo engine.
pub struct Service<C> {
    chain: Arc<Chain>,
    clock: C,
    engine: Solo<Arc<Chain>, C>,
    attestors: Vec<Attestor>,
    /// The second engine, if there is somebody to attest.
    second: Option<Vm>,
    /// Block whose claims were voted on last.
    attested: Option<Hash>,
    bell: Arc<Bell>,
    view: View,
    server: Option<RpcServer>,
}

impl<C: Clock + Clone> Service<C> {
    /// Open or start the chain, the sessions and the RPC server.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn start(config: ServiceConfig, clock: C) -> Result<Self, ServiceError> {
        let ServiceConfig { data, genesis, interval_ms, rpc, sessions } = config;
        std::fs::create_dir_all(&data)
            .map_err(|source| ServiceError::Folder { path: data.clone(), source })?;
        let file = data.join("chain.redb");
        let is_new = !file.exists();
        let chain = Arc::new(Chain::open(&file, &genesis)?);
        if is_new {
            ChainSpec::keep(&genesis, interval_ms, &file)?;
        }
        let attestors = attestors(&chain, sessions, &data)?;
        let second = if attestors.is_empty() { None } else { Some(Vm::new(EngineKind::Wasmi)?) };
        let bell = Arc::new(Bell::default());
        let view = View::new(&genesis.chain, chain.clone(), bell.clone());
        let server = rpc.map(|address| RpcServer::start(address, view.clone())).transpose()?;
        let engine = Solo::new(chain.clone(), clock.clone(), interval_ms);
        let snapshot = chain.snapshot();
        info!(genesis = %chain.genesis(), height = %snapshot.height(), best = %snapshot.hash(), "chain opened");
        Ok(Self { chain, clock, engine, attestors, second, attested: None, bell, view, server })
    }
}

impl<C: Clock> Service<C> {
    /// The chain.
    pub const fn chain(&self) -> &Arc<Chain> {
        &self.chain
    }

    /// What rings when there is something to do, and how to stop.
    pub const fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// Where RPC is served.
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(RpcServer::address)
    }

    /// Vote on open claims, then order at most one block and make it durable.
    ///
    /// # Errors
    /// [`ServiceError`]; the chain then stands at its last whole block.
    pub fn step(&mut self) -> Result<Progress, ServiceError> {
        self.attest();
        let before = self.chain.statistics();
        let progress = self.engine.wake().map_err(Box::new)?;
        if let Progress::Finalized { height, timestamp } = progress {
            self.chain.settle()?;
            self.view.publish();
            let done = since(self.chain.statistics(), before);
            let hash = self.chain.snapshot().hash();
            info!(
                %height,
                %hash,
                time_ms = timestamp.ms(),
                extrinsics = done.extrinsics,
                failed = done.failed,
                skipped = done.skipped,
                execute_us = micros(done.executing),
                commit_us = micros(done.committing),
                "block"
            );
        }
        Ok(progress)
    }

    /// Serve until the bell says stop. The block in work is finished and durable then.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn run(&mut self) -> Result<(), ServiceError> {
        let ahead_s = self.chain.now().ms().saturating_sub(self.clock.now().ms()) / 1_000;
        if ahead_s > CLOCK_BEHIND_S {
            warn!(
                ahead_s,
                "the chain's time is ahead of this node's clock: no block until the clock is there; was it run with \
                 --clock-rate?"
            );
        }
        while !self.bell.is_stopped() {
            match self.step()? {
                Progress::Finalized { .. } => {}
                Progress::Waiting { until } => self.bell.pause(self.until(until)),
                Progress::Idle => {
                    let due = self.chain.next_due();
                    self.bell.wait(due.map_or(PATIENCE, |due| self.until(due)));
                }
            }
        }
        self.chain.settle()?;
        info!(height = %self.chain.snapshot().height(), "stopped");
        Ok(())
    }

    fn until(&self, time: Timestamp) -> Duration {
        self.clock.until(time).min(PATIENCE)
    }

    /// Vote on every claim that is open on the best block, once a block.
    fn attest(&mut self) {
        let Some(second) = &self.second else { return };
        let snapshot = self.chain.snapshot();
        if self.attested.replace(snapshot.hash()) == Some(snapshot.hash()) {
            return;
        }
        let mut votes = Vec::new();
        for attestor in &mut self.attestors {
            votes.extend(votes_of(attestor, &snapshot, second));
        }
        if votes.is_empty() {
            return;
        }
        for answer in self.chain.submit(votes) {
            if let Err(reason) = answer {
                warn!(%reason, "a vote was refused");
            }
        }
    }
}

/// An attestor's votes on open claims. A vote that cannot be journalled is not released.
fn votes_of(attestor: &mut Attestor, snapshot: &Snapshot, second: &Vm) -> Vec<Vec<u8>> {
    let state = Overlay::new(snapshot);
    let mut votes = Vec::new();
    for (market, slot, stage, _) in BALLOTS.entries(&state).into_keys() {
        let at: At = (market, slot);
        let Some(desk) = Desk::open(&state, at) else { continue };
        let vote = if stage == Stage::Authentication {
            attestor.attest(&desk, second).map(|vote| {
                vote.map(|(vote, verdict)| {
                    let agrees = verdict.agrees();
                    info!(%market, %slot, agrees, own = %verdict.own, chain = %verdict.chain, "clearing re-run");
                    vote
                })
            })
        } else {
            attestor.arbitrate(&desk)
        };
        match vote {
            Ok(vote) => votes.extend(vote),
            Err(reason) => error!(%market, %slot, %reason, "vote withheld"),
        }
    }
    votes
}

/// The attestors of `sessions`, each with its journal in `folder`.
fn attestors(chain: &Chain, sessions: Vec<Signer>, folder: &Path) -> Result<Vec<Attestor>, ServiceError> {
    let snapshot = chain.snapshot();
    let validators = VALIDATORS.get(&Overlay::new(&snapshot)).unwrap_or_default();
    let attestor = |session: Signer| {
        let key = session.account();
        let validator = validators.iter().find(|validator| validator.session_key == key);
        let entity = validator.ok_or(ServiceError::NotASession(key))?.entity;
        let journal = Journal::open(&folder.join(format!("votes-{key}")))?;
        info!(%entity, session = %key, "attesting");
        Ok(Attestor::new(entity, session, chain.genesis(), journal))
    };
    sessions.into_iter().map(attestor).collect()
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

//! The service's one loop: vote on open claims, order a block if there is something to order, publish it, wait.
//!
//! The rule: nothing is shown or voted on twice differently after a crash. Votes are journalled before they are
//! released, blocks flushed before they are published.

use super::attesting::Attesting;
use super::bell::Bell;
use super::config::ServiceConfig;
use super::error::ServiceError;
use super::view::{Role, View};
use crate::chain_spec::ChainSpec;
use crate::checkpoint::Keeper;
use crate::node::{Chain, Statistics};
use host_consensus::{Clock, Progress, Solo};
use host_rpc::RpcServer;
use runtime_primitives::Timestamp;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

/// Longest wait without a look at the clock: the system's may be set.
const PATIENCE: Duration = Duration::from_secs(10);

/// A clock so far behind the chain is worth a word, in seconds.
const CLOCK_BEHIND_S: u64 = 60;

/// A running node under a solo engine.
pub struct Service<C> {
    chain: Arc<Chain>,
    clock: C,
    engine: Solo<Arc<Chain>, C>,
    attesting: Attesting,
    checkpoints: Arc<Keeper>,
    bell: Arc<Bell>,
    view: View,
    server: Option<RpcServer>,
    folder: PathBuf,
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
        let checkpoints = Arc::new(Keeper::open(&data, &chain, sessions.clone())?);
        let attesting = Attesting::new(&chain, sessions, &data)?;
        let bell = Arc::new(Bell::default());
        let ringing = bell.clone();
        let role = Role { is_networked: false, sessions: attesting.sessions() };
        let view = View::new(
            &genesis.chain,
            chain.clone(),
            role,
            checkpoints.clone(),
            Arc::new(move |_: &[u8]| ringing.ring()),
        );
        let server = rpc.map(|address| RpcServer::start(address, view.clone())).transpose()?;
        let engine = Solo::new(chain.clone(), clock.clone(), interval_ms);
        let snapshot = chain.snapshot();
        info!(genesis = %chain.genesis(), height = %snapshot.height(), best = %snapshot.hash(), "chain opened");
        Ok(Self { chain, clock, engine, attesting, checkpoints, bell, view, server, folder: data })
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
            self.checkpoints.advance(&self.view.published(), |epoch| self.chain.session_set(epoch))?;
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
        self.serve().map_err(|reason| reason.or_no_room(&self.folder))?;
        info!(height = %self.chain.snapshot().height(), "stopped");
        Ok(())
    }

    fn serve(&mut self) -> Result<(), ServiceError> {
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
        Ok(self.chain.settle()?)
    }

    fn until(&self, time: Timestamp) -> Duration {
        self.clock.until(time).min(PATIENCE)
    }

    /// Vote on every claim that is open on the best block, once a block.
    fn attest(&mut self) {
        let votes = self.attesting.votes(&self.chain.snapshot());
        for answer in self.chain.submit(votes) {
            if let Err(reason) = answer {
                warn!(%reason, "a vote was refused");
            }
        }
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

//! The follower: asks its sources in turn, believes what is proven, executes it.
//!
//! The rule: a source that lies is named and asked no more; one that cannot answer rests and is asked again.

use super::error::FollowFault;
use super::proven::{ProvenBlock, best_digest, prove};
use super::source::Source;
use crate::checkpoint::{Certificate, Keeper, KeeperError};
use crate::node::{Chain, ChainError};
use host_consensus::Application as _;
use parity_scale_codec::DecodeAll;
use runtime_primitives::Height;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use thiserror::Error;
use tracing::{error, info, warn};

/// A source that could not answer is asked again after this.
const REST: Duration = Duration::from_secs(3);
/// How often certificates of checkpoints are asked for.
const CERTIFICATES_EVERY: Duration = Duration::from_secs(1);
/// How often a word is said of a long way.
const WORD_EVERY: Duration = Duration::from_secs(5);

/// Why a chain cannot be followed on.
#[derive(Debug, Error)]
pub enum NoSource {
    /// All sources are refused.
    #[error("nobody is left to follow; name other nodes with --follow. Refused: {}", .0.join("; "))]
    AllLie(Vec<String>),
    /// No engine ordered the last block that is here.
    #[error(
        "the chain here was ordered by one node alone up to block {0}: nobody's proof goes on from there; follow in an \
         empty data folder"
    )]
    OrderedAlone(Height),
    /// Nobody can prove a block of this chain.
    #[error(
        "the spec's validators have no engines: one node orders this chain alone, and its blocks have no proofs"
    )]
    NoEngines,
    /// The chain cannot go on.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The checkpoints cannot be kept.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
}

/// What came of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many blocks were executed and are durable.
    Executed(u64),
    /// The source that was asked has no more blocks.
    Level,
    /// The source that was asked was of no use.
    Failed,
}

/// A source and whether it may be asked.
struct Seat {
    source: Box<dyn Source>,
    is_of_chain: bool,
    rests_until: Option<Instant>,
}

/// Follows a chain.
pub struct Follower {
    chain: Arc<Chain>,
    checkpoints: Arc<Keeper>,
    seats: Vec<Seat>,
    /// Who was refused, and why.
    refused: Vec<String>,
    proven: VecDeque<ProvenBlock>,
    asked_certificates: Instant,
    way: Way,
}

impl Follower {
    /// Follow `chain` by what `sources` give.
    ///
    /// # Errors
    /// [`NoSource::NoEngines`], [`NoSource::OrderedAlone`].
    pub fn new(
        chain: Arc<Chain>,
        checkpoints: Arc<Keeper>,
        sources: Vec<Box<dyn Source>>,
    ) -> Result<Self, NoSource> {
        let next = chain.snapshot().height().next();
        if chain.committee(next.number() / chain.epoch_blocks()).unwrap_or_default().is_empty() {
            return Err(NoSource::NoEngines);
        }
        let seat = |source| Seat { source, is_of_chain: false, rests_until: None };
        let seats = sources.into_iter().map(seat).collect();
        Ok(Self {
            chain,
            checkpoints,
            seats,
            refused: Vec::new(),
            proven: VecDeque::new(),
            asked_certificates: Instant::now(),
            way: Way::from(next.number() - 1),
        })
    }

    /// Ask one source for a page of blocks and execute it: what is executed is durable, whatever came of the step. Runs contracts: call it on a thread with `VM_THREAD_STACK_BYTES`
    /// of stack.
    ///
    /// # Errors
    /// [`NoSource`].
    pub fn step(&mut self) -> Result<Step, NoSource> {
        let now = Instant::now();
        if self.seats.is_empty() {
            return Err(NoSource::AllLie(self.refused.clone()));
        }
        if self.seats[0].rests_until.is_some_and(|until| until > now) {
            self.seats.rotate_left(1);
            return Ok(Step::Failed);
        }
        match self.pull()? {
            Ok(0) => {
                self.seats.rotate_left(1);
                Ok(Step::Level)
            }
            Ok(blocks) => {
                self.way.report(&self.chain, &*self.seats[0].source);
                Ok(Step::Executed(blocks))
            }
            Err(fault) => {
                self.put_off(&fault);
                Ok(Step::Failed)
            }
        }
    }

    /// The first source is of no use: it comes last, or never again.
    fn put_off(&mut self, fault: &FollowFault) {
        let mut seat = self.seats.remove(0);
        if fault.is_lie() {
            error!(source = seat.source.name(), %fault, "a source gives what no honest node does: it is refused");
            self.refused.push(format!("{}: {fault}", seat.source.name()));
            return;
        }
        if seat.rests_until.is_none() {
            warn!(source = seat.source.name(), %fault, "a source is of no use now");
        }
        seat.rests_until = Some(Instant::now() + REST);
        self.seats.push(seat);
    }

    /// Execute a page of blocks from the first source; gives how many.
    fn pull(&mut self) -> Result<Result<u64, FollowFault>, NoSource> {
        let height = self.chain.snapshot().height();
        let Some(best) = best_digest(&self.chain).map_err(ChainError::from)? else {
            return Err(NoSource::OrderedAlone(height));
        };
        let seat = &mut self.seats[0];
        if let Err(fault) = seat.introduce(&self.chain) {
            return Ok(Err(fault));
        }
        if self.proven.is_empty() {
            let claim = match seat.source.finality(height) {
                Ok(Some(claim)) => claim,
                Ok(None) => {
                    seat.rests_until = None;
                    return self.certify(height);
                }
                Err(fault) => return Ok(Err(fault.into())),
            };
            match prove(&self.chain, &best, claim) {
                Ok(proven) => self.proven = proven,
                Err(fault) => return Ok(Err(fault)),
            }
        }
        let page = match seat.source.blocks(height) {
            Ok(page) if page.is_empty() => return Ok(Err(FollowFault::Withheld { after: height })),
            Ok(page) => page,
            Err(fault) => return Ok(Err(fault.into())),
        };
        seat.rests_until = None;
        let executed = self.execute(height, &page)?;
        let after = self.chain.snapshot().height();
        if after > height {
            self.chain.settle().map_err(NoSource::from)?;
        }
        let certified = self.certify(after)?;
        Ok(executed.and(certified).map(|_| after.number() - height.number()))
    }

    /// Execute the blocks of a page, as far as they are the proven ones.
    fn execute(&mut self, mut height: Height, page: &[Vec<u8>]) -> Result<Result<(), FollowFault>, NoSource> {
        for bytes in page {
            height = height.next();
            let Some(next) = self.proven.front() else { break };
            let (block, certificate) = match next.open(height, bytes) {
                Ok(opened) => opened,
                Err(fault) => return Ok(Err(fault)),
            };
            self.chain.finalized(block, certificate)?;
            self.proven.pop_front();
        }
        Ok(Ok(()))
    }

    /// Look at the checkpoints up to `height`, which is durable, and ask the first source for their certificates; gives 0.
    fn certify(&mut self, height: Height) -> Result<Result<u64, FollowFault>, NoSource> {
        let best = self.chain.snapshot();
        if best.height() == height {
            self.checkpoints.advance(&best, |epoch| self.chain.session_set(epoch))?;
        }
        let Some(first) = self.checkpoints.first_pending() else { return Ok(Ok(0)) };
        if self.asked_certificates.elapsed() < CERTIFICATES_EVERY {
            return Ok(Ok(0));
        }
        self.asked_certificates = Instant::now();
        let page = match self.seats[0].source.certificates(first - 1) {
            Ok(page) => page,
            Err(fault) => return Ok(Err(fault.into())),
        };
        for bytes in &page {
            let Ok(certificate) = Certificate::decode_all(&mut &bytes[..]) else {
                return Ok(Err(FollowFault::Certificate { bytes: bytes.len() }));
            };
            if let Err(fault) = self.checkpoints.take(certificate)? {
                return Ok(Err(fault.into()));
            }
        }
        Ok(Ok(0))
    }
}

impl Seat {
    /// Ask it once which chain it is of.
    fn introduce(&mut self, chain: &Chain) -> Result<(), FollowFault> {
        if !self.is_of_chain {
            let (found, wanted) = (self.source.genesis()?.unwrap_or_default(), chain.genesis());
            if found != wanted {
                return Err(FollowFault::OtherChain { found, wanted });
            }
            self.is_of_chain = true;
        }
        Ok(())
    }
}

/// How far a long way has been gone.
struct Way {
    since: Instant,
    from: u64,
}

impl Way {
    fn from(height: u64) -> Self {
        Self { since: Instant::now(), from: height }
    }

    /// Say how far it is, now and then.
    fn report(&mut self, chain: &Chain, source: &dyn Source) {
        let ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        if self.since.elapsed() < WORD_EVERY {
            return;
        }
        let height = chain.snapshot().height().number();
        let blocks_per_s = (height - self.from).saturating_mul(1_000) / ms.max(1);
        let target = source.height().unwrap_or_default().max(height);
        info!(height, target, blocks_per_s, source = source.name(), "following");
        *self = Self::from(height);
    }
}

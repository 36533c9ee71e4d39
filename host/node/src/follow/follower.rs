//! The follower: asks its sources in turn, believes what is proven, executes it.
//!
//! The rule: a source that is shown to lie is named and asked no more; one that cannot answer, or not so that it can be read,
//! rests ever longer and is asked again. Who gives nothing but what cannot be read is given up in the end.

use super::error::{Blame, FollowFault};
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

/// A source that could not answer is asked again after this; after twice as long when it fails again, and so on.
const REST: Duration = Duration::from_secs(3);
/// Times that the rest is doubled: 48 seconds are the longest.
const RESTS_DOUBLED_MAX: u32 = 4;
/// A source is given up whose answers could not be read so often one after the other, in some three minutes.
const UNREADABLE_MAX: u32 = 8;
/// How often certificates of checkpoints are asked for.
const CERTIFICATES_EVERY: Duration = Duration::from_secs(1);
/// How often a word is said of a long way.
const WORD_EVERY: Duration = Duration::from_secs(5);

/// Why a chain cannot be followed on.
#[derive(Debug, Error)]
pub enum NoSource {
    /// All sources are refused or given up.
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
    /// How often it failed since it last answered, and of these without a break how often its answer could not be read.
    failures: u32,
    unreadable: u32,
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
        let seats = sources.into_iter().map(Seat::of).collect();
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
                self.seats[0].answered();
                self.seats.rotate_left(1);
                Ok(Step::Level)
            }
            Ok(blocks) => {
                self.seats[0].answered();
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
        let blame = fault.blame();
        if blame == Blame::Lie {
            error!(source = seat.source.name(), %fault, "a source gives what no honest node does: it is refused");
            self.refused.push(format!("{}: {fault}", seat.source.name()));
            return;
        }
        let rest = seat.failed(blame);
        if seat.unreadable >= UNREADABLE_MAX {
            error!(source = seat.source.name(), %fault, "a source gives nothing that can be read: it is given up");
            self.refused.push(format!(
                "{}: given up after {UNREADABLE_MAX} answers that cannot be read, the last: {fault}",
                seat.source.name()
            ));
            return;
        }
        if seat.failures.is_power_of_two() {
            let (source, times, rest_s) = (seat.source.name(), seat.failures, rest.as_secs());
            warn!(source, times, rest_s, %fault, "a source is of no use now");
        }
        seat.rests_until = Some(Instant::now() + rest);
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
                Ok(None) => return self.certify(height),
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
    fn of(source: Box<dyn Source>) -> Self {
        Self { source, is_of_chain: false, rests_until: None, failures: 0, unreadable: 0 }
    }

    /// Note an answer that was of use.
    const fn answered(&mut self) {
        (self.rests_until, self.failures, self.unreadable) = (None, 0, 0);
    }

    /// Note a failure; gives how long to rest.
    fn failed(&mut self, blame: Blame) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.unreadable = if blame == Blame::Unreadable { self.unreadable + 1 } else { 0 };
        REST * 2u32.pow((self.failures - 1).min(RESTS_DOUBLED_MAX))
    }

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::chain_spec::Preset;
    use host_rpc::ClientError;
    use host_storage::Stretch;
    use runtime_primitives::Hash;
    use std::sync::Mutex;
    use tempfile::TempDir;

    type Answer = Result<Option<Stretch>, ClientError>;

    const UNREADABLE: ClientError = ClientError::Answer { method: "busbar_getFinality" };

    fn unreachable() -> ClientError {
        ClientError::Refused { method: "busbar_getFinality", message: "not now".into() }
    }

    /// A source that says what is next on its list, and then that it is level.
    struct Scripted(Hash, Mutex<VecDeque<Answer>>);

    impl Source for Scripted {
        fn name(&self) -> &str {
            "scripted"
        }

        fn genesis(&self) -> Result<Option<Hash>, ClientError> {
            Ok(Some(self.0))
        }

        fn height(&self) -> Result<u64, ClientError> {
            Ok(0)
        }

        fn finality(&self, _: Height) -> Answer {
            self.1.lock().unwrap().pop_front().unwrap_or(Ok(None))
        }

        fn blocks(&self, _: Height) -> Result<Vec<Vec<u8>>, ClientError> {
            Ok(Vec::new())
        }

        fn certificates(&self, _: u64) -> Result<Vec<Vec<u8>>, ClientError> {
            Ok(Vec::new())
        }
    }

    /// A follower of sources that say this, at genesis.
    fn follower(scripts: Vec<Vec<Answer>>) -> (Follower, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let engines: Vec<String> = (1..5).map(|port| format!("127.0.0.1:{port}")).collect();
        let config = Preset::Bare.network(&engines);
        let chain = Arc::new(Chain::open(&folder.path().join("chain.redb"), &config).unwrap());
        let checkpoints = Arc::new(Keeper::open(folder.path(), &chain, Vec::new()).unwrap());
        let genesis = chain.genesis();
        let source =
            |script: Vec<Answer>| Box::new(Scripted(genesis, Mutex::new(script.into()))) as Box<dyn Source>;
        let sources = scripts.into_iter().map(source).collect();
        (Follower::new(chain, checkpoints, sources).unwrap(), folder)
    }

    /// The next step after all rests; gives also how long the one that failed rests, in seconds.
    fn step(follower: &mut Follower) -> (Result<Step, String>, u64) {
        follower.seats.iter_mut().for_each(|seat| seat.rests_until = None);
        let before = Instant::now();
        let step = follower.step().map_err(|reason| reason.to_string());
        let rests = follower.seats.iter().find_map(|seat| seat.rests_until);
        (step, rests.map_or(0, |until| (until - before).as_secs()))
    }

    #[test]
    fn what_cannot_be_read_is_asked_for_again_ever_later_and_in_the_end_no_more() {
        let unreadable = |count| vec![Err(UNREADABLE); count];
        let (mut follower, _folder) = follower(vec![unreadable(7)]);
        for rest_s in [3, 6, 12, 24, 48, 48, 48] {
            assert_eq!(step(&mut follower), (Ok(Step::Failed), rest_s));
        }
        assert_eq!(step(&mut follower), (Ok(Step::Level), 0), "it has recovered");
        assert!(follower.refused.is_empty());

        let (mut follower, _folder) = self::follower(vec![unreadable(99), vec![]]);
        let mut failed = 0;
        while follower.seats.len() == 2 {
            failed += u32::from(step(&mut follower).0.unwrap() == Step::Failed);
        }
        assert_eq!(
            (failed, step(&mut follower).0),
            (UNREADABLE_MAX, Ok(Step::Level)),
            "the other is followed"
        );
        follower.seats.clear();
        let said = step(&mut follower).0.unwrap_err();
        assert!(said.contains("scripted: given up after 8 answers") && said.contains("--follow"), "{said}");
    }

    #[test]
    fn who_cannot_answer_is_never_given_up_and_a_lie_is_one_too_many() {
        let script = (0..20).map(|_| Err(unreachable())).collect();
        let (mut follower, _folder) = follower(vec![script]);
        for _ in 0..20 {
            assert_eq!(step(&mut follower).0, Ok(Step::Failed));
        }
        assert_eq!(step(&mut follower), (Ok(Step::Level), 0));
        follower.seats[0] = Seat::of(Box::new(Scripted(Hash::ZERO, Mutex::default())));
        assert_eq!(step(&mut follower).0, Ok(Step::Failed));
        assert!(step(&mut follower).0.unwrap_err().contains("it is a node of chain"));
    }
}

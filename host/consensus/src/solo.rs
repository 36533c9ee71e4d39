//! The engine of a network of one: what it proposes is final.
//!
//! It takes the same path as every engine (propose, verify, finalize), so that a block which a network would
//! refuse cannot enter a solo chain either. It has no thread and keeps no state: whoever drives it calls
//! [`Solo::wake`] when something may be due.

use crate::{
    Application, BlockFault, Certificate, Clock, Parent, Timeliness, Verdict, check_envelope, check_report,
    check_time,
};
use runtime_primitives::{Height, OrderedBlock, Timestamp};

/// What one call of [`Solo::wake`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A block was ordered, executed and committed.
    Finalized {
        /// Its height.
        height: Height,
        /// Its time.
        timestamp: Timestamp,
    },
    /// The application has nothing to order.
    Idle,
    /// The next block may not come before this time.
    Waiting {
        /// Earliest time of the next block.
        until: Timestamp,
    },
}

/// Why a solo engine stops. It may be woken again; the chain stands where the application's tip says.
#[derive(Debug, thiserror::Error)]
pub enum EngineError<E: std::error::Error + 'static> {
    /// The application cannot go on.
    #[error("the application stopped at height {height}")]
    Application {
        /// Height of the block in work.
        height: Height,
        /// Its reason.
        source: E,
    },
    /// The application proposed what the envelope rules forbid.
    #[error("own proposal {height} breaks a block rule")]
    Envelope {
        /// Height of the proposal.
        height: Height,
        /// The rule.
        source: BlockFault,
    },
    /// The application refuses its own proposal.
    #[error("own proposal {height} was refused: {reason}")]
    Refused {
        /// Height of the proposal.
        height: Height,
        /// The application's reason.
        reason: String,
    },
    /// The application took a final block and did not commit it.
    #[error("block {finalized} is final, but the application stands at {tip}")]
    NotCommitted {
        /// Height handed over.
        finalized: Height,
        /// Height of the tip afterwards.
        tip: Height,
    },
}

/// An engine for one validator.
#[derive(Debug)]
pub struct Solo<A, C> {
    application: A,
    clock: C,
    interval_ms: u64,
}

impl<A: Application, C: Clock> Solo<A, C> {
    /// Order for `application` at `clock`'s time, with at least `interval_ms` between two blocks (0 counts as
    /// 1: time must advance).
    pub fn new(application: A, clock: C, interval_ms: u64) -> Self {
        Self { application, clock, interval_ms: interval_ms.max(1) }
    }

    /// The application behind the port.
    pub const fn application(&self) -> &A {
        &self.application
    }

    /// Order and finalize at most one block.
    ///
    /// # Errors
    /// If the application fails or contradicts itself; nothing was then committed, except as
    /// [`EngineError::NotCommitted`] says.
    pub fn wake(&mut self) -> Result<Progress, EngineError<A::Error>> {
        let parent = self.application.tip();
        let height = parent.height.next();
        let now = self.clock.now();
        let until = parent.timestamp.plus_ms(self.interval_ms);
        if now < until {
            return Ok(Progress::Waiting { until });
        }
        let proposal = self
            .application
            .propose(&parent, &[], now)
            .map_err(|source| EngineError::Application { height, source })?;
        let Some(proposal) = proposal else { return Ok(Progress::Idle) };
        let block = OrderedBlock {
            height,
            executed: proposal.executed,
            timestamp: now,
            extrinsics: proposal.extrinsics,
        };
        self.verify(&parent, &block, now)?;
        self.application
            .finalized(block, Certificate::solo())
            .map_err(|source| EngineError::Application { height, source })?;
        match self.application.tip() {
            Parent { height: tip, timestamp } if tip == height && timestamp == now => {
                Ok(Progress::Finalized { height, timestamp })
            }
            Parent { height: tip, .. } => Err(EngineError::NotCommitted { finalized: height, tip }),
        }
    }

    fn verify(
        &self,
        parent: &Parent,
        block: &OrderedBlock,
        now: Timestamp,
    ) -> Result<(), EngineError<A::Error>> {
        let height = block.height;
        let timeliness = check_envelope(parent, block)
            .and_then(|()| check_report(None, block))
            .and_then(|_| check_time(parent, block.timestamp, now))
            .map_err(|source| EngineError::Envelope { height, source })?;
        assert_eq!(timeliness, Timeliness::Now, "a block stamped with the present is due at present");
        match self.application.verify(block) {
            Verdict::Valid => Ok(()),
            Verdict::Invalid { reason } => Err(EngineError::Refused { height, reason }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::network::{EngineKey, Member};
    use crate::{Proposal, VirtualClock};
    use runtime_primitives::limits::EXTRINSIC_BYTES_MAX;
    use runtime_primitives::{Executed, Hash, blake2_256};
    use std::sync::{Arc, Mutex};

    const GENESIS_MS: u64 = 1_000;
    const INTERVAL_MS: u64 = 250;

    #[derive(Debug, thiserror::Error)]
    #[error("the disk is full")]
    struct DiskFull;

    /// A chain of bytes: its state is the concatenation of all extrinsics, its header the hash of that.
    struct Tape {
        pool: Vec<Vec<u8>>,
        state: Vec<u8>,
        blocks: Vec<OrderedBlock>,
        disk_full: bool,
        forgets: bool,
    }

    struct Recorder(Mutex<Tape>);

    impl Recorder {
        fn submit(&self, extrinsic: &[u8]) {
            self.0.lock().unwrap().pool.push(extrinsic.to_vec());
        }
    }

    impl Application for Recorder {
        type Error = DiskFull;

        fn tip(&self) -> Parent {
            let tape = self.0.lock().unwrap();
            let (height, timestamp) = tape
                .blocks
                .last()
                .map_or((Height::ZERO, Timestamp::from_ms(GENESIS_MS)), |b| (b.height, b.timestamp));
            Parent { height, timestamp }
        }

        fn propose(
            &self,
            parent: &Parent,
            _: &[&OrderedBlock],
            _: Timestamp,
        ) -> Result<Option<Proposal>, DiskFull> {
            let tape = self.0.lock().unwrap();
            let executed = Executed { height: parent.height, header_hash: blake2_256(&tape.state) };
            Ok((!tape.pool.is_empty()).then(|| Proposal { executed, extrinsics: tape.pool.clone() }))
        }

        fn executed(&self, _: Height) -> Option<Hash> {
            None
        }

        fn diverged(&self, _: &Executed, _: &Hash, _: EngineKey) {}

        fn committee(&self, _: u64) -> Option<Vec<Member>> {
            None
        }

        fn hear(&self, _: Vec<Vec<u8>>) {}

        fn settle(&self) -> Result<(), DiskFull> {
            Ok(())
        }

        fn verify(&self, block: &OrderedBlock) -> Verdict {
            match block.extrinsics.iter().find(|extrinsic| extrinsic.is_empty()) {
                Some(_) => Verdict::Invalid { reason: "an empty extrinsic".into() },
                None => Verdict::Valid,
            }
        }

        fn finalized(&self, block: OrderedBlock, certificate: Certificate) -> Result<(), DiskFull> {
            let mut tape = self.0.lock().unwrap();
            assert_eq!(certificate, Certificate::solo());
            if tape.disk_full {
                return Err(DiskFull);
            }
            if tape.forgets {
                return Ok(());
            }
            tape.pool.retain(|waiting| !block.extrinsics.contains(waiting));
            tape.state.extend(block.extrinsics.concat());
            tape.blocks.push(block);
            Ok(())
        }
    }

    fn network() -> (Arc<Recorder>, VirtualClock, Solo<Arc<Recorder>, VirtualClock>) {
        let tape = Tape { pool: vec![], state: vec![], blocks: vec![], disk_full: false, forgets: false };
        let application = Arc::new(Recorder(Mutex::new(tape)));
        let clock = VirtualClock::starting_at(Timestamp::from_ms(GENESIS_MS + INTERVAL_MS));
        let engine = Solo::new(application.clone(), clock.clone(), INTERVAL_MS);
        (application, clock, engine)
    }

    fn finalized(height: u64, ms: u64) -> Progress {
        Progress::Finalized { height: Height::from_number(height), timestamp: Timestamp::from_ms(ms) }
    }

    #[test]
    fn a_block_is_ordered_executed_and_stamped_with_the_clock() {
        let (application, clock, mut engine) = network();
        assert_eq!(engine.wake().unwrap(), Progress::Idle);
        application.submit(b"ab");
        application.submit(b"c");
        assert_eq!(engine.wake().unwrap(), finalized(1, 1_250));
        application.submit(b"d");
        let until = Timestamp::from_ms(1_500);
        assert_eq!(engine.wake().unwrap(), Progress::Waiting { until });
        // Idle for an hour: the chain takes up the present time.
        clock.advance_to(Timestamp::from_ms(3_600_000));
        assert_eq!(engine.wake().unwrap(), finalized(2, 3_600_000));
        assert_eq!(engine.wake().unwrap(), Progress::Waiting { until: Timestamp::from_ms(3_600_250) });

        let tape = application.0.lock().unwrap();
        assert_eq!(tape.state, b"abcd");
        assert_eq!(tape.blocks[0].executed, Executed { height: Height::ZERO, header_hash: blake2_256(b"") });
        assert_eq!(tape.blocks[1].executed.header_hash, blake2_256(b"abc"));
        assert_ne!(tape.blocks[1].payload_hash(), Hash::ZERO);
    }

    #[test]
    fn a_clock_set_back_delays_and_never_reverses_time() {
        let (application, clock, mut engine) = network();
        application.submit(b"x");
        engine.wake().unwrap();
        application.submit(b"y");
        clock.set(Timestamp::from_ms(0));
        assert_eq!(engine.wake().unwrap(), Progress::Waiting { until: Timestamp::from_ms(1_500) });
        clock.set(Timestamp::from_ms(1_500));
        assert_eq!(engine.wake().unwrap(), finalized(2, 1_500));
    }

    #[test]
    fn an_interval_of_zero_still_lets_time_advance() {
        let (application, clock, _) = network();
        let mut engine = Solo::new(application.clone(), clock.clone(), 0);
        clock.set(Timestamp::from_ms(GENESIS_MS));
        application.submit(b"x");
        assert_eq!(engine.wake().unwrap(), Progress::Waiting { until: Timestamp::from_ms(GENESIS_MS + 1) });
    }

    #[test]
    fn a_failed_commit_loses_nothing() {
        let (application, _, mut engine) = network();
        application.submit(b"x");
        application.0.lock().unwrap().disk_full = true;
        let error = engine.wake().unwrap_err();
        assert_eq!(error.to_string(), "the application stopped at height 1");
        application.0.lock().unwrap().disk_full = false;
        assert_eq!(engine.wake().unwrap(), finalized(1, 1_250));
        assert_eq!(engine.application().0.lock().unwrap().state, b"x");
    }

    #[test]
    fn contradictions_of_the_application_are_caught_before_and_after_the_commit() {
        let refused = |extrinsic: &[u8], expected: &str| {
            let (application, _, mut engine) = network();
            application.submit(extrinsic);
            let error = engine.wake().unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert!(application.0.lock().unwrap().blocks.is_empty());
        };
        refused(b"", "own proposal 1 was refused: an empty extrinsic");
        refused(&vec![0; EXTRINSIC_BYTES_MAX + 1], "own proposal 1 breaks a block rule");

        let (application, _, mut engine) = network();
        application.submit(b"x");
        application.0.lock().unwrap().forgets = true;
        let error = engine.wake().unwrap_err();
        assert_eq!(error.to_string(), "block 1 is final, but the application stands at 0");
    }
}

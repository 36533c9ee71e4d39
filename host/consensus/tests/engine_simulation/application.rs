//! The application: a chain of bytes with a disk that loses what was not settled, and a clock that may be wrong.

use crate::audit::{Audit, SKEW_MS_MAX};
use crate::validators::EPOCH_BLOCKS;
use commonware_runtime::deterministic;
use host_consensus::network::{Anchor, EngineKey, Member};
use host_consensus::{Application, Certificate, Clock, Parent, Proposal, VOTE_EARLY_MS, Verdict};
use runtime_primitives::limits::EXECUTED_LAG_MAX;
use runtime_primitives::{Executed, Hash, Height, OrderedBlock, Timestamp, blake2_256};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// A block's state is the hash of the one before and of what it holds.
pub struct Tape {
    who: usize,
    members: Vec<Member>,
    audit: Arc<Audit>,
    honest: bool,
    /// The build whose commit keeps the state and forgets the height.
    forgetful: bool,
    /// There is nothing to order after this height.
    rests_after: Option<u64>,
    disk: Mutex<Disk>,
}

struct Disk {
    blocks: Vec<(OrderedBlock, Hash)>,
    /// What the engine gave with each block after the first, or after the one that the disk began with.
    certificates: BTreeMap<u64, Certificate>,
    /// The block that the disk began with, if it is not the first, and the time at which that was.
    base: Option<(Height, u64)>,
    state: Hash,
    settled: usize,
    /// True times between which the power fails once, in ms.
    power_fails_ms: Range<u64>,
}

/// The power failed: what was not durable is gone, and so is the node until it is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerFailure;

impl std::fmt::Display for PowerFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the power failed: start the node again")
    }
}

impl std::error::Error for PowerFailure {}

/// The chain's first block.
pub fn first() -> OrderedBlock {
    let executed = Executed { height: Height::ZERO, header_hash: Hash::ZERO };
    OrderedBlock { height: Height::ZERO, executed, timestamp: Timestamp::from_ms(0), extrinsics: vec![] }
}

impl Disk {
    fn tip(&self) -> (Parent, Hash) {
        let (block, header) = self.blocks.last().unwrap();
        (Parent { height: block.height, timestamp: block.timestamp }, *header)
    }

    fn lose_power(&mut self, forgetful: bool) {
        self.blocks.truncate(self.settled);
        if !forgetful {
            self.state = self.tip().1;
        }
    }
}

impl Tape {
    pub fn new(who: usize, members: Vec<Member>, audit: Arc<Audit>, honest: bool) -> Self {
        let state = blake2_256(b"genesis");
        let disk = Disk {
            blocks: vec![(first(), state)],
            certificates: BTreeMap::new(),
            base: None,
            state,
            settled: 1,
            power_fails_ms: 0..0,
        };
        Self { who, members, audit, honest, forgetful: false, rests_after: None, disk: Mutex::new(disk) }
    }

    /// The build whose commit keeps the state and forgets the height.
    pub fn forgetful(self) -> Self {
        Self { forgetful: true, ..self }
    }

    /// With nothing to order after a height.
    pub fn resting_after(self, height: Option<u64>) -> Self {
        Self { rests_after: height, ..self }
    }

    /// With a power failure between two true times, in ms, if anything is to be made durable then.
    pub fn failing_within(self, times_ms: Range<u64>) -> Self {
        self.disk.lock().unwrap().power_fails_ms = times_ms;
        self
    }

    pub const fn is_honest(&self) -> bool {
        self.honest
    }

    /// The node was killed and starts again.
    pub fn restart(&self) {
        self.disk.lock().unwrap().lose_power(self.forgetful);
    }

    /// The disk is lost with all that was on it: a new one begins with another validator's state after the last epoch's end of
    /// which that has a proof. It does nothing to a validator that has executed nothing, or began so before.
    pub fn begin_with(&self, other: &Self) {
        let source = other.disk.lock().unwrap();
        let is_end =
            |height: &u64| (height + 1).is_multiple_of(EPOCH_BLOCKS) && *height < source.settled as u64;
        let proven = source.certificates.iter().filter(|(_, certificate)| certificate.proof.is_some());
        let Some(height) = proven.map(|(height, _)| *height).filter(is_end).max() else { return };
        let mut disk = self.disk.lock().unwrap();
        if disk.blocks.len() == 1 || disk.base.is_some() {
            return;
        }
        disk.settled = usize::try_from(height).unwrap() + 1;
        disk.blocks = source.blocks[..disk.settled].to_vec();
        disk.state = disk.tip().1;
        disk.certificates =
            [height - 1, height].map(|height| (height, source.certificates[&height].clone())).into();
        disk.base = Some((Height::from_number(height), self.audit.now_ms()));
    }

    /// What the engine stands on.
    pub fn anchor(&self) -> Anchor {
        let disk = self.disk.lock().unwrap();
        let Some((height, _)) = disk.base else { return Anchor::Genesis(first()) };
        let of = |height: u64| disk.certificates[&height].clone();
        let block = disk.blocks[usize::try_from(height.number()).unwrap()].0.clone();
        let (parent, proof) = (of(height.number() - 1).digest.unwrap(), of(height.number()).proof.unwrap());
        Anchor::Final { parent, block, proof }
    }

    /// Height of the block that the disk began with.
    pub fn base(&self) -> u64 {
        self.disk.lock().unwrap().base.map_or(0, |(height, _)| height.number())
    }

    /// Headers from genesis on.
    pub fn headers(&self) -> Vec<Hash> {
        self.disk.lock().unwrap().blocks.iter().map(|(_, header)| *header).collect()
    }

    /// The last height that no power failure can take back.
    pub fn durable(&self) -> u64 {
        self.disk.lock().unwrap().settled as u64 - 1
    }
}

impl Application for Tape {
    type Error = PowerFailure;

    fn tip(&self) -> Parent {
        self.disk.lock().unwrap().tip().0
    }

    fn propose(
        &self,
        parent: &Parent,
        unexecuted: &[&OrderedBlock],
        _: Timestamp,
    ) -> Result<Option<Proposal>, PowerFailure> {
        let (tip, header_hash) = self.disk.lock().unwrap().tip();
        // The tip may have moved since the engine asked for it: then some are executed already.
        let between = parent.height.number().saturating_sub(tip.height.number());
        if self.honest && between > unexecuted.len() as u64 {
            let (who, on) = (self.who, parent.height);
            self.audit.violation(format!("validator {who} proposes on {on}, its tip is {}", tip.height));
        }
        if self.rests_after.is_some_and(|last| parent.height.number() >= last) {
            return Ok(None);
        }
        let executed = Executed { height: tip.height, header_hash };
        Ok(Some(Proposal { executed, extrinsics: vec![parent.height.number().to_le_bytes().to_vec()] }))
    }

    fn verify(&self, block: &OrderedBlock) -> Verdict {
        let lag = block.height.number() - block.executed.height.number();
        match block.extrinsics.len() {
            1 => Verdict::Valid,
            0 if lag > EXECUTED_LAG_MAX || self.rests_after.is_some() => Verdict::Valid,
            found => Verdict::Invalid { reason: format!("{found} extrinsics") },
        }
    }

    fn executed(&self, height: Height) -> Option<Hash> {
        let disk = self.disk.lock().unwrap();
        disk.blocks.get(usize::try_from(height.number()).unwrap()).map(|(_, header)| *header)
    }

    fn diverged(&self, _: &Executed, _: &Hash, by: EngineKey) {
        if self.honest {
            let mut book = self.audit.book();
            book.alarms.insert(self.who);
            book.accused.extend(self.members.iter().position(|member| member.key == by));
        }
    }

    fn committee(&self, _: u64) -> Option<Vec<Member>> {
        Some(self.members.clone())
    }

    fn hear(&self, _: Vec<Vec<u8>>) {}

    fn may_vote(&self, epoch: u64) -> bool {
        let disk = self.disk.lock().unwrap();
        let Some((base, since)) = disk.base else { return true };
        let before = usize::try_from(epoch * EPOCH_BLOCKS - 1).unwrap();
        let apart = 2 * SKEW_MS_MAX.unsigned_abs() + VOTE_EARLY_MS;
        let before = disk.blocks.get(before).filter(|(block, _)| block.height > base);
        before.is_some_and(|(block, _)| block.timestamp.ms() > since + apart)
    }

    fn finalized(&self, block: OrderedBlock, certificate: Certificate) -> Result<(), PowerFailure> {
        let mut disk = self.disk.lock().unwrap();
        let (parent, _) = disk.tip();
        if block.height != parent.height.next() {
            let (who, tip) = (self.who, parent.height);
            self.audit.violation(format!("validator {who} is given {} on its tip {tip}", block.height));
            return Err(PowerFailure);
        }
        let header = blake2_256(&[&disk.state.0[..], &block.payload_hash().0].concat());
        if self.honest {
            self.audit.executed(self.who, &parent, &block, header);
        }
        disk.state = header;
        disk.certificates.insert(block.height.number(), certificate);
        disk.blocks.push((block, header));
        Ok(())
    }

    fn settle(&self) -> Result<(), PowerFailure> {
        let now = self.audit.now_ms();
        let mut disk = self.disk.lock().unwrap();
        if disk.power_fails_ms.contains(&now) {
            disk.power_fails_ms = 0..0;
            self.audit.book().power_failures += 1;
            return Err(PowerFailure);
        }
        disk.settled = disk.blocks.len();
        Ok(())
    }
}

/// For a while a clock shows something else.
#[derive(Clone, Copy, Debug)]
pub struct Jump {
    /// From when on, in ms of true time.
    pub from_ms: u64,
    /// Until when.
    pub until_ms: u64,
    /// How far off it then is.
    pub by_ms: i64,
}

/// A validator's clock.
#[derive(Clone)]
pub struct NodeClock {
    pub runtime: Arc<deterministic::Context>,
    pub audit: Arc<Audit>,
    /// How far off it always is, in ms.
    pub skew_ms: i64,
    pub jump: Option<Jump>,
}

impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        let now = self.audit.look_at(&self.runtime);
        let jump = self.jump.filter(|jump| (jump.from_ms..jump.until_ms).contains(&now));
        let off = self.skew_ms + jump.map_or(0, |jump| jump.by_ms);
        Timestamp::from_ms(now.saturating_add_signed(off))
    }
}

//! The whole check of a snapshot, from the chain spec alone, while its state goes where it is to be.
//!
//! The rule: a certificate is believed for the set that the ones before lead to, a header for its certificate, a state for its
//! header, and the engine's proof for the committee that this state names. All are checked before anybody uses one of them.

use super::reader::{Ordered, Reader};
use super::{BATCH, SnapshotError};
use crate::checkpoint::{Certificate, Trusted};
use host_consensus::network::{EngineKey, Member, check_finality, next_digest};
use host_storage::{Restore, StoreError};
use runtime_execution::modules::registry::{Engine, validators};
use runtime_primitives::limits::EXECUTED_LAG_MAX;
use runtime_primitives::{Hash, Header, OrderedBlock};
use runtime_state::{Backend, ChangeSet, MemoryState, Overlay, State};
use std::io::Read;

/// Where a state is put together.
pub trait Target {
    /// Add entries.
    ///
    /// # Errors
    /// If the disk fails.
    fn add(&mut self, entries: &ChangeSet) -> Result<(), StoreError>;

    /// Look at the state, and at its root.
    fn look<T>(&self, at: impl FnOnce(&dyn Backend, Hash) -> T) -> T;
}

impl Target for Restore {
    fn add(&mut self, entries: &ChangeSet) -> Result<(), StoreError> {
        self.add(entries)
    }

    fn look<T>(&self, at: impl FnOnce(&dyn Backend, Hash) -> T) -> T {
        let state = self.state();
        at(&state, state.root())
    }
}

impl Target for MemoryState {
    fn add(&mut self, entries: &ChangeSet) -> Result<(), StoreError> {
        self.commit(entries);
        Ok(())
    }

    fn look<T>(&self, at: impl FnOnce(&dyn Backend, Hash) -> T) -> T {
        at(self, self.root())
    }
}

/// A snapshot that is what it says. Only [`check`] makes one.
#[derive(Clone, Debug)]
pub struct CheckedSnapshot {
    pub(super) certificates: Vec<Certificate>,
    pub(super) headers: Vec<Header>,
    pub(super) parent: Hash,
    pub(super) block: OrderedBlock,
    /// The engine's name for the block.
    pub(super) digest: Hash,
    pub(super) proof: Vec<u8>,
    /// Keys of the state.
    pub entries: u64,
}

impl CheckedSnapshot {
    /// Header of the block that left the state.
    pub fn header(&self) -> &Header {
        self.headers.last().expect("a snapshot has a certified header")
    }

    /// Its epoch.
    pub fn epoch(&self) -> u64 {
        self.certificates.len() as u64 - 1
    }
}

/// Check the snapshot that `source` gives against what the spec says; its state goes to `target`. `progress` is told of bytes
/// read.
///
/// # Errors
/// [`SnapshotError`]: the first thing that is wrong. Nothing in `target` may be used then.
pub fn check(
    source: impl Read,
    trusted: &Trusted,
    target: &mut impl Target,
    progress: &mut dyn FnMut(u64),
) -> Result<CheckedSnapshot, SnapshotError> {
    let (mut reader, found) = Reader::open(source, progress)?;
    if found != trusted.genesis {
        return Err(SnapshotError::OtherChain { found, wanted: trusted.genesis });
    }
    let certificates = certified(&mut reader, trusted)?;
    let last = &certificates.last().ok_or(SnapshotError::Uncertified)?.checkpoint;
    let (number, epoch) = (last.number, last.epoch);
    let headers = reader.headers(number, number.min(EXECUTED_LAG_MAX) + 1)?;
    check_headers(&headers, number, last.header)?;
    let Ordered { parent, block, proof } = reader.ordered()?;
    if block.height.number() != number {
        return Err(SnapshotError::OtherBlock { found: block.height, wanted: number });
    }
    let entries = fill(reader, target)?;
    let wanted = headers.last().expect("they were counted").state_root;
    let (found, members) = target.look(|state, root| (root, committee(state, epoch)));
    if found != wanted {
        return Err(SnapshotError::OtherState { found, wanted });
    }
    let digest = next_digest(&parent, &block.payload_hash());
    check_finality(&trusted.genesis, epoch, &members, &digest, &proof)
        .map_err(|fault| SnapshotError::Finality { height: number, fault })?;
    Ok(CheckedSnapshot { certificates, headers, parent, block, digest, proof, entries })
}

/// The certificates of all epochs' last blocks, each checked before the next is read.
fn certified<R: Read>(
    reader: &mut Reader<'_, R>,
    trusted: &Trusted,
) -> Result<Vec<Certificate>, SnapshotError> {
    let (mut sets, mut certificates) = (trusted.sets(), Vec::new());
    reader.certificates(|certificate| {
        let (index, found) = (certificates.len() as u64, certificate.checkpoint.number);
        let wanted = (index + 1).saturating_mul(trusted.epoch_blocks) - 1;
        if found != wanted {
            return Err(SnapshotError::NotLast { index, found, wanted });
        }
        sets.follow(&certificate)?;
        certificates.push(certificate);
        Ok(())
    })?;
    Ok(certificates)
}

/// Whether `headers` are those up to block `last`, whose header's hash is `wanted`.
fn check_headers(headers: &[Header], last: u64, mut wanted: Hash) -> Result<(), SnapshotError> {
    for (header, number) in headers.iter().rev().zip((0..=last).rev()) {
        let found = header.hash();
        if found != wanted || header.number != number {
            return Err(SnapshotError::Header { number, found, wanted });
        }
        wanted = header.parent_hash;
    }
    Ok(())
}

/// Put the entries into the target; gives how many.
fn fill<R: Read>(reader: Reader<'_, R>, target: &mut impl Target) -> Result<u64, SnapshotError> {
    let (mut batch, mut bytes) = (ChangeSet::new(), 0);
    let entries = reader.entries(|key, value| {
        bytes += key.len() + value.len();
        batch.insert(key, Some(value));
        if batch.len() >= BATCH.0 || bytes >= BATCH.1 {
            target.add(&batch)?;
            (batch, bytes) = (ChangeSet::new(), 0);
        }
        Ok(())
    })?;
    target.add(&batch)?;
    Ok(entries)
}

/// Who orders in an epoch, as a state has it.
pub(super) fn committee(state: &dyn Backend, epoch: u64) -> Vec<Member> {
    let set = u32::try_from(epoch).ok().and_then(|epoch| validators::of_epoch(&Overlay::new(state), epoch));
    let engines = set.unwrap_or_default().into_iter().filter_map(|validator| validator.engine);
    engines.map(|Engine { key, address }| Member { key: EngineKey(key), address }).collect()
}

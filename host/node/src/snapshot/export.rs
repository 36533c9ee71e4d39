//! Writing a snapshot from the folder of a stopped node.
//!
//! The rule: the file has its name only once it is whole and durable, and what it will be refused for is refused here.

use super::check::committee;
use super::{MAGIC, SnapshotError, VERSION};
use crate::checkpoint::{Certificate, FILE_NAME, is_last};
use host_consensus::network::check_finality;
use host_storage::{CertificateStore, PastState, Snapshot, Store};
use parity_scale_codec::{DecodeAll, Encode};
use runtime_execution::modules::registry::EPOCH_BLOCKS;
use runtime_primitives::limits::EXECUTED_LAG_MAX;
use runtime_primitives::{Hash, Height};
use runtime_state::{Backend, Overlay};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Height of the block that left the state.
    pub height: u64,
    /// Hash of its header.
    pub header: Hash,
    /// Keys of the state.
    pub entries: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// A node's files.
struct Folder {
    /// Nothing can be read once it is closed.
    _store: Store,
    snapshot: Snapshot,
    certificates: CertificateStore,
    epoch_blocks: u64,
}

/// Write the state after block `height` to a new file at `out`; without a height, after the highest that can be. `progress` is
/// told of each entry how many there are about.
///
/// # Errors
/// [`SnapshotError`]; there is nothing at `out` then.
pub fn export(
    data: &Path,
    height: Option<u64>,
    out: &Path,
    mut progress: impl FnMut(u64),
) -> Result<Exported, SnapshotError> {
    if out.exists() {
        return Err(SnapshotError::Occupied(out.to_owned()));
    }
    let folder = Folder::open(data)?;
    let height = match height {
        Some(height) => height,
        None => folder.highest()?,
    };
    let source = folder.at(height)?;
    let mut unfinished = out.as_os_str().to_owned();
    unfinished.push(".new");
    let unfinished = PathBuf::from(unfinished);
    let failed = |source| SnapshotError::File { path: unfinished.clone(), source };
    let file = File::create(&unfinished).map_err(failed)?;
    let about = folder.snapshot.keys()?;
    let written = source.write(BufWriter::new(file), || progress(about));
    let (file, entries) = written.map_err(|error| {
        // What cannot be removed is in nobody's way.
        let _ = fs::remove_file(&unfinished);
        failed(error)
    })?;
    file.sync_all().map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    fs::rename(&unfinished, out).map_err(failed)?;
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    let synced = File::open(parent.unwrap_or_else(|| Path::new("."))).and_then(|folder| folder.sync_all());
    synced.map_err(failed)?;
    Ok(Exported { height, header: source.state.header().hash(), entries, bytes })
}

impl Folder {
    fn open(data: &Path) -> Result<Self, SnapshotError> {
        let store = Store::open(&data.join("chain.redb"))?;
        let snapshot = store.snapshot();
        let certificates = CertificateStore::open(&data.join(FILE_NAME))?;
        let epoch_blocks = EPOCH_BLOCKS.get(&Overlay::new(&snapshot)).unwrap_or(u64::MAX).max(1);
        Ok(Self { _store: store, snapshot, certificates, epoch_blocks })
    }

    /// The lowest block whose state is here.
    fn oldest(&self) -> u64 {
        self.snapshot.oldest_state().number()
    }

    /// The highest block that can be exported.
    fn highest(&self) -> Result<u64, SnapshotError> {
        let (oldest, best) = (self.oldest(), self.snapshot.height().number());
        let base = self.snapshot.base().map_or(0, |base| base.height.number());
        let mut end = (best + 1) / self.epoch_blocks * self.epoch_blocks;
        while let Some(height) = end.checked_sub(1).filter(|height| *height >= oldest && *height > base) {
            let proven = self.snapshot.finality(Height::from_number(height))?;
            let is_proven = proven.is_some_and(|proven| proven.proof.is_some());
            if is_proven && self.certificates.at(height)?.is_some() {
                return Ok(height);
            }
            end -= self.epoch_blocks;
        }
        Err(SnapshotError::NothingToExport { epoch_blocks: self.epoch_blocks, oldest, best })
    }

    /// What to write of the block at `height`.
    fn at(&self, height: u64) -> Result<Source, SnapshotError> {
        let (epoch_blocks, at) = (self.epoch_blocks, Height::from_number(height));
        if !is_last(height, epoch_blocks) {
            let above = (height / epoch_blocks + 1) * epoch_blocks - 1;
            let below = above.saturating_sub(epoch_blocks);
            return Err(SnapshotError::NotEpochEnd { height, epoch_blocks, below, above });
        }
        let state = self.snapshot.at(at)?;
        let certificates = self.certificates_to(height)?;
        let (own, certified) =
            (state.header().hash(), certificates[certificates.len() - 1].checkpoint.header);
        if own != certified {
            return Err(SnapshotError::Diverged { height, own, certified });
        }
        let (unproven, genesis) = (|| SnapshotError::Unproven(height), self.snapshot.genesis_hash());
        let before = self.snapshot.finality(Height::from_number(height - 1))?.ok_or_else(unproven)?;
        let proven = self.snapshot.finality(at)?.ok_or_else(unproven)?;
        let proof = proven.proof.ok_or_else(unproven)?;
        let block = self.snapshot.block(at)?.ok_or_else(unproven)?;
        let epoch = height / epoch_blocks;
        check_finality(&genesis, epoch, &committee(&state, epoch), &proven.digest, &proof)
            .map_err(|fault| SnapshotError::Finality { height, fault })?;
        let mut head = [&MAGIC[..], &VERSION.to_le_bytes(), &genesis.0].concat();
        push_all(&mut head, certificates.iter().map(Encode::encode));
        let first = height.saturating_sub(EXECUTED_LAG_MAX);
        let mut headers = Vec::new();
        for number in first..=height {
            let header = self.snapshot.header(Height::from_number(number))?.ok_or_else(unproven)?;
            headers.push(header.encode());
        }
        push_all(&mut head, headers.into_iter());
        head.extend(before.digest.0);
        push(&mut head, &block.encode());
        push(&mut head, &proof);
        Ok(Source { head, state })
    }

    /// The certificates of all epochs' last blocks up to that at `height`.
    fn certificates_to(&self, height: u64) -> Result<Vec<Certificate>, SnapshotError> {
        let mut certificates = Vec::new();
        for epoch in 0..=height / self.epoch_blocks {
            let number = (epoch + 1) * self.epoch_blocks - 1;
            let row = self.certificates.at(number)?;
            let certificate = row.and_then(|row| Certificate::decode_all(&mut &row[..]).ok());
            let last = self.certificates.last()?.unwrap_or_default();
            certificates.push(certificate.ok_or(if number == height {
                SnapshotError::NotCertified { height, last }
            } else {
                SnapshotError::MissingCertificate(number)
            })?);
        }
        Ok(certificates)
    }
}

/// What is to be written.
struct Source {
    /// All but the state.
    head: Vec<u8>,
    state: PastState,
}

impl Source {
    fn write<W: Write>(&self, mut file: BufWriter<W>, mut progress: impl FnMut()) -> io::Result<(W, u64)> {
        file.write_all(&self.head)?;
        let (mut entries, mut key) = (0u64, Vec::new());
        while let Some(next) = self.state.next_key(&key) {
            key = next;
            let value = self.state.get(&key).unwrap_or_default();
            let lengths = (u16::try_from(key.len()), u32::try_from(value.len()));
            let (Ok(key_len), Ok(value_len)) = lengths else {
                return Err(io::Error::other("an entry of the state is longer than any should be"));
            };
            file.write_all(&key_len.to_le_bytes())?;
            file.write_all(&value_len.to_le_bytes())?;
            file.write_all(&key)?;
            file.write_all(&value)?;
            entries += 1;
            progress();
        }
        file.write_all(&[0, 0])?;
        file.write_all(&entries.to_le_bytes())?;
        Ok((file.into_inner().map_err(io::IntoInnerError::into_error)?, entries))
    }
}

fn push(head: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).expect("a part is bounded by the chain's limits");
    head.extend(length.to_le_bytes());
    head.extend(part);
}

fn push_all(head: &mut Vec<u8>, parts: impl ExactSizeIterator<Item = Vec<u8>>) {
    let count = u32::try_from(parts.len()).expect("there are fewer epochs than blocks");
    head.extend(count.to_le_bytes());
    parts.for_each(|part| push(head, &part));
}

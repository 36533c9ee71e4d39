//! What a snapshot says of itself. Nothing of it is checked but its form.

use super::SnapshotError;
use super::reader::{Ordered, Reader};
use runtime_primitives::limits::EXECUTED_LAG_MAX;
use runtime_primitives::{Hash, Timestamp};
use std::io::Read;

/// What a snapshot says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Hash of its chain's genesis header.
    pub genesis: Hash,
    /// Height of the block that left the state.
    pub height: u64,
    /// Its epoch.
    pub epoch: u64,
    /// Hash of its header.
    pub header: Hash,
    /// Root of the state, by that header.
    pub state_root: Hash,
    /// The block's time.
    pub time: Timestamp,
    /// Certificates that lead there.
    pub certificates: u64,
    /// Keys of the state.
    pub entries: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Read what the snapshot in `source` says; `progress` is told of bytes read.
///
/// # Errors
/// [`SnapshotError`], if it has not the form of a snapshot.
pub fn inspect(source: impl Read, progress: &mut dyn FnMut(u64)) -> Result<Content, SnapshotError> {
    let (mut bytes, mut certificates, mut last) = (0, 0, None);
    let mut count = |more| {
        bytes += more;
        progress(more);
    };
    let (mut reader, genesis) = Reader::open(source, &mut count)?;
    reader.certificates(|certificate| {
        certificates += 1;
        last = Some(certificate.checkpoint);
        Ok(())
    })?;
    let last = last.ok_or(SnapshotError::Uncertified)?;
    let headers = reader.headers(last.number, last.number.min(EXECUTED_LAG_MAX) + 1)?;
    let state_root = headers.last().map(|header| header.state_root).ok_or(SnapshotError::Uncertified)?;
    let Ordered { block, .. } = reader.ordered()?;
    let entries = reader.entries(|_, _| Ok(()))?;
    let (height, epoch, header, time) = (last.number, last.epoch, last.header, block.timestamp);
    Ok(Content { genesis, height, epoch, header, state_root, time, certificates, entries, bytes })
}

//! A disk in memory that loses power on purpose: for rehearsals of crashes, never for a chain that matters.
//!
//! The rule: a sync that returned is kept; of what was written since, any part may be there after the power came
//! back, cut at any sector.

use redb::StorageBackend;
use std::io::Error;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const SECTOR_BYTES: usize = 512;

/// The disk. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct RehearsalDisk(Arc<Mutex<Platters>>);

#[derive(Debug, Default)]
struct Platters {
    /// What is there after the power came back, for sure.
    synced: Vec<u8>,
    /// What the process sees.
    seen: Vec<u8>,
    /// Since the last sync: where, and what.
    pending: Vec<(usize, Vec<u8>)>,
    /// It was made shorter since then.
    cut: bool,
    /// Syncs before the disk fails, if it does.
    syncs_left: Option<u32>,
    failed: bool,
}

impl RehearsalDisk {
    /// From now on, fail at the sync after `syncs` others; nothing can be written after that.
    pub fn fail_after(&self, syncs: u32) {
        self.platters().syncs_left = Some(syncs);
    }

    /// Whether it has failed.
    pub fn has_failed(&self) -> bool {
        self.platters().failed
    }

    /// The disk after a power cut, as a sound one: of the writes since the last sync some are there and some are torn,
    /// as `random` says, which answers with a number below the one it is given. Nobody who holds this disk sees it.
    #[must_use]
    pub fn after_power_cut(&self, mut random: impl FnMut(usize) -> usize) -> Self {
        let platters = self.platters();
        let mut kept = platters.synced.clone();
        kept.resize(platters.seen.len().max(kept.len()), 0);
        for (offset, data) in &platters.pending {
            let bytes = match random(4) {
                0 => continue,
                1 => random(data.len() / SECTOR_BYTES + 1) * SECTOR_BYTES,
                _ => data.len(),
            };
            if let Some(place) = kept.get_mut(*offset..*offset + bytes) {
                place.copy_from_slice(&data[..bytes]);
            }
        }
        Self(Arc::new(Mutex::new(Platters { seen: kept.clone(), synced: kept, ..Platters::default() })))
    }

    fn platters(&self) -> MutexGuard<'_, Platters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writable(&self) -> Result<MutexGuard<'_, Platters>, Error> {
        let platters = self.platters();
        if platters.failed { Err(Error::other("the disk is gone")) } else { Ok(platters) }
    }
}

/// Where a page is in memory.
fn place(offset: u64, bytes: usize) -> Result<Range<usize>, Error> {
    let start = usize::try_from(offset).map_err(Error::other)?;
    Ok(start..start + bytes)
}

impl StorageBackend for RehearsalDisk {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.platters().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let place = place(offset, out.len())?;
        let platters = self.platters();
        out.copy_from_slice(platters.seen.get(place).ok_or_else(|| Error::other("beyond the end"))?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        let bytes = usize::try_from(len).map_err(Error::other)?;
        let mut platters = self.writable()?;
        platters.cut |= bytes < platters.seen.len();
        platters.seen.resize(bytes, 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut platters = self.writable()?;
        let platters = &mut *platters;
        if platters.syncs_left == Some(0) {
            platters.failed = true;
            return Err(Error::other("the disk failed in a sync"));
        }
        platters.syncs_left = platters.syncs_left.map(|left| left - 1);
        if std::mem::take(&mut platters.cut) {
            platters.synced.clone_from(&platters.seen);
            platters.pending.clear();
            return Ok(());
        }
        platters.synced.resize(platters.seen.len(), 0);
        for (offset, data) in platters.pending.drain(..) {
            platters.synced[offset..offset + data.len()].copy_from_slice(&data);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let place = place(offset, data.len())?;
        let mut platters = self.writable()?;
        let seen = platters.seen.get_mut(place.clone()).ok_or_else(|| Error::other("beyond the end"))?;
        seen.copy_from_slice(data);
        platters.pending.push((place.start, data.to_vec()));
        Ok(())
    }
}

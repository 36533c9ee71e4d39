//! Room on the disk. A node stops while it can still write: its engine's library panics when it cannot.

use super::error::ServiceError;
use host_consensus::network::Signal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Time between two looks at the disk: far less than it takes to write what must stay free.
pub const LOOK: Duration = Duration::from_millis(100);

/// What must stay free where a node keeps its data.
#[derive(Debug)]
pub struct Room {
    folder: PathBuf,
    least_bytes: u64,
    /// What was left when it was too little; all ones before.
    left: AtomicU64,
}

impl Room {
    /// Watch over `folder`, where `least_mib` MiB must stay free.
    pub fn new(folder: &Path, least_mib: u64) -> Self {
        let least_bytes = least_mib.saturating_mul(1 << 20);
        Self { folder: folder.to_owned(), least_bytes, left: AtomicU64::new(u64::MAX) }
    }

    /// Raise `stop` if too little is left. A disk that does not tell has room.
    pub fn look(&self, stop: &Signal) {
        let Ok(found) = rustix::fs::statvfs(&self.folder) else { return };
        let left = found.f_bavail.saturating_mul(found.f_frsize);
        if left < self.least_bytes {
            self.left.store(left, Ordering::SeqCst);
            stop.raise();
        }
    }

    /// Whether there was enough, so far as was looked.
    ///
    /// # Errors
    /// [`ServiceError::NoRoom`].
    pub fn enough(&self) -> Result<(), ServiceError> {
        let left = self.left.load(Ordering::SeqCst);
        if left == u64::MAX {
            return Ok(());
        }
        let little = ServiceError::LittleRoom { left_kib: left >> 10, least_mib: self.least_bytes >> 20 };
        Err(ServiceError::NoRoom { folder: self.folder.clone(), reason: Box::new(little) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn too_little_room_is_named_with_what_is_left() {
        let folder = tempfile::tempdir().unwrap();
        for (least_mib, is_enough) in [(0, true), (1, true), (u64::MAX, false)] {
            let room = Room::new(folder.path(), least_mib);
            assert!(room.enough().is_ok());
            room.look(&Signal::default());
            assert_eq!(room.enough().is_ok(), is_enough, "{least_mib}");
        }
    }
}

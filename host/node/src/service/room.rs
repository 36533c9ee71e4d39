//! Room on the disk. A node stops while it can still write: its engine's library panics when it cannot.

use super::error::ServiceError;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Time between two looks at the disk: far less than it takes to write what must stay free.
pub const LOOK: Duration = Duration::from_millis(100);

/// What must stay free where a node keeps its data.
#[derive(Debug)]
pub struct Room {
    folder: PathBuf,
    least_bytes: u64,
}

impl Room {
    /// Watch over `folder`, where `least_mib` MiB must stay free.
    pub fn new(folder: &Path, least_mib: u64) -> Self {
        Self { folder: folder.to_owned(), least_bytes: least_mib.saturating_mul(1 << 20) }
    }

    /// Whether there is enough. A disk that does not tell has room.
    ///
    /// # Errors
    /// [`ServiceError::NoRoom`].
    pub fn look(&self) -> Result<(), ServiceError> {
        let Ok(found) = rustix::fs::statvfs(&self.folder) else { return Ok(()) };
        let left = found.f_bavail.saturating_mul(found.f_frsize);
        if left >= self.least_bytes {
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
            assert_eq!(room.look().is_ok(), is_enough, "{least_mib}");
        }
    }
}

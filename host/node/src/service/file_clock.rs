//! A clock whose hand lies in a file, so that one driver moves time for many processes. For rehearsals.
//!
//! The rule: whoever moves it replaces the file, since one that is half written shows another time.

use host_consensus::Clock;
use runtime_primitives::Timestamp;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bytes of the file that are read: the digits of any time, and white space around them.
const FILE_BYTES_MAX: u64 = 64;
/// How often whoever waits for a time looks at the file.
const LOOK: Duration = Duration::from_millis(10);

/// A clock that shows what a file says: milliseconds since the UNIX epoch, in decimal. It never goes back, and stands
/// while the file cannot be read.
#[derive(Clone, Debug)]
pub struct FileClock {
    path: Arc<Path>,
    latest: Arc<AtomicU64>,
}

impl FileClock {
    /// The clock in the file at `path`.
    ///
    /// # Errors
    /// If it cannot be read, or has no time in it.
    pub fn at(path: &Path) -> io::Result<Self> {
        let latest = Arc::new(AtomicU64::new(time_in(path)?));
        Ok(Self { path: path.into(), latest })
    }
}

fn time_in(path: &Path) -> io::Result<u64> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    let no_time = |_| io::Error::new(io::ErrorKind::InvalidData, "it has no milliseconds since 1970 in it");
    text.trim().parse().map_err(no_time)
}

impl Clock for FileClock {
    fn now(&self) -> Timestamp {
        let found = time_in(&self.path).unwrap_or_default();
        Timestamp::from_ms(self.latest.fetch_max(found, Ordering::SeqCst).max(found))
    }

    fn until(&self, time: Timestamp) -> Duration {
        if self.now() < time { LOOK } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::fs;

    #[test]
    fn it_moves_for_all_who_read_it_and_never_goes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("time");
        assert!(FileClock::at(&path).is_err());
        fs::write(&path, "noon").unwrap();
        assert!(FileClock::at(&path).is_err());
        fs::write(&path, "20\n").unwrap();
        let clocks = [FileClock::at(&path).unwrap(), FileClock::at(&path).unwrap()];
        for (text, time) in [("20", 20), ("30\n", 30), ("25", 30), ("", 30), ("noon", 30), ("31", 31)] {
            fs::write(&path, text).unwrap();
            assert_eq!(clocks.each_ref().map(|clock| clock.now().ms()), [time; 2], "{text:?}");
        }
        let [one, _] = clocks;
        assert_eq!(one.until(Timestamp::from_ms(31)), Duration::ZERO);
        assert_eq!(one.until(Timestamp::from_ms(32)), LOOK);
        fs::remove_file(&path).unwrap();
        assert_eq!(one.now().ms(), 31);
    }
}

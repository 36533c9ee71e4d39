//! How many files a node may hold open: its engine's, its chain's, and a socket for each who calls.

use tracing::{info, warn};

/// Enough for an engine at rest, a chain of years and a thousand callers.
const ENOUGH: u64 = 4_096;

/// Take as many as the machine gives this process, and say so if they are few.
pub(super) fn allow_many() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) if files >= ENOUGH => info!(files, "files may be open"),
        Ok(files) => warn!(
            files,
            "few files may be open, and the engine ends the process without one that it needs: raise the hard limit \
             (ulimit -Hn, or LimitNOFILE= of the service) to {ENOUGH} or more"
        ),
        Err(reason) => warn!(%reason, "the limit on open files cannot be raised"),
    }
}

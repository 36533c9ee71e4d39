//! What a machine may not permit a test to do.
//!
//! The rule: a test that is skipped never passes unseen. Where `BUSBAR_NO_SKIPS` is set it fails; elsewhere it says so, also when
//! the output of tests that pass is not shown.

use std::io::Write as _;

/// Skip what is not permitted here, or fail.
pub fn skip(what: &str) {
    assert!(std::env::var_os("BUSBAR_NO_SKIPS").is_none(), "not permitted here: {what}");
    #[expect(clippy::explicit_write, reason = "what is printed is shown of tests that fail alone")]
    writeln!(std::io::stderr(), "skipped, since it is not permitted here: {what}").unwrap();
}

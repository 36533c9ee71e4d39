//! Nothing is ordered for a long time: leaders go on taking turns, and the engine keeps a file of each turn until a block is
//! final. A node that may hold so many files open, and no more, must not come to its end.

use crate::faults::{Event, Faults};
use crate::run::run;
use crate::validators::{Build, EPOCH_BLOCKS};

/// Of a run, in ms: about two thousand turns.
const REST_MS: u64 = 2_500_000;
/// What an engine may keep: its own files, with those of the chain and of all who call, are below the usual limit of 1,024.
const FILES_MAX: usize = 400;

#[test]
fn an_engine_at_rest_keeps_few_files_and_makes_few_blocks() {
    for validators in [1, 4] {
        // The simulator wants a schedule of which something happens.
        let events = vec![(1_000, Event::Mend)];
        let faults = Faults { healed_ms: REST_MS, events, ..Faults::none(validators) };
        let report = run(1, &faults, Build::RestsAfter(3)).unwrap();
        let (files, blocks) = (report.journal_files, report.height);
        assert!((1..FILES_MAX).contains(&files), "{files} files of {validators} validators");
        assert!(
            (EPOCH_BLOCKS..3 * EPOCH_BLOCKS).contains(&blocks),
            "{blocks} blocks of {validators} validators"
        );
    }
}

//! Builds that are broken on purpose: the audit must say what breaks in each. Beside them the other validators are sound
//! and must come to the end of the day.

use crate::audit::Violation;
use crate::body::Body;
use crate::byzantine::checkpoint_forger::signed;
use crate::byzantine::{Conduct, blind_signer, wrong_result_signer};
use crate::weather::Weather;
use crate::{play, play_until};
use busbar_tests::machine::on_vm_thread;
use busbar_tests::world::FIRST;
use host_node::checkpoint::{Certificate, Checkpoint, CheckpointError, quorum};
use parity_scale_codec::Encode as _;
use runtime_primitives::AccountId;
use runtime_primitives::crypto::Signature;
use std::collections::BTreeMap;

/// What is broken in a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A block is shown before it is on the disk, which fails at the first one that pays a slot.
    ShowsTooEarly,
    /// A commit keeps the state and forgets the height: after the power failed the last block is executed once more.
    ForgetsHeight,
    /// A checkpoint is certified with one signature less than a quorum.
    CertifiesTooEarly,
}

/// A checkpoint, and who has signed it.
type Heard = (Checkpoint, BTreeMap<AccountId, Signature>);

/// Makes certificates of what is said, with one signature less than it takes.
#[derive(Default)]
pub struct Hasty(BTreeMap<u64, BTreeMap<Vec<u8>, Heard>>);

impl Hasty {
    /// Among so many validators.
    pub fn hear(&mut self, words: &[Vec<u8>], validators: usize) {
        for word in words.iter().filter_map(|word| signed(word)) {
            let of_height = self.0.entry(word.checkpoint.number).or_default();
            let key = word.checkpoint.encode();
            let (_, signatures) =
                of_height.entry(key).or_insert_with(|| (word.checkpoint.clone(), BTreeMap::new()));
            if signatures.len() < quorum(validators) - 1 {
                signatures.insert(word.signer, word.signature);
            }
        }
    }

    pub fn certificates(&self) -> Vec<Certificate> {
        let first = self.0.values().filter_map(|of_height| of_height.values().next());
        first
            .map(|(checkpoint, signatures)| Certificate {
                checkpoint: checkpoint.clone(),
                signatures: signatures.iter().map(|(signer, signature)| (*signer, *signature)).collect(),
            })
            .collect()
    }
}

#[test]
fn validators_that_sign_without_executing_are_caught() {
    on_vm_thread(|| {
        let broken = [wrong_result_signer::EXECUTES, blind_signer::CONDUCT, blind_signer::CONDUCT];
        // Three of four order and certify without the one that is right.
        let run = play_until(7, &Weather::fair(4), &broken, |body| body.index < 3);
        let found = run.findings.violations;
        let has = |kind: fn(&Violation) -> bool| found.iter().any(kind);
        assert!(has(|found| matches!(found, Violation::Header { .. })), "{found:?}");
        assert!(has(|found| matches!(found, Violation::Reported { .. })), "{found:?}");
        assert!(has(|found| matches!(found, Violation::Unsigned { node: 1 | 2, .. })), "{found:?}");
        assert!(has(|found| matches!(found, Violation::OtherCheckpoint { node: 1 | 2, .. })), "{found:?}");
    });
}

/// Violations of a run in which the first validator has a flaw, and is started again when the day is nearly over.
fn flawed(flaw: Flaw) -> Vec<Violation> {
    let broken = Conduct { flaw: Some(flaw), ..Conduct::HONEST };
    let weather = Weather::fair(4).with_outage(0, 52_000);
    let sound = |body: &Body| body.conduct.flaw.is_none();
    on_vm_thread(|| play_until(7, &weather, &[broken], sound).findings.violations)
}

/// The same weather with nothing broken: all the violations below are of the flaws.
#[test]
fn a_sound_build_in_the_place_of_a_broken_one_breaks_nothing() {
    let weather = Weather::fair(4).with_outage(0, 52_000);
    let run = on_vm_thread(|| play(7, &weather, &[]));
    assert_eq!((run.findings.violations, run.crashes.0), (vec![], 1));
}

#[test]
fn a_node_that_shows_a_block_before_it_is_on_the_disk_is_caught() {
    let found = flawed(Flaw::ShowsTooEarly);
    let twice = Violation::SettledTwice { node: 0, slot: FIRST, times: 2 };
    assert!(found.contains(&Violation::Lost { node: 0 }), "{found:?}");
    assert!(found.contains(&twice), "{found:?}");
}

#[test]
fn a_commit_that_forgets_the_height_is_caught() {
    let found = flawed(Flaw::ForgetsHeight);
    assert!(found.iter().any(|found| matches!(found, Violation::Header { node: 0, .. })), "{found:?}");
}

#[test]
fn a_quorum_off_by_one_is_caught() {
    let found = flawed(Flaw::CertifiesTooEarly);
    let short = |found: &Violation| {
        matches!(
            found,
            Violation::Certificates { node: 0, fault: CheckpointError::Quorum { found: 2, wanted: 3, .. } }
        )
    };
    assert!(found.iter().any(short), "{found:?}");
    // Also where whoever verifies has the same fault: the audit counts by itself.
    let counted =
        |found: &Violation| matches!(found, Violation::Quorum { node: 0, signatures: 2, validators: 4, .. });
    assert!(found.iter().any(counted), "{found:?}");
}

//! The refusal table: whatever may not be done gets its own named error and changes nothing else.
//!
//! Each row forks a world at some moment of a slot, adds one extrinsic to the next block and compares with the same
//! block without it: a skipped extrinsic leaves no trace in the state, a failed one its nonce and one event.
#![allow(clippy::unwrap_used, reason = "tests")]

mod adjustments;
mod agreement;
mod blocks;
mod certification;
mod checker;
mod consent;
mod curtailment;
mod deposits;
mod metering;
mod orders;
mod registry;
mod scenes;
mod sealed;
mod standing;
mod terms;
mod vouchers;

use busbar_tests::machine::{on_vm_thread, vm};
use busbar_tests::world::World;
use runtime_execution::extrinsic::{MultiAddress, UncheckedExtrinsic};
use runtime_execution::modules::{attestation, balances, markets, payment, sudo, system, timestamp};
use runtime_execution::{BlockEnv, DispatchError, Event, Invalid, Outcome, Validator, VerifySingly};
use runtime_primitives::{AccountId, Height};
use scenes::{Scene, Scenes};
use std::collections::BTreeSet;

/// What a row expects.
#[derive(Clone, Debug, PartialEq)]
pub enum Wrong {
    /// Refused before inclusion: skipped.
    Skipped(Invalid),
    /// Not even an extrinsic.
    Undecodable,
    /// Included but failed.
    Failed(DispatchError),
}

macro_rules! failed_with {
    ($($error:ty),*) => {$(
        impl From<$error> for Wrong {
            fn from(error: $error) -> Self {
                Self::Failed(error.into())
            }
        }
    )*};
}
failed_with!(
    markets::Error,
    balances::Error,
    sudo::Error,
    timestamp::Error,
    runtime_execution::modules::registry::Error
);

impl From<Invalid> for Wrong {
    fn from(invalid: Invalid) -> Self {
        Self::Skipped(invalid)
    }
}

impl From<attestation::Error> for Wrong {
    fn from(error: attestation::Error) -> Self {
        Self::Skipped(Invalid::Attestation(error))
    }
}

/// An extrinsic and why it is refused.
pub type Attempt = (Vec<u8>, Wrong);

/// One row of the table.
pub struct Row {
    /// What is wrong.
    name: &'static str,
    /// Where the world stands.
    scene: Scene,
    /// Prepares the world if needed and gives the extrinsic with its error.
    attempt: fn(&mut World) -> Attempt,
}

/// A row.
pub fn row(name: &'static str, scene: Scene, attempt: fn(&mut World) -> Attempt) -> Row {
    Row { name, scene, attempt }
}

fn check(row: &Row, scenes: &Scenes) -> Result<(), String> {
    let mut with = scenes.fork(row.scene);
    let (bytes, wrong) = (row.attempt)(&mut with);
    let mut without = with.clone();
    check_pool(&with, &bytes, &wrong)?;
    let hash = with.chain.submit_bytes(bytes.clone());
    with.chain.block();
    without.chain.block();

    let outcome = with.chain.outcome(&hash);
    let as_expected = match (&wrong, outcome) {
        (Wrong::Skipped(expected), Outcome::Skipped { reason }) => reason == expected,
        (Wrong::Undecodable, Outcome::Skipped { reason }) => matches!(reason, Invalid::Undecodable),
        (Wrong::Failed(expected), Outcome::Failed { error, .. }) => error == expected,
        _ => false,
    };
    if !as_expected {
        return Err(format!("{outcome:?} instead of {wrong:?}"));
    }
    let signer = match wrong {
        Wrong::Failed(_) => signer(&bytes),
        _ => None,
    };
    check_trace(&with, &without, signer)
}

/// The pool refuses what a block would skip, for the same reason, unless only later blocks can tell.
fn check_pool(world: &World, bytes: &[u8], wrong: &Wrong) -> Result<(), String> {
    let height = Height::from_number(world.chain.header.number + 1);
    let env = BlockEnv { height, now: world.chain.now.plus_ms(1_000), genesis: world.chain.genesis };
    let parent = world.chain.header.hash();
    let verdict = Validator::new(vm(), &world.chain.state, env, &parent, &VerifySingly).validate(bytes);
    let as_expected = match (wrong, &verdict) {
        (Wrong::Skipped(Invalid::FutureNonce { .. } | Invalid::BlockGas { .. }), _) => true,
        (Wrong::Skipped(expected), Err(got)) => expected == got,
        (Wrong::Undecodable, Err(got)) => matches!(got, Invalid::Undecodable),
        (Wrong::Failed(_), verdict) => verdict.is_ok(),
        (_, Ok(_)) => false,
    };
    if as_expected { Ok(()) } else { Err(format!("the pool says {verdict:?} instead of {wrong:?}")) }
}

fn signer(bytes: &[u8]) -> Option<AccountId> {
    let MultiAddress::Id(signer) = UncheckedExtrinsic::from_bytes(bytes).ok()?.envelope?.signer;
    Some(signer)
}

/// Nothing differs but the block's own book-keeping and, for a failed extrinsic, its signer's nonce.
fn check_trace(with: &World, without: &World, failed_by: Option<AccountId>) -> Result<(), String> {
    let (left, right) = (with.chain.rows(), without.chain.rows());
    let keys: BTreeSet<&Vec<u8>> = left.keys().chain(right.keys()).collect();
    let mut differing: BTreeSet<Vec<u8>> =
        keys.into_iter().filter(|key| left.get(*key) != right.get(*key)).cloned().collect();
    let mut new_events = 0;
    if let Some(signer) = failed_by {
        new_events = 1;
        differing.remove(&system::EVENTS.key());
        differing.remove(&system::EVENT_COUNT.key());
        differing.remove(&system::ACCOUNT.key(&signer));
        let keys = &runtime_execution::modules::registry::KEYS;
        if let Some(binding) = keys.get(&with.chain.view(), &signer) {
            differing.remove(&payment::USAGE.key(&binding.entity));
        }
        let mut left = system::ACCOUNT.get_or_default(&with.chain.view(), &signer);
        let right = system::ACCOUNT.get_or_default(&without.chain.view(), &signer);
        left.nonce -= 1;
        if left != right {
            return Err(format!("the signer's account became {left:?}, not {right:?}"));
        }
    }
    if !differing.is_empty() {
        return Err(format!("{} other keys changed: {differing:02x?}", differing.len()));
    }
    let failures = |world: &World| {
        let failed = |event: &Event| matches!(event, Event::System(system::Event::ExtrinsicFailed { .. }));
        world.chain.last().events.iter().filter(|record| failed(&record.event)).count()
    };
    let counts = [with, without].map(|world| world.chain.last().events.len());
    if counts[0] != counts[1] + new_events || failures(with) != failures(without) + new_events {
        return Err(format!("{} events instead of {}", counts[0], counts[1] + new_events));
    }
    if with.chain.last().archive != without.chain.last().archive {
        return Err("the archive has other rows".into());
    }
    Ok(())
}

#[test]
fn every_refusal_has_its_name_and_changes_nothing_else() {
    on_vm_thread(|| {
        let scenes = Scenes::new();
        let tables = [
            checker::rows(),
            registry::rows(),
            terms::rows(),
            orders::rows(),
            sealed::rows(),
            standing::rows(),
            consent::rows(),
            metering::rows(),
            vouchers::rows(),
            curtailment::rows(),
            deposits::rows(),
            certification::rows(),
            agreement::rows(),
            adjustments::rows(),
        ];
        let rows: Vec<Row> = tables.into_iter().flatten().collect();
        let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), rows.len(), "every row has its own name");
        let wrong: Vec<String> = rows
            .iter()
            .filter_map(|row| check(row, &scenes).err().map(|why| format!("{}: {why}", row.name)))
            .collect();
        assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
        println!("{} rows", rows.len());
    });
}

//! A data folder made from a snapshot.
//!
//! The rule: the chain's file comes last and at once, so that a crash before leaves a folder without a chain. What a
//! validator has signed before, if it is still there, stays.

use super::{CheckedSnapshot, SnapshotError, check};
use crate::chain_spec::ChainSpec;
use crate::checkpoint::{FILE_NAME, Trusted};
use crate::node::Chain;
use host_consensus::CLOCKS_APART_MS;
use host_storage::{Beginning, CertificateStore, Finality, Restore, StoreOptions};
use parity_scale_codec::Encode;
use runtime_execution::GenesisConfig;
use runtime_primitives::Timestamp;
use std::fs;
use std::io::Read;
use std::path::Path;

/// Make the chain of a node in the folder `data` from the snapshot that `source` gives, with what the spec says; `now` is the
/// time, and `progress` is told of bytes read.
///
/// # Errors
/// [`SnapshotError`]; there is no chain in the folder then.
pub fn import(
    source: impl Read,
    (spec, config): (&ChainSpec, &GenesisConfig),
    data: &Path,
    now: Timestamp,
    progress: &mut dyn FnMut(u64),
) -> Result<CheckedSnapshot, SnapshotError> {
    let (chain, engine) = (data.join("chain.redb"), data.join("engine"));
    if let Some(found) = [&chain, &engine].into_iter().find(|path| path.exists()) {
        return Err(SnapshotError::Occupied(found.clone()));
    }
    let (trusted, genesis) = (Trusted::new(config)?, Chain::first(config)?);
    fs::create_dir_all(data).map_err(|source| SnapshotError::File { path: data.to_owned(), source })?;
    let mut restore = Restore::at(&chain, StoreOptions::default())?;
    let checked = check(source, &trusted, &mut restore, progress).and_then(|snapshot| in_time(snapshot, now));
    let snapshot = match checked {
        Ok(snapshot) => snapshot,
        Err(error) => {
            restore.discard();
            return Err(error);
        }
    };
    let certificates = CertificateStore::open(&data.join(FILE_NAME))?;
    certificates.keep_all(snapshot.certificates.iter().map(|one| (one.checkpoint.number, one.encode())))?;
    ChainSpec::keep(config, spec.block_interval_ms, &chain)?;
    restore.finish(Beginning {
        genesis,
        headers: snapshot.headers.clone(),
        block: snapshot.block.clone(),
        finality: Finality { digest: snapshot.digest, proof: Some(snapshot.proof.clone()) },
        parent: snapshot.parent,
        made_at: now,
    })?;
    Ok(snapshot)
}

/// A snapshot of what was before `now`: a clock that is behind would say that nobody can have signed what came after.
fn in_time(snapshot: CheckedSnapshot, now: Timestamp) -> Result<CheckedSnapshot, SnapshotError> {
    let block = snapshot.block.timestamp;
    if now.plus_ms(CLOCKS_APART_MS) < block {
        return Err(SnapshotError::ClockBehind { now, block });
    }
    Ok(snapshot)
}

//! What proves that blocks are final, by height: the engine's name for each, and a proof of some.
//!
//! ```text
//! height    payload hash 32 | digest 32 | proof      no proof: the block is final because a later one is
//! ```
//! The rule: a row comes and goes with its block, and one node's blocks without an engine's certificate have none.

use crate::StoreError;
use crate::tables::FINALITY;
use redb::{ReadTransaction, WriteTransaction};
use runtime_primitives::{Hash, Height};

/// An engine's certificate, as it is kept beside its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finality {
    /// The engine's name for the block and all before it.
    pub digest: Hash,
    /// A quorum's word for the digest, in the engine's encoding.
    pub proof: Option<Vec<u8>>,
}

/// Blocks that one proof shows to be final: the last one by itself, and so all that its digest covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Hashes of the ordered blocks, ascending by height.
    pub payloads: Vec<Hash>,
    /// Of the last one.
    pub proof: Vec<u8>,
}

const HASHES_BYTES: usize = 64;

/// Write the row of a block.
pub(crate) fn write(
    tx: &WriteTransaction,
    height: u64,
    payload: &Hash,
    finality: &Finality,
) -> Result<(), StoreError> {
    let proof = finality.proof.as_deref().unwrap_or_default();
    let row = [&payload.0[..], &finality.digest.0, proof].concat();
    tx.open_table(FINALITY)?.insert(height, &row[..])?;
    Ok(())
}

/// The row of the block at `height`.
pub(crate) fn read(tx: &ReadTransaction, height: Height) -> Result<Option<Finality>, StoreError> {
    let row = tx.open_table(FINALITY)?.get(height.number())?;
    row.map(|row| decode(height.number(), row.value()).map(|(_, finality)| finality)).transpose()
}

/// The blocks after `after`, none above `to`, up to the last proven one of the first `few`, or else up to the first one of
/// `most`.
pub(crate) fn stretch(
    tx: &ReadTransaction,
    after: Height,
    to: Height,
    few: usize,
    most: usize,
) -> Result<Option<Stretch>, StoreError> {
    let (mut payloads, mut proven, mut last) = (Vec::new(), None, after);
    let rows = tx.open_table(FINALITY)?;
    for row in rows.range(after.number().saturating_add(1)..=to.number())?.take(most) {
        if payloads.len() >= few && proven.is_some() {
            break;
        }
        let (height, row) = row?;
        if last.next().number() != height.value() {
            break;
        }
        last = last.next();
        let (payload, finality) = decode(height.value(), row.value())?;
        payloads.push(payload);
        if let Some(proof) = finality.proof {
            proven = Some((payloads.len(), proof));
        }
    }
    Ok(proven.map(|(blocks, proof)| {
        payloads.truncate(blocks);
        Stretch { payloads, proof }
    }))
}

fn decode(height: u64, row: &[u8]) -> Result<(Hash, Finality), StoreError> {
    let (hashes, proof) = row
        .split_first_chunk::<HASHES_BYTES>()
        .ok_or_else(|| StoreError::corrupted_record("finality", height, "ends within the hashes"))?;
    let (mut payload, mut digest) = ([0; 32], [0; 32]);
    payload.copy_from_slice(&hashes[..32]);
    digest.copy_from_slice(&hashes[32..]);
    let proof = (!proof.is_empty()).then(|| proof.to_vec());
    Ok((Hash(payload), Finality { digest: Hash(digest), proof }))
}

//! From a source's claim to blocks that are proven final, though nobody has given them yet.

use super::error::FollowFault;
use crate::node::Chain;
use host_consensus::network::{check_finality, genesis_digest, next_digest};
use host_consensus::{Application as _, Certificate};
use host_rpc::UNPROVEN_BLOCKS_MAX;
use host_storage::{StoreError, Stretch};
use parity_scale_codec::DecodeAll;
use runtime_primitives::limits::BLOCK_BYTES_MAX;
use runtime_primitives::{Hash, Height, OrderedBlock, blake2_256};
use std::collections::VecDeque;

/// A block that is final, known by its hash. Built by [`prove`] alone.
#[derive(Debug)]
pub(super) struct ProvenBlock {
    payload: Hash,
    certificate: Certificate,
}

/// The engine's digest of the best block; `None` if no engine ordered it.
pub(super) fn best_digest(chain: &Chain) -> Result<Option<Hash>, StoreError> {
    let snapshot = chain.snapshot();
    if snapshot.height() == Height::ZERO {
        return Ok(snapshot.block(Height::ZERO)?.map(|first| genesis_digest(&first)));
    }
    Ok(snapshot.finality(snapshot.height())?.map(|finality| finality.digest))
}

/// The blocks after the best one of `chain`, whose digest is `best`, that a claim proves final.
pub(super) fn prove(
    chain: &Chain,
    best: &Hash,
    claim: Stretch,
) -> Result<VecDeque<ProvenBlock>, FollowFault> {
    let Stretch { payloads, proof } = claim;
    let (blocks, after) = (payloads.len() as u64, chain.snapshot().height().number());
    if payloads.is_empty() || payloads.len() > UNPROVEN_BLOCKS_MAX {
        return Err(FollowFault::Payloads { found: payloads.len() });
    }
    let (first, last) = (after + 1, after + blocks);
    let epoch = first / chain.epoch_blocks();
    if last / chain.epoch_blocks() != epoch {
        return Err(FollowFault::TwoEpochs { first, last });
    }
    let mut digest = *best;
    let mut proven: VecDeque<ProvenBlock> = payloads
        .into_iter()
        .map(|payload| {
            digest = next_digest(&digest, &payload);
            ProvenBlock { payload, certificate: Certificate { digest: Some(digest), proof: None } }
        })
        .collect();
    // The next block's epoch is always decided.
    let members = chain.committee(epoch).unwrap_or_default();
    check_finality(&chain.genesis(), epoch, &members, &digest, &proof)
        .map_err(|fault| FollowFault::Finality { height: last, fault })?;
    if let Some(block) = proven.back_mut() {
        block.certificate.proof = Some(proof);
    }
    Ok(proven)
}

impl ProvenBlock {
    /// The block at `height` that `bytes` are, if they are this one.
    pub fn open(&self, height: Height, bytes: &[u8]) -> Result<(OrderedBlock, Certificate), FollowFault> {
        let (found, proven) = (blake2_256(bytes), self.payload);
        if found != proven {
            return Err(FollowFault::OtherBlock { height, found, proven });
        }
        let no_block = FollowFault::NoBlock { height };
        if bytes.len() > BLOCK_BYTES_MAX {
            return Err(no_block);
        }
        match OrderedBlock::decode_all(&mut &bytes[..]) {
            Ok(block) if block.height == height => Ok((block, self.certificate.clone())),
            _ => Err(no_block),
        }
    }
}

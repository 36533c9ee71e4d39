//! Finality for those who take no part: which blocks a quorum of an epoch's members has finalized.
//!
//! The rule: a proof counts for one digest, and a digest covers every block up to its own. Bytes come from anybody.

use super::block::{Carried, Digest, digest_on};
use super::committee::{Member, namespace};
use crate::Certificate;
use bytes::Bytes;
use commonware_codec::{Decode as _, DecodeExt as _, Encode as _};
use commonware_consensus::Epochable as _;
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::simplex::types::Finalization;
use commonware_cryptography::Digestible as _;
use commonware_cryptography::certificate::Verifier as _;
use commonware_parallel::Sequential;
use commonware_utils::ordered::Set;
use commonware_utils::sys_rng;
use runtime_primitives::limits::VALIDATORS_MAX;
use runtime_primitives::{Hash, OrderedBlock};
use thiserror::Error;

/// The library's proof of a block.
pub(super) type Proof = Finalization<Scheme, Digest>;

/// Bytes of the longest proof: those of the largest committee, each of whose signatures has 64, and of what they sign.
pub const PROOF_BYTES_MAX: usize = 64 * VALIDATORS_MAX as usize + 256;

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FinalityFault {
    /// It is no proof of this engine.
    #[error("{bytes} bytes are no proof of finality: {reason}")]
    Malformed {
        /// How many.
        bytes: usize,
        /// What the decoder met.
        reason: String,
    },
    /// It is for a block of another epoch.
    #[error("the proof is of epoch {found}, the block is of epoch {wanted}")]
    OtherEpoch {
        /// In the proof.
        found: u64,
        /// Of the block.
        wanted: u64,
    },
    /// It is for other blocks.
    #[error("the proof is for digest {found}, the blocks lead to {wanted}")]
    OtherBlocks {
        /// In the proof.
        found: Hash,
        /// What the blocks lead to.
        wanted: Hash,
    },
    /// It is not signed by a quorum.
    #[error("the proof is not signed by a quorum of the {members} members of epoch {epoch}")]
    NoQuorum {
        /// The block's epoch.
        epoch: u64,
        /// Its members.
        members: usize,
    },
}

fn hash_of(digest: &Digest) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    Hash(hash)
}

pub(super) fn digest_of(hash: &Hash) -> Digest {
    Digest::decode(Bytes::copy_from_slice(&hash.0)).expect("32 bytes are a digest")
}

/// What an application is given with a block.
pub(super) fn certificate(digest: &Digest, proof: Option<&Proof>) -> Certificate {
    let proof = proof.map(|proof| proof.encode().to_vec());
    Certificate { digest: Some(hash_of(digest)), proof }
}

/// Digest of a chain's first block.
pub fn genesis_digest(first: &OrderedBlock) -> Hash {
    hash_of(&Carried::genesis(first.clone()).digest())
}

/// Digest of the block whose bytes hash to `payload`, on a block with digest `parent`.
pub fn next_digest(parent: &Hash, payload: &Hash) -> Hash {
    hash_of(&digest_on(&digest_of(parent), payload))
}

/// Check that a quorum of `members`, those of `epoch` on the chain with this genesis, has finalized `digest`.
///
/// # Errors
/// [`FinalityFault`].
pub fn check_finality(
    genesis: &Hash,
    epoch: u64,
    members: &[Member],
    digest: &Hash,
    proof: &[u8],
) -> Result<(), FinalityFault> {
    let malformed =
        |reason: &dyn ToString| FinalityFault::Malformed { bytes: proof.len(), reason: reason.to_string() };
    if proof.len() > PROOF_BYTES_MAX {
        return Err(malformed(&format!("at most {PROOF_BYTES_MAX} are allowed")));
    }
    let keys = Set::from_iter_dedup(members.iter().filter_map(|member| member.key.peer()));
    let no_quorum = FinalityFault::NoQuorum { epoch, members: keys.len() };
    if keys.is_empty() {
        return Err(no_quorum);
    }
    let scheme = Scheme::verifier(&namespace(genesis), keys);
    let limits = scheme.certificate_codec_config();
    let found =
        Proof::decode_cfg(Bytes::copy_from_slice(proof), &limits).map_err(|error| malformed(&error))?;
    if found.epoch().get() != epoch {
        return Err(FinalityFault::OtherEpoch { found: found.epoch().get(), wanted: epoch });
    }
    let of = hash_of(&found.proposal.payload);
    if of != *digest {
        return Err(FinalityFault::OtherBlocks { found: of, wanted: *digest });
    }
    if found.verify(&mut sys_rng(), &scheme, &Sequential) { Ok(()) } else { Err(no_quorum) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::network::EngineSecret;
    use commonware_consensus::simplex::types::{Finalize, Proposal};
    use commonware_consensus::types::{Epoch, Round, View};
    use commonware_utils::non_empty;

    const GENESIS: Hash = Hash([7; 32]);

    fn secrets() -> Vec<EngineSecret> {
        (1..=4).map(|seed| EngineSecret::from_seed([seed; 32])).collect()
    }

    fn member(secret: &EngineSecret) -> Member {
        Member { key: secret.public(), address: "nowhere:1".into() }
    }

    fn keys() -> Set<commonware_cryptography::ed25519::PublicKey> {
        Set::from_iter_dedup(secrets().iter().filter_map(|secret| secret.public().peer()))
    }

    /// What `signers` of the four finalize in epoch 2.
    fn proof(digest: &Hash, signers: std::ops::Range<usize>, genesis: &Hash) -> Vec<u8> {
        let keys = keys();
        let proposal =
            Proposal::new(Round::new(Epoch::new(2), View::new(9)), View::new(8), digest_of(digest));
        let secrets = secrets();
        let signed = secrets[signers].iter().map(|secret| {
            let scheme = Scheme::signer(&namespace(genesis), keys.clone(), secret.0.clone()).unwrap();
            Finalize::sign(&scheme, proposal.clone()).unwrap()
        });
        let votes: Vec<Finalize<Scheme, Digest>> = signed.collect();
        let scheme = Scheme::verifier(&namespace(genesis), keys);
        let proof = Proof::from_finalizes(&scheme, non_empty![@votes.iter()], &Sequential);
        proof.map(|proof| proof.encode().to_vec()).unwrap_or_default()
    }

    #[test]
    fn a_proof_counts_for_one_digest_of_one_epoch_of_one_chain() {
        let members: Vec<Member> = secrets().iter().map(member).collect();
        let digest = Hash([3; 32]);
        let good = proof(&digest, 0..3, &GENESIS);
        let check = |epoch, members: &[Member], digest: &Hash, proof: &[u8]| {
            check_finality(&GENESIS, epoch, members, digest, proof)
        };
        assert_eq!(check(2, &members, &digest, &good), Ok(()));
        let no_quorum = |members| Err(FinalityFault::NoQuorum { epoch: 2, members });
        assert_eq!(
            check(3, &members, &digest, &good),
            Err(FinalityFault::OtherEpoch { found: 2, wanted: 3 })
        );
        let wanted = Hash([4; 32]);
        assert_eq!(
            check(2, &members, &wanted, &good),
            Err(FinalityFault::OtherBlocks { found: digest, wanted })
        );
        assert_eq!(check(2, &members, &digest, &proof(&digest, 0..3, &Hash::ZERO)), no_quorum(4));
        let others: Vec<Member> = (5..9).map(|seed| member(&EngineSecret::from_seed([seed; 32]))).collect();
        assert_eq!(check(2, &others, &digest, &good), no_quorum(4));
        assert_eq!(check(2, &[], &digest, &good), no_quorum(0));
        for bytes in [vec![], vec![0; PROOF_BYTES_MAX + 1], vec![255; 64], good[..good.len() - 1].to_vec()] {
            assert!(matches!(check(2, &members, &digest, &bytes), Err(FinalityFault::Malformed { .. })));
        }
        assert!(good.len() < PROOF_BYTES_MAX);
    }

    #[test]
    fn no_flipped_bit_is_proven() {
        let members: Vec<Member> = secrets().iter().map(member).collect();
        let digest = Hash([3; 32]);
        let good = proof(&digest, 1..4, &GENESIS);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(check_finality(&GENESIS, 2, &members, &digest, &bad).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn digests_follow_from_payloads() {
        use runtime_primitives::{Executed, Height, Timestamp};
        let block = |height| OrderedBlock {
            height: Height::from_number(height),
            executed: Executed::default(),
            timestamp: Timestamp::from_ms(height),
            extrinsics: vec![vec![1]],
        };
        let first = Carried::genesis(block(0));
        let second = Carried::new(first.digest(), block(1));
        let digest = next_digest(&genesis_digest(&block(0)), &block(1).payload_hash());
        assert_eq!(digest, hash_of(&second.digest()));
    }
}

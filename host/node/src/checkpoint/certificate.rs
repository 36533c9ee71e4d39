//! What is signed, and whether enough have signed it: from bytes and a chain spec alone.

use super::{is_checkpoint, is_last};
use parity_scale_codec::{Decode, Encode};
use runtime_execution::modules::registry::Validator;
use runtime_primitives::crypto::{Signature, Statement};
use runtime_primitives::limits::VALIDATORS_MAX;
use runtime_primitives::{AccountId, EntityId, Hash, blake2_256};
use std::collections::BTreeSet;
use thiserror::Error;

/// Bytes of an encoded certificate, at most: a set signs and the next is named.
pub const CERTIFICATE_BYTES_MAX: usize = 128 + VALIDATORS_MAX as usize * (32 + 64 + 4 + 32);

/// Domain of the signed bytes.
const DOMAIN: &[u8] = b"busbar/checkpoint/v1";

/// A validator as others know its signature.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SetMember {
    /// The entity.
    pub entity: EntityId,
    /// The sr25519 key that signs for it.
    pub session_key: AccountId,
}

impl From<Validator> for SetMember {
    fn from(validator: Validator) -> Self {
        Self { entity: validator.entity, session_key: validator.session_key }
    }
}

impl SetMember {
    /// Who signs checkpoints among an epoch's validators: those whose engines order, and all where none has one. Nobody else
    /// hears, or can be heard by, those who gather signatures.
    pub fn signers(validators: Vec<Validator>) -> Vec<Self> {
        let orders = validators.iter().any(|validator| validator.engine.is_some());
        let signs = |validator: &Validator| validator.engine.is_some() || !orders;
        validators.into_iter().filter(signs).map(Self::from).collect()
    }
}

/// A header at its place.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Checkpoint {
    /// The block's epoch.
    pub epoch: u64,
    /// Its height.
    pub number: u64,
    /// Hash of its header.
    pub header: Hash,
    /// Hash of the epoch's validators.
    pub set: Hash,
    /// In an epoch's last block, the next epoch's validators.
    pub next: Option<Vec<SetMember>>,
}

/// A validator's word for a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedCheckpoint {
    /// What it signed.
    pub checkpoint: Checkpoint,
    /// With which key.
    pub signer: AccountId,
    /// Over [`Checkpoint::message`].
    pub signature: Signature,
}

/// A checkpoint with the signatures of a quorum.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Certificate {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// Keys and signatures, ascending by key.
    pub signatures: Vec<(AccountId, Signature)>,
}

/// Why a certificate proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// The block is no checkpoint of a chain with such epochs.
    #[error("block {number} of epoch {epoch} is no checkpoint with epochs of {epoch_blocks} blocks")]
    NoCheckpoint {
        /// In the certificate.
        number: u64,
        /// In the certificate.
        epoch: u64,
        /// Of the chain.
        epoch_blocks: u64,
    },
    /// An epoch's last block names the next validators, no other does.
    #[error("block {number} must name the next epoch's validators if and only if it is its epoch's last")]
    NextSet {
        /// The block.
        number: u64,
    },
    /// Certificates ascend.
    #[error("block {number} does not come after block {after}")]
    Order {
        /// The block.
        number: u64,
        /// The one before.
        after: u64,
    },
    /// The validators of an epoch follow from the last certificate of the one before.
    #[error(
        "block {number}: nothing proves who validates epoch {epoch}; the last certificate of epoch {proven} is missing"
    )]
    UnprovenSet {
        /// The block.
        number: u64,
        /// Its epoch.
        epoch: u64,
        /// The last epoch whose validators are proven.
        proven: u64,
    },
    /// The certificate is for other validators.
    #[error("block {number} was signed for set {found}, epoch {epoch} has {wanted}")]
    OtherSet {
        /// The block.
        number: u64,
        /// Its epoch.
        epoch: u64,
        /// In the certificate.
        found: Hash,
        /// Of the epoch.
        wanted: Hash,
    },
    /// A key signs once, and keys ascend.
    #[error("block {number}: signature {index} is out of order")]
    SignatureOrder {
        /// The block.
        number: u64,
        /// Position of the signature.
        index: usize,
    },
    /// Only validators of the epoch count.
    #[error("block {number}: {signer} is no validator of the epoch")]
    Stranger {
        /// The block.
        number: u64,
        /// Who signed.
        signer: AccountId,
    },
    /// A signature does not verify.
    #[error("block {number}: the signature of {signer} is not over this checkpoint")]
    Signature {
        /// The block.
        number: u64,
        /// Who should have signed.
        signer: AccountId,
    },
    /// Too few have signed.
    #[error("block {number}: {found} signatures of {members} validators, {wanted} are needed")]
    Quorum {
        /// The block.
        number: u64,
        /// Valid signatures.
        found: usize,
        /// Validators.
        members: usize,
        /// The quorum.
        wanted: usize,
    },
}

/// Validators of `members` that must sign: all but the liars that an engine of so many bears.
pub const fn quorum(members: usize) -> usize {
    members - members.saturating_sub(1) / 3
}

/// Hash of a set of validators.
pub fn set_hash(set: &[SetMember]) -> Hash {
    blake2_256(&set.encode())
}

impl Checkpoint {
    /// The signed bytes.
    pub fn message(&self, genesis: &Hash) -> Vec<u8> {
        (DOMAIN, genesis, self).encode()
    }

    /// Whether it stands where a chain with such epochs has checkpoints, and says what belongs there.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn check_place(&self, epoch_blocks: u64) -> Result<(), CheckpointError> {
        let Self { number, epoch, .. } = *self;
        if !is_checkpoint(number, epoch_blocks) || number / epoch_blocks != epoch {
            return Err(CheckpointError::NoCheckpoint { number, epoch, epoch_blocks });
        }
        if self.next.is_some() != is_last(number, epoch_blocks) {
            return Err(CheckpointError::NextSet { number });
        }
        Ok(())
    }
}

impl SignedCheckpoint {
    /// Whether `signer` has signed this on the chain with this genesis.
    pub fn verify(&self, genesis: &Hash) -> bool {
        let message = self.checkpoint.message(genesis);
        Statement { signer: self.signer, message, signature: self.signature }.verify()
    }
}

impl Certificate {
    /// Whether a quorum of `set`, the validators of its epoch, has signed.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn verify(&self, genesis: &Hash, set: &[SetMember]) -> Result<(), CheckpointError> {
        let Checkpoint { epoch, number, set: found, .. } = self.checkpoint;
        let wanted = set_hash(set);
        if found != wanted {
            return Err(CheckpointError::OtherSet { number, epoch, found, wanted });
        }
        let (found, members) = (self.signatures.len(), set.len());
        // Before any signature is checked: work is bounded by the set.
        if found < quorum(members) || found > members {
            return Err(CheckpointError::Quorum { number, found, members, wanted: quorum(members) });
        }
        let keys: BTreeSet<AccountId> = set.iter().map(|member| member.session_key).collect();
        let message = self.checkpoint.message(genesis);
        let mut last = None;
        for (index, (signer, signature)) in self.signatures.iter().enumerate() {
            if last.replace(*signer) >= Some(*signer) {
                return Err(CheckpointError::SignatureOrder { number, index });
            }
            if !keys.contains(signer) {
                return Err(CheckpointError::Stranger { number, signer: *signer });
            }
            let statement = Statement { signer: *signer, message: message.clone(), signature: *signature };
            if !statement.verify() {
                return Err(CheckpointError::Signature { number, signer: *signer });
            }
        }
        Ok(())
    }
}

/// Follow `certificates`, ascending, from the validators of the chain's first epochs to the last checkpoint.
///
/// `first` validates epochs 0 and 1: what changes in an epoch takes effect two later. Gives the last checkpoint, or `None`
/// if there are no certificates.
///
/// # Errors
/// [`CheckpointError`] of the first certificate that proves nothing.
pub fn verify_all<'a>(
    genesis: &Hash,
    epoch_blocks: u64,
    first: &[SetMember],
    certificates: impl IntoIterator<Item = &'a Certificate>,
) -> Result<Option<&'a Checkpoint>, CheckpointError> {
    let mut sets = SetChain::new(*genesis, epoch_blocks, first.to_vec());
    let mut head = None;
    for certificate in certificates {
        sets.follow(certificate)?;
        head = Some(&certificate.checkpoint);
    }
    Ok(head)
}

/// Who validates the epoch that certificates have led to.
pub struct SetChain {
    genesis: Hash,
    epoch_blocks: u64,
    epoch: u64,
    set: Vec<SetMember>,
    /// Height of the last certificate.
    head: Option<u64>,
}

impl SetChain {
    /// At a chain's beginning: `first` validates epochs 0 and 1.
    pub const fn new(genesis: Hash, epoch_blocks: u64, first: Vec<SetMember>) -> Self {
        Self { genesis, epoch_blocks, epoch: 0, set: first, head: None }
    }

    /// Check the next certificate, ascending.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn follow(&mut self, certificate: &Certificate) -> Result<(), CheckpointError> {
        let checkpoint = &certificate.checkpoint;
        checkpoint.check_place(self.epoch_blocks)?;
        let (number, epoch) = (checkpoint.number, checkpoint.epoch);
        if let Some(after) = self.head.filter(|after| *after >= number) {
            return Err(CheckpointError::Order { number, after });
        }
        if epoch != self.epoch {
            return Err(CheckpointError::UnprovenSet { number, epoch, proven: self.epoch });
        }
        certificate.verify(&self.genesis, &self.set)?;
        if let Some(next) = &checkpoint.next {
            (self.epoch, self.set) = (epoch + 1, next.clone());
        }
        self.head = Some(number);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::keys::{Signer, SigningPolicy};

    const GENESIS: Hash = Hash([9; 32]);
    const EPOCH_BLOCKS: u64 = 10;

    fn signer(number: usize) -> Signer {
        Signer::new(format!("//Validator{number}").parse().unwrap(), SigningPolicy::Repeatable)
    }

    fn set(members: std::ops::Range<usize>) -> Vec<SetMember> {
        let member = |number| SetMember {
            entity: EntityId::from_number(u32::try_from(number).unwrap()),
            session_key: signer(number).account(),
        };
        members.map(member).collect()
    }

    fn checkpoint(number: u64, set: &[SetMember], next: Option<Vec<SetMember>>) -> Checkpoint {
        let header = Hash([u8::try_from(number).unwrap(); 32]);
        Checkpoint { epoch: number / EPOCH_BLOCKS, number, header, set: set_hash(set), next }
    }

    fn certificate(checkpoint: Checkpoint, signers: std::ops::Range<usize>) -> Certificate {
        let message = checkpoint.message(&GENESIS);
        let mut signatures: Vec<(AccountId, Signature)> =
            signers.map(signer).map(|signer| (signer.account(), signer.sign(&message))).collect();
        signatures.sort_by_key(|(signer, _)| *signer);
        Certificate { checkpoint, signatures }
    }

    #[test]
    fn quorums() {
        let quorums: Vec<usize> = (1..=10).map(quorum).collect();
        assert_eq!(quorums, [1, 2, 3, 3, 4, 5, 5, 6, 7, 7]);
    }

    #[test]
    fn sets_are_followed_from_epoch_to_epoch() {
        let (first, second) = (set(0..4), set(2..7));
        let chain = [
            certificate(checkpoint(9, &first, Some(first.clone())), 1..4),
            certificate(checkpoint(19, &first, Some(second.clone())), 0..4),
            certificate(checkpoint(29, &second, Some(second.clone())), 2..6),
        ];
        let head = verify_all(&GENESIS, EPOCH_BLOCKS, &first, &chain).unwrap().unwrap();
        assert_eq!((head.number, head.epoch, head.header), (29, 2, Hash([29; 32])));
        assert_eq!(verify_all(&GENESIS, EPOCH_BLOCKS, &first, []), Ok(None));
        let skipped = [&chain[0], &chain[2]];
        let unproven = CheckpointError::UnprovenSet { number: 29, epoch: 2, proven: 1 };
        assert_eq!(verify_all(&GENESIS, EPOCH_BLOCKS, &first, skipped), Err(unproven));
        let again = [&chain[0], &chain[0]];
        assert_eq!(
            verify_all(&GENESIS, EPOCH_BLOCKS, &first, again),
            Err(CheckpointError::Order { number: 9, after: 9 })
        );
        let other = verify_all(&Hash([8; 32]), EPOCH_BLOCKS, &first, &chain);
        assert!(
            matches!(other, Err(CheckpointError::Signature { number: 9, .. })),
            "another chain: {other:?}"
        );
    }

    #[test]
    fn what_proves_nothing_is_refused() {
        use CheckpointError as Fault;
        let members = set(0..4);
        let good = certificate(checkpoint(9, &members, Some(members.clone())), 0..4);
        let change = |change: fn(&mut Certificate)| {
            let mut changed = good.clone();
            change(&mut changed);
            verify_all(&GENESIS, EPOCH_BLOCKS, &members, [&changed]).map(drop).unwrap_err()
        };
        assert_eq!(verify_all(&GENESIS, EPOCH_BLOCKS, &members, [&good]).unwrap(), Some(&good.checkpoint));
        let quorum = |found| Fault::Quorum { number: 9, found, members: 4, wanted: 3 };
        assert_eq!(change(|one| one.signatures.truncate(2)), quorum(2));
        assert_eq!(change(|one| one.signatures.push(one.signatures[3])), quorum(5));
        let order = |index| Fault::SignatureOrder { number: 9, index };
        assert_eq!(change(|one| one.signatures[1] = one.signatures[0]), order(1));
        assert_eq!(change(|one| one.signatures.swap(2, 3)), order(3));
        assert!(matches!(change(|one| one.checkpoint.header.0[0] ^= 1), Fault::Signature { number: 9, .. }));
        assert!(matches!(change(|one| one.signatures[3].1.0[5] ^= 1), Fault::Signature { number: 9, .. }));
        assert!(matches!(change(|one| one.checkpoint.set = Hash::ZERO), Fault::OtherSet { number: 9, .. }));
        assert_eq!(change(|one| one.checkpoint.next = None), Fault::NextSet { number: 9 });
        let misplaced = |number, epoch| Fault::NoCheckpoint { number, epoch, epoch_blocks: EPOCH_BLOCKS };
        assert_eq!(change(|one| one.checkpoint.epoch = 1), misplaced(9, 1));
        assert_eq!(change(|one| one.checkpoint.number = 8), misplaced(8, 0));
        let strangers = certificate(good.checkpoint.clone(), 1..5);
        let refused = verify_all(&GENESIS, EPOCH_BLOCKS, &members, [&strangers]);
        assert!(matches!(refused, Err(Fault::Stranger { number: 9, .. })), "{refused:?}");
    }
}

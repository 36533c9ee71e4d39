//! What nodes tell one another about checkpoints, and the rules by which such words are refused.

#![allow(clippy::cast_possible_truncation, reason = "the codec's derive casts the indices of variants")]

use super::{Certificate, SignedCheckpoint};
use parity_scale_codec::{Decode, Encode};

/// What nodes tell one another.
#[derive(Debug, Encode, Decode)]
pub(super) enum Word {
    /// One validator's signature. Of a block that is certified, it asks for the certificate.
    #[codec(index = 0)]
    Signed(SignedCheckpoint),
    /// A quorum's.
    #[codec(index = 1)]
    Certified(Certificate),
    /// Who has certificates from this height on is to tell them: the asker has nothing to sign there.
    #[codec(index = 2)]
    Wanted(u64),
}

/// Why a word is not counted. Names are rules of `busbar status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unheard {
    /// It is no word.
    Undecodable,
    /// A signature that was counted before.
    Known,
    /// A signature or certificate of a block that is certified here.
    Certified,
    /// The signer is no validator of the epoch.
    Stranger,
    /// The signature is not over this checkpoint, or a certificate proves nothing.
    Signature,
    /// A validator of the epoch has signed something else than this node computed.
    Contradiction,
    /// No checkpoint, or too far ahead of this node.
    Height,
    /// More words than this node keeps or answers.
    Crowded,
}

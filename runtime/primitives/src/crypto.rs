//! Verification: sr25519, and ed25519 for engines. Validity is single `verify`; a batch is only the host's speed-up.
//!
//! `schnorrkel::verify_batch` and `verify_batch_deterministic` are never called: the latter accepts pairs of
//! signatures that each fail alone. Secret keys do not exist here.

use crate::AccountId;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode, MaxEncodedLen};
use rand_core::{CryptoRng, RngCore};
use schnorrkel::{PublicKey, signing_context};

/// Signing context of Substrate's sr25519 keys.
pub const SIGNING_CONTEXT: &[u8] = b"substrate";

/// An sr25519 signature, 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Signature(pub [u8; 64]);

impl core::fmt::Debug for Signature {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Something somebody signed: the unit of verification, single or batched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Who is said to have signed.
    pub signer: AccountId,
    /// The exact bytes signed.
    pub message: Vec<u8>,
    /// The signature.
    pub signature: Signature,
}

impl Statement {
    /// Whether the signature is valid. The all-zero key is refused whatever it signed.
    pub fn verify(&self) -> bool {
        let Some((key, signature)) = self.parse() else { return false };
        key.verify_simple(SIGNING_CONTEXT, &self.message, &signature).is_ok()
    }

    fn parse(&self) -> Option<(PublicKey, schnorrkel::Signature)> {
        if self.signer == AccountId::ZERO {
            return None;
        }
        Some((
            PublicKey::from_bytes(&self.signer.0).ok()?,
            schnorrkel::Signature::from_bytes(&self.signature.0).ok()?,
        ))
    }
}

/// Whether every statement holds. `rng` must be freshly seeded from the operating system: the soundness of
/// the batch rests on coefficients that no signer can foresee. On `false` verify singly.
pub fn verify_batch<R: RngCore + CryptoRng>(statements: &[Statement], rng: R) -> bool {
    let Some(parsed) = statements.iter().map(Statement::parse).collect::<Option<Vec<_>>>() else {
        return false;
    };
    let (keys, signatures): (Vec<_>, Vec<_>) = parsed.into_iter().unzip();
    let context = signing_context(SIGNING_CONTEXT);
    let transcripts = statements.iter().map(|statement| context.bytes(&statement.message));
    schnorrkel::verify_batch_rng(transcripts, &signatures, &keys, false, rng).is_ok()
}

/// Whether an ed25519 signature is valid, by the rules of ZIP 215: the same on every platform and in every version. The
/// all-zero key is refused whatever it signed.
pub fn verify_ed25519(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let signature = ed25519_zebra::Signature::from_bytes(signature);
    let parsed = ed25519_zebra::VerificationKey::try_from(*key).ok().filter(|_| *key != [0; 32]);
    parsed.is_some_and(|parsed| parsed.verify(&signature, message).is_ok())
}

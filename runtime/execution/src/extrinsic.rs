//! Substrate's extrinsic format 4: bytes in, [`UncheckedExtrinsic`] out.
//!
//! ```text
//! compact length | 0x84 | MultiAddress | MultiSignature | era, nonce, tip, metadata-hash mode | call      signed
//! compact length | 0x04 | call                                                                           bare
//! signed payload: call ++ extra ++ spec_version, tx_version, genesis, birth hash, metadata hash (None);
//!                 blake2-256 of it if longer than 256 bytes
//! ```
//! Decoding proves nothing about the signer; only `check` does.

use crate::call::Call;
use parity_scale_codec::{Compact, Decode, Encode, Error as CodecError, Input, Output};
use runtime_primitives::crypto::{Signature, Statement};
use runtime_primitives::limits::{DECODE_DEPTH_MAX, EXTRINSIC_BYTES_MAX};
use runtime_primitives::{AccountId, Hash, Money, blake2_256};
use scale_info::TypeInfo;

/// Version of the call encoding; wallets sign it.
pub const SPEC_VERSION: u32 = 2;
/// Version of the extrinsic format; wallets sign it.
pub const TX_VERSION: u32 = 2;

const SIGNED_V4: u8 = 0x84;
const BARE_V4: u8 = 0x04;

/// Substrate's `MultiAddress`; only `Id` names an account of this chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum MultiAddress {
    /// A 32-byte account.
    #[codec(index = 0)]
    Id(AccountId),
}

/// Substrate's `MultiSignature`; this chain verifies sr25519.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum MultiSignature {
    /// schnorrkel over ristretto25519.
    #[codec(index = 1)]
    Sr25519(Signature),
}

/// How long a signed extrinsic stays valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// For ever (until the nonce is used).
    Immortal,
    /// From its birth block for `period` blocks.
    Mortal {
        /// A power of two from 4 to 65536.
        period: u64,
        /// `birth % period`.
        phase: u64,
    },
}

impl Era {
    /// An era of at least `period` blocks that starts at `current`.
    pub fn mortal(period: u64, current: u64) -> Self {
        let period = period.checked_next_power_of_two().unwrap_or(1 << 16).clamp(4, 1 << 16);
        let quantize = (period >> 12).max(1);
        Self::Mortal { period, phase: current % period / quantize * quantize }
    }

    /// The block whose hash is signed, for a chain now at `current`.
    pub fn birth(self, current: u64) -> u64 {
        match self {
            Self::Immortal => 0,
            Self::Mortal { period, phase } => (current.max(phase) - phase) / period * period + phase,
        }
    }
}

impl Encode for Era {
    fn encode_to<O: Output + ?Sized>(&self, dest: &mut O) {
        match self {
            Self::Immortal => dest.push_byte(0),
            Self::Mortal { period, phase } => {
                let quantize = (period >> 12).max(1);
                let low = u16::try_from(period.trailing_zeros().clamp(2, 16) - 1).expect("at most 15");
                let high = u16::try_from(phase / quantize).unwrap_or(u16::MAX) << 4;
                (low | high).encode_to(dest);
            }
        }
    }
}

impl Decode for Era {
    fn decode<I: Input>(input: &mut I) -> Result<Self, CodecError> {
        let first = input.read_byte()?;
        if first == 0 {
            return Ok(Self::Immortal);
        }
        let encoded = u64::from(first) | u64::from(input.read_byte()?) << 8;
        let period = 2u64 << (encoded % 16);
        let phase = (encoded >> 4) * (period >> 12).max(1);
        if period >= 4 && phase < period {
            Ok(Self::Mortal { period, phase })
        } else {
            Err("era: the period is 4 or more and the phase below it".into())
        }
    }
}

/// What the nine standard extensions put beside the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Extra {
    /// CheckMortality.
    pub era: Era,
    /// CheckNonce.
    #[codec(compact)]
    pub nonce: u32,
    /// ChargeTransactionPayment; accepted, never charged.
    #[codec(compact)]
    pub tip: u128,
    /// CheckMetadataHash; only 0 (off) is served.
    pub metadata_hash_mode: u8,
}

/// The envelope of a signed extrinsic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Envelope {
    /// Who is said to have signed.
    pub signer: MultiAddress,
    /// The signature.
    pub signature: MultiSignature,
    /// The extensions' values.
    pub extra: Extra,
}

/// A decoded extrinsic of which nothing is proven yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UncheckedExtrinsic {
    /// Present on signed extrinsics.
    pub envelope: Option<Envelope>,
    /// What to do.
    pub call: Call,
    /// blake2-256 of the extrinsic's bytes.
    pub hash: Hash,
}

impl UncheckedExtrinsic {
    /// Decode bytes from outside.
    ///
    /// # Errors
    /// Too long, another format, a call that nests too deep or does not decode, bytes left over.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        if bytes.len() > EXTRINSIC_BYTES_MAX {
            return Err("extrinsic is longer than 256 KiB".into());
        }
        let mut input = bytes;
        let length = Compact::<u32>::decode(&mut input)?.0;
        if usize::try_from(length) != Ok(input.len()) {
            return Err("extrinsic: its length prefix disagrees with its size".into());
        }
        let envelope = match input.read_byte()? {
            SIGNED_V4 => Some(Envelope::decode(&mut input)?),
            BARE_V4 => None,
            _ => return Err("extrinsic: only format 4, signed or bare, is served".into()),
        };
        let call = Call::decode_all_with_depth_limit(DECODE_DEPTH_MAX, &mut input)?;
        Ok(Self { envelope, call, hash: blake2_256(bytes) })
    }

    /// A bare extrinsic's bytes.
    pub fn bare(call: &Call) -> Vec<u8> {
        with_length(&(BARE_V4, call).encode())
    }

    /// A signed extrinsic's bytes; `sign` signs the payload.
    pub fn signed(
        call: &Call,
        signer: AccountId,
        extra: Extra,
        genesis: &Hash,
        birth: &Hash,
        sign: impl FnOnce(&[u8]) -> Signature,
    ) -> Vec<u8> {
        let signature = MultiSignature::Sr25519(sign(&signed_payload(call, &extra, genesis, birth)));
        let envelope = Envelope { signer: MultiAddress::Id(signer), signature, extra };
        with_length(&(SIGNED_V4, envelope, call).encode())
    }
}

impl Envelope {
    /// What must have been signed.
    pub fn statement(&self, call: &Call, genesis: &Hash, birth: &Hash) -> Statement {
        let MultiAddress::Id(signer) = self.signer;
        let MultiSignature::Sr25519(signature) = self.signature;
        Statement { signer, message: signed_payload(call, &self.extra, genesis, birth), signature }
    }

    /// The tip as money.
    pub const fn tip(&self) -> Money {
        Money::from_units(self.extra.tip)
    }
}

fn signed_payload(call: &Call, extra: &Extra, genesis: &Hash, birth: &Hash) -> Vec<u8> {
    // The last item is CheckMetadataHash's `Option<[u8; 32]>`: none.
    let payload = (call, extra, SPEC_VERSION, TX_VERSION, genesis, birth, 0u8).encode();
    if payload.len() > 256 { blake2_256(&payload).0.to_vec() } else { payload }
}

fn with_length(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("an extrinsic is far below 4 GiB");
    [&Compact(length).encode(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eras_encode_as_substrate_does() {
        // From Substrate's own vectors: period 64, phase 42 encodes as 5 + 42 * 16.
        let era = Era::mortal(64, 42);
        assert_eq!(era, Era::Mortal { period: 64, phase: 42 });
        assert_eq!(era.encode(), (5u16 + 42 * 16).encode());
        assert_eq!(Era::decode(&mut &era.encode()[..]), Ok(era));
        assert_eq!(era.birth(42), 42);
        assert_eq!(era.birth(105), 42);
        assert_eq!(era.birth(106), 106);
        assert_eq!(Era::mortal(32_768, 20_000).encode(), (14u16 + (20_000 / 8) * 16).encode());
    }
}

//! The runtime's call: one variant per module, and where it leads.

use crate::context::Context;
use crate::error::{DispatchError, Invalid};
use crate::modules::{attestation, balances, contracts, markets, registry, sudo, system, timestamp};
use crate::origin::Origin;
use parity_scale_codec::{Decode, DecodeLimit, Encode, Error as CodecError, Input};
use runtime_primitives::Gas;
use scale_info::TypeInfo;

/// A call of any module; the index is the module's.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Call {
    /// Of `System`.
    #[codec(index = 0)]
    System(system::Call),
    /// Of `Timestamp`.
    #[codec(index = 1)]
    Timestamp(timestamp::Call),
    /// Of `Balances`.
    #[codec(index = 2)]
    Balances(balances::Call),
    /// Of `Sudo`.
    #[codec(index = 3)]
    Sudo(sudo::Call),
    /// Of `Registry`.
    #[codec(index = 4)]
    Registry(registry::Call),
    /// Of `Contracts`.
    #[codec(index = 5)]
    Contracts(contracts::Call),
    /// Of `Markets`.
    #[codec(index = 6)]
    Markets(markets::Call),
    /// Of `Attestation`.
    #[codec(index = 7)]
    Attestation(attestation::Call),
}

/// Signature, account and book-keeping of one call.
const BASE_GAS: u64 = 50_000_000;
/// The same with the proofs of two keys, in three sets that are read and one that is written.
const ANNOUNCEMENT_GAS: u64 = 4 * BASE_GAS;

impl Call {
    /// Decode a call that uses all of `input`.
    ///
    /// # Errors
    /// Nested too deep, undecodable, or bytes left over.
    pub fn decode_all_with_depth_limit(depth: u32, input: &mut &[u8]) -> Result<Self, CodecError> {
        let call = <Self as DecodeLimit>::decode_with_depth_limit(depth, input)?;
        match input.remaining_len()? {
            Some(0) | None => Ok(call),
            Some(_) => Err("extrinsic: bytes left over after the call".into()),
        }
    }

    /// Gas the call declares of what the block has for extrinsics.
    pub fn gas(&self) -> Gas {
        match self {
            Self::Contracts(call) => call.gas(),
            Self::Markets(call) => call.gas(),
            Self::Sudo(sudo::Call::Sudo { call }) => call.gas(),
            Self::Registry(
                registry::Call::JoinValidators { .. }
                | registry::Call::RotateValidator { .. }
                | registry::Call::LeaveValidators { .. },
            ) => Gas::from_units(ANNOUNCEMENT_GAS),
            _ => Gas::from_units(BASE_GAS),
        }
    }

    /// Gas that the call may take of what the block has for market steps.
    pub fn step_gas(&self) -> Gas {
        match self {
            Self::Markets(call) => call.step_gas(),
            Self::Sudo(sudo::Call::Sudo { call }) => call.step_gas(),
            _ => Gas::ZERO,
        }
    }

    /// All gas that the call declares: what its entity's quota is charged.
    pub fn weight(&self) -> Gas {
        self.gas().saturating_add(self.step_gas())
    }

    /// Whether the call is submitted bare and carries its own proof.
    pub const fn is_bare(&self) -> bool {
        match self {
            Self::Attestation(attestation::Call::Vote { .. }) => true,
            Self::Markets(call) => call.is_bare(),
            _ => false,
        }
    }
}

/// Run a signed or root call.
///
/// # Errors
/// The module's.
pub fn dispatch(ctx: &mut Context, origin: &Origin, call: Call) -> Result<(), DispatchError> {
    match call {
        Call::System(call) => system::dispatch(ctx, origin, call),
        Call::Timestamp(_) => Err(timestamp::Error::Inherent.into()),
        Call::Balances(call) => balances::dispatch(ctx, origin, call),
        Call::Sudo(call) => sudo::dispatch(ctx, origin, call),
        Call::Registry(call) => registry::dispatch(ctx, origin, call),
        Call::Contracts(call) => contracts::dispatch(ctx, origin, call),
        Call::Markets(call) => markets::dispatch(ctx, origin, call),
        Call::Attestation(_) => Err(DispatchError::BadOrigin),
    }
}

/// Run a bare call.
///
/// # Errors
/// The module's; the extrinsic is then skipped.
pub fn dispatch_bare(ctx: &mut Context, call: &Call) -> Result<(), Invalid> {
    match call {
        Call::Attestation(attestation::Call::Vote { voter, claim, signature }) => {
            attestation::vote(ctx, *voter, claim, *signature).map_err(Invalid::Attestation)
        }
        Call::Markets(call) if call.is_bare() => markets::validate_bare(ctx, call).map_err(Invalid::Markets),
        _ => Err(Invalid::NotSigned),
    }
}

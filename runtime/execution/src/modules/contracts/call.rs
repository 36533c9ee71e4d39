//! Calls, events and errors of the contracts module.

use crate::context::Context;
use crate::modules::registry;
use crate::origin::Origin;
use contract_interface::roles;
use parity_scale_codec::{Compact, Decode, Encode};
use runtime_primitives::{Gas, Hash};
use thiserror::Error as ThisError;

/// Calls, with the indices of `pallet_contracts`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Call {
    /// Store code.
    #[codec(index = 3)]
    UploadCode {
        /// The wasm module.
        code: Vec<u8>,
        /// Most to reserve for it.
        storage_deposit_limit: Option<Compact<u128>>,
        /// 0 enforced, 1 relaxed.
        determinism: u8,
    },
}

/// Events.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Event {
    /// Code was stored.
    #[codec(index = 2)]
    CodeStored {
        /// Its hash.
        code_hash: Hash,
    },
}

/// Errors.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, ThisError)]
pub enum Error {
    /// The code is larger than 128 KiB.
    #[error("code is larger than 128 KiB")]
    #[codec(index = 9)]
    CodeTooLarge,
    /// The code does not pass the deploy checks.
    #[error("code rejected: {0}")]
    #[codec(index = 24)]
    CodeRejected(String),
}

/// Reference time to check and instrument one byte of code.
const GAS_PER_CODE_BYTE: u64 = 100_000;

impl Call {
    /// Gas the call declares.
    pub fn gas(&self) -> Gas {
        match self {
            Self::UploadCode { code, .. } => {
                Gas::from_units(50_000_000 + GAS_PER_CODE_BYTE * code.len() as u64)
            }
        }
    }
}

/// Handle a call.
///
/// # Errors
/// As the call says.
pub fn dispatch(ctx: &mut Context, origin: &Origin, call: Call) -> Result<(), crate::DispatchError> {
    match call {
        Call::UploadCode { code, .. } => {
            registry::ensure_role(ctx, origin, roles::AUTHOR | roles::MARKET_OPERATOR)?;
            super::upload(ctx, origin.signer()?, &code)?;
        }
    }
    Ok(())
}

//! Who a call comes from.

use crate::error::DispatchError;
use crate::modules::registry::KeyBinding;
use runtime_primitives::{AccountId, EntityId};

/// The proven source of a call; only the checker makes `Signed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The sudo module.
    Root,
    /// A registered key.
    Signed {
        /// The key.
        key: AccountId,
        /// What the registry binds it to; `None` for the sudo key itself.
        binding: Option<KeyBinding>,
    },
}

impl Origin {
    /// The key that signed.
    ///
    /// # Errors
    /// [`DispatchError::BadOrigin`] for root.
    pub const fn signer(&self) -> Result<AccountId, DispatchError> {
        match self {
            Self::Signed { key, .. } => Ok(*key),
            Self::Root => Err(DispatchError::BadOrigin),
        }
    }

    /// The entity the key acts for.
    ///
    /// # Errors
    /// [`DispatchError::BadOrigin`] for root and for the bare sudo key.
    pub const fn entity(&self) -> Result<EntityId, DispatchError> {
        match self {
            Self::Signed { binding: Some(binding), .. } => Ok(binding.entity),
            _ => Err(DispatchError::BadOrigin),
        }
    }

    /// The binding of the key.
    ///
    /// # Errors
    /// [`DispatchError::BadOrigin`] for root and for the bare sudo key.
    pub const fn binding(&self) -> Result<&KeyBinding, DispatchError> {
        match self {
            Self::Signed { binding: Some(binding), .. } => Ok(binding),
            _ => Err(DispatchError::BadOrigin),
        }
    }
}

//! An entity as people name it: its number, or a key that is bound to it, by its address or a development secret.

use super::SessionError;
use crate::keys::{KeyPair, Ss58};
use runtime_execution::modules::registry::{ENTITIES, Entity, KEYS};
use runtime_primitives::{AccountId, EntityId};
use runtime_state::Overlay;
use std::str::FromStr;

/// An entity by number or address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// By number.
    Number(EntityId),
    /// By a key: its owner's or a delegate's.
    Key(AccountId),
}

impl Party {
    /// Which entity that is on `state`.
    ///
    /// # Errors
    /// [`SessionError::NoEntity`], [`SessionError::UnknownEntity`].
    pub fn find(self, state: &Overlay) -> Result<(EntityId, Entity), SessionError> {
        let id = match self {
            Self::Number(id) => id,
            Self::Key(key) => KEYS.get(state, &key).ok_or(SessionError::NoEntity(key))?.entity,
        };
        ENTITIES.get(state, &id).map(|entity| (id, entity)).ok_or(SessionError::UnknownEntity(id))
    }
}

impl FromStr for Party {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(number) = text.parse() {
            return Ok(Self::Number(EntityId::from_number(number)));
        }
        if text.starts_with("//") {
            let pair: Result<KeyPair, _> = text.parse();
            return pair.map(|pair| Self::Key(pair.account())).map_err(|error| error.to_string());
        }
        let address: Result<Ss58, _> = text.parse();
        let address =
            address.map_err(|error| format!("neither an entity's number nor an address: {error}"))?;
        Ok(Self::Key(address.account))
    }
}

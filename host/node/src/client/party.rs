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
        account(text).map(Self::Key).map_err(|error| match text.strip_prefix("//") {
            Some(_) => error,
            None => format!("neither an entity's number nor an address: {error}"),
        })
    }
}

/// Characters of what may be the name of a development key.
const NAME_CHARS_MAX: usize = 16;

/// An account as people write it: an address, or a development secret such as //Alice.
///
/// # Errors
/// What is wrong with the address.
pub fn account(text: &str) -> Result<AccountId, String> {
    if text.starts_with("//") {
        let pair: Result<KeyPair, _> = text.parse();
        return pair.map(|pair| pair.account()).map_err(|error| error.to_string());
    }
    let address: Result<Ss58, _> = text.parse();
    address.map(|address| address.account).map_err(|error| {
        let is_name = (1..=NAME_CHARS_MAX).contains(&text.len()) && text.chars().all(char::is_alphanumeric);
        let hint = if is_name { format!("; a development key is written //{text}") } else { String::new() };
        format!("{error}{hint}")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_party_is_a_number_an_address_or_a_development_key() {
        let key = "//Ferdie".parse::<KeyPair>().unwrap().account();
        for (text, party) in [
            ("5", Party::Number(EntityId::from_number(5))),
            ("//Ferdie", Party::Key(key)),
            ("5CiPPseXPECbkjWCa6MnjNokrgYjMqmKndv2rSnekmSK2DjL", Party::Key(key)),
        ] {
            assert_eq!(text.parse(), Ok(party), "{text}");
        }
        for (text, said) in [
            ("Ferdie", "; a development key is written //Ferdie"),
            ("5CiPPseXPECbkjWCa6MnjNokrgYjMqmKndv2rSnekmSK2DjM", "checksum"),
            ("//", "derivation path is empty"),
        ] {
            let refused = text.parse::<Party>().unwrap_err();
            assert!(refused.contains(said), "{text}: {refused}");
        }
    }
}

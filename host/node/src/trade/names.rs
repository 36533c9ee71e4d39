//! Names for reports. The chain knows numbers and keys only; the seeded keys of a scenario can be named, everybody
//! else is shown as an entity number.
//!
//! The rule: names follow from the state alone, so that who reads it from afar gets the same ones.

use crate::chain_spec::Preset;
use crate::keys::{Ss58, Ss58Prefix};
use crate::scenario::Cast;
use parity_scale_codec::DecodeAll;
use runtime_execution::modules::registry::{ENTITIES, KEYS};
use runtime_primitives::{AccountId, EntityId};
use runtime_state::Overlay;
use std::collections::BTreeMap;

/// Names by account.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeMap<AccountId, String>);

impl Names {
    /// The names that fit the chain of `state`: a scenario's, or none.
    pub fn of(state: &Overlay) -> Self {
        let script = chain_name(state).and_then(|name| Preset::of_chain(&name)?.script());
        Self(script.map(|script| Cast::names(&script)).unwrap_or_default())
    }

    /// The name of an entity, else its number.
    pub fn entity(&self, state: &Overlay, id: EntityId) -> String {
        let owner = ENTITIES.get(state, &id).map(|entity| entity.owner);
        let name = owner.and_then(|owner| self.0.get(&owner)).cloned();
        name.unwrap_or_else(|| format!("entity {id}"))
    }

    /// The name of an account, else the name or number of the entity it acts for, else its SS58 address.
    pub fn account(&self, state: &Overlay, account: &AccountId) -> String {
        if let Some(name) = self.0.get(account) {
            return name.clone();
        }
        let address = || Ss58 { prefix: Ss58Prefix::SUBSTRATE, account: *account }.to_string();
        KEYS.get(state, account).map_or_else(address, |key| self.entity(state, key.entity))
    }
}

/// The chain's name, as genesis put it into the state.
fn chain_name(state: &Overlay) -> Option<String> {
    String::decode_all(&mut &state.get(b":chain")?[..]).ok()
}

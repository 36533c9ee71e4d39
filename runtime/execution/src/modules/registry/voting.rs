//! Whose signature is an entity's vote: its own voting key's, or its proxy's.
//!
//! One vote an entity, and one step: a proxy votes by its own voting key, whoever votes for the proxy itself.

use super::roll::{self, CURRENT, Edition};
use super::{ENTITIES, Entity, Error, KEYS, entity, scopes};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{AccountId, EntityId};
use runtime_state::Overlay;
use scale_info::TypeInfo;

/// An entity that named a voting key, a proxy or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Enrolled {
    /// The entity.
    pub entity: EntityId,
    /// Its roles.
    pub roles: u16,
    /// Its own voting key.
    pub key: Option<AccountId>,
    /// Who votes for it.
    pub proxy: Option<EntityId>,
}

/// An entity whose vote somebody can cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Voter {
    /// The entity.
    pub entity: EntityId,
    /// Its roles.
    pub roles: u16,
    /// The key whose votes count for it.
    pub key: AccountId,
    /// Whose key that is, if it is a proxy's.
    pub proxy: Option<EntityId>,
}

/// Who can vote now, ascending by id. Where the proxy has lost its voting key the entity's own counts, if it has one.
pub fn voters(state: &Overlay) -> Vec<Voter> {
    voters_of(state, CURRENT)
}

/// As [`voters`], by an edition of the roll that is held.
pub fn voters_of(state: &Overlay, edition: Edition) -> Vec<Voter> {
    let enrolled = roll::enrolled(state, edition);
    let key_of = |id: EntityId| {
        let found = enrolled.binary_search_by_key(&id, |other| other.entity).ok()?;
        enrolled[found].key
    };
    let voter = |own: &Enrolled| {
        let by_proxy = own.proxy.and_then(|proxy| Some((key_of(proxy)?, Some(proxy))));
        let (key, proxy) = by_proxy.or_else(|| Some((own.key?, None)))?;
        Some(Voter { entity: own.entity, roles: own.roles, key, proxy })
    };
    enrolled.iter().filter_map(voter).collect()
}

/// Name the key whose votes count for an entity, or none.
pub(crate) fn set_voting_key(state: &mut Overlay, id: EntityId, key: Option<AccountId>) -> Result<(), Error> {
    let mut found = entity(state, id)?;
    if let Some(key) = key {
        let scopes = scopes::VOTE | scopes::OWNER;
        let bound = KEYS.get(state, &key).filter(|bound| bound.entity == id && bound.scopes & scopes != 0);
        bound.ok_or(Error::UnknownKey(key))?;
    }
    found.voting_key = key;
    enrol(state, id, &found);
    Ok(())
}

/// Name who votes for an entity, or nobody else.
pub(super) fn set_proxy(state: &mut Overlay, id: EntityId, proxy: Option<EntityId>) -> Result<(), Error> {
    let mut found = entity(state, id)?;
    if let Some(proxy) = proxy {
        if proxy == id {
            return Err(Error::OwnProxy(id));
        }
        entity(state, proxy)?.voting_key.ok_or(Error::ProxyWithoutKey(proxy))?;
    }
    found.proxy = proxy;
    enrol(state, id, &found);
    Ok(())
}

fn enrol(state: &mut Overlay, id: EntityId, found: &Entity) {
    let (key, proxy) = (found.voting_key, found.proxy);
    let entry = Enrolled { entity: id, roles: found.roles, key, proxy };
    roll::change(state, id, (key.is_some() || proxy.is_some()).then_some(entry));
    ENTITIES.put(state, &id, found);
}

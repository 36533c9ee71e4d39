//! The validator sets of epochs: what was, what is decided, and what is announced.
//!
//! The rule: what is announced in an epoch takes effect in the epoch after the next, so a set does not change any more
//! when the epoch before it begins. Whoever replays the chain finds the set of each epoch in the state that decided it.

use super::announcement::Announcement;
use super::{EPOCH_BLOCKS, Engine, Error, Event, ensure_scope, entity, scopes};
use crate::context::Context;
use crate::modules::{sudo, system};
use crate::origin::Origin;
use crate::storage::{Ordered, storage};
use contract_interface::roles;
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::{PAST_SETS_MAX, VALIDATORS_MAX};
use runtime_primitives::{AccountId, EntityId, Hash};
use runtime_state::Overlay;
use scale_info::TypeInfo;

/// A member of a set.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Validator {
    /// The entity behind it.
    pub entity: EntityId,
    /// The sr25519 key that signs claims.
    pub session_key: AccountId,
    /// What orders for it. A validator without one certifies results and orders nothing.
    pub engine: Option<Engine>,
}

/// Epochs between an announcement's and the one in which it takes effect.
const DELAY: u32 = 2;

storage! {
    "Registry":
    /// Sets that differ from those before them, ascending by entity. The key counts down from the last epoch there can be, so
    /// that the first one from an epoch on is the set that governs it.
    static SETS: Ordered<Vec<Validator>> = "ValidatorSets";
}

const fn key(epoch: u32) -> (u64, u64) {
    ((u32::MAX - epoch) as u64, 0)
}

/// The epoch of a height: epoch 0 has genesis and one block less than the others.
fn epoch_of(state: &Overlay, height: u64) -> u32 {
    let length = EPOCH_BLOCKS.get(state).unwrap_or(u64::MAX).max(1);
    u32::try_from(height / length).unwrap_or(u32::MAX)
}

/// The epoch of the last block, or of the one that is executed.
pub fn epoch(state: &Overlay) -> u32 {
    epoch_of(state, system::NUMBER.get(state).unwrap_or_default().into())
}

/// The epoch of the next block: what is announced there takes effect two later.
pub fn next_epoch(state: &Overlay) -> u32 {
    epoch_of(state, u64::from(system::NUMBER.get(state).unwrap_or_default()) + 1)
}

/// The set of an epoch; `None` if it may still change, or is too long ago.
pub fn of_epoch(state: &Overlay, epoch: u32) -> Option<Vec<Validator>> {
    (epoch < next_epoch(state).saturating_add(DELAY)).then(|| announced(state, epoch)).flatten()
}

/// The set of an epoch as it is announced so far; `None` if it is too long ago.
///
/// Longer ago than is kept, older sets may still be there and some after them not: only the set that governs the oldest
/// epoch that is kept is known to be the one of epochs before it, back to its own first.
pub fn announced(state: &Overlay, epoch: u32) -> Option<Vec<Validator>> {
    let governing = SETS.first(state, key(epoch))?;
    let oldest = self::epoch(state).saturating_sub(PAST_SETS_MAX);
    if epoch < oldest && SETS.first(state, key(oldest)) != Some(governing) {
        return None;
    }
    SETS.get(state, governing)
}

/// The set of this epoch.
pub fn current(state: &Overlay) -> Vec<Validator> {
    announced(state, epoch(state)).unwrap_or_default()
}

/// Set a chain's first validators.
pub(crate) fn found(state: &mut Overlay, validators: &Vec<Validator>) {
    SETS.put(state, key(0), validators);
}

/// What an entity's change is made on: the set that it is for.
struct Change {
    epoch: u32,
    set: Vec<Validator>,
    /// The entity's place in it, or where it would be.
    place: Result<usize, usize>,
}

impl Change {
    /// # Errors
    /// [`Error::ChangePending`].
    fn of(state: &Overlay, entity: EntityId) -> Result<Self, Error> {
        let now = epoch(state);
        let in_set = |epoch| {
            let set = announced(state, epoch).unwrap_or_default();
            let place = set.binary_search_by_key(&entity, |validator| validator.entity);
            (place, set)
        };
        let mut before: Option<Option<Validator>> = None;
        for epoch in now..=now.saturating_add(DELAY) {
            let (place, set) = in_set(epoch);
            let own = place.ok().map(|place| set[place].clone());
            if before.is_some_and(|before| before != own) {
                return Err(Error::ChangePending { entity, epoch });
            }
            before = Some(own);
        }
        let epoch = now.saturating_add(DELAY);
        let (place, set) = in_set(epoch);
        Ok(Self { epoch, set, place })
    }

    /// Whether the announced keys are nobody else's, now or in the sets to come.
    fn check_keys(&self, state: &Overlay, announcement: &Announcement) -> Result<(), Error> {
        let recent =
            (self.epoch.saturating_sub(DELAY)..self.epoch).filter_map(|epoch| announced(state, epoch));
        let is_taken = |other: &&Validator| {
            let engine = other.engine.as_ref().map(|engine| engine.key);
            other.entity != announcement.entity
                && (other.session_key == announcement.session_key || engine == Some(announcement.engine.key))
        };
        let all: Vec<Validator> = recent.flatten().chain(self.set.iter().cloned()).collect();
        all.iter().find(is_taken).map_or(Ok(()), |other| Err(Error::ValidatorKeyTaken(other.entity)))
    }

    /// Make it, and forget up to two sets that no epoch asks for any more: one is added, so ever fewer are left behind.
    fn make(self, state: &mut Overlay) -> u32 {
        SETS.put(state, key(self.epoch), &self.set);
        let oldest = epoch(state).saturating_sub(PAST_SETS_MAX);
        if let Some((governing, _)) = SETS.first(state, key(oldest)) {
            for _ in 0..2 {
                let Some(past) = SETS.first(state, (governing + 1, 0)) else { break };
                SETS.remove(state, past);
            }
        }
        self.epoch
    }
}

impl From<Announcement> for Validator {
    fn from(announced: Announcement) -> Self {
        let Announcement { entity, session_key, engine, .. } = announced;
        Self { entity, session_key, engine: Some(engine) }
    }
}

/// Admit an entity to the set.
pub(super) fn join(
    ctx: &mut Context,
    origin: &Origin,
    announcement: Announcement,
) -> Result<(), crate::DispatchError> {
    if !is_root(ctx, origin) {
        return Err(sudo::Error::RequireSudo.into());
    }
    let id = announcement.entity;
    let has = entity(&ctx.state, id)?.roles;
    if has & roles::VALIDATOR == 0 {
        return Err(Error::WrongRole { needed: roles::VALIDATOR, has }.into());
    }
    let mut change = Change::of(&ctx.state, id)?;
    let Err(place) = change.place else { return Err(Error::ValidatorAlready(id).into()) };
    if change.set.len() >= VALIDATORS_MAX as usize {
        return Err(Error::SetFull { epoch: change.epoch, most: VALIDATORS_MAX }.into());
    }
    change.check_keys(&ctx.state, &announcement)?;
    announcement.check(ctx)?;
    let (session_key, engine_key) = (announcement.session_key, Hash(announcement.engine.key));
    change.set.insert(place, announcement.into());
    let epoch = change.make(&mut ctx.state);
    ctx.emit(Event::ValidatorJoins { entity: id, session_key, engine_key, epoch });
    Ok(())
}

/// Take an entity out of the set.
pub(super) fn leave(ctx: &mut Context, origin: &Origin, id: EntityId) -> Result<(), crate::DispatchError> {
    if !is_root(ctx, origin) {
        ensure_own(origin, id)?;
    }
    let mut change = Change::of(&ctx.state, id)?;
    let Ok(place) = change.place else { return Err(Error::NotInSet(id).into()) };
    let left = change.set.remove(place);
    // Where engines order, one of them must be left as well.
    let is_enough = |other: &Validator| other.engine.is_some() || left.engine.is_none();
    if !change.set.iter().any(is_enough) {
        return Err(Error::LastValidator(id).into());
    }
    let epoch = change.make(&mut ctx.state);
    ctx.emit(Event::ValidatorLeaves { entity: id, epoch });
    Ok(())
}

/// Give a validator other keys or another address.
pub(super) fn rotate(
    ctx: &mut Context,
    origin: &Origin,
    announcement: Announcement,
) -> Result<(), crate::DispatchError> {
    let id = announcement.entity;
    ensure_own(origin, id)?;
    let mut change = Change::of(&ctx.state, id)?;
    let Ok(place) = change.place else { return Err(Error::NotInSet(id).into()) };
    change.check_keys(&ctx.state, &announcement)?;
    announcement.check(ctx)?;
    let (session_key, engine_key) = (announcement.session_key, Hash(announcement.engine.key));
    change.set[place] = announcement.into();
    let epoch = change.make(&mut ctx.state);
    ctx.emit(Event::ValidatorRotates { entity: id, session_key, engine_key, epoch });
    Ok(())
}

/// Whether root asks: through `Sudo`, or by the administration key itself, which is then told why it is refused.
fn is_root(ctx: &Context, origin: &Origin) -> bool {
    origin.signer().map_or(*origin == Origin::Root, |key| sudo::KEY.get(&ctx.state) == Some(key))
}

/// Whether the entity's owner key asks.
fn ensure_own(origin: &Origin, id: EntityId) -> Result<(), crate::DispatchError> {
    if origin.entity()? != id {
        return Err(crate::DispatchError::BadOrigin);
    }
    Ok(ensure_scope(origin, scopes::OWNER)?)
}

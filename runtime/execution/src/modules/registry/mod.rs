//! `Registry`: entities, their roles, keys and meters: the paper's identity authentication.
//!
//! A key that is not bound here is refused before the pool. Names stay off chain.

mod announcement;
mod names;
pub mod roll;
pub mod validators;
mod voting;

pub use announcement::{Announcement, Engine, announcement_message, is_engine_address};
pub use names::{RoleNames, ScopeNames};
pub use validators::Validator;
pub(crate) use voting::set_voting_key;
pub use voting::{Enrolled, Voter, voters, voters_of};

use crate::context::Context;
use crate::metadata::Module;
use crate::modules::markets;
use crate::origin::Origin;
use crate::storage::{Map, Value, storage};
use contract_interface::roles;
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::ENGINE_ADDRESS_BYTES_MAX;
use runtime_primitives::{AccountId, Energy, EntityId, FeederId, Hash, MarketId, MeterId, Money, Timestamp};
use runtime_state::Overlay;
use scale_info::TypeInfo;
use thiserror::Error as ThisError;

/// Bits of a key's scopes.
pub mod scopes {
    /// The owner: everything, and the entity's money.
    pub const OWNER: u8 = 1;
    /// Places, amends and cancels orders.
    pub const BID: u8 = 2;
    /// Confirms and refuses trades.
    pub const CONFIRM: u8 = 4;
    /// Votes.
    pub const VOTE: u8 = 8;
}

/// Calls.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Call {
    /// Admit an entity. By a registrar or root.
    RegisterEntity {
        /// Owner key.
        owner: AccountId,
        /// Bits of [`contract_interface::roles`].
        roles: u16,
    },
    /// Bind a delegate key. By the owner.
    AddDelegate {
        /// The key.
        key: AccountId,
        /// Bits of [`scopes`], not `OWNER`.
        scopes: u8,
        /// Last block time at which it is valid.
        expires: Option<Timestamp>,
        /// What its orders may come to.
        caps: Caps,
    },
    /// Unbind a delegate key. By the owner.
    RemoveDelegate {
        /// The key.
        key: AccountId,
    },
    /// Name the key whose votes count for the entity. By the owner.
    SetVotingKey {
        /// A key bound to the entity with the `VOTE` scope, or the owner key; `None` leaves the electorates.
        key: Option<AccountId>,
    },
    /// Admit a meter. By a registrar or root.
    RegisterMeter {
        /// Its owner.
        entity: EntityId,
        /// The meter's own key.
        key: AccountId,
        /// The market it settles in.
        market: MarketId,
        /// Capacity of the connection in watts, > 0.
        p_max_w: u32,
        /// Hash of the connection point's off-chain description.
        connection: Hash,
        /// The feeder it is on.
        feeder: FeederId,
        /// Import register at registration.
        import_wh: Energy,
        /// Export register at registration.
        export_wh: Energy,
    },
    /// Suspend or restore an entity. By a registrar or root.
    SetSuspended {
        /// Which.
        entity: EntityId,
        /// Whether it may not trade.
        suspended: bool,
    },
    /// Let another entity vote for this one, in slots that open from now on, or nobody else. By the owner.
    SetProxy {
        /// Who casts the entity's vote by its own voting key.
        proxy: Option<EntityId>,
    },
    /// Admit an entity with the validator role to the set of the epoch after the next. By root.
    JoinValidators {
        /// Its keys and address, signed by both keys.
        announcement: Announcement,
    },
    /// Leave the set, from the epoch after the next on. By the validator's owner, or root.
    LeaveValidators {
        /// Who leaves.
        entity: EntityId,
    },
    /// Take other keys or another address, from the epoch after the next on. By the validator's owner.
    RotateValidator {
        /// Its keys and address, signed by both keys.
        announcement: Announcement,
    },
}

/// Events.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Event {
    /// An entity was admitted.
    EntityRegistered {
        /// Its id.
        entity: EntityId,
        /// Its owner key.
        owner: AccountId,
        /// Its roles.
        roles: u16,
    },
    /// A key was bound.
    DelegateAdded {
        /// To whom.
        entity: EntityId,
        /// The key.
        key: AccountId,
        /// Its scopes.
        scopes: u8,
    },
    /// A key was unbound.
    DelegateRemoved {
        /// From whom.
        entity: EntityId,
        /// The key.
        key: AccountId,
    },
    /// A voting key was named or removed.
    VotingKeySet {
        /// Whose.
        entity: EntityId,
        /// The key.
        key: Option<AccountId>,
    },
    /// A meter was admitted.
    MeterRegistered {
        /// Its id.
        meter: MeterId,
        /// Its owner.
        entity: EntityId,
        /// Its market.
        market: MarketId,
    },
    /// An entity was suspended or restored.
    SuspensionSet {
        /// Which.
        entity: EntityId,
        /// Whether it may not trade.
        suspended: bool,
    },
    /// A proxy was named or removed.
    ProxySet {
        /// For whom.
        entity: EntityId,
        /// The proxy.
        proxy: Option<EntityId>,
    },
    /// An entity will be a validator.
    ValidatorJoins {
        /// Which.
        entity: EntityId,
        /// Its session key.
        session_key: AccountId,
        /// Its engine's key.
        engine_key: Hash,
        /// First epoch of the set with it.
        epoch: u32,
    },
    /// A validator will be none.
    ValidatorLeaves {
        /// Which.
        entity: EntityId,
        /// First epoch of the set without it.
        epoch: u32,
    },
    /// A validator will have other keys or another address.
    ValidatorRotates {
        /// Which.
        entity: EntityId,
        /// Its session key then.
        session_key: AccountId,
        /// Its engine's key then.
        engine_key: Hash,
        /// First epoch of the set with them.
        epoch: u32,
    },
}

/// Entities in a sentence, such as `2, 3`.
fn listed(entities: &[EntityId]) -> String {
    entities.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Errors.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, ThisError)]
pub enum Error {
    /// The signer lacks the role.
    #[error(
        "wrong role: the call needs {}, the entity has {}; sign as an entity with that role (busbar entity list shows them)",
        RoleNames(*needed),
        RoleNames(*has)
    )]
    WrongRole {
        /// Needed, any of.
        needed: u16,
        /// Present.
        has: u16,
    },
    /// The key's scopes do not cover the call.
    #[error(
        "wrong scope: the call needs {}, the key has {}; sign with a key that has them, such as the entity's owner",
        ScopeNames(*needed),
        ScopeNames(*has)
    )]
    WrongScope {
        /// Needed, any of.
        needed: u8,
        /// Present.
        has: u8,
    },
    /// The key is bound already.
    #[error("{key} is bound to entity {entity} already")]
    KeyInUse {
        /// The key.
        key: AccountId,
        /// To whom.
        entity: EntityId,
    },
    /// The all-zero key cannot be bound.
    #[error("the all-zero key cannot be bound")]
    ZeroKey,
    /// No such entity.
    #[error("unknown entity {0}")]
    UnknownEntity(EntityId),
    /// The key is not bound to the entity.
    #[error("{0} is not bound to this entity")]
    UnknownKey(AccountId),
    /// A connection has a capacity.
    #[error("a connection's capacity is at least 1 W")]
    ZeroCapacity,
    /// No such market.
    #[error(
        "unknown market {0}; busbar market list shows those that exist, busbar market create makes one from a spec"
    )]
    UnknownMarket(MarketId),
    /// Unknown bits.
    #[error("unknown scope bits {0:#04x}; a delegate has any of 0x02 bid, 0x04 confirm, 0x08 vote")]
    UnknownScopes(u8),
    /// The entity is suspended.
    #[error(
        "entity {0} may not trade: the registrar has suspended it, or it owes since a settlement; busbar entity show {0} and \
         busbar bank owed {0} say which: who owes pays by busbar bank pay, else ask the registrar"
    )]
    Suspended(EntityId),
    /// An entity votes for itself without being its own proxy.
    #[error("entity {0} cannot be its own proxy; name a voting key")]
    OwnProxy(EntityId),
    /// The proxy could not vote.
    #[error("entity {0} has no voting key to vote with for others")]
    ProxyWithoutKey(EntityId),
    /// A market does not run before its parties have agreed.
    #[error(
        "market {market} does not run: entities {} have not agreed to its terms; busbar market agree does",
        listed(.missing)
    )]
    MarketNotAgreed {
        /// Market.
        market: MarketId,
        /// Whose agreement is missing.
        missing: Vec<EntityId>,
    },
    /// A market settles so many meters.
    #[error("market {market} has {most} meters, as many as one settlement can report")]
    MarketFull {
        /// Market.
        market: MarketId,
        /// Most meters.
        most: u32,
    },
    /// A key signs for one meter.
    #[error("the key is that of meter {0}; give each meter a key of its own")]
    MeterKeyTaken(MeterId),
    /// The entity is a validator already.
    #[error("entity {0} is in the set already; busbar validator rotate changes its keys and address")]
    ValidatorAlready(EntityId),
    /// The entity is no validator.
    #[error("entity {0} is not in the set of the epoch after the next; busbar validator list shows who is")]
    NotInSet(EntityId),
    /// A validator changes once at a time.
    #[error("a change of entity {entity} takes effect in epoch {epoch}; announce the next one then")]
    ChangePending {
        /// Whose.
        entity: EntityId,
        /// When.
        epoch: u32,
    },
    /// The set has a limit.
    #[error("the set of epoch {epoch} has {most} validators, as many as may be; one must leave first")]
    SetFull {
        /// Of which epoch.
        epoch: u32,
        /// Most validators.
        most: u32,
    },
    /// Somebody must be left.
    #[error("without entity {0} nobody would be left to order and certify; let another one join first")]
    LastValidator(EntityId),
    /// A key is one validator's.
    #[error(
        "the session key or the engine's key is that of entity {0}; announce keys that are nobody else's"
    )]
    ValidatorKeyTaken(EntityId),
    /// Both keys sign what is announced.
    #[error(
        "the proof of the {} key does not hold: it signs chain, entity, keys and address; busbar validator announce makes \
         both proofs",
        if *.is_engine { "engine's" } else { "session" }
    )]
    KeyProof {
        /// Whether it is the engine's.
        is_engine: bool,
    },
    /// Peers must find the engine.
    #[error(
        "an engine's address is host:port, at most {ENGINE_ADDRESS_BYTES_MAX} bytes, with a port of at least 1"
    )]
    EngineAddress,
}

/// A market entity.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Entity {
    /// Owner key; also the account of its money.
    pub owner: AccountId,
    /// Bits of [`contract_interface::roles`].
    pub roles: u16,
    /// Key whose votes count for it.
    pub voting_key: Option<AccountId>,
    /// The entity that votes for it.
    pub proxy: Option<EntityId>,
    /// Whether it may not trade.
    pub suspended: bool,
    /// Hash of the extrinsic that admitted it; zero for genesis.
    pub admitted_by: Hash,
}

/// What the orders of a key may come to; `None` leaves it to the entity's money and to the market's limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Caps {
    /// Most money that the entity has held in one slot after an order of this key, whoever placed the others.
    pub held: Option<Money>,
    /// Most energy of one order.
    pub energy: Option<Energy>,
}

/// What a key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct KeyBinding {
    /// The entity.
    pub entity: EntityId,
    /// Bits of [`scopes`].
    pub scopes: u8,
    /// Last block time at which the key is valid.
    pub expires: Option<Timestamp>,
    /// What its orders may come to.
    pub caps: Caps,
}

/// A meter.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Meter {
    /// Its owner.
    pub entity: EntityId,
    /// Its own key.
    pub key: AccountId,
    /// The market it settles in.
    pub market: MarketId,
    /// Capacity of the connection in watts.
    pub p_max_w: u32,
    /// Hash of the connection point's off-chain description.
    pub connection: Hash,
    /// The feeder it is on: what the network costs depends on it.
    pub feeder: FeederId,
}

storage! {
    "Registry":
    /// Entities.
    pub static ENTITIES: Map<EntityId, Entity> = "Entities";
    /// Next entity id.
    pub static NEXT_ENTITY: Value<EntityId> = "NextEntity";
    /// Keys.
    pub static KEYS: Map<AccountId, KeyBinding> = "Keys";
    /// Meters.
    pub static METERS: Map<MeterId, Meter> = "Meters";
    /// Whose key a meter's key is: who has one signs for one meter.
    static METER_KEYS: Map<AccountId, MeterId> = "MeterKeys";
    /// Next meter id.
    pub static NEXT_METER: Value<MeterId> = "NextMeter";
    /// Blocks of an epoch.
    pub static EPOCH_BLOCKS: Value<u64> = "EpochBlocks";
}

/// The binding of `key`, unless it is unknown or expired at `now`.
pub fn binding(state: &Overlay, key: &AccountId, now: Timestamp) -> Option<KeyBinding> {
    KEYS.get(state, key).filter(|binding| binding.expires.is_none_or(|expires| now <= expires))
}

/// An entity that must exist.
///
/// # Errors
/// [`Error::UnknownEntity`].
pub fn entity(state: &Overlay, id: EntityId) -> Result<Entity, Error> {
    ENTITIES.get(state, &id).ok_or(Error::UnknownEntity(id))
}

/// The owners of `ids`, in their order.
///
/// # Panics
/// If one of them is not registered.
pub fn owners(state: &Overlay, ids: &[EntityId]) -> Vec<AccountId> {
    ENTITIES.warm(state, ids);
    ids.iter().map(|id| entity(state, *id).expect("whoever acts is registered").owner).collect()
}

/// Whether `origin` is root or an entity with any of `needed` roles acting by its owner key.
///
/// # Errors
/// [`Error::WrongRole`] or [`Error::WrongScope`].
pub fn ensure_role(ctx: &Context, origin: &Origin, needed: u16) -> Result<(), crate::DispatchError> {
    if *origin == Origin::Root {
        return Ok(());
    }
    let has = entity(&ctx.state, origin.entity()?)?.roles;
    if has & needed == 0 {
        return Err(Error::WrongRole { needed, has }.into());
    }
    Ok(ensure_scope(origin, scopes::OWNER)?)
}

/// Whether the key of `origin` has any of `needed` scopes; an owner key has all.
///
/// # Errors
/// [`Error::WrongScope`].
pub fn ensure_scope(origin: &Origin, needed: u8) -> Result<(), Error> {
    let has = origin.binding().map_or(0, |binding| binding.scopes);
    if has & (needed | scopes::OWNER) == 0 {
        return Err(Error::WrongScope { needed, has });
    }
    Ok(())
}

/// Handle a call.
///
/// # Errors
/// As the call says.
pub fn dispatch(ctx: &mut Context, origin: &Origin, call: Call) -> Result<(), crate::DispatchError> {
    match call {
        Call::RegisterEntity { owner, roles } => {
            ensure_role(ctx, origin, roles::REGISTRAR)?;
            let entity = admit(&mut ctx.state, owner, roles, ctx.extrinsic)?;
            ctx.emit(Event::EntityRegistered { entity, owner, roles });
        }
        Call::AddDelegate { key, scopes: wanted, expires, caps } => {
            ensure_scope(origin, scopes::OWNER)?;
            if wanted == 0 || wanted & !(scopes::BID | scopes::CONFIRM | scopes::VOTE) != 0 {
                return Err(Error::UnknownScopes(wanted).into());
            }
            let entity = origin.entity()?;
            bind(&mut ctx.state, key, KeyBinding { entity, scopes: wanted, expires, caps })?;
            ctx.emit(Event::DelegateAdded { entity, key, scopes: wanted });
        }
        Call::RemoveDelegate { key } => remove_delegate(ctx, origin, key)?,
        Call::SetVotingKey { key } => {
            ensure_scope(origin, scopes::OWNER)?;
            let entity = origin.entity()?;
            if let Some(key) = key {
                binding(&ctx.state, &key, ctx.env.now).ok_or(Error::UnknownKey(key))?;
            }
            set_voting_key(&mut ctx.state, entity, key)?;
            ctx.emit(Event::VotingKeySet { entity, key });
        }
        Call::SetProxy { proxy } => {
            ensure_scope(origin, scopes::OWNER)?;
            let entity = origin.entity()?;
            voting::set_proxy(&mut ctx.state, entity, proxy)?;
            ctx.emit(Event::ProxySet { entity, proxy });
        }
        Call::RegisterMeter { entity, key, market, p_max_w, connection, feeder, import_wh, export_wh } => {
            ensure_role(ctx, origin, roles::REGISTRAR)?;
            let meter = Meter { entity, key, market, p_max_w, connection, feeder };
            let id = admit_meter(ctx, &meter, import_wh, export_wh)?;
            ctx.emit(Event::MeterRegistered { meter: id, entity, market });
        }
        Call::SetSuspended { entity: id, suspended } => {
            ensure_role(ctx, origin, roles::REGISTRAR)?;
            set_suspended(ctx, id, suspended)?;
        }
        Call::JoinValidators { announcement } => validators::join(ctx, origin, announcement)?,
        Call::LeaveValidators { entity } => validators::leave(ctx, origin, entity)?,
        Call::RotateValidator { announcement } => validators::rotate(ctx, origin, announcement)?,
    }
    Ok(())
}

/// Suspend or restore an entity.
///
/// # Errors
/// [`Error::UnknownEntity`].
pub fn set_suspended(ctx: &mut Context, id: EntityId, suspended: bool) -> Result<(), Error> {
    let mut found = entity(&ctx.state, id)?;
    if found.suspended != suspended {
        found.suspended = suspended;
        ENTITIES.put(&mut ctx.state, &id, &found);
        ctx.emit(Event::SuspensionSet { entity: id, suspended });
    }
    Ok(())
}

fn remove_delegate(ctx: &mut Context, origin: &Origin, key: AccountId) -> Result<(), crate::DispatchError> {
    ensure_scope(origin, scopes::OWNER)?;
    let entity = origin.entity()?;
    match KEYS.get(&ctx.state, &key) {
        Some(binding) if binding.entity == entity && binding.scopes & scopes::OWNER == 0 => {
            if self::entity(&ctx.state, entity)?.voting_key == Some(key) {
                set_voting_key(&mut ctx.state, entity, None)?;
            }
            KEYS.remove(&mut ctx.state, &key);
            ctx.emit(Event::DelegateRemoved { entity, key });
            Ok(())
        }
        _ => Err(Error::UnknownKey(key).into()),
    }
}

fn bind(state: &mut Overlay, key: AccountId, binding: KeyBinding) -> Result<(), Error> {
    if key == AccountId::ZERO {
        return Err(Error::ZeroKey);
    }
    if let Some(KeyBinding { entity, .. }) = KEYS.get(state, &key) {
        return Err(Error::KeyInUse { key, entity });
    }
    KEYS.put(state, &key, &binding);
    Ok(())
}

/// Admit an entity and give its id.
pub(crate) fn admit(
    state: &mut Overlay,
    owner: AccountId,
    roles: u16,
    admitted_by: Hash,
) -> Result<EntityId, Error> {
    let id = NEXT_ENTITY.get(state).unwrap_or_default();
    bind(
        state,
        owner,
        KeyBinding { entity: id, scopes: scopes::OWNER, expires: None, caps: Caps::default() },
    )?;
    ENTITIES.put(
        state,
        &id,
        &Entity { owner, roles, voting_key: None, proxy: None, suspended: false, admitted_by },
    );
    NEXT_ENTITY.put(state, &EntityId::from_number(id.number() + 1));
    Ok(id)
}

/// Bind a delegate at genesis.
pub(crate) fn bind_delegate(
    state: &mut Overlay,
    entity: EntityId,
    key: AccountId,
    scopes: u8,
) -> Result<(), Error> {
    bind(state, key, KeyBinding { entity, scopes, expires: None, caps: Caps::default() })
}

fn admit_meter(
    ctx: &mut Context,
    meter: &Meter,
    import_wh: Energy,
    export_wh: Energy,
) -> Result<MeterId, crate::DispatchError> {
    entity(&ctx.state, meter.entity)?;
    if meter.key == AccountId::ZERO {
        return Err(Error::ZeroKey.into());
    }
    if meter.p_max_w == 0 {
        return Err(Error::ZeroCapacity.into());
    }
    let market = markets::MARKETS.get(&ctx.state, &meter.market).ok_or(Error::UnknownMarket(meter.market))?;
    if let Some(other) = METER_KEYS.get(&ctx.state, &meter.key) {
        return Err(Error::MeterKeyTaken(other).into());
    }
    let id = NEXT_METER.get(&ctx.state).unwrap_or_default();
    markets::meters::join(ctx, &market, id, meter, (import_wh, export_wh))?;
    METERS.put(&mut ctx.state, &id, meter);
    METER_KEYS.put(&mut ctx.state, &meter.key, &id);
    NEXT_METER.put(&mut ctx.state, &MeterId::from_number(id.number() + 1));
    Ok(id)
}

/// What clients see of the module.
pub(crate) fn describe() -> Module {
    Module::new("Registry", 4)
        .storage(storage())
        .storage(roll::storage())
        .storage(validators::storage())
        .calls::<Call>()
        .events::<Event>()
        .errors::<Error>()
}

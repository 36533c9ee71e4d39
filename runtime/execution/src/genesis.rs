//! Genesis: the first state, from a configuration that a chain spec is read into.

use crate::modules::registry::{self, Engine, Validator, scopes, validators as sets};
use crate::modules::{balances, contracts, markets, payment, sudo, system, timestamp};
use contract_interface::roles;
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::{ENGINE_ADDRESS_BYTES_MAX, EPOCH_BLOCKS_MIN, VALIDATORS_MAX};
use runtime_primitives::{
    AccountId, Digest, EntityId, Hash, Header, Money, OrderedBlock, Timestamp, blake2_256, merkle_root,
};
use runtime_state::{ChangeSet, MemoryState, Overlay, State, TrieUpdate};
use runtime_vm::Kind;
use thiserror::Error;

/// Blocks of an epoch unless something else is asked for: ten minutes of a busy chain.
pub const EPOCH_BLOCKS: u64 = 600;

/// An entity that exists from the start.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GenesisEntity {
    /// Owner key.
    pub owner: AccountId,
    /// Bits of [`contract_interface::roles`].
    pub roles: u16,
    /// Money it starts with.
    pub balance: Money,
    /// Key whose votes count for it: the owner's or another, which becomes a delegate with the `VOTE` scope.
    pub voting_key: Option<AccountId>,
    /// sr25519 session key, for validators.
    pub session_key: Option<AccountId>,
    /// What orders for it, for validators.
    pub engine: Option<Engine>,
}

/// What a chain starts with.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GenesisConfig {
    /// Name of the chain; two chains with the same name and content are one chain.
    pub chain: String,
    /// Time of block 0.
    pub timestamp: Timestamp,
    /// The administration key.
    pub sudo: AccountId,
    /// Entities, numbered from 0 in this order.
    pub entities: Vec<GenesisEntity>,
    /// Code uploaded from the start, by whoever runs the chain.
    pub codes: Vec<Vec<u8>>,
    /// Hash of the settlement code that stands in when a slot's own fails.
    pub default_settlement: Option<Hash>,
    /// What contracts deposit for what they store.
    pub deposits: contracts::DepositRates,
    /// What gas costs.
    pub weight: payment::WeightRates,
    /// Blocks of an epoch: the validators change between two.
    pub epoch_blocks: u64,
}

/// Why a configuration is no genesis.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GenesisError {
    /// An entity cannot be admitted.
    #[error("entity {index}: {error}")]
    Entity {
        /// Its number.
        index: usize,
        /// Why.
        error: registry::Error,
    },
    /// A validator needs a session key, and only a validator has one.
    #[error("entity {0}: the validator role and a session key go together")]
    SessionKey(usize),
    /// Nobody can certify anything.
    #[error("a chain needs at least one validator")]
    NoValidator,
    /// More validators than a set may have.
    #[error("{0} validators: a set has at most {VALIDATORS_MAX}")]
    TooManyValidators(usize),
    /// Two validators share a session key.
    #[error("entity {0}: its session key is another validator's")]
    SharedSessionKey(usize),
    /// An engine needs a validator, a key of its own, and an address.
    #[error(
        "entity {0}: only a validator has an engine, with a key that is nobody else's and an address host:port of at \
         most {ENGINE_ADDRESS_BYTES_MAX} bytes"
    )]
    Engine(usize),
    /// An epoch is too short.
    #[error("epochs of {0} blocks: at least {EPOCH_BLOCKS_MIN} are needed")]
    EpochBlocks(u64),
}

/// The first block and state.
pub struct Genesis {
    /// Header of block 0; its hash is the chain's identity.
    pub header: Header,
    /// Block 0: no extrinsics.
    pub block: OrderedBlock,
    /// All state.
    pub changes: ChangeSet,
    /// Its trie.
    pub trie: TrieUpdate,
}

/// Build genesis.
///
/// # Errors
/// [`GenesisError`].
pub fn build(config: &GenesisConfig) -> Result<Genesis, GenesisError> {
    let empty = MemoryState::new();
    let mut state = Overlay::new(&empty);
    state.put(b":code".to_vec(), b"\0asm".to_vec());
    state.put(b":chain".to_vec(), config.chain.encode());
    timestamp::NOW.put(&mut state, &config.timestamp);
    system::NUMBER.put(&mut state, &0);
    sudo::KEY.put(&mut state, &config.sudo);
    admit_entities(&mut state, config)?;
    for code in &config.codes {
        let code_len = u32::try_from(code.len()).expect("code is far below 4 GiB");
        let info = contracts::CodeInfo::new(config.sudo, Money::ZERO, code_len);
        contracts::CODE_INFO.put(&mut state, &blake2_256(code), &info);
        contracts::PRISTINE_CODE.put(&mut state, &blake2_256(code), code);
        // Whether it is a rule instead shows when a market names it.
        let is_contract = runtime_vm::check(code, Kind::Stateful).is_ok();
        contracts::IS_CONTRACT.put(&mut state, &blake2_256(code), &is_contract);
    }
    contracts::RATES.put(&mut state, &config.deposits);
    payment::RATES.put(&mut state, &config.weight);
    if let Some(hash) = config.default_settlement {
        markets::DEFAULT_SETTLEMENT.put(&mut state, &hash);
    }
    let changes = state.into_changes();
    let trie = empty.update_trie(&changes);
    let block = OrderedBlock {
        height: runtime_primitives::Height::ZERO,
        executed: runtime_primitives::Executed::default(),
        timestamp: config.timestamp,
        extrinsics: Vec::new(),
    };
    let header = Header {
        parent_hash: Hash::ZERO,
        number: 0,
        state_root: trie.root(),
        extrinsics_root: merkle_root::<&[u8]>([]),
        digest: Digest::default(),
    };
    Ok(Genesis { header, block, changes, trie })
}

fn admit_entities(state: &mut Overlay, config: &GenesisConfig) -> Result<(), GenesisError> {
    let mut validators: Vec<Validator> = Vec::new();
    let mut engines: Vec<[u8; 32]> = Vec::new();
    if config.epoch_blocks < EPOCH_BLOCKS_MIN {
        return Err(GenesisError::EpochBlocks(config.epoch_blocks));
    }
    registry::EPOCH_BLOCKS.put(state, &config.epoch_blocks);
    for (index, entity) in config.entities.iter().enumerate() {
        let fail = |error| GenesisError::Entity { index, error };
        let id = registry::admit(state, entity.owner, entity.roles, Hash::ZERO).map_err(fail)?;
        balances::endow(state, &entity.owner, entity.balance);
        if let Some(key) = entity.voting_key {
            if key != entity.owner {
                registry::bind_delegate(state, id, key, scopes::VOTE).map_err(fail)?;
            }
            registry::set_voting_key(state, id, Some(key)).map_err(fail)?;
        }
        let is_validator = entity.roles & roles::VALIDATOR != 0;
        match entity.session_key {
            Some(key) if is_validator && key != AccountId::ZERO => {
                if validators.iter().any(|validator| validator.session_key == key) {
                    return Err(GenesisError::SharedSessionKey(index));
                }
                validators.push(Validator { entity: id, session_key: key, engine: entity.engine.clone() });
            }
            None if !is_validator => {}
            _ => return Err(GenesisError::SessionKey(index)),
        }
        if let Some(engine) = &entity.engine {
            let is_shared = engines.contains(&engine.key);
            if !is_validator || is_shared || !registry::is_engine_address(&engine.address) {
                return Err(GenesisError::Engine(index));
            }
            engines.push(engine.key);
        }
    }
    if validators.is_empty() {
        return Err(GenesisError::NoValidator);
    }
    if validators.len() > VALIDATORS_MAX as usize {
        return Err(GenesisError::TooManyValidators(validators.len()));
    }
    sets::found(state, &validators);
    registry::NEXT_ENTITY.put(state, &EntityId::from_number(registry_len(config)));
    Ok(())
}

fn registry_len(config: &GenesisConfig) -> u32 {
    u32::try_from(config.entities.len()).expect("entities are numbered with u32")
}

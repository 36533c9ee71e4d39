//! The file: JSON without unknown fields, addresses in SS58, money in units as text.
//!
//! A spec names a chain completely: equal specs give equal genesis hashes. The block interval alone is advice to
//! the node that proposes; it is no part of genesis.

use super::SpecError;
use super::code::{Code, CodeName};
use super::preset::Preset;
use super::roles::Role;
use crate::files::{CHAIN_SPEC_BYTES_MAX, text_at_most};
use crate::keys::{Ss58, Ss58Prefix};
use host_storage::Snapshot;
use parity_scale_codec::DecodeAll;
use runtime_execution::modules::contracts::DepositRates;
use runtime_execution::modules::payment::WeightRates;
use runtime_execution::modules::registry::Engine;
use runtime_execution::{EPOCH_BLOCKS, GenesisConfig, GenesisEntity, build_genesis};
use runtime_primitives::{AccountId, Gas, Hash, Money, Timestamp};
use runtime_state::Backend;
use serde::{Deserialize, Serialize};
use std::fs;
use std::num::NonZeroU64;
use std::path::Path;

/// Bytes of a chain's name.
pub const NAME_BYTES_MAX: usize = 64;
/// Shortest time between blocks: that of load profiles is 250 ms.
pub const INTERVAL_MS_MIN: u64 = 50;
/// Longest time between blocks.
pub const INTERVAL_MS_MAX: u64 = 60_000;
/// Time between blocks unless something else is asked for.
pub const INTERVAL_MS: u64 = 1_000;
/// Name of the spec beside a chain's file.
pub const FILE_NAME: &str = "spec.json";
/// Network of this chain's addresses.
const NETWORK: Ss58Prefix = Ss58Prefix::SUBSTRATE;

/// A chain spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainSpec {
    /// Name of the chain.
    pub name: String,
    /// Time of block 0, RFC 3339 in UTC.
    pub genesis_time: String,
    /// Least time between two blocks, in ms.
    #[serde(default = "default_interval")]
    pub block_interval_ms: u64,
    /// Address of the administration key.
    pub sudo: String,
    /// Entities, numbered from 0 in this order.
    pub entities: Vec<SpecEntity>,
    /// Code uploaded from the start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
    /// Settlement code that stands in when a slot's own fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_settlement: Option<CodeName>,
    /// What contracts deposit for what they store.
    #[serde(default)]
    pub storage_deposit: SpecDeposit,
    /// What the gas of extrinsics costs.
    #[serde(default)]
    pub weight_fee: SpecWeightFee,
    /// Blocks of an epoch: the validators change between two.
    #[serde(default = "default_epoch")]
    pub epoch_blocks: u64,
}

/// What orders for a validator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecEngine {
    /// Its ed25519 key: 0x and 64 hexadecimal digits.
    pub key: String,
    /// Where other validators call it: `host:port`.
    pub address: String,
}

/// Deposits that stay with a contract, or an uploaded code, for as long as it takes up room in the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpecDeposit {
    /// For each value, in units of 10⁻⁷ yuan.
    pub per_item: u64,
    /// For each byte, in units of 10⁻⁷ yuan.
    pub per_byte: u64,
}

impl From<SpecDeposit> for DepositRates {
    fn from(SpecDeposit { per_item, per_byte }: SpecDeposit) -> Self {
        Self { per_item, per_byte }
    }
}

impl From<DepositRates> for SpecDeposit {
    fn from(DepositRates { per_item, per_byte }: DepositRates) -> Self {
        Self { per_item, per_byte }
    }
}

/// Fee for the gas that an entity declares beyond its quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpecWeightFee {
    /// Gas that an entity may declare in an hour without a fee.
    pub gas_per_hour: u64,
    /// Gas beyond it that 10⁻⁷ yuan pay for; not 0.
    pub gas_per_unit: NonZeroU64,
}

impl Default for SpecWeightFee {
    fn default() -> Self {
        WeightRates::default().into()
    }
}

impl From<SpecWeightFee> for WeightRates {
    fn from(SpecWeightFee { gas_per_hour, gas_per_unit }: SpecWeightFee) -> Self {
        Self { quota: Gas::from_units(gas_per_hour), gas_per_unit }
    }
}

impl From<WeightRates> for SpecWeightFee {
    fn from(WeightRates { quota, gas_per_unit }: WeightRates) -> Self {
        Self { gas_per_hour: quota.units(), gas_per_unit }
    }
}

const fn default_epoch() -> u64 {
    EPOCH_BLOCKS
}

const fn default_interval() -> u64 {
    INTERVAL_MS
}

/// An entity that exists from the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecEntity {
    /// Address of its owner key.
    pub owner: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Money it starts with, in units of 10⁻⁷ yuan.
    #[serde(default = "nothing")]
    pub balance: String,
    /// Address of the key whose votes count for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voting_key: Option<String>,
    /// Address of a validator's session key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_key: Option<String>,
    /// What orders for a validator; one without certifies only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<SpecEngine>,
}

fn nothing() -> String {
    "0".to_owned()
}

impl ChainSpec {
    /// Write `config` as a spec.
    ///
    /// # Panics
    /// If the time of genesis is after the year 9999.
    pub fn of_config(config: &GenesisConfig, block_interval_ms: u64) -> Self {
        let entity = |entity: &GenesisEntity| SpecEntity {
            owner: address(entity.owner),
            roles: Role::of_bits(entity.roles),
            balance: entity.balance.units().to_string(),
            voting_key: entity.voting_key.map(address),
            session_key: entity.session_key.map(address),
            engine: entity.engine.as_ref().map(SpecEngine::of),
        };
        let ms = i64::try_from(config.timestamp.ms()).ok();
        let time = ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        Self {
            name: config.chain.clone(),
            genesis_time: time.expect("genesis is within recorded time").to_string(),
            block_interval_ms,
            sudo: address(config.sudo),
            entities: config.entities.iter().map(entity).collect(),
            codes: config.codes.iter().map(|code| Code::of_bytes(code)).collect(),
            default_settlement: config.default_settlement.as_ref().map(CodeName::of_hash),
            storage_deposit: config.deposits.into(),
            weight_fee: config.weight.into(),
            epoch_blocks: config.epoch_blocks,
        }
    }

    /// Read a spec file and what it describes.
    ///
    /// # Errors
    /// Any [`SpecError`].
    pub fn load(path: &Path) -> Result<(Self, GenesisConfig), SpecError> {
        let text = text_at_most(path, CHAIN_SPEC_BYTES_MAX)
            .map_err(|source| SpecError::Io { path: path.to_owned(), source })?;
        let spec: Self = serde_json::from_str(&text)
            .map_err(|source| SpecError::Json { path: path.to_owned(), source })?;
        let config = spec.config(path.parent().unwrap_or(Path::new("")))?;
        Ok((spec, config))
    }

    /// What the spec describes; its files are relative to `folder`.
    ///
    /// # Errors
    /// Any [`SpecError`], with the field that is wrong.
    pub fn config(&self, folder: &Path) -> Result<GenesisConfig, SpecError> {
        if self.name.is_empty() || self.name.len() > NAME_BYTES_MAX {
            return Err(SpecError::Name(self.name.len()));
        }
        if !(INTERVAL_MS_MIN..=INTERVAL_MS_MAX).contains(&self.block_interval_ms) {
            return Err(SpecError::Interval { found: self.block_interval_ms });
        }
        let time: Option<jiff::Timestamp> = self.genesis_time.parse().ok();
        let timestamp = time.and_then(|time| u64::try_from(time.as_millisecond()).ok());
        let timestamp = timestamp.ok_or_else(|| SpecError::Time { text: self.genesis_time.clone() })?;
        let mut issued = Money::ZERO;
        let mut entities = Vec::new();
        for (index, entity) in self.entities.iter().enumerate() {
            entities.push(entity.config(&format!("entities[{index}]"), &mut issued)?);
        }
        let codes = self.codes.iter().enumerate();
        let codes = codes.map(|(index, code)| code.bytes(&format!("codes[{index}]"), folder));
        let default_settlement = self.default_settlement.as_ref();
        let config = GenesisConfig {
            chain: self.name.clone(),
            timestamp: Timestamp::from_ms(timestamp),
            sudo: account("sudo", &self.sudo)?,
            entities,
            codes: codes.collect::<Result<_, _>>()?,
            default_settlement: default_settlement.map(|name| name.hash("default_settlement")).transpose()?,
            deposits: self.storage_deposit.into(),
            weight: self.weight_fee.into(),
            epoch_blocks: self.epoch_blocks,
        };
        build_genesis(&config)?;
        Ok(config)
    }

    /// Hash of the genesis header that `config` leads to: the chain's identity.
    ///
    /// # Errors
    /// [`SpecError::Genesis`].
    pub fn genesis_hash(config: &GenesisConfig) -> Result<Hash, SpecError> {
        Ok(build_genesis(config)?.header.hash())
    }

    /// The spec as text.
    ///
    /// # Panics
    /// Never: strings and numbers are JSON.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("strings and numbers are JSON");
        text.push('\n');
        text
    }

    /// Keep the spec of a new chain beside the chain's file.
    ///
    /// # Errors
    /// [`SpecError::Io`].
    pub fn keep(config: &GenesisConfig, block_interval_ms: u64, chain: &Path) -> Result<(), SpecError> {
        let path = chain.with_file_name(FILE_NAME);
        let text = Self::of_config(config, block_interval_ms).to_json();
        fs::write(&path, text).map_err(|source| SpecError::Io { path, source })
    }

    /// The genesis of the chain in the file `chain`: by the spec beside it, else by its name.
    ///
    /// # Errors
    /// [`SpecError::Unknown`] if neither helps, or what is wrong with the spec.
    pub fn find(chain: &Path, snapshot: &Snapshot) -> Result<GenesisConfig, SpecError> {
        let beside = chain.with_file_name(FILE_NAME);
        if beside.exists() {
            return Self::load(&beside).map(|(_, config)| config);
        }
        let name = snapshot.get(b":chain").and_then(|name| String::decode_all(&mut &name[..]).ok());
        let preset = name.and_then(|name| Preset::of_chain(&name));
        preset.map(Preset::config).ok_or_else(|| SpecError::Unknown { path: chain.to_owned() })
    }
}

impl SpecEngine {
    fn of(engine: &Engine) -> Self {
        Self { key: format!("0x{}", hex::encode(engine.key)), address: engine.address.clone() }
    }

    fn config(&self, at: &str) -> Result<Engine, SpecError> {
        let mut key = [0; 32];
        let digits = self.key.strip_prefix("0x").unwrap_or_default();
        hex::decode_to_slice(digits, &mut key).map_err(|_| SpecError::Hex { at: at.to_owned() })?;
        Ok(Engine { key, address: self.address.clone() })
    }
}

impl SpecEntity {
    fn config(&self, at: &str, issued: &mut Money) -> Result<GenesisEntity, SpecError> {
        let field = |name: &str| format!("{at}.{name}");
        let balance = self.balance.parse().map(Money::from_units);
        let balance =
            balance.map_err(|_| SpecError::Balance { at: field("balance"), text: self.balance.clone() })?;
        *issued = issued.checked_add(balance).ok_or_else(|| SpecError::Issuance { at: field("balance") })?;
        let key = |name: &str, key: &Option<String>| {
            key.as_ref().map(|text| account(&field(name), text)).transpose()
        };
        Ok(GenesisEntity {
            owner: account(&field("owner"), &self.owner)?,
            roles: Role::bits(&self.roles),
            balance,
            voting_key: key("voting_key", &self.voting_key)?,
            session_key: key("session_key", &self.session_key)?,
            engine: self.engine.as_ref().map(|engine| engine.config(&field("engine.key"))).transpose()?,
        })
    }
}

fn address(account: AccountId) -> String {
    Ss58 { prefix: NETWORK, account }.to_string()
}

fn account(at: &str, text: &str) -> Result<AccountId, SpecError> {
    let address: Ss58 = text.parse().map_err(|source| SpecError::Address { at: at.to_owned(), source })?;
    if address.prefix != NETWORK {
        return Err(SpecError::Network { at: at.to_owned(), found: address.prefix.number() });
    }
    Ok(address.account)
}

//! Chains that everybody can name: the scenarios, and a development chain.
//!
//! Their keys are derived from public texts: anybody can sign with them, so nobody may trust them with money.

use crate::community::Season;
use crate::keys::{KeyPair, Signer, SigningPolicy};
use crate::scenario::{Cast, Script, day, pair, paper, rules};
use clap::ValueEnum;
use contract_interface::roles;
use runtime_execution::modules::contracts::DepositRates;
use runtime_execution::modules::payment::WeightRates;
use runtime_execution::modules::registry::Engine;
use runtime_execution::{EPOCH_BLOCKS, GenesisConfig, GenesisEntity};
use runtime_primitives::{Money, Timestamp, blake2_256};

/// Genesis of the development chain: 2026-01-01T00:00:00Z, so that its hash is everybody's.
const DEV_GENESIS: Timestamp = Timestamp::from_ms(1_767_225_600_000);
/// What the development chain's bank, retailer and market operator start with: a million yuan each.
const DEV_FUNDS: Money = Money::from_units(10_000_000_000_000);

/// A chain known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// The paper's case: one trade of 10 kWh.
    Paper,
    /// A real community's day with generation well above use.
    Summer,
    /// A day with generation near use.
    Shoulder,
    /// A day with use well above generation.
    Winter,
    /// Well-known keys in the market's roles, rules uploaded, no market: for development.
    Dev,
    /// A registrar with a bank, and one validator: everything else by commands.
    Bare,
}

impl Preset {
    /// The preset whose chain has this name.
    pub fn of_chain(name: &str) -> Option<Self> {
        let name = name.strip_prefix("busbar ")?;
        Self::value_variants().iter().copied().find(|preset| preset.name() == name)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Summer => Season::Summer.name(),
            Self::Shoulder => Season::Shoulder.name(),
            Self::Winter => Season::Winter.name(),
            Self::Dev => "dev",
            Self::Bare => "bare",
        }
    }

    /// The scenario behind it; none for the development chain.
    ///
    /// # Panics
    /// If the built-in scenario file was damaged before the build.
    pub fn script(self) -> Option<Script> {
        match self {
            Self::Paper => Some(paper().expect("the built-in scenario file is tested")),
            Self::Summer => Some(day(Season::Summer)),
            Self::Shoulder => Some(day(Season::Shoulder)),
            Self::Winter => Some(day(Season::Winter)),
            Self::Dev | Self::Bare => None,
        }
    }

    /// What the chain starts with.
    pub fn config(self) -> GenesisConfig {
        match (self, self.script()) {
            (_, Some(script)) => Cast::genesis_config(&script),
            (Self::Bare, None) => bare(),
            (_, None) => dev(),
        }
    }

    /// What the chain starts with if as many validators order it as there are `engines`, which listen at these addresses;
    /// their keys are well known.
    ///
    /// Those that the preset does not have come after its entities.
    pub fn network(self, engines: &[String]) -> GenesisConfig {
        let mut config = self.config();
        let mut members: Vec<usize> = Vec::new();
        for (index, entity) in config.entities.iter().enumerate() {
            if entity.roles & roles::VALIDATOR != 0 {
                members.push(index);
            }
        }
        for ((place, number), address) in (1..).enumerate().zip(engines) {
            let session = Signer::new(self.session_key(number), SigningPolicy::Production);
            let engine = Engine { key: session.engine_secret().public().0, address: address.clone() };
            if let Some(&index) = members.get(place) {
                config.entities[index].engine = Some(engine);
            } else {
                config.entities.push(GenesisEntity {
                    owner: key(&format!("//Validator{number}")).account(),
                    roles: roles::VALIDATOR,
                    balance: Money::ZERO,
                    voting_key: None,
                    session_key: Some(session.account()),
                    engine: Some(engine),
                });
            }
        }
        config
    }

    /// The well-known session key of a validator, numbered from 1.
    pub fn session_key(self, validator: u32) -> KeyPair {
        match self {
            Self::Dev | Self::Bare => key(&format!("//Validator{validator}//session")),
            _ => pair(self.name(), &format!("validator {validator}"), "session"),
        }
    }
}

/// The development chain: the keys that every Substrate tool knows in the market's roles, one validator.
fn dev() -> GenesisConfig {
    let entity = |uri: &str, roles: u16, balance, votes: bool| {
        let owner = key(uri).account();
        GenesisEntity {
            owner,
            roles,
            balance,
            voting_key: votes.then_some(owner),
            session_key: None,
            engine: None,
        }
    };
    let validator = GenesisEntity {
        session_key: Some(Preset::Dev.session_key(1).account()),
        ..entity("//Validator1", roles::VALIDATOR, Money::ZERO, false)
    };
    GenesisConfig {
        chain: "busbar dev".to_owned(),
        timestamp: DEV_GENESIS,
        sudo: key("//Alice").account(),
        entities: vec![
            entity("//Alice", roles::REGISTRAR | roles::BANK, DEV_FUNDS, false),
            entity("//Bob", roles::RETAILER, DEV_FUNDS, false),
            entity("//Charlie", roles::GRID_OPERATOR | roles::METER_OPERATOR, Money::ZERO, true),
            entity("//Dave", roles::MARKET_OPERATOR | roles::AUTHOR, DEV_FUNDS, true),
            validator,
            entity("//Eve", roles::TRADER, Money::ZERO, true),
            entity("//Ferdie", roles::TRADER, Money::ZERO, true),
        ],
        codes: [rules::BID, rules::HIGH_LOW, rules::MIN_SPREAD, rules::UNIFORM_PRICE, rules::SETTLEMENT]
            .map(<[u8]>::to_vec)
            .to_vec(),
        default_settlement: Some(blake2_256(rules::SETTLEMENT)),
        deposits: DepositRates::default(),
        weight: WeightRates::default(),
        epoch_blocks: EPOCH_BLOCKS,
    }
}

/// What no command can make: a registrar, money, a validator.
fn bare() -> GenesisConfig {
    let dev = dev();
    let kept = |entity: &GenesisEntity| entity.roles & (roles::REGISTRAR | roles::VALIDATOR) != 0;
    GenesisConfig {
        chain: "busbar bare".to_owned(),
        entities: dev.entities.into_iter().filter(kept).collect(),
        codes: Vec::new(),
        default_settlement: None,
        ..dev
    }
}

fn key(uri: &str) -> KeyPair {
    uri.parse().expect("a development URI")
}

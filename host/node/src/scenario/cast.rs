//! Who plays: keys, genesis, and the registrations that turn strangers into a market.
//!
//! Only the institutions exist at genesis. Codes, the market, households, keys, meters and money come by signed
//! extrinsics, in batches that are functions of the state.

use super::script::Script;
use crate::agent::{Attestor, Household, Journal, JournalError, Operator};
use crate::keys::{KeyPair, Signer, SigningPolicy};
use crate::wallet::Wallet;
use contract_interface::{Terms, roles};
use runtime_execution::modules::registry::{self, Caps, ENTITIES, NEXT_ENTITY, NEXT_METER, scopes};
use runtime_execution::modules::system::ACCOUNT;
use runtime_execution::modules::{contracts, markets, payment};
use runtime_execution::{Call, EPOCH_BLOCKS, GenesisConfig, GenesisEntity};
use runtime_primitives::{
    AccountId, Energy, EntityId, Hash, MarketId, MeterId, Money, Timestamp, blake2_256,
};
use runtime_state::Overlay;
use std::collections::BTreeMap;
use std::path::Path;
use thiserror::Error;

/// The market rules as built from `contracts`.
pub mod rules {
    /// The bid rule.
    pub const BID: &[u8] = include_bytes!("../../../../contracts/artifacts/bid.wasm");
    /// The default matching rule.
    pub const HIGH_LOW: &[u8] = include_bytes!("../../../../contracts/artifacts/high_low.wasm");
    /// The paper's matching rule; here the fallback.
    pub const MIN_SPREAD: &[u8] = include_bytes!("../../../../contracts/artifacts/min_spread.wasm");
    /// The matching rule with one price for all.
    pub const UNIFORM_PRICE: &[u8] = include_bytes!("../../../../contracts/artifacts/uniform_price.wasm");
    /// The matching rule of continuous books.
    pub const CONTINUOUS: &[u8] = include_bytes!("../../../../contracts/artifacts/continuous.wasm");
    /// The matching rule with the marginal prices, paid by those who do not set them.
    pub const HUANG: &[u8] = include_bytes!("../../../../contracts/artifacts/huang.wasm");
    /// The settlement rule.
    pub const SETTLEMENT: &[u8] = include_bytes!("../../../../contracts/artifacts/settlement.wasm");
}

/// The market played on.
pub const MARKET: MarketId = MarketId::ZERO;
/// Validators of the scenarios.
const VALIDATORS: u32 = 3;
/// The billing period of the scenarios.
const DAY_MINUTES: u32 = 24 * 60;
/// Hours between genesis and the first delivery: one more than a slot is open.
const LEAD_MS: u64 = 25 * 3_600_000;
/// What institutions start with.
const BANK_FUNDS: Money = Money::from_units(10_000_000_000_000);
const RETAILER_FUNDS: Money = Money::from_units(1_000_000_000_000);
const OPERATOR_FUNDS: Money = Money::from_units(1_000_000_000_000);
const MARKET_DEPOSIT: Money = Money::from_units(500_000_000_000);

/// Why a cast cannot assemble.
#[derive(Debug, Error)]
pub enum CastError {
    /// A vote journal is unusable.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// The institutions, in order of their entity numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Registrar,
    Bank,
    Retailer,
    Grid,
    Operator,
}

const INSTITUTIONS: [(Role, &str, u16, Money); 5] = [
    (Role::Registrar, "registrar", roles::REGISTRAR, Money::ZERO),
    (Role::Bank, "bank", roles::BANK, BANK_FUNDS),
    (Role::Retailer, "retailer", roles::RETAILER, RETAILER_FUNDS),
    (Role::Grid, "grid operator", roles::GRID_OPERATOR | roles::METER_OPERATOR, Money::ZERO),
    (Role::Operator, "market operator", roles::MARKET_OPERATOR | roles::AUTHOR, OPERATOR_FUNDS),
];

const INSTITUTION_COUNT: u32 = 5;
const _: () = assert!(INSTITUTIONS.len() == INSTITUTION_COUNT as usize);

const fn entity(role: Role) -> EntityId {
    EntityId::from_number(role as u32)
}

/// The seeded key of somebody in a scenario: everybody can derive it, nobody should trust it with money.
pub fn pair(scenario: &str, who: &str, what: &str) -> KeyPair {
    KeyPair::from_seed(&blake2_256(format!("busbar/scenario/{scenario}/{who}/{what}").as_bytes()).0)
}

/// Everybody with their keys.
pub struct Cast {
    script: Script,
    genesis: Hash,
    matching: Vec<u8>,
    /// Entity number of the first household.
    first_household: u32,
    /// Terms of the market.
    pub terms: Terms,
    registrar: Wallet,
    bank: Wallet,
    retailer: Wallet,
    /// The platform.
    pub operator: Operator,
    /// The grid operator.
    pub grid: Operator,
    /// Households by their position in the script.
    pub households: Vec<Household>,
    owners: Vec<Wallet>,
    /// Validators' attestors.
    pub attestors: Vec<Attestor>,
}

/// What of a cast is unusual.
#[derive(Clone, Debug, Default)]
pub struct Casting {
    /// Another matching rule than `high-low`.
    pub matching: Option<Vec<u8>>,
    /// Which validator lies.
    pub liar: Option<u32>,
    /// Validators that the chain has beyond the scenario's own; their entities come before the households'.
    pub more_validators: u32,
}

impl Cast {
    /// The chain's start for this script.
    pub fn genesis_config(script: &Script) -> GenesisConfig {
        let key = |who: &str, what: &str| pair(&script.name, who, what).account();
        let mut entities: Vec<GenesisEntity> = INSTITUTIONS
            .iter()
            .map(|(role, name, bits, balance)| {
                let owner = key(name, "owner");
                let votes = matches!(role, Role::Grid | Role::Operator);
                let voting_key = votes.then_some(owner);
                GenesisEntity {
                    owner,
                    roles: *bits,
                    balance: *balance,
                    voting_key,
                    session_key: None,
                    engine: None,
                }
            })
            .collect();
        entities.extend((0..VALIDATORS).map(|number| {
            let name = validator_name(number);
            GenesisEntity {
                owner: key(&name, "owner"),
                roles: roles::VALIDATOR,
                balance: Money::ZERO,
                voting_key: None,
                session_key: Some(key(&name, "session")),
                engine: None,
            }
        }));
        GenesisConfig {
            chain: format!("busbar {}", script.name),
            timestamp: first_delivery(script).minus_ms(LEAD_MS),
            sudo: key("sudo", "owner"),
            entities,
            codes: Vec::new(),
            default_settlement: Some(blake2_256(rules::SETTLEMENT)),
            deposits: contracts::DepositRates::default(),
            weight: payment::WeightRates::default(),
            epoch_blocks: EPOCH_BLOCKS,
        }
    }

    /// Assemble on the chain with this genesis hash; validators keep their vote journals in `folder`.
    ///
    /// # Errors
    /// [`CastError`].
    pub fn assemble(
        script: &Script,
        casting: Casting,
        genesis: Hash,
        folder: &Path,
    ) -> Result<Self, CastError> {
        let signer =
            |who: &str, what: &str| Signer::new(pair(&script.name, who, what), SigningPolicy::Repeatable);
        let wallet = |who: &str, what: &str| Wallet::new(signer(who, what), genesis);
        let (mut owners, mut households) = (Vec::new(), Vec::new());
        let first_household = first_household() + casting.more_validators;
        for (number, household) in (0u32..).zip(&script.households) {
            owners.push(wallet(&household.name, "owner"));
            let id = EntityId::from_number(first_household + number);
            let meter = MeterId::from_number(number);
            let (delegate, meter_key) =
                (wallet(&household.name, "delegate"), signer(&household.name, "meter"));
            households.push(Household::new(id, meter, delegate, meter_key));
        }
        let mut attestors = Vec::new();
        for number in 0..VALIDATORS {
            let name = validator_name(number);
            let journal = Journal::open(&folder.join(format!("votes-{}", number + 1)))?;
            let make = if casting.liar == Some(number) { Attestor::lying } else { Attestor::new };
            attestors.push(make(signer(&name, "session"), genesis, journal));
        }
        let matching = casting.matching.unwrap_or_else(|| rules::HIGH_LOW.to_vec());
        Ok(Self {
            script: script.clone(),
            genesis,
            terms: terms(script, &matching),
            matching,
            first_household,
            registrar: wallet("registrar", "owner"),
            bank: wallet("bank", "owner"),
            retailer: wallet("retailer", "owner"),
            operator: Operator::new(entity(Role::Operator), wallet("market operator", "owner")),
            grid: Operator::new(entity(Role::Grid), wallet("grid operator", "owner")),
            households,
            owners,
            attestors,
        })
    }

    /// The chain's genesis hash.
    pub const fn genesis(&self) -> &Hash {
        &self.genesis
    }

    /// Names by account, for reports.
    pub fn names(script: &Script) -> BTreeMap<AccountId, String> {
        let account = |who: &str| pair(&script.name, who, "owner").account();
        let mut names = BTreeMap::new();
        for (role, name, ..) in INSTITUTIONS {
            let shown = if role == Role::Grid { &script.grid_name } else { name };
            names.insert(account(name), shown.to_owned());
        }
        for number in 0..VALIDATORS {
            names.insert(account(&validator_name(number)), validator_name(number));
        }
        for household in &script.households {
            names.insert(account(&household.name), household.name.clone());
        }
        names.insert(markets::money::pool_account(MARKET), "surplus pool".to_owned());
        names.insert(markets::money::fee_account(), "fees".to_owned());
        names
    }

    /// The next batch of registrations on `state`, or `None` once everybody is in.
    pub fn setup(&mut self, state: &Overlay) -> Option<Vec<Vec<u8>>> {
        let households = u32::try_from(self.script.households.len()).expect("entities are numbered with u32");
        let all = self.first_household + households;
        if NEXT_ENTITY.get(state).is_none_or(|next| next.number() < all) {
            return Some(self.found_market(state));
        }
        let meters = NEXT_METER.get(state).map_or(0, MeterId::number);
        if meters < households {
            return Some(self.move_in(state));
        }
        None
    }

    /// Upload the rules, create the market, agree to its terms, admit the households.
    fn found_market(&mut self, state: &Overlay) -> Vec<Vec<u8>> {
        let wallet = self.operator.wallet();
        wallet.refresh(state);
        let mut batch = Vec::new();
        for code in [rules::BID, &self.matching, rules::MIN_SPREAD, rules::SETTLEMENT] {
            let upload = contracts::Call::UploadCode {
                code: code.to_vec(),
                storage_deposit_limit: None,
                determinism: contracts::Determinism::Enforced,
            };
            batch.push(wallet.sign(&Call::Contracts(upload)));
        }
        let new = markets::registration::NewMarket {
            retailer: entity(Role::Retailer),
            grid: entity(Role::Grid),
            meter_operator: entity(Role::Grid),
            first_slot: self.script.slots.0,
            deposit: MARKET_DEPOSIT,
            terms: self.terms.clone(),
        };
        let agree = Call::Markets(markets::Call::Agree { market: MARKET, terms: new.terms.hash() });
        batch.push(wallet.sign(&Call::Markets(markets::Call::Create { new: Box::new(new) })));
        for wallet in [&mut self.retailer, self.grid.wallet()] {
            wallet.refresh(state);
            batch.push(wallet.sign(&agree));
        }
        self.registrar.refresh(state);
        for owner in &self.owners {
            let call = registry::Call::RegisterEntity { owner: owner.account(), roles: roles::TRADER };
            batch.push(self.registrar.sign(&Call::Registry(call)));
        }
        batch
    }

    /// Fund the households, give them meters, delegates and voting keys.
    fn move_in(&mut self, state: &Overlay) -> Vec<Vec<u8>> {
        self.registrar.refresh(state);
        self.bank.refresh(state);
        let mut batch = Vec::new();
        for (number, household) in (0..).zip(&self.script.households) {
            let own = &self.households[number];
            let (name, scenario) = (&household.name, &self.script.name);
            let meter = registry::Call::RegisterMeter {
                entity: own.entity,
                key: pair(scenario, name, "meter").account(),
                market: MARKET,
                p_max_w: household.p_max_w,
                connection: blake2_256(name.as_bytes()),
                feeder: household.feeder,
                import_wh: Energy::ZERO,
                export_wh: Energy::ZERO,
            };
            batch.push(self.registrar.sign(&Call::Registry(meter)));
            let fund = markets::Call::Fund { entity: own.entity, amount: household.funds };
            batch.push(self.bank.sign(&Call::Markets(fund)));
            let owner = &mut self.owners[number];
            owner.refresh(state);
            let delegate = pair(scenario, name, "delegate").account();
            let scopes = scopes::BID | scopes::CONFIRM | scopes::VOTE;
            let add =
                registry::Call::AddDelegate { key: delegate, scopes, expires: None, caps: Caps::default() };
            batch.push(owner.sign(&Call::Registry(add)));
            let name_key = registry::Call::SetVotingKey { key: Some(delegate) };
            batch.push(owner.sign(&Call::Registry(name_key)));
        }
        batch
    }

    /// Sum of all money on the chain, wherever it is.
    pub fn money(state: &Overlay) -> Money {
        let accounts = ACCOUNT.entries(state);
        accounts
            .values()
            .map(|account| account.data.free.saturating_add(account.data.reserved))
            .fold(Money::ZERO, Money::saturating_add)
    }

    /// Accounts of all registered entities.
    pub fn owners(state: &Overlay) -> BTreeMap<EntityId, AccountId> {
        ENTITIES.entries(state).into_iter().map(|(id, entity)| (id, entity.owner)).collect()
    }
}

fn validator_name(number: u32) -> String {
    format!("validator {}", number + 1)
}

/// Entity number of the first household where the scenario's validators are the only ones.
pub const fn first_household() -> u32 {
    INSTITUTION_COUNT + VALIDATORS
}

fn first_delivery(script: &Script) -> Timestamp {
    let slot_ms = u64::from(script.slot_minutes) * 60_000;
    script.slot_zero.plus_ms(slot_ms * u64::from(script.slots.0.number()))
}

fn terms(script: &Script, matching: &[u8]) -> Terms {
    Terms {
        slot_minutes: script.slot_minutes,
        slot_zero: script.slot_zero,
        windows: script.windows,
        limits: script.limits,
        rates: script.rates,
        fees: script.fees.clone(),
        billing_slots: (DAY_MINUTES / u32::from(script.slot_minutes)).max(1),
        deposit_slots: script.deposit_slots,
        bid: blake2_256(rules::BID),
        matching: blake2_256(matching),
        settlement: blake2_256(rules::SETTLEMENT),
        fallback: blake2_256(rules::MIN_SPREAD),
    }
}

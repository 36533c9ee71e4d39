//! A small world on a chain: who is there at genesis, and how everybody else joins by real extrinsics.
//!
//! Entities 0 to 5 are the institutions, 6 to 8 the validators, 9 an auditor; more validators, if the plan has any, and
//! households follow from 10 on.

use crate::artifacts;
use crate::chain::Chain;
use crate::keyring::Keyring;
use contract_interface::{Fee, FeederFee, Limits, Rates, Terms, Windows, roles};
use host_node::keys::Signer;
use runtime_execution::modules::markets::registration::NewMarket;
use runtime_execution::modules::payment::WeightRates;
use runtime_execution::modules::registry::{Caps, scopes};
use runtime_execution::modules::{contracts, markets, registry};
use runtime_execution::{EPOCH_BLOCKS, GenesisConfig, GenesisEntity};
use runtime_primitives::{
    AccountId, Energy, EntityId, FeederId, Hash, MarketId, MeterId, Money, Price, Slot, Timestamp,
};
use std::sync::Arc;

/// Time of genesis: 2025-06-15 00:00 UTC.
pub const GENESIS_TIME: Timestamp = Timestamp::from_ms(1_749_945_600_000);
/// The market of every world.
pub const MARKET: MarketId = MarketId::ZERO;
/// The first slot of every world: the paper's.
pub const FIRST: Slot = Slot::from_number(500);
/// Entity numbers of the institutions.
pub mod entities {
    /// Admits everybody.
    pub const REGISTRAR: u32 = 0;
    /// Has the money.
    pub const BANK: u32 = 1;
    /// Backstop supplier.
    pub const RETAILER: u32 = 2;
    /// Gets the network fee.
    pub const GRID: u32 = 3;
    /// Market operator and author.
    pub const PLATFORM: u32 = 4;
    /// Meter operator.
    pub const METER_OPERATOR: u32 = 5;
    /// The first of three validators.
    pub const VALIDATOR: u32 = 6;
    /// Auditor.
    pub const AUDITOR: u32 = 9;
    /// The first household.
    pub const HOME: u32 = 10;
}

/// Households that join in one block, so that its gas suffices.
const HOMES_IN_BLOCK: usize = 250;
/// Validators before the auditor; more than these come after it.
const VALIDATORS: u32 = 3;
/// Genesis money of bank, retailer and platform each: 100,000 yuan.
const ENDOWMENT: Money = Money::from_units(1_000_000_000_000);
/// The platform's deposit for market steps.
const DEPOSIT: Money = Money::from_units(100_000_000_000);
/// Capacity of every connection: 11 kWh in a slot of ten minutes.
pub const P_MAX_W: u32 = 66_000;
/// Registers of every meter at registration: import and export.
pub const REGISTERS_AT_START: (u64, u64) = (1_000, 2_000);

/// What distinguishes one world from another.
#[derive(Clone)]
pub struct Plan {
    /// Validators beyond the three of every world, which all have engines then.
    pub more_validators: u32,
    /// Households.
    pub homes: u32,
    /// Money that each is funded with.
    pub funds: Money,
    /// Hours from genesis to the first delivery.
    pub lead_h: u32,
    /// Length of a slot in minutes.
    pub slot_minutes: u16,
    /// Rates of the market.
    pub rates: Rates,
    /// Fees between feeders.
    pub fees: Vec<FeederFee>,
    /// Slots of a billing period.
    pub billing_slots: u32,
    /// Slots that supply deposits and the retailer's pre-funding cover.
    pub deposit_slots: u16,
    /// Feeders of the households, in order; those beyond its end are on feeder 0.
    pub feeders: Vec<u32>,
    /// Limits of the market.
    pub limits: Limits,
    /// Windows of the market.
    pub windows: Windows,
    /// The rules: bid, matching, settlement, fallback.
    pub rules: [Vec<u8>; 4],
    /// Settlement code that stands in when a slot's own fails.
    pub default_settlement: Vec<u8>,
    /// The platform's deposit for market steps.
    pub deposit: Money,
    /// What gas costs.
    pub weight: WeightRates,
    /// Blocks of an epoch.
    pub epoch_blocks: u64,
}

impl Default for Plan {
    fn default() -> Self {
        let [bid, high_low, min_spread, settlement] =
            [artifacts::BID, artifacts::HIGH_LOW, artifacts::MIN_SPREAD, artifacts::SETTLEMENT]
                .map(<[u8]>::to_vec);
        Self {
            more_validators: 0,
            homes: 2,
            funds: Money::from_units(1_000_000_000),
            lead_h: 2,
            slot_minutes: 10,
            rates: Rates {
                feed_in: Price::from_ticks(3_000),
                retail: Price::from_ticks(9_000),
                fee: Fee { buyer: Price::from_ticks(200), seller: Price::ZERO },
                deviation: Price::from_ticks(1_000),
                tol_wh: Energy::from_wh(5),
                tol_bp: 500,
            },
            fees: Vec::new(),
            billing_slots: 144,
            deposit_slots: 0,
            feeders: Vec::new(),
            limits: Limits {
                tick_size: Price::from_ticks(10),
                price_min: Price::from_ticks(3_000),
                price_max: Price::from_ticks(8_800),
                orders_per_slot: 40,
                orders_per_entity: 4,
            },
            windows: Windows {
                open_before_s: 1_800,
                gate_before_s: 300,
                reveal_s: 0,
                confirm_s: 150,
                certify_before_s: 10,
                readings_s: 300,
                voting_s: 1_200,
                objection_s: 3_600,
                dispute_s: 86_400,
            },
            rules: [bid, high_low, settlement.clone(), min_spread],
            default_settlement: settlement,
            deposit: DEPOSIT,
            weight: WeightRates::default(),
            epoch_blocks: EPOCH_BLOCKS,
        }
    }
}

impl Plan {
    /// The terms of the market.
    pub fn terms(&self) -> Terms {
        let [bid, matching, settlement, fallback] =
            [0, 1, 2, 3].map(|rule: usize| artifacts::hash(&self.rules[rule]));
        let before = u64::from(FIRST.number()) * u64::from(self.slot_minutes) * 60_000;
        Terms {
            slot_minutes: self.slot_minutes,
            slot_zero: GENESIS_TIME.plus_ms(u64::from(self.lead_h) * 3_600_000).minus_ms(before),
            windows: self.windows,
            limits: self.limits,
            rates: self.rates,
            fees: self.fees.clone(),
            billing_slots: self.billing_slots,
            deposit_slots: self.deposit_slots,
            bid,
            matching,
            settlement,
            fallback,
        }
    }
}

/// A household: an entity with its keys and its meter.
#[derive(Clone)]
pub struct Home {
    /// Its number.
    pub entity: EntityId,
    /// Owns its money.
    pub owner: Arc<Signer>,
    /// Bids, confirms and votes for it.
    pub delegate: Arc<Signer>,
    /// The market it trades in.
    pub market: MarketId,
    /// Its connection.
    pub meter: MeterId,
    /// The feeder it is on.
    pub feeder: FeederId,
    /// Signs its readings.
    pub meter_key: Arc<Signer>,
    /// What the registers show: import and export.
    pub registers: (u64, u64),
}

impl Home {
    /// The account of its money.
    pub fn account(&self) -> AccountId {
        self.owner.account()
    }
}

/// A chain with its people. A clone is a fork.
#[derive(Clone)]
pub struct World {
    /// The chain.
    pub chain: Chain,
    /// Everybody's keys.
    pub keys: Keyring,
    /// Owner keys of the entities of genesis, by number.
    pub owners: Vec<Arc<Signer>>,
    /// The administration key.
    pub sudo: Arc<Signer>,
    /// Households.
    pub homes: Vec<Home>,
    /// The market that the course of a slot is played in.
    pub market: MarketId,
    /// Its terms.
    pub terms: Terms,
    /// What genesis was made of.
    pub genesis: GenesisConfig,
}

impl World {
    /// Genesis, uploads, market, households, funds.
    ///
    /// # Panics
    /// If a step fails.
    pub fn new(plan: &Plan) -> Self {
        let mut world = Self::at_genesis(plan);
        world.add_market(plan);
        world
    }

    /// Uploads, a market of this plan, its households and their funds. The course of a slot is played in it from now on.
    ///
    /// # Panics
    /// If a step fails.
    pub fn add_market(&mut self, plan: &Plan) {
        self.market = markets::NEXT_MARKET.get(&self.chain.view()).unwrap_or_default();
        self.terms = plan.terms();
        self.upload(&plan.rules);
        self.create_market(plan);
        self.register_homes(plan);
    }

    /// Only the entities of genesis.
    pub fn at_genesis(plan: &Plan) -> Self {
        let mut keys = Keyring::default();
        let sudo = keys.add("sudo");
        let (genesis, owners) = genesis(&mut keys, plan, sudo.account());
        let chain = Chain::new(&genesis);
        Self { chain, keys, owners, sudo, homes: Vec::new(), market: MARKET, terms: plan.terms(), genesis }
    }

    /// The platform uploads code.
    ///
    /// # Panics
    /// If it is refused.
    pub fn upload(&mut self, codes: &[Vec<u8>]) {
        for code in codes {
            let code = code.clone();
            let call = contracts::Call::UploadCode {
                code,
                storage_deposit_limit: None,
                determinism: contracts::Determinism::Enforced,
            };
            let platform = Arc::clone(self.platform());
            self.chain.submit(&platform, call);
        }
        self.chain.block_of_successes();
    }

    /// What the platform asks for to get the plan's market.
    pub fn new_market(&self, plan: &Plan) -> markets::Call {
        let new = NewMarket {
            retailer: EntityId::from_number(entities::RETAILER),
            grid: EntityId::from_number(entities::GRID),
            meter_operator: EntityId::from_number(entities::METER_OPERATOR),
            first_slot: FIRST,
            deposit: plan.deposit,
            terms: plan.terms(),
        };
        markets::Call::Create { new: Box::new(new) }
    }

    /// The platform creates a market of this plan, and its parties agree to its terms.
    ///
    /// # Panics
    /// If a step fails.
    pub fn create_market(&mut self, plan: &Plan) {
        let call = self.new_market(plan);
        let platform = Arc::clone(self.platform());
        self.chain.submit(&platform, call);
        self.agree(plan.terms().hash());
        self.chain.block_of_successes();
    }

    /// All parties of the market agree to terms; queued.
    pub fn agree(&mut self, terms: Hash) {
        for party in [entities::RETAILER, entities::GRID, entities::METER_OPERATOR] {
            let key = Arc::clone(&self.owners[party as usize]);
            self.chain.submit(&key, markets::Call::Agree { market: self.market, terms });
        }
    }

    fn register_homes(&mut self, plan: &Plan) {
        let first = u32::try_from(self.homes.len()).expect("few homes");
        let numbers: Vec<u32> = (first..first + plan.homes).collect();
        for some in numbers.chunks(HOMES_IN_BLOCK) {
            self.register(plan, some);
        }
    }

    fn register(&mut self, plan: &Plan, numbers: &[u32]) {
        let registrar = Arc::clone(&self.owners[entities::REGISTRAR as usize]);
        let first = self.homes.len();
        let first_home = u32::try_from(self.genesis.entities.len()).expect("few entities");
        for number in numbers.iter().copied() {
            let owner = self.keys.add(&format!("home {number}"));
            self.chain.submit(
                &registrar,
                registry::Call::RegisterEntity { owner: owner.account(), roles: roles::TRADER },
            );
            self.homes.push(Home {
                entity: EntityId::from_number(first_home + number),
                owner,
                delegate: self.keys.add(&format!("home {number} delegate")),
                market: self.market,
                meter: MeterId::from_number(number),
                feeder: FeederId::from_number(plan.feeders.get(number as usize).copied().unwrap_or_default()),
                meter_key: self.keys.add(&format!("home {number} meter")),
                registers: REGISTERS_AT_START,
            });
        }
        self.chain.block_of_successes();
        let bank = Arc::clone(self.bank());
        for home in &self.homes.clone()[first..] {
            self.chain.submit(&registrar, register_meter(home));
            let scopes = scopes::BID | scopes::CONFIRM | scopes::VOTE;
            let key = home.delegate.account();
            self.chain.submit(
                &home.owner,
                registry::Call::AddDelegate { key, scopes, expires: None, caps: Caps::default() },
            );
            self.chain.submit(&home.owner, registry::Call::SetVotingKey { key: Some(key) });
            if !plan.funds.is_zero() {
                self.chain.submit(&bank, markets::Call::Fund { entity: home.entity, amount: plan.funds });
            }
        }
        self.chain.block_of_successes();
    }

    /// The market operator's owner key.
    pub fn platform(&self) -> &Arc<Signer> {
        &self.owners[entities::PLATFORM as usize]
    }

    /// The bank's owner key.
    pub fn bank(&self) -> &Arc<Signer> {
        &self.owners[entities::BANK as usize]
    }

    /// The registrar's call for one more meter of a household, with a key of its own.
    pub fn another_meter(&mut self, home: usize) -> registry::Call {
        let meter_key = self.keys.add(&format!("one more meter of household {home}"));
        register_meter(&Home { meter_key, ..self.homes[home].clone() })
    }

    /// The account of an entity of genesis.
    pub fn account(&self, entity: u32) -> AccountId {
        self.owners[entity as usize].account()
    }
}

/// The registrar's call for a household's meter.
pub fn register_meter(home: &Home) -> registry::Call {
    registry::Call::RegisterMeter {
        entity: home.entity,
        key: home.meter_key.account(),
        market: home.market,
        p_max_w: P_MAX_W,
        connection: Hash([7; 32]),
        feeder: home.feeder,
        import_wh: Energy::from_wh(REGISTERS_AT_START.0),
        export_wh: Energy::from_wh(REGISTERS_AT_START.1),
    }
}

fn genesis(keys: &mut Keyring, plan: &Plan, sudo: AccountId) -> (GenesisConfig, Vec<Arc<Signer>>) {
    let mut owners = Vec::new();
    let mut members = Vec::new();
    let institutions = [
        ("registrar", roles::REGISTRAR, Money::ZERO, false),
        ("bank", roles::BANK, ENDOWMENT, false),
        ("retailer", roles::RETAILER, ENDOWMENT, false),
        ("grid", roles::GRID_OPERATOR, Money::ZERO, true),
        ("platform", roles::MARKET_OPERATOR | roles::AUTHOR, ENDOWMENT, true),
        ("meter operator", roles::METER_OPERATOR, Money::ZERO, true),
    ];
    for (name, roles, balance, votes) in institutions {
        let owner = keys.add(name);
        let voting_key = votes.then(|| keys.add(&format!("{name} voting")).account());
        members.push(GenesisEntity {
            owner: owner.account(),
            roles,
            balance,
            voting_key,
            session_key: None,
            engine: None,
        });
        owners.push(owner);
    }
    let validators =
        (0..VALIDATORS + plan.more_validators).map(|number| (format!("validator {number}"), true));
    let mut others: Vec<(String, bool)> = validators.collect();
    others.insert(VALIDATORS as usize, ("auditor".to_owned(), false));
    for (name, validates) in others {
        let owner = keys.add(&name);
        let session = validates.then(|| keys.add(&format!("{name} session")));
        let engine = session.as_ref().filter(|_| plan.more_validators > 0);
        members.push(GenesisEntity {
            owner: owner.account(),
            roles: if validates { roles::VALIDATOR } else { roles::AUDITOR },
            balance: Money::ZERO,
            voting_key: None,
            session_key: session.as_ref().map(|session| session.account()),
            engine: engine.map(|session| registry::Engine {
                key: session.engine_secret().public().0,
                address: format!("{}:30333", name.replace(' ', "-")),
            }),
        });
        owners.push(owner);
    }
    let config = GenesisConfig {
        chain: "busbar tests".into(),
        timestamp: GENESIS_TIME,
        sudo,
        entities: members,
        codes: vec![plan.default_settlement.clone()],
        default_settlement: Some(artifacts::hash(&plan.default_settlement)),
        deposits: contracts::DepositRates::default(),
        weight: plan.weight,
        epoch_blocks: plan.epoch_blocks,
    };
    (config, owners)
}

//! The households, the institutions and the node that they share, played slot by slot.
//!
//! Every household of the real community's summer day stands for many, each a little different by its number. All that
//! happens is signed extrinsics through the pool into blocks of a durable store: orders, validators' votes, batches of
//! readings by a data concentrator, the platform's list, the operators' votes. Households confirm in advance and have no
//! voting key. What the node does is timed apart from what everybody else does (signing); both share the machine.

use contract_interface::{
    Fee, Limits, OrderRequest, Rates, Reading, ReadingStatus, Stage, Terms, Windows, attest_message, flags,
    reading_message, roles,
};
use host_consensus::{Solo, VirtualClock};
use host_node::community::{Community, Intent, Season, Tariff};
use host_node::keys::{Signer, SigningPolicy};
use host_node::node::Chain;
use host_node::scenario::{pair, rules};
use runtime_execution::extrinsic::{Era, Extra, UncheckedExtrinsic};
use runtime_execution::modules::markets::registration::NewMarket;
use runtime_execution::modules::markets::{self, Live, SLOTS, SlotState, lists};
use runtime_execution::modules::{attestation, contracts, payment, registry, system};
use runtime_execution::{Call, EPOCH_BLOCKS, GenesisConfig, GenesisEntity};
use runtime_primitives::limits::READINGS_PER_BATCH_MAX;
use runtime_primitives::{
    AccountId, Energy, EntityId, FeederId, Hash, MarketId, MeterId, Money, Price, Slot, Timestamp, blake2_256,
};
use runtime_state::Overlay;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const MARKET: MarketId = MarketId::ZERO;
const INTERVAL_MS: u64 = 1_000;
/// Orders are sent this long before delivery.
const BID_BEFORE_MS: u64 = 600_000;
const VALIDATORS: u32 = 3;
/// Registrar, bank, retailer, grid, platform, concentrator.
const INSTITUTIONS: [(&str, u16); 6] = [
    ("registrar", roles::REGISTRAR),
    ("bank", roles::BANK),
    ("retailer", roles::RETAILER),
    ("grid", roles::GRID_OPERATOR),
    ("platform", roles::MARKET_OPERATOR | roles::AUTHOR),
    ("concentrator", roles::METER_OPERATOR),
];
const REGISTRAR: u32 = 0;
const RETAILER: u32 = 2;
const GRID: u32 = 3;
const PLATFORM: u32 = 4;
const CONCENTRATOR: u32 = 5;
/// The moments of MARKET section 2; slots open an hour ahead.
const WINDOWS: Windows = Windows {
    open_before_s: 3_600,
    gate_before_s: 300,
    reveal_s: 0,
    confirm_s: 150,
    certify_before_s: 10,
    readings_s: 300,
    voting_s: 1_200,
    objection_s: 3_600,
    dispute_s: 24 * 3_600,
};
/// Entities in the order of genesis: institutions, validators, households.
const FIRST_VALIDATOR: u32 = 6;
const _: () = assert!(INSTITUTIONS.len() == FIRST_VALIDATOR as usize);
const FIRST_HOUSEHOLD: u32 = FIRST_VALIDATOR + VALIDATORS;

fn signer(who: &str) -> Signer {
    Signer::new(pair("community", who, "key"), SigningPolicy::Repeatable)
}

/// One of the many that a household of the data stands for.
struct Household {
    model: u32,
    key: Signer,
    registers: (u64, u64),
}

fn count(length: usize) -> u32 {
    u32::try_from(length).expect("fewer than 2^32 households")
}

/// Per mille of the model's energy that number `number` moves in a slot.
fn share(number: u32, slot: u32) -> u64 {
    let draw = blake2_256(&[number.to_le_bytes(), slot.to_le_bytes()].concat()).0;
    900 + u64::from(u16::from_le_bytes([draw[0], draw[1]])) % 201
}

/// What was done for a slot already.
#[derive(Default)]
struct Done {
    ordered: bool,
    attested: bool,
    read: bool,
    listed: bool,
    voted: bool,
    settled: bool,
}

pub struct City {
    pub chain: Arc<Chain>,
    engine: Solo<Arc<Chain>, VirtualClock>,
    clock: VirtualClock,
    community: Community,
    tariff: Tariff,
    terms: Terms,
    institutions: Vec<Signer>,
    sessions: Vec<Signer>,
    households: Vec<Household>,
    nonces: BTreeMap<AccountId, u32>,
    slots: BTreeMap<u32, Done>,
    /// Time spent signing.
    pub others: Duration,
    /// Time spent waiting for the node.
    pub node: Duration,
}

fn terms(community: &Community, tariff: &Tariff, entities: u32) -> Terms {
    let hash = |code: &[u8]| blake2_256(code);
    Terms {
        slot_minutes: 15,
        slot_zero: community.season.midnight(),
        windows: WINDOWS,
        limits: Limits {
            tick_size: Price::from_ticks(1),
            price_min: tariff.feed_in(),
            price_max: tariff.ceiling(),
            orders_per_slot: (2 * entities).min(100_000),
            orders_per_entity: 2,
        },
        rates: Rates {
            feed_in: tariff.feed_in(),
            retail: tariff.retail(),
            fee: Fee { buyer: tariff.network_fee(), seller: Price::ZERO },
            deviation: Price::from_ticks(1_000),
            tol_wh: Energy::from_wh(20),
            tol_bp: 500,
        },
        fees: Vec::new(),
        billing_slots: 96,
        deposit_slots: 5,
        bid: hash(rules::BID),
        matching: hash(rules::HIGH_LOW),
        settlement: hash(rules::SETTLEMENT),
        fallback: hash(rules::HIGH_LOW),
    }
}

impl City {
    pub fn found(entities: u32, first: u32, slots: u32, folder: &Path) -> Self {
        let (community, tariff) = (Community::embedded(Season::Summer), Tariff::default());
        let institutions: Vec<Signer> = INSTITUTIONS.iter().map(|(name, _)| signer(name)).collect();
        let sessions: Vec<Signer> =
            (0..VALIDATORS).map(|number| signer(&format!("session {number}"))).collect();
        let households: Vec<Household> = (0..entities)
            .map(|number| Household {
                model: number % count(community.prosumers.len()),
                key: signer(&format!("household {number}")),
                registers: (0, 0),
            })
            .collect();
        let terms = terms(&community, &tariff, entities);
        let member = |owner, roles, units| GenesisEntity {
            owner,
            roles,
            balance: Money::from_units(units),
            voting_key: None,
            session_key: None,
            engine: None,
        };
        let mut members: Vec<GenesisEntity> = Vec::new();
        for ((_, roles), key) in INSTITUTIONS.iter().zip(&institutions) {
            let votes = roles & (roles::GRID_OPERATOR | roles::MARKET_OPERATOR) != 0;
            let voting_key = votes.then(|| key.account());
            members.push(GenesisEntity { voting_key, ..member(key.account(), *roles, 100_000_000_000_000) });
        }
        for (number, key) in sessions.iter().enumerate() {
            let owner = signer(&format!("validator {number}")).account();
            let session_key = Some(key.account());
            members.push(GenesisEntity { session_key, ..member(owner, roles::VALIDATOR, 0) });
        }
        members.extend(
            households.iter().map(|household| member(household.key.account(), roles::TRADER, 5_000_000_000)),
        );
        let config = GenesisConfig {
            chain: "busbar benchmark".into(),
            timestamp: terms.delivery_start(Slot::from_number(first)).minus_ms(3 * 3_600_000),
            sudo: signer("sudo").account(),
            entities: members,
            codes: [rules::BID, rules::HIGH_LOW, rules::SETTLEMENT].map(<[u8]>::to_vec).to_vec(),
            default_settlement: Some(blake2_256(rules::SETTLEMENT)),
            deposits: contracts::DepositRates::default(),
            weight: payment::WeightRates::default(),
            epoch_blocks: EPOCH_BLOCKS,
        };
        let chain = Arc::new(Chain::open(&folder.join("chain.redb"), &config).expect("a new chain"));
        let clock = VirtualClock::starting_at(chain.now());
        let engine = Solo::new(chain.clone(), clock.clone(), INTERVAL_MS);
        let mut city = Self {
            chain,
            engine,
            clock,
            community,
            tariff,
            terms,
            institutions,
            sessions,
            households,
            nonces: BTreeMap::new(),
            slots: (first..first + slots).map(|slot| (slot, Done::default())).collect(),
            others: Duration::ZERO,
            node: Duration::ZERO,
        };
        city.set_up(first);
        city
    }

    /// The market and everybody's meter.
    fn set_up(&mut self, first: u32) {
        let new = NewMarket {
            retailer: EntityId::from_number(RETAILER),
            grid: EntityId::from_number(GRID),
            meter_operator: EntityId::from_number(CONCENTRATOR),
            first_slot: Slot::from_number(first),
            deposit: Money::from_units(50_000_000_000_000),
            terms: self.terms.clone(),
        };
        let create = self.signed(PLATFORM, &Call::Markets(markets::Call::Create { new: Box::new(new) }));
        let agree = Call::Markets(markets::Call::Agree { market: MARKET, terms: self.terms.hash() });
        let mut founding = vec![create];
        founding.extend([RETAILER, GRID, CONCENTRATOR].map(|party| self.signed(party, &agree)));
        self.send(founding);
        let numbers: Vec<u32> = (0..count(self.households.len())).collect();
        for part in numbers.chunks(1_000) {
            let calls: Vec<Vec<u8>> = part
                .iter()
                .map(|number| {
                    let household = &self.households[*number as usize];
                    let call = registry::Call::RegisterMeter {
                        entity: EntityId::from_number(FIRST_HOUSEHOLD + number),
                        key: household.key.account(),
                        market: MARKET,
                        p_max_w: self.community.prosumers[household.model as usize].capacity_w * 2,
                        connection: Hash::ZERO,
                        feeder: FeederId::ZERO,
                        import_wh: Energy::ZERO,
                        export_wh: Energy::ZERO,
                    };
                    self.signed(REGISTRAR, &Call::Registry(call))
                })
                .collect();
            self.send(calls);
        }
    }

    /// An institution's call, with its next nonce.
    fn signed(&mut self, institution: u32, call: &Call) -> Vec<u8> {
        let account = self.institutions[institution as usize].account();
        let nonce = self.nonces.entry(account).or_default();
        *nonce += 1;
        sign(&self.institutions[institution as usize], *nonce - 1, self.chain.genesis(), call)
    }

    /// Submit and make blocks until the pool is empty.
    fn send(&mut self, batch: Vec<Vec<u8>>) {
        let began = Instant::now();
        for answer in self.chain.submit(batch) {
            answer.expect("what the benchmark sends is valid");
        }
        while self.chain.waiting() > 0 {
            self.block();
        }
        self.node += began.elapsed();
    }

    fn block(&mut self) {
        self.clock.advance_to(self.chain.now().plus_ms(INTERVAL_MS));
        self.engine.wake().expect("the engine runs");
    }

    /// Play until all slots are settled.
    pub fn play(&mut self, on_settled: impl Fn(u32, &Self)) {
        let last = *self.slots.last_key_value().expect("some slots").0;
        while !self.slots[&last].settled {
            let acted = self.act();
            self.settled().into_iter().for_each(|slot| on_settled(slot, self));
            if !acted {
                self.pass();
            }
        }
        self.chain.settle().expect("the disk works");
    }

    fn settled(&mut self) -> Vec<u32> {
        let snapshot = self.chain.snapshot();
        let state = Overlay::new(&snapshot);
        let is_settled = |slot: u32| {
            let record = SLOTS.get(&state, &(MARKET, Slot::from_number(slot)));
            record.is_some_and(|record| record.state == SlotState::Settled)
        };
        let fresh = self.slots.iter_mut().filter(|(slot, done)| !done.settled && is_settled(**slot));
        let fresh = fresh.map(|(slot, done)| {
            done.settled = true;
            *slot
        });
        fresh.collect()
    }

    /// Let time pass: to the next trigger or the next bids, or one block if a trigger is due.
    fn pass(&mut self) {
        let began = Instant::now();
        let now = self.chain.now();
        let bids = self.slots.iter().find(|(_, done)| !done.ordered).map(|(slot, _)| self.bidding(*slot));
        let due = self.chain.next_due().expect("something is due until the last slot is settled");
        let next = bids.map_or(due, |bids| bids.min(due));
        self.clock.advance_to(next.max(now.plus_ms(INTERVAL_MS)));
        if due <= next.max(now.plus_ms(INTERVAL_MS)) {
            self.engine.wake().expect("the engine runs");
        }
        self.node += began.elapsed();
    }

    fn bidding(&self, slot: u32) -> Timestamp {
        self.terms.delivery_start(Slot::from_number(slot)).minus_ms(BID_BEFORE_MS)
    }

    /// Do what is to be done in each slot; whether anything was.
    fn act(&mut self) -> bool {
        let slots: Vec<u32> =
            self.slots.iter().filter(|(_, done)| !done.settled).map(|(slot, _)| *slot).collect();
        let mut acted = false;
        for slot in slots {
            let began = Instant::now();
            let (live, time) = {
                let snapshot = self.chain.snapshot();
                let live = markets::live(&Overlay::new(&snapshot), (MARKET, Slot::from_number(slot)));
                (live, self.clock.advance_to(self.chain.now()))
            };
            let Ok(live) = live else { break };
            let batch = self.actions(slot, &live, time);
            self.others += began.elapsed();
            if !batch.is_empty() {
                self.send(batch);
                acted = true;
            }
        }
        acted
    }

    fn actions(&mut self, slot: u32, live: &Live, time: Timestamp) -> Vec<Vec<u8>> {
        let done = &self.slots[&slot];
        let state = live.slot.state;
        match state {
            SlotState::Open if !done.ordered && time >= self.bidding(slot) => {
                self.done(slot).ordered = true;
                self.orders(slot)
            }
            SlotState::Confirmed if !done.attested => {
                self.done(slot).attested = true;
                self.attestations(live)
            }
            SlotState::Metering if !done.read => {
                self.done(slot).read = true;
                self.readings(slot, live)
            }
            SlotState::Voting if !done.listed => {
                self.done(slot).listed = true;
                let (list, revisions) = self.latest(live);
                let slot = live.at.1;
                let call = markets::Call::PostRevisions { market: MARKET, slot, list, revisions };
                vec![self.signed(PLATFORM, &Call::Markets(call))]
            }
            SlotState::Voting if !done.voted => {
                self.done(slot).voted = true;
                let list = self.latest(live).0;
                let voters = [GRID, PLATFORM].map(|number| (number, &self.institutions[number as usize]));
                self.votes(live, Stage::Certification, list, &voters)
            }
            _ => Vec::new(),
        }
    }

    fn done(&mut self, slot: u32) -> &mut Done {
        self.slots.get_mut(&slot).expect("a slot of the play")
    }

    fn latest(&self, live: &Live) -> (Hash, Vec<u16>) {
        let snapshot = self.chain.snapshot();
        let (list, revisions) = lists::latest(&Overlay::new(&snapshot), live);
        (list.hash(), revisions)
    }

    /// Everybody's order, signed on all cores.
    fn orders(&self, slot: u32) -> Vec<Vec<u8>> {
        let intents = self.community.intents(slot, &self.tariff, 1);
        let by_model: BTreeMap<u32, Intent> =
            intents.into_iter().map(|intent| (intent.prosumer, intent)).collect();
        let (terms, genesis) = (self.terms.hash(), self.chain.genesis());
        let snapshot = self.chain.snapshot();
        in_parallel(&self.households, |number, household| {
            let intent = by_model.get(&household.model)?;
            let energy = Energy::from_wh((intent.energy.wh() * share(number, slot) / 1_000).max(1));
            let request = OrderRequest {
                market: MARKET,
                slot: Slot::from_number(slot),
                terms,
                meter: MeterId::from_number(number),
                side: intent.side,
                energy,
                min_energy: Energy::ZERO,
                price: self.tariff.quote(intent.side, 1, number, slot),
                flags: flags::AUTO_CONFIRM,
                partner: EntityId::ZERO,
                valid_until: Timestamp::MAX,
            };
            let nonce =
                system::ACCOUNT.get_or_default(&Overlay::new(&snapshot), &household.key.account()).nonce;
            Some(sign(&household.key, nonce, genesis, &Call::Markets(markets::Call::Place { request })))
        })
    }

    fn attestations(&self, live: &Live) -> Vec<Vec<u8>> {
        let snapshot = self.chain.snapshot();
        let expected = attestation::expected(&Overlay::new(&snapshot), live.at, Stage::Authentication);
        let voters: Vec<(u32, &Signer)> = (FIRST_VALIDATOR..).zip(&self.sessions).collect();
        self.votes(live, Stage::Authentication, expected, &voters)
    }

    fn votes(&self, live: &Live, stage: Stage, result_hash: Hash, voters: &[(u32, &Signer)]) -> Vec<Vec<u8>> {
        let snapshot = self.chain.snapshot();
        let ballot = attestation::BALLOTS.get(&Overlay::new(&snapshot), &attestation::key(live.at, stage, 0));
        let mut claim = ballot.expect("a claim is open").claim;
        claim.result_hash = result_hash;
        let message = attest_message(&self.chain.genesis(), &claim);
        let vote = |(voter, signer): &(u32, &Signer)| {
            let (voter, signature) = (EntityId::from_number(*voter), signer.sign(&message));
            UncheckedExtrinsic::bare(&Call::Attestation(attestation::Call::Vote { voter, claim, signature }))
        };
        voters.iter().map(vote).collect()
    }

    /// Everybody's reading, signed by its meter; the concentrator posts them in batches.
    fn readings(&mut self, slot: u32, live: &Live) -> Vec<Vec<u8>> {
        for (number, household) in (0u32..).zip(&mut self.households) {
            let moved = self.community.metered(household.model, slot).unwrap_or_default();
            let part = |energy: Energy| energy.wh() * share(number, slot + 1_000) / 1_000;
            household.registers.0 += part(moved.import);
            household.registers.1 += part(moved.export);
        }
        let (genesis, measured_at) = (self.chain.genesis(), self.terms.delivery_end(live.at.1));
        let readings = in_parallel(&self.households, |number, household| {
            let reading = Reading {
                market: MARKET,
                meter: MeterId::from_number(number),
                slot: live.at.1,
                revision: 0,
                import_wh: Energy::from_wh(household.registers.0),
                export_wh: Energy::from_wh(household.registers.1),
                voltage_dv: Some(2_301),
                frequency_mhz: Some(50_000),
                measured_at,
                status: ReadingStatus::Measured,
            };
            Some((reading, household.key.sign(&reading_message(&genesis, &reading))))
        });
        let batches = readings.chunks(READINGS_PER_BATCH_MAX).map(<[_]>::to_vec).collect::<Vec<_>>();
        let call = |readings| Call::Markets(markets::Call::PostReadings { readings });
        batches.into_iter().map(|readings| self.signed(CONCENTRATOR, &call(readings))).collect()
    }
}

fn sign(signer: &Signer, nonce: u32, genesis: Hash, call: &Call) -> Vec<u8> {
    let extra = Extra { era: Era::Immortal, nonce, tip: 0, metadata_hash_mode: 0 };
    UncheckedExtrinsic::signed(call, signer.account(), extra, &genesis, &genesis, |message| {
        signer.sign(message)
    })
}

fn in_parallel<R: Send>(
    households: &[Household],
    ask: impl Fn(u32, &Household) -> Option<R> + Sync,
) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = households.len().div_ceil(cores).max(1);
    let ask = &ask;
    std::thread::scope(|scope| {
        let ask_part = move |first: usize, own: &[Household]| -> Vec<R> {
            (count(first)..).zip(own).filter_map(|(number, household)| ask(number, household)).collect()
        };
        let parts = households.chunks(share).enumerate();
        let workers: Vec<_> =
            parts.map(|(part, own)| scope.spawn(move || ask_part(part * share, own))).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("signing does not panic")).collect()
    })
}

//! What a free call costs is not what a crowd makes of it: reads of the state by one vote, one list and one correction, in
//! a small market and in a large one.
//!
//! Only signatures are taken on trust. Reads are counted where the state is, so that nothing is missed.
#![allow(clippy::unwrap_used, reason = "tests")]

use busbar_tests::chain::Chain;
use busbar_tests::machine::{on_vm_thread, vm};
use busbar_tests::world::{FIRST, MARKET, P_MAX_W, Plan, World, entities};
use contract_interface::{Claim, ExecutionList, Reading, ReadingStatus, Stage, roles};
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::markets::{self, SlotState, lists};
use runtime_execution::modules::{attestation, registry};
use runtime_execution::{BlockEnv, Call, Context, GenesisEntity, Origin, Validator, Verifier};
use runtime_primitives::crypto::{Signature, Statement};
use runtime_primitives::{AccountId, Energy, EntityId, FeederId, Hash, Height, MeterId, Money, blake2_256};
use runtime_state::{Backend, MemoryState, Overlay};
use std::cell::Cell;

/// Takes every signature on trust.
struct Trust;

impl Verifier for Trust {
    fn verify(&self, _: &Statement) -> bool {
        true
    }
}

const NOBODYS: Signature = Signature([0; 64]);

/// Keys and bytes of values that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cost {
    keys: usize,
    bytes: usize,
}

struct Counted<'a> {
    state: &'a MemoryState,
    cost: Cell<Cost>,
}

impl<'a> Counted<'a> {
    fn new(state: &'a MemoryState) -> Self {
        Self { state, cost: Cell::default() }
    }

    fn count(&self, bytes: usize) {
        let Cost { keys, bytes: before } = self.cost.get();
        self.cost.set(Cost { keys: keys + 1, bytes: before + bytes });
    }
}

impl Backend for Counted<'_> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let value = self.state.get(key);
        self.count(value.as_ref().map_or(0, Vec::len));
        value
    }

    fn next_key(&self, after: &[u8]) -> Option<Vec<u8>> {
        self.count(0);
        self.state.next_key(after)
    }
}

fn account(number: u32) -> AccountId {
    AccountId(blake2_256(&number.to_le_bytes()).0)
}

fn elector(number: u32) -> EntityId {
    EntityId::from_number(entities::HOME + number)
}

/// A slot that is voted on, without trades. Its electors are so many auditors of the grid, of whom the first has a meter.
fn voting(electors: u32) -> World {
    let plan = Plan { homes: 0, ..Plan::default() };
    let mut world = World::at_genesis(&plan);
    let members = (0..electors).map(|number| GenesisEntity {
        owner: account(number),
        roles: roles::GRID_OPERATOR | roles::TRADER,
        balance: Money::from_units(1_000_000_000),
        voting_key: Some(account(number)),
        session_key: None,
        engine: None,
    });
    world.genesis.entities.extend(members);
    world.chain = Chain::new(&world.genesis);
    world.chain.verifier = &Trust;
    world.upload(&plan.rules);
    world.create_market(&plan);
    let registrar = world.owners[entities::REGISTRAR as usize].clone();
    let meter = registry::Call::RegisterMeter {
        entity: elector(0),
        key: account(0),
        market: MARKET,
        p_max_w: P_MAX_W,
        connection: Hash::ZERO,
        feeder: FeederId::ZERO,
        import_wh: Energy::ZERO,
        export_wh: Energy::ZERO,
    };
    world.chain.must(&registrar, meter);
    world.open(FIRST);
    world.close_gate(FIRST);
    if world.state(FIRST) == SlotState::Confirmed {
        world.attest(FIRST);
    }
    world.chain.pass_to(world.terms.delivery_end(FIRST));
    let reading = reading(&world, 0, ReadingStatus::Measured, 10);
    world.chain.submit_bare(markets::Call::PostReading { reading, signature: NOBODYS });
    world.chain.block_of_successes();
    world.expect(FIRST, SlotState::Voting);
    world
}

fn reading(world: &World, revision: u16, status: ReadingStatus, import: u64) -> Reading {
    Reading {
        market: MARKET,
        meter: MeterId::ZERO,
        slot: FIRST,
        revision,
        import_wh: Energy::from_wh(import),
        export_wh: Energy::ZERO,
        voltage_dv: None,
        frequency_mhz: None,
        measured_at: world.terms.delivery_end(FIRST),
        status,
    }
}

fn env(world: &World) -> BlockEnv {
    let height = Height::from_number(world.chain.header.number + 1);
    BlockEnv { height, now: world.chain.now.plus_ms(1_000), genesis: world.chain.genesis }
}

/// What a bare call reads until it is done, and what its signatures are looked up with.
fn of_bare(world: &World, call: &Call) -> Cost {
    let bytes = UncheckedExtrinsic::bare(call);
    let counted = Counted::new(&world.chain.state);
    let parent = world.chain.header.hash();
    let mut validator = Validator::new(vm(), &counted, env(world), &parent, &Trust);
    let (mut statements, extrinsic) = (Vec::new(), UncheckedExtrinsic::from_bytes(&bytes).unwrap());
    let height = env(world).height.number();
    let genesis = world.chain.genesis;
    runtime_execution::check::statements(validator.state(), &genesis, height, &extrinsic, &mut statements);
    assert_eq!(statements.len(), 1, "its signature is found");
    validator.validate(&bytes).unwrap();
    counted.cost.get()
}

fn vote(world: &World, voter: EntityId) -> attestation::Call {
    let list = world.latest_list(FIRST).hash();
    let claim = Claim { result_hash: list, ..world.claim(FIRST, Stage::Certification) };
    attestation::Call::Vote { voter, claim, signature: NOBODYS }
}

/// What a list that an elector posts reads.
fn of_list(world: &World, poster: u32, list: &ExecutionList) -> Cost {
    let counted = Counted::new(&world.chain.state);
    let key = account(poster);
    let binding = registry::KEYS.get(&world.chain.view(), &key);
    let mut ctx = Context::new(Overlay::new(&counted), env(world), vm(), &Trust);
    lists::post(&mut ctx, &Origin::Signed { key, binding }, (MARKET, FIRST), list).unwrap();
    counted.cost.get()
}

/// An elector whose page is full, however many there are.
const VOTER: u32 = 100;

/// One vote, one list, one correction that opens the vote again, and one vote of the second round.
fn costs(electors: u32) -> [(&'static str, Cost); 4] {
    let mut world = voting(electors);
    let first = of_bare(&world, &Call::Attestation(vote(&world, elector(VOTER))));
    let posted = of_list(&world, VOTER, &world.latest_list(FIRST));
    let list = world.latest_list(FIRST);
    world.post_list(FIRST, &list);
    for number in 0..electors {
        let vote = vote(&world, elector(number));
        world.chain.submit_bare(vote);
    }
    world.chain.block_of_successes();
    world.expect(FIRST, SlotState::Payable);
    let correction = markets::Call::PostCorrection {
        reading: reading(&world, 1, ReadingStatus::Corrected, 9),
        evidence: Hash::ZERO,
        signature: NOBODYS,
    };
    let corrected = of_bare(&world, &Call::Markets(correction.clone()));
    world.chain.submit_bare(correction);
    world.chain.block_of_successes();
    world.expect(FIRST, SlotState::Voting);
    let second = of_bare(&world, &Call::Attestation(vote(&world, elector(VOTER))));
    [("a vote", first), ("a list", posted), ("a correction", corrected), ("a second vote", second)]
}

/// A page of electors is all that a vote knows of the others, and a correction does not ask for them.
#[test]
fn a_call_does_not_pay_for_the_electorate() {
    on_vm_thread(|| {
        let (few, many) = (costs(250), costs(2_000));
        for ((what, few), (_, many)) in few.into_iter().zip(many) {
            println!("{what}: {few:?} with 250 electors, {many:?} with 2,000");
            assert_eq!(few.keys, many.keys, "{what}");
            // Roots of trees grow with the logarithm of what they hold.
            assert!(many.bytes <= few.bytes + 512, "{what}: {few:?}, {many:?}");
            assert!(many.keys <= 40 && many.bytes <= 8_192, "{what}: {many:?}");
        }
    });
}

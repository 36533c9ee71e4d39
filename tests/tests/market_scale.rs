//! A slot as large as a market may be: 100,000 orders of 10,000 entities touch few keys of the state.
//!
//! Every order is admitted by the bid rule and held for, as in any slot. Only signatures are taken on trust: nobody has to
//! sign, and who signed is other tests' matter.
#![allow(clippy::unwrap_used, reason = "tests")]

use busbar_tests::chain::{Chain, Past};
use busbar_tests::machine::on_vm_thread;
use busbar_tests::world::{FIRST, MARKET, P_MAX_W, Plan, World, entities};
use contract_interface::{OrderRequest, Reading, ReadingStatus, Side, Stage, flags, kinds, roles};
use runtime_execution::extrinsic::{Era, Extra, UncheckedExtrinsic};
use runtime_execution::modules::markets::{self, ENTITY_SLOTS, Event, SlotState};
use runtime_execution::modules::registry;
use runtime_execution::{Call, GenesisEntity, Outcome, Verifier};
use runtime_primitives::crypto::{Signature, Statement};
use runtime_primitives::limits::{MAX_ORDERS_PER_SLOT, READINGS_PER_BATCH_MAX};
use runtime_primitives::{AccountId, Energy, EntityId, Hash, MeterId, Money, Price, Timestamp, blake2_256};

/// Entities that trade.
const ENTITIES: u32 = 10_000;
/// Orders of each in the slot.
const ORDERS_EACH: u32 = MAX_ORDERS_PER_SLOT / ENTITIES;
/// The published bound: closing and clearing together, and settling.
const KEYS_MAX: usize = 20_000;
/// Extrinsics a block has gas for: an order declares 100,000,000.
const PER_BLOCK: u32 = 4_000;
/// Energy of every order in Wh; one in a hundred is not delivered.
const ENERGY: u64 = 100;

/// Takes every signature on trust.
struct Trust;

impl Verifier for Trust {
    fn verify(&self, _: &Statement) -> bool {
        true
    }
}

const NOBODYS: Signature = Signature([0; 64]);

fn account(number: u32) -> AccountId {
    AccountId(blake2_256(&number.to_le_bytes()).0)
}

fn submit(chain: &mut Chain, signer: AccountId, nonce: u32, call: markets::Call) {
    let extra = Extra { era: Era::Immortal, nonce, tip: 0, metadata_hash_mode: 0 };
    let call = Call::Markets(call);
    let bytes = UncheckedExtrinsic::signed(&call, signer, extra, &chain.genesis, &chain.genesis, |_| NOBODYS);
    chain.submit_bytes(bytes);
}

fn must_apply(past: &Past) {
    let refused = past.receipts.iter().find(|receipt| !matches!(receipt.outcome, Outcome::Applied { .. }));
    assert_eq!(refused, None);
}

/// A world whose entities exist from genesis and have a meter each.
fn city() -> World {
    let mut plan = Plan { homes: 0, deposit_slots: 2, ..Plan::default() };
    (plan.limits.orders_per_slot, plan.limits.orders_per_entity) = (MAX_ORDERS_PER_SLOT, ORDERS_EACH);
    // The usual fallback has no room for such a book.
    plan.rules[3] = plan.rules[1].clone();
    let mut world = World::at_genesis(&plan);
    let members = (0..ENTITIES).map(|number| GenesisEntity {
        owner: account(number),
        roles: roles::TRADER,
        balance: Money::from_units(1_000_000_000),
        voting_key: None,
        session_key: None,
        engine: None,
    });
    world.genesis.entities.extend(members);
    world.chain = Chain::new(&world.genesis);
    world.chain.verifier = &Trust;
    world.upload(&plan.rules[..3]);
    world.create_market(&plan);
    let registrar = world.owners[entities::REGISTRAR as usize].clone();
    for first in (0..ENTITIES).step_by(PER_BLOCK as usize) {
        for number in first..ENTITIES.min(first + PER_BLOCK) {
            let call = registry::Call::RegisterMeter {
                entity: EntityId::from_number(entities::HOME + number),
                key: account(number),
                market: MARKET,
                p_max_w: P_MAX_W,
                connection: Hash::ZERO,
                feeder: runtime_primitives::FeederId::ZERO,
                import_wh: Energy::ZERO,
                export_wh: Energy::ZERO,
            };
            world.chain.submit(&registrar, call);
        }
        world.chain.block_of_successes();
    }
    world
}

/// Even numbers sell, odd ones buy; prices repeat and overlap.
fn order(world: &World, number: u32, turn: u32) -> OrderRequest {
    let spread = (number / 2 + turn * 37) % 200;
    let (side, ticks) = match number % 2 {
        0 => (Side::Sell, 4_000 + 10 * spread),
        _ => (Side::Buy, 5_000 + 10 * spread),
    };
    OrderRequest {
        market: MARKET,
        slot: FIRST,
        terms: world.terms.hash(),
        meter: MeterId::from_number(number),
        side,
        energy: Energy::from_wh(ENERGY),
        min_energy: Energy::ZERO,
        price: Price::from_ticks(ticks),
        flags: flags::AUTO_CONFIRM,
        partner: EntityId::ZERO,
        valid_until: Timestamp::MAX,
    }
}

fn fill(world: &mut World) {
    for turn in 0..ORDERS_EACH {
        for first in (0..ENTITIES).step_by(PER_BLOCK as usize) {
            for number in first..ENTITIES.min(first + PER_BLOCK) {
                let request = order(world, number, turn);
                submit(&mut world.chain, account(number), turn, markets::Call::Place { request });
            }
            must_apply(world.chain.block());
        }
    }
    assert_eq!(world.slot(FIRST).orders, MAX_ORDERS_PER_SLOT);
}

/// Everybody's meter, in batches: what was sold is delivered and what was bought is taken, but for one in a hundred.
fn measure(world: &mut World) {
    let moved = |number: u32| {
        let energy =
            Energy::from_wh(u64::from(ORDERS_EACH) * ENERGY * u64::from(!number.is_multiple_of(100)));
        if number.is_multiple_of(2) { (Energy::ZERO, energy) } else { (energy, Energy::ZERO) }
    };
    let measured_at = world.terms.delivery_end(FIRST);
    let readings: Vec<_> = (0..ENTITIES)
        .map(|number| {
            let (import_wh, export_wh) = moved(number);
            let reading = Reading {
                market: MARKET,
                meter: MeterId::from_number(number),
                slot: FIRST,
                revision: 0,
                import_wh,
                export_wh,
                voltage_dv: None,
                frequency_mhz: None,
                measured_at,
                status: ReadingStatus::Measured,
            };
            (reading, NOBODYS)
        })
        .collect();
    let concentrator = world.owners[entities::AUDITOR as usize].clone();
    for batches in readings.chunks(READINGS_PER_BATCH_MAX * 4) {
        for batch in batches.chunks(READINGS_PER_BATCH_MAX) {
            world.chain.submit(&concentrator, markets::Call::PostReadings { readings: batch.to_vec() });
        }
        world.chain.block_of_successes();
    }
    world.expect(FIRST, SlotState::Voting);
}

/// Keys written by each block since `from` in which the slot's steps did something, and the sum.
fn written_since(world: &World, from: usize) -> usize {
    world.chain.past[from..].iter().map(|past| past.written).sum()
}

#[test]
fn a_hundred_thousand_orders_touch_few_keys() {
    on_vm_thread(|| {
        let mut world = city();
        world.open(FIRST);
        fill(&mut world);
        let placed = world.chain.past.len();
        world.close_gate(FIRST);
        while world.state(FIRST) == SlotState::Clearing {
            world.chain.block();
        }
        let cleared = written_since(&world, placed);
        assert_eq!(world.state(FIRST), SlotState::Confirmed, "everybody agreed in advance");
        assert!(!world.slot(FIRST).fallback && world.slot(FIRST).trades > MAX_ORDERS_PER_SLOT / 4);
        assert!(cleared <= KEYS_MAX, "closing and clearing wrote {cleared} keys");
        world.attest(FIRST);
        world.chain.pass_to(world.terms.delivery_start(FIRST));
        world.chain.pass_to(world.terms.delivery_end(FIRST));
        measure(&mut world);
        let (list, before) = (world.latest_list(FIRST).hash(), world.chain.past.len());
        let revisions = vec![0; ENTITIES as usize];
        let platform = world.platform().clone();
        let post = markets::Call::PostRevisions { market: MARKET, slot: FIRST, list, revisions };
        world.chain.submit(&platform, post);
        world.chain.block_of_successes();
        world.vote_all(FIRST, Stage::Certification, list);
        world.chain.block();
        world.settle(FIRST);
        let settled = written_since(&world, before);
        assert!(settled <= KEYS_MAX, "certifying and settling wrote {settled} keys");
        let transfers = world.chain.market_events().find_map(|event| match event {
            Event::Settled { transfers, .. } => Some(*transfers),
            _ => None,
        });
        let energy = world.chain.movements().iter().filter(|line| line.kind == kinds::ENERGY).count();
        assert!(energy as u64 > u64::from(MAX_ORDERS_PER_SLOT) / 4, "{energy} trades paid");
        assert!(ENTITY_SLOTS.entries(&world.chain.view()).is_empty(), "the working set is dropped");
        println!(
            "{} trades, {transfers:?} transfers; keys: {cleared} to close and clear, {settled} to certify and settle",
            world.slot(FIRST).trades
        );
    });
}

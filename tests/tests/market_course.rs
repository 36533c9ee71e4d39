//! The plain course of a chain: the same blocks give the same headers, on every run and on both engines.
#![allow(clippy::unwrap_used, reason = "tests")]

use busbar_tests::chain::Past;
use busbar_tests::machine::{on_vm_thread, vm};
use busbar_tests::two_faced::{self, Deed};
use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use busbar_tests::{artifacts, evil};
use contract_interface::{Side, roles};
use runtime_execution::modules::markets::{self, SLOTS, SlotState, VoidReason, slots};
use runtime_execution::modules::registry;
use runtime_execution::{
    Event, EventRecord, GenesisEntity, GenesisError, VerifySingly, build_genesis, execute_block,
};
use runtime_primitives::limits::SLOTS_OPENED_PER_BLOCK_MAX;
use runtime_primitives::{AccountId, Hash, Money, Slot};
use runtime_state::{MemoryState, State};
use runtime_vm::{EngineKind, Vm};

/// A world in which something of everything happened: a failed rule, a fallback, deviations, a shortfall.
fn eventful() -> World {
    let mut plan = Plan { homes: 4, funds: Money::from_units(80_000_000), ..Plan::default() };
    plan.limits.orders_per_slot = 5;
    plan.rules[1] = two_faced::rule(&evil::DESCRIPTOR, 5, &Deed::Trap);
    let mut world = World::new(&plan);
    world.open(FIRST);
    world.place(0, FIRST, Side::Sell, 6_000, 5_000);
    world.place(1, FIRST, Side::Buy, 4_000, 6_000);
    world.place(2, FIRST, Side::Buy, 3_000, 5_500);
    world.close_gate(FIRST);
    world.chain.block();
    world.confirm_all(FIRST);
    world.finish_certified(&[(10, 5_000), (4_000, 0), (2_000, 0), (9_500, 0)]);
    world
}

#[test]
fn the_papers_case_settles_to_the_unit() {
    on_vm_thread(|| {
        let mut world = World::new(&Plan::default());
        world.open(FIRST);
        world.place(0, FIRST, Side::Sell, 10_000, 6_700);
        world.place(1, FIRST, Side::Buy, 10_000, 6_700);
        let parties = [world.homes[0].account(), world.homes[1].account(), world.account(entities::GRID)];
        let whole = |world: &World| {
            parties.map(|account| {
                let (free, reserved) = world.chain.money(&account);
                free.units() + reserved.units()
            })
        };
        let before = whole(&world);
        world.finish(FIRST, &[(0, 10_000), (10_000, 0)]);
        let after = whole(&world);
        assert_eq!(after[0] - before[0], 67_000_000, "B to A");
        assert_eq!(after[2] - before[2], 2_000_000, "B to C");
        assert_eq!(before[1] - after[1], 69_000_000, "A and C gain what B loses");
    });
}

/// A window for people is eight blocks long, so nothing that waited for one is further away.
const CAUGHT_UP_BLOCKS: u32 = 20;

/// Slots that opened in a block.
fn opened(past: &Past) -> usize {
    let is_opening = |record: &&EventRecord| {
        let Event::Markets(event) = &record.event else { return false };
        matches!(event, markets::Event::SlotMoved { state: SlotState::Open, .. })
    };
    past.events.iter().filter(is_opening).count()
}

#[test]
fn a_chain_that_stood_still_for_a_week_catches_up() {
    on_vm_thread(|| {
        let mut world = World::new(&Plan::default());
        world.open(FIRST);
        world.place(0, FIRST, Side::Sell, 10_000, 6_700);
        let now = world.chain.now.plus_ms(7 * 24 * 3_600_000);
        world.chain.block_at(now);
        let due = |world: &World| slots::next_due(&world.chain.view()).unwrap();
        for _ in 0..CAUGHT_UP_BLOCKS {
            world.chain.block();
        }
        assert!(due(&world) > world.chain.now, "nothing is left that was due");
        let most = world.chain.past.iter().map(opened).max();
        assert_eq!(most, Some(SLOTS_OPENED_PER_BLOCK_MAX as usize), "no block opens more slots");
        let view = world.chain.view();
        let next = markets::market(&view, MARKET).unwrap().next_slot;
        let missed: Vec<_> = SLOTS
            .entries(&view)
            .into_iter()
            .filter(|((_, slot), _)| world.terms.delivery_start(*slot) <= now)
            .collect();
        let last = missed.last().unwrap().0.1;
        assert!(missed.len() > 600 && next > last, "{} slots were missed", missed.len());
        assert_eq!(missed.len(), (FIRST.number()..=last.number()).count(), "none was left out");
        assert!(missed.iter().all(|(_, slot)| slot.void == Some(VoidReason::TooLate)));
        let ordered = world.chain.money(&world.homes[0].account());
        assert_eq!(ordered.1, Money::ZERO, "what was held for a slot that never cleared is free again");
        drop(view);
        // The present is served: a slot that lies ahead takes an order.
        let ahead = Slot::from_number(next.number() - 1);
        world.place(1, ahead, Side::Sell, 1_000, 6_700);
    });
}

#[test]
fn two_runs_give_the_same_headers() {
    on_vm_thread(|| {
        let headers =
            |world: &World| -> Vec<Hash> { world.chain.past.iter().map(|past| past.header.hash()).collect() };
        assert_eq!(headers(&eventful()), headers(&eventful()));
    });
}

#[test]
fn the_second_engine_gives_the_same_blocks() {
    on_vm_thread(|| {
        let world = eventful();
        world.expect(FIRST, SlotState::Settled);
        let second = Vm::new(EngineKind::Wasmi).unwrap();
        for machine in [&second, vm()] {
            let genesis = build_genesis(&world.genesis).unwrap();
            let mut state = MemoryState::new();
            state.apply(&genesis.changes, genesis.trie);
            let mut header = genesis.header;
            assert_eq!(header.hash(), world.chain.genesis);
            for past in &world.chain.past {
                let chain = &world.chain.genesis;
                let done =
                    execute_block(machine, &state, &header, chain, &past.ordered, &VerifySingly).unwrap();
                assert_eq!(done.header, past.header, "{:?}", machine.engine());
                assert_eq!(done.receipts, past.receipts);
                assert_eq!(done.archive, past.archive);
                state.apply(&done.changes, done.trie);
                header = done.header;
            }
            assert_eq!(state.root(), world.chain.state.root());
        }
    });
}

#[test]
fn a_genesis_that_cannot_be_one_is_refused() {
    type Change = fn(&mut Vec<GenesisEntity>);
    let rows: [(Change, GenesisError); 6] = [
        (|all| all.retain(|entity| entity.session_key.is_none()), GenesisError::NoValidator),
        (|all| all[6].session_key = None, GenesisError::SessionKey(6)),
        (|all| all[6].session_key = Some(AccountId::ZERO), GenesisError::SessionKey(6)),
        (|all| all[1].session_key = all[6].session_key, GenesisError::SessionKey(1)),
        (|all| all[7].session_key = all[6].session_key, GenesisError::SharedSessionKey(7)),
        (
            |all| all[1].owner = AccountId::ZERO,
            GenesisError::Entity { index: 1, error: registry::Error::ZeroKey },
        ),
    ];
    let world = World::at_genesis(&Plan::default());
    assert_eq!(world.genesis.entities[6].roles, roles::VALIDATOR);
    for (change, error) in rows {
        let mut config = world.genesis.clone();
        change(&mut config.entities);
        assert_eq!(build_genesis(&config).err(), Some(error));
    }
    let mut config = world.genesis.clone();
    config.entities[2].owner = config.entities[1].owner;
    let (key, entity) = (config.entities[1].owner, runtime_primitives::EntityId::from_number(1));
    let error = registry::Error::KeyInUse { key, entity };
    assert_eq!(build_genesis(&config).err(), Some(GenesisError::Entity { index: 2, error }));
}

#[test]
fn genesis_code_is_as_good_as_uploaded_code() {
    on_vm_thread(|| {
        let plan = Plan { default_settlement: artifacts::SETTLEMENT.to_vec(), ..Plan::default() };
        let mut world = World::at_genesis(&plan);
        world.upload(&plan.rules);
        let before = world.chain.rows().len();
        // Uploading what is there changes nothing but the block's own rows.
        world.upload(&[artifacts::SETTLEMENT.to_vec()]);
        assert_eq!(world.chain.rows().len(), before + 1, "one more block hash");
    });
}

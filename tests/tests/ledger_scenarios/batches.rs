//! Readings that a data concentrator posts together: each counts by its meter's signature, none sinks the others.

use super::{audited, open, trade};
use busbar_tests::machine::{on_vm_thread, vm};
use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use contract_interface::{Reading, ReadingStatus, Stage, reading_message};
use runtime_execution::archive::tables;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::markets::readings::Signed;
use runtime_execution::modules::markets::{self, Error, Event, READINGS, REGISTERS, SlotState};
use runtime_execution::{Call, Verifier, check, execute_block};
use runtime_primitives::crypto::Statement;
use runtime_primitives::{Energy, Executed, Height, MeterId, OrderedBlock, Slot};
use std::cell::RefCell;

/// Households: meters on three pages.
const HOMES: u32 = 130;

/// A slot that waits for its readings; homes 0 and 1 have traded.
fn metering() -> World {
    let mut world = open(&Plan { homes: HOMES, ..Plan::default() });
    trade(&mut world, 3_000, 6_000);
    world.deliver(FIRST);
    world
}

/// What a home's meter signs at the end of the first slot: it moved a little, the traders as they agreed.
fn truth(world: &World, home: usize) -> Reading {
    let mut reading = world.reading(home, FIRST, 0, ReadingStatus::Measured);
    let (import, export) = match home {
        0 => (0, 3_000),
        1 => (3_000, 0),
        _ => (home as u64, 0),
    };
    reading.import_wh = reading.import_wh.saturating_add(Energy::from_wh(import));
    reading.export_wh = reading.export_wh.saturating_add(Energy::from_wh(export));
    reading
}

fn signed(world: &World, home: usize, reading: Reading) -> Signed {
    let message = reading_message(&world.chain.genesis, &reading);
    (reading, world.homes[home].meter_key.sign(&message))
}

/// The auditor, who has no role in the market, brings the readings; then one block.
fn post(world: &mut World, readings: Vec<Signed>) {
    let concentrator = world.owners[entities::AUDITOR as usize].clone();
    world.chain.submit(&concentrator, markets::Call::PostReadings { readings });
    world.chain.block_of_successes();
}

fn refusals(world: &World) -> Vec<(MeterId, Error)> {
    let refused = world.chain.market_events().filter_map(|event| match event {
        Event::ReadingRefused { meter, error, .. } => Some((*meter, error.clone())),
        _ => None,
    });
    refused.collect()
}

/// What is left of the slot's readings, in state and archive.
fn trace(world: &World) -> impl PartialEq + std::fmt::Debug {
    let view = world.chain.view();
    let rows = [tables::STAGE, tables::READING].map(|table| {
        let rows = world.chain.last().archive.iter().filter(|row| row.table == table);
        rows.cloned().collect::<Vec<_>>()
    });
    (world.slot(FIRST), READINGS.entries(&view), REGISTERS.entries(&view), rows)
}

/// Something wrong with one reading, and the error that names it.
type Spoilt = (fn(&World) -> Signed, fn(MeterId) -> Error);

const SPOILT: [Spoilt; 6] = [
    (
        |world| {
            (
                truth(world, 5),
                world.homes[6].meter_key.sign(&reading_message(&world.chain.genesis, &truth(world, 5))),
            )
        },
        Error::WrongMeterKey,
    ),
    (
        |world| signed(world, 70, Reading { import_wh: Energy::from_wh(999), ..truth(world, 70) }),
        Error::RegisterWentBack,
    ),
    (
        |world| signed(world, 71, Reading { status: ReadingStatus::Substituted, ..truth(world, 71) }),
        |_| Error::WrongStatus,
    ),
    (
        |world| signed(world, 129, Reading { meter: MeterId::from_number(HOMES), ..truth(world, 129) }),
        Error::UnknownMeter,
    ),
    (
        |world| signed(world, 3, Reading { slot: Slot::from_number(900), ..truth(world, 3) }),
        |_| Error::UnknownSlot { market: MARKET, slot: Slot::from_number(900) },
    ),
    // The same meter again: only the first of them counts.
    (|world| signed(world, 128, truth(world, 128)), |_| Error::StaleRevision { got: 0, latest: 0 }),
];

#[test]
fn a_batch_counts_as_its_readings_one_by_one_and_leaves_out_what_is_wrong() {
    on_vm_thread(|| {
        let world = metering();
        let silent = [5usize, 70, 71];
        let posted: Vec<usize> = (0..HOMES as usize).filter(|home| !silent.contains(home)).collect();

        let mut singly = world.clone();
        for home in &posted {
            let (reading, signature) = signed(&singly, *home, truth(&singly, *home));
            singly.chain.submit_bare(markets::Call::PostReading { reading, signature });
        }
        singly.chain.block_of_successes();

        let mut together = world;
        let mut batch: Vec<Signed> = SPOILT.iter().map(|(spoilt, _)| spoilt(&together)).collect();
        let mut expected: Vec<(MeterId, Error)> = batch
            .iter()
            .zip(SPOILT)
            .map(|((reading, _), (_, error))| (reading.meter, error(reading.meter)))
            .collect();
        // From the last meter to the first: the order of a batch does not matter.
        batch.extend(posted.iter().rev().map(|home| signed(&together, *home, truth(&together, *home))));
        post(&mut together, batch);

        assert_eq!(trace(&together), trace(&singly));
        let mut refused = refusals(&together);
        let by_meter = |one: &(MeterId, Error), other: &(MeterId, Error)| one.0.cmp(&other.0);
        refused.sort_by(by_meter);
        expected.sort_by(by_meter);
        assert_eq!(refused, expected);

        // The three that are missing complete it, and the slot goes on to its vote at once.
        let rest = silent.map(|home| signed(&together, home, truth(&together, home)));
        post(&mut together, rest.to_vec());
        together.expect(FIRST, SlotState::Voting);
        together.certify(FIRST);
        together.settle(FIRST);
        audited(&together);
    });
}

#[test]
fn corrections_of_one_block_reopen_the_vote_once() {
    on_vm_thread(|| {
        let mut world = metering();
        let all = (0..HOMES as usize).map(|home| signed(&world, home, truth(&world, home))).collect();
        post(&mut world, all);
        world.certify(FIRST);
        let corrected = |home: usize| {
            let import_wh = truth(&world, home).import_wh.saturating_add(Energy::from_wh(7));
            let status = ReadingStatus::Corrected;
            world.sign_reading(home, Reading { revision: 1, status, import_wh, ..truth(&world, home) })
        };
        for call in [corrected(2), corrected(128)] {
            world.chain.submit_bare(call);
        }
        world.chain.block_of_successes();
        assert_eq!((world.state(FIRST), world.slot(FIRST).round), (SlotState::Voting, 1));
        world.certify(FIRST);
        world.settle(FIRST);
        audited(&world);
    });
}

#[test]
fn a_list_by_revisions_is_the_list_it_names() {
    on_vm_thread(|| {
        let mut world = metering();
        let all = (0..HOMES as usize).map(|home| signed(&world, home, truth(&world, home))).collect();
        post(&mut world, all);
        let first = world.latest_list(FIRST);
        let status = ReadingStatus::Corrected;
        let correction = world.sign_reading(100, Reading { revision: 1, status, ..truth(&world, 100) });
        world.chain.submit_bare(correction);
        world.chain.block_of_successes();
        // The platform's list is a full one of first readings, the voters' one by revisions wins.
        world.post_list(FIRST, &first);
        let mut revisions = vec![0; HOMES as usize];
        revisions[100] = 1;
        let list = world.latest_list(FIRST).hash();
        assert_ne!(list, first.hash());
        let voter = world.homes[0].delegate.clone();
        world
            .chain
            .must(&voter, markets::Call::PostRevisions { market: MARKET, slot: FIRST, list, revisions });
        world.vote_all(FIRST, Stage::Certification, list);
        world.chain.block();
        world.settle(FIRST);
        assert_eq!(world.slot(FIRST).chosen, Some(list));
        audited(&world);
    });
}

/// Answers from what was verified ahead alone, and keeps what it was asked besides.
struct Ahead {
    known: Vec<Statement>,
    missed: RefCell<Vec<Statement>>,
}

impl Verifier for Ahead {
    fn verify(&self, statement: &Statement) -> bool {
        if !self.known.contains(statement) {
            self.missed.borrow_mut().push(statement.clone());
        }
        statement.verify()
    }
}

#[test]
fn a_host_verifies_all_signatures_of_a_batch_ahead() {
    on_vm_thread(|| {
        let world = metering();
        let readings: Vec<Signed> =
            (0..HOMES as usize).map(|home| signed(&world, home, truth(&world, home))).collect();
        let call = Call::Markets(markets::Call::PostReadings { readings });
        let bytes = world.chain.signed(&world.owners[entities::AUDITOR as usize], &call);
        let chain = &world.chain;
        let height = Height::from_number(chain.header.number + 1);
        let mut known = Vec::new();
        let extrinsic = UncheckedExtrinsic::from_bytes(&bytes).unwrap();
        check::statements(&chain.view(), &chain.genesis, height.number(), &extrinsic, &mut known);
        assert_eq!(known.len(), 1 + HOMES as usize);
        let ahead = Ahead { known, missed: RefCell::default() };
        let executed = Executed { height: chain.header.height(), header_hash: chain.header.hash() };
        let timestamp = chain.now.plus_ms(1_000);
        let block = OrderedBlock { height, executed, timestamp, extrinsics: vec![bytes] };
        execute_block(vm(), &chain.state, &chain.header, &chain.genesis, &block, &ahead).unwrap();
        assert_eq!(ahead.missed.take(), []);
    });
}

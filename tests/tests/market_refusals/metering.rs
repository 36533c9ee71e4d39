//! Readings that do not count.

use super::scenes::{BUYER, SELLER, Scene};
use super::{Attempt, Row, Wrong, row};
use busbar_tests::world::{FIRST, MARKET, P_MAX_W, World};
use contract_interface::{Reading, ReadingStatus, reading_message};
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::markets::meters::load_registers;
use runtime_execution::modules::markets::{self, Error, SlotState};
use runtime_execution::{Call, DispatchError, Invalid};
use runtime_primitives::crypto::Signature;
use runtime_primitives::limits::READINGS_PER_BATCH_MAX;
use runtime_primitives::{Energy, Hash, MeterId, Slot};

/// A reading signed by the seller's meter.
fn post(world: &World, reading: Reading, wrong: Error) -> Attempt {
    let call = Call::Markets(world.sign_reading(SELLER, reading));
    (UncheckedExtrinsic::bare(&call), Wrong::Skipped(Invalid::Markets(wrong)))
}

fn first(world: &World) -> Reading {
    world.reading(SELLER, FIRST, 0, ReadingStatus::Measured)
}

fn correction(world: &World, revision: u16) -> Reading {
    world.reading(SELLER, FIRST, revision, ReadingStatus::Corrected)
}

/// A first reading with a register one Wh beyond what the connection can move in the slot.
fn implausible(world: &mut World, change: impl FnOnce(&mut Reading, Energy)) -> Attempt {
    world.post_base(SELLER, FIRST);
    let most = world.terms.capacity(P_MAX_W);
    let mut reading = first(world);
    // The meters of this world start at 1000 and 2000 Wh or at nothing: beyond both.
    let beyond =
        most.saturating_add(reading.import_wh.max(reading.export_wh)).saturating_add(Energy::from_wh(1));
    change(&mut reading, beyond);
    post(world, reading, Error::ImplausibleReading { meter: reading.meter, most })
}

const NOW_IS_WRONG: Error = Error::NotMetering { slot: FIRST };

pub fn rows() -> Vec<Row> {
    let mut rows = readings();
    rows.extend(batches());
    rows.extend(times());
    rows.extend(late());
    rows.extend(bases());
    rows
}

/// The seller's meter posts a reading for `slot` with this export, after one for the next slot, in which it gave 3 kWh.
fn too_late(world: &mut World, slot: Slot, export_wh: u64, wrong: fn(MeterId) -> Error) -> Attempt {
    let next = Slot::from_number(slot.number() + 1);
    for slot in [slot, next] {
        world.chain.pass_to(world.after_end(slot, 0));
    }
    world.measure_all(next, &[(0, 3_000), (0, 0), (0, 0)]);
    world.expect(slot, SlotState::Voting);
    let reading = world.reading(SELLER, slot, 1, ReadingStatus::Measured);
    let export_wh = Energy::from_wh(export_wh);
    post(world, Reading { export_wh, ..reading }, wrong(reading.meter))
}

fn late() -> Vec<Row> {
    vec![
        row("late reading above that of the next slot", Scene::Delivering, |world| {
            too_late(world, FIRST, 5_001, Error::AboveLaterReading)
        }),
        row("late reading below what is settled", Scene::Delivering, |world| {
            too_late(world, FIRST, 1_999, Error::RegisterWentBack)
        }),
        row("late reading below that of the slot before", Scene::Voting, |world| {
            too_late(world, Slot::from_number(501), 5_999, Error::RegisterWentBack)
        }),
    ]
}

/// What the seller's meter showed when its first slot began.
fn base(world: &World) -> Reading {
    world.reading(SELLER, Slot::from_number(FIRST.number() - 1), 0, ReadingStatus::Measured)
}

fn bases() -> Vec<Row> {
    fn untimely(world: &World) -> Attempt {
        let start = world.terms.delivery_start(FIRST);
        post(world, base(world), Error::NoTimeForBase { slot: FIRST, start })
    }
    vec![
        row("base before the slot begins", Scene::Certified, |world| untimely(world)),
        row("base while the readings are voted on", Scene::Voting, |world| untimely(world)),
        row("second base", Scene::Delivering, |world| {
            world.post_base(SELLER, FIRST);
            let reading = base(world);
            post(world, reading, Error::AlreadyRead(reading.meter))
        }),
        row("base with a revision", Scene::Delivering, |world| {
            let reading = Reading { revision: 1, ..base(world) };
            post(world, reading, Error::TooManyRevisions(1))
        }),
        row("the meter operator's base in the place of the meter's", Scene::Delivering, |world| {
            let reading = Reading { status: ReadingStatus::Substituted, ..base(world) };
            let call = Call::Markets(world.sign_substitute(reading));
            let wrong = Error::StaleRevision { got: 0, latest: 0 };
            (UncheckedExtrinsic::bare(&call), Wrong::Skipped(Invalid::Markets(wrong)))
        }),
        row("base after the meter's reading", Scene::Metering, |world| {
            let reading = base(world);
            world.measure(SELLER, FIRST, 0, 0);
            world.chain.block_of_successes();
            post(world, reading, Error::AlreadyRead(reading.meter))
        }),
        row("base below the registers at registration", Scene::Delivering, |world| {
            let reading = Reading { import_wh: Energy::from_wh(999), ..base(world) };
            post(world, reading, Error::RegisterWentBack(reading.meter))
        }),
        row("base beyond the connection", Scene::Delivering, |world| {
            let registers = load_registers(&world.chain.view(), MARKET)[SELLER];
            let slots = FIRST.number() - registers.read_to.number();
            let most = Energy::from_wh(world.terms.capacity(P_MAX_W).wh() * u64::from(slots));
            let reading = base(world);
            let import_wh = reading.import_wh.saturating_add(most).saturating_add(Energy::from_wh(1));
            let wrong = Error::ImplausibleReading { meter: reading.meter, most };
            post(world, Reading { import_wh, ..reading }, wrong)
        }),
        row("base of another's key", Scene::Delivering, |world| {
            let reading = base(world);
            let signature =
                world.homes[BUYER].meter_key.sign(&reading_message(&world.chain.genesis, &reading));
            let call = Call::Markets(markets::Call::PostReading { reading, signature });
            let wrong = Error::WrongMeterKey(reading.meter);
            (UncheckedExtrinsic::bare(&call), Wrong::Skipped(Invalid::Markets(wrong)))
        }),
        row("the meter operator's base after the meter's", Scene::Delivering, |world| {
            world.post_base(SELLER, FIRST);
            let reading = Reading { revision: 1, status: ReadingStatus::Substituted, ..base(world) };
            let call = Call::Markets(world.sign_substitute(reading));
            let wrong = Error::AlreadyRead(reading.meter);
            (UncheckedExtrinsic::bare(&call), Wrong::Skipped(Invalid::Markets(wrong)))
        }),
    ]
}

fn readings() -> Vec<Row> {
    vec![
        row("reading with wrong key", Scene::Metering, |world| {
            let reading = first(world);
            let message = reading_message(&world.chain.genesis, &reading);
            let signature = world.homes[BUYER].meter_key.sign(&message);
            let call = Call::Markets(markets::Call::PostReading { reading, signature });
            let wrong = Error::WrongMeterKey(reading.meter);
            (UncheckedExtrinsic::bare(&call), Wrong::Skipped(Invalid::Markets(wrong)))
        }),
        row("reading signed by the meter's owner", Scene::Metering, |world| {
            let reading = first(world);
            let signature = world.homes[SELLER].owner.sign(&reading_message(&world.chain.genesis, &reading));
            let call = Call::Markets(markets::Call::PostReading { reading, signature });
            let wrong = Error::WrongMeterKey(reading.meter);
            (UncheckedExtrinsic::bare(&call), Wrong::Skipped(Invalid::Markets(wrong)))
        }),
        row("reading for another chain", Scene::Metering, |world| {
            let reading = first(world);
            let signature = world.homes[SELLER].meter_key.sign(&reading_message(&Hash([9; 32]), &reading));
            let call = Call::Markets(markets::Call::PostReading { reading, signature });
            let wrong = Error::WrongMeterKey(reading.meter);
            (UncheckedExtrinsic::bare(&call), Wrong::Skipped(Invalid::Markets(wrong)))
        }),
        row("reading of unknown meter", Scene::Metering, |world| {
            let meter = MeterId::from_number(99);
            post(world, Reading { meter, ..first(world) }, Error::UnknownMeter(meter))
        }),
        row("reading with stale revision: the same again", Scene::Voting, |world| {
            post(world, first(world), Error::StaleRevision { got: 0, latest: 0 })
        }),
        row("reading with stale revision: older", Scene::Voting, |world| {
            let call = world.sign_reading(SELLER, correction(world, 5));
            world.chain.submit_bare(call);
            world.chain.block_of_successes();
            post(world, correction(world, 4), Error::StaleRevision { got: 4, latest: 5 })
        }),
        row("reading with too high a revision", Scene::Voting, |world| {
            post(world, correction(world, 8), Error::TooManyRevisions(8))
        }),
        row("more than the connection can move: import", Scene::Metering, |world| {
            implausible(world, |reading, beyond| reading.import_wh = beyond)
        }),
        row("more than the connection can move: export", Scene::Metering, |world| {
            implausible(world, |reading, beyond| reading.export_wh = beyond)
        }),
        row("more than the connection can move after substitutes", Scene::Metering, |world| {
            // The substitute of the first slot settles, with what the buyer bought.
            world.post_base(BUYER, FIRST);
            world.chain.pass_to(world.after_end(FIRST, world.terms.windows.readings_s));
            world.certify(FIRST);
            let slot = Slot::from_number(506);
            for passed in 501..=506 {
                world.chain.pass_to(world.after_end(Slot::from_number(passed), 0));
            }
            world.expect(FIRST, SlotState::Settled);
            world.expect(slot, SlotState::Metering);
            let most = Energy::from_wh(world.terms.capacity(P_MAX_W).wh() * 7);
            let reading = world.reading(BUYER, slot, 0, ReadingStatus::Measured);
            let import_wh = reading.import_wh.saturating_add(most).saturating_add(Energy::from_wh(1));
            let call = Call::Markets(world.sign_reading(BUYER, Reading { import_wh, ..reading }));
            let wrong = Error::ImplausibleReading { meter: reading.meter, most };
            (UncheckedExtrinsic::bare(&call), Wrong::Skipped(Invalid::Markets(wrong)))
        }),
        row("register went back: import", Scene::Metering, |world| {
            let reading = first(world);
            let import_wh = reading.import_wh.checked_sub(Energy::from_wh(1)).unwrap();
            post(world, Reading { import_wh, ..reading }, Error::RegisterWentBack(reading.meter))
        }),
        row("register went back: export", Scene::Metering, |world| {
            let reading = first(world);
            let export_wh = reading.export_wh.checked_sub(Energy::from_wh(1)).unwrap();
            post(world, Reading { export_wh, ..reading }, Error::RegisterWentBack(reading.meter))
        }),
        row("correction below what is settled", Scene::Voting, |world| {
            let reading = correction(world, 1);
            let export_wh = Energy::from_wh(1_999);
            post(world, Reading { export_wh, ..reading }, Error::RegisterWentBack(reading.meter))
        }),
        row("first reading said to be a correction", Scene::Metering, |world| {
            post(world, correction(world, 0), Error::WrongStatus)
        }),
        row("correction said to be measured", Scene::Voting, |world| {
            post(world, Reading { revision: 1, ..first(world) }, Error::WrongStatus)
        }),
        row("substitute by a meter", Scene::Metering, |world| {
            post(world, Reading { status: ReadingStatus::Substituted, ..first(world) }, Error::WrongStatus)
        }),
    ]
}

fn batches() -> Vec<Row> {
    fn batch(world: &World, count: usize, wrong: Error) -> Attempt {
        let reading = (first(world), Signature([0; 64]));
        let call = Call::Markets(markets::Call::PostReadings { readings: vec![reading; count] });
        (world.chain.signed(&world.homes[SELLER].delegate, &call), wrong.into())
    }
    vec![
        row("batch without readings", Scene::Metering, |world| batch(world, 0, Error::NothingRead)),
        row("batch with too many readings", Scene::Metering, |world| {
            batch(world, READINGS_PER_BATCH_MAX + 1, Error::TooManyReadings(1_000))
        }),
        row("batch of the administration key", Scene::Metering, |world| {
            let reading = (first(world), Signature([0; 64]));
            let call = Call::Markets(markets::Call::PostReadings { readings: vec![reading] });
            (world.chain.signed(&world.sudo, &call), Wrong::Failed(DispatchError::BadOrigin))
        }),
    ]
}

fn times() -> Vec<Row> {
    vec![
        row("reading while orders are taken", Scene::Open, |world| post(world, first(world), NOW_IS_WRONG)),
        row("reading while energy flows", Scene::Delivering, |world| post(world, first(world), NOW_IS_WRONG)),
        row("first reading after the vote", Scene::Payable, |world| {
            post(world, Reading { revision: 1, ..first(world) }, NOW_IS_WRONG)
        }),
        row("correction after the time for objections", Scene::Voting, |world| {
            // The first slot ends in a dispute: the next one must wait for it.
            let slot = Slot::from_number(501);
            world.chain.pass_to(world.after_end(slot, 0));
            world.measure_all(slot, &[(0, 0), (0, 0), (0, 0)]);
            world.certify(slot);
            let until = world.after_end(slot, world.terms.windows.objection_s);
            world.chain.pass_to(until);
            world.expect(slot, SlotState::Payable);
            let reading = world.reading(SELLER, slot, 1, ReadingStatus::Corrected);
            post(world, reading, Error::ObjectionsOver { slot, until })
        }),
        row("correction after settlement", Scene::Settled, |world| {
            post(world, correction(world, 1), NOW_IS_WRONG)
        }),
        row("reading of a slot that has not opened", Scene::Metering, |world| {
            let slot = Slot::from_number(900);
            post(world, Reading { slot, ..first(world) }, Error::UnknownSlot { market: MARKET, slot })
        }),
    ]
}

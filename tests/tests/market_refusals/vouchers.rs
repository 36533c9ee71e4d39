//! Substitutes and corrections that do not count: who vouches for a reading, and with what.

use super::scenes::{BUYER, SELLER, Scene};
use super::{Attempt, Row, Wrong, row};
use busbar_tests::world::{FIRST, P_MAX_W, World, entities};
use contract_interface::{Reading, ReadingStatus, correction_message, reading_message};
use host_node::keys::Signer;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::markets::{self, Error};
use runtime_execution::modules::registry;
use runtime_execution::{Call, Invalid};
use runtime_primitives::{Energy, Hash};

fn bare(call: markets::Call, wrong: Error) -> Attempt {
    (UncheckedExtrinsic::bare(&Call::Markets(call)), Wrong::Skipped(Invalid::Markets(wrong)))
}

/// No meter of the slot has spoken in time: all have substitutes by rule.
fn silent(world: &mut World) -> Reading {
    let over = world.after_end(FIRST, world.terms.windows.readings_s);
    world.chain.pass_to(over);
    world.reading(SELLER, FIRST, 1, ReadingStatus::Substituted)
}

fn substitute(world: &World, reading: Reading, wrong: Error) -> Attempt {
    bare(world.sign_substitute(reading), wrong)
}

/// A substitute by another's key.
fn by(world: &World, key: &Signer, reading: Reading, wrong: Error) -> Attempt {
    let signature = key.sign(&reading_message(&world.chain.genesis, &reading));
    bare(markets::Call::PostSubstitute { reading, key: key.account(), signature }, wrong)
}

/// A substitute by somebody with this role that the market does not name.
pub(super) fn by_a_stranger(world: &mut World, roles: u16) -> Attempt {
    let (registrar, key) = (world.owners[entities::REGISTRAR as usize].clone(), world.keys.add("stranger"));
    world.chain.must(&registrar, registry::Call::RegisterEntity { owner: key.account(), roles });
    let reading = silent(world);
    by(world, &key, reading, Error::NoMeterOperator(key.account()))
}

/// A correction of the seller's meter with `evidence`, over a message about something else.
fn corrected(world: &World, evidence: Hash, message: impl Fn(&Reading) -> Vec<u8>) -> Attempt {
    let reading = world.reading(SELLER, FIRST, 1, ReadingStatus::Corrected);
    let signature = world.homes[SELLER].meter_key.sign(&message(&reading));
    bare(markets::Call::PostCorrection { reading, evidence, signature }, Error::WrongMeterKey(reading.meter))
}

pub fn rows() -> Vec<Row> {
    let mut rows = substitutes();
    rows.extend(corrections());
    rows
}

fn substitutes() -> Vec<Row> {
    vec![
        row("substitute before the meters' time is over", Scene::Metering, |world| {
            let reading = world.reading(SELLER, FIRST, 0, ReadingStatus::Substituted);
            substitute(world, reading, Error::SubstituteTooEarly(FIRST))
        }),
        row("substitute for a meter that spoke", Scene::Voting, |world| {
            let reading = world.reading(SELLER, FIRST, 1, ReadingStatus::Substituted);
            substitute(world, reading, Error::AlreadyRead(reading.meter))
        }),
        row("substitute after the vote", Scene::Payable, |world| {
            let reading = world.reading(SELLER, FIRST, 1, ReadingStatus::Substituted);
            substitute(world, reading, Error::NotMetering { slot: FIRST })
        }),
        row("substitute in the place of the rule's", Scene::Metering, |world| {
            let reading = Reading { revision: 0, ..silent(world) };
            substitute(world, reading, Error::StaleRevision { got: 0, latest: 0 })
        }),
        row("substitute said to be measured", Scene::Metering, |world| {
            let reading = Reading { status: ReadingStatus::Measured, ..silent(world) };
            substitute(world, reading, Error::WrongStatus)
        }),
        row("substitute with a register that went back", Scene::Metering, |world| {
            let reading = silent(world);
            let export_wh = reading.export_wh.checked_sub(Energy::from_wh(1)).unwrap();
            substitute(world, Reading { export_wh, ..reading }, Error::RegisterWentBack(reading.meter))
        }),
        row("substitute beyond the connection", Scene::Metering, |world| {
            world.post_base(SELLER, FIRST);
            let (reading, most) = (silent(world), world.terms.capacity(P_MAX_W));
            let export_wh = reading.export_wh.saturating_add(most).saturating_add(Energy::from_wh(1));
            let wrong = Error::ImplausibleReading { meter: reading.meter, most };
            substitute(world, Reading { export_wh, ..reading }, wrong)
        }),
        row("substitute by the grid operator", Scene::Metering, |world| {
            let (reading, grid) = (silent(world), world.owners[entities::GRID as usize].clone());
            by(world, &grid, reading, Error::NoMeterOperator(grid.account()))
        }),
        row("substitute by a key that nobody has", Scene::Metering, |world| {
            let (reading, meter) = (silent(world), world.homes[SELLER].meter_key.clone());
            by(world, &meter, reading, Error::NoMeterOperator(meter.account()))
        }),
        row("substitute in the operator's name", Scene::Metering, |world| {
            let reading = silent(world);
            let key = world.owners[entities::METER_OPERATOR as usize].account();
            let signature = world.sudo.sign(&reading_message(&world.chain.genesis, &reading));
            let call = markets::Call::PostSubstitute { reading, key, signature };
            bare(call, Error::WrongOperatorKey(reading.meter))
        }),
        row("substitute in an envelope", Scene::Voting, |world| {
            let reading = world.reading(SELLER, FIRST, 1, ReadingStatus::Substituted);
            let call = Call::Markets(world.sign_substitute(reading));
            let signed = world.chain.signed(&world.homes[BUYER].delegate, &call);
            (signed, Invalid::NotBare.into())
        }),
    ]
}

fn corrections() -> Vec<Row> {
    vec![
        row("correction without evidence", Scene::Voting, |world| {
            let reading = world.reading(SELLER, FIRST, 1, ReadingStatus::Corrected);
            let signature =
                world.homes[SELLER].meter_key.sign(&reading_message(&world.chain.genesis, &reading));
            bare(markets::Call::PostReading { reading, signature }, Error::NoEvidence)
        }),
        row("correction signed as a reading", Scene::Voting, |world| {
            let genesis = world.chain.genesis;
            corrected(world, Hash([1; 32]), |reading| reading_message(&genesis, reading))
        }),
        row("correction with other evidence", Scene::Voting, |world| {
            let genesis = world.chain.genesis;
            corrected(world, Hash([1; 32]), |reading| correction_message(&genesis, reading, &Hash([2; 32])))
        }),
        row("correction for another chain", Scene::Voting, |world| {
            let (genesis, evidence) = (Hash([9; 32]), Hash([1; 32]));
            corrected(world, evidence, |reading| correction_message(&genesis, reading, &evidence))
        }),
        row("measured reading with evidence", Scene::Voting, |world| {
            let reading = world.reading(SELLER, FIRST, 1, ReadingStatus::Measured);
            let evidence = Hash([1; 32]);
            let message = correction_message(&world.chain.genesis, &reading, &evidence);
            let signature = world.homes[SELLER].meter_key.sign(&message);
            bare(markets::Call::PostCorrection { reading, evidence, signature }, Error::WrongStatus)
        }),
    ]
}

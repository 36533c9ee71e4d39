//! Consents to trades that do not count.

use super::scenes::{BUYER, BYSTANDER, SELLER, Scene};
use super::{Attempt, Row, Wrong, row};
use busbar_tests::world::{FIRST, MARKET, World};
use contract_interface::{Side, confirm_message};
use runtime_execution::Call;
use runtime_execution::modules::markets::{self, ConfirmItem, Error, SlotState};
use runtime_primitives::Hash;

fn confirm(world: &World, home: usize, items: Vec<ConfirmItem>, wrong: impl Into<Wrong>) -> Attempt {
    let call = Call::Markets(markets::Call::Confirm { market: MARKET, slot: FIRST, items });
    (world.chain.signed(&world.homes[home].delegate, &call), wrong.into())
}

fn refuse(world: &World, home: usize, trade: u32, wrong: impl Into<Wrong>) -> Attempt {
    let call = Call::Markets(markets::Call::Refuse { market: MARKET, slot: FIRST, trade });
    (world.chain.signed(&world.homes[home].delegate, &call), wrong.into())
}

const fn not_proposed(state: SlotState) -> Error {
    Error::NotProposed { slot: FIRST, state }
}

/// Two trades of the seller, and its items for both.
fn two_items(world: &mut World) -> Vec<ConfirmItem> {
    world.place(BYSTANDER, FIRST, Side::Buy, 1_000, 6_500);
    world.place(SELLER, FIRST, Side::Sell, 1_000, 6_000);
    world.close_gate(FIRST);
    assert_eq!(world.slot(FIRST).trades, 2);
    vec![world.confirm_item(SELLER, FIRST, 0), world.confirm_item(SELLER, FIRST, 1)]
}

pub fn rows() -> Vec<Row> {
    let mut rows = confirmations();
    rows.extend(refusals());
    rows.extend(empty());
    rows
}

/// An empty confirmation in any state: taken, it would fire the slot's trigger.
fn empty() -> Vec<Row> {
    vec![
        row("nothing confirmed: open", Scene::Open, |world| {
            confirm(world, BYSTANDER, vec![], not_proposed(SlotState::Open))
        }),
        row("nothing confirmed: proposed", Scene::Proposed, |world| {
            confirm(world, SELLER, vec![], Error::NothingConfirmed)
        }),
        row("nothing confirmed: confirmed", Scene::Confirmed, |world| {
            confirm(world, BYSTANDER, vec![], not_proposed(SlotState::Confirmed))
        }),
        row("nothing confirmed: certified", Scene::Certified, |world| {
            confirm(world, BYSTANDER, vec![], not_proposed(SlotState::Certified))
        }),
        row("nothing confirmed: delivering", Scene::Delivering, |world| {
            confirm(world, BYSTANDER, vec![], not_proposed(SlotState::Delivering))
        }),
        row("nothing confirmed: metering", Scene::Metering, |world| {
            confirm(world, BYSTANDER, vec![], not_proposed(SlotState::Metering))
        }),
        row("nothing confirmed: voting", Scene::Voting, |world| {
            confirm(world, BYSTANDER, vec![], not_proposed(SlotState::Voting))
        }),
        row("nothing confirmed: payable", Scene::Payable, |world| {
            confirm(world, BYSTANDER, vec![], not_proposed(SlotState::Payable))
        }),
    ]
}

fn confirmations() -> Vec<Row> {
    vec![
        row("confirmed before the gate", Scene::Open, |world| {
            let item = ConfirmItem {
                trade: 0,
                order_hash: Hash::ZERO,
                signature: world.homes[SELLER].delegate.sign(b""),
            };
            confirm(world, SELLER, vec![item], not_proposed(SlotState::Open))
        }),
        row("confirmed when it is too late", Scene::Confirmed, |world| {
            let items = vec![world.confirm_item(SELLER, FIRST, 0)];
            confirm(world, SELLER, items, not_proposed(SlotState::Confirmed))
        }),
        row("unknown trade", Scene::Proposed, |world| {
            let item = ConfirmItem { trade: 5, ..world.confirm_item(SELLER, FIRST, 0) };
            confirm(world, SELLER, vec![item], Error::UnknownTrade(5))
        }),
        row("confirmed by a bystander", Scene::Proposed, |world| {
            let items = vec![world.confirm_item(BYSTANDER, FIRST, 0)];
            confirm(world, BYSTANDER, items, Error::NotAParty(0))
        }),
        row("confirmed another trade order", Scene::Proposed, |world| {
            let signed = Hash([5; 32]);
            let current = world.trade_hash(FIRST, 0);
            let signature =
                world.homes[SELLER].delegate.sign(&confirm_message(&world.chain.genesis, &signed));
            let item = ConfirmItem { trade: 0, order_hash: signed, signature };
            confirm(world, SELLER, vec![item], Error::TradeOrderMismatch { signed, current })
        }),
        row("confirmed twice", Scene::Proposed, |world| {
            world.confirm(SELLER, FIRST, 0);
            world.chain.block_of_successes();
            let items = vec![world.confirm_item(SELLER, FIRST, 0)];
            confirm(world, SELLER, items, Error::AlreadyAnswered(0))
        }),
        row("confirmed twice in one call", Scene::Proposed, |world| {
            let items = vec![world.confirm_item(SELLER, FIRST, 0); 2];
            confirm(world, SELLER, items, Error::AlreadyAnswered(0))
        }),
        row("confirmation with the other party's signature", Scene::Proposed, |world| {
            let items = vec![world.confirm_item(BUYER, FIRST, 0)];
            confirm(world, SELLER, items, Error::BadConfirmation(0))
        }),
        row("confirmation for another chain", Scene::Proposed, |world| {
            let item = world.confirm_item(SELLER, FIRST, 0);
            let message = confirm_message(&Hash([9; 32]), &item.order_hash);
            let signature = world.homes[SELLER].delegate.sign(&message);
            confirm(world, SELLER, vec![ConfirmItem { signature, ..item }], Error::BadConfirmation(0))
        }),
        row("one bad item among good ones: none counts", Scene::Open, |world| {
            let mut items = two_items(world);
            items[1].signature = items[0].signature;
            confirm(world, SELLER, items, Error::BadConfirmation(1))
        }),
        row("consent to a slot that has not opened", Scene::Before, |world| {
            confirm(world, SELLER, Vec::new(), Error::UnknownSlot { market: MARKET, slot: FIRST })
        }),
    ]
}

fn refusals() -> Vec<Row> {
    vec![
        row("refused by a bystander", Scene::Proposed, |world| {
            refuse(world, BYSTANDER, 0, Error::NotAParty(0))
        }),
        row("refused after confirming", Scene::Proposed, |world| {
            world.confirm(SELLER, FIRST, 0);
            world.chain.block_of_successes();
            refuse(world, SELLER, 0, Error::AlreadyAnswered(0))
        }),
        row("refused when it is too late", Scene::Certified, |world| {
            refuse(world, SELLER, 0, not_proposed(SlotState::Certified))
        }),
        row("refused trade that is none", Scene::Proposed, |world| {
            refuse(world, SELLER, 1, Error::UnknownTrade(1))
        }),
    ]
}

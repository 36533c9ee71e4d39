//! Adjustments that are refused: of slots that are not settled, of what they do not know, with money that is not there.

use super::scenes::{BUYER, BYSTANDER, SELLER, Scene};
use super::{Attempt, Row, Wrong, row};
use busbar_tests::world::{FIRST, MARKET, World, entities};
use runtime_execution::Call;
use runtime_execution::modules::markets::adjustments::{Adjustment, Grounds};
use runtime_execution::modules::markets::{self, Error, SlotState};
use runtime_execution::modules::registry::scopes;
use runtime_execution::modules::{balances, registry};
use runtime_primitives::limits::ADJUSTMENTS_PER_CALL_MAX;
use runtime_primitives::{EntityId, Hash, MeterId, Money, Slot};

fn one(world: &World) -> Adjustment {
    let payee = world.homes[BUYER].entity;
    Adjustment { payee, amount: Money::from_units(1), trade: Some(0), meter: Some(world.homes[SELLER].meter) }
}

fn call(slot: Slot, items: Vec<Adjustment>) -> markets::Call {
    let grounds = Grounds { evidence: Hash([7; 32]), reason: 1 };
    markets::Call::Adjust { market: MARKET, slot, items, grounds }
}

/// The seller adjusts by its owner key.
fn adjust(world: &World, items: Vec<Adjustment>, wrong: impl Into<Wrong>) -> Attempt {
    let call = Call::Markets(call(FIRST, items));
    (world.chain.signed(&world.homes[SELLER].owner, &call), wrong.into())
}

fn early(world: &World, state: SlotState) -> Attempt {
    adjust(world, vec![one(world)], Error::NotSettled { slot: FIRST, state })
}

pub fn rows() -> Vec<Row> {
    let mut rows = slots_and_signers();
    rows.extend(items());
    rows
}

fn slots_and_signers() -> Vec<Row> {
    vec![
        row("adjusted while open", Scene::Open, |world| early(world, SlotState::Open)),
        row("adjusted while voting", Scene::Voting, |world| early(world, SlotState::Voting)),
        row("adjusted before it is paid", Scene::Payable, |world| early(world, SlotState::Payable)),
        row("adjusted before it opens", Scene::Settled, |world| {
            let slot = Slot::from_number(FIRST.number() + 1_000_000);
            let call = Call::Markets(call(slot, vec![one(world)]));
            let wrong = Error::UnknownSlot { market: MARKET, slot };
            (world.chain.signed(&world.homes[SELLER].owner, &call), wrong.into())
        }),
        row("adjusted by a delegate", Scene::Settled, |world| {
            let (needed, has) = (scopes::OWNER, scopes::BID | scopes::CONFIRM | scopes::VOTE);
            let call = Call::Markets(call(FIRST, vec![one(world)]));
            let wrong = registry::Error::WrongScope { needed, has };
            (world.chain.signed(&world.homes[SELLER].delegate, &call), wrong.into())
        }),
        row("adjusted by the administration key", Scene::Settled, |world| {
            let call = Call::Markets(call(FIRST, vec![one(world)]));
            let wrong = registry::Error::WrongScope { needed: scopes::OWNER, has: 0 };
            (world.chain.signed(&world.sudo, &call), wrong.into())
        }),
        row("adjusted by a debtor", Scene::Payable, |world| {
            // The bystander took 250 Wh that nothing is held for, and gave its money away.
            let owner = world.homes[BYSTANDER].owner.clone();
            let (amount, _) = world.chain.money(&owner.account());
            let (bank, now) = (EntityId::from_number(entities::BANK), world.after_end(FIRST, 10_000));
            world.chain.must(&owner, markets::Call::Withdraw { bank, amount });
            world.chain.pass_to(now);
            let call = Call::Markets(call(FIRST, vec![one(world)]));
            let wrong = Error::OpenReceivables { owed: Money::from_units(250 * 9_000) };
            (world.chain.signed(&owner, &call), wrong.into())
        }),
    ]
}

fn items() -> Vec<Row> {
    vec![
        row("nothing adjusted", Scene::Settled, |world| adjust(world, Vec::new(), Error::NothingAdjusted)),
        row("too many adjustments", Scene::Settled, |world| {
            let items = vec![one(world); ADJUSTMENTS_PER_CALL_MAX + 1];
            adjust(world, items, Error::TooManyAdjustments(100))
        }),
        row("the same adjustment twice", Scene::Settled, |world| {
            let other = Adjustment { meter: None, ..one(world) };
            adjust(world, vec![one(world), other, one(world)], Error::AdjustmentTwice(2))
        }),
        row("adjustment of nothing", Scene::Settled, |world| {
            let item = Adjustment { amount: Money::ZERO, ..one(world) };
            adjust(world, vec![item], balances::Error::ExistentialDeposit)
        }),
        row("adjustment to oneself", Scene::Settled, |world| {
            let payee = world.homes[SELLER].entity;
            adjust(world, vec![one(world), Adjustment { payee, ..one(world) }], Error::AdjustsItself(payee))
        }),
        row("adjustment to nobody", Scene::Settled, |world| {
            let payee = EntityId::from_number(999);
            let item = Adjustment { payee, ..one(world) };
            adjust(world, vec![item], registry::Error::UnknownEntity(payee))
        }),
        row("adjustment of a trade that was not made", Scene::Settled, |world| {
            let item = Adjustment { trade: Some(1), ..one(world) };
            adjust(world, vec![item], Error::UnknownTrade(1))
        }),
        row("adjustment of a meter that is elsewhere", Scene::Settled, |world| {
            let meter = MeterId::from_number(99);
            let item = Adjustment { meter: Some(meter), ..one(world) };
            adjust(world, vec![one(world), item], Error::UnknownMeter(meter))
        }),
        row("adjustments beyond the purse", Scene::Settled, |world| {
            let (free, _) = world.chain.money(&world.homes[SELLER].account());
            let half = Money::from_units(free.units() / 2 + 1);
            let payee = world.homes[BYSTANDER].entity;
            let items =
                [one(world).payee, payee].map(|payee| Adjustment { payee, amount: half, ..one(world) });
            let left = free.saturating_sub(half);
            let wrong = balances::Error::InsufficientBalance { free: left, needed: half };
            adjust(world, items.to_vec(), wrong)
        }),
    ]
}

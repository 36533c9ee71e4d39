//! What must hold of any chain that was played, whoever traded what: checked on its archive and its accounts alone.
//!
//! Nothing here knows how a slot was meant to end. The accountant of [`crate::ledger`] computes every amount anew; these
//! are the promises made to a household, each in its own words.

use crate::world::World;
use contract_interface::{Side, Stage, TradeOrder, Transfer, TransferRecord, kinds};
use parity_scale_codec::Decode;
use runtime_execution::archive::{HoldRecord, SettleRecord, slot_key, tables};
use runtime_execution::modules::attestation::BALLOTS;
use runtime_execution::modules::markets::{At, SLOTS};
use runtime_primitives::{AccountId, MeterId, Price, Seq};
use std::collections::BTreeMap;

/// Check everything of this file; gives the number of settled slots.
///
/// # Errors
/// What does not hold, and where.
pub fn check(world: &World) -> Result<usize, String> {
    bills_add_up(world)?;
    let settled = settlements(world)?;
    for (at, record) in &settled {
        let check = |rule: fn(&World, At, &SettleRecord) -> Result<(), String>| rule(world, *at, record);
        check(sums_to_zero)
            .and_then(|()| check(metered_energy_only))
            .and_then(|()| check(within_signed_limits))
            .and_then(|()| check(holds_cover_the_worst))
            .and_then(|()| check(holds_suffice))
            .and_then(|()| check(votes_are_forgotten))
            .map_err(|why| format!("slot {} of market {}: {why}", at.1, at.0))?;
    }
    Ok(settled.len())
}

/// A settled slot leaves no claim, seat or count of votes in the state. Keys of all modules name a slot alike.
fn votes_are_forgotten(world: &World, at: At, _: &SettleRecord) -> Result<(), String> {
    const MODULE_BYTES: usize = 16;
    const PREFIX_BYTES: usize = 32;
    let module = &BALLOTS.key(&(at.0, at.1, Stage::Certification, 0))[..MODULE_BYTES];
    let slot = &SLOTS.key(&at)[PREFIX_BYTES..];
    let keys = world.chain.view().keys_with_prefix(module, usize::MAX);
    let left = keys.iter().filter(|key| key[PREFIX_BYTES..].starts_with(slot)).count();
    ensure(left == 0, || format!("{left} entries of its votes are left"))
}

fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

/// After every block, every account has changed by what its bill lines of the block say, and by nothing else.
fn bills_add_up(world: &World) -> Result<(), String> {
    let genesis = world.genesis.entities.iter();
    let mut before: BTreeMap<AccountId, u128> =
        genesis.map(|entity| (entity.owner, entity.balance.units())).collect();
    for past in &world.chain.past {
        let mut after = before.clone();
        for row in past.archive.iter().filter(|row| row.table == tables::LEDGER) {
            let record = TransferRecord::decode(&mut &row.value[..]).expect("a ledger row");
            let amount = record.amount.units();
            let payer = after.entry(record.payer).or_default();
            *payer = payer.checked_sub(amount).ok_or_else(|| format!("{} pays too much", record.payer))?;
            *after.entry(record.payee).or_default() += amount;
        }
        for (who, expected) in &after {
            let (free, held) = past.accounts.get(who).copied().unwrap_or_default();
            ensure(free + held == *expected, || {
                let height = past.header.number;
                format!("{who} has {} after block {height}, its lines say {expected}", free + held)
            })?;
        }
        before = after;
    }
    Ok(())
}

/// Slots that were settled, each once.
fn settlements(world: &World) -> Result<BTreeMap<At, SettleRecord>, String> {
    let mut settled = BTreeMap::new();
    for row in world.chain.archived(tables::SETTLE) {
        let record = SettleRecord::decode(&mut &row.value[..]).expect("a settlement");
        let at = (record.input.market, record.input.slot);
        ensure(row.key == slot_key(at), || format!("a settlement of {at:?} is filed elsewhere"))?;
        ensure(settled.insert(at, record).is_none(), || format!("{at:?} is settled twice"))?;
    }
    Ok(settled)
}

/// Lines of the slot's settlement as paid.
fn paid(world: &World, at: At) -> Vec<TransferRecord> {
    let leaves = world.chain.leaves(at, Stage::Settlement);
    leaves.iter().map(|leaf| TransferRecord::decode(&mut &leaf[..]).expect("a transfer")).collect()
}

/// What all parties of the slot receive is what all of them pay.
fn sums_to_zero(world: &World, at: At, _: &SettleRecord) -> Result<(), String> {
    let mut net: BTreeMap<AccountId, i128> = BTreeMap::new();
    for record in paid(world, at) {
        let amount = i128::try_from(record.amount.units()).expect("below the issuance");
        *net.entry(record.payer).or_default() -= amount;
        *net.entry(record.payee).or_default() += amount;
    }
    let sum: i128 = net.values().sum();
    ensure(sum == 0, || format!("the parties together gain {sum}"))
}

fn of_trade(record: &SettleRecord, trade: u32, kind: u8) -> u128 {
    let own = |transfer: &&Transfer| transfer.trade == Some(trade) && transfer.kind == kind;
    record.report.transfers.iter().filter(own).map(|transfer| transfer.amount.units()).sum()
}

/// A trade price is charged for energy that went through both meters, and for no other.
fn metered_energy_only(_: &World, _: At, record: &SettleRecord) -> Result<(), String> {
    let meters = record.input.meters.iter();
    let mut left: BTreeMap<_, _> =
        meters.map(|meter| (meter.meter, (meter.import_wh.wh(), meter.export_wh.wh()))).collect();
    ensure(record.report.settled.len() == record.input.trades.len(), || "a trade without a result".into())?;
    for (trade, settled) in record.input.trades.iter().zip(&record.report.settled) {
        ensure(*settled <= trade.energy, || format!("trade {} settles more than was agreed", trade.id))?;
        for (meter, side) in [(trade.buy_meter, Side::Buy), (trade.sell_meter, Side::Sell)] {
            let left = left.get_mut(&meter).ok_or("a trade of a meter that is not settled")?;
            let left = if side == Side::Buy { &mut left.0 } else { &mut left.1 };
            *left = left.checked_sub(settled.wh()).ok_or_else(|| {
                format!("trade {} is paid for energy that meter {meter} did not move", trade.id)
            })?;
        }
        let due = |price: Price| price.times(*settled).units();
        let surplus = due(trade.buy_price) - due(trade.sell_price);
        let expected = [
            (kinds::ENERGY, due(trade.sell_price)),
            (kinds::SURPLUS, surplus),
            (kinds::FEE, due(trade.fee.buyer) + due(trade.fee.seller)),
        ];
        for (kind, expected) in expected {
            let charged = of_trade(record, trade.id, kind);
            ensure(charged == expected, || {
                format!("trade {}: {charged} of kind {kind} for {settled} Wh, not {expected}", trade.id)
            })?;
        }
    }
    Ok(())
}

/// Nobody pays more, or gets less, for a settled Wh than it signed.
fn within_signed_limits(world: &World, at: At, record: &SettleRecord) -> Result<(), String> {
    let (orders, signed) = (agreed(world, at), holds(world, at));
    for trade in &record.input.trades {
        let order = orders.get(&trade.id).ok_or_else(|| format!("trade {} was never agreed", trade.id))?;
        let (ask, bid) = (&order.inputs[0], &order.outputs[0]);
        let prices = (trade.sell_price, trade.buy_price);
        ensure((ask.price, bid.price) == prices, || format!("trade {} has another price", trade.id))?;
        let limit = |seq: Seq| signed.get(&seq).map(|hold| hold.order.price).ok_or("nobody signed it");
        let (least, most) = (limit(ask.seq)?, limit(bid.seq)?);
        ensure(least <= ask.price && bid.price <= most, || {
            format!("trade {} at {prices:?} is outside [{least}, {most}]", trade.id)
        })?;
    }
    Ok(())
}

/// What was agreed in the slot, by trade.
fn agreed(world: &World, at: At) -> BTreeMap<u32, TradeOrder> {
    let leaves = world.chain.leaves(at, Stage::Matching);
    let orders = leaves.iter().map(|leaf| TradeOrder::decode(&mut &leaf[..]).expect("a trade order"));
    orders.map(|order| (order.trade, order)).collect()
}

fn holds(world: &World, at: At) -> BTreeMap<Seq, HoldRecord> {
    let key = slot_key(at);
    let rows = world.chain.archived(tables::HOLD).filter(|row| row.key.starts_with(&key));
    let holds = rows.map(|row| HoldRecord::decode(&mut &row.value[..]).expect("a hold"));
    holds.map(|hold| (hold.order.seq, hold)).collect()
}

/// What was held for the orders behind a meter's trades is no less than what these trades and the meter's deviations cost,
/// whatever else its owner has. A seller's fee comes out of what the seller is paid.
fn holds_cover_the_worst(world: &World, at: At, record: &SettleRecord) -> Result<(), String> {
    let (orders, holds) = (agreed(world, at), holds(world, at));
    let mut held: BTreeMap<MeterId, u128> = BTreeMap::new();
    let mut due: BTreeMap<MeterId, u128> = BTreeMap::new();
    for (trade, settled) in record.input.trades.iter().zip(&record.report.settled) {
        let order = &orders[&trade.id];
        for (meter, leg) in [(trade.sell_meter, &order.inputs[0]), (trade.buy_meter, &order.outputs[0])] {
            let hold = &holds[&leg.seq];
            let part =
                hold.amount.units() * u128::from(trade.energy.wh()) / u128::from(hold.order.energy.wh());
            *held.entry(meter).or_default() += part;
        }
        let [buyers, sellers] = [trade.fee.buyer, trade.fee.seller].map(|fee| fee.times(*settled).units());
        let energy = of_trade(record, trade.id, kinds::ENERGY);
        ensure(sellers <= energy, || format!("trade {}: a fee of {sellers} out of {energy}", trade.id))?;
        let surplus = of_trade(record, trade.id, kinds::SURPLUS);
        *due.entry(trade.buy_meter).or_default() += energy + surplus + buyers;
    }
    for line in record.report.transfers.iter().filter(|line| line.kind == kinds::DEVIATION) {
        let meter = line.meter.ok_or("a deviation of no meter")?;
        *due.entry(meter).or_default() += line.amount.units();
    }
    for (meter, due) in due {
        let held = held.get(&meter).copied().unwrap_or_default();
        ensure(due <= held, || format!("meter {meter}: {held} was held, {due} is due"))?;
    }
    Ok(())
}

/// Peers, pool, grid and deviations are paid in full: what was held for the orders covers them, whatever was delivered.
fn holds_suffice(world: &World, at: At, record: &SettleRecord) -> Result<(), String> {
    let covered = |kind: u8| matches!(kind, kinds::ENERGY | kinds::SURPLUS | kinds::FEE | kinds::DEVIATION);
    let mut due: Vec<_> = record.report.transfers.iter().filter(|transfer| covered(transfer.kind)).collect();
    let paid = paid(world, at);
    for line in paid.iter().filter(|line| covered(line.kind)) {
        let same = |transfer: &&Transfer| {
            (transfer.kind, transfer.trade, transfer.meter) == (line.kind, line.trade, line.meter)
                && transfer.amount == line.amount
        };
        let found = due.iter().position(same);
        due.swap_remove(found.ok_or_else(|| format!("{line:?} is not what was due"))?);
    }
    ensure(due.is_empty(), || format!("a hold was too small: {due:?} is not paid in full"))
}

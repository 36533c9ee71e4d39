//! Stages 6 and 7: energies follow from the list that won, the settlement rule computes the payments, the
//! referee checks them, and they happen together, exactly once. Slots of a market settle in order, because a
//! slot's energy starts where the slot before ended.

use super::deposits::{self, Backing};
use super::money::{pay_what_is_there, release_all, step_fee};
use super::slots::{self, Step};
use super::{
    At, BOOK, BookEntry, Error, Event, FUNDINGS, Live, Market, PostedList, READINGS, RECORDS, REFUNDS,
    Registers, SEALED, SettleFailure, SlotState, TRADES, TradeEntry, confirm, continuous, curtailment,
    joining, lists, live, market, meters, receivables, records, refunds, rules,
};
use crate::archive::{ArchiveEntry, SettleRecord};
use crate::context::Context;
use crate::leaves::Leaves;
use crate::modules::{attestation, balances, registry};
use crate::referee;
use contract_interface::{
    CertifiedTrade, INTERFACE, MeterSlot, NetPosition, Party, SettleInput, SettlementReport, Stage, Transfer,
    TransferRecord, kinds,
};
use runtime_primitives::limits::SETTLE_GAS_MAX;
use runtime_primitives::{AccountId, Energy, EntityId, Gas, Hash, Money};
use runtime_state::Overlay;
use std::collections::BTreeMap;

/// Hours of patience before a settlement that failed is tried again.
const RETRY_MS: u64 = 3_600_000;

/// The confirmed trades of a slot in clearing order; none if they are void.
pub fn certified(state: &Overlay, live: &Live) -> Vec<CertifiedTrade> {
    if live.slot.void.is_some() {
        return Vec::new();
    }
    let entries = TRADES.load(state, live.at, live.slot.trades);
    let places = confirm::places(state, live);
    let feeder = |meter| registry::METERS.get(state, &meter).expect("a traded meter is registered").feeder;
    let fee = |seller, buyer| match live.terms.fees.is_empty() {
        true => live.terms.rates.fee,
        false => live.terms.fee(feeder(seller), feeder(buyer)),
    };
    let confirmed = (0u32..).zip(entries).filter(|(_, entry)| entry.is_confirmed());
    confirmed
        .map(|(id, entry)| {
            let (buy, sell) = confirm::parties(&places, &entry);
            CertifiedTrade {
                id,
                buy_meter: buy.order.meter,
                sell_meter: sell.order.meter,
                energy: entry.trade.energy,
                buy_price: entry.trade.buy_price,
                sell_price: entry.trade.sell_price,
                fee: fee(sell.order.meter, buy.order.meter),
            }
        })
        .collect()
}

/// Anybody may ask for a settlement that is due.
///
/// # Errors
/// [`Error::NotCertified`], [`Error::AlreadySettled`], [`Error::NotDue`].
pub fn request(ctx: &mut Context, at: At) -> Result<(), Error> {
    let mut live = live(&ctx.state, at)?;
    let slot = live.at.1;
    let until = match (live.slot.state, live.slot.due) {
        (SlotState::Settled, _) => return Err(Error::AlreadySettled(slot)),
        (SlotState::Payable, Some(until)) => until,
        (SlotState::Payable, None) => live.slot.entered_at,
        (state, _) => return Err(Error::NotCertified { slot, state }),
    };
    if ctx.env.now < until || live.slot.waiting {
        return Err(Error::NotDue { slot, until });
    }
    let now = ctx.env.now;
    slots::set_due(ctx, &mut live, Some(now));
    Ok(())
}

/// Settle a payable slot.
pub(super) fn step(ctx: &mut Context, live: &mut Live) -> Step {
    let market = market(&ctx.state, live.at.0).expect("a slot has a market");
    let refunding = REFUNDS.contains(&ctx.state, &live.at.0);
    if refunding || !earlier_is_settled(&ctx.state, live, &market) {
        live.slot.waiting = true;
        slots::set_due(ctx, live, None);
        return Step::Light;
    }
    if ctx.market_gas_left < Gas::from_units(SETTLE_GAS_MAX) {
        return Step::Postponed;
    }
    let (input, registers) = input(ctx, live);
    let codes = [live.terms.settlement, market.default_settlement];
    for code in codes {
        match attempt(ctx, live, code, &input) {
            Ok((report, gas)) => {
                // A slot that delivered is paid even if the operator's deposit is empty.
                step_fee(ctx, live.at, gas);
                let record = SettleRecord { code, input, report, gas };
                let positions = pay_all(ctx, live, &market, &record);
                finish(ctx, live, &registers, record);
                refunds::tally(ctx, live, positions.values());
                let to_come = deposits::terms_to_come(&ctx.state, &market).expect("the market runs");
                for entity in positions.keys() {
                    deposits::credited(ctx, live.at.0, &to_come, *entity);
                }
                deposits::prefund(ctx, live.at, &market, &to_come);
                refunds::begin(ctx, live, &market);
                return Step::Heavy;
            }
            Err(failure) => {
                let (market, slot) = live.at;
                ctx.emit(Event::SettlementFailed { market, slot, code, failure });
            }
        }
    }
    let retry = ctx.env.now.plus_ms(RETRY_MS);
    slots::set_due(ctx, live, Some(retry));
    Step::Heavy
}

fn earlier_is_settled(state: &Overlay, live: &Live, market: &Market) -> bool {
    let before = slots::predecessor(market.first_slot, live.at.1);
    before.is_none_or(|slot| {
        let record = super::SLOTS.get(state, &(live.at.0, slot));
        record.is_some_and(|record| record.state == SlotState::Settled)
    })
}

fn attempt(
    ctx: &mut Context,
    live: &Live,
    code: Hash,
    input: &SettleInput,
) -> Result<(SettlementReport, Gas), SettleFailure> {
    let run = rules::settle(ctx, &code, input);
    ctx.market_gas_left = ctx.market_gas_left.saturating_sub(run.gas);
    let report = run.answer.map_err(SettleFailure::from)?;
    referee::check_settlement(input, &report).map_err(SettleFailure::Refused)?;
    debug_assert_eq!(input.slot, live.at.1);
    Ok((report, run.gas))
}

/// The rule's input, and the registers of all meters once the slot is settled.
fn input(ctx: &Context, live: &Live) -> (SettleInput, Vec<Registers>) {
    let mut registers = meters::load_registers(&ctx.state, live.at.0);
    let chosen = chosen_list(&ctx.state, live);
    let chosen = chosen.expect("a payable slot has chosen a posted list");
    let slots = use_up(&ctx.state, live, &chosen.revisions, &mut registers);
    (input_of(&ctx.state, live, slots), registers)
}

/// What settlement of `live` by `list` would be given: for voters, who decide before earlier slots are settled.
/// Earlier slots count by the list that won or, while their vote runs, by everybody's latest reading.
pub fn preview(state: &Overlay, live: &Live, list: &PostedList) -> SettleInput {
    let mut registers = meters::load_registers(state, live.at.0);
    let market = market(state, live.at.0).expect("a slot has a market");
    let mut earlier = Vec::new();
    let mut at = live.at;
    while let Some(before) = slots::predecessor(market.first_slot, at.1) {
        at.1 = before;
        match super::live(state, at) {
            Ok(live) if live.slot.state != SlotState::Settled => earlier.push(live),
            _ => break,
        }
    }
    for live in earlier.iter().rev() {
        let chosen = chosen_list(state, live);
        let revisions = chosen.map_or_else(|| lists::latest(state, live).1, |list| list.revisions);
        use_up(state, live, &revisions, &mut registers);
    }
    let slots = use_up(state, live, &list.revisions, &mut registers);
    input_of(state, live, slots)
}

fn chosen_list(state: &Overlay, live: &Live) -> Option<PostedList> {
    live.slot.chosen.and_then(|hash| lists::find(state, live.at, &hash))
}

/// The slot's energies by the readings of these revisions; raises the certified registers to them.
fn use_up(state: &Overlay, live: &Live, revisions: &[u16], registers: &mut [Registers]) -> Vec<MeterSlot> {
    let mut slots = Vec::with_capacity(revisions.len());
    let all = meters::all_posted(state, live);
    for (((meter, readings), revision), own) in
        meters::meters_of(state, live).into_iter().zip(all).zip(revisions).zip(registers)
    {
        let reading = readings.iter().find(|posted| posted.revision == *revision);
        let reading = reading.expect("a posted list names posted readings");
        let registered = registry::METERS.get(state, &meter).expect("a listed meter is registered");
        let shown = (reading.import_wh, reading.export_wh);
        joining::drop_earlier(own, live.at.1, shown, live.terms.capacity(registered.p_max_w));
        let certified = &mut own.certified;
        slots.push(MeterSlot {
            meter,
            entity: registered.entity,
            import_wh: reading.import_wh.saturating_sub(certified.0),
            export_wh: reading.export_wh.saturating_sub(certified.1),
            curtailed: false,
        });
        *certified = (certified.0.max(reading.import_wh), certified.1.max(reading.export_wh));
        if !reading.substituted {
            own.read = shown;
            own.read_to = slots::after(live.at.1);
        }
    }
    slots
}

fn input_of(state: &Overlay, live: &Live, mut meters: Vec<MeterSlot>) -> SettleInput {
    let trades = certified(state, live);
    curtailment::exempt(state, live.at, &trades, &mut meters);
    SettleInput {
        interface: INTERFACE,
        market: live.at.0,
        slot: live.at.1,
        rates: live.terms.rates,
        trades,
        meters,
    }
}

/// Make the payments: what holds cover first, then what comes from free money. What is missing is owed, and spends the
/// record of stage 7 when it is paid: its leaves are what was paid of what the settlement's report asked for.
fn pay_all(
    ctx: &mut Context,
    live: &Live,
    market: &Market,
    record: &SettleRecord,
) -> BTreeMap<EntityId, NetPosition> {
    let mut positions: BTreeMap<EntityId, NetPosition> = BTreeMap::new();
    tally_energy(&mut positions, record);
    let mut lines = Vec::new();
    let mut moved = Money::ZERO;
    let mut energy_records = BTreeMap::new();
    let payments = Payments::of(&ctx.state, live, market);
    let mut debts = Vec::new();
    let from_holds = |transfer: &&Transfer| !matches!(transfer.kind, kinds::FEED_IN | kinds::RETAIL);
    let transfers = &record.report.transfers;
    let first = transfers.iter().filter(|transfer| from_holds(transfer));
    for transfer in first.chain(transfers.iter().filter(|transfer| !from_holds(transfer))) {
        let wanted = payments.describe(&ctx.state, transfer, &energy_records);
        let paid = match party_entity(market, transfer.from) {
            Some(payer) => {
                let backing = Backing::of(live.at.0, transfer);
                let (paid, missing) = pay_what_is_there(ctx, live.at, payer, &wanted, backing);
                debts.push((payer, wanted.payee, missing));
                paid
            }
            None => balances::transfer(ctx, &wanted).is_ok().then_some(wanted),
        };
        let Some(paid) = paid else { continue };
        if let (kinds::ENERGY, Some(trade)) = (paid.kind, paid.trade) {
            energy_records.insert(trade, paid.hash());
        }
        credit(&mut positions, market, transfer, paid.amount);
        moved = moved.saturating_add(paid.amount);
        lines.push(paid);
    }
    records::record_all(ctx, Leaves::of(live.at, Stage::Clearing, positions.values()));
    let leaves = Leaves::of(live.at, Stage::Settlement, &lines);
    let transfers = leaves.len();
    records::record_all(ctx, leaves);
    let record = RECORDS.get(&ctx.state, &(live.at.0, live.at.1, Stage::Settlement));
    let origin = record.expect("it was just recorded").hash();
    for (debtor, creditor, missing) in debts.into_iter().filter(|(.., missing)| !missing.is_zero()) {
        receivables::owe(ctx, debtor, creditor, missing, origin);
    }
    ctx.emit(Event::Settled { market: live.at.0, slot: live.at.1, transfers, amount: moved });
    positions
}

const fn empty(entity: EntityId) -> NetPosition {
    NetPosition { entity, bought: Energy::ZERO, sold: Energy::ZERO, received: Money::ZERO, paid: Money::ZERO }
}

fn tally_energy(positions: &mut BTreeMap<EntityId, NetPosition>, record: &SettleRecord) {
    let owners: BTreeMap<_, _> =
        record.input.meters.iter().map(|meter| (meter.meter, meter.entity)).collect();
    for (trade, settled) in record.input.trades.iter().zip(&record.report.settled) {
        if let Some(buyer) = owners.get(&trade.buy_meter) {
            let position = positions.entry(*buyer).or_insert_with(|| empty(*buyer));
            position.bought = position.bought.saturating_add(*settled);
        }
        if let Some(seller) = owners.get(&trade.sell_meter) {
            let position = positions.entry(*seller).or_insert_with(|| empty(*seller));
            position.sold = position.sold.saturating_add(*settled);
        }
    }
}

fn credit(
    positions: &mut BTreeMap<EntityId, NetPosition>,
    market: &Market,
    transfer: &Transfer,
    amount: Money,
) {
    if let Some(payer) = party_entity(market, transfer.from) {
        let position = positions.entry(payer).or_insert_with(|| empty(payer));
        position.paid = position.paid.saturating_add(amount);
    }
    if let Some(payee) = party_entity(market, transfer.to) {
        let position = positions.entry(payee).or_insert_with(|| empty(payee));
        position.received = position.received.saturating_add(amount);
    }
}

const fn party_entity(market: &Market, party: Party) -> Option<EntityId> {
    match party {
        Party::Entity(id) => Some(id),
        Party::Retailer => Some(market.retailer),
        Party::Grid => Some(market.grid),
        Party::Pool => None,
    }
}

/// What payments of a slot are described by, read once for all of them.
struct Payments<'a> {
    at: At,
    market: &'a Market,
    trades: Vec<TradeEntry>,
    places: Vec<BookEntry>,
}

impl<'a> Payments<'a> {
    fn of(state: &Overlay, live: &Live, market: &'a Market) -> Self {
        let trades = TRADES.load(state, live.at, live.slot.trades);
        Self { at: live.at, market, trades, places: confirm::places(state, live) }
    }

    fn account(&self, state: &Overlay, party: Party) -> AccountId {
        let owner = |id| registry::entity(state, id).expect("parties are registered").owner;
        party_entity(self.market, party).map_or(self.market.pool, owner)
    }

    /// The record of a payment: who authorised it, and which record it spends (formula 6).
    fn describe(
        &self,
        state: &Overlay,
        transfer: &Transfer,
        energy_records: &BTreeMap<u32, Hash>,
    ) -> TransferRecord {
        let payer = self.account(state, transfer.from);
        let (spends, authorised_by) = match (transfer.trade, transfer.from) {
            (Some(trade), _) => {
                let entry = self.trades.get(trade as usize).expect("the referee checked the trade");
                let (buy, sell) = confirm::parties(&self.places, entry);
                match (transfer.kind, transfer.from) {
                    // A → B → C: the seller's fee spends what the seller was just paid.
                    (kinds::FEE, Party::Entity(payer)) if payer == sell.order.entity => {
                        let spent = energy_records.get(&trade).copied().unwrap_or(sell.hold);
                        (spent, sell.authorised_by)
                    }
                    _ => (buy.hold, buy.authorised_by),
                }
            }
            (None, from) => {
                let admitted_by = party_entity(self.market, from)
                    .and_then(|id| registry::entity(state, id).ok())
                    .map_or(Hash::ZERO, |entity| entity.admitted_by);
                (FUNDINGS.get_or_default(state, &payer), admitted_by)
            }
        };
        TransferRecord {
            slot: Some(self.at),
            payer,
            payee: self.account(state, transfer.to),
            amount: transfer.amount,
            kind: transfer.kind,
            trade: transfer.trade,
            meter: transfer.meter,
            spends,
            authorised_by,
        }
    }
}

/// Release what is left of the holds, keep the registers, drop the working set.
fn finish(ctx: &mut Context, live: &mut Live, registers: &[Registers], record: SettleRecord) {
    for entity in slots::holders(ctx, live) {
        release_all(ctx, live.at, entity);
    }
    meters::store_registers(&mut ctx.state, live.at.0, registers);
    ctx.archive(ArchiveEntry::settle(live.at, &record));
    let at = live.at;
    let state = &mut ctx.state;
    BOOK.clear(state, at, live.slot.next_seq.number());
    SEALED.clear(state, at, live.slot.next_seq.number());
    if rules::is_continuous(state, &live.terms) {
        continuous::forget(state, at, live.slot.next_seq.number());
    }
    TRADES.clear(state, at, live.slot.trades);
    for page in 0..live.slot.meters.div_ceil(meters::METERS_PER_PAGE) {
        READINGS.remove(state, &(at.0, at.1, page));
    }
    curtailment::forget(state, at);
    lists::forget(state, at);
    slots::unpin(state, at);
    attestation::forget(state, at);
    live.slot.waiting = false;
    slots::enter(ctx, live, SlotState::Settled, None);
}

/// The next slot settles now if it waited for the one at `at`.
pub(super) fn wake_next(ctx: &mut Context, at: At, market: &Market) {
    let next = slots::after(at.1);
    if next >= market.next_slot {
        return;
    }
    if let Ok(mut live) = live(&ctx.state, (at.0, next))
        && live.slot.waiting
    {
        live.slot.waiting = false;
        let now = ctx.env.now;
        slots::set_due(ctx, &mut live, Some(now));
    }
}

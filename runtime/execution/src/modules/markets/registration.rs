//! Markets are created and their terms scheduled: everything is checked before it can govern anybody's order.

use super::batch::Batch;
use super::{
    BadTerms, BadWindow, DEFAULT_SETTLEMENT, Error, Event, MARKETS, Market, NEXT_MARKET, Scheduled, TERMS,
    agreement, deposits, market, money, receivables, report_size, rules, terms,
};
use crate::context::Context;
use crate::modules::{balances, registry};
use crate::origin::Origin;
use crate::referee;
use contract_interface::{Descriptor, Op, Order, Pricing, Side, Terms, roles};
use runtime_primitives::limits::{
    BILLING_SLOTS_MAX, CLEAR_GAS_MAX, DEPOSIT_SLOTS_MAX, DISPUTE_S_MAX, FEEDER_FEES_MAX, MAX_ORDERS_PER_SLOT,
    OPEN_BEFORE_S_MAX, OPEN_SLOTS_MAX, ORDERS_PER_ENTITY_MAX, RECEIVABLES_PER_CREDIT, RULES_CHECK_GAS_MAX,
    SCHEDULE_MAX,
};
use runtime_primitives::{Energy, EntityId, Gas, Hash, MarketId, MeterId, Money, Seq, Slot, Timestamp};
use runtime_state::Overlay;
use scale_info::TypeInfo;

/// Notice that traders get before new terms govern a slot.
const NOTICE_MS: u64 = 24 * 3_600_000;

/// What a market operator asks for.
#[derive(Clone, Debug, PartialEq, Eq, parity_scale_codec::Encode, parity_scale_codec::Decode, TypeInfo)]
pub struct NewMarket {
    /// Backstop supplier; has the retailer role.
    pub retailer: EntityId,
    /// Grid operator; has that role.
    pub grid: EntityId,
    /// Meter operator; has that role.
    pub meter_operator: EntityId,
    /// First slot to open.
    pub first_slot: Slot,
    /// Deposit for market steps.
    pub deposit: Money,
    /// Terms of the first slots.
    pub terms: Terms,
}

/// Create a market. By an entity with the market operator role. It runs once its parties agree to its terms.
///
/// # Errors
/// One per rule; see [`Error`].
pub fn create(ctx: &mut Context, origin: &Origin, new: NewMarket) -> Result<MarketId, crate::DispatchError> {
    registry::ensure_role(ctx, origin, roles::MARKET_OPERATOR)?;
    let operator = origin.entity()?;
    for (entity, needed) in [
        (new.retailer, roles::RETAILER),
        (new.grid, roles::GRID_OPERATOR),
        (new.meter_operator, roles::METER_OPERATOR),
    ] {
        if registry::entity(&ctx.state, entity)?.roles & needed == 0 {
            return Err(Error::PartyRole { entity, needed }.into());
        }
    }
    check_terms(ctx, &new.terms)?;
    ensure_ahead(&new.terms, new.first_slot, ctx.env.now)?;
    let id = NEXT_MARKET.get(&ctx.state).unwrap_or_default();
    NEXT_MARKET.put(&mut ctx.state, &MarketId::from_number(id.number() + 1));
    let mut market = Market {
        operator,
        retailer: new.retailer,
        grid: new.grid,
        meter_operator: new.meter_operator,
        pool: money::pool_account(id),
        deposit: Money::ZERO,
        default_settlement: Hash::ZERO,
        first_slot: new.first_slot,
        next_slot: new.first_slot,
        schedule: Vec::new(),
        last_declaration: Hash::ZERO,
    };
    money::take_deposit(ctx, &mut market, new.deposit)?;
    ctx.emit(Event::MarketCreated { market: id, operator });
    offer(ctx, id, &mut market, new.first_slot, &new.terms)?;
    Ok(id)
}

/// Put a market's first terms before its parties; without any it runs at once.
fn offer(ctx: &mut Context, id: MarketId, market: &mut Market, slot: Slot, new: &Terms) -> Result<(), Error> {
    let (terms, awaits) = (new.hash(), market.parties());
    (market.first_slot, market.next_slot) = (slot, slot);
    market.default_settlement = DEFAULT_SETTLEMENT.get(&ctx.state).unwrap_or(new.settlement);
    for replaced in std::mem::take(&mut market.schedule) {
        tell_replaced(ctx, id, &replaced);
    }
    market.schedule = vec![Scheduled::asking(slot, terms, &awaits)];
    TERMS.put(&mut ctx.state, &terms, new);
    ctx.emit(Event::TermsScheduled { market: id, slot, terms, awaits });
    if market.is_agreed() {
        agreement::begin(ctx, id, market)?;
    }
    MARKETS.put(&mut ctx.state, &id, market);
    Ok(())
}

/// The gate of a market's first slot is ahead.
fn ensure_ahead(terms: &Terms, slot: Slot, now: Timestamp) -> Result<(), Error> {
    if next_gate(terms, now).is_none_or(|next| slot < next) {
        return Err(Error::FirstSlotPassed(slot));
    }
    Ok(())
}

/// The first slot whose gate is ahead at `now`; `None` if slot numbers do not reach that far.
pub fn next_gate(terms: &Terms, now: Timestamp) -> Option<Slot> {
    let reach = now.plus_ms(u64::from(terms.windows.gate_before_s) * 1_000);
    let number = match reach.ms().checked_sub(terms.slot_zero.ms()) {
        None => 0,
        Some(since) => since / terms.slot_ms() + 1,
    };
    u32::try_from(number).ok().map(Slot::from_number)
}

/// A market whose operator's owner signs.
///
/// # Errors
/// Unknown market, another scope, [`Error::NotOperator`].
fn operated(ctx: &Context, origin: &Origin, id: MarketId) -> Result<Market, crate::DispatchError> {
    let market = market(&ctx.state, id)?;
    registry::ensure_scope(origin, registry::scopes::OWNER)?;
    match market.operator {
        operator if origin.entity()? == operator => Ok(market),
        operator => Err(Error::NotOperator { market: id, operator }.into()),
    }
}

/// Schedule new terms from `slot` on. By the market's operator, at least 24 h ahead of the slot's delivery and
/// before it opens. Terms that bind its parties otherwise than the agreed ones before them wait for their agreement, and
/// never take the place of terms that are agreed for the same slot. What is scheduled for other slots stands. Before a
/// market runs, they replace those that it was created with.
///
/// # Errors
/// One per rule; see [`Error`].
pub fn schedule(
    ctx: &mut Context,
    origin: &Origin,
    id: MarketId,
    slot: Slot,
    new: &Terms,
) -> Result<(), crate::DispatchError> {
    let mut market = operated(ctx, origin, id)?;
    let current = terms(&ctx.state, &market.schedule.last().expect("a market has terms").terms);
    let grid = |terms: &Terms| (terms.slot_minutes, terms.slot_zero, terms.billing_slots);
    if grid(new) != grid(&current) {
        return Err(Error::BadTerms(BadTerms::Grid).into());
    }
    if !market.is_agreed() {
        ensure_ahead(new, slot, ctx.env.now)?;
        check_terms(ctx, new)?;
        return Ok(offer(ctx, id, &mut market, slot, new)?);
    }
    if earliest_change(&market, new, ctx.env.now).is_none_or(|earliest| slot < earliest) {
        return Err(Error::TermsTooLate { slot }.into());
    }
    check_terms(ctx, new)?;
    let before = market.governing(slot).expect("a market that runs has agreed terms");
    let is_bound = agreement::binds_alike(&terms(&ctx.state, &before.terms), new);
    if before.from == slot && !is_bound {
        return Err(Error::SlotAgreed { slot, terms: before.terms }.into());
    }
    let replaced: Vec<_> = market.schedule.extract_if(.., |scheduled| scheduled.from == slot).collect();
    if market.schedule.len() >= SCHEDULE_MAX as usize {
        forget_past(&ctx.state, id, &mut market);
    }
    if market.schedule.len() >= SCHEDULE_MAX as usize {
        return Err(Error::ScheduleFull(SCHEDULE_MAX).into());
    }
    let awaits = if is_bound { Vec::new() } else { market.parties() };
    let hash = new.hash();
    let place = market.schedule.partition_point(|scheduled| scheduled.from < slot);
    let mut scheduled = Scheduled::asking(slot, hash, &awaits);
    // Terms that bind alike take the place of agreed ones with all that was agreed.
    if let Some(agreed) = replaced.iter().find(|replaced| replaced.is_agreed()) {
        scheduled.consents.clone_from(&agreed.consents);
    }
    market.schedule.insert(place, scheduled);
    TERMS.put(&mut ctx.state, &hash, new);
    MARKETS.put(&mut ctx.state, &id, &market);
    replaced.iter().for_each(|replaced| tell_replaced(ctx, id, replaced));
    ctx.emit(Event::TermsScheduled { market: id, slot, terms: hash, awaits });
    Ok(())
}

/// Take scheduled terms back that some party has not agreed to, wherever they are scheduled. By the market's operator.
///
/// # Errors
/// Unknown market, another signer, [`Error::NotScheduled`], [`Error::TermsStand`], [`Error::OnlyTerms`].
pub fn withdraw_terms(
    ctx: &mut Context,
    origin: &Origin,
    id: MarketId,
    hash: Hash,
) -> Result<(), crate::DispatchError> {
    let mut market = operated(ctx, origin, id)?;
    if !market.is_agreed() {
        return Err(Error::OnlyTerms(id).into());
    }
    if market.schedule.iter().all(|scheduled| scheduled.terms != hash) {
        return Err(Error::NotScheduled { market: id, terms: hash }.into());
    }
    let waits = |scheduled: &mut Scheduled| scheduled.terms == hash && !scheduled.is_agreed();
    let withdrawn: Vec<_> = market.schedule.extract_if(.., waits).collect();
    if withdrawn.is_empty() {
        return Err(Error::TermsStand { market: id, terms: hash }.into());
    }
    MARKETS.put(&mut ctx.state, &id, &market);
    for Scheduled { from, .. } in withdrawn {
        ctx.emit(Event::TermsWithdrawn { market: id, slot: from, terms: hash });
    }
    Ok(())
}

/// What was scheduled is not any more, and who agreed to it before all had is told that this is void.
fn tell_replaced(ctx: &mut Context, market: MarketId, replaced: &Scheduled) {
    let void = if replaced.is_agreed() { Vec::new() } else { replaced.agreed() };
    let (slot, terms, agreed) = (replaced.from, replaced.terms, void);
    ctx.emit(Event::TermsReplaced { market, slot, terms, agreed });
}

/// Terms that govern no slot that is to be opened or settled any more: deposits are held by all others.
fn forget_past(state: &Overlay, id: MarketId, market: &mut Market) {
    let oldest = deposits::oldest_unsettled(state, id, market);
    let governs = |scheduled: &Scheduled| scheduled.from <= oldest && scheduled.is_agreed();
    let past = market.schedule.iter().rposition(governs);
    market.schedule.drain(..past.unwrap_or_default());
}

/// The first slot that terms published at `now` may govern; `None` if slot numbers do not reach that far.
pub fn earliest_change(market: &Market, new: &Terms, now: Timestamp) -> Option<Slot> {
    let ms = now.plus_ms(NOTICE_MS).ms().saturating_sub(new.slot_zero.ms());
    let noticed = Slot::from_number(u32::try_from(ms.div_ceil(new.slot_ms())).ok()?);
    Some(noticed.max(market.next_slot))
}

/// Add to the operator's deposit.
///
/// # Errors
/// Unknown market, another signer, insufficient balance.
pub fn top_up(
    ctx: &mut Context,
    origin: &Origin,
    id: MarketId,
    amount: Money,
) -> Result<(), crate::DispatchError> {
    let mut market = operated(ctx, origin, id)?;
    money::take_deposit(ctx, &mut market, amount)?;
    MARKETS.put(&mut ctx.state, &id, &market);
    Ok(())
}

/// The operator takes its deposit back from a market that does not run. What it owes is paid from it first.
///
/// # Errors
/// Unknown market, another signer, [`Error::DepositInUse`], [`Error::NoDeposit`].
pub fn take_back(ctx: &mut Context, origin: &Origin, id: MarketId) -> Result<(), crate::DispatchError> {
    let mut market = operated(ctx, origin, id)?;
    if market.is_agreed() {
        return Err(Error::DepositInUse(id).into());
    }
    let amount = std::mem::take(&mut market.deposit);
    if amount.is_zero() {
        return Err(Error::NoDeposit(id).into());
    }
    let owner = registry::entity(&ctx.state, market.operator)?.owner;
    balances::unreserve(ctx, &owner, amount);
    MARKETS.put(&mut ctx.state, &id, &market);
    ctx.emit(Event::DepositTakenBack { market: id, amount });
    receivables::collect(ctx, market.operator, RECEIVABLES_PER_CREDIT);
    Ok(())
}

fn check_terms(ctx: &mut Context, terms: &Terms) -> Result<(), Error> {
    if let Some(&fault) = faults(terms).first() {
        return Err(Error::BadTerms(fault));
    }
    rules::describe(ctx, &terms.bid)?;
    rules::describe(ctx, &terms.settlement)?;
    for code in [terms.matching, terms.fallback] {
        let rule = rules::describe(ctx, &code)?;
        let (wanted, max) = (terms.limits.orders_per_slot, rule.max_orders);
        if wanted > max {
            return Err(Error::TooManyForRule { wanted, max });
        }
        if rule.continuous && terms.is_sealed() {
            return Err(Error::BadTerms(BadTerms::SealedContinuous));
        }
    }
    let rule = rules::describe(ctx, &terms.matching)?;
    let fallback = rules::describe(ctx, &terms.fallback)?;
    if rule.continuous != fallback.continuous {
        return Err(Error::FallbackKind { rule: rule.continuous });
    }
    if rule.continuous && rule.min_energy {
        return Err(Error::ContinuousMinimum);
    }
    let two_prices = [&rule, &fallback].into_iter().any(|rule| rule.pricing == Pricing::TwoPrice);
    let (wanted, most) = (terms.limits.orders_per_slot, report_size::orders_most(terms, two_prices));
    if wanted > most {
        return Err(Error::ReportTooLong { wanted, most });
    }
    check_worst_cases(ctx, terms, [(terms.matching, &rule), (terms.fallback, &fallback)])
}

/// Every rule that figures of `terms` break, in the order of [`BadTerms`]; none if they can govern a market with
/// rules that are on chain.
pub fn faults(terms: &Terms) -> Vec<BadTerms> {
    let (windows, limits, rates) = (terms.windows, terms.limits, terms.rates);
    let mut faults = Vec::new();
    let mut ensure = |ok: bool, fault| {
        if !ok {
            faults.push(fault);
        }
    };
    ensure((1..=1_440).contains(&terms.slot_minutes), BadTerms::SlotMinutes);
    let window = |ok, fault| (ok, BadTerms::Windows(fault));
    let slot_s = u32::from(terms.slot_minutes.max(1)) * 60;
    let consent_s = windows.gate_before_s.saturating_sub(windows.certify_before_s);
    let earliest_s = OPEN_BEFORE_S_MAX.min(OPEN_SLOTS_MAX.saturating_mul(slot_s));
    for (ok, fault) in [
        window(windows.open_before_s > windows.gate_before_s, BadWindow::OpenAfterGate),
        window(windows.gate_before_s > windows.certify_before_s, BadWindow::GateAfterCertification),
        window(windows.confirm_s <= consent_s, BadWindow::ConfirmationTooLong),
        window(windows.readings_s < windows.voting_s, BadWindow::VotingBeforeReadings),
        window(windows.voting_s < windows.objection_s, BadWindow::ObjectionBeforeVoting),
        window(windows.objection_s < windows.dispute_s, BadWindow::DisputeBeforeObjection),
        window(windows.dispute_s <= DISPUTE_S_MAX, BadWindow::DisputeTooLong),
        window(windows.open_before_s <= earliest_s, BadWindow::OpenTooEarly),
        window(windows.readings_s <= slot_s, BadWindow::ReadingsTooLong),
    ] {
        ensure(ok, fault);
    }
    ensure(!terms.is_sealed() || windows.reveal_s < windows.confirm_s, BadTerms::Sealed);
    ensure(!limits.tick_size.is_zero(), BadTerms::Tick);
    ensure((1..=BILLING_SLOTS_MAX).contains(&terms.billing_slots), BadTerms::BillingSlots);
    ensure(terms.deposit_slots <= DEPOSIT_SLOTS_MAX, BadTerms::DepositSlots);
    ensure(terms.fees.len() <= FEEDER_FEES_MAX, BadTerms::TooManyFees);
    ensure(terms.fees.is_sorted_by(|a, b| a.pair() < b.pair()), BadTerms::FeeOrder);
    let fee = terms.highest_fee();
    let highest = rates.retail.checked_sub(fee.buyer);
    ensure(
        rates.feed_in <= limits.price_min
            && limits.price_min <= limits.price_max
            && highest.is_some_and(|highest| limits.price_max <= highest),
        BadTerms::PriceBounds,
    );
    ensure(rates.deviation <= rates.retail, BadTerms::Deviation);
    ensure(!terms.is_sealed() || !rates.deviation.is_zero(), BadTerms::SealedFree);
    // Less, and a seller could net less than the retailer would have paid it.
    let least = rates.feed_in.saturating_add(fee.seller);
    ensure(fee.seller.is_zero() || limits.price_min >= least, BadTerms::SellerFee);
    ensure(
        (1..=MAX_ORDERS_PER_SLOT).contains(&limits.orders_per_slot)
            && (1..=ORDERS_PER_ENTITY_MAX).contains(&limits.orders_per_entity),
        BadTerms::Counts,
    );
    faults
}

/// A full book in which everything crosses must clear inside the gas limit, by the rule and by its fallback: what only
/// stands in clears the same books. Both runs come out of what the block has for market steps.
fn check_worst_cases(ctx: &mut Context, terms: &Terms, rules: [(Hash, &Descriptor); 2]) -> Result<(), Error> {
    let book = worst_book(terms);
    let mut left = Gas::from_units(RULES_CHECK_GAS_MAX);
    for (index, (code, rule)) in rules.into_iter().enumerate() {
        if index > 0 && code == rules[0].0 {
            continue;
        }
        let limit = left.min(Gas::from_units(CLEAR_GAS_MAX));
        let (gas, is_sound) = run_worst_case(ctx, terms, (code, rule), &book, limit);
        left = left.saturating_sub(gas);
        ctx.market_gas_left = ctx.market_gas_left.saturating_sub(gas);
        if !is_sound {
            return Err(Error::WorstCase(terms.limits.orders_per_slot, code));
        }
    }
    Ok(())
}

/// Gives the gas of the run, and whether the referee passes what came of it.
fn run_worst_case(
    ctx: &Context,
    terms: &Terms,
    (code, rule): (Hash, &Descriptor),
    orders: &[Order],
    limit: Gas,
) -> (Gas, bool) {
    let params = terms.clear_params(MarketId::ZERO, Slot::ZERO, 0);
    if rule.continuous {
        let batch = worst_batch(orders);
        let run = rules::clear_within(ctx, &code, &batch.input(&params), limit);
        let judged = |clearing| referee::check_batch(&batch.resting, &batch.ops, &clearing).is_ok();
        return (run.gas, run.answer.is_ok_and(judged));
    }
    let input = rules::clear_input(&params, orders);
    let run = rules::clear_within(ctx, &code, &input, limit);
    let judged = |clearing| referee::check_clearing(rule, orders, &clearing).is_ok();
    (run.gas, run.answer.is_ok_and(judged))
}

/// Asks that rest, bids that all arrive in one batch.
fn worst_batch(orders: &[Order]) -> Batch {
    let (bids, resting): (Vec<Order>, Vec<Order>) = orders.iter().partition(|order| order.side == Side::Buy);
    let behind = super::clearing::count(orders.len());
    let arrive =
        |order: Order| Op::New(Order { seq: Seq::from_number(behind + order.seq.number()), ..order });
    Batch { resting, ops: bids.into_iter().map(arrive).collect() }
}

/// Half bids, half asks, all crossing, no two of the same size, arriving in the worst order for a sort.
fn worst_book(terms: &Terms) -> Vec<Order> {
    let (low, high) = (terms.limits.price_min, terms.limits.price_max);
    let order = |number: u32| {
        let side = if number.is_multiple_of(2) { Side::Buy } else { Side::Sell };
        Order {
            seq: Seq::from_number(number),
            entity: EntityId::from_number(number),
            meter: MeterId::from_number(number),
            side,
            energy: Energy::from_wh(1_000 + u64::from(number.wrapping_mul(7_919) % 997)),
            min_energy: Energy::ZERO,
            price: if side == Side::Buy { high } else { low },
            flags: 0,
            partner: EntityId::ZERO,
        }
    };
    (0..terms.limits.orders_per_slot).map(order).collect()
}

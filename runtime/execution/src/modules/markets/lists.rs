//! Stage 5: execution lists are posted and voted on. A list selects among signed readings; energies follow
//! from them, so a majority can choose a reading, never invent one.

use super::slots;
use super::{
    At, Error, Event, LIST_NUMBERS, LISTS, LISTS_OF, LISTS_POSTED, Live, PostedList, SlotState, TRADES, live,
    market, meters, readings,
};
use crate::archive::ArchiveEntry;
use crate::context::Context;
use crate::modules::attestation;
use crate::modules::registry::{self, scopes};
use crate::origin::Origin;
use contract_interface::{Claim, ExecutionEntry, ExecutionList, Stage, roles};
use parity_scale_codec::Encode;
use runtime_primitives::limits::EXECUTION_LISTS_MAX;
use runtime_primitives::{Energy, EntityId, Hash, MerkleAccumulator, MeterId};
use runtime_state::Overlay;
use std::collections::{BTreeMap, BTreeSet};

/// Round of the validators' choice in a dispute.
pub const DISPUTE_ROUND: u8 = 2;

/// End the wait for readings: substitutes fill the gaps, the vote opens.
pub fn open_vote(ctx: &mut Context, live: &mut Live) {
    let mut bought: BTreeMap<MeterId, Energy> = BTreeMap::new();
    for trade in super::settle::certified(&ctx.state, live) {
        let sum = bought.entry(trade.buy_meter).or_default();
        *sum = sum.saturating_add(trade.energy);
    }
    readings::substitute(ctx, live, |meter| bought.get(&meter).copied().unwrap_or_default());
    start_round(ctx, live);
}

/// A signed correction before payment: vote again, once; a second one is a dispute.
pub fn reopen(ctx: &mut Context, live: &mut Live) {
    live.slot.chosen = None;
    live.slot.waiting = false;
    if live.slot.round == 0 {
        live.slot.round = 1;
        start_round(ctx, live);
    } else {
        dispute(ctx, live);
    }
}

fn start_round(ctx: &mut Context, live: &mut Live) {
    let claim = claim(ctx, live, live.slot.round);
    if live.slot.round == 0 {
        let electorate = electorate(&ctx.state, live);
        attestation::open(ctx, claim, electorate, MerkleAccumulator::default());
    } else {
        attestation::open_again(ctx, claim);
    }
    let window = u64::from(live.terms.windows.voting_s) * 1_000;
    let end = live.terms.delivery_end(live.at.1).plus_ms(window);
    let readings = u64::from(live.terms.windows.readings_s) * 1_000;
    // A second round gets the time that the first had at least.
    let due = end.max(ctx.env.now.plus_ms(window - readings));
    slots::enter(ctx, live, SlotState::Voting, Some(due));
}

fn claim(ctx: &Context, live: &Live, round: u8) -> Claim {
    let pinned = slots::pinned(&ctx.state, live.at);
    Claim {
        market: live.at.0,
        slot: live.at.1,
        stage: Stage::Certification,
        round,
        code_hash: live.terms.settlement,
        input_root: live.slot.readings.root(),
        result_hash: Hash::ZERO,
        epoch: pinned.epoch,
        electorate_hash: Hash::ZERO,
    }
}

/// Entities with a voting key when the slot opened that trade in it, plus operators.
fn electorate(state: &Overlay, live: &Live) -> Vec<super::Elector> {
    let mut trading: BTreeSet<EntityId> = BTreeSet::new();
    if live.slot.void.is_none() {
        let places = super::confirm::places(state, live);
        for entry in TRADES.load(state, live.at, live.slot.trades) {
            if entry.is_confirmed() {
                let (buy, sell) = super::confirm::parties(&places, &entry);
                trading.extend([buy.order.entity, sell.order.entity]);
            }
        }
    }
    let voters = registry::voters_of(state, slots::pinned(state, live.at).roll);
    let eligible =
        voters.iter().filter(|voter| voter.roles & roles::OPERATORS != 0 || trading.contains(&voter.entity));
    eligible
        .map(|voter| super::Elector { entity: voter.entity, key: voter.key, proxy: voter.proxy })
        .collect()
}

/// Post an execution list: by the market's operator (the platform) or by an elector.
///
/// # Errors
/// One per rule; see [`Error`].
pub fn post(
    ctx: &mut Context,
    origin: &Origin,
    at: At,
    list: &ExecutionList,
) -> Result<(), crate::DispatchError> {
    registry::ensure_scope(origin, scopes::VOTE)?;
    let poster = origin.entity()?;
    let mut live = live(&ctx.state, at)?;
    if live.slot.state != SlotState::Voting {
        return Err(Error::NotVoting { slot: at.1, state: live.slot.state }.into());
    }
    let round = live.slot.round;
    let operator = market(&ctx.state, at.0)?.operator;
    let is_platform = operator == poster;
    if !is_platform && !attestation::is_elector(&ctx.state, at, Stage::Certification, round, poster) {
        return Err(Error::NotAPoster(poster).into());
    }
    let hash = list.hash();
    if is_posted(&ctx.state, at, &hash) {
        return Err(Error::ListPosted.into());
    }
    // Each poster has a quota of its own, so that nobody can crowd out the others.
    let own = LISTS_OF.get_or_default(&ctx.state, &(at.0, at.1, poster)).len();
    let limit = if is_platform { EXECUTION_LISTS_MAX } else { 1 + u32::from(round) };
    if own >= limit as usize {
        return Err(Error::TooManyLists(limit).into());
    }
    let revisions = resolve(&ctx.state, &live, list)?;
    keep(&mut ctx.state, at, &PostedList { hash, poster, revisions });
    ctx.archive(ArchiveEntry::list(at, &hash, list.encode()));
    ctx.emit(Event::ListPosted { market: at.0, slot: at.1, list: hash, poster });
    if attestation::passed(&ctx.state, at, Stage::Certification, round, &hash) {
        choose(ctx, &mut live, hash);
    }
    Ok(())
}

/// Post the execution list that `revisions` select, one for each meter of the slot in order; its hash is `named`, so
/// that nobody posts another list than it means to.
///
/// # Errors
/// [`Error::ListIncomplete`], [`Error::UnpostedReading`], [`Error::SelectsAnother`]; as [`post`].
pub fn post_revisions(
    ctx: &mut Context,
    origin: &Origin,
    at: At,
    named: Hash,
    revisions: &[u16],
) -> Result<(), crate::DispatchError> {
    let list = select(&ctx.state, &live(&ctx.state, at)?, revisions)?;
    let selected = list.hash();
    if selected != named {
        return Err(Error::SelectsAnother { named, selected }.into());
    }
    post(ctx, origin, at, &list)
}

/// The list that names these revisions, one for each meter of the slot in order.
fn select(state: &Overlay, live: &Live, revisions: &[u16]) -> Result<ExecutionList, Error> {
    let (expected, got) = (live.slot.meters, revisions.len());
    if got != expected as usize {
        return Err(Error::ListIncomplete { expected, got: u32::try_from(got).unwrap_or(u32::MAX) });
    }
    let meters = meters::meters_of(state, live).into_iter().zip(meters::all_posted(state, live));
    let entry = |((meter, posted), revision): ((MeterId, Vec<super::Posted>), &u16)| {
        let found = posted.iter().find(|posted| posted.revision == *revision);
        let reading = found.ok_or(Error::UnpostedReading(meter))?.hash;
        Ok(ExecutionEntry { meter, reading })
    };
    Ok(ExecutionList(meters.zip(revisions).map(entry).collect::<Result<_, _>>()?))
}

/// The revisions a list names.
fn resolve(state: &Overlay, live: &Live, list: &ExecutionList) -> Result<Vec<u16>, Error> {
    let (expected, got) = (live.slot.meters, super::clearing::count(list.0.len()));
    if got != expected {
        // A short list is cheap, and so is its refusal.
        return Err(Error::ListIncomplete { expected, got });
    }
    let meters = meters::meters_of(state, live);
    let fits = list.0.iter().zip(&meters).take_while(|(entry, meter)| entry.meter == **meter).count();
    if fits != meters.len() {
        return Err(Error::ListIncomplete { expected, got: super::clearing::count(fits) });
    }
    let all = meters::all_posted(state, live);
    let revision = |(posted, entry): (&Vec<super::Posted>, &ExecutionEntry)| {
        let found = posted.iter().find(|posted| posted.hash == entry.reading);
        found.map(|posted| posted.revision).ok_or(Error::UnpostedReading(entry.meter))
    };
    all.iter().zip(&list.0).map(revision).collect()
}

/// The list of everybody's latest posted reading: what the platform posts, and what counts if it posted none.
pub fn latest(state: &Overlay, live: &Live) -> (ExecutionList, Vec<u16>) {
    let (mut entries, mut revisions) = (Vec::new(), Vec::new());
    for (meter, readings) in meters::meters_of(state, live).into_iter().zip(meters::all_posted(state, live)) {
        if let Some(last) = readings.last() {
            entries.push(ExecutionEntry { meter, reading: last.hash });
            revisions.push(last.revision);
        }
    }
    (ExecutionList(entries), revisions)
}

/// A list has its majority: it counts from the end of this block on.
pub fn choose(ctx: &mut Context, live: &mut Live, list: Hash) {
    live.slot.chosen = Some(list);
    let now = ctx.env.now;
    slots::set_due(ctx, live, Some(now));
}

/// Whether somebody posted this list.
pub fn is_posted(state: &Overlay, at: At, list: &Hash) -> bool {
    LIST_NUMBERS.contains(state, &(at.0, at.1, *list))
}

/// The list of this hash, if somebody posted it.
pub fn find(state: &Overlay, at: At, list: &Hash) -> Option<PostedList> {
    let number = LIST_NUMBERS.get(state, &(at.0, at.1, *list))?;
    LISTS.get(state, &(at.0, at.1, number))
}

/// All lists of a slot as they were posted. Cost grows with the electorate: for views, not for the block path.
pub fn all(state: &Overlay, at: At) -> Vec<PostedList> {
    let posted = 0..LISTS_POSTED.get_or_default(state, &at);
    posted.filter_map(|number| LISTS.get(state, &(at.0, at.1, number))).collect()
}

fn keep(state: &mut Overlay, at: At, list: &PostedList) {
    let number = LISTS_POSTED.get_or_default(state, &at);
    let poster = (at.0, at.1, list.poster);
    let mut own = LISTS_OF.get_or_default(state, &poster);
    own.push(number);
    LISTS.put(state, &(at.0, at.1, number), list);
    LIST_NUMBERS.put(state, &(at.0, at.1, list.hash), &number);
    LISTS_OF.put(state, &poster, &own);
    LISTS_POSTED.put(state, &at, &(number + 1));
}

/// Drop the lists of a slot that is settled.
pub(super) fn forget(state: &mut Overlay, at: At) {
    LISTS.clear_under(state, &at, usize::MAX);
    LIST_NUMBERS.clear_under(state, &at, usize::MAX);
    LISTS_OF.clear_under(state, &at, usize::MAX);
    LISTS_POSTED.remove(state, &at);
}

/// The vote is over: record stages 4 and 5, wait for objections.
pub fn close_vote(ctx: &mut Context, live: &mut Live) {
    record_stages(ctx, live);
    let due = slots::objections_end(live).max(ctx.env.now);
    slots::enter(ctx, live, SlotState::Payable, Some(due));
}

fn record_stages(ctx: &mut Context, live: &Live) {
    let readings = &live.slot.readings;
    super::records::record(ctx, live.at, Stage::Execution, readings.root(), readings.len());
    let votes = attestation::votes(&ctx.state, live.at, Stage::Certification, live.slot.round);
    super::records::record(ctx, live.at, Stage::Certification, votes.root(), votes.len());
}

/// No list has a majority: the validators choose one.
pub fn dispute(ctx: &mut Context, live: &mut Live) {
    let votes = attestation::votes(&ctx.state, live.at, Stage::Certification, live.slot.round);
    live.slot.round = DISPUTE_ROUND;
    let validators = slots::pinned(&ctx.state, live.at).validators;
    let claim = claim(ctx, live, DISPUTE_ROUND);
    attestation::open(ctx, claim, validators, votes);
    let end = live.terms.delivery_end(live.at.1);
    let due = end.plus_ms(u64::from(live.terms.windows.dispute_s) * 1_000).max(ctx.env.now);
    slots::enter(ctx, live, SlotState::Disputed, Some(due));
}

/// End a dispute: the validators' choice, else the platform's list, else everybody's latest reading.
pub fn close_dispute(ctx: &mut Context, live: &mut Live) {
    if live.slot.chosen.is_none() {
        let operator = market(&ctx.state, live.at.0).expect("a slot has a market").operator;
        let (market, slot) = live.at;
        let own = LISTS_OF.get_or_default(&ctx.state, &(market, slot, operator));
        let platform = own.last().and_then(|number| LISTS.get(&ctx.state, &(market, slot, *number)));
        let hash = match platform {
            Some(posted) => posted.hash,
            None => post_latest(ctx, live, operator),
        };
        live.slot.chosen = Some(hash);
    }
    record_stages(ctx, live);
    let now = ctx.env.now;
    slots::enter(ctx, live, SlotState::Payable, Some(now));
}

fn post_latest(ctx: &mut Context, live: &Live, poster: EntityId) -> Hash {
    let (list, revisions) = latest(&ctx.state, live);
    let hash = list.hash();
    keep(&mut ctx.state, live.at, &PostedList { hash, poster, revisions });
    ctx.archive(ArchiveEntry::list(live.at, &hash, list.encode()));
    hash
}

//! The pool's money goes back to those whose energy it came from, once a billing period.
//!
//! ```text
//! share of an entity = pool · its settled Wh / settled Wh of the period      bought and sold both count
//! ```
//! Shares are rounded down; the units that are left go to the largest remainders, ties to the lower entity id, so that
//! the pool is empty to the unit. A period in which nothing was settled leaves its pool to the next. The pool's income is
//! whatever comes in: surpluses of two-price rules and deposits of sealed orders that were forfeited.

use super::slots::{self, Step};
use super::{
    Event, Live, Market, PERIOD_ENERGY, RECORDS, REFUND_SHARES, REFUNDS, Refund, deposits, market, settle,
};
use crate::context::Context;
use crate::modules::balances;
use crate::modules::registry::{self, NEXT_ENTITY};
use contract_interface::{NetPosition, Stage, TransferRecord, kinds};
use runtime_primitives::limits::{ENTITIES_PER_PAGE, REFUNDED_PAGES_MAX};
use runtime_primitives::{Energy, EntityId, Hash, Money};
use std::cmp::Reverse;

/// Add what a slot settled to its billing period.
pub(super) fn tally<'a>(ctx: &mut Context, live: &Live, positions: impl Iterator<Item = &'a NetPosition>) {
    let first = live.terms.billing_period(live.at.1).0;
    for position in positions {
        let settled = position.bought.saturating_add(position.sold);
        if !settled.is_zero() {
            let key = (live.at.0, first, position.entity);
            let before = PERIOD_ENERGY.get(&ctx.state, &key).unwrap_or_default();
            PERIOD_ENERGY.put(&mut ctx.state, &key, &before.saturating_add(settled));
        }
    }
}

/// After the last slot of a billing period, share out what the pool has, and begin to pay. Slots settle in order, so all
/// of the period is tallied.
pub(super) fn begin(ctx: &mut Context, live: &mut Live, market: &Market) {
    let (first, last) = live.terms.billing_period(live.at.1);
    if live.at.1 != last {
        settle::wake_next(ctx, live.at, market);
        return;
    }
    let entities = NEXT_ENTITY.get(&ctx.state).map_or(0, EntityId::number);
    let pages = entities.div_ceil(ENTITIES_PER_PAGE);
    let mut settled = Vec::new();
    for page in 0..pages {
        settled.extend(PERIOD_ENERGY.take_page(&mut ctx.state, (live.at.0, first), page));
    }
    let pool = balances::account(&ctx.state, &market.pool).data.free;
    for (entity, share) in shares(pool, &settled) {
        REFUND_SHARES.put(&mut ctx.state, &(live.at.0, live.at.1, entity), &share);
    }
    REFUNDS.put(&mut ctx.state, &live.at.0, &Refund { pages, ..Refund::default() });
    step(ctx, live);
}

/// Pay the next pages of a refund; the market's next slot settles when it is over. Refunds spend the slot's record of
/// stage 7.
pub(super) fn step(ctx: &mut Context, live: &mut Live) -> Step {
    let (id, slot) = live.at;
    let mut refund = REFUNDS.get(&ctx.state, &id).expect("a settled slot is due for its refund alone");
    let market = market(&ctx.state, id).expect("a slot has a market");
    let source = RECORDS.get(&ctx.state, &(id, slot, Stage::Settlement)).expect("the slot is settled").hash();
    let to_come = deposits::terms_to_come(&ctx.state, &market).expect("the market runs");
    let until = refund.pages.min(refund.next + REFUNDED_PAGES_MAX);
    for page in refund.next..until {
        for (entity, amount) in REFUND_SHARES.take_page(&mut ctx.state, live.at, page) {
            pay(ctx, live, &market, source, (entity, amount));
            deposits::credited(ctx, id, &to_come, entity);
            refund.entities += 1;
            refund.amount = refund.amount.saturating_add(amount);
        }
    }
    refund.next = until;
    if until < refund.pages {
        REFUNDS.put(&mut ctx.state, &id, &refund);
        let now = ctx.env.now;
        slots::set_due(ctx, live, Some(now));
        return Step::Heavy;
    }
    REFUNDS.remove(&mut ctx.state, &id);
    slots::set_due(ctx, live, None);
    let Refund { entities, amount, .. } = refund;
    if entities > 0 {
        let (first, last) = live.terms.billing_period(slot);
        ctx.emit(Event::PoolRefunded { market: id, first, last, entities, amount });
    }
    settle::wake_next(ctx, live.at, &market);
    Step::Heavy
}

fn pay(ctx: &mut Context, live: &Live, market: &Market, spends: Hash, (entity, amount): (EntityId, Money)) {
    let record = TransferRecord {
        slot: Some(live.at),
        payer: market.pool,
        payee: registry::entity(&ctx.state, entity).expect("who settled is registered").owner,
        amount,
        kind: kinds::POOL_REFUND,
        trade: None,
        meter: None,
        spends,
        authorised_by: Hash::ZERO,
    };
    balances::transfer(ctx, &record).expect("shares add up to what the pool had");
}

/// What each entity gets of `pool`, above zero, ascending by entity.
fn shares(pool: Money, settled: &[(EntityId, Energy)]) -> Vec<(EntityId, Money)> {
    let total: u128 = settled.iter().map(|(_, energy)| u128::from(energy.wh())).sum();
    if total == 0 {
        return Vec::new();
    }
    let (whole, rest) = (pool.units() / total, pool.units() % total);
    let mut left = pool.units();
    let mut parts: Vec<(EntityId, u128, u128)> = Vec::with_capacity(settled.len());
    for (entity, energy) in settled {
        let energy = u128::from(energy.wh());
        // Beyond 128 bits, which takes more energy than there is, the rest stays in the pool.
        let scaled = rest.checked_mul(energy).unwrap_or_default();
        let share = whole * energy + scaled / total;
        left -= share;
        parts.push((*entity, share, scaled % total));
    }
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|index| (Reverse(parts[*index].2), parts[*index].0));
    for index in order {
        if left == 0 || parts[index].2 == 0 {
            break;
        }
        parts[index].1 += 1;
        left -= 1;
    }
    let paid = parts.into_iter().filter(|(_, share, _)| *share > 0);
    paid.map(|(entity, share, _)| (entity, Money::from_units(share))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_pool_and_ties_go_to_the_lower_number() {
        let rows: [(u128, &[u64], &[u128]); 7] = [
            (100, &[1, 1], &[50, 50]),
            (101, &[1, 1], &[51, 50]),
            (100, &[1, 1, 1], &[34, 33, 33]),
            (10, &[1, 2, 4], &[1, 3, 6]),
            (1, &[3, 4], &[0, 1]),
            (0, &[3, 4], &[0, 0]),
            (7, &[0, 0], &[0, 0]),
        ];
        for (pool, energies, expected) in rows {
            let settled: Vec<_> = (0u32..)
                .zip(energies)
                .map(|(entity, wh)| (EntityId::from_number(entity), Energy::from_wh(*wh)))
                .collect();
            let mut got = vec![0; energies.len()];
            for (entity, share) in shares(Money::from_units(pool), &settled) {
                got[entity.number() as usize] = share.units();
            }
            assert_eq!(got, expected, "{pool} among {energies:?}");
        }
    }

    #[test]
    fn no_pool_and_no_energy_is_too_large() {
        let all = [(EntityId::ZERO, Energy::MAX), (EntityId::from_number(1), Energy::MAX)];
        let paid: u128 = shares(Money::MAX, &all).iter().map(|(_, share)| share.units()).sum();
        assert!(paid <= Money::MAX.units());
    }
}

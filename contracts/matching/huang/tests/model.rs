//! The rule against a model on random books, and against its promises.
//!
//! The model lays out every Wh of a book; the rule must not.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_huang::{DESCRIPTOR, Fault, clear};
use contract_interface::{Clearing, Order, Pricing, RuleError, Side, flags};
use runtime_primitives::{Energy, Price, Seq};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use testing::books::{PARAMS, Random, Shape, ask, bid, book, order, random_orders};
use testing::{promises, vectors};

type Fills = BTreeMap<Seq, u64>;

/// The price of every Wh of one side, best first.
fn each_wh(orders: &[&Order], side: Side) -> Vec<Price> {
    let own = orders.iter().filter(|order| order.side == side);
    let mut prices: Vec<Price> = own.flat_map(|order| (0..order.energy.wh()).map(|_| order.price)).collect();
    prices.sort();
    if side == Side::Buy {
        prices.reverse();
    }
    prices
}

/// What the accepted levels of one side trade of `traded`, level by level.
fn model_side(accepted: &[&Order], traded: u64, fills: &mut Fills) {
    let mut levels: BTreeMap<Price, Vec<&Order>> = BTreeMap::new();
    accepted.iter().for_each(|order| levels.entry(order.price).or_default().push(order));
    let mut levels: Vec<Vec<&Order>> = levels.into_values().collect();
    if accepted.iter().any(|order| order.side == Side::Sell) {
        levels.reverse();
    }
    // The worst level is now the first.
    let total = |level: &Vec<&Order>| level.iter().map(|order| order.energy.wh()).sum::<u64>();
    let excess = levels.iter().map(total).sum::<u64>() - traded;
    let given = |c: u64| levels.iter().map(|level| total(level).min(c)).sum::<u64>();
    let largest = levels.iter().map(total).max().expect("some level is accepted");
    let cut = (0..=largest).rev().find(|&c| given(c) <= excess).expect("0 gives nothing");
    let mut odd = excess - given(cut);
    for level in &levels {
        let t = total(level);
        let mut kept = t - t.min(cut);
        if t > cut && odd > 0 {
            (kept, odd) = (kept - 1, odd - 1);
        }
        let mut remainder = kept;
        for order in level {
            let fill = order.energy.wh() * kept / t;
            remainder -= fill;
            fills.insert(order.seq, fill);
        }
        let mut by_seq = level.clone();
        by_seq.sort_by_key(|order| order.seq);
        for order in by_seq.iter().take(usize::try_from(remainder).expect("small")) {
            *fills.get_mut(&order.seq).expect("just filled") += 1;
        }
    }
    assert_eq!(odd, 0);
}

/// What an entity could only trade with itself goes, from its worst orders of both sides.
fn model_fit(orders: &[&Order], fills: &mut Fills) {
    let of = |order: &Order, fills: &Fills| fills.get(&order.seq).copied().unwrap_or(0);
    let volume: u64 = orders.iter().filter(|o| o.side == Side::Buy).map(|o| of(o, fills)).sum();
    for entity in orders.iter().map(|order| order.entity).collect::<BTreeSet<_>>() {
        let share: u64 = orders.iter().filter(|o| o.entity == entity).map(|o| of(o, fills)).sum();
        for side in [Side::Buy, Side::Sell] {
            let mut own: Vec<&&Order> =
                orders.iter().filter(|o| o.entity == entity && o.side == side).collect();
            own.sort_by_key(|o| (if side == Side::Buy { !o.price.ticks() } else { o.price.ticks() }, o.seq));
            let mut excess = share.saturating_sub(volume);
            for order in own.iter().rev() {
                let fill = fills.entry(order.seq).or_default();
                let taken = excess.min(*fill);
                (*fill, excess) = (*fill - taken, excess - taken);
            }
        }
    }
}

/// One run: fills, and the prices of buyers and sellers.
fn model_run(orders: &[&Order]) -> (Fills, Option<[Price; 2]>) {
    let mut fills = Fills::new();
    let (bids, asks) = (each_wh(orders, Side::Buy), each_wh(orders, Side::Sell));
    let Some((&bid, &ask)) = bids.iter().zip(&asks).take_while(|(bid, ask)| bid > ask).last() else {
        return (fills, None);
    };
    let accepted = |side, fits: &dyn Fn(Price) -> bool| -> Vec<&Order> {
        orders.iter().filter(|o| o.side == side && fits(o.price)).copied().collect()
    };
    let buyers = accepted(Side::Buy, &|price| price > bid);
    let sellers = accepted(Side::Sell, &|price| price < ask);
    let energy = |side: &[&Order]| side.iter().map(|order| order.energy.wh()).sum::<u64>();
    let traded = energy(&buyers).min(energy(&sellers));
    if traded > 0 {
        model_side(&buyers, traded, &mut fills);
        model_side(&sellers, traded, &mut fills);
        model_fit(orders, &mut fills);
    }
    fills.retain(|_, fill| *fill > 0);
    (fills, Some([bid, ask]))
}

/// The model with the minimum-fill loop.
fn model(orders: &[Order]) -> (Fills, Option<[Price; 2]>) {
    let mut taken: Vec<&Order> = orders.iter().collect();
    loop {
        let (fills, prices) = model_run(&taken);
        let violated =
            |order: &&&Order| fills.get(&order.seq).is_some_and(|fill| *fill < order.min_energy.wh());
        match taken.iter().filter(violated).map(|order| order.seq).max() {
            Some(seq) => taken.retain(|order| order.seq != seq),
            None => return (fills, prices),
        }
    }
}

fn cleared(orders: &[Order]) -> Clearing {
    let clearing = clear(PARAMS, book(orders)).expect("the book is well-formed");
    promises::respects_orders(orders, &clearing, Pricing::TwoPrice);
    clearing
}

#[test]
fn random_books_clear_as_the_model_says_and_keep_every_promise() {
    let (mut traded, mut kept_apart) = (0, 0);
    for seed in 0..3_000 {
        let mut random = Random(seed);
        let shape = Shape::small(&mut random, flags::AUTO_CONFIRM);
        let shape = Shape { entities: random.either(1 + random_small(seed), shape.entities), ..shape };
        let mut orders = random_orders(&mut random, shape);
        for order in &mut orders {
            order.energy = Energy::from_wh(order.energy.wh().div_ceil(100));
            order.min_energy = Energy::from_wh(order.min_energy.wh().div_ceil(100));
        }
        let clearing = cleared(&orders);
        let (fills, prices) = model(&orders);
        assert_eq!(promises::fills(&clearing), fills, "seed {seed} {shape:?} {orders:?}");
        for trade in &clearing.trades {
            assert_eq!(Some([trade.buy_price, trade.sell_price]), prices, "seed {seed}");
        }
        assert_eq!(clear(PARAMS, book(&orders)), Ok(clearing.clone()), "seed {seed}");
        traded += usize::from(!clearing.trades.is_empty());
        kept_apart += usize::from(fills != model(&vectors::strangers(&orders)).0);
    }
    assert!(traded > 1_000 && kept_apart > 50, "{traded} {kept_apart}");
}

const fn random_small(seed: u64) -> u32 {
    if seed.is_multiple_of(3) { 1 } else { 3 }
}

/// Trades as (bid, ask, energy), and both prices.
fn check(orders: &[Order], expected: &[(u32, u32, u64)], prices: Option<[u32; 2]>) {
    let clearing = cleared(orders);
    let trades: Vec<_> = vectors::matches(&clearing).into_iter().map(|m| (m.0, m.1, m.2)).collect();
    assert_eq!(trades, expected, "{orders:?}");
    let found = clearing.trades.first().map(|trade| [trade.buy_price.ticks(), trade.sell_price.ticks()]);
    assert_eq!(found, prices, "{orders:?}");
}

/// A marginal bid at 50 and a marginal ask at 40, large enough to be the margin of all that is better.
fn margin() -> [Order; 2] {
    [bid(90, 10_000, 50), ask(91, 10_000, 40)]
}

#[test]
fn the_long_side_gives_up_the_same_at_each_level() {
    let with = |orders: &[Order]| [orders, &margin()].concat();
    let prices = Some([50, 40]);
    // 300 wanted, 150 offered: 50 each, whatever the price.
    check(
        &with(&[bid(1, 100, 90), bid(2, 100, 80), bid(3, 100, 70), ask(4, 150, 10)]),
        &[(1, 4, 50), (2, 4, 50), (3, 4, 50)],
        prices,
    );
    // The level of 20 has less than its share to give up: the others give up 65 each.
    check(
        &with(&[bid(1, 100, 90), bid(2, 20, 80), bid(3, 100, 70), ask(4, 70, 10)]),
        &[(1, 4, 35), (3, 4, 35)],
        prices,
    );
    // Two Wh that three levels cannot share: the two worst give them up.
    check(
        &with(&[bid(1, 100, 90), bid(2, 100, 80), bid(3, 100, 70), ask(4, 148, 10)]),
        &[(1, 4, 50), (2, 4, 49), (3, 4, 49)],
        prices,
    );
    // One price is one level, shared in proportion; the odd Wh goes to the older.
    check(&with(&[bid(1, 60, 90), bid(2, 30, 90), ask(4, 46, 10)]), &[(1, 4, 31), (2, 4, 15)], prices);
    // The same for sellers.
    check(&with(&[ask(1, 100, 10), ask(2, 100, 20), bid(3, 99, 90)]), &[(3, 1, 50), (3, 2, 49)], prices);
}

#[test]
fn a_margin_without_anything_better_trades_nothing() {
    check(&[bid(1, 10, 90), ask(2, 10, 20)], &[], None);
    check(&margin(), &[], None);
    check(&[bid(1, 10, 50), ask(2, 10, 50), bid(3, 10, 50), ask(4, 10, 50)], &[], None);
    check(&[], &[], None);
}

#[test]
fn nobody_trades_with_itself() {
    use Side::{Buy, Sell};
    let with = |orders: &[Order]| [orders, &margin()].concat();
    let (own_bid, own_ask) = (order(1, 7, Buy, 10, 90), order(2, 7, Sell, 10, 10));
    check(&with(&[own_bid, own_ask]), &[], None);
    check(
        &with(&[own_bid, own_ask, bid(3, 10, 80), ask(4, 10, 20)]),
        &[(1, 4, 10), (3, 2, 10)],
        Some([50, 40]),
    );
    // 3 Wh of others on each side: the rest of both own orders stays.
    check(&with(&[own_bid, own_ask, bid(3, 3, 80), ask(4, 3, 20)]), &[(1, 4, 3), (3, 2, 3)], Some([50, 40]));
}

#[test]
fn energies_beyond_64_bits_of_product_are_shared_exactly() {
    let large = 1 << 60;
    let orders = [
        bid(1, large, 90),
        bid(2, large, 90),
        ask(3, large + 1, 10),
        bid(4, large, 50),
        ask(5, large * 3, 40),
    ];
    check(&orders, &[(1, 3, large / 2 + 1), (2, 3, large / 2)], Some([50, 40]));
    let orders = [bid(1, u64::MAX, 5), ask(2, 1, 5)];
    assert_eq!(clear(PARAMS, book(&orders)), Err(RuleError::from(Fault::EnergyOverflow)));
}

#[test]
fn a_dropped_minimum_sets_no_price() {
    let all_or_nothing = |order: Order| Order { min_energy: order.energy, ..order };
    // Filled by half, the bid of 60 goes, and with it what made 50 the margin.
    check(
        &[all_or_nothing(bid(1, 60, 90)), bid(2, 40, 80), bid(3, 40, 70), ask(4, 60, 10), ask(5, 90, 40)],
        &[(2, 4, 40)],
        Some([70, 40]),
    );
}

#[test]
#[allow(clippy::disallowed_types, reason = "the test asks whether the work is quadratic")]
fn a_full_book_of_levels_and_one_owner_does_not_slow_it_down() {
    let half = DESCRIPTOR.max_orders / 2;
    let owner = |seq: u32| if seq % 2 == 1 { seq } else { 0 };
    let asks = (0..half).map(|seq| order(seq, owner(seq), Side::Sell, 5 + u64::from(seq), seq));
    let bids = (half..2 * half).map(|seq| order(seq, owner(seq), Side::Buy, 7, 1_000_000 + seq));
    let orders: Vec<Order> = asks.chain(bids).collect();
    let start = std::time::Instant::now();
    assert!(!cleared(&orders).trades.is_empty());
    // A round of the reduction for each level, or a walk over own asks for each bid, would take 10⁹ steps.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

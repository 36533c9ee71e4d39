//! The rule against a model on random books, and against its promises.
//!
//! The model tries every price and looks for the largest flow between different entities there; the rule must not.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_interface::{Clearing, Order, Pricing, RuleError, Side};
use contract_uniform_price::{DESCRIPTOR, Fault, clear};
use runtime_primitives::Energy;
use std::time::Duration;
use testing::books::{PARAMS, Random, Shape, ask, bid, book, order, random_orders};
use testing::{promises, vectors};

/// The most that `bids` and `asks` of different entities can trade, by augmenting paths.
fn largest_flow(bids: &[&Order], asks: &[&Order]) -> u64 {
    let mut bid_left: Vec<u64> = bids.iter().map(|order| order.energy.wh()).collect();
    let mut ask_left: Vec<u64> = asks.iter().map(|order| order.energy.wh()).collect();
    let mut flow = vec![vec![0u64; asks.len()]; bids.len()];
    let mut total = 0;
    loop {
        // From bids with something left, forwards to any ask of others, backwards along what flows.
        let mut came_from: Vec<Option<usize>> = vec![None; asks.len()];
        let mut bid_from: Vec<Option<Option<usize>>> =
            bid_left.iter().map(|left| (*left > 0).then_some(None)).collect();
        let mut queue: Vec<usize> = (0..bids.len()).filter(|&at| bid_left[at] > 0).collect();
        while let Some(at) = queue.pop() {
            for to in 0..asks.len() {
                if came_from[to].is_none() && bids[at].entity != asks[to].entity {
                    came_from[to] = Some(at);
                    for back in 0..bids.len() {
                        if flow[back][to] > 0 && bid_from[back].is_none() {
                            bid_from[back] = Some(Some(to));
                            queue.push(back);
                        }
                    }
                }
            }
        }
        let Some(end) = (0..asks.len()).find(|&to| ask_left[to] > 0 && came_from[to].is_some()) else {
            return total;
        };
        let mut path = vec![];
        let mut to = end;
        loop {
            let from = came_from[to].expect("reached");
            path.push((from, to));
            match bid_from[from].expect("reached") {
                Some(back) => to = back,
                None => break,
            }
        }
        let first = path.last().expect("not empty").0;
        let backwards = path.windows(2).map(|pair| flow[pair[0].0][pair[1].1]).min().unwrap_or(u64::MAX);
        let amount = bid_left[first].min(ask_left[end]).min(backwards);
        for (step, &(from, to)) in path.iter().enumerate() {
            flow[from][to] += amount;
            if let Some(&(_, back)) = path.get(step + 1) {
                flow[from][back] -= amount;
            }
        }
        bid_left[first] -= amount;
        ask_left[end] -= amount;
        total += amount;
    }
}

/// The largest volume at one price, over all prices.
fn model_volume(orders: &[Order]) -> u64 {
    let side = |side: Side, fits: &dyn Fn(&Order) -> bool| -> Vec<&Order> {
        orders.iter().filter(|order| order.side == side && fits(order)).collect()
    };
    let at = |price| {
        let bids = side(Side::Buy, &|order: &Order| order.price >= price);
        let asks = side(Side::Sell, &|order: &Order| order.price <= price);
        largest_flow(&bids, &asks)
    };
    orders.iter().map(|order| at(order.price)).max().unwrap_or(0)
}

/// `volume` in merit order of one side: seq and fill.
fn merit_fills(orders: &[Order], side: Side, mut volume: u64) -> Vec<(u32, u64)> {
    let mut merit: Vec<&Order> = orders.iter().filter(|order| order.side == side).collect();
    merit.sort_by_key(|order| {
        (if side == Side::Buy { !order.price.ticks() } else { order.price.ticks() }, order.seq)
    });
    let mut fills = vec![];
    for order in merit {
        let fill = order.energy.wh().min(volume);
        volume -= fill;
        if fill > 0 {
            fills.push((order.seq.number(), fill));
        }
    }
    fills.sort_unstable();
    fills
}

fn cleared(orders: &[Order]) -> Clearing {
    let clearing = clear(PARAMS, book(orders)).expect("the book is well-formed");
    promises::respects_orders(orders, &clearing, Pricing::Uniform);
    promises::leaves_no_cross(orders, &clearing);
    clearing
}

fn volume(clearing: &Clearing) -> u64 {
    clearing.trades.iter().map(|trade| trade.energy.wh()).sum()
}

/// Fills of one side, by seq.
fn side_fills(orders: &[Order], clearing: &Clearing, side: Side) -> Vec<(u32, u64)> {
    let of_side = |seq| orders.iter().any(|order| order.seq == seq && order.side == side);
    let fills = promises::fills(clearing).into_iter().filter(|(seq, _)| of_side(*seq));
    fills.map(|(seq, fill)| (seq.number(), fill)).collect()
}

#[test]
fn random_books_trade_the_largest_volume_at_one_price() {
    let mut kept_apart = 0;
    for seed in 0..3_000 {
        let mut random = Random(seed);
        let shape = Shape { orders: 1 + random.below(14), minimums: 0, ..Shape::small(&mut random, 0) };
        let shape = Shape { entities: 1 + random.below(6), ..shape };
        let mut orders = random_orders(&mut random, shape);
        let coarse = random.either(1, 2_500);
        for order in &mut orders {
            order.energy = Energy::from_wh(order.energy.wh().div_ceil(coarse));
        }
        let clearing = cleared(&orders);
        let moved = volume(&clearing);
        assert_eq!(moved, model_volume(&orders), "seed {seed} {orders:?}");
        let in_merit = |side| side_fills(&orders, &clearing, side) == merit_fills(&orders, side, moved);
        if !(in_merit(Side::Buy) && in_merit(Side::Sell)) {
            // Only somebody who would have needed itself as a partner is passed over.
            let crosses = |bid: &Order, ask: &Order| {
                bid.side == Side::Buy
                    && ask.side == Side::Sell
                    && bid.entity == ask.entity
                    && bid.price >= ask.price
            };
            assert!(orders.iter().any(|bid| orders.iter().any(|ask| crosses(bid, ask))), "seed {seed}");
            kept_apart += 1;
        }
    }
    assert!(kept_apart > 100, "{kept_apart}");
}

#[test]
fn random_books_with_minimum_fills_keep_every_promise() {
    for seed in 0..1_500 {
        let mut random = Random(seed);
        let shape = Shape::small(&mut random, contract_interface::flags::AUTO_CONFIRM);
        let orders = random_orders(&mut random, shape);
        let clearing = cleared(&orders);
        assert_eq!(clear(PARAMS, book(&orders)), Ok(clearing), "seed {seed}");
    }
}

/// Trades as (bid, ask, energy), and the price.
fn check(orders: &[Order], expected: &[(u32, u32, u64)], price: Option<u32>) {
    let clearing = cleared(orders);
    let trades: Vec<_> = vectors::matches(&clearing).into_iter().map(|m| (m.0, m.1, m.2)).collect();
    assert_eq!(trades, expected, "{orders:?}");
    assert_eq!(clearing.uniform_price.map(|price| price.ticks()), price, "{orders:?}");
}

#[test]
fn the_price_lies_between_the_bounds_that_orders_set() {
    // The marginal pair alone; a bid and an ask left over that are tighter; a marginal order partly filled.
    check(&[bid(1, 10, 90), ask(2, 10, 21)], &[(1, 2, 10)], Some(55));
    check(&[bid(1, 10, 90), ask(2, 10, 20), bid(3, 10, 40), ask(4, 10, 60)], &[(1, 2, 10)], Some(50));
    check(&[bid(1, 10, 90), ask(2, 15, 20)], &[(1, 2, 10)], Some(20));
    check(&[bid(1, 15, 90), ask(2, 10, 20)], &[(1, 2, 10)], Some(90));
    check(&[bid(1, 10, 50), ask(2, 10, 50)], &[(1, 2, 10)], Some(50));
    check(&[bid(1, 10, 49), ask(2, 10, 50)], &[], None);
}

#[test]
fn nobody_is_left_alone_with_its_own_orders() {
    use Side::{Buy, Sell};
    // Taken in turn, 1 would meet 3 and leave entity 7 alone.
    check(
        &[bid(1, 10, 90), order(2, 7, Buy, 10, 80), ask(3, 10, 20), order(4, 7, Sell, 10, 30)],
        &[(2, 3, 10), (1, 4, 10)],
        Some(55),
    );
    // The rival for 3 is cut short as soon as entity 7 needs what is left.
    check(
        &[bid(1, 10, 90), order(2, 7, Buy, 6, 80), ask(3, 10, 20), order(4, 7, Sell, 6, 30)],
        &[(1, 3, 4), (2, 3, 6), (1, 4, 6)],
        Some(55),
    );
}

#[test]
fn what_an_entity_could_only_sell_itself_makes_room_for_others() {
    use Side::{Buy, Sell};
    let (own_bid, own_ask) = (order(1, 7, Buy, 10, 90), order(2, 7, Sell, 10, 30));
    check(&[own_bid, own_ask], &[], None);
    // An ask that the price excluded gets in; one at the same price as the own ask too.
    check(&[own_bid, own_ask, ask(3, 10, 70)], &[(1, 3, 10)], Some(80));
    check(&[own_bid, own_ask, ask(3, 10, 30)], &[(1, 3, 10)], Some(30));
    // No price serves both: the lower of equal volumes is taken.
    check(&[own_bid, own_ask, ask(3, 10, 70), bid(4, 10, 50)], &[(4, 2, 10)], Some(40));
    // 5 Wh of others' on each side: both are traded, and nothing else can be.
    check(&[own_bid, own_ask, ask(3, 5, 10), bid(4, 5, 95)], &[(1, 3, 5), (4, 2, 5)], Some(60));
}

#[test]
fn a_dropped_minimum_sets_no_price() {
    let all_or_nothing = |order: Order| Order { min_energy: order.energy, ..order };
    // The bid of 20 cannot be filled whole: without it, the price is the middle of 20 and 60.
    check(&[ask(1, 10, 20), all_or_nothing(bid(2, 20, 80)), bid(3, 10, 60)], &[(3, 1, 10)], Some(40));
}

#[test]
fn a_book_that_does_not_add_up_is_refused() {
    let orders = [bid(1, u64::MAX, 5), ask(2, 1, 5)];
    assert_eq!(clear(PARAMS, book(&orders)), Err(RuleError::from(Fault::EnergyOverflow)));
}

#[test]
#[allow(clippy::disallowed_types, reason = "the test asks whether the work is quadratic")]
fn one_entity_on_both_sides_of_a_full_book_does_not_slow_it_down() {
    let half = DESCRIPTOR.max_orders / 2;
    // Entity 0 owns a part of both sides: half of them, or more, which leaves it alone with some.
    for (own, volume_expected) in [(2, 5 * half), (4, 5 * half / 2)] {
        let owner = |seq: u32| if seq % own == 1 { seq } else { 0 };
        let asks = (0..half).map(|seq| order(seq, owner(seq), Side::Sell, 5, seq % 100));
        let bids = (half..2 * half).map(|seq| order(seq, owner(seq), Side::Buy, 5, 1_000 + seq % 100));
        let orders: Vec<Order> = asks.chain(bids).collect();
        let start = std::time::Instant::now();
        let clearing = clear(PARAMS, book(&orders)).expect("the book is well-formed");
        assert_eq!(volume(&clearing), u64::from(volume_expected));
        // A walk over its own asks for each bid would take 10⁹ steps.
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}

//! The economic properties that the crate's documentation claims and denies: claims against random sequences, denials by
//! a sequence each.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_continuous::{DESCRIPTOR, clear};
use contract_interface::{Op, Order};
use testing::batches::{batch, random_ops, rest};
use testing::books::{PARAMS, Random, ask, bid};
use testing::properties::{Economics, at, optimum, welfare};
use testing::vectors::strangers;

/// Orders arrive by seq and nobody cancels.
const RULE: Economics = Economics {
    descriptor: DESCRIPTOR,
    clear: |orders| {
        let ops: Vec<Op> = orders.iter().copied().map(Op::New).collect();
        clear(PARAMS, batch(&[], &ops)).expect("the batch is well-formed")
    },
};

#[test]
fn nobody_loses_and_payments_balance() {
    RULE.nobody_loses_and_payments_balance();
}

#[test]
fn each_arrival_alone_takes_the_best_there_is() {
    let mut traded = 0;
    for seed in 0..200 {
        let mut resting: Vec<Order> = vec![];
        for op in random_ops(&mut Random(seed), 1, 30, 1, 8) {
            let op = match op {
                Op::New(order) => Op::New(strangers(&[order])[0]),
                cancel @ Op::Cancel { .. } => cancel,
            };
            let clearing = clear(PARAMS, batch(&resting, &[op])).expect("the batch is well-formed");
            let new = if let Op::New(order) = op { Some(order) } else { None };
            let orders: Vec<Order> = resting.iter().copied().chain(new).collect();
            assert_eq!(welfare(&orders, &clearing), optimum(&orders), "seed {seed} {orders:?}");
            traded += clearing.trades.len();
            resting = rest(&resting, &[op], &clearing);
        }
    }
    assert!(traded > 1_000, "{traded}");
}

#[test]
fn who_arrives_first_trades_though_a_later_order_is_worth_more() {
    RULE.misses(&[ask(1, 10, 50), bid(2, 10, 60), bid(3, 10, 90)], &[(3, 1, 10)]);
    RULE.misses(&[ask(1, 10, 50), bid(2, 10, 60), ask(3, 10, 20)], &[(2, 3, 10)]);
}

#[test]
fn the_last_to_arrive_has_no_better_price_than_the_true_one() {
    RULE.no_price_lie_pays(|orders, order, _, _| orders.last().map(|last| last.seq) == Some(order.seq));
}

#[test]
fn who_rests_gains_by_asking_more_than_it_costs() {
    let first = [ask(1, 10, 20), bid(2, 10, 90)];
    RULE.rewards(&first, &[at(&first[0], 90)], [0, 700]);
}

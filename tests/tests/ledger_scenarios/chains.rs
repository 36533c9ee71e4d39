//! Formula 6: from every payout back to the signed bid that funded it. And the pool of two-price rules.

use super::{A, B, audited, expected, lines, open, scenario, trade};
use busbar_tests::artifacts;
use busbar_tests::evil;
use busbar_tests::ledger::Matching;
use busbar_tests::world::{FIRST, MARKET, Plan, World};
use contract_interface::{
    Clearing, Descriptor, Fee, Order, Pricing, Side, Stage, Terms, Trade, TransferRecord, kinds,
};
use parity_scale_codec::Decode;
use runtime_execution::Call;
use runtime_execution::archive::{HoldRecord, tables};
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::markets::{self, At, RECORDS};
use runtime_primitives::{Energy, Hash, MerkleTree, Price, Seq, blake2_256};
use std::collections::BTreeMap;

/// One trade of 1 kWh in which the buyer pays 5000 and the seller gets 4000.
fn two_prices(_: &Terms, _: At, _: &[Order]) -> Vec<Trade> {
    vec![Trade {
        buy: Seq::ZERO,
        sell: Seq::from_number(1),
        energy: Energy::from_wh(1_000),
        buy_price: Price::from_ticks(5_000),
        sell_price: Price::from_ticks(4_000),
    }]
}

/// A rule that clears the trade above.
pub fn two_price_code(terms: &Terms) -> Vec<u8> {
    let descriptor = Descriptor { pricing: Pricing::TwoPrice, ..evil::DESCRIPTOR };
    evil::returning(
        &descriptor,
        &Clearing { trades: two_prices(terms, (MARKET, FIRST), &[]), ..Clearing::default() },
    )
}

/// The rule above, by its code's hash.
pub fn two_price_rule() -> BTreeMap<Hash, Matching> {
    let rule: Matching = two_prices;
    [(artifacts::hash(&two_price_code(&Plan::default().terms())), rule)].into()
}

#[test]
fn the_difference_of_two_prices_goes_to_the_pool() {
    scenario(|mut plan| {
        plan.rules[1] = two_price_code(&plan.terms());
        let mut world = open(&plan);
        world.place(B, FIRST, Side::Buy, 1_000, 5_500);
        world.place(A, FIRST, Side::Sell, 1_000, 3_500);
        world.finish(FIRST, &[(0, 1_000), (1_000, 0), (0, 0)]);
        let book = audited(&world);
        let due = [
            (kinds::ENERGY, "B", "A", 4_000_000),
            (kinds::SURPLUS, "B", "pool", 1_000_000),
            (kinds::FEE, "B", "grid", 200_000),
        ];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
    });
}

/// Everything that a payout may point back to.
struct Trail {
    holds: BTreeMap<Hash, HoldRecord>,
    transfers: BTreeMap<Hash, TransferRecord>,
    calls: BTreeMap<Hash, Call>,
}

impl Trail {
    fn of(world: &World) -> Self {
        let decode = |bytes: &[u8]| HoldRecord::decode(&mut &bytes[..]).unwrap();
        let holds = world.chain.archived(tables::HOLD).map(|row| decode(&row.value));
        let extrinsics = world.chain.past.iter().flat_map(|past| &past.ordered.extrinsics);
        Self {
            holds: holds.map(|hold| (hold.hash(), hold)).collect(),
            transfers: world.chain.movements().into_iter().map(|record| (record.hash(), record)).collect(),
            calls: extrinsics
                .filter_map(|bytes| {
                    Some((blake2_256(bytes), UncheckedExtrinsic::from_bytes(bytes).ok()?.call))
                })
                .collect(),
        }
    }

    /// Walk back from a payment to the bank's first funding; gives the kinds passed.
    fn walk(&self, record: &TransferRecord) -> Vec<&'static str> {
        let mut passed = Vec::new();
        let (mut spends, mut authorised_by) = (record.spends, record.authorised_by);
        loop {
            let authority = self.calls.get(&authorised_by);
            if let Some(hold) = self.holds.get(&spends) {
                assert_eq!(
                    hold.authorised_by, authorised_by,
                    "the bid that was signed authorises what it funds"
                );
                assert!(matches!(authority, Some(Call::Markets(markets::Call::Place { request }))
                    if request.energy == hold.order.energy && request.price == hold.order.price));
                passed.push("hold");
                let funding = &self.transfers[&hold.spends];
                (spends, authorised_by) = (hold.spends, funding.authorised_by);
            } else if let Some(earlier) = self.transfers.get(&spends) {
                passed.push(if earlier.kind == kinds::FUNDING { "funding" } else { "transfer" });
                (spends, authorised_by) = (earlier.spends, earlier.authorised_by);
            } else {
                assert_eq!(spends, Hash::ZERO, "a trail ends with money that was there at genesis");
                return passed;
            }
        }
    }
}

/// Kinds and trails of a slot's payouts.
fn trails(world: &World) -> Vec<(u8, Vec<&'static str>)> {
    let trail = Trail::of(world);
    let leaves = world.chain.leaves((MARKET, FIRST), Stage::Settlement);
    let record = RECORDS.get(&world.chain.view(), &(MARKET, FIRST, Stage::Settlement)).unwrap();
    let tree = MerkleTree::new(&leaves);
    assert_eq!(tree.root(), record.merkle_root);
    let walked = (0u32..).zip(&leaves).map(|(index, leaf)| {
        assert!(tree.prove(index).unwrap().verify(leaf, &record.merkle_root));
        let payout = TransferRecord::decode(&mut &leaf[..]).unwrap();
        (payout.kind, trail.walk(&payout))
    });
    walked.collect()
}

#[test]
fn a_payout_leads_back_to_the_signed_bid() {
    scenario(|plan| {
        let (fork, chain) = (vec!["hold", "funding"], vec!["transfer", "hold", "funding"]);
        for (buyer, seller, fees) in
            [(200, 0, vec![fork.clone()]), (0, 200, vec![chain.clone()]), (150, 50, vec![fork, chain])]
        {
            let mut plan = plan.clone();
            plan.rates.fee = Fee { buyer: Price::from_ticks(buyer), seller: Price::from_ticks(seller) };
            plan.limits.price_min = Price::from_ticks(3_200);
            let mut world = open(&plan);
            trade(&mut world, 10_000, 6_700);
            world.finish(FIRST, &[(0, 10_000), (10_000, 0), (0, 0)]);
            audited(&world);
            let mut walked = vec![(kinds::ENERGY, vec!["hold", "funding"])];
            walked.extend(fees.into_iter().map(|fee| (kinds::FEE, fee)));
            assert_eq!(trails(&world), walked);
        }
    });
}

#[test]
fn every_stage_is_chained_to_the_one_before() {
    scenario(|plan| {
        let mut world = open(&plan);
        trade(&mut world, 10_000, 6_700);
        world.finish(FIRST, &[(0, 10_000), (10_000, 0), (0, 0)]);
        let mut before = Hash::ZERO;
        for stage in Stage::ALL {
            let record = RECORDS.get(&world.chain.view(), &(MARKET, FIRST, stage)).unwrap();
            assert_eq!((record.stage, record.prev_hash), (stage, before), "{stage:?}");
            let leaves = world.chain.leaves((MARKET, FIRST), stage);
            assert_eq!(runtime_primitives::merkle_root(&leaves), record.merkle_root, "{stage:?}");
            assert_eq!(record.nonce, leaves.len() as u64, "{stage:?}");
            before = record.hash();
        }
    });
}

//! Continuous slots: orders and cancellations queue, each block clears them as one batch, the gate ends it.

use super::{A, B, C, expected, lines, name};
use busbar_tests::ledger::{Ledger, native_rules};
use busbar_tests::machine::on_vm_thread;
use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use busbar_tests::{artifacts, plodding};
use contract_interface::{Clearing, Op, OrderRequest, Side, Stage, flags, kinds};
use host_consensus::{Application, Certificate};
use host_node::agent::{Attestor, Desk, Journal, Verdict};
use host_node::keys::{KeyPair, Signer, SigningPolicy};
use host_node::node::Chain;
use host_node::replay::replay;
use host_node::trade::{self, Life, TradeId};
use parity_scale_codec::Decode;
use runtime_execution::Outcome;
use runtime_execution::archive::{ClearingRecord, tables};
use runtime_execution::modules::attestation;
use runtime_execution::modules::markets::batch::BatchRecord;
use runtime_execution::modules::markets::{
    self, BOOK, ENTITY_SLOTS, Event, SlotState, VoidReason, continuous,
};
use runtime_primitives::limits::ORDERS_PER_PAGE;
use runtime_primitives::{Energy, Gas, Hash, Seq, blake2_256};
use runtime_state::Overlay;
use runtime_vm::{EngineKind, Vm};
use std::ops::Range;
use std::path::Path;

/// The rule that ships, and a fallback that shares nothing with it.
fn shipped() -> Plan {
    let mut plan = Plan { homes: 4, ..Plan::default() };
    plan.rules[1] = artifacts::CONTINUOUS.to_vec();
    plan.rules[3] = plodding::rule(&plodding::DESCRIPTOR, &(0..0));
    plan
}

/// The pinned rule fails on these batches, the fallback on those.
fn failing(pinned: &Range<u32>, fallback: &Range<u32>) -> Plan {
    let mut plan = Plan { homes: 4, ..Plan::default() };
    plan.rules[1] = plodding::rule(&plodding::DESCRIPTOR, pinned);
    plan.rules[3] =
        plodding::rule(&contract_interface::Descriptor { version: 2, ..plodding::DESCRIPTOR }, fallback);
    plan
}

fn scenario(body: impl FnOnce(World) + Send) {
    on_vm_thread(|| body(super::open(&shipped())));
}

fn audited(world: &World) -> Ledger {
    let mut book = Ledger::new(&world.genesis, native_rules());
    book.continuous.insert(world.terms.matching);
    book.replay(world);
    book
}

fn cancel(home: usize, world: &mut World, seq: Seq) {
    let delegate = world.homes[home].delegate.clone();
    world.chain.must(&delegate, markets::Call::Cancel { market: MARKET, slot: FIRST, seq });
}

/// What a household has held and what it has open in the slot: units, orders, Wh that count against its connection.
fn standing(world: &World, home: usize) -> (u128, u32, u64) {
    let key = (MARKET, FIRST, world.homes[home].entity);
    let standing = ENTITY_SLOTS.get(&world.chain.view(), &key).expect("it placed an order");
    let energy = standing.energy.iter().map(|(_, energy)| energy.wh()).sum();
    (standing.held.units(), standing.orders, energy)
}

/// Trades of each batch so far: buy, sell, Wh, ticks.
fn batches(world: &World) -> Vec<Vec<(u32, u32, u64, u32)>> {
    let rows = world.chain.archived(tables::CLEARING);
    rows.map(|row| {
        let record = ClearingRecord::decode(&mut &row.value[..]).unwrap();
        let clearing = Clearing::decode(&mut &record.output[..]).unwrap();
        let trade = |trade: &contract_interface::Trade| {
            let (buy, sell) = (trade.buy.number(), trade.sell.number());
            (buy, sell, trade.energy.wh(), trade.buy_price.ticks())
        };
        clearing.trades.iter().map(trade).collect()
    })
    .collect()
}

/// A node that is given the same blocks.
fn node(world: &World, folder: &Path) -> Chain {
    let node = Chain::open(&folder.join("chain.redb"), &world.genesis).unwrap();
    for past in &world.chain.past {
        node.finalized(past.ordered.clone(), Certificate::solo()).unwrap();
    }
    node
}

#[test]
fn partial_fills_over_several_blocks() {
    scenario(|mut world| {
        world.place(A, FIRST, Side::Sell, 10_000, 6_000);
        world.place(B, FIRST, Side::Buy, 4_000, 6_500);
        assert_eq!(batches(&world), [vec![], vec![(1, 0, 4_000, 6_000)]], "at once, at the resting price");
        assert_eq!(world.slot(FIRST).trades, 1);
        // Fills stay held; what is filled is no open order but counts against the connection.
        assert_eq!(standing(&world, A), (10_000_000, 1, 10_000));
        assert_eq!(standing(&world, B), (4_000 * 6_700, 0, 4_000));
        world.place(C, FIRST, Side::Buy, 9_000, 6_200);
        assert_eq!(batches(&world)[2], [(2, 0, 6_000, 6_000)]);
        assert_eq!(standing(&world, A), (10_000_000, 0, 10_000));
        assert_eq!(standing(&world, C), (9_000 * 6_400, 1, 9_000));
        world.close_gate(FIRST);
        assert_eq!(standing(&world, C).0, 6_000 * 6_400, "the gate releases what rests");
        world.confirm_all(FIRST);
        world.finish_certified(&[(0, 10_000), (4_000, 0), (6_000, 0), (0, 0)]);
        let book = audited(&world);
        let paid = [
            (kinds::ENERGY, "B", "A", 24_000_000),
            (kinds::FEE, "B", "grid", 800_000),
            (kinds::ENERGY, "C", "A", 36_000_000),
            (kinds::FEE, "C", "grid", 1_200_000),
        ];
        assert_eq!(lines(&world, &book, FIRST), expected(&paid));
        let view = world.chain.view();
        assert_eq!(continuous::PLACES.get(&view, (MARKET, FIRST), 0), None, "the working set is dropped");
        assert_eq!(continuous::batches(&view, (MARKET, FIRST)), []);
    });
}

#[test]
fn a_half_filled_order_is_cancelled() {
    scenario(|mut world| {
        let ask = world.place(A, FIRST, Side::Sell, 10_000, 6_000);
        world.place(B, FIRST, Side::Buy, 4_000, 6_000);
        cancel(A, &mut world, ask);
        assert_eq!(standing(&world, A), (4_000_000, 0, 4_000), "the fill stays held");
        // Too late for this one, and nothing is left to cancel.
        world.place(C, FIRST, Side::Buy, 6_000, 7_000);
        assert_eq!(batches(&world).concat(), [(1, 0, 4_000, 6_000)]);
        let delegate = world.homes[A].delegate.clone();
        let call = markets::Call::Cancel { market: MARKET, slot: FIRST, seq: ask };
        let again = world.chain.submit(&delegate, call);
        world.chain.block();
        let outcome = world.chain.outcome(&again);
        assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
        world.finish(FIRST, &[(0, 4_000), (4_000, 0), (0, 0), (0, 0)]);
        audited(&world);
    });
}

#[test]
fn a_cap_withdraws_what_is_open_and_exempts_what_was_traded_beyond_it() {
    // 4 kWh are traded when the cap comes: with 5 kWh the seller could still deliver, with 3 it cannot.
    for (cap, deviation) in [(5_000, Some((kinds::DEVIATION, "A", "retailer", 1_800_000))), (3_000, None)] {
        scenario(|mut world| {
            let first = world.place(A, FIRST, Side::Sell, 10_000, 6_000);
            world.place(B, FIRST, Side::Buy, 4_000, 6_000);
            let newest = world.place(A, FIRST, Side::Sell, 1_000, 7_000);
            let grid = world.owners[entities::GRID as usize].clone();
            let items = vec![(world.homes[A].meter, Energy::from_wh(cap))];
            world.chain.must(&grid, markets::Call::Curtail { market: MARKET, slot: FIRST, items, reason: 7 });
            assert_eq!(standing(&world, A), (4_000_000, 0, 4_000), "only the fill is left");
            let curtailed = world.chain.market_events().filter_map(|event| match event {
                Event::OrderCurtailed { seq, .. } => Some(*seq),
                _ => None,
            });
            assert_eq!(curtailed.collect::<Vec<_>>(), [newest, first], "newest first");
            world.finish(FIRST, &[(0, 2_000), (4_000, 0), (0, 0), (0, 0)]);
            let book = audited(&world);
            let mut paid = vec![(kinds::ENERGY, "B", "A", 12_000_000), (kinds::FEE, "B", "grid", 400_000)];
            paid.extend(deviation);
            paid.push((kinds::RETAIL, "B", "retailer", 18_000_000));
            assert_eq!(lines(&world, &book, FIRST), expected(&paid));
            let folder = tempfile::tempdir().unwrap();
            let node = node(&world, folder.path());
            let snapshot = node.snapshot();
            let life = Life::read(&snapshot, TradeId { at: (MARKET, FIRST), trade: 0 }).unwrap();
            let told = format!(
                "entity {} was curtailed to {} kWh before the gate, reason 7",
                world.homes[A].entity,
                cap / 1_000
            );
            assert_eq!((life.curtailments.as_slice(), life.faults), ([told].as_slice(), Vec::new()));
        });
    }
}

#[test]
fn operations_of_one_block_keep_their_order() {
    scenario(|mut world| {
        let ask = world.place(A, FIRST, Side::Sell, 3_000, 6_000);
        // In one block: B takes a part, A withdraws the rest, C comes too late and rests.
        let submit = |world: &mut World, home: usize, call: markets::Call| {
            let delegate = world.homes[home].delegate.clone();
            world.chain.submit(&delegate, call)
        };
        let bid = |world: &World, home| markets::Call::Place {
            request: world.request(home, FIRST, Side::Buy, 1_000, 6_000),
        };
        let (b, c) = (bid(&world, B), bid(&world, C));
        submit(&mut world, B, b);
        let call = || markets::Call::Cancel { market: MARKET, slot: FIRST, seq: ask };
        submit(&mut world, A, call());
        let twice = submit(&mut world, A, call());
        submit(&mut world, C, c);
        world.chain.block();
        let refused = world.chain.outcome(&twice).clone();
        assert!(format!("{refused:?}").contains("AlreadyLeaving"), "{refused:?}");
        assert_eq!(batches(&world)[1], [(1, 0, 1_000, 6_000)]);
        assert_eq!(standing(&world, A), (1_000_000, 0, 1_000));
        assert_eq!(standing(&world, C), (1_000 * 6_200, 1, 1_000));
        let events = || world.chain.market_events();
        assert!(events().any(|event| matches!(event, Event::OrderCancelled { seq, .. } if *seq == ask)));
        let queued = Seq::from_number(2);
        assert!(events().any(|event| matches!(event, Event::CancellationQueued { seq, order, .. } if (*seq, *order) == (queued, ask))));
        world.finish(FIRST, &[(0, 1_000), (1_000, 0), (0, 0), (0, 0)]);
        audited(&world);
    });
}

#[test]
fn nobody_trades_with_itself() {
    scenario(|mut world| {
        world.place(A, FIRST, Side::Sell, 2_000, 6_500);
        world.place(B, FIRST, Side::Sell, 1_000, 6_000);
        // A buys from B, then meets its own ask: the newest is withdrawn.
        let bid = world.place(A, FIRST, Side::Buy, 3_000, 7_000);
        assert_eq!(batches(&world)[2], [(2, 1, 1_000, 6_000)]);
        let withdrawn = |event: &Event| matches!(event, Event::SelfTradePrevented { seq, .. } if *seq == bid);
        assert!(world.chain.market_events().any(withdrawn));
        assert_eq!(standing(&world, A), (2_000_000 + 1_000 * 7_200, 1, 3_000));
        world.finish(FIRST, &[(1_000, 0), (0, 1_000), (0, 0), (0, 0)]);
        audited(&world);
    });
}

#[test]
fn an_order_is_replaced_behind_the_queue() {
    scenario(|mut world| {
        let ask = world.place(A, FIRST, Side::Sell, 2_000, 6_500);
        let request = world.request(A, FIRST, Side::Sell, 2_000, 6_000);
        let delegate = world.homes[A].delegate.clone();
        world.chain.must(&delegate, markets::Call::Amend { seq: ask, request });
        assert_eq!(standing(&world, A), (2_000_000, 1, 2_000));
        world.place(B, FIRST, Side::Buy, 2_000, 6_100);
        assert_eq!(batches(&world).concat(), [(3, 2, 2_000, 6_000)]);
        world.finish(FIRST, &[(0, 2_000), (2_000, 0), (0, 0), (0, 0)]);
        audited(&world);
    });
}

/// The pinned rule fails on the second batch: the fallback clears that one, and only that one.
#[test]
fn the_fallback_clears_a_batch_that_the_rule_failed_on() {
    on_vm_thread(|| {
        let mut world = super::open(&failing(&(1..2), &(0..0)));
        world.place(A, FIRST, Side::Sell, 3_000, 6_000);
        world.place(B, FIRST, Side::Buy, 1_000, 6_000);
        world.place(C, FIRST, Side::Buy, 1_000, 6_000);
        assert_eq!(batches(&world).concat(), [(1, 0, 1_000, 6_000), (2, 0, 1_000, 6_000)]);
        let by_fallback: Vec<bool> = continuous::batches(&world.chain.view(), (MARKET, FIRST))
            .iter()
            .map(|batch| batch.fallback)
            .collect();
        assert_eq!(by_fallback, [false, true, false]);
        world.finish(FIRST, &[(0, 3_000), (1_000, 0), (1_000, 0), (0, 0)]);
        audited(&world);
    });
}

#[test]
fn a_slot_whose_batch_nobody_clears_is_void() {
    on_vm_thread(|| {
        let mut world = super::open(&failing(&(1..9), &(1..9)));
        world.place(A, FIRST, Side::Sell, 3_000, 6_000);
        world.place(B, FIRST, Side::Buy, 1_000, 6_000);
        // A trap uses up the gas of its block, so the fallback has the next one.
        world.chain.block();
        world.expect(FIRST, SlotState::Void);
        assert_eq!(world.slot(FIRST).void, Some(VoidReason::NoClearing));
        for home in &world.homes {
            assert!(world.chain.money(&home.account()).1.is_zero(), "holds are released");
        }
        world.chain.pass_to(world.terms.delivery_end(FIRST));
        world.measure_all(FIRST, &[(0, 1_000), (1_000, 0), (0, 0), (0, 0)]);
        world.certify(FIRST);
        world.settle(FIRST);
        let book = audited(&world);
        let residual =
            [(kinds::FEED_IN, "retailer", "A", 3_000_000), (kinds::RETAIL, "B", "retailer", 9_000_000)];
        assert_eq!(lines(&world, &book, FIRST), expected(&residual));
        assert_eq!(name(&world, world.homes[C].account()), "C");
    });
}

#[test]
fn an_empty_continuous_book_is_certified() {
    scenario(|mut world| {
        world.finish(FIRST, &[(0, 0), (0, 0), (0, 0), (0, 0)]);
        let book = audited(&world);
        assert_eq!(lines(&world, &book, FIRST), []);
    });
}

/// One claim for the whole slot: its input commits to every operation and every batch, as the archive has them.
#[test]
fn one_claim_covers_operations_and_batches() {
    scenario(|mut world| {
        let ask = world.place(A, FIRST, Side::Sell, 3_000, 6_000);
        world.place(B, FIRST, Side::Buy, 1_000, 6_000);
        cancel(A, &mut world, ask);
        world.close_gate(FIRST);
        world.confirm_all(FIRST);
        let claim = world.claim(FIRST, Stage::Authentication);
        let leaves: Vec<Op> = world
            .chain
            .leaves((MARKET, FIRST), Stage::Declaration)
            .iter()
            .map(|leaf| Op::decode(&mut &leaf[..]).unwrap())
            .collect();
        assert_eq!(leaves.len(), 3);
        assert_eq!(leaves[2], Op::Cancel { seq: Seq::from_number(2), target: ask });
        let batches: Vec<BatchRecord> = world
            .chain
            .archived(tables::CLEARING)
            .map(|row| BatchRecord::of(&ClearingRecord::decode(&mut &row.value[..]).unwrap()).unwrap())
            .collect();
        assert_eq!(batches, continuous::batches(&world.chain.view(), (MARKET, FIRST)));
        let root = |leaves: &[Op]| {
            use parity_scale_codec::Encode;
            runtime_primitives::merkle_root(leaves.iter().map(Encode::encode))
        };
        let input =
            |leaves: &[Op], batches: &[BatchRecord]| markets::batch::input_root(&root(leaves), batches);
        assert_eq!(claim.input_root, input(&leaves, &batches));
        assert_ne!(claim.input_root, input(&leaves[..2], &batches));
        assert_ne!(claim.input_root, input(&leaves, &batches[..2]));
        let forged = BatchRecord { output: Hash::ZERO, ..batches[1] };
        assert_ne!(claim.input_root, input(&leaves, &[batches[0], forged, batches[2]]));
    });
}

/// What a validator thinks of the first slot in a state that was tampered with.
fn verdict(world: &World, tamper: impl FnOnce(&mut Overlay)) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("journal")).unwrap();
    let pair = KeyPair::from_seed(&blake2_256(b"validator 0 session").0);
    let session = Signer::new(pair, SigningPolicy::Repeatable);
    let mut attestor = Attestor::new(session, world.chain.genesis, journal);
    let mut state = world.chain.view();
    tamper(&mut state);
    let desk = Desk::open(&state, (MARKET, FIRST)).unwrap();
    let second = Vm::new(EngineKind::Wasmi).unwrap();
    attestor.attest(&desk, &second).unwrap().expect("the claim is open").1
}

/// Each batch again on the second engine: whatever is not what the batches before lead to is not signed for.
#[test]
fn validators_run_every_batch_again() {
    on_vm_thread(|| {
        let mut world = super::open(&failing(&(2..3), &(0..0)));
        let ask = world.place(A, FIRST, Side::Sell, 9_000, 6_000);
        world.place(B, FIRST, Side::Buy, 4_000, 6_500);
        world.place(C, FIRST, Side::Buy, 3_000, 6_200);
        cancel(A, &mut world, ask);
        world.close_gate(FIRST);
        world.confirm_all(FIRST);
        let honest = verdict(&world, |_| ());
        assert!(honest.agrees(), "{honest:?}");
        assert_eq!(honest.gas, world.slot(FIRST).clear_gas);
        let at = (MARKET, FIRST);
        type Tamper = fn(&mut Overlay, markets::At);
        let rows: [(&str, Tamper); 6] = [
            ("another order was signed", |state, at| {
                let mut entry = BOOK.get(state, at, 1).unwrap();
                entry.order.energy = Energy::from_wh(3_999);
                BOOK.set(state, at, 1, &entry);
            }),
            ("another order was cancelled", |state, at| {
                let mut place = continuous::PLACES.get(state, at, 3).unwrap();
                place.order = Seq::from_number(2);
                continuous::PLACES.set(state, at, 3, &place);
            }),
            ("the rule had cleared, not the fallback", |state, at| {
                change_batch(state, at, |batch| batch.fallback = false)
            }),
            ("another answer", |state, at| change_batch(state, at, |batch| batch.output = Hash::ZERO)),
            ("another price in gas", |state, at| {
                change_batch(state, at, |batch| batch.gas = Gas::from_units(batch.gas.units() + 1));
            }),
            ("cut elsewhere", |state, at| change_batch(state, at, |batch| batch.end = Seq::from_number(4))),
        ];
        for (what, tamper) in rows {
            for is_claimed in [false, true] {
                let verdict = verdict(&world, |state| {
                    tamper(state, at);
                    if is_claimed {
                        claim_what_is_there(state, at);
                    }
                });
                let same_trades = what == "another order was cancelled" && is_claimed;
                assert!(!verdict.agrees() || same_trades, "{what}, claimed {is_claimed}: {verdict:?}");
            }
        }
    });
}

fn change_batch(state: &mut Overlay, at: markets::At, change: impl FnOnce(&mut BatchRecord)) {
    let mut batch = continuous::BATCHES.get(state, at, 2).unwrap();
    change(&mut batch);
    continuous::BATCHES.set(state, at, 2, &batch);
}

/// A chain that lies consistently: its claim commits to what it says happened.
fn claim_what_is_there(state: &mut Overlay, at: markets::At) {
    use parity_scale_codec::Encode;
    let key = attestation::key(at, Stage::Authentication, 0);
    let mut ballot = attestation::BALLOTS.get(state, &key).unwrap();
    let (_, ops) = continuous::operations(state, &markets::live(state, at).unwrap());
    let root = runtime_primitives::merkle_root(ops.iter().map(Encode::encode));
    ballot.claim.input_root = continuous::claim_input(state, at, &root);
    attestation::BALLOTS.put(state, &key, &ballot);
}

/// A node that is given the same blocks tells each trade's life, and its chain replays.
#[test]
fn trades_of_several_batches_are_shown_and_replayed() {
    scenario(|mut world| {
        let ask = world.place(A, FIRST, Side::Sell, 9_000, 6_000);
        world.place(B, FIRST, Side::Buy, 4_000, 6_500);
        world.place(C, FIRST, Side::Buy, 3_000, 6_200);
        cancel(A, &mut world, ask);
        world.finish(FIRST, &[(0, 7_000), (4_000, 0), (3_000, 0), (0, 0)]);
        let folder = tempfile::tempdir().unwrap();
        let node = node(&world, folder.path());
        let snapshot = node.snapshot();
        let listed = trade::list(&snapshot, None).unwrap();
        let settled: Vec<Option<u64>> = listed.iter().map(|trade| trade.settled_wh).collect();
        assert_eq!(settled, [Some(4_000), Some(3_000)]);
        for trade in 0..2 {
            let life = Life::read(&snapshot, TradeId { at: (MARKET, FIRST), trade }).unwrap();
            assert_eq!((life.rows.len(), life.faults), (7, Vec::<String>::new()));
        }
        let replayed = replay(&snapshot, &world.genesis, |_| ()).unwrap();
        assert_eq!(replayed.last, world.chain.header.hash());
    });
}

/// More than fits a page, and cancellations that always find a place.
#[test]
fn a_full_slot_of_several_pages() {
    on_vm_thread(|| {
        let mut plan = shipped();
        (plan.limits.orders_per_slot, plan.limits.orders_per_entity) = (501, 128);
        let mut world = super::open(&plan);
        for _ in 0..5 {
            for number in 0..100 {
                let home = number % 4;
                let side = if home < 2 { Side::Sell } else { Side::Buy };
                let ticks = if home < 2 { 6_000 + 10 * u32::try_from(number).unwrap() } else { 5_000 };
                let request = world.request(home, FIRST, side, 10, ticks);
                let delegate = world.homes[home].delegate.clone();
                world.chain.submit(&delegate, markets::Call::Place { request });
            }
            world.chain.block_of_successes();
        }
        assert_eq!(world.slot(FIRST).orders, 500);
        // The best asks are on the first page and the second; of each page some are withdrawn.
        for seq in [0, ORDERS_PER_PAGE - 4, ORDERS_PER_PAGE] {
            cancel(0, &mut world, Seq::from_number(seq));
        }
        world.place(3, FIRST, Side::Buy, 105, 6_000);
        let last = batches(&world).pop().unwrap();
        assert_eq!(last.iter().map(|(.., wh, _)| wh).sum::<u64>(), 30, "{last:?}");
        let request = world.request(B, FIRST, Side::Sell, 10, 8_000);
        let delegate = world.homes[B].delegate.clone();
        let full = world.chain.submit(&delegate, markets::Call::Place { request });
        world.chain.block();
        assert!(format!("{:?}", world.chain.outcome(&full)).contains("SlotFull"));
        cancel(B, &mut world, Seq::from_number(1));
        world.close_gate(FIRST);
        let moved = [(0, 500), (0, 500), (500, 0), (500, 0)];
        if world.state(FIRST) == SlotState::Proposed {
            world.confirm_all(FIRST);
        }
        world.finish_certified(&moved);
        audited(&world);
        let view = world.chain.view();
        for seq in [0, ORDERS_PER_PAGE, 504] {
            assert_eq!(continuous::PLACES.get(&view, (MARKET, FIRST), seq), None);
        }
    });
}

/// Prior consent works as in an auction: nothing is pending at the gate.
#[test]
fn orders_may_agree_in_advance() {
    scenario(|mut world| {
        for (home, side) in [(A, Side::Sell), (B, Side::Buy)] {
            let request = world.request(home, FIRST, side, 1_000, 6_000);
            let request = OrderRequest { flags: flags::AUTO_CONFIRM, ..request };
            world.place_request(home, request);
        }
        world.close_gate(FIRST);
        world.expect(FIRST, SlotState::Confirmed);
        world.finish_certified(&[(0, 1_000), (1_000, 0), (0, 0), (0, 0)]);
        let book = audited(&world);
        assert_eq!(book.slots[&(MARKET, FIRST)].settled, [Energy::from_wh(1_000).wh()]);
    });
}

//! The pool's money goes back at the end of a billing period, to whoever settled energy in it; and money that leaves.

use super::{A, B, C, audited, chains, open, scenario};
use busbar_tests::days::{Day, Moved, Wish};
use busbar_tests::ledger::Ledger;
use busbar_tests::machine::on_vm_thread;
use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use contract_interface::{Side, kinds};
use parity_scale_codec::Compact;
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::markets::{self, Error, Event, SlotState};
use runtime_execution::modules::{balances, markets::money::pool_account};
use runtime_execution::{DispatchError, Outcome};
use runtime_primitives::limits::{ENTITIES_PER_PAGE, REFUNDED_PAGES_MAX};
use runtime_primitives::{EntityId, Money};

/// A day in which A sells B so much, and delivers it.
fn day(wh: u64) -> Day {
    let wish = |home, side| Wish { home, side, wh, ticks: 6_000, flags: 0, least: 0 };
    let wishes = if wh == 0 { Vec::new() } else { vec![wish(A, Side::Sell), wish(B, Side::Buy)] };
    let moved = |import, export| Moved { import, export, posted: true };
    Day { wishes, moved: vec![moved(0, wh), moved(wh, 0), moved(0, 0)] }
}

/// The bank puts money into the pool.
fn fill(world: &mut World, units: u128) {
    let dest = MultiAddress::Id(pool_account(MARKET));
    let bank = world.bank().clone();
    world.chain.must(&bank, balances::Call::TransferAllowDeath { dest, value: Compact(units) });
}

/// Slot, payee and units of a refund.
type Paid = (u32, usize, u128);

fn refunds(world: &World, book: &Ledger) -> Vec<Paid> {
    let lines = book.lines.iter().filter(|line| line.kind == kinds::POOL_REFUND);
    let home = |line: &busbar_tests::ledger::Line| {
        world.homes.iter().position(|home| home.account() == line.payee).unwrap()
    };
    lines.map(|line| (line.slot.unwrap().1.number(), home(line), line.amount)).collect()
}

#[test]
fn the_pool_goes_to_those_who_traded_in_the_period_to_the_unit() {
    // Slot 500 begins a period of any of these lengths.
    let rows: [(u32, [u64; 2], &[Paid]); 4] = [
        // Each slot is a period: the odd unit goes to the lower number.
        (1, [1_000, 500], &[(500, A, 501), (500, B, 500)]),
        // Nobody traded in the first: its pool is the second's.
        (1, [0, 500], &[(501, A, 501), (501, B, 500)]),
        (2, [1_000, 0], &[(501, A, 501), (501, B, 500)]),
        // The period goes on.
        (4, [1_000, 500], &[]),
    ];
    scenario(|plan| {
        for (billing_slots, energies, expected) in rows {
            let mut world = World::new(&Plan { billing_slots, ..plan.clone() });
            fill(&mut world, 1_001);
            world.play(FIRST, &energies.map(day));
            let book = audited(&world);
            assert_eq!(refunds(&world, &book), expected, "{billing_slots} slots, {energies:?}");
            let left = if expected.is_empty() { 1_001 } else { 0 };
            assert_eq!(world.chain.money(&pool_account(MARKET)).0.units(), left);
            let told =
                world.chain.market_events().filter(|event| matches!(event, Event::PoolRefunded { .. }));
            assert_eq!(told.count(), expected.len() / 2);
        }
    });
}

#[test]
fn a_debtor_pays_before_it_takes_money_out() {
    scenario(|plan| {
        let mut world = open(&Plan { funds: Money::ZERO, ..plan });
        // B takes 2 kWh that it cannot pay: 1.8 yuan.
        world.finish(FIRST, &[(0, 0), (2_000, 0), (0, 0)]);
        let (owner, entity) = (world.homes[B].owner.clone(), world.homes[B].entity);
        let withdraw = |units| {
            let bank = EntityId::from_number(entities::BANK);
            markets::Call::Withdraw { bank, amount: Money::from_units(units) }
        };
        // A plain transfer is no credit of the market's: nothing is collected from it.
        let bank = world.bank().clone();
        let (dest, value) = (MultiAddress::Id(owner.account()), Compact(20_000_000));
        world.chain.must(&bank, balances::Call::TransferAllowDeath { dest, value });
        let refused = world.chain.submit(&owner, withdraw(1));
        world.chain.block();
        let wrong = DispatchError::from(Error::OpenReceivables { owed: Money::from_units(18_000_000) });
        assert!(matches!(world.chain.outcome(&refused), Outcome::Failed { error, .. } if *error == wrong));

        world.chain.must(&owner, markets::Call::PayReceivables);
        assert_eq!(world.chain.money(&owner.account()).0.units(), 2_000_000);
        world.chain.must(&owner, withdraw(2_000_000));
        let book = audited(&world);
        assert!(book.owed.is_empty());
        assert!(world.chain.market_events().any(|event| matches!(event,
            Event::Withdrawn { entity: who, amount, .. } if *who == entity && amount.units() == 2_000_000)));
        let kinds: Vec<u8> = book.lines.iter().rev().take(2).map(|line| line.kind).collect();
        assert_eq!(kinds, [kinds::WITHDRAWAL, kinds::RECEIVABLE]);
    });
}

#[test]
fn what_a_seller_is_paid_goes_to_those_it_owes() {
    scenario(|plan| {
        let mut world = World::new(&Plan { funds: Money::from_units(10_000_000), ..plan });
        // A takes 3 kWh for 2.7 yuan and has 0.9 beside its hold; in the next slot, for which it had bid before, it
        // sells 1 kWh for 0.6 yuan and gets its hold of 0.1 back.
        let mut first = day(0);
        first.moved[A].import = 3_000;
        world.play(FIRST, &[first, day(1_000)]);
        let book = audited(&world);
        let (account, entity) = (world.homes[A].account(), world.homes[A].entity.number());
        let of = |kind| book.lines.iter().filter(move |line| (line.payer, line.kind) == (account, kind));
        assert_eq!(of(kinds::RETAIL).map(|line| line.amount).collect::<Vec<_>>(), [9_000_000]);
        assert_eq!(of(kinds::RECEIVABLE).map(|line| line.amount).collect::<Vec<_>>(), [7_000_000]);
        assert_eq!(book.owed[&entity].iter().map(|(_, open)| open).sum::<u128>(), 11_000_000);
    });
}

#[test]
fn a_surplus_of_two_prices_goes_back_to_those_who_traded() {
    scenario(|mut plan| {
        plan.rules[1] = chains::two_price_code(&plan.terms());
        plan.billing_slots = 1;
        let mut world = open(&plan);
        world.place(B, FIRST, Side::Buy, 1_000, 5_500);
        world.place(A, FIRST, Side::Sell, 1_000, 3_500);
        // A delivers half of it.
        world.finish(FIRST, &[(0, 500), (1_000, 0), (0, 0)]);
        let book = audited(&world);
        let surplus = book.lines.iter().filter(|line| line.kind == kinds::SURPLUS);
        assert_eq!(surplus.map(|line| line.amount).collect::<Vec<_>>(), [500_000]);
        assert_eq!(refunds(&world, &book), [(500, A, 250_000), (500, B, 250_000)]);
    });
}

#[test]
fn a_forfeited_deposit_goes_back_to_those_who_traded() {
    scenario(|mut plan| {
        plan.windows.reveal_s = 60;
        plan.billing_slots = 1;
        let mut world = open(&plan);
        let requests = [(A, Side::Sell), (B, Side::Buy), (C, Side::Buy)]
            .map(|(home, side)| (home, world.request(home, FIRST, side, 3_000, 6_700)));
        let seqs = requests.clone().map(|(home, request)| world.commit(home, &request));
        world.close_gate(FIRST);
        for ((home, request), seq) in requests.into_iter().zip(seqs).take(2) {
            world.reveal(home, seq, &request);
        }
        world.chain.block_of_successes();
        world.chain.pass_to(world.before_start(FIRST, 240));
        world.chain.block();
        world.expect(FIRST, SlotState::Proposed);
        world.confirm_all(FIRST);
        world.finish_certified(&[(0, 3_000), (3_000, 0), (0, 0)]);
        let book = audited(&world);
        let forfeit = book.lines.iter().find(|line| line.kind == kinds::FORFEIT).unwrap();
        assert_eq!(forfeit.payer, world.homes[C].account());
        let half = forfeit.amount / 2;
        assert_eq!(refunds(&world, &book), [(500, A, half), (500, B, half)]);
    });
}

#[test]
fn refunds_of_many_take_several_blocks_and_the_next_slot_waits() {
    on_vm_thread(|| {
        // Ten entities are there at genesis: the last household is in the 17th page of 16.
        let homes = REFUNDED_PAGES_MAX * ENTITIES_PER_PAGE;
        let last = homes as usize - 1;
        let mut world = World::new(&Plan { homes, billing_slots: 1, ..Plan::default() });
        fill(&mut world, 1_000);
        let mut first = day(1_000);
        first.wishes[1].home = last;
        first.moved.resize(last, Moved { import: 0, export: 0, posted: false });
        first.moved[B].import = 0;
        first.moved.push(Moved { import: 1_000, export: 0, posted: true });
        let second = world.play_to_lists(FIRST, &[first, day(500)]);
        let refunded = |world: &World| {
            let records = world.chain.movements().into_iter();
            records.filter(|record| record.kind == kinds::POOL_REFUND).count()
        };
        // An objection has a window of blocks, too; after an outage both slots are due at once.
        world.chain.pass_to(world.chain.now.plus_ms(9));
        world.chain.block_at(world.after_end(second, 10_000));
        for (paid, state) in [(1, SlotState::Payable), (2, SlotState::Payable), (2, SlotState::Settled)] {
            world.expect(FIRST, SlotState::Settled);
            world.expect(second, state);
            assert_eq!(refunded(&world), paid);
            world.chain.block();
        }
        let book = audited(&world);
        assert_eq!(refunds(&world, &book), [(500, A, 500), (500, last, 500)]);
    });
}

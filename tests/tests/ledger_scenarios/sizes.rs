//! More than fits a page: of orders, of trades, of meters. And a retailer that has nothing.

use super::{A, audited, expected, lines, open, scenario, trade};
use busbar_tests::machine::on_vm_thread;
use busbar_tests::world::{FIRST, MARKET, Plan, entities};
use contract_interface::{OrderRequest, Side, flags, kinds};
use parity_scale_codec::Compact;
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::balances;
use runtime_execution::modules::markets::{self, SlotState};
use runtime_primitives::limits::ORDERS_PER_PAGE;
use runtime_primitives::{Money, Seq};

/// Orders of each of ten households: five sell, five buy.
const EACH: u32 = 100;

#[test]
fn books_and_trades_of_several_pages() {
    on_vm_thread(|| {
        let mut plan = Plan { homes: 10, ..Plan::default() };
        (plan.limits.orders_per_slot, plan.limits.orders_per_entity) = (10 * EACH, EACH);
        let mut world = open(&plan);
        for number in 0..EACH {
            for home in 0..10 {
                let side = if home % 2 == 0 { Side::Sell } else { Side::Buy };
                let (wh, ticks) = (10 + u64::from(number), 5_000 + 10 * (number % 7));
                let request = world.request(home, FIRST, side, wh, ticks);
                let delegate = world.homes[home].delegate.clone();
                let request = OrderRequest { flags: flags::AUTO_CONFIRM, ..request };
                world.chain.submit(&delegate, markets::Call::Place { request });
            }
        }
        world.chain.block_of_successes();
        // One in the first page, at each end of the second, and in the last.
        for seq in [
            0,
            ORDERS_PER_PAGE - 1,
            ORDERS_PER_PAGE,
            2 * ORDERS_PER_PAGE - 1,
            2 * ORDERS_PER_PAGE,
            10 * EACH - 1,
        ] {
            let delegate = world.homes[(seq % 10) as usize].delegate.clone();
            let seq = Seq::from_number(seq);
            world.chain.submit(&delegate, markets::Call::Cancel { market: MARKET, slot: FIRST, seq });
        }
        world.chain.block_of_successes();
        world.close_gate(FIRST);
        assert!(world.slot(FIRST).trades > ORDERS_PER_PAGE, "{} trades", world.slot(FIRST).trades);
        let moved: Vec<(u64, u64)> =
            (0..10).map(|home| if home % 2 == 0 { (0, 5_000) } else { (5_500, 0) }).collect();
        world.finish_certified(&moved);
        let book = audited(&world);
        assert!(book.lines.iter().filter(|line| line.kind == kinds::ENERGY).count() > 300);
        assert!(markets::ENTITY_SLOTS.entries(&world.chain.view()).is_empty(), "the working set is dropped");
    });
}

#[test]
fn meters_of_several_pages_some_of_which_are_silent() {
    on_vm_thread(|| {
        let homes = 140;
        let mut world = open(&Plan { homes, ..Plan::default() });
        let (seller, buyer) = (70, 139);
        world.place(seller, FIRST, Side::Sell, 3_000, 6_000);
        world.place(buyer, FIRST, Side::Buy, 3_000, 6_000);
        world.deliver(FIRST);
        // The first page posts nothing but its last, the second every third, the third all.
        for home in 0..homes as usize {
            let posts = [home == 63, home % 3 == 1, true][home / 64];
            if posts {
                let export = if home == seller { 3_000 } else { 0 };
                world.measure(home, FIRST, 1_000 + home as u64, export);
            }
        }
        world.chain.block_of_successes();
        world.expect(FIRST, SlotState::Metering);
        world.chain.pass_to(world.after_end(FIRST, 300));
        world.certify(FIRST);
        world.settle(FIRST);
        let book = audited(&world);
        let retail = book.lines.iter().filter(|line| line.kind == kinds::RETAIL).count();
        // All that posted but the buyer, which had bought more than it took.
        let posted = (0..homes as usize).filter(|home| [*home == 63, home % 3 == 1, true][home / 64]).count();
        assert_eq!(retail, posted - 1, "silent meters are billed for nothing");
    });
}

#[test]
fn a_retailer_without_money_owes_the_feed_in() {
    scenario(|plan| {
        let mut world = open(&plan);
        trade(&mut world, 2_000, 6_000);
        let retailer = world.owners[entities::RETAILER as usize].clone();
        let (free, _) = world.chain.money(&retailer.account());
        let (dest, value) = (MultiAddress::Id(world.bank().account()), Compact(free.units()));
        world.chain.must(&retailer, balances::Call::TransferAllowDeath { dest, value });
        world.finish(FIRST, &[(0, 10_000), (2_000, 0), (100, 0)]);
        let book = audited(&world);
        // C's bill comes after A's feed-in: nothing is there to pay A with.
        let paid = [
            (kinds::ENERGY, "B", "A", 12_000_000),
            (kinds::FEE, "B", "grid", 400_000),
            (kinds::RETAIL, "C", "retailer", 900_000),
        ];
        assert_eq!(lines(&world, &book, FIRST), expected(&paid));
        // What C then paid went to A at once.
        assert_eq!(book.owed[&entities::RETAILER], [(world.homes[A].account(), 23_100_000)]);
        let bank = world.bank().clone();
        let entity = runtime_primitives::EntityId::from_number(entities::RETAILER);
        world.chain.must(&bank, markets::Call::Fund { entity, amount: Money::from_units(30_000_000) });
        let book = audited(&world);
        assert!(book.owed.is_empty());
        assert_eq!(world.chain.money(&retailer.account()).0.units(), 6_900_000);
    });
}

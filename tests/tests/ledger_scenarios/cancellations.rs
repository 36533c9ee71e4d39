//! More unconfirmed trades than one step cancels.

use super::{audited, on_vm_thread, open};
use busbar_tests::world::{FIRST, MARKET, Plan};
use contract_interface::{OrderRequest, Side, flags};
use parity_scale_codec::Encode;
use runtime_execution::Outcome;
use runtime_execution::modules::markets::{self, BOOK, Error, Event, SlotState, TRADES};
use runtime_primitives::limits::{CANCELLED_PAGES_MAX, EVENTS_BYTES_MAX, ORDERS_PER_PAGE};

/// Households: even ones sell and agree in advance, odd ones buy and are silent.
const HOMES: usize = 30;
/// Orders of each.
const EACH: usize = 120;

#[test]
fn a_long_list_is_cancelled_step_by_step() {
    on_vm_thread(|| {
        let mut plan = Plan { homes: 30, ..Plan::default() };
        (plan.limits.orders_per_slot, plan.limits.orders_per_entity) = (3_600, 120);
        plan.rules[3] = plan.rules[1].clone();
        let mut world = open(&plan);
        for home in (0..HOMES).cycle().take(HOMES * EACH) {
            // No two orders begin and end together, so there are about as many trades as orders.
            let request = match home % 2 {
                0 => world.request(home, FIRST, Side::Sell, 21, 6_000),
                _ => world.request(home, FIRST, Side::Buy, 20, 6_700),
            };
            let flags = if request.side == Side::Sell { flags::AUTO_CONFIRM } else { 0 };
            let delegate = world.homes[home].delegate.clone();
            let request = OrderRequest { flags, ..request };
            world.chain.submit(&delegate, markets::Call::Place { request });
        }
        world.chain.block_of_successes();
        world.close_gate(FIRST);
        let (trades, step) = (world.slot(FIRST).trades, CANCELLED_PAGES_MAX * ORDERS_PER_PAGE);
        assert!(trades > step, "{trades} trades");

        world.chain.pass_to(world.before_start(FIRST, 150).minus_ms(1_000));
        // The last trade is still as it was when its buyer answers, but the window is over.
        let (view, at, trade) = (world.chain.view(), (MARKET, FIRST), trades - 1);
        let last = TRADES.get(&view, at, trade).unwrap().trade.buy.number();
        let buyer = BOOK.get(&view, at, last).unwrap().order.entity;
        let buyer = world.homes.iter().find(|home| home.entity == buyer).unwrap().delegate.clone();
        let late = world.chain.submit(&buyer, markets::Call::Refuse { market: MARKET, slot: FIRST, trade });
        let past = world.chain.block();
        let events: usize = past.events.iter().map(|record| record.encode().len()).sum();
        assert!(events < EVENTS_BYTES_MAX, "{events} bytes of events");
        let outcome = world.chain.outcome(&late);
        let wrong = Error::ConsentOver(FIRST).into();
        assert!(matches!(outcome, Outcome::Failed { error, .. } if *error == wrong), "{outcome:?}");
        world.expect(FIRST, SlotState::Proposed);
        assert_eq!(world.slot(FIRST).closed, step);

        world.chain.block();
        world.expect(FIRST, SlotState::Confirmed);
        let cancelled =
            world.chain.market_events().filter(|event| matches!(event, Event::TradeCancelled { .. }));
        assert_eq!(cancelled.count(), trades as usize);
        audited(&world);
    });
}

//! The accountant against the chain: every balance, hold, movement and bill line of every scenario.
//!
//! A scenario plays on the chain; the accountant then replays its blocks and stops at the first difference. What a row
//! asserts besides are the figures that the story is about.
#![allow(clippy::unwrap_used, reason = "tests")]

mod adjustments;
mod agreement;
mod batches;
mod cancellations;
mod chains;
mod consents;
mod continuous;
mod curtailments;
mod deliveries;
mod deposits;
mod disputes;
mod fees;
mod joining;
mod minimums;
mod outcomes;
mod proxies;
mod quotas;
mod refunds;
mod rule_checks;
mod seals;
mod set_changes;
mod shortfalls;
mod sizes;
mod slots_in_a_row;
mod standing;
mod trade_cap;
mod voids;

use busbar_tests::ledger::{self, Ledger, Line};
use busbar_tests::machine::on_vm_thread;
use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use contract_interface::Side;
use runtime_primitives::Slot;

/// Seller, buyer, and a third household.
const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

/// A world in its open first slot.
fn open(plan: &Plan) -> World {
    let mut world = World::new(plan);
    world.open(FIRST);
    world
}

/// A sells B `wh` at `ticks`.
fn trade(world: &mut World, wh: u64, ticks: u32) {
    world.place(A, FIRST, Side::Sell, wh, ticks);
    world.place(B, FIRST, Side::Buy, wh, ticks);
}

/// The accountant's book of a world, in full agreement with the chain.
fn audited(world: &World) -> Ledger {
    let mut rules = ledger::native_rules();
    rules.extend(chains::two_price_rule());
    Ledger::audit(world, rules)
}

/// Lines of a slot by kind: payer, payee, units.
fn lines(world: &World, book: &Ledger, slot: Slot) -> Vec<(u8, String, String, u128)> {
    let of_slot = book.lines.iter().filter(|line| line.slot == Some((MARKET, slot)));
    of_slot
        .map(|line: &Line| (line.kind, name(world, line.payer), name(world, line.payee), line.amount))
        .collect()
}

fn name(world: &World, account: runtime_primitives::AccountId) -> String {
    let home = world.homes.iter().position(|home| home.account() == account);
    if let Some(home) = home {
        return ["A", "B", "C", "D"].get(home).copied().unwrap_or("?").into();
    }
    if account == world.account(entities::RETAILER) {
        return "retailer".into();
    }
    if account == world.account(entities::GRID) {
        return "grid".into();
    }
    "pool".into()
}

/// Expected lines, written short.
fn expected(lines: &[(u8, &str, &str, u128)]) -> Vec<(u8, String, String, u128)> {
    lines.iter().map(|(kind, from, to, units)| (*kind, (*from).into(), (*to).into(), *units)).collect()
}

/// Run a scenario with a plan of three households.
fn scenario(body: impl FnOnce(Plan) + Send) {
    on_vm_thread(|| body(Plan { homes: 3, ..Plan::default() }));
}

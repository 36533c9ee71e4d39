//! Valid settlement reports, and what a malicious rule could make of them: other energies, other payments, or the
//! report of another slot.

use super::super::referee::check_settlement;
use super::super::testing::slots::random_input;
use super::{Choices, Judged, judged, naive};
use contract_interface::{Party, SettleInput, SettlementReport, Transfer, kinds};
use runtime_primitives::{Energy, EntityId, MeterId, Money};

/// Settle a random slot honestly, change slot or report up to four times, and let both judge.
pub fn attack_report(choices: &mut Choices) -> Judged {
    let mut input: SettleInput = random_input(&mut choices.random);
    let mut report: SettlementReport = contract_settlement::settle(input.clone()).unwrap().into();
    let valid = check_settlement(&input, &report);
    assert!(valid.is_ok(), "an honest report is refused: {valid:?}\n{input:#?}\n{report:#?}");
    for _ in 0..choices.below(5) {
        if choices.once_in(6) {
            change_slot(choices, &mut input);
        } else {
            change_report(choices, &mut report);
        }
    }
    let verdict = check_settlement(&input, &report);
    let valid = naive::settles(&input, &report);
    judged(verdict.is_ok(), valid, || format!("{verdict:?}\n{input:#?}\n{report:#?}"))
}

/// The report is of a slot that was a little different.
fn change_slot(choices: &mut Choices, input: &mut SettleInput) {
    let drawn = choices.below(4);
    if drawn == 0 {
        if let Some(trade) = choices.one(&mut input.trades) {
            trade.energy = Energy::from_wh(choices.nudged(trade.energy.wh()).clamp(1, 1 << 40));
        }
        return;
    }
    let Some(meter) = choices.one(&mut input.meters) else { return };
    let energy = |choices: &mut Choices, was: Energy| Energy::from_wh(choices.nudged(was.wh()).min(1 << 40));
    match drawn {
        1 => meter.import_wh = energy(choices, meter.import_wh),
        2 => meter.export_wh = energy(choices, meter.export_wh),
        _ => meter.curtailed = !meter.curtailed,
    }
}

fn any_party(choices: &mut Choices) -> Party {
    match choices.below(4) {
        0 => Party::Retailer,
        1 => Party::Grid,
        2 => Party::Pool,
        _ => Party::Entity(EntityId::from_number(u32::try_from(choices.below(6)).unwrap())),
    }
}

fn nudged_money(choices: &mut Choices, amount: Money) -> Money {
    let units = u64::try_from(amount.units()).unwrap_or(u64::MAX);
    Money::from_units(u128::from(choices.nudged(units)))
}

fn change_line(choices: &mut Choices, line: &mut Transfer) {
    match choices.below(7) {
        0 => line.amount = nudged_money(choices, line.amount),
        1 => line.from = any_party(choices),
        2 => line.to = any_party(choices),
        3 => std::mem::swap(&mut line.from, &mut line.to),
        4 => line.kind = u8::try_from(choices.below(8)).unwrap(),
        5 => line.trade = [None, Some(0), Some(17)][choices.below(3)],
        _ => {
            let number = u32::try_from(choices.below(8) * 3).unwrap();
            line.meter = [None, Some(MeterId::from_number(number))][choices.below(2)];
        }
    }
}

fn change_report(choices: &mut Choices, report: &mut SettlementReport) {
    let count = report.transfers.len();
    match choices.below(14) {
        0 => {
            if let Some(settled) = choices.one(&mut report.settled) {
                *settled = Energy::from_wh(choices.nudged(settled.wh()));
            }
        }
        1 => {
            // The sum stays, its parts move.
            let trades = report.settled.len();
            let (one, other) = (choices.below(trades), choices.below(trades));
            if trades > 0 {
                let moved = report.settled[one].min(Energy::from_wh(choices.nudged(1)));
                report.settled[one] = report.settled[one].saturating_sub(moved);
                report.settled[other] = report.settled[other].saturating_add(moved);
            }
        }
        2 => _ = report.settled.pop(),
        3 => report.settled.push(Energy::ZERO),
        4 => report.transfers.retain(|line| line.kind != kinds::DEVIATION),
        5 => {
            let deviations = report.transfers.iter_mut().filter(|line| line.kind == kinds::DEVIATION);
            deviations.for_each(|line| line.amount = Money::from_units(line.amount.units().div_ceil(2)));
        }
        _ if count == 0 => {}
        6 => _ = report.transfers.remove(choices.below(count)),
        7 => report.transfers.push(report.transfers[choices.below(count)]),
        8 => report.transfers.rotate_left(choices.below(count)),
        9 => {
            let (one, other) = (choices.below(count), choices.below(count));
            let amount = report.transfers[one].amount;
            report.transfers[one].amount = std::mem::replace(&mut report.transfers[other].amount, amount);
        }
        10 => {
            // One payment as two: what is paid twice is not what is due.
            let at = choices.below(count);
            let units = report.transfers[at].amount.units();
            let half = Money::from_units(units / 2);
            report.transfers[at].amount = Money::from_units(units - units / 2);
            report.transfers.push(Transfer { amount: half, ..report.transfers[at] });
        }
        _ => {
            let at = choices.below(count);
            change_line(choices, &mut report.transfers[at]);
        }
    }
}

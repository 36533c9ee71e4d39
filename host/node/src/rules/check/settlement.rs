//! The properties of a settlement rule: what the referee holds it to, and one answer everywhere.
//!
//! The referee looks at energies before payments, so a case with wrong energies says nothing of its payments.

use super::matching::both_engines;
use super::{ANSWERS, Property, Subjected, Tested};
use crate::rules::generate::{Random, slot};
use crate::rules::rule::{NoAnswer, Rule, RuleKind, answer};
use crate::rules::shrink;
use contract_interface::{Party, SETTLE, SettleInput, SettlementReport};
use parity_scale_codec::Encode;
use runtime_execution::referee::{SettlementFault, check_settlement};
use serde_json::{Value, json};
use std::cell::Cell;

pub(super) struct Subject<'a> {
    rule: &'a Rule,
    spent: Cell<u64>,
}

impl<'a> Subject<'a> {
    pub(super) const fn new(rule: &'a Rule) -> Self {
        Self { rule, spent: Cell::new(0) }
    }

    fn settle(&self, input: &SettleInput) -> Result<SettlementReport, NoAnswer> {
        let outcome = self.rule.call(&message(input), RuleKind::Settlement.gas_max());
        self.spent.set(self.spent.get().saturating_add(outcome.gas_used.units()));
        answer(&outcome)
    }

    fn judge(&self, input: &SettleInput) -> Option<Result<(), SettlementFault>> {
        self.settle(input).ok().map(|report| check_settlement(input, &report))
    }
}

fn message(input: &SettleInput) -> Vec<u8> {
    (SETTLE, input).encode()
}

const fn is_of_energies(fault: &SettlementFault) -> bool {
    matches!(
        fault,
        SettlementFault::SettledCount { .. }
            | SettlementFault::AboveTrade { .. }
            | SettlementFault::InventedEnergy { .. }
            | SettlementFault::Withheld { .. }
    )
}

impl Subjected for Subject<'_> {
    type Input = SettleInput;

    fn generate(&self, random: &mut Random, number: u32) -> SettleInput {
        slot(random, number)
    }

    fn simpler(&self, input: &SettleInput) -> Vec<SettleInput> {
        shrink::simpler_slots(input)
    }

    /// The figures, and the bytes as `busbar contract run --input` takes them.
    fn shown(&self, input: &SettleInput) -> Value {
        let trades: Vec<Value> = input
            .trades
            .iter()
            .map(|trade| {
                json!({
                    "id": trade.id,
                    "buy_meter": trade.buy_meter.number(),
                    "sell_meter": trade.sell_meter.number(),
                    "qty": trade.energy.wh(),
                    "buy_price": trade.buy_price.ticks(),
                    "sell_price": trade.sell_price.ticks(),
                })
            })
            .collect();
        let meters: Vec<Value> = input
            .meters
            .iter()
            .map(|meter| {
                json!({
                    "meter": meter.meter.number(),
                    "entity": meter.entity.number(),
                    "import": meter.import_wh.wh(),
                    "export": meter.export_wh.wh(),
                    "curtailed": meter.curtailed,
                })
            })
            .collect();
        json!({ "trades": trades, "meters": meters, "input": hex::encode(message(input)) })
    }

    fn spent(&self) -> u64 {
        self.spent.get()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let property = |name, test| Property { name, is_claimed: |_: &Self| true, test };
        vec![
            property(ANSWERS, |one, input| match one.settle(input) {
                Ok(_) => Tested::Holds,
                Err(why) => Tested::Fails(why.to_string()),
            }),
            property("settled energies", |one, input| match one.judge(input) {
                Some(Err(fault)) if is_of_energies(&fault) => Tested::Fails(fault.to_string()),
                Some(_) => Tested::Holds,
                None => Tested::DoesNotApply,
            }),
            property("payments are the formulas'", |one, input| match one.judge(input) {
                Some(Err(fault)) if !is_of_energies(&fault) => Tested::Fails(fault.to_string()),
                Some(Ok(())) => Tested::Holds,
                _ => Tested::DoesNotApply,
            }),
            property("nobody is paid from nowhere", |one, input| match one.settle(input) {
                Ok(report) => parties(input, &report).into(),
                Err(_) => Tested::DoesNotApply,
            }),
            property("same answer on both engines", |one, input| {
                both_engines(one.rule, RuleKind::Settlement, &message(input))
            }),
        ]
    }
}

/// Every payment is above zero, between two parties that the slot knows.
fn parties(input: &SettleInput, report: &SettlementReport) -> Result<(), String> {
    let known = |party: Party| match party {
        Party::Entity(entity) => input.meters.iter().any(|meter| meter.entity == entity),
        Party::Retailer | Party::Grid | Party::Pool => true,
    };
    for (index, transfer) in report.transfers.iter().enumerate() {
        if transfer.amount.is_zero() {
            return Err(format!("payment {index} is of nothing"));
        }
        if !known(transfer.from) || !known(transfer.to) {
            return Err(format!("payment {index} is between {:?} and {:?}", transfer.from, transfer.to));
        }
    }
    Ok(())
}

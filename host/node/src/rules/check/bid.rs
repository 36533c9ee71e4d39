//! The properties of a bid rule: an answer to every request, a memo that fits, one answer everywhere.
//!
//! Which requests it admits is the rule's own affair.

use super::matching::both_engines;
use super::{ANSWERS, Finding, Property, Subjected, Tested};
use crate::report::grouped;
use crate::rules::generate::{Random, plain_message, request};
use crate::rules::rule::{NoAnswer, Rule, RuleKind, answer};
use contract_interface::{ADMIT, Admission, AdmitInput};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::Energy;
use runtime_primitives::limits::MEMO_BYTES_MAX;
use serde_json::{Value, json};
use std::cell::Cell;

pub(super) struct Subject<'a> {
    rule: &'a Rule,
    spent: Cell<u64>,
    most: Cell<u64>,
}

impl<'a> Subject<'a> {
    pub(super) const fn new(rule: &'a Rule) -> Self {
        Self { rule, spent: Cell::new(0), most: Cell::new(0) }
    }

    fn admit(&self, input: &AdmitInput) -> Result<Admission, NoAnswer> {
        let outcome = self.rule.call(&message(input), RuleKind::Bid.gas_max());
        let gas = outcome.gas_used.units();
        self.spent.set(self.spent.get().saturating_add(gas));
        self.most.set(self.most.get().max(gas));
        answer(&outcome)
    }
}

fn message(input: &AdmitInput) -> Vec<u8> {
    (ADMIT, input).encode()
}

impl Subjected for Subject<'_> {
    type Input = AdmitInput;

    fn generate(&self, random: &mut Random, number: u32) -> AdmitInput {
        request(random, number)
    }

    /// With one value after the other as in the plain request.
    fn simpler(&self, input: &AdmitInput) -> Vec<AdmitInput> {
        let message = plain_message(RuleKind::Bid);
        let Ok(plain) = AdmitInput::decode(&mut &message[ADMIT.len()..]) else { return Vec::new() };
        let set: [fn(&mut AdmitInput, &AdmitInput); 12] = [
            |one, plain| one.memo.clone_from(&plain.memo),
            |one, plain| one.request.side = plain.request.side,
            |one, plain| one.request.energy = plain.request.energy,
            |one, plain| one.request.min_energy = plain.request.min_energy,
            |one, plain| one.request.price = plain.request.price,
            |one, plain| one.request.flags = plain.request.flags,
            |one, plain| one.request.partner = plain.request.partner,
            |one, plain| one.request.meter = plain.request.meter,
            |one, plain| one.request.valid_until = plain.request.valid_until,
            |one, plain| one.roles = plain.roles,
            |one, plain| {
                (one.orders_in_slot, one.orders_of_entity) = (plain.orders_in_slot, plain.orders_of_entity);
            },
            |one, plain| one.p_max_w = plain.p_max_w,
        ];
        let changed = set.into_iter().map(|set| {
            let mut simpler = input.clone();
            set(&mut simpler, &plain);
            simpler
        });
        let mut simpler: Vec<AdmitInput> = changed.filter(|simpler| simpler != input).collect();
        let half = Energy::from_wh(input.request.energy.wh() / 2);
        if half > plain.request.energy {
            let mut halved = input.clone();
            halved.request.energy = half;
            simpler.push(halved);
        }
        simpler
    }

    /// The figures, and the bytes as `busbar contract run --input` takes them.
    fn shown(&self, input: &AdmitInput) -> Value {
        let request = &input.request;
        json!({
            "side": if request.side == contract_interface::Side::Buy { "buy" } else { "sell" },
            "qty": request.energy.wh(),
            "min_qty": request.min_energy.wh(),
            "price": request.price.ticks(),
            "flags": request.flags,
            "partner": request.partner.number(),
            "roles": input.roles,
            "orders_in_slot": input.orders_in_slot,
            "orders_of_entity": input.orders_of_entity,
            "p_max_w": input.p_max_w,
            "memo": hex::encode(&input.memo),
            "input": hex::encode(message(input)),
        })
    }

    fn spent(&self) -> u64 {
        self.spent.get()
    }

    fn conclude(&self, finding: &mut Finding) {
        if finding.property == ANSWERS {
            finding.note = format!("at most {} gas", grouped(self.most.get()));
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let property = |name, test| Property { name, is_claimed: |_: &Self| true, test };
        vec![
            // An error of the rule refuses the order: an answer like any other.
            property(ANSWERS, |one, input| match one.admit(input) {
                Ok(_) | Err(NoAnswer::Refused(_)) => Tested::Holds,
                Err(why) => Tested::Fails(why.to_string()),
            }),
            property("memos fit", |one, input| match one.admit(input) {
                Ok(Admission::Accept { memo }) if memo.len() > MEMO_BYTES_MAX => {
                    Tested::Fails(format!("a memo of {} bytes, at most {MEMO_BYTES_MAX}", memo.len()))
                }
                Ok(Admission::Accept { .. }) => Tested::Holds,
                _ => Tested::DoesNotApply,
            }),
            property("same answer on both engines", |one, input| {
                both_engines(one.rule, RuleKind::Bid, &message(input))
            }),
        ]
    }
}

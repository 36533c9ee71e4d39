//! Fields of events for scripts: numbers for what is counted, text for money, hashes and accounts, null for what is not there.

use crate::cli::remote::address;
use crate::rule_name::{named as rule_named, of_dispatch};
use contract_interface::Stage;
use runtime_execution::modules::contracts::Caller;
use runtime_execution::modules::markets::adjustments::Grounds;
use runtime_execution::modules::markets::curtailment::Cap;
use runtime_execution::modules::markets::standing::Removal;
use runtime_execution::modules::markets::{
    self, ClearFailure, Forfeit, SettleFailure, SlotState, VoidReason,
};
use runtime_execution::modules::system::{DispatchInfo, Pays};
use runtime_execution::{DispatchError, ModuleError, SubstrateError};
use runtime_primitives::{AccountId, EntityId, Gas, Hash, MarketId, MeterId, Money, Seq, Slot};
use serde_json::{Value, json};
use std::fmt::Display;

/// A field of an event.
pub(super) trait Field {
    /// For scripts.
    fn json(&self) -> Value;
}

/// Names that are written with commas, as a list; none if it says so.
pub(super) fn named(names: impl Display) -> Value {
    let text = names.to_string();
    text.split(", ").filter(|name| *name != "none").collect::<Vec<_>>().into()
}

macro_rules! fields {
    ($($type:ty: $field:ident => $json:expr;)*) => {$(
        impl Field for $type {
            fn json(&self) -> Value {
                let $field = self;
                $json
            }
        }
    )*};
}
fields! {
    bool: is => (*is).into();
    u8: number => (*number).into();
    u16: number => (*number).into();
    u32: number => (*number).into();
    EntityId: entity => entity.number().into();
    MarketId: market => market.number().into();
    MeterId: meter => meter.number().into();
    Slot: slot => slot.number().into();
    Seq: seq => seq.number().into();
    Gas: gas => gas.units().into();
    Money: money => money.to_string().into();
    Hash: hash => hash.to_string().into();
    AccountId: account => address(*account).into();
    Vec<u8>: bytes => format!("0x{}", hex::encode(bytes)).into();
    Vec<EntityId>: all => all.iter().map(Field::json).collect();
    Vec<Cap>: all => all.iter().map(Field::json).collect();
    Cap: cap => json!({ "meter": cap.0.number(), "cap_wh": cap.1.wh() });
    SlotState: state => format!("{state:?}").into();
    VoidReason: reason => format!("{reason:?}").into();
    Stage: stage => format!("{stage:?}").into();
    Removal: reason => format!("{reason:?}").into();
    Forfeit: reason => format!("{reason:?}").into();
    ClearFailure: failure => refusal(rule_named("Clearing", failure), failure);
    SettleFailure: failure => refusal(rule_named("Settlement", failure), failure);
    markets::Error: error => refusal(rule_named("Markets", error), error);
    DispatchError: error => refusal(of_dispatch(error), error);
    Grounds: grounds => json!({ "evidence": grounds.evidence.to_string(), "reason": grounds.reason });
    Caller: caller => match caller {
        Caller::Signed(account) => account.json(),
    };
    DispatchInfo: info => json!({
        "ref_time": info.weight.ref_time,
        "proof_size": info.weight.proof_size,
        "class": format!("{:?}", info.class),
        "pays_fee": info.pays_fee == Pays::Yes,
    });
    SubstrateError: error => match error {
        SubstrateError::BadOrigin => json!({ "rule": "BadOrigin" }),
        SubstrateError::Module(ModuleError { index, error }) => json!({ "index": index, "error": format!("0x{}", hex::encode(error)) }),
    };
}

impl<T: Field> Field for Option<T> {
    fn json(&self) -> Value {
        self.as_ref().map_or(Value::Null, Field::json)
    }
}

impl Field for Result<(), SubstrateError> {
    fn json(&self) -> Value {
        self.as_ref().err().map_or(Value::Null, Field::json)
    }
}

/// A rule that was broken, as errors of commands tell it.
fn refusal(rule: String, message: &impl Display) -> Value {
    json!({ "rule": rule, "message": message.to_string() })
}

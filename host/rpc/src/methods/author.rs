//! `author_*` and `payment_*`: extrinsics on their way in, and what they cost.

use super::{Answer, state};
use crate::error::CallError;
use crate::json;
use crate::limits::PENDING_BYTES_MAX;
use crate::params::Arguments;
use crate::view::NodeView;
use parity_scale_codec::{Decode, Encode};
use runtime_execution::api::{FeeDetails, RuntimeDispatchInfo};
use runtime_primitives::limits::EXTRINSIC_BYTES_MAX;
use serde_json::{Value, json};

/// The extrinsic that a call hands over.
pub fn extrinsic(arguments: &Arguments) -> Result<Vec<u8>, CallError> {
    let extrinsic = arguments.bytes(0, "extrinsic")?;
    if extrinsic.len() > EXTRINSIC_BYTES_MAX {
        return Err(CallError::ExtrinsicBytes(extrinsic.len()));
    }
    Ok(extrinsic)
}

pub fn submit<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let hash = view.submit(extrinsic(arguments)?).map_err(CallError::Refused)?;
    Ok(hash.to_string().into())
}

/// What waits, in no particular order; a part of it if it is more than an answer holds.
pub fn pending<V: NodeView>(view: &V, _: &Arguments) -> Answer {
    Ok(view.pending(PENDING_BYTES_MAX).iter().map(|bytes| Value::from(json::hex(bytes))).collect())
}

/// Ask the runtime for something about an extrinsic.
fn ask<V: NodeView, T: Decode>(view: &V, arguments: &Arguments, name: &str) -> Result<T, CallError> {
    let bytes = extrinsic(arguments)?;
    let at = arguments.optional_hash(1, "at")?;
    let length = u32::try_from(bytes.len()).expect("an extrinsic is far below 4 GiB");
    let input = [bytes, length.encode()].concat();
    let answer =
        state::with_state(&view.snapshot(), at, |state, block| view.call(state, block, name, &input))?;
    let answer = answer.map_err(CallError::Runtime)?;
    Ok(T::decode(&mut &answer[..]).expect("the runtime answers in its own types"))
}

pub fn query_info<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let info: RuntimeDispatchInfo = ask(view, arguments, "TransactionPaymentApi_query_info")?;
    Ok(json!({
        "weight": { "ref_time": info.weight.ref_time, "proof_size": info.weight.proof_size },
        "class": format!("{:?}", info.class).to_lowercase(),
        "partialFee": info.partial_fee.units().to_string(),
    }))
}

pub fn query_fee_details<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let details: FeeDetails = ask(view, arguments, "TransactionPaymentApi_query_fee_details")?;
    let fee = details.inclusion_fee.map_or(Value::Null, |fee| {
        json!({
            "baseFee": format!("{:#x}", fee.base_fee.units()),
            "lenFee": format!("{:#x}", fee.len_fee.units()),
            "adjustedWeightFee": format!("{:#x}", fee.adjusted_weight_fee.units()),
        })
    });
    Ok(json!({ "inclusionFee": fee }))
}

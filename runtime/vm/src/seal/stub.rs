//! Functions of the interface that this chain answers with their error code: it has no cross-consensus messages, and
//! contracts do not dispatch its calls.

use super::Call;
use crate::frame::Stop;
use runtime_abi::ReturnCode;

/// Reads what would have been sent, so that a bad pointer traps here as it does elsewhere.
fn refuse(call: &mut Call<'_, '_>, pointer: u32, length: u32, code: ReturnCode) -> Result<ReturnCode, Stop> {
    call.charge_taken(length)?;
    call.memory.read(pointer, length)?;
    Ok(code)
}

pub(crate) fn seal0_call_runtime(
    call: &mut Call<'_, '_>,
    call_ptr: u32,
    call_len: u32,
) -> Result<ReturnCode, Stop> {
    refuse(call, call_ptr, call_len, ReturnCode::CallRuntimeFailed)
}

pub(crate) fn seal0_xcm_execute(
    call: &mut Call<'_, '_>,
    msg_ptr: u32,
    msg_len: u32,
) -> Result<ReturnCode, Stop> {
    refuse(call, msg_ptr, msg_len, ReturnCode::XcmExecutionFailed)
}

pub(crate) fn seal0_xcm_send(
    call: &mut Call<'_, '_>,
    _dest_ptr: u32,
    msg_ptr: u32,
    msg_len: u32,
    _output_ptr: u32,
) -> Result<ReturnCode, Stop> {
    refuse(call, msg_ptr, msg_len, ReturnCode::XcmSendFailed)
}

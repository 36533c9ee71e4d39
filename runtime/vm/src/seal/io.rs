//! Input, output, gas and messages of a call.

use super::Call;
use crate::frame::Stop;
use crate::{HostTrap, Kind, Output};
use runtime_abi::{RETURN_FLAG_REVERT, ReturnCode};
use runtime_primitives::limits::{PAYLOAD_BYTES_MAX, PURE_IO_BYTES_MAX};

pub(crate) fn seal0_input(call: &mut Call<'_, '_>, out_ptr: u32, out_len_ptr: u32) -> Result<(), Stop> {
    // Taken and put back: the frame cannot be read while the memory is written.
    let input = call.frame.input.take().ok_or(HostTrap::InputForwarded)?;
    let written = call.write_fact(out_ptr, out_len_ptr, &input);
    call.frame.input = Some(input);
    written
}

pub(crate) fn seal0_seal_return(
    call: &mut Call<'_, '_>,
    flags: u32,
    data_ptr: u32,
    data_len: u32,
) -> Result<(), Stop> {
    if flags & !RETURN_FLAG_REVERT != 0 {
        return Err(HostTrap::UnknownFlags { flags }.into());
    }
    let max = match call.frame.kind {
        Kind::Pure => PURE_IO_BYTES_MAX,
        Kind::Stateful => PAYLOAD_BYTES_MAX,
    };
    if data_len as usize > max {
        return Err(HostTrap::PayloadTooLarge { length: u64::from(data_len), max }.into());
    }
    call.charge_taken(data_len)?;
    let data = call.memory.read(data_ptr, data_len)?.to_vec();
    Err(Stop::Returned(Output { flags, data }))
}

pub(crate) fn seal0_gas_left(call: &mut Call<'_, '_>, out_ptr: u32, out_len_ptr: u32) -> Result<(), Stop> {
    let gas = call.gas_left.to_le_bytes();
    call.write_fact(out_ptr, out_len_ptr, &gas)
}

pub(crate) fn seal0_debug_message(
    call: &mut Call<'_, '_>,
    str_ptr: u32,
    str_len: u32,
) -> Result<ReturnCode, Stop> {
    call.charge_taken(str_len)?;
    let text = call.memory.read(str_ptr, str_len)?;
    // A message is cut, never refused: it must not decide whether a call succeeds.
    let text = String::from_utf8_lossy(&text[..text.len().min(PAYLOAD_BYTES_MAX)]);
    call.frame.host().debug_message(&text);
    Ok(ReturnCode::Success)
}

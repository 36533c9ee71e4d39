//! Who calls whom, with what value, and transfers.

use super::Call;
use crate::frame::Stop;
use runtime_abi::ReturnCode;

pub(crate) fn seal0_caller(call: &mut Call<'_, '_>, out_ptr: u32, out_len_ptr: u32) -> Result<(), Stop> {
    let caller = call.host().caller();
    call.write_fact(out_ptr, out_len_ptr, &caller)
}

pub(crate) fn seal0_caller_is_origin(call: &mut Call<'_, '_>) -> Result<u32, Stop> {
    Ok(u32::from(call.host().caller_is_origin()))
}

/// Root calls no contract on this chain.
pub(crate) fn seal0_caller_is_root(_: &mut Call<'_, '_>) -> Result<u32, Stop> {
    Ok(0)
}

pub(crate) fn seal0_address(call: &mut Call<'_, '_>, out_ptr: u32, out_len_ptr: u32) -> Result<(), Stop> {
    let address = call.host().address();
    call.write_fact(out_ptr, out_len_ptr, &address)
}

pub(crate) fn seal0_value_transferred(
    call: &mut Call<'_, '_>,
    out_ptr: u32,
    out_len_ptr: u32,
) -> Result<(), Stop> {
    let value = call.host().value_transferred();
    call.write_fact(out_ptr, out_len_ptr, &value.to_le_bytes())
}

pub(crate) fn seal0_balance(call: &mut Call<'_, '_>, out_ptr: u32, out_len_ptr: u32) -> Result<(), Stop> {
    let balance = call.host().balance();
    call.write_fact(out_ptr, out_len_ptr, &balance.to_le_bytes())
}

pub(crate) fn seal0_transfer(
    call: &mut Call<'_, '_>,
    account_ptr: u32,
    _account_len: u32,
    value_ptr: u32,
    _value_len: u32,
) -> Result<ReturnCode, Stop> {
    let to = call.memory.read_array(account_ptr)?;
    let value = u128::from_le_bytes(call.memory.read_array(value_ptr)?);
    Ok(call.host().transfer(&to, value).map_or_else(|code| code, |()| ReturnCode::Success))
}

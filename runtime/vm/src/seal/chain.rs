//! Facts of the chain and the block.

use super::Call;
use crate::frame::Stop;

pub(crate) fn seal0_block_number(
    call: &mut Call<'_, '_>,
    out_ptr: u32,
    out_len_ptr: u32,
) -> Result<(), Stop> {
    let number = call.host().block_number();
    call.write_fact(out_ptr, out_len_ptr, &number.to_le_bytes())
}

pub(crate) fn seal0_now(call: &mut Call<'_, '_>, out_ptr: u32, out_len_ptr: u32) -> Result<(), Stop> {
    let now = call.host().now();
    call.write_fact(out_ptr, out_len_ptr, &now.to_le_bytes())
}

pub(crate) fn seal0_minimum_balance(
    call: &mut Call<'_, '_>,
    out_ptr: u32,
    out_len_ptr: u32,
) -> Result<(), Stop> {
    let minimum = call.host().minimum_balance();
    call.write_fact(out_ptr, out_len_ptr, &minimum.to_le_bytes())
}

pub(crate) fn seal0_weight_to_fee(
    call: &mut Call<'_, '_>,
    gas: u64,
    out_ptr: u32,
    out_len_ptr: u32,
) -> Result<(), Stop> {
    let fee = call.host().weight_to_fee(gas);
    call.write_fact(out_ptr, out_len_ptr, &fee.to_le_bytes())
}

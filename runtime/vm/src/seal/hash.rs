//! The four hashes. Outputs have fixed sizes, so they come without a length.

use super::Call;
use crate::frame::Stop;
use runtime_primitives::{blake2_128, blake2_256, keccak_256, sha2_256};

fn digest<const N: usize>(
    call: &mut Call<'_, '_>,
    (input_ptr, input_len): (u32, u32),
    output_ptr: u32,
    hash: impl FnOnce(&[u8]) -> [u8; N],
) -> Result<(), Stop> {
    call.charge_taken(input_len)?;
    let digest = hash(call.memory.read(input_ptr, input_len)?);
    Ok(call.memory.write(output_ptr, &digest)?)
}

pub(crate) fn seal0_hash_blake2_256(
    call: &mut Call<'_, '_>,
    input_ptr: u32,
    input_len: u32,
    output_ptr: u32,
) -> Result<(), Stop> {
    digest(call, (input_ptr, input_len), output_ptr, |data| blake2_256(data).0)
}

pub(crate) fn seal0_hash_blake2_128(
    call: &mut Call<'_, '_>,
    input_ptr: u32,
    input_len: u32,
    output_ptr: u32,
) -> Result<(), Stop> {
    digest(call, (input_ptr, input_len), output_ptr, blake2_128)
}

pub(crate) fn seal0_hash_keccak_256(
    call: &mut Call<'_, '_>,
    input_ptr: u32,
    input_len: u32,
    output_ptr: u32,
) -> Result<(), Stop> {
    digest(call, (input_ptr, input_len), output_ptr, keccak_256)
}

pub(crate) fn seal0_hash_sha2_256(
    call: &mut Call<'_, '_>,
    input_ptr: u32,
    input_len: u32,
    output_ptr: u32,
) -> Result<(), Stop> {
    digest(call, (input_ptr, input_len), output_ptr, sha2_256)
}

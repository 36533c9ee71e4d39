//! A contract's storage: versions of the same five verbs.
//!
//! Version 0 and `seal1.set_storage` take keys of 32 bytes, later ones a length. Both name the same storage: the same
//! 32 bytes are the same key (the contracts pallet hashes the two apart; no compiler mixes them in one contract).

use super::Call;
use crate::HostTrap;
use crate::frame::Stop;
use runtime_abi::{ReturnCode, SENTINEL};
use runtime_primitives::limits::{PAYLOAD_BYTES_MAX, STORAGE_KEY_BYTES_MAX};

const FIXED_KEY_BYTES: u32 = 32;

/// Where a key lies in the contract's memory.
type Key = (u32, u32);

fn read_key(call: &Call<'_, '_>, (pointer, length): Key) -> Result<Vec<u8>, HostTrap> {
    if length as usize > STORAGE_KEY_BYTES_MAX {
        return Err(HostTrap::KeyTooLong { length, max: STORAGE_KEY_BYTES_MAX });
    }
    Ok(call.memory.read(pointer, length)?.to_vec())
}

fn set(call: &mut Call<'_, '_>, key: Key, value_ptr: u32, value_len: u32) -> Result<u32, Stop> {
    if value_len as usize > PAYLOAD_BYTES_MAX {
        return Err(HostTrap::PayloadTooLarge { length: u64::from(value_len), max: PAYLOAD_BYTES_MAX }.into());
    }
    let key = read_key(call, key)?;
    call.charge_taken(value_len)?;
    let value = call.memory.read(value_ptr, value_len)?;
    Ok(call.frame.host().set_storage(&key, Some(value)).unwrap_or(SENTINEL))
}

fn clear(call: &mut Call<'_, '_>, key: Key) -> Result<u32, Stop> {
    let key = read_key(call, key)?;
    Ok(call.host().set_storage(&key, None).unwrap_or(SENTINEL))
}

fn contains(call: &mut Call<'_, '_>, key: Key) -> Result<u32, Stop> {
    let key = read_key(call, key)?;
    Ok(call.host().get_storage(&key).map_or(SENTINEL, |value| length(&value)))
}

/// Reads a value of unknown length: the longest is charged first, the rest given back.
fn read_value(call: &mut Call<'_, '_>, key: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
    call.charge_given(PAYLOAD_BYTES_MAX)?;
    let value = call.host().get_storage(key);
    let bytes = value.as_ref().map_or(0, Vec::len);
    call.refund_given(PAYLOAD_BYTES_MAX.saturating_sub(bytes));
    Ok(value)
}

fn get(call: &mut Call<'_, '_>, key: Key, out_ptr: u32, out_len_ptr: u32) -> Result<ReturnCode, Stop> {
    let key = read_key(call, key)?;
    let Some(value) = read_value(call, &key)? else { return Ok(ReturnCode::KeyNotFound) };
    call.write_output(out_ptr, out_len_ptr, &value)?;
    Ok(ReturnCode::Success)
}

fn take(call: &mut Call<'_, '_>, key: Key, out_ptr: u32, out_len_ptr: u32) -> Result<ReturnCode, Stop> {
    let key = read_key(call, key)?;
    let Some(value) = read_value(call, &key)? else { return Ok(ReturnCode::KeyNotFound) };
    call.host().set_storage(&key, None);
    call.write_output(out_ptr, out_len_ptr, &value)?;
    Ok(ReturnCode::Success)
}

fn length(value: &[u8]) -> u32 {
    u32::try_from(value.len()).expect("values are limited when they are set")
}

pub(crate) fn seal0_set_storage(
    call: &mut Call<'_, '_>,
    key_ptr: u32,
    value_ptr: u32,
    value_len: u32,
) -> Result<(), Stop> {
    set(call, (key_ptr, FIXED_KEY_BYTES), value_ptr, value_len).map(drop)
}

pub(crate) fn seal1_set_storage(
    call: &mut Call<'_, '_>,
    key_ptr: u32,
    value_ptr: u32,
    value_len: u32,
) -> Result<u32, Stop> {
    set(call, (key_ptr, FIXED_KEY_BYTES), value_ptr, value_len)
}

pub(crate) fn seal2_set_storage(
    call: &mut Call<'_, '_>,
    key_ptr: u32,
    key_len: u32,
    value_ptr: u32,
    value_len: u32,
) -> Result<u32, Stop> {
    set(call, (key_ptr, key_len), value_ptr, value_len)
}

pub(crate) fn seal0_clear_storage(call: &mut Call<'_, '_>, key_ptr: u32) -> Result<(), Stop> {
    clear(call, (key_ptr, FIXED_KEY_BYTES)).map(drop)
}

pub(crate) fn seal1_clear_storage(call: &mut Call<'_, '_>, key_ptr: u32, key_len: u32) -> Result<u32, Stop> {
    clear(call, (key_ptr, key_len))
}

pub(crate) fn seal0_contains_storage(call: &mut Call<'_, '_>, key_ptr: u32) -> Result<u32, Stop> {
    contains(call, (key_ptr, FIXED_KEY_BYTES))
}

pub(crate) fn seal1_contains_storage(
    call: &mut Call<'_, '_>,
    key_ptr: u32,
    key_len: u32,
) -> Result<u32, Stop> {
    contains(call, (key_ptr, key_len))
}

pub(crate) fn seal0_get_storage(
    call: &mut Call<'_, '_>,
    key_ptr: u32,
    out_ptr: u32,
    out_len_ptr: u32,
) -> Result<ReturnCode, Stop> {
    get(call, (key_ptr, FIXED_KEY_BYTES), out_ptr, out_len_ptr)
}

pub(crate) fn seal1_get_storage(
    call: &mut Call<'_, '_>,
    key_ptr: u32,
    key_len: u32,
    out_ptr: u32,
    out_len_ptr: u32,
) -> Result<ReturnCode, Stop> {
    get(call, (key_ptr, key_len), out_ptr, out_len_ptr)
}

pub(crate) fn seal0_take_storage(
    call: &mut Call<'_, '_>,
    key_ptr: u32,
    key_len: u32,
    out_ptr: u32,
    out_len_ptr: u32,
) -> Result<ReturnCode, Stop> {
    take(call, (key_ptr, key_len), out_ptr, out_len_ptr)
}

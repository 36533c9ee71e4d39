//! Codes: whose runs which, and which must stay.

use super::Call;
use crate::HostError;
use crate::frame::Stop;
use runtime_abi::ReturnCode;

/// What a contract learns of something that the host did or refused.
pub(super) fn told<T>(result: Result<T, HostError>) -> Result<Result<T, ReturnCode>, Stop> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(HostError::Code(code)) => Ok(Err(code)),
        Err(HostError::Trap(trap)) => Err(trap.into()),
    }
}

pub(crate) fn seal0_is_contract(call: &mut Call<'_, '_>, account_ptr: u32) -> Result<u32, Stop> {
    let account = call.memory.read_array(account_ptr)?;
    Ok(u32::from(call.host().code_hash(&account).is_some()))
}

pub(crate) fn seal0_code_hash(
    call: &mut Call<'_, '_>,
    account_ptr: u32,
    out_ptr: u32,
    out_len_ptr: u32,
) -> Result<ReturnCode, Stop> {
    let account = call.memory.read_array(account_ptr)?;
    let Some(hash) = call.host().code_hash(&account) else { return Ok(ReturnCode::KeyNotFound) };
    call.write_fact(out_ptr, out_len_ptr, &hash)?;
    Ok(ReturnCode::Success)
}

pub(crate) fn seal0_own_code_hash(
    call: &mut Call<'_, '_>,
    out_ptr: u32,
    out_len_ptr: u32,
) -> Result<(), Stop> {
    let hash = call.host().own_code_hash();
    call.write_fact(out_ptr, out_len_ptr, &hash)
}

pub(crate) fn seal0_set_code_hash(call: &mut Call<'_, '_>, code_hash_ptr: u32) -> Result<ReturnCode, Stop> {
    let hash = call.memory.read_array(code_hash_ptr)?;
    let set = told(call.host().set_code_hash(hash))?;
    Ok(set.map_or_else(|code| code, |()| ReturnCode::Success))
}

pub(crate) fn seal0_lock_delegate_dependency(
    call: &mut Call<'_, '_>,
    code_hash_ptr: u32,
) -> Result<(), Stop> {
    let hash = call.memory.read_array(code_hash_ptr)?;
    Ok(call.host().lock_delegate_dependency(hash)?)
}

pub(crate) fn seal0_unlock_delegate_dependency(
    call: &mut Call<'_, '_>,
    code_hash_ptr: u32,
) -> Result<(), Stop> {
    let hash = call.memory.read_array(code_hash_ptr)?;
    Ok(call.host().unlock_delegate_dependency(hash)?)
}

//! Contracts that call, make and end contracts, and the chain's own extension.
//!
//! A nested call gets at most what is left but a 64th, whatever it asks for, so that its caller can always go on; a
//! callee that traps loses what it was given. Versions differ in what they let a contract say; all end in one call.
#![allow(clippy::too_many_arguments, reason = "the interface's parameters, frozen by compiled contracts")]

use super::Call;
use super::code::told;
use crate::frame::Stop;
use crate::gas;
use crate::{Answer, Budget, ContractCall, Host, HostTrap, NewContract, Output};
use runtime_abi::{CallFlags, CostClass, ReturnCode, SENTINEL};
use runtime_primitives::Gas;
use runtime_primitives::limits::PAYLOAD_BYTES_MAX;

/// The caller keeps one part in so many.
const KEPT_PART: u64 = 64;
/// Where bytes lie in the contract's memory.
type Region = (u32, u32);

impl<'f> Call<'_, 'f> {
    /// Lets the host run another contract within a part of what is left, and pays for it.
    fn nest<T>(
        &mut self,
        gas: u64,
        run: impl FnOnce(&mut (dyn Host + 'f), Budget) -> Answer<T>,
    ) -> Result<Result<T, ReturnCode>, Stop> {
        let most = self.gas_left - self.gas_left / KEPT_PART;
        let given = if gas == 0 { most } else { gas.min(most) };
        let budget = Budget { gas: Gas::from_units(given), stack: self.stack_left };
        let Answer { result, gas_used } = run(self.host(), budget);
        let used = gas_used.units();
        assert!(used <= given, "a nested call used {used} gas of {given}");
        self.gas_left -= used;
        told(result)
    }

    /// The input of a nested call: of this one, or bytes of the memory.
    fn nested_input(&mut self, flags: CallFlags, (pointer, length): Region) -> Result<Vec<u8>, Stop> {
        if flags.contains(CallFlags::CLONE_INPUT) {
            let length = self.frame.input.as_deref().ok_or(HostTrap::InputForwarded)?.len();
            self.charge_given(length)?;
            return Ok(self.frame.input.as_deref().unwrap_or_default().to_vec());
        }
        if flags.contains(CallFlags::FORWARD_INPUT) {
            return Ok(self.frame.input.take().ok_or(HostTrap::InputForwarded)?.into_owned());
        }
        self.charge_taken(length)?;
        Ok(self.memory.read(pointer, length)?.to_vec())
    }

    /// A `u128` at `pointer`, or 0 for a pointer of u32::MAX.
    fn optional_u128(&self, pointer: u32) -> Result<u128, HostTrap> {
        if pointer == SENTINEL { Ok(0) } else { self.memory.read_array(pointer).map(u128::from_le_bytes) }
    }

    /// Hands the callee's output to the contract.
    fn pass_on(
        &mut self,
        flags: CallFlags,
        (output_ptr, output_len_ptr): Region,
        outcome: Result<Output, ReturnCode>,
    ) -> Result<ReturnCode, Stop> {
        match outcome {
            Err(code) => Ok(code),
            Ok(output) if flags.contains(CallFlags::TAIL_CALL) => Err(Stop::Returned(output)),
            Ok(output) => {
                self.write_optional(output_ptr, output_len_ptr, &output.data)?;
                Ok(code_of(&output))
            }
        }
    }
}

fn code_of(output: &Output) -> ReturnCode {
    if output.reverted() { ReturnCode::CalleeReverted } else { ReturnCode::Success }
}

fn known(flags: u32) -> Result<CallFlags, HostTrap> {
    CallFlags::from_bits(flags).ok_or(HostTrap::InvalidCallFlags { flags })
}

/// The first version: the callee may always call back.
pub(crate) fn seal0_call(
    call: &mut Call<'_, '_>,
    callee_ptr: u32,
    _callee_len: u32,
    gas: u64,
    value_ptr: u32,
    _value_len: u32,
    input_data_ptr: u32,
    input_data_len: u32,
    output_ptr: u32,
    output_len_ptr: u32,
) -> Result<ReturnCode, Stop> {
    let (flags, input, output) =
        (CallFlags::ALLOW_REENTRY, (input_data_ptr, input_data_len), (output_ptr, output_len_ptr));
    invoke(call, flags, callee_ptr, gas, SENTINEL, value_ptr, input, output)
}

pub(crate) fn seal1_call(
    call: &mut Call<'_, '_>,
    flags: u32,
    callee_ptr: u32,
    gas: u64,
    value_ptr: u32,
    input_data_ptr: u32,
    input_data_len: u32,
    output_ptr: u32,
    output_len_ptr: u32,
) -> Result<ReturnCode, Stop> {
    let (input, output) = ((input_data_ptr, input_data_len), (output_ptr, output_len_ptr));
    invoke(call, known(flags)?, callee_ptr, gas, SENTINEL, value_ptr, input, output)
}

/// The second half of a weight never limits on this chain: execution reads no proofs.
pub(crate) fn seal2_call(
    call: &mut Call<'_, '_>,
    flags: u32,
    callee_ptr: u32,
    ref_time_limit: u64,
    _proof_size_limit: u64,
    deposit_ptr: u32,
    value_ptr: u32,
    input_data_ptr: u32,
    input_data_len: u32,
    output_ptr: u32,
    output_len_ptr: u32,
) -> Result<ReturnCode, Stop> {
    let (input, output) = ((input_data_ptr, input_data_len), (output_ptr, output_len_ptr));
    invoke(call, known(flags)?, callee_ptr, ref_time_limit, deposit_ptr, value_ptr, input, output)
}

/// `gas` 0 asks for all there is, a `deposit_ptr` of u32::MAX for no limit of its own.
fn invoke(
    call: &mut Call<'_, '_>,
    flags: CallFlags,
    callee_ptr: u32,
    gas: u64,
    deposit_ptr: u32,
    value_ptr: u32,
    input: Region,
    output: Region,
) -> Result<ReturnCode, Stop> {
    let input = call.nested_input(flags, input)?;
    let callee = call.memory.read_array(callee_ptr)?;
    let deposit_limit = call.optional_u128(deposit_ptr)?;
    let value = u128::from_le_bytes(call.memory.read_array(value_ptr)?);
    let read_only = flags.contains(CallFlags::READ_ONLY);
    if value > 0 {
        if read_only || call.host().is_read_only() {
            return Err(HostTrap::StateChangeDenied.into());
        }
        call.charge(gas::host(CostClass::Transfer).base)?;
    }
    let allow_reentry = flags.contains(CallFlags::ALLOW_REENTRY);
    let nested = ContractCall { callee, value, input, deposit_limit, allow_reentry, read_only };
    let outcome = call.nest(gas, |host, budget| host.call(nested, budget))?;
    call.pass_on(flags, output, outcome)
}

pub(crate) fn seal0_delegate_call(
    call: &mut Call<'_, '_>,
    flags: u32,
    code_hash_ptr: u32,
    input_data_ptr: u32,
    input_data_len: u32,
    output_ptr: u32,
    output_len_ptr: u32,
) -> Result<ReturnCode, Stop> {
    let known = known(flags)?;
    let input = call.nested_input(known, (input_data_ptr, input_data_len))?;
    // There is no other contract to protect or to restrain.
    if known.contains(CallFlags::ALLOW_REENTRY) || known.contains(CallFlags::READ_ONLY) {
        return Err(HostTrap::InvalidCallFlags { flags }.into());
    }
    let code_hash = call.memory.read_array(code_hash_ptr)?;
    let outcome = call.nest(0, |host, budget| host.delegate_call(code_hash, input, budget))?;
    call.pass_on(known, (output_ptr, output_len_ptr), outcome)
}

pub(crate) fn seal0_instantiate(
    call: &mut Call<'_, '_>,
    code_hash_ptr: u32,
    _code_hash_len: u32,
    gas: u64,
    value_ptr: u32,
    _value_len: u32,
    input_data_ptr: u32,
    input_data_len: u32,
    address_ptr: u32,
    address_len_ptr: u32,
    output_ptr: u32,
    output_len_ptr: u32,
    salt_ptr: u32,
    salt_len: u32,
) -> Result<ReturnCode, Stop> {
    let (input, salt) = ((input_data_ptr, input_data_len), (salt_ptr, salt_len));
    let (address, output) = ((address_ptr, address_len_ptr), (output_ptr, output_len_ptr));
    make(call, code_hash_ptr, gas, SENTINEL, value_ptr, input, salt, address, output)
}

pub(crate) fn seal1_instantiate(
    call: &mut Call<'_, '_>,
    code_hash_ptr: u32,
    gas: u64,
    value_ptr: u32,
    input_data_ptr: u32,
    input_data_len: u32,
    address_ptr: u32,
    address_len_ptr: u32,
    output_ptr: u32,
    output_len_ptr: u32,
    salt_ptr: u32,
    salt_len: u32,
) -> Result<ReturnCode, Stop> {
    let (input, salt) = ((input_data_ptr, input_data_len), (salt_ptr, salt_len));
    let (address, output) = ((address_ptr, address_len_ptr), (output_ptr, output_len_ptr));
    make(call, code_hash_ptr, gas, SENTINEL, value_ptr, input, salt, address, output)
}

pub(crate) fn seal2_instantiate(
    call: &mut Call<'_, '_>,
    code_hash_ptr: u32,
    ref_time_limit: u64,
    _proof_size_limit: u64,
    deposit_ptr: u32,
    value_ptr: u32,
    input_data_ptr: u32,
    input_data_len: u32,
    address_ptr: u32,
    address_len_ptr: u32,
    output_ptr: u32,
    output_len_ptr: u32,
    salt_ptr: u32,
    salt_len: u32,
) -> Result<ReturnCode, Stop> {
    let (input, salt) = ((input_data_ptr, input_data_len), (salt_ptr, salt_len));
    let (address, output) = ((address_ptr, address_len_ptr), (output_ptr, output_len_ptr));
    make(call, code_hash_ptr, ref_time_limit, deposit_ptr, value_ptr, input, salt, address, output)
}

fn make(
    call: &mut Call<'_, '_>,
    code_hash_ptr: u32,
    gas: u64,
    deposit_ptr: u32,
    value_ptr: u32,
    (input_ptr, input_len): Region,
    (salt_ptr, salt_len): Region,
    (address_ptr, address_len_ptr): Region,
    (output_ptr, output_len_ptr): Region,
) -> Result<ReturnCode, Stop> {
    call.charge_taken(input_len.saturating_add(salt_len))?;
    let new = NewContract {
        deposit_limit: call.optional_u128(deposit_ptr)?,
        value: u128::from_le_bytes(call.memory.read_array(value_ptr)?),
        code_hash: call.memory.read_array(code_hash_ptr)?,
        input: call.memory.read(input_ptr, input_len)?.to_vec(),
        salt: call.memory.read(salt_ptr, salt_len)?.to_vec(),
    };
    match call.nest(gas, |host, budget| host.instantiate(new, budget))? {
        Err(code) => Ok(code),
        Ok((output, address)) => {
            if !output.reverted() {
                call.write_optional(address_ptr, address_len_ptr, &address)?;
            }
            call.write_optional(output_ptr, output_len_ptr, &output.data)?;
            Ok(code_of(&output))
        }
    }
}

pub(crate) fn seal0_instantiation_nonce(call: &mut Call<'_, '_>) -> Result<u64, Stop> {
    Ok(call.host().instantiation_nonce())
}

fn end(call: &mut Call<'_, '_>, beneficiary_ptr: u32) -> Result<(), Stop> {
    let codes = call.host().delegate_dependencies();
    call.charge(gas::host(CostClass::StorageWrite).base.saturating_mul(codes))?;
    let beneficiary = call.memory.read_array(beneficiary_ptr)?;
    call.host().terminate(beneficiary)?;
    Err(Stop::Returned(Output::default()))
}

pub(crate) fn seal0_terminate(
    call: &mut Call<'_, '_>,
    beneficiary_ptr: u32,
    _beneficiary_len: u32,
) -> Result<(), Stop> {
    end(call, beneficiary_ptr)
}

pub(crate) fn seal1_terminate(call: &mut Call<'_, '_>, beneficiary_ptr: u32) -> Result<(), Stop> {
    end(call, beneficiary_ptr)
}

pub(crate) fn seal0_call_chain_extension(
    call: &mut Call<'_, '_>,
    id: u32,
    input_ptr: u32,
    input_len: u32,
    output_ptr: u32,
    output_len_ptr: u32,
) -> Result<u32, Stop> {
    if input_len as usize > PAYLOAD_BYTES_MAX {
        let length = u64::from(input_len);
        return Err(HostTrap::PayloadTooLarge { length, max: PAYLOAD_BYTES_MAX }.into());
    }
    call.charge_taken(input_len)?;
    let input = call.memory.read(input_ptr, input_len)?;
    match call.frame.host().extension(id, input) {
        Ok(output) => {
            call.write_optional(output_ptr, output_len_ptr, &output)?;
            Ok(0)
        }
        Err(status) => Ok(status),
    }
}

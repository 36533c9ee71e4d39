//! The host functions, once for both engines.
//!
//! Each function is named in `runtime_abi`'s table and takes a [`Call`]. It charges before it works and touches the
//! contract's memory only through [`memory::GuestMemory`].

mod account;
mod chain;
mod code;
mod contract;
mod event;
mod hash;
mod io;
mod memory;
mod signature;
mod storage;
mod stub;

pub(crate) use account::*;
pub(crate) use chain::*;
pub(crate) use code::*;
pub(crate) use contract::*;
pub(crate) use event::*;
pub(crate) use hash::*;
pub(crate) use io::*;
pub(crate) use signature::*;
pub(crate) use storage::*;
pub(crate) use stub::*;

use crate::engine::Funds;
use crate::frame::{Frame, Stop, with_current};
use crate::gas::{self, HostCost};
use crate::{Host, HostTrap};
use memory::GuestMemory;
use runtime_abi::{CostClass, SENTINEL};

/// One call of a host function.
pub(crate) struct Call<'c, 'f> {
    memory: GuestMemory<'c>,
    frame: &'c mut Frame<'f>,
    gas_left: u64,
    /// Slots of the logical stack that a nested call may use; 0 if there can be none.
    stack_left: u32,
    cost: HostCost,
}

/// What the table says of a function.
#[derive(Clone, Copy)]
pub(crate) struct Work {
    pub(crate) cost: CostClass,
    /// Whether it changes state, and so is refused in a read-only call.
    pub(crate) mutating: bool,
}

impl Work {
    /// Whether another contract may run inside the call, on the same logical stack.
    pub(crate) const fn nests(self) -> bool {
        matches!(self.cost, CostClass::Call | CostClass::Instantiate)
    }
}

/// Runs a host function on the innermost frame: charges its base, then `body`.
///
/// Returns the gas left, for the module's counter, and the result; `None` ends the call for the reason in the frame.
pub(crate) fn run<R>(
    work: Work,
    memory: &mut [u8],
    funds: Funds,
    body: impl FnOnce(&mut Call<'_, '_>) -> Result<R, Stop>,
) -> (i64, Option<R>) {
    with_current(|frame| {
        // A negative counter is gas that a path without a check overdrew: nothing is left to charge.
        let Ok(gas_left) = u64::try_from(funds.gas) else {
            frame.stop = Some(Stop::OutOfGas);
            return (funds.gas, None);
        };
        let cost = gas::host(work.cost);
        let stack_left = u32::try_from(funds.stack).expect("a function that calls has its slots");
        let mut call = Call { memory: GuestMemory::new(memory), frame, gas_left, stack_left, cost };
        let result = call.admit(work).and_then(|()| body(&mut call));
        let gas_left = i64::try_from(call.gas_left).expect("gas only falls below what the counter held");
        match result {
            Ok(value) => (gas_left, Some(value)),
            Err(stop) => {
                call.frame.stop = Some(stop);
                (gas_left, None)
            }
        }
    })
}

impl<'f> Call<'_, 'f> {
    /// Charges the base and refuses a change in a read-only call.
    fn admit(&mut self, work: Work) -> Result<(), Stop> {
        self.charge(self.cost.base)?;
        if work.mutating && self.host().is_read_only() {
            return Err(HostTrap::StateChangeDenied.into());
        }
        Ok(())
    }

    fn charge(&mut self, gas: u64) -> Result<(), Stop> {
        match self.gas_left.checked_sub(gas) {
            Some(left) => {
                self.gas_left = left;
                Ok(())
            }
            None => {
                self.gas_left = 0;
                Err(Stop::OutOfGas)
            }
        }
    }

    /// Charges for bytes that the contract gives.
    fn charge_taken(&mut self, bytes: u32) -> Result<(), Stop> {
        self.charge(self.cost.per_byte_taken.saturating_mul(u64::from(bytes)))
    }

    /// Charges for bytes that the contract gets.
    fn charge_given(&mut self, bytes: usize) -> Result<(), Stop> {
        self.charge(self.cost.per_byte_given.saturating_mul(bytes as u64))
    }

    /// Gives back what [`charge_given`](Self::charge_given) took for bytes that there were not.
    fn refund_given(&mut self, bytes: usize) {
        self.gas_left += self.cost.per_byte_given * bytes as u64;
    }

    fn host(&mut self) -> &mut (dyn Host + 'f) {
        self.frame.host()
    }

    /// Writes `data` by the convention of every output: `*out_len_ptr` is the capacity and becomes the length. The
    /// bytes must have been charged.
    fn write_output(&mut self, out_ptr: u32, out_len_ptr: u32, data: &[u8]) -> Result<(), Stop> {
        let capacity = self.memory.read_u32(out_len_ptr)?;
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        if length > capacity {
            return Err(HostTrap::OutputBufferTooSmall { length: data.len(), capacity }.into());
        }
        self.memory.write(out_ptr, data)?;
        Ok(self.memory.write(out_len_ptr, &length.to_le_bytes())?)
    }

    /// Charges and writes an output that a pointer of u32::MAX discards.
    fn write_optional(&mut self, out_ptr: u32, out_len_ptr: u32, data: &[u8]) -> Result<(), Stop> {
        if out_ptr == SENTINEL { Ok(()) } else { self.write_fact(out_ptr, out_len_ptr, data) }
    }

    /// Charges and writes what is known before it is written.
    fn write_fact(&mut self, out_ptr: u32, out_len_ptr: u32, data: &[u8]) -> Result<(), Stop> {
        self.charge_given(data.len())?;
        self.write_output(out_ptr, out_len_ptr, data)
    }
}

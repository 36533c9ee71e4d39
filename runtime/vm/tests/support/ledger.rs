//! A host that keeps everything in maps.

use runtime_primitives::Gas;
use runtime_vm::{Answer, Budget, ContractCall, Host, HostTrap, Output, ReturnCode};
use std::collections::BTreeMap;

/// What a contract changed, and what it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    pub storage: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Keys and values set and removed, in order.
    pub writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    pub events: Vec<(Vec<[u8; 32]>, Vec<u8>)>,
    pub messages: Vec<String>,
    pub transfers: Vec<([u8; 32], u128)>,
    pub value: u128,
    pub balance: u128,
    pub read_only: bool,
    /// Calls of other contracts, with the gas they were given. Each traps, or answers nothing if `callee_answers`.
    pub calls: Vec<(ContractCall, u64)>,
    pub callee_answers: bool,
}

impl Host for Ledger {
    fn caller(&self) -> [u8; 32] {
        [0xCA; 32]
    }
    fn address(&self) -> [u8; 32] {
        [0xAD; 32]
    }
    fn is_read_only(&self) -> bool {
        self.read_only
    }
    fn call(&mut self, call: ContractCall, budget: Budget) -> Answer<Output> {
        self.calls.push((call, budget.gas().units()));
        if self.callee_answers {
            return Answer { result: Ok(Output::default()), gas_used: Gas::from_units(7) };
        }
        Answer { result: Err(ReturnCode::CalleeTrapped.into()), gas_used: budget.gas() }
    }
    fn value_transferred(&self) -> u128 {
        self.value
    }
    fn balance(&self) -> u128 {
        self.balance
    }
    fn minimum_balance(&self) -> u128 {
        1
    }
    fn block_number(&self) -> u32 {
        77
    }
    fn now(&self) -> u64 {
        1_700_000_000_123
    }
    fn weight_to_fee(&self, gas: u64) -> u128 {
        u128::from(gas) * 3
    }
    fn get_storage(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        self.storage.get(key).cloned()
    }
    fn set_storage(&mut self, key: &[u8], value: Option<&[u8]>) -> Option<u32> {
        self.writes.push((key.to_vec(), value.map(<[u8]>::to_vec)));
        let old = match value {
            Some(value) => self.storage.insert(key.to_vec(), value.to_vec()),
            None => self.storage.remove(key),
        };
        old.map(|old| u32::try_from(old.len()).expect("test values are small"))
    }
    fn deposit_event(&mut self, topics: Vec<[u8; 32]>, data: Vec<u8>) -> Result<(), HostTrap> {
        self.events.push((topics, data));
        Ok(())
    }
    fn debug_message(&mut self, text: &str) {
        self.messages.push(text.to_owned());
    }
    fn transfer(&mut self, to: &[u8; 32], value: u128) -> Result<(), ReturnCode> {
        self.balance = self.balance.checked_sub(value).ok_or(ReturnCode::TransferFailed)?;
        self.transfers.push((*to, value));
        Ok(())
    }
}

//! The chain, as a stateful contract of ours sees it here: a storage and nothing else.

use crate::works::{self, Storage};
use runtime_vm::{Host, HostTrap, ReturnCode};

/// A chain with one contract.
pub struct Chain(Storage);

impl Chain {
    /// With the storage that the works expect.
    pub fn new() -> Self {
        Self(works::storage())
    }
}

impl Host for Chain {
    fn caller(&self) -> [u8; 32] {
        [0; 32]
    }
    fn address(&self) -> [u8; 32] {
        [0; 32]
    }
    fn value_transferred(&self) -> u128 {
        0
    }
    fn balance(&self) -> u128 {
        0
    }
    fn minimum_balance(&self) -> u128 {
        0
    }
    fn block_number(&self) -> u32 {
        0
    }
    fn now(&self) -> u64 {
        0
    }
    fn weight_to_fee(&self, _gas: u64) -> u128 {
        0
    }
    fn get_storage(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.get(key).cloned()
    }
    fn set_storage(&mut self, key: &[u8], value: Option<&[u8]>) -> Option<u32> {
        let old = match value {
            Some(value) => self.0.insert(key.to_vec(), value.to_vec()),
            None => self.0.remove(key),
        };
        old.map(|old| u32::try_from(old.len()).expect("values are small"))
    }
    fn deposit_event(&mut self, _topics: Vec<[u8; 32]>, _data: Vec<u8>) -> Result<(), HostTrap> {
        Ok(())
    }
    fn debug_message(&mut self, _text: &str) {}
    fn transfer(&mut self, _to: &[u8; 32], _value: u128) -> Result<(), ReturnCode> {
        Ok(())
    }
}

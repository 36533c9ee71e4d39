//! Contracts: their addresses, what the chain knows of them, and what they store.
//!
//! ```text
//! ContractInfoOf    address                              ContractInfo
//! ContractStorage   address ++ blake2_256(storage key)   the value
//! ```
//! A contract's storage has no trie of its own: its prefix in the one state is `ContractStorage` ++ address. Keys are
//! hashed whatever their length, so no contract can choose where in the state its values lie.

use crate::storage::Map;
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{AccountId, Hash, Money, blake2_256};
use runtime_state::Overlay;
use std::collections::BTreeMap;

/// `pallet_contracts::ContractInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ContractInfo {
    /// Names the contract's storage: its address.
    pub trie_id: Vec<u8>,
    /// The code it runs.
    pub code_hash: Hash,
    /// Bytes of the values it stores, at most the largest u32.
    pub storage_bytes: u32,
    /// Values it stores, at most the largest u32.
    pub storage_items: u32,
    /// Always zero.
    pub storage_byte_deposit: Money,
    /// Always zero.
    pub storage_item_deposit: Money,
    /// Always zero.
    pub storage_base_deposit: Money,
    /// Always empty.
    pub delegate_dependencies: BTreeMap<Hash, Money>,
}

impl ContractInfo {
    /// A contract that stores nothing yet.
    pub fn new(contract: &AccountId, code_hash: Hash) -> Self {
        Self {
            trie_id: contract.0.to_vec(),
            code_hash,
            storage_bytes: 0,
            storage_items: 0,
            storage_byte_deposit: Money::ZERO,
            storage_item_deposit: Money::ZERO,
            storage_base_deposit: Money::ZERO,
            delegate_dependencies: BTreeMap::new(),
        }
    }

    /// Count a value of `old` bytes replaced by one of `new` bytes.
    fn recount(&mut self, old: Option<u32>, new: Option<u32>) {
        let bytes = self.storage_bytes.saturating_sub(old.unwrap_or(0));
        self.storage_bytes = bytes.saturating_add(new.unwrap_or(0));
        let items = self.storage_items.saturating_sub(u32::from(old.is_some()));
        self.storage_items = items.saturating_add(u32::from(new.is_some()));
    }
}

/// Contracts by address.
pub static CONTRACT_INFO: Map<AccountId, ContractInfo> = Map::new("Contracts", "ContractInfoOf");
/// What contracts store, by contract and hashed key.
pub static STORAGE: Map<(AccountId, Hash), Vec<u8>> = Map::new("Contracts", "ContractStorage");

/// Where a contract will live, as `pallet_contracts::DefaultAddressGenerator` has it:
/// blake2-256 of SCALE("contract_addr_v1", deployer, code hash, input, salt), the last two with their lengths.
pub fn address(deployer: &AccountId, code_hash: &Hash, input: &[u8], salt: &[u8]) -> AccountId {
    blake2_256(&(*b"contract_addr_v1", deployer, code_hash, input, salt).encode()).into()
}

/// The value under `key` in a contract's storage.
pub fn storage_at(state: &Overlay, contract: &AccountId, key: &[u8]) -> Option<Vec<u8>> {
    STORAGE.get(state, &(*contract, blake2_256(key)))
}

/// Replace or remove the value under `key` in a contract's storage; the old value's length.
///
/// # Panics
/// If there is no such contract: only a running one writes.
pub(super) fn write(
    state: &mut Overlay,
    contract: &AccountId,
    key: &[u8],
    value: Option<&[u8]>,
) -> Option<u32> {
    let at = (*contract, blake2_256(key));
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("values are limited when they are set");
    let old = STORAGE.get(state, &at).map(|bytes| length(&bytes));
    let new = value.map(length);
    match value {
        Some(value) => STORAGE.put(state, &at, &value.to_vec()),
        None if old.is_some() => STORAGE.remove(state, &at),
        None => {}
    }
    if old != new {
        let mut info = CONTRACT_INFO.get(state, contract).expect("a running contract exists");
        info.recount(old, new);
        CONTRACT_INFO.put(state, contract, &info);
    }
    old
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use runtime_state::MemoryState;

    #[test]
    fn an_address_is_the_pallets() {
        // Computed by hand with another implementation of BLAKE2b over the bytes written out.
        let address = address(&AccountId([1; 32]), &Hash([2; 32]), &[0x9b, 0xae, 0x9d, 0x5e, 1], &[7, 7]);
        assert_eq!(address.to_string(), "0xccdd2b3cfb70c2dea7bfcd75d4686c5f0a708bb7f2191d65f384774cdc25ba6f");
    }

    #[test]
    fn what_a_contract_stores_is_counted() {
        let empty = MemoryState::new();
        let mut state = Overlay::new(&empty);
        let (mine, other) = (AccountId([1; 32]), AccountId([2; 32]));
        for contract in [mine, other] {
            CONTRACT_INFO.put(&mut state, &contract, &ContractInfo::new(&contract, Hash::ZERO));
        }
        for (key, value, old, items, bytes) in [
            (&b"a"[..], Some(&b"12345"[..]), None, 1, 5),
            (b"", Some(b""), None, 2, 5),
            (b"", Some(b"1"), Some(0), 2, 6),
            (b"a", Some(b"1"), Some(5), 2, 2),
            (b"b", None, None, 2, 2),
            (b"a", None, Some(1), 1, 1),
            (b"a", None, None, 1, 1),
        ] {
            assert_eq!(write(&mut state, &mine, key, value), old, "{key:?} {value:?}");
            assert_eq!(storage_at(&state, &mine, key).as_deref(), value, "{key:?} {value:?}");
            assert_eq!(storage_at(&state, &other, key), None, "storage is a contract's own");
            let info = CONTRACT_INFO.get(&state, &mine).unwrap();
            assert_eq!((info.storage_items, info.storage_bytes), (items, bytes), "{key:?} {value:?}");
        }
    }
}

//! Contracts: their addresses, what the chain knows of them, and what they store.
//!
//! ```text
//! ContractInfoOf    address                              ContractInfo
//! ContractStorage   trie id ++ blake2_256(storage key)   the value
//! Nonce                                                  contracts made so far
//! DeletionQueue     number                               trie id of a contract that ended
//! ```
//! A contract's storage has no trie of its own: its prefix in the one state is `ContractStorage` ++ trie id. Keys are
//! hashed whatever their length, so no contract can choose where in the state its values lie. The trie id is new for
//! every contract, so one that is made where another ended finds nothing of it; what that one stored is removed little
//! by little, so many keys a block.

use super::deposit::{DepositRates, Meter, lockup, rates};
use crate::storage::{Map, ReadableKey, StorageKey, Value, storage};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{AccountId, Hash, Money, blake2_256};
use runtime_state::Overlay;
use scale_info::TypeInfo;
use std::collections::BTreeMap;

/// Values of contracts that ended, removed in one block.
const DELETIONS_PER_BLOCK: usize = 256;

/// `pallet_contracts::ContractInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ContractInfo {
    /// Names the contract's storage: 32 bytes.
    pub trie_id: Vec<u8>,
    /// The code it runs.
    pub code_hash: Hash,
    /// Bytes of the values it stores, at most the largest u32.
    pub storage_bytes: u32,
    /// Values it stores, at most the largest u32.
    pub storage_items: u32,
    /// Deposited for the bytes.
    pub storage_byte_deposit: Money,
    /// Deposited for the values.
    pub storage_item_deposit: Money,
    /// Deposited for this record and for keeping its code.
    pub storage_base_deposit: Money,
    /// Codes it keeps from being removed, with what is deposited for each.
    pub delegate_dependencies: BTreeMap<Hash, Money>,
}

impl ContractInfo {
    /// The `nonce`th contract of the chain, that stores nothing yet.
    pub fn new(contract: &AccountId, nonce: u64, code_hash: Hash) -> Self {
        Self {
            trie_id: blake2_256(&(contract, nonce).encode()).0.to_vec(),
            code_hash,
            storage_bytes: 0,
            storage_items: 0,
            storage_byte_deposit: Money::ZERO,
            storage_item_deposit: Money::ZERO,
            storage_base_deposit: Money::ZERO,
            delegate_dependencies: BTreeMap::new(),
        }
    }

    /// Names the contract's storage.
    ///
    /// # Panics
    /// If the record was not made by [`ContractInfo::new`].
    pub fn trie_id(&self) -> Hash {
        Hash(self.trie_id.as_slice().try_into().expect("a trie id is a hash"))
    }

    /// Everything deposited for the contract.
    pub fn total_deposit(&self) -> Money {
        let locked = self.delegate_dependencies.values();
        [self.storage_byte_deposit, self.storage_item_deposit, self.storage_base_deposit]
            .iter()
            .chain(locked)
            .fold(Money::ZERO, |sum, deposit| sum.checked_add(*deposit).expect("deposits are far below u128"))
    }

    /// Set what is deposited for the record and for keeping a code with the deposit `code_deposit`.
    pub(super) fn set_base_deposit(&mut self, rates: DepositRates, code_deposit: u128) {
        let record = rates.of(1, self.encoded_size() as u64);
        let base = record.checked_add(lockup(code_deposit));
        self.storage_base_deposit = base.expect("deposits are far below u128");
    }

    /// Count a value of `old` bytes replaced by one of `new` bytes.
    fn recount(&mut self, rates: DepositRates, old: Option<u32>, new: Option<u32>) {
        let bytes = self.storage_bytes.saturating_sub(old.unwrap_or(0));
        self.storage_bytes = bytes.saturating_add(new.unwrap_or(0));
        let items = self.storage_items.saturating_sub(u32::from(old.is_some()));
        self.storage_items = items.saturating_add(u32::from(new.is_some()));
        self.storage_byte_deposit = rates.of(0, self.storage_bytes.into());
        self.storage_item_deposit = rates.of(self.storage_items.into(), 0);
    }
}

storage! {
    "Contracts":
    /// Contracts by address.
    pub static CONTRACT_INFO: Map<AccountId, ContractInfo> = "ContractInfoOf";
    /// What contracts store, by trie id and hashed key.
    pub static STORAGE: Map<(Hash, Hash), Vec<u8>> = "ContractStorage";
    /// How many contracts were made.
    pub static NONCE: Value<u64> = "Nonce";
    /// Trie ids of contracts that ended and left something, by number.
    static DELETION_QUEUE: Map<u32, Hash> = "DeletionQueue";
    /// The number of the next entry of the queue, and of the first.
    static DELETION_QUEUE_COUNTER: Value<(u32, u32)> = "DeletionQueueCounter";
}

/// Where a contract will live, as `pallet_contracts::DefaultAddressGenerator` has it:
/// blake2-256 of SCALE("contract_addr_v1", deployer, code hash, input, salt), the last two with their lengths.
pub fn address(deployer: &AccountId, code_hash: &Hash, input: &[u8], salt: &[u8]) -> AccountId {
    blake2_256(&(*b"contract_addr_v1", deployer, code_hash, input, salt).encode()).into()
}

/// The value under `key` in a contract's storage.
pub fn storage_at(state: &Overlay, contract: &AccountId, key: &[u8]) -> Option<Vec<u8>> {
    read(state, CONTRACT_INFO.get(state, contract)?.trie_id(), key)
}

/// What the storage keys of a contract's values begin with, which clients see as its child trie.
pub fn child_prefix(trie_id: Hash) -> Vec<u8> {
    STORAGE.prefix_of(&trie_id)
}

/// What they go on with for a key of the child trie. One of 32 bytes, a contract's key after it was hashed; nothing else is there.
pub fn child_part(key: &[u8]) -> Vec<u8> {
    let mut part = Vec::new();
    match key.try_into() {
        Ok(key) => Hash(key).hash_into(&mut part),
        Err(_) => part.extend_from_slice(key),
    }
    part
}

/// The key of the child trie behind a part.
pub fn child_key(mut part: &[u8]) -> Option<Hash> {
    Hash::read(&mut part)
}

/// The value that a contract stored, from what the state has.
pub fn child_value(mut stored: &[u8]) -> Vec<u8> {
    Vec::decode(&mut stored).unwrap_or_default()
}

/// [`storage_at`], for who knows the trie id.
pub(super) fn read(state: &Overlay, trie_id: Hash, key: &[u8]) -> Option<Vec<u8>> {
    STORAGE.get(state, &(trie_id, blake2_256(key)))
}

/// Replace or remove the value under `key` in a contract's storage; the old value's length.
///
/// # Panics
/// If there is no such contract: only a running one writes.
pub(super) fn write(
    state: &mut Overlay,
    (contract, trie_id): (&AccountId, Hash),
    key: &[u8],
    value: Option<&[u8]>,
    deposits: &mut Meter,
) -> Option<u32> {
    let at = (trie_id, blake2_256(key));
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
        let before = info.total_deposit();
        info.recount(rates(state), old, new);
        deposits.count_stored(*contract, before, info.total_deposit());
        CONTRACT_INFO.put(state, contract, &info);
    }
    old
}

/// Forget a contract. What it stored follows in later blocks.
pub(super) fn remove(state: &mut Overlay, contract: &AccountId, info: &ContractInfo) {
    CONTRACT_INFO.remove(state, contract);
    if info.storage_items > 0 {
        let (next, first) = DELETION_QUEUE_COUNTER.get(state).unwrap_or_default();
        DELETION_QUEUE.put(state, &next, &info.trie_id());
        DELETION_QUEUE_COUNTER.put(state, &(next.wrapping_add(1), first));
    }
}

/// Remove some of what contracts left that ended. Once a block, after its last extrinsic.
pub(crate) fn clean_up(state: &mut Overlay) {
    let (next, mut first) = DELETION_QUEUE_COUNTER.get(state).unwrap_or_default();
    if first == next {
        return;
    }
    let mut room = DELETIONS_PER_BLOCK;
    while room > 0 && first != next {
        let trie_id = DELETION_QUEUE.get(state, &first).expect("the queue has an entry for each number");
        let removed = STORAGE.clear_under(state, &trie_id, room);
        room -= removed;
        // Less than there was room for: nothing is left. With no room left, the next block looks again.
        if room > 0 {
            DELETION_QUEUE.remove(state, &first);
            first = first.wrapping_add(1);
        }
    }
    DELETION_QUEUE_COUNTER.put(state, &(next, first));
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
        super::super::RATES.put(&mut state, &DepositRates { per_item: 100, per_byte: 3 });
        let mut deposits = Meter::default();
        let trie_id = ContractInfo::new(&mine, 1, Hash::ZERO).trie_id();
        for contract in [mine, other] {
            CONTRACT_INFO.put(&mut state, &contract, &ContractInfo::new(&contract, 1, Hash::ZERO));
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
            assert_eq!(
                write(&mut state, (&mine, trie_id), key, value, &mut deposits),
                old,
                "{key:?} {value:?}"
            );
            assert_eq!(storage_at(&state, &mine, key).as_deref(), value, "{key:?} {value:?}");
            assert_eq!(storage_at(&state, &other, key), None, "storage is a contract's own");
            let info = CONTRACT_INFO.get(&state, &mine).unwrap();
            assert_eq!((info.storage_items, info.storage_bytes), (items, bytes), "{key:?} {value:?}");
            let deposit = u128::from(items * 100 + bytes * 3);
            assert_eq!(info.total_deposit(), Money::from_units(deposit), "{key:?} {value:?}");
            assert_eq!(deposits.net(), i128::try_from(deposit).unwrap(), "{key:?} {value:?}");
        }
    }
}

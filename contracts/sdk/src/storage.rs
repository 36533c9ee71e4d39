//! Typed storage of a stateful contract: one SCALE value per key.
//!
//! A pure rule must not use it: the runtime refuses the imports. Native builds keep values per thread, for tests.

use parity_scale_codec::{DecodeAll, Encode};

/// The contract's own storage.
pub struct Storage;

impl Storage {
    /// The value under `key`, if there is one.
    ///
    /// # Panics
    /// If the value was written as another type: a fault of the contract.
    pub fn get<T: DecodeAll>(key: &[u8]) -> Option<T> {
        let bytes = backend::get(key)?;
        Some(T::decode_all(&mut &bytes[..]).expect("a key always holds the same type"))
    }

    /// Writes `value` under `key`.
    pub fn set<T: Encode>(key: &[u8], value: &T) {
        backend::set(key, &value.encode());
    }
}

#[cfg(target_arch = "wasm32")]
mod backend {
    use alloc::{vec, vec::Vec};
    use pallet_contracts_uapi::{HostFn, HostFnImpl};

    pub fn get(key: &[u8]) -> Option<Vec<u8>> {
        let size = usize::try_from(HostFnImpl::contains_storage_v1(key)?).ok()?;
        let mut bytes = vec![0; size];
        HostFnImpl::get_storage_v1(key, &mut bytes.as_mut_slice()).ok()?;
        Some(bytes)
    }

    pub fn set(key: &[u8], value: &[u8]) {
        HostFnImpl::set_storage_v2(key, value);
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod backend {
    use alloc::{collections::BTreeMap, vec::Vec};
    use core::cell::RefCell;

    std::thread_local! {
        static VALUES: RefCell<BTreeMap<Vec<u8>, Vec<u8>>> = const { RefCell::new(BTreeMap::new()) };
    }

    pub fn get(key: &[u8]) -> Option<Vec<u8>> {
        VALUES.with_borrow(|values| values.get(key).cloned())
    }

    pub fn set(key: &[u8], value: &[u8]) {
        VALUES.with_borrow_mut(|values| values.insert(key.to_vec(), value.to_vec()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Storage::get::<u32>(b"count"), None);
        Storage::set(b"count", &7u32);
        Storage::set(b"other", &(1u8, 2u64));
        assert_eq!(Storage::get::<u32>(b"count"), Some(7));
        assert_eq!(Storage::get::<(u8, u64)>(b"other"), Some((1, 2)));
    }

    #[test]
    #[should_panic(expected = "same type")]
    fn another_type_is_a_fault() {
        Storage::set(b"count", &7u32);
        Storage::get::<u64>(b"count");
    }
}

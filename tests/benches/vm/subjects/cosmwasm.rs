//! cosmwasm-vm with the metering and prices it comes with, its module pinned in memory, an instance for each call.

use super::{Subject, Task};
use crate::works::{self, Storage, Work};
use cosmwasm_std::{Binary, ContractResult, Order, Record, SystemResult};
use cosmwasm_vm::{
    Backend, BackendApi, BackendError, BackendResult, Cache, CacheOptions, GasInfo, InstanceOptions, Querier,
    Size, call_execute_raw, call_query_raw, capabilities_from_csv,
};

/// The chain, as a contract of this machine sees it: a storage and nothing else.
#[derive(Clone)]
struct Chain(Storage);

/// Gas that no work uses up.
const OPTIONS: InstanceOptions = InstanceOptions { gas_limit: 1 << 62 };

fn refused<T>() -> BackendResult<T> {
    (Err(BackendError::unknown("not on this chain")), GasInfo::free())
}

impl BackendApi for Chain {
    fn addr_validate(&self, _input: &str) -> BackendResult<()> {
        refused()
    }
    fn addr_canonicalize(&self, _human: &str) -> BackendResult<Vec<u8>> {
        refused()
    }
    fn addr_humanize(&self, _canonical: &[u8]) -> BackendResult<String> {
        refused()
    }
}

impl Querier for Chain {
    fn query_raw(&self, _: &[u8], _: u64) -> BackendResult<SystemResult<ContractResult<Binary>>> {
        refused()
    }
}

impl cosmwasm_vm::Storage for Chain {
    fn get(&self, key: &[u8]) -> BackendResult<Option<Vec<u8>>> {
        (Ok(self.0.get(key).cloned()), GasInfo::free())
    }
    fn scan(&mut self, _: Option<&[u8]>, _: Option<&[u8]>, _: Order) -> BackendResult<u32> {
        refused()
    }
    fn next(&mut self, _: u32) -> BackendResult<Option<Record>> {
        refused()
    }
    fn set(&mut self, key: &[u8], value: &[u8]) -> BackendResult<()> {
        self.0.insert(key.to_vec(), value.to_vec());
        (Ok(()), GasInfo::free())
    }
    fn remove(&mut self, key: &[u8]) -> BackendResult<()> {
        self.0.remove(key);
        (Ok(()), GasInfo::free())
    }
}

/// The machine, and the folder that it insists on.
pub struct CosmWasm {
    cache: Cache<Chain, Chain, Chain>,
    _folder: tempfile::TempDir,
}

impl CosmWasm {
    /// Starts it.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = CacheOptions::new(
            folder.path(),
            capabilities_from_csv("iterator,staking"),
            Size::mebi(200),
            Size::mebi(32),
        );
        // SAFETY: nobody else writes into a temporary folder.
        let cache = unsafe { Cache::new(options) }.expect("the cache opens");
        Self { cache, _folder: folder }
    }
}

impl Subject for CosmWasm {
    fn name(&self) -> &'static str {
        "cosmwasm-vm 3.0.10"
    }

    fn prepare<'a>(&'a self, work: &'a Work) -> Option<Task<'a>> {
        let contract = work.cosmwasm.as_ref()?;
        let stored = self.cache.store_code(&contract.code, true, true);
        let checksum = stored.unwrap_or_else(|error| panic!("{}: {error}", work.name));
        self.cache.pin(&checksum).expect("the module is pinned");
        let empty = Chain(Storage::new());
        let mut backend =
            Some(Backend { api: empty.clone(), storage: Chain(works::storage()), querier: empty });
        Some(Box::new(move || {
            let backend_now = backend.take().expect("it was given back");
            let mut instance =
                self.cache.get_instance(&checksum, backend_now, OPTIONS).expect("the module is instantiated");
            let answer = if contract.is_execute {
                call_execute_raw(&mut instance, b"", b"", &work.input)
            } else {
                call_query_raw(&mut instance, b"", &work.input)
            };
            backend = instance.recycle();
            answer.unwrap_or_else(|error| panic!("{}: {error}", work.name))
        }))
    }
}

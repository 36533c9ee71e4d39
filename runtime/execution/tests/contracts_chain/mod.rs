//! A chain in memory that executes every block on both engines and compares: what a contract does is one thing.
//!
//! Signatures are not looked at: who may sign is asked of the registry, which is real.
#![allow(dead_code, clippy::unwrap_used, reason = "tests; each uses what it needs")]

pub mod puppet;
pub mod world;

use contract_interface::roles;
use parity_scale_codec::Encode;
use runtime_execution::extrinsic::{Era, Extra, MultiAddress, UncheckedExtrinsic};
use runtime_execution::modules::contracts::{self, DepositRates, Determinism, DryRun, Message};
use runtime_execution::modules::payment::WeightRates;
use runtime_execution::modules::system::Weight;
use runtime_execution::modules::{balances, system};
use runtime_execution::{
    Call, DispatchError, EPOCH_BLOCKS, Event, EventRecord, ExecutedBlock, GenesisConfig, GenesisEntity,
    Outcome, Phase, Verifier, build_genesis, execute_block,
};
use runtime_primitives::crypto::{Signature, Statement};
use runtime_primitives::{
    AccountId, Executed, Gas, Hash, Header, Money, OrderedBlock, Timestamp, blake2_256,
};
use runtime_state::{MemoryState, Overlay};
use runtime_vm::{EngineKind, VM_THREAD_STACK_BYTES, Vm};
use std::sync::LazyLock;

pub static WASMTIME: LazyLock<Vm> = LazyLock::new(|| Vm::new(EngineKind::Wasmtime).unwrap());
static WASMI: LazyLock<Vm> = LazyLock::new(|| Vm::new(EngineKind::Wasmi).unwrap());

pub const SUDO: AccountId = AccountId([9; 32]);
pub const AUTHOR: AccountId = AccountId([1; 32]);
pub const ALICE: AccountId = AccountId([2; 32]);
pub const BOB: AccountId = AccountId([3; 32]);
pub const VALIDATOR: AccountId = AccountId([4; 32]);
/// What each of them starts with.
pub const ENDOWMENT: u128 = 1_000_000;
/// Gas that no call here needs.
pub const PLENTY: u64 = 5_000_000_000;

/// Runs `body` with the stack that contracts need.
pub fn on_vm_thread(body: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
        thread.spawn_scoped(scope, body).unwrap().join().unwrap();
    });
}

pub fn flipper() -> Vec<u8> {
    wat::parse_str(include_str!("flipper.wat")).unwrap()
}

pub fn erc20() -> Vec<u8> {
    wat::parse_str(include_str!("erc20.wat")).unwrap()
}

pub fn mirror() -> Vec<u8> {
    wat::parse_str(include_str!("mirror.wat")).unwrap()
}

/// A pure rule that answers nothing.
pub fn pure_rule() -> Vec<u8> {
    wat::parse_str(r#"(module (import "env" "memory" (memory 1 1)) (func (export "call")))"#).unwrap()
}

pub const fn gas(limit: u64) -> Weight {
    Weight { ref_time: limit, proof_size: 0 }
}

pub fn call(contract: AccountId, value: u128, gas_limit: u64, data: impl Into<Vec<u8>>) -> Call {
    Call::Contracts(contracts::Call::Call {
        dest: MultiAddress::Id(contract),
        value: value.into(),
        gas_limit: gas(gas_limit),
        storage_deposit_limit: None,
        data: data.into(),
    })
}

pub fn instantiate_with_code(code: Vec<u8>, value: u128, data: &[u8], salt: &[u8]) -> Call {
    Call::Contracts(contracts::Call::InstantiateWithCode {
        value: value.into(),
        gas_limit: gas(PLENTY),
        storage_deposit_limit: None,
        code,
        data: data.to_vec(),
        salt: salt.to_vec(),
    })
}

pub fn instantiate(code_hash: Hash, value: u128, data: &[u8], salt: &[u8]) -> Call {
    Call::Contracts(contracts::Call::Instantiate {
        value: value.into(),
        gas_limit: gas(PLENTY),
        storage_deposit_limit: None,
        code_hash,
        data: data.to_vec(),
        salt: salt.to_vec(),
    })
}

pub fn upload(code: Vec<u8>) -> Call {
    Call::Contracts(contracts::Call::UploadCode {
        code,
        storage_deposit_limit: None,
        determinism: Determinism::Enforced,
    })
}

pub fn remove(code_hash: Hash) -> Call {
    Call::Contracts(contracts::Call::RemoveCode { code_hash })
}

/// A token's message.
pub fn transfer(to: AccountId, amount: u64) -> Vec<u8> {
    [b"xfer", &to.0[..], &amount.to_le_bytes()].concat()
}

/// What a dry run is asked with.
pub fn message(caller: AccountId, value: u128, gas_limit: u64, input: impl Into<Vec<u8>>) -> Message {
    let (value, gas_limit) = (Money::from_units(value), Gas::from_units(gas_limit));
    Message { caller, value, gas_limit, storage_deposit_limit: None, input: input.into() }
}

/// The events of the first extrinsic.
pub fn of_the_call(events: &[EventRecord]) -> Vec<(Event, Vec<Hash>)> {
    let phase = Phase::ApplyExtrinsic(1);
    let events = events.iter().filter(|record| record.phase == phase);
    events.map(|record| (record.event.clone(), record.topics.clone())).collect()
}

struct BelieveAll;

impl Verifier for BelieveAll {
    fn verify(&self, _: &Statement) -> bool {
        true
    }
}

#[derive(Clone)]
pub struct Chain {
    pub state: MemoryState,
    header: Header,
    genesis: Hash,
    now: Timestamp,
}

impl Chain {
    pub fn new() -> Self {
        Self::with_deposits(DepositRates::default())
    }

    /// A chain that asks for storage deposits.
    pub fn with_deposits(deposits: DepositRates) -> Self {
        let entity = |owner, roles| GenesisEntity {
            owner,
            roles,
            balance: Money::from_units(ENDOWMENT),
            voting_key: None,
            session_key: (roles == roles::VALIDATOR).then_some(owner),
            engine: None,
        };
        let config = GenesisConfig {
            chain: "contracts".into(),
            timestamp: Timestamp::from_ms(1_000_000),
            sudo: SUDO,
            entities: vec![
                entity(VALIDATOR, roles::VALIDATOR),
                entity(AUTHOR, roles::AUTHOR),
                entity(ALICE, roles::TRADER),
                entity(BOB, roles::TRADER),
            ],
            codes: vec![pure_rule()],
            default_settlement: None,
            deposits,
            // Deposits to the unit: no fee may come between.
            weight: WeightRates { quota: Gas::MAX, ..WeightRates::default() },
            epoch_blocks: EPOCH_BLOCKS,
        };
        let genesis = build_genesis(&config).unwrap();
        let mut state = MemoryState::new();
        state.apply(&genesis.changes, genesis.trie);
        let hash = genesis.header.hash();
        Self { state, header: genesis.header, genesis: hash, now: config.timestamp }
    }

    /// Executes a block of these calls on both engines and makes it part of the state.
    pub fn block(&mut self, calls: &[(AccountId, Call)]) -> ExecutedBlock {
        let mut extrinsics = Vec::new();
        for (index, (signer, call)) in calls.iter().enumerate() {
            let earlier = calls[..index].iter().filter(|(other, _)| other == signer).count();
            let nonce = self.account(signer).nonce + u32::try_from(earlier).unwrap();
            let extra = Extra { era: Era::Immortal, nonce, tip: 0, metadata_hash_mode: 0 };
            let sign = |_: &[u8]| Signature([0; 64]);
            let genesis = &self.genesis;
            extrinsics.push(UncheckedExtrinsic::signed(call, *signer, extra, genesis, genesis, sign));
        }
        self.now = self.now.plus_ms(1_000);
        let executed = Executed { height: self.header.height(), header_hash: self.header.hash() };
        let height = self.header.height().next();
        let block = OrderedBlock { height, executed, timestamp: self.now, extrinsics };
        let run = |vm: &Vm| {
            execute_block(vm, &self.state, &self.header, &self.genesis, &block, &BelieveAll).unwrap()
        };
        let (done, second) = (run(&WASMTIME), run(&WASMI));
        assert_eq!(done.header, second.header, "wasmtime and wasmi differ");
        assert_eq!(done.receipts, second.receipts, "wasmtime and wasmi differ");
        self.state.apply(&done.changes, second.trie);
        self.header = done.header.clone();
        done
    }

    /// A block of one call.
    pub fn apply(&mut self, signer: AccountId, call: Call) -> (Outcome, Vec<EventRecord>) {
        let mut done = self.block(&[(signer, call)]);
        (done.receipts.remove(0).outcome, done.events)
    }

    /// A block of one call that must succeed; its events.
    pub fn expect(&mut self, signer: AccountId, call: Call) -> Vec<EventRecord> {
        let (outcome, events) = self.apply(signer, call);
        assert_eq!(outcome, Outcome::Applied { index: 1 });
        events
    }

    /// A block of one call that must fail; why.
    pub fn refuse(&mut self, signer: AccountId, call: Call) -> DispatchError {
        match self.apply(signer, call).0 {
            Outcome::Failed { error, .. } => error,
            other => panic!("{other:?}"),
        }
    }

    /// Makes a contract by the author; its address.
    pub fn deploy(&mut self, code: Vec<u8>, value: u128, data: &[u8]) -> AccountId {
        let address = contracts::address(&AUTHOR, &blake2_256(&code), data, b"");
        self.expect(AUTHOR, instantiate_with_code(code, value, data, b""));
        address
    }

    /// Reads through the host's door.
    pub fn ask(
        &self,
        contract: AccountId,
        origin: AccountId,
        value: u128,
        data: impl Into<Vec<u8>>,
    ) -> DryRun {
        self.ask_with(contract, origin, value, PLENTY, data)
    }

    /// [`Chain::ask`] with a gas limit.
    pub fn ask_with(
        &self,
        contract: AccountId,
        origin: AccountId,
        value: u128,
        limit: u64,
        data: impl Into<Vec<u8>>,
    ) -> DryRun {
        let message = message(origin, value, limit, data);
        contracts::dry_call(&WASMTIME, &self.state, contract, message)
    }

    /// A dry run on both engines, which must agree.
    pub fn try_call(&self, contract: AccountId, message: &Message) -> DryRun {
        let run = |vm: &Vm| contracts::dry_call(vm, &self.state, contract, message.clone());
        let (first, second) = (run(&WASMTIME), run(&WASMI));
        assert_eq!(first, second, "wasmtime and wasmi differ");
        first
    }

    pub fn overlay(&self) -> Overlay<'_> {
        Overlay::new(&self.state)
    }

    pub fn account(&self, who: &AccountId) -> system::AccountInfo {
        balances::account(&self.overlay(), who)
    }

    pub fn free(&self, who: &AccountId) -> u128 {
        self.account(who).data.free.units()
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn height(&self) -> u32 {
        u32::try_from(self.header.number).unwrap()
    }

    /// Everything that a call undone must leave alone: contracts, codes, storage, and everybody's money.
    pub fn effects(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let contracts = &contracts::CONTRACT_INFO.key(&AccountId::ZERO)[..16];
        let rows = self.state.iter().filter(|(key, _)| key.starts_with(contracts));
        let mut rows: Vec<_> = rows.map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        let accounts = system::ACCOUNT.entries(&self.overlay());
        let moneyed = accounts.iter().filter(|(_, info)| info.data != system::AccountData::default());
        rows.extend(moneyed.map(|(who, info)| (who.encode(), info.data.encode())));
        rows
    }
}

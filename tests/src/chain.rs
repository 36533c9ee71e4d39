//! One chain in memory, block by block, through the very function that validators run.
//!
//! Nothing here takes a short cut: what changes the state is an extrinsic in an ordered block. Every block is
//! audited: no money is made or lost, and what accounts have reserved is what the market says it holds.

use crate::machine;
use contract_interface::{Stage, TransferRecord};
use host_node::keys::Signer;
use parity_scale_codec::Decode;
use runtime_execution::extrinsic::{Era, Extra, UncheckedExtrinsic};
use runtime_execution::modules::{balances, markets, system};
use runtime_execution::{
    Call, Event, EventRecord, ExecutedBlock, GenesisConfig, Outcome, Receipt, Verifier, VerifySingly,
    archive, build_genesis, execute_block, leaves,
};
use runtime_primitives::{
    AccountId, Executed, Hash, Header, Height, MarketId, Money, OrderedBlock, Slot, Timestamp, blake2_256,
};
use runtime_state::{ArchiveRow, MemoryState, Overlay};
use std::collections::BTreeMap;

/// Blocks are this far apart unless the test says when.
pub const BLOCK_MS: u64 = 1_000;

/// A block that was executed, with all that followed from it.
#[derive(Clone)]
pub struct Past {
    /// What was ordered.
    pub ordered: OrderedBlock,
    /// Its header.
    pub header: Header,
    /// One for each ordered extrinsic.
    pub receipts: Vec<Receipt>,
    /// Events, in order.
    pub events: Vec<EventRecord>,
    /// Rows for the archive.
    pub archive: Vec<ArchiveRow>,
    /// Keys of the state that it wrote or removed.
    pub written: usize,
    /// Free and reserved money of every account after the block, in units.
    pub accounts: BTreeMap<AccountId, (u128, u128)>,
}

/// The chain. A clone is a fork.
#[derive(Clone)]
pub struct Chain {
    /// State after the last block.
    pub state: MemoryState,
    /// Hash of the genesis header.
    pub genesis: Hash,
    /// Header of the last block.
    pub header: Header,
    /// Time of the last block.
    pub now: Timestamp,
    /// All blocks after genesis.
    pub past: Vec<Past>,
    /// Who decides on signatures.
    pub verifier: &'static (dyn Verifier + Sync),
    queue: Vec<Vec<u8>>,
    queued: BTreeMap<AccountId, u32>,
}

impl Chain {
    /// Start at genesis.
    ///
    /// # Panics
    /// If `config` is no genesis.
    pub fn new(config: &GenesisConfig) -> Self {
        let genesis = build_genesis(config).expect("the test's genesis is one");
        let mut state = MemoryState::new();
        state.apply(&genesis.changes, genesis.trie);
        Self {
            state,
            genesis: genesis.header.hash(),
            header: genesis.header,
            now: config.timestamp,
            past: Vec::new(),
            verifier: &VerifySingly,
            queue: Vec::new(),
            queued: BTreeMap::new(),
        }
    }

    /// The state, for reading through the modules' items.
    pub fn view(&self) -> Overlay<'_> {
        Overlay::new(&self.state)
    }

    /// The nonce that the next extrinsic of `account` must carry, those in the queue counted.
    pub fn next_nonce(&self, account: &AccountId) -> u32 {
        let used = system::ACCOUNT.get_or_default(&self.view(), account).nonce;
        used + self.queued.get(account).copied().unwrap_or_default()
    }

    /// A signed extrinsic that is valid now.
    pub fn signed(&self, signer: &Signer, call: &Call) -> Vec<u8> {
        self.signed_with(signer, call, self.next_nonce(&signer.account()), Era::Immortal, &self.genesis)
    }

    /// A signed extrinsic with a nonce, an era and the hash of its birth block.
    pub fn signed_with(&self, signer: &Signer, call: &Call, nonce: u32, era: Era, birth: &Hash) -> Vec<u8> {
        let extra = Extra { era, nonce, tip: 0, metadata_hash_mode: 0 };
        UncheckedExtrinsic::signed(call, signer.account(), extra, &self.genesis, birth, |message| {
            signer.sign(message)
        })
    }

    /// Queue a signed call for the next block.
    pub fn submit(&mut self, signer: &Signer, call: impl Into<AnyCall>) -> Hash {
        let bytes = self.signed(signer, &call.into().0);
        *self.queued.entry(signer.account()).or_default() += 1;
        self.submit_bytes(bytes)
    }

    /// Queue a bare call for the next block.
    pub fn submit_bare(&mut self, call: impl Into<AnyCall>) -> Hash {
        self.submit_bytes(UncheckedExtrinsic::bare(&call.into().0))
    }

    /// Queue any bytes for the next block.
    pub fn submit_bytes(&mut self, bytes: Vec<u8>) -> Hash {
        let hash = blake2_256(&bytes);
        self.queue.push(bytes);
        hash
    }

    /// Execute the queue as the next block.
    pub fn block(&mut self) -> &Past {
        self.block_at(self.now.plus_ms(BLOCK_MS))
    }

    /// Execute the queue as a block of this time.
    ///
    /// # Panics
    /// If the block is refused or the audit finds a fault.
    pub fn block_at(&mut self, time: Timestamp) -> &Past {
        let height = Height::from_number(self.header.number + 1);
        let executed = Executed { height: self.header.height(), header_hash: self.header.hash() };
        let extrinsics = std::mem::take(&mut self.queue);
        self.queued.clear();
        self.execute(OrderedBlock { height, executed, timestamp: time, extrinsics })
    }

    /// Execute a block that others ordered.
    ///
    /// # Panics
    /// If the block is refused or the audit finds a fault.
    pub fn execute(&mut self, ordered: OrderedBlock) -> &Past {
        let done =
            execute_block(machine::vm(), &self.state, &self.header, &self.genesis, &ordered, self.verifier);
        let ExecutedBlock { header, receipts, events, changes, trie, archive, .. } =
            done.expect("the harness orders blocks of this chain");
        assert_eq!(header.state_root, trie.root());
        let written = changes.len();
        self.state.apply(&changes, trie);
        self.header = header.clone();
        self.now = ordered.timestamp;
        let accounts = self.audited_accounts();
        self.past.push(Past { ordered, header, receipts, events, archive, written, accounts });
        self.last()
    }

    /// Let time pass until `time`, in eight blocks and one at `time`: no window for people is too short then.
    pub fn pass_to(&mut self, time: Timestamp) -> &Past {
        let step = (time.ms() - self.now.ms()) / 9;
        for _ in 0..8 {
            self.block_at(self.now.plus_ms(step));
        }
        self.block_at(time)
    }

    /// The last block.
    ///
    /// # Panics
    /// At genesis.
    pub fn last(&self) -> &Past {
        self.past.last().expect("a block was executed")
    }

    /// What became of an extrinsic of the last block.
    ///
    /// # Panics
    /// If it is not in the last block.
    pub fn outcome(&self, extrinsic: &Hash) -> &Outcome {
        let receipt = self.last().receipts.iter().find(|receipt| receipt.extrinsic == *extrinsic);
        &receipt.expect("in the last block").outcome
    }

    /// Submit a signed call, execute it alone, expect success.
    ///
    /// # Panics
    /// If it does not succeed.
    pub fn must(&mut self, signer: &Signer, call: impl Into<AnyCall>) {
        let call = call.into();
        let name = format!("{:?}", call.0);
        let hash = self.submit(signer, call);
        self.block();
        self.expect_applied(&[hash], &name);
    }

    /// Execute the queue and expect that all of it succeeds.
    ///
    /// # Panics
    /// If something does not.
    pub fn block_of_successes(&mut self) {
        self.block();
        let all: Vec<Hash> = self.last().receipts.iter().map(|receipt| receipt.extrinsic).collect();
        self.expect_applied(&all, "a queued extrinsic");
    }

    fn expect_applied(&self, extrinsics: &[Hash], what: &str) {
        for hash in extrinsics {
            let outcome = self.outcome(hash);
            assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?} of {what}");
        }
    }

    /// Free and reserved money of an account.
    pub fn money(&self, account: &AccountId) -> (Money, Money) {
        let data = balances::account(&self.view(), account).data;
        (data.free, data.reserved)
    }

    /// All events of the market so far, in order.
    pub fn market_events(&self) -> impl Iterator<Item = &markets::Event> {
        self.past.iter().flat_map(|past| &past.events).filter_map(|record| match &record.event {
            Event::Markets(event) => Some(event),
            _ => None,
        })
    }

    /// All rows of one archive table so far, in order of appearance.
    pub fn archived(&self, table: u8) -> impl Iterator<Item = &ArchiveRow> {
        self.past.iter().flat_map(|past| &past.archive).filter(move |row| row.table == table)
    }

    /// The leaves of a stage so far, in order.
    ///
    /// # Panics
    /// If a row does not decode.
    pub fn leaves(&self, at: (MarketId, Slot), stage: Stage) -> Vec<Vec<u8>> {
        let key = archive::stage_key(at, stage);
        let rows = self.archived(archive::tables::STAGE).filter(|row| row.key.starts_with(&key));
        leaves::read(rows).expect("rows of a stage")
    }

    /// All movements of money so far.
    ///
    /// # Panics
    /// If a row does not decode.
    pub fn movements(&self) -> Vec<TransferRecord> {
        let rows = self.archived(archive::tables::LEDGER);
        rows.map(|row| TransferRecord::decode(&mut &row.value[..]).expect("a ledger row")).collect()
    }

    /// Keys and values of the state.
    pub fn rows(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.state.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
    }

    /// Everybody's money. None is made or lost, and what is reserved the market holds for orders and deposits.
    fn audited_accounts(&self) -> BTreeMap<AccountId, (u128, u128)> {
        let view = self.view();
        let entries = system::ACCOUNT.entries(&view).into_iter();
        let accounts: BTreeMap<_, _> =
            entries.map(|(who, info)| (who, (info.data.free.units(), info.data.reserved.units()))).collect();
        let all: u128 = accounts.values().map(|(free, reserved)| free + reserved).sum();
        let issued = balances::TOTAL_ISSUANCE.get(&view).expect("genesis issues money").units();
        assert_eq!(all, issued, "money is conserved at block {}", self.header.number);
        let reserved: u128 = accounts.values().map(|(_, reserved)| reserved).sum();
        let standings = markets::ENTITY_SLOTS.entries(&view);
        let held: u128 = standings.values().map(|standing| standing.held.units()).sum();
        let markets = markets::MARKETS.entries(&view);
        let deposits: u128 = markets.values().map(|market| market.deposit.units()).sum();
        let supply = markets::SUPPLY_DEPOSITS.entries(&view).into_values();
        let reserves = supply.chain(markets::PREFUNDINGS.entries(&view).into_values());
        let connections: u128 = reserves.map(|reserve| reserve.held.units()).sum();
        assert_eq!(reserved, held + deposits + connections, "reserved money is held for something");
        accounts
    }
}

/// A call of any module, so that tests name the module's alone.
pub struct AnyCall(pub Call);

macro_rules! any_call {
    ($($module:ident $variant:ident),*) => {$(
        impl From<runtime_execution::modules::$module::Call> for AnyCall {
            fn from(call: runtime_execution::modules::$module::Call) -> Self {
                Self(Call::$variant(call))
            }
        }
    )*};
}
any_call!(system System, timestamp Timestamp, balances Balances, sudo Sudo, registry Registry, contracts Contracts, markets Markets, attestation Attestation);

impl From<Call> for AnyCall {
    fn from(call: Call) -> Self {
        Self(call)
    }
}

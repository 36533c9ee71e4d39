//! A validator: what of it outlives a crash, and the node that runs on that until the next one.
//!
//! The node is the real one: its chain, pool and executor on a store whose disk loses power, its attestor with its journal.

use crate::byzantine::{Attest, Conduct};
use crate::random::Random;
use crate::scene::Scene;
use busbar_tests::world::MARKET;
use host_consensus::network::{Gossip, Member, Signal};
use host_consensus::{Application, Certificate, Parent, Proposal, Verdict};
use host_node::node::{Chain, ChainError};
use host_storage::{RehearsalDisk, Store, StoreOptions};
use runtime_execution::modules::markets::{SLOTS, SlotState};
use runtime_primitives::{Executed, Hash, Height, OrderedBlock, Slot, Timestamp};
use runtime_state::Overlay;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

/// What outlives a crash.
pub struct Body {
    pub index: usize,
    pub conduct: Conduct,
    scene: &'static Scene,
    /// The vote journal's: files of this machine, and nobody else's.
    pub folder: TempDir,
    life: Mutex<Life>,
}

struct Life {
    disk: Option<RehearsalDisk>,
    random: Random,
    /// The syncs after which the disk fails in each life, the next one last.
    failures: Vec<u32>,
    chain: Option<Arc<Chain>>,
    /// Header of each block that the engine was told is durable here.
    durable: Vec<Hash>,
    /// What the engine delivered, by height.
    ordered: BTreeMap<Height, OrderedBlock>,
    lost: bool,
    crashes: u32,
    failed: u32,
}

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Body {
    /// A validator that was never started. Its disk fails after so many syncs in each of its first lives.
    pub fn new(
        scene: &'static Scene,
        index: usize,
        conduct: Conduct,
        seed: u64,
        mut failures: Vec<u32>,
    ) -> Self {
        failures.reverse();
        let life = Life {
            disk: None,
            random: Random(seed ^ ((index as u64 + 1) << 32)),
            failures,
            chain: None,
            durable: Vec::new(),
            ordered: BTreeMap::new(),
            lost: false,
            crashes: 0,
            failed: 0,
        };
        Self { index, conduct, scene, folder: tempfile::tempdir().unwrap(), life: Mutex::new(life) }
    }

    /// The power is back: what was synced is there, and some of the rest, torn or not.
    pub fn wake(&self) -> Arc<Chain> {
        let mut life = locked(&self.life);
        let life = &mut *life;
        let genesis = &self.scene.world.genesis;
        let options = StoreOptions { cache_bytes: 4 << 20, trie_bytes: 1 << 20, ..StoreOptions::default() };
        let (disk, first) = match life.disk.take() {
            None => (RehearsalDisk::default(), Some(Chain::first(genesis).unwrap())),
            Some(disk) => {
                life.crashes += 1;
                life.failed += u32::from(disk.has_failed());
                let random = &mut life.random;
                (disk.after_power_cut(|below| random.below(below)), None)
            }
        };
        let store = Store::with_backend(disk.clone(), options, first).unwrap();
        let chain = Arc::new(Chain::rehearse(store, genesis, self.scene.vm.clone()).unwrap());
        life.lost |= !holds(&chain, &life.durable);
        if let Some(syncs) = life.failures.pop() {
            disk.fail_after(syncs);
        }
        life.disk = Some(disk);
        life.chain = Some(chain.clone());
        chain
    }

    /// Its chain as it was left.
    pub fn chain(&self) -> Arc<Chain> {
        locked(&self.life).chain.clone().expect("it was started")
    }

    /// Whether something that it had said is durable was not there later.
    pub fn has_lost(&self) -> bool {
        let life = locked(&self.life);
        life.lost || !life.chain.as_ref().is_some_and(|chain| holds(chain, &life.durable))
    }

    /// What the engine delivered to it, from the first block on.
    pub fn ordered(&self) -> Vec<OrderedBlock> {
        locked(&self.life).ordered.values().cloned().collect()
    }

    /// How often it was restarted, and how often because its disk had failed.
    pub fn crashes(&self) -> (u32, u32) {
        let life = locked(&self.life);
        (life.crashes, life.failed)
    }

    fn is_durable(&self, chain: &Chain) {
        let mut life = locked(&self.life);
        let tip = chain.snapshot().height().number();
        for height in life.durable.len() as u64..=tip {
            life.durable.extend(chain.executed(Height::from_number(height)));
        }
    }
}

fn holds(chain: &Chain, durable: &[Hash]) -> bool {
    (0..).zip(durable).all(|(height, header)| chain.executed(Height::from_number(height)) == Some(*header))
}

/// Where a slot stands on a chain, if it has opened.
pub fn state_of(chain: &Chain, slot: Slot) -> Option<SlotState> {
    let snapshot = chain.snapshot();
    SLOTS.get(&Overlay::new(&snapshot), &(MARKET, slot)).map(|slot| slot.state)
}

/// The node of one life.
pub struct Node {
    pub chain: Arc<Chain>,
    pub body: Arc<Body>,
    pub gossip: Gossip,
    /// Raised when there is something to order.
    pub signal: Signal,
    /// Raised when a block is durable: claims may be open on it.
    pub durable: Signal,
    /// What a liar adds to its own proposals.
    pub smuggled: Mutex<Vec<Vec<u8>>>,
}

impl Node {
    /// Take in what a client or the attestor hands over, and tell peers what is valid.
    pub fn submit(&self, extrinsics: Vec<Vec<u8>>) {
        if extrinsics.is_empty() {
            return;
        }
        for (extrinsic, answer) in extrinsics.iter().zip(self.chain.submit(extrinsics.clone())) {
            if answer.is_ok() {
                self.gossip.tell(extrinsic.clone());
            }
        }
        self.signal.raise();
    }

    /// Vote on what is open. A liar's votes go to the peers and into its proposals whatever its own pool thinks of them.
    pub fn attest(&self, attest: &mut dyn Attest) {
        let votes = attest.votes(&self.chain.snapshot());
        if !self.body.conduct.is_honest {
            votes.iter().for_each(|vote| self.gossip.tell(vote.clone()));
            locked(&self.smuggled).extend(votes.iter().cloned());
        }
        self.submit(votes);
    }
}

impl Application for Node {
    type Error = ChainError;

    fn tip(&self) -> Parent {
        self.chain.tip()
    }

    fn propose(
        &self,
        parent: &Parent,
        unexecuted: &[&OrderedBlock],
        timestamp: Timestamp,
    ) -> Result<Option<Proposal>, ChainError> {
        let proposal = self.chain.propose(parent, unexecuted, timestamp)?;
        Ok(proposal.map(|mut proposal| {
            proposal.extrinsics.append(&mut locked(&self.smuggled));
            proposal
        }))
    }

    fn verify(&self, block: &OrderedBlock) -> Verdict {
        self.chain.verify(block)
    }

    fn executed(&self, height: Height) -> Option<Hash> {
        self.chain.executed(height)
    }

    fn diverged(&self, theirs: &Executed, own: &Hash) {
        self.chain.diverged(theirs, own);
    }

    fn committee(&self, epoch: u64) -> Option<Vec<Member>> {
        self.chain.committee(epoch)
    }

    fn hear(&self, extrinsics: Vec<Vec<u8>>) {
        self.chain.hear(extrinsics);
    }

    fn finalized(&self, block: OrderedBlock, certificate: Certificate) -> Result<(), ChainError> {
        locked(&self.body.life).ordered.insert(block.height, block.clone());
        self.chain.finalized((self.body.conduct.executes)(block), certificate)
    }

    fn settle(&self) -> Result<(), ChainError> {
        Application::settle(&*self.chain)?;
        self.body.is_durable(&self.chain);
        self.durable.raise();
        Ok(())
    }
}

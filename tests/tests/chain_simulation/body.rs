//! What of a validator outlives a crash: its disk, its journals, and what was seen of it.
//!
//! The rule: nothing of the node that ran before is asked, but what that node told others.

use crate::broken::{Flaw, Hasty};
use crate::byzantine::Conduct;
use crate::scene::Scene;
use crate::simulator::{Dice, Power};
use busbar_tests::world::MARKET;
use host_consensus::Application as _;
use host_node::checkpoint::{Certificate, Keeper, is_checkpoint};
use host_node::node::Chain;
use host_storage::{RehearsalDisk, Store, StoreOptions};
use parity_scale_codec::DecodeAll as _;
use runtime_execution::modules::markets::{SLOTS, SlotState};
use runtime_primitives::{Hash, Height, OrderedBlock, Slot};
use runtime_state::Overlay;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tempfile::TempDir;

/// What outlives a crash.
pub struct Body {
    pub index: usize,
    pub conduct: Conduct,
    pub scene: &'static Scene,
    /// The vote journal's and the checkpoints': files of this machine, and nobody else's.
    pub folder: TempDir,
    /// Under the engine's own files.
    pub power: Power,
    life: Mutex<Life>,
}

struct Life {
    disk: Option<RehearsalDisk>,
    dice: Dice,
    /// When the disk begins to fail, in ms, and how many syncs later it has; the next one last.
    failures: Vec<(u64, u32)>,
    chain: Option<Arc<Chain>>,
    keeper: Weak<Keeper>,
    /// Header of each block that the engine was told is durable here.
    durable: Vec<Hash>,
    /// Slots that this life has shown as paid, and how often each was shown as newly paid in all lives.
    paid: (BTreeSet<Slot>, BTreeMap<Slot, usize>),
    /// What the engine delivered, by height.
    ordered: BTreeMap<Height, OrderedBlock>,
    hasty: Hasty,
    lost: bool,
    crashes: u32,
    failed: u32,
}

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Body {
    /// A validator that was never started.
    pub fn new(
        scene: &'static Scene,
        index: usize,
        conduct: Conduct,
        seed: u64,
        mut failures: Vec<(u64, u32)>,
    ) -> Self {
        failures.reverse();
        let life = Life {
            disk: None,
            dice: Dice::new(seed ^ ((index as u64 + 1) << 32)),
            failures,
            chain: None,
            keeper: Weak::new(),
            durable: Vec::new(),
            paid: Default::default(),
            ordered: BTreeMap::new(),
            hasty: Hasty::default(),
            lost: false,
            crashes: 0,
            failed: 0,
        };
        let power = Power::new(Dice::new(!seed ^ index as u64));
        Self { index, conduct, scene, folder: tempfile::tempdir().unwrap(), power, life: Mutex::new(life) }
    }

    /// Whether the node of the last life still holds its files.
    pub fn is_awake(&self) -> bool {
        locked(&self.life).keeper.strong_count() > 0
    }

    /// The power is back: what was synced is there, and some of the rest, torn or not.
    pub fn wake(&self) -> (Arc<Chain>, Arc<Keeper>) {
        let mut life = locked(&self.life);
        let life = &mut *life;
        let genesis = &self.scene.world.genesis;
        let options = StoreOptions { cache_bytes: 4 << 20, trie_bytes: 1 << 20, ..StoreOptions::default() };
        let (disk, first) = match life.disk.take() {
            None => (RehearsalDisk::default(), Some(Chain::first(genesis).unwrap())),
            Some(disk) => {
                life.crashes += 1;
                life.failed += u32::from(disk.has_failed());
                let loses_all = self.conduct.flaw == Some(Flaw::ShowsTooEarly);
                let dice = &mut life.dice;
                (disk.after_power_cut(|below| if loses_all { 0 } else { dice.index(below) }), None)
            }
        };
        let store = Store::with_backend(disk.clone(), options, first).unwrap();
        let chain = Arc::new(Chain::rehearse(store, genesis, self.scene.vm.clone()).unwrap());
        let sessions = vec![self.scene.session(self.index)];
        let keeper = Arc::new(Keeper::open(self.folder.path(), &chain, sessions).unwrap());
        life.lost |= !holds(&chain, &life.durable);
        life.paid.0 = self.paid_on(&chain);
        life.disk = Some(disk);
        life.chain = Some(chain.clone());
        life.keeper = Arc::downgrade(&keeper);
        (chain, keeper)
    }

    fn paid_on(&self, chain: &Chain) -> BTreeSet<Slot> {
        self.scene.slots().filter(|slot| state_of(chain, *slot) == Some(SlotState::Settled)).collect()
    }

    /// At `passed_ms` of a run: the disk may begin to fail.
    pub fn ages(&self, passed_ms: u64) {
        let mut life = locked(&self.life);
        if let Some((_, syncs)) = life.failures.pop_if(|(at, _)| *at <= passed_ms) {
            self.fail(&mut life, syncs);
        }
    }

    fn fail(&self, life: &mut Life, syncs: u32) {
        life.disk.as_ref().expect("it was started").fail_after(syncs);
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

    /// How often it showed each slot as newly paid.
    pub fn paid(&self) -> BTreeMap<Slot, usize> {
        locked(&self.life).paid.1.clone()
    }

    /// What the engine delivered to it, from the first block on.
    pub fn ordered(&self) -> Vec<OrderedBlock> {
        locked(&self.life).ordered.values().cloned().collect()
    }

    pub fn was_ordered(&self, block: &OrderedBlock) {
        locked(&self.life).ordered.insert(block.height, block.clone());
    }

    /// How often it was restarted, and how often because its disk had failed.
    pub fn crashes(&self) -> (u32, u32) {
        let life = locked(&self.life);
        (life.crashes, life.failed)
    }

    /// The node says that its last block is durable.
    pub fn shows(&self, chain: &Chain) {
        let mut life = locked(&self.life);
        let life = &mut *life;
        let tip = chain.snapshot().height().number();
        for height in life.durable.len() as u64..=tip {
            life.durable.extend(chain.executed(Height::from_number(height)));
        }
        let paid = self.paid_on(chain);
        let (before, times) = &mut life.paid;
        for slot in paid.difference(before) {
            *times.entry(*slot).or_default() += 1;
        }
        let is_first = times.values().any(|times| *times == 1) && paid.len() > before.len();
        *before = paid;
        if is_first && self.conduct.flaw == Some(Flaw::ShowsTooEarly) && life.crashes == 0 {
            self.fail(life, 0);
        }
    }

    /// Of a build that is too hasty: what it hears and says of checkpoints.
    pub fn overhears(&self, words: &[Vec<u8>]) {
        if self.conduct.flaw == Some(Flaw::CertifiesTooEarly) {
            locked(&self.life).hasty.hear(words, self.scene.validators.len());
        }
    }

    /// Whether every checkpoint that its chain has reached is certified.
    pub fn has_certified(&self) -> bool {
        let Some(keeper) = locked(&self.life).keeper.upgrade() else { return false };
        let tip = self.chain().snapshot().height().number();
        let epoch_blocks = self.scene.epoch_blocks();
        let wanted = (1..=tip).filter(|height| is_checkpoint(*height, epoch_blocks)).count();
        keeper.after(0, usize::MAX).unwrap().len() >= wanted
    }

    /// The certificates that it has, once its node has ended.
    pub fn certificates(&self) -> Vec<Certificate> {
        if self.conduct.flaw == Some(Flaw::CertifiesTooEarly) {
            return locked(&self.life).hasty.certificates();
        }
        let keeper = Keeper::open(self.folder.path(), &self.chain(), Vec::new()).unwrap();
        let rows = keeper.after(0, usize::MAX).unwrap();
        rows.iter().map(|row| Certificate::decode_all(&mut &row[..]).unwrap()).collect()
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

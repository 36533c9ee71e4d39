//! A node that serves: a household plays over RPC, a validator attests, a signal-like stop loses nothing.
#![allow(clippy::unwrap_used, reason = "tests")]

use contract_interface::Stage;
use host_consensus::{Clock, Progress, SystemClock, VirtualClock};
use host_node::agent::{Case, Deed, Desk, Done, Identity, RemoteError, RemoteHousehold};
use host_node::chain_spec::{ChainSpec, Preset};
use host_node::keys::{Signer, SigningPolicy};
use host_node::replay::replay;
use host_node::scenario::{
    Cast, Casting, HouseholdScript, MARKET, PAPER, Script, first_household, pair, paper,
};
use host_node::service::{Service, ServiceConfig, ServiceError};
use host_node::trade::Life;
use host_node::wallet::Wallet;
use host_rpc::RemoteNode;
use host_storage::Store;
use runtime_execution::Call;
use runtime_execution::modules::markets::{SLOTS, SlotState};
use runtime_execution::modules::{system, timestamp};
use runtime_primitives::{EntityId, Height, MeterId, Slot, Timestamp};
use runtime_state::Overlay;
use runtime_vm::{EngineKind, VM_THREAD_STACK_BYTES, Vm};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SLOT: Slot = Slot::from_number(500);

fn on_a_vm_thread(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
    thread.spawn(work).unwrap().join().unwrap();
}

fn signer(who: &str, what: &str) -> Signer {
    Signer::new(pair("paper", who, what), SigningPolicy::Production)
}

fn config(preset: Preset, data: &Path, validators: u32) -> ServiceConfig {
    let session = |number| Signer::new(preset.session_key(number), SigningPolicy::Production);
    ServiceConfig {
        data: data.to_owned(),
        genesis: preset.config(),
        interval_ms: 1_000,
        rpc: Some("127.0.0.1:0".parse().unwrap()),
        sessions: (1..=validators).map(session).collect(),
    }
}

fn remote(service: &Service<impl Clock>) -> RemoteNode {
    RemoteNode::at(&format!("ws://{}", service.address().unwrap())).unwrap()
}

/// A's part of the scenario file, as A's own plan.
fn plan_of_a() -> HouseholdScript {
    let file: toml::Table = PAPER.parse().unwrap();
    let mut household = file["household"][0].as_table().unwrap().clone();
    household.remove("p_max_w");
    household.remove("funds");
    let plan = HouseholdScript::from_plan(&household.to_string()).unwrap();
    let script = paper().unwrap();
    assert_eq!(plan.intents, script.households[0].intents);
    assert_eq!(plan.registers, script.households[0].registers);
    plan
}

fn identity(delegate: Signer, meter_key: Signer, meter: u32) -> Identity {
    let (entity, meter) = (EntityId::from_number(first_household()), MeterId::from_number(meter));
    Identity { entity, meter, delegate, meter_key }
}

/// The paper's market on a served node: everybody acts in process, except A.
struct Theatre {
    service: Service<VirtualClock>,
    clock: VirtualClock,
    script: Script,
    cast: Cast,
}

impl Theatre {
    fn open(folder: &Path) -> Self {
        let script = paper().unwrap();
        let genesis = Preset::Paper.config();
        let clock = VirtualClock::starting_at(genesis.timestamp);
        let service = Service::start(config(Preset::Paper, folder, 3), clock.clone()).unwrap();
        let journals = folder.join("unused");
        std::fs::create_dir(&journals).unwrap();
        let cast = Cast::assemble(&script, Casting::default(), service.chain().genesis(), &journals).unwrap();
        Self { service, clock, script, cast }
    }

    fn state_of_slot(&self) -> Option<SlotState> {
        let snapshot = self.service.chain().snapshot();
        SLOTS.get(&Overlay::new(&snapshot), &(MARKET, SLOT)).map(|slot| slot.state)
    }

    /// What everybody but A does on the present state.
    fn others(&mut self) -> Vec<Vec<u8>> {
        let snapshot = self.service.chain().snapshot();
        let state = Overlay::new(&snapshot);
        if let Some(batch) = self.cast.setup(&state) {
            return batch;
        }
        let Some(desk) = Desk::open(&state, (MARKET, SLOT)) else { return Vec::new() };
        let (script, b) = (&self.script.households[1], &mut self.cast.households[1]);
        let mut batch = Vec::new();
        match desk.live().slot.state {
            SlotState::Open if !b.has_order(&desk) => {
                batch.push(b.bid(&desk, script.intents[&SLOT], desk.live().terms.delivery_start(SLOT)));
            }
            SlotState::Proposed => batch.extend(b.confirm(&desk, &desk.matches().iter().collect::<Vec<_>>())),
            SlotState::Metering if desk.unread().contains(&b.meter) => {
                let measured_at = desk.live().terms.delivery_end(SLOT);
                batch.push(b.read((MARKET, SLOT), script.registers[&SLOT], measured_at));
            }
            SlotState::Voting => {
                batch.extend(self.cast.operator.post_list(&desk));
                if batch.is_empty() {
                    batch.extend(self.cast.operator.vote(&desk));
                    batch.extend(self.cast.grid.vote(&desk));
                    let (ballot, waiting) = desk.ballot(Stage::Certification).unwrap();
                    if waiting.iter().any(|elector| elector.entity == b.entity) {
                        let posted = desk.lists().pop().unwrap();
                        let case = Case::new(&desk, desk.full_list(&posted), &posted);
                        let own = script.registers.get(&SLOT).copied();
                        let vm = self.service.chain().vm();
                        batch.push(b.vote(&desk, &ballot, &posted, &case, own, vm).0);
                    }
                }
            }
            _ => {}
        }
        batch
    }

    /// A second passes; or, if nothing happens, the time to what is due next.
    fn pass(&mut self) {
        let now = self.service.chain().now();
        self.clock.advance_to(now.plus_ms(1_000));
        if let Progress::Idle = self.service.step().unwrap() {
            let due = self.service.chain().next_due().unwrap();
            self.clock.advance_to(due);
            self.service.step().unwrap();
        }
    }

    fn submit(&self, batch: Vec<Vec<u8>>) {
        for answer in self.service.chain().submit(batch) {
            answer.unwrap();
        }
    }
}

#[test]
fn the_papers_trade_settles_with_a_played_over_rpc() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut theatre = Theatre::open(folder.path());
        while theatre.state_of_slot().is_none() {
            let batch = theatre.others();
            theatre.submit(batch);
            theatre.pass();
        }
        let connect = |identity| {
            let vm = Vm::new(EngineKind::Wasmtime).unwrap();
            RemoteHousehold::connect(remote(&theatre.service), identity, MARKET, plan_of_a(), vm).map(drop)
        };
        let (delegate, meter_key) = (|| signer("A", "delegate"), || signer("A", "meter"));
        let stranger = connect(identity(signer("B", "delegate"), meter_key(), 0)).unwrap_err();
        assert!(matches!(stranger, RemoteError::NotADelegate { .. }));
        let foreign = connect(identity(delegate(), meter_key(), 1)).unwrap_err();
        assert!(matches!(foreign, RemoteError::NotItsMeter { .. }));
        let forged = connect(identity(delegate(), signer("B", "meter"), 0)).unwrap_err();
        assert!(matches!(forged, RemoteError::OtherMeterKey { .. }));

        let vm = Vm::new(EngineKind::Wasmtime).unwrap();
        let identity = identity(delegate(), meter_key(), 0);
        let node = remote(&theatre.service);
        let mut a = RemoteHousehold::connect(node, identity, MARKET, plan_of_a(), vm).unwrap();
        let mut done: Vec<Done> = Vec::new();
        loop {
            let round = a.round().unwrap();
            done.extend(round.done);
            if round.over {
                break;
            }
            assert!(a.round().unwrap().done.is_empty(), "one look at a block is enough");
            let batch = theatre.others();
            theatre.submit(batch);
            theatre.pass();
        }
        let outcomes: Vec<_> = done.iter().map(|done| done.outcome.is_ok()).collect();
        assert_eq!(outcomes, [true; 4], "{done:?}");
        let [bid, confirm, read, vote] = [0, 1, 2, 3].map(|index| &done[index].deed);
        assert!(matches!(bid, Deed::Bid(intent) if intent.energy.wh() == 10_000));
        assert_eq!(*confirm, Deed::Confirm(vec![0]));
        assert!(matches!(read, Deed::Read((_, export)) if export.wh() == 10_000));
        assert!(matches!(vote, Deed::Vote { agrees: true, report: Some(_), .. }));
        drop((a, theatre));

        let path = folder.path().join("chain.redb");
        let store = Store::open(&path).unwrap();
        let snapshot = store.snapshot();
        let life = Life::read(&snapshot, "500/0".parse().unwrap()).unwrap();
        assert_eq!(life.faults, Vec::<String>::new());
        let paid: Vec<u128> = life.payouts.iter().map(|payout| payout.amount.units()).collect();
        assert_eq!(paid, [67_000_000, 2_000_000]);
        let config = ChainSpec::find(&path, &snapshot).unwrap();
        assert_eq!(replay(&snapshot, &config, |_| {}).unwrap().last, snapshot.hash());
    });
}

#[test]
fn a_household_opposes_what_its_meter_denies() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut theatre = Theatre::open(folder.path());
        while theatre.state_of_slot().is_none() {
            let batch = theatre.others();
            theatre.submit(batch);
            theatre.pass();
        }
        let mut plan = plan_of_a();
        let vm = Vm::new(EngineKind::Wasmtime).unwrap();
        let identity = identity(signer("A", "delegate"), signer("A", "meter"), 0);
        let mut a =
            RemoteHousehold::connect(remote(&theatre.service), identity, MARKET, plan.clone(), vm).unwrap();
        // Play until A's reading is in; then look with the eyes of a household whose meter says something else.
        while theatre.state_of_slot() != Some(SlotState::Voting) {
            a.round().unwrap();
            let batch = theatre.others();
            theatre.submit(batch);
            theatre.pass();
        }
        plan.registers.entry(SLOT).and_modify(|own| own.1 = own.1.saturating_add(own.1));
        let vm = Vm::new(EngineKind::Wasmtime).unwrap();
        let identity = self::identity(signer("A", "delegate"), signer("A", "meter"), 0);
        let mut denies =
            RemoteHousehold::connect(remote(&theatre.service), identity, MARKET, plan, vm).unwrap();
        let mut votes = Vec::new();
        while votes.is_empty() && theatre.state_of_slot() == Some(SlotState::Voting) {
            votes.extend(denies.round().unwrap().done);
            let batch: Vec<_> = theatre
                .cast
                .operator
                .post_list(
                    &Desk::open(&Overlay::new(&theatre.service.chain().snapshot()), (MARKET, SLOT)).unwrap(),
                )
                .into_iter()
                .collect();
            theatre.submit(batch);
            theatre.pass();
        }
        assert!(matches!(votes[0].deed, Deed::Vote { agrees: false, .. }), "{votes:?}");
        assert!(votes[0].outcome.is_ok() && votes[0].deed.to_string().starts_with("ALERT"));
    });
}

#[test]
fn a_node_wakes_on_submission_rests_otherwise_and_stops_with_its_block_durable() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_owned();
    let mut config = config(Preset::Dev, &path, 1);
    config.interval_ms = 50;
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
    let node = thread.spawn(move || {
        let mut service = Service::start(config, SystemClock).unwrap();
        sender.send((service.address().unwrap(), service.bell().clone(), service.chain().genesis())).unwrap();
        service.run().unwrap();
        service.chain().snapshot().hash()
    });
    let node = node.unwrap();
    let (address, bell, genesis) = receiver.recv().unwrap();
    let remote = RemoteNode::at(&format!("http://{address}")).unwrap();
    assert_eq!(remote.best().unwrap(), genesis);
    let alice = Signer::new("//Alice".parse().unwrap(), SigningPolicy::Production);
    let mut alice = Wallet::new(alice, genesis);
    let remark = |wallet: &mut Wallet, note: &[u8]| {
        wallet.sign(&Call::System(system::Call::Remark { remark: note.to_vec() }))
    };
    let first = remark(&mut alice, b"one");
    remote.submit(&first).unwrap();
    let began = Instant::now();
    while remote.best().unwrap() == genesis {
        assert!(began.elapsed() < Duration::from_secs(10), "no block came");
        std::thread::sleep(Duration::from_millis(5));
    }
    let again = remote.submit(&first).unwrap_err().to_string();
    assert!(again.contains("nonce 0 is used; the next is 1"), "{again}");
    let one = remote.best().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(remote.best().unwrap(), one, "a block without anything to do");
    let now = remote.state(one);
    let now: Timestamp = timestamp::NOW.get(&Overlay::new(&now)).unwrap();
    assert!(now.ms().abs_diff(SystemClock.now().ms()) < 60_000);
    remote.submit(&remark(&mut alice, b"two")).unwrap();
    while remote.best().unwrap() == one {
        std::thread::sleep(Duration::from_millis(5));
    }
    bell.stop();
    let last = node.join().unwrap();
    let store = Store::open(&path.join("chain.redb")).unwrap();
    assert_eq!((store.best().0, store.best().1), (Height::from_number(2), last));
}

#[test]
fn a_stranger_does_not_attest() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut config = config(Preset::Dev, folder.path(), 0);
        config.sessions.push(signer("nobody", "session"));
        let refused = Service::start(config, SystemClock).map(drop).unwrap_err();
        assert!(matches!(refused, ServiceError::NotASession(_)));
    });
}

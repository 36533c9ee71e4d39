//! A served node with the paper's market: what the tests of this folder share.
//!
//! Everybody acts in process, except household A: that one plays from outside.

use crate::moves::moves;
use crate::node_process::{busbar, json};
use crate::running::Running;
use contract_interface::Stage;
use host_consensus::VirtualClock;
use host_node::agent::{Desk, Identity};
use host_node::chain_spec::Preset;
use host_node::keys::{Signer, SigningPolicy};
use host_node::scenario::{
    Cast, Casting, HouseholdScript, MARKET, PAPER, Script, first_household, pair, paper,
};
use host_node::service::ServiceConfig;
use host_rpc::RemoteNode;
use runtime_execution::modules::markets::{Agreed, SLOTS, SlotState};
use runtime_primitives::{EntityId, Height, MeterId, Slot};
use runtime_state::Overlay;
use runtime_vm::VM_THREAD_STACK_BYTES;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

pub const SLOT: Slot = Slot::from_number(500);
/// The seller and the buyer, by their place in the script.
pub const A: usize = 0;
pub const B: usize = 1;

pub fn on_a_vm_thread(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
    thread.spawn(work).unwrap().join().unwrap();
}

pub fn signer(who: &str, what: &str) -> Signer {
    Signer::new(pair("paper", who, what), SigningPolicy::Production)
}

pub fn config(preset: Preset, data: &Path, validators: u32) -> ServiceConfig {
    let session = |number| Signer::new(preset.session_key(number), SigningPolicy::Production);
    ServiceConfig {
        data: data.to_owned(),
        genesis: preset.config(),
        interval_ms: 1_000,
        rpc: Some("127.0.0.1:0".parse().unwrap()),
        listen: None,
        sessions: (1..=validators).map(session).collect(),
        min_free_disk_mib: 1,
        paranoid: false,
    }
}

pub fn remote(service: &Running) -> RemoteNode {
    RemoteNode::at(&format!("ws://{}", service.address().unwrap())).unwrap()
}

/// A's part of the scenario file, as A's own plan.
pub fn plan_of_a() -> HouseholdScript {
    let plan = HouseholdScript::from_plan(&plan_text_of_a()).unwrap();
    let script = paper().unwrap();
    assert_eq!(plan.intents, script.households[0].intents);
    assert_eq!(plan.registers, script.households[0].registers);
    plan
}

pub fn identity(delegate: Signer, meter_key: Signer, meter: u32) -> Identity {
    let (entity, meter) = (EntityId::from_number(first_household()), MeterId::from_number(meter));
    Identity { entity, meter, delegate, meter_key }
}

/// The scenario file's household A as `busbar agent` would be given it.
pub fn plan_text_of_a() -> String {
    let file: toml::Table = PAPER.parse().unwrap();
    let mut household = file["household"][0].as_table().unwrap().clone();
    household.remove("p_max_w");
    household.remove("funds");
    household.to_string()
}

/// The paper's market on a served node: everybody acts in process, except A.
pub struct Theatre {
    pub service: Running,
    pub clock: VirtualClock,
    pub script: Script,
    pub cast: Cast,
}

impl Theatre {
    pub fn open(folder: &Path) -> Self {
        Self::playing(paper().unwrap(), folder)
    }

    pub fn playing(script: Script, folder: &Path) -> Self {
        let genesis = Preset::Paper.config();
        let clock = VirtualClock::starting_at(genesis.timestamp);
        let service = Running::start(config(Preset::Paper, folder, 3), clock.clone());
        let journals = folder.join("unused");
        std::fs::create_dir(&journals).unwrap();
        let cast = Cast::assemble(&script, Casting::default(), service.chain().genesis(), &journals).unwrap();
        Self { service, clock, script, cast }
    }

    pub fn state_of_slot(&self) -> Option<SlotState> {
        let snapshot = self.service.chain().snapshot();
        SLOTS.get(&Overlay::new(&snapshot), &(MARKET, SLOT)).map(|slot| slot.state)
    }

    /// What everybody but A does on the present state.
    pub fn others(&mut self) -> Vec<Vec<u8>> {
        self.moves(&[B])
    }

    /// What the institutions and these households do on the present state.
    pub fn moves(&mut self, households: &[usize]) -> Vec<Vec<u8>> {
        let snapshot = self.service.chain().snapshot();
        let state = Overlay::new(&snapshot);
        if let Some(batch) = self.cast.setup(&state) {
            return batch;
        }
        let Some(desk) = Desk::open(&state, (MARKET, SLOT)) else { return Vec::new() };
        let vm = self.service.chain().vm();
        moves(&mut self.cast, &self.script, vm, &desk, households.iter().copied())
    }

    /// A second passes; or, if nothing happens, the time to what is due next.
    pub fn pass(&mut self) {
        let chain = self.service.chain();
        self.service.reach(Height::ZERO);
        self.clock.advance_to(chain.now().plus_ms(1_000));
        if !self.service.has_work(&self.clock) {
            self.clock.advance_to(chain.next_due().unwrap());
        }
        self.service.reach(chain.snapshot().height().next());
    }

    pub fn submit(&self, batch: Vec<Vec<u8>>) {
        for answer in self.service.chain().submit(batch) {
            answer.unwrap();
        }
    }

    /// Play the setup until the slot is open.
    pub fn set_up(&mut self) {
        while self.state_of_slot().is_none() {
            self.act();
        }
    }

    /// The institutions and these households act, and time passes, until the slot is in `state`.
    pub fn play_until(&mut self, state: SlotState, households: &[usize]) {
        while self.state_of_slot() != Some(state) {
            let batch = self.moves(households);
            self.submit(batch);
            self.pass();
        }
    }

    /// What a command says that waits for its block: blocks are made as long as it runs.
    pub fn answer(&mut self, mut command: Command) -> Output {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            if self.service.chain().waiting() > 0 {
                self.pass();
            }
            sleep(Duration::from_millis(2));
        }
        child.wait_with_output().unwrap()
    }

    /// Everybody but A acts, and time passes.
    pub fn act(&mut self) {
        let batch = self.others();
        self.submit(batch);
        self.pass();
    }

    /// Whether the present state calls for something that only A does.
    pub fn waits_for_a(&self) -> bool {
        let snapshot = self.service.chain().snapshot();
        let state = Overlay::new(&snapshot);
        let Some(desk) = Desk::open(&state, (MARKET, SLOT)) else { return false };
        let a = &self.cast.households[0];
        match desk.live().slot.state {
            SlotState::Open => !a.has_order(&desk),
            SlotState::Proposed => desk.matches().iter().any(|found| found.seller == Agreed::Pending),
            SlotState::Metering => desk.unread().contains(&a.meter),
            SlotState::Voting => {
                let (_, waiting) = desk.ballot(Stage::Certification).unwrap();
                !desk.lists().is_empty() && waiting.iter().any(|elector| elector.entity == a.entity)
            }
            _ => false,
        }
    }
}

pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Each of these commands is refused, in these words.
pub fn refused(theatre: &mut Theatre, rows: &[(&[&str], &str, i32, &str)]) {
    for (arguments, key, code, words) in rows {
        let output = theatre.answer(command(theatre, arguments, key));
        let said = said(&output);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

pub fn command(theatre: &Theatre, arguments: &[&str], key: &str) -> Command {
    let url = format!("http://{}", theatre.service.address().unwrap());
    busbar(&[arguments, &["--key", key, "--rpc", &url]].concat())
}

/// The answer of a command that takes effect, as JSON.
pub fn done(theatre: &mut Theatre, arguments: &[&str], key: &str) -> Value {
    let output = theatre.answer(command(theatre, &[arguments, &["--json"]].concat(), key));
    assert!(output.status.success(), "{}", said(&output));
    json(&output)
}

//! One node that orders alone what a network has ordered, and executes it on both its engines, to compare what comes of it.

use crate::course::{Course, Hand, INTERVAL_MS};
use crate::node_process::Node;
use crate::validators::{PATIENCE, VALIDATORS};
use contract_interface::Stage;
use host_node::chain_spec::Preset;
use host_node::scenario::MARKET;
use host_rpc::RemoteNode;
use runtime_execution::Call;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::attestation;
use runtime_execution::modules::markets::slots::after;
use runtime_execution::modules::markets::{SLOTS, SlotState};
use runtime_primitives::Slot;
use runtime_state::Overlay;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(10);

/// One node alone, given what the network ordered; its validators sign for themselves.
pub struct Alone {
    hand: Hand,
    process: Node,
    pub course: Course,
}

impl Alone {
    pub fn begin(folder: &Path, spec: &Path, first: Slot) -> Self {
        let hand = Hand::at(folder.join("time-alone"), Preset::Summer.config().timestamp);
        let (clock, spec) = (hand.path.display().to_string(), spec.display().to_string());
        let mut arguments = vec!["--spec", &spec, "--clock-file", &clock, "--paranoid"];
        (0..VALIDATORS)
            .for_each(|number| arguments.extend(["--dev-validator", ["1", "2", "3", "4"][number]]));
        let process = Node::start(&folder.join("alone"), &arguments);
        let genesis = RemoteNode::at(&process.url).unwrap().best().unwrap();
        Self { hand, process, course: Course::from(genesis, first) }
    }

    pub fn replay(&mut self, course: &Course) {
        let node = RemoteNode::at(&self.process.url).unwrap();
        for block in &course.blocks {
            self.hand.reach(block.time);
            let own: Vec<&Vec<u8>> = block.extrinsics.iter().filter(|bytes| !is_attestation(bytes)).collect();
            for bytes in &own {
                node.submit(bytes).unwrap();
            }
            let (began, mut read) = (Instant::now(), self.course.blocks.len());
            let mut left = own.len();
            loop {
                self.course.follow(&node);
                let applied = self.course.blocks[read..].iter().flat_map(|block| &block.extrinsics);
                left -= applied.filter(|bytes| own.contains(bytes)).count();
                read = self.course.blocks.len();
                let due = self.course.due(&node).is_some_and(|due| due <= self.hand.time());
                if left == 0 && !due && !self.is_attesting(&node) {
                    break;
                }
                self.hand.reach(self.course.now(&node).plus_ms(INTERVAL_MS));
                assert!(began.elapsed() < PATIENCE, "{left} extrinsics in no block at {}", self.hand.time());
                sleep(LOOK);
            }
        }
        let status = node.status().unwrap();
        assert!(status.executed_again > 0 && status.executed_again == status.blocks, "{status:?}");
    }

    /// Whether the validators of this node have yet to certify a slot.
    fn is_attesting(&self, node: &RemoteNode) -> bool {
        let backend = node.state(self.course.best());
        let state = Overlay::new(&backend);
        let mut slots = std::iter::successors(Some(self.course.next_slot), |slot| Some(after(*slot)));
        let of = |slot: Slot| SLOTS.get(&state, &(MARKET, slot)).map(|found| found.state);
        slots.by_ref().map_while(of).any(|state| state == SlotState::Confirmed)
    }
}

/// Whether it is a validator's vote on a clearing.
pub fn is_attestation(bytes: &[u8]) -> bool {
    let call = UncheckedExtrinsic::from_bytes(bytes).unwrap().call;
    matches!(call, Call::Attestation(attestation::Call::Vote { claim, .. }) if claim.stage == Stage::Authentication)
}

//! What every run begins with: a chain with engines, and the extrinsics that make its market, in the order they need.
//!
//! Made once for each number of validators and shared: nothing in it changes.

use busbar_tests::keyring::key;
use busbar_tests::machine;
use busbar_tests::world::{FIRST, Plan, World};
use contract_interface::{Limits, Windows};
use host_node::keys::Signer;
use runtime_execution::Call;
use runtime_execution::extrinsic::{Envelope, MultiAddress, UncheckedExtrinsic};
use runtime_execution::modules::markets;
use runtime_primitives::{AccountId, EntityId, Price, Slot, Timestamp};
use runtime_vm::{EngineKind, Vm};
use std::sync::{Arc, LazyLock};

/// Slots that a run plays.
pub const SLOTS_PLAYED: u32 = 2;
/// The chain's clocks run this much faster than the simulator's.
pub const RATE: u64 = 5;
/// Blocks of an epoch: several in a run.
pub const EPOCH_BLOCKS: u64 = 30;
/// Least time between two blocks, by the chain's clocks.
pub const INTERVAL_MS: u64 = 1_000;
/// From the start of a run to the opening of its first slot, by the chain's clocks: a market must be agreed to before.
const SETUP_MS: u64 = 75_000;

/// An extrinsic of the setup.
pub struct Setup {
    pub signer: AccountId,
    pub nonce: u32,
    pub bytes: Vec<u8>,
}

/// The beginning of all runs with one number of validators.
pub struct Scene {
    /// The market as it is when the setup is through; its genesis is that of the run.
    pub world: World,
    /// Each waits until the one before is through.
    pub stages: Vec<Vec<Setup>>,
    /// Validators in the order of their engines' keys: name and entity.
    pub validators: Vec<(String, EntityId)>,
    /// All nodes of this process execute on one machine.
    pub vm: Arc<Vm>,
}

fn plan(validators: u32) -> Plan {
    Plan {
        more_validators: validators - 3,
        homes: 4,
        epoch_blocks: EPOCH_BLOCKS,
        lead_h: 1,
        slot_minutes: 1,
        limits: Limits {
            tick_size: Price::from_ticks(10),
            price_min: Price::from_ticks(3_000),
            price_max: Price::from_ticks(8_800),
            orders_per_slot: 8,
            orders_per_entity: 2,
        },
        windows: Windows {
            open_before_s: 45,
            gate_before_s: 32,
            reveal_s: 0,
            confirm_s: 15,
            certify_before_s: 2,
            readings_s: 15,
            voting_s: 30,
            objection_s: 40,
            dispute_s: 90,
        },
        ..Plan::default()
    }
}

impl Scene {
    /// That of `validators`, 4 to 7.
    pub fn of(validators: usize) -> &'static Self {
        static SCENES: [LazyLock<Scene>; 4] = [
            LazyLock::new(|| Scene::new(4)),
            LazyLock::new(|| Scene::new(5)),
            LazyLock::new(|| Scene::new(6)),
            LazyLock::new(|| Scene::new(7)),
        ];
        &SCENES[validators - 4]
    }

    fn new(validators: u32) -> Self {
        let world = World::new(&plan(validators));
        let mut stages = Vec::new();
        for past in &world.chain.past {
            let mut stage: Vec<Setup> =
                past.ordered.extrinsics.iter().map(|bytes| Setup::of(bytes)).collect();
            // Parties agree to a market that is there, and nodes do not keep the order of different signers.
            let is_create = |setup: &Setup| {
                let decoded = UncheckedExtrinsic::from_bytes(&setup.bytes).unwrap();
                matches!(decoded.call, Call::Markets(markets::Call::Create { .. }))
            };
            if let Some(create) = stage.iter().position(is_create) {
                stages.push(vec![stage.remove(create)]);
            }
            stages.push(stage);
        }
        let is_validator =
            |(_, entity): &(usize, &runtime_execution::GenesisEntity)| entity.session_key.is_some();
        let members = world.genesis.entities.iter().enumerate().filter(is_validator);
        let named = (0..).zip(members).map(|(number, (entity, _))| {
            (format!("validator {number} session"), EntityId::from_number(u32::try_from(entity).unwrap()))
        });
        let mut validators: Vec<_> = named.collect();
        validators.sort_by_key(|(session, _)| key(session).engine_secret().public().peer());
        let vm = Arc::new(Vm::new(EngineKind::Wasmtime).unwrap());
        let _ = machine::vm();
        Self { world, stages, validators, vm }
    }

    /// The session key of a validator.
    pub fn session(&self, validator: usize) -> Signer {
        busbar_tests::keyring::signer(&self.validators[validator].0)
    }

    /// The slots that are played.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        (FIRST.number()..FIRST.number() + SLOTS_PLAYED).map(Slot::from_number)
    }

    /// What a right clock shows when a run starts.
    pub fn begins(&self) -> Timestamp {
        self.world.before_start(FIRST, self.world.terms.windows.open_before_s).minus_ms(SETUP_MS)
    }
}

impl Setup {
    fn of(bytes: &[u8]) -> Self {
        let decoded = UncheckedExtrinsic::from_bytes(bytes).unwrap();
        let Envelope { signer: MultiAddress::Id(signer), extra, .. } =
            decoded.envelope.expect("the setup is signed");
        Self { signer, nonce: extra.nonce, bytes: bytes.to_vec() }
    }
}

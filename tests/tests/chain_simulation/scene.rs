//! What every run begins with: a chain with engines, and the extrinsics that make its market, in the order they need.
//!
//! Made once for each number of validators and shared: nothing in it changes.

use busbar_tests::keyring::key;
use busbar_tests::machine;
use busbar_tests::world::{FIRST, Plan, World};
use contract_interface::{Limits, Windows, roles};
use host_node::keys::Signer;
use runtime_execution::Call;
use runtime_execution::extrinsic::{Envelope, MultiAddress, UncheckedExtrinsic};
use runtime_execution::modules::{markets, registry};
use runtime_primitives::{AccountId, EntityId, Price, Slot, Timestamp};
use runtime_vm::{EngineKind, Vm};
use std::sync::{Arc, LazyLock};

/// Slots that a run plays.
pub const SLOTS_PLAYED: u32 = 2;
/// The chain's clocks run this much faster than the simulator's.
pub const RATE: u64 = 5;
/// Blocks of an epoch: several in a run.
const EPOCH_BLOCKS: u64 = 30;
/// The same where validators change: what is announced when the market is made takes effect before its slots are over.
const SHORT_EPOCH_BLOCKS: u64 = 12;
/// Session of a validator that is one from beginning to end.
pub const STAYS: &str = "validator 0 session";
/// Who leaves, or moves to another machine with other keys.
const GOES: &str = "validator 1";
/// Who comes, or the machine that somebody moves to.
const COMES: &str = "validator to come";
/// Least time between two blocks, by the chain's clocks.
pub const INTERVAL_MS: u64 = 1_000;
/// From the start of a run to the opening of its first slot, by the chain's clocks: a market must be agreed to before.
const SETUP_MS: u64 = 75_000;

/// How the set of validators changes in a run, announced with the setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// One more comes: its machine follows until it is in the set.
    Joins,
    /// One goes: its machine follows from then on.
    Leaves,
    /// One takes the keys of another machine, which follows until then; the machine that it had follows from then on.
    Rotates,
}

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
    /// Machines in the order of their engines' keys, all those of validators for some time: session and entity.
    pub validators: Vec<(String, EntityId)>,
    /// All nodes of this process execute on one machine.
    pub vm: Arc<Vm>,
}

fn plan(validators: u32, epoch_blocks: u64) -> Plan {
    Plan {
        more_validators: validators - 3,
        homes: 4,
        epoch_blocks,
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
            LazyLock::new(|| Scene::new(4, None)),
            LazyLock::new(|| Scene::new(5, None)),
            LazyLock::new(|| Scene::new(6, None)),
            LazyLock::new(|| Scene::new(7, None)),
        ];
        &SCENES[validators - 4]
    }

    /// That of four validators in the smaller set, and of five machines.
    pub fn changing(change: Change) -> &'static Self {
        static SCENES: [LazyLock<Scene>; 3] = [
            LazyLock::new(|| Scene::new(4, Some(Change::Joins))),
            LazyLock::new(|| Scene::new(5, Some(Change::Leaves))),
            LazyLock::new(|| Scene::new(4, Some(Change::Rotates))),
        ];
        &SCENES[change as usize]
    }

    fn new(validators: u32, change: Option<Change>) -> Self {
        let epoch_blocks = if change.is_some() { SHORT_EPOCH_BLOCKS } else { EPOCH_BLOCKS };
        let mut world = World::new(&plan(validators, epoch_blocks));
        let newcomer = change.and_then(|change| announce(&mut world, change));
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
        let mut validators: Vec<_> = named.chain(newcomer).collect();
        validators.sort_by_key(|(session, _)| key(session).engine_secret().public().peer());
        let vm = Arc::new(Vm::new(EngineKind::Wasmtime).unwrap());
        let _ = machine::vm();
        Self { world, stages, validators, vm }
    }

    /// Blocks of an epoch.
    pub const fn epoch_blocks(&self) -> u64 {
        self.world.genesis.epoch_blocks
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

/// Have a change announced; gives the machine that it needs besides, if any.
fn announce(world: &mut World, change: Change) -> Option<(String, EntityId)> {
    let place = |owner: AccountId| world.genesis.entities.iter().position(|entity| entity.owner == owner);
    let goes = place(key(GOES).account()).and_then(|place| u32::try_from(place).ok());
    let goes = EntityId::from_number(goes.expect("it is of genesis"));
    let (session, sudo) = (format!("{COMES} session"), world.sudo.clone());
    let announced = |world: &World, entity| {
        key(&session).announce(&world.chain.genesis, entity, "comes.example:30333".into())
    };
    match change {
        Change::Joins => {
            let entity = EntityId::from_number(world.homes.last()?.entity.number() + 1);
            let (owner, roles) = (key(COMES).account(), roles::VALIDATOR);
            world.chain.must(&key("registrar"), registry::Call::RegisterEntity { owner, roles });
            let announcement = announced(world, entity);
            world.chain.must(&sudo, registry::Call::JoinValidators { announcement });
            Some((session, entity))
        }
        Change::Leaves => {
            world.chain.must(&key(GOES), registry::Call::LeaveValidators { entity: goes });
            None
        }
        Change::Rotates => {
            let announcement = announced(world, goes);
            world.chain.must(&key(GOES), registry::Call::RotateValidator { announcement });
            Some((session, goes))
        }
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

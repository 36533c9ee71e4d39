//! What people, meters and the platform want of a node, each a function of the state that the node shows them.
//!
//! Asked again on one state they want the same again, so what a crash or a lost message swallowed is sent once more.

use crate::scene::Scene;
use busbar_tests::keyring::signer;
use busbar_tests::world::{FIRST, REGISTERS_AT_START, entities};
use contract_interface::{Side, Stage, vote_message};
use host_node::agent::{Desk, Household, Intent, Match, Operator};
use host_node::wallet::Wallet;
use host_storage::Snapshot;
use runtime_execution::Call;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::attestation;
use runtime_execution::modules::markets::{SLOTS, SlotState, lists};
use runtime_execution::modules::system::ACCOUNT;
use runtime_primitives::{Energy, EntityId, Price, Slot, Timestamp};
use runtime_state::Overlay;

/// What a household trades and meters in each slot.
struct Habit {
    intent: Intent,
    imported_wh: u64,
    exported_wh: u64,
}

fn habit(home: usize) -> Habit {
    let (side, wh, ticks, metered_wh) = [
        (Side::Sell, 600, 5_000, 590),
        (Side::Buy, 400, 6_000, 410),
        (Side::Sell, 300, 5_500, 300),
        (Side::Buy, 450, 6_200, 380),
    ][home % 4];
    let (imported_wh, exported_wh) = if side == Side::Buy { (metered_wh, 0) } else { (0, metered_wh) };
    let intent = Intent { side, energy: Energy::from_wh(wh), price: Price::from_ticks(ticks) };
    Habit { intent, imported_wh, exported_wh }
}

/// All of them, with their keys.
pub struct Clients {
    scene: &'static Scene,
    households: Vec<Household>,
    platform: Operator,
}

impl Clients {
    pub fn new(scene: &'static Scene) -> Self {
        let world = &scene.world;
        let wallet = |name: &str| Wallet::new(signer(name), world.chain.genesis);
        let household = |(number, home): (usize, &busbar_tests::world::Home)| {
            let (delegate, meter) = (format!("home {number} delegate"), format!("home {number} meter"));
            Household::new(home.entity, home.meter, wallet(&delegate), signer(&meter))
        };
        let households = world.homes.iter().enumerate().map(household).collect();
        let platform = Operator::new(EntityId::from_number(entities::PLATFORM), wallet("platform"));
        Self { scene, households, platform }
    }

    /// What those who are `here` want of a node that shows them `snapshot`.
    pub fn wishes(&mut self, snapshot: &Snapshot, here: impl Fn(EntityId) -> bool) -> Vec<Vec<u8>> {
        let state = Overlay::new(snapshot);
        if let Some(setup) = self.setup(&state) {
            return if here(self.platform.entity) { setup } else { Vec::new() };
        }
        let mut wishes = Vec::new();
        for slot in self.scene.slots() {
            let at = (self.scene.world.market, slot);
            let Some(desk) = Desk::open(&state, at) else { continue };
            match SLOTS.get(&state, &at).map(|slot| slot.state) {
                Some(SlotState::Open) => self.order(&desk, &here, &mut wishes),
                Some(SlotState::Proposed) => self.confirm(&desk, &here, &mut wishes),
                Some(SlotState::Metering) => self.read(&desk, slot, &here, &mut wishes),
                Some(SlotState::Voting) => self.certify(&desk, &here, &mut wishes),
                _ => {}
            }
        }
        wishes
    }

    /// The first stage of the setup that is not through.
    fn setup(&self, state: &Overlay) -> Option<Vec<Vec<u8>>> {
        let is_through =
            |setup: &&crate::scene::Setup| ACCOUNT.get_or_default(state, &setup.signer).nonce > setup.nonce;
        let stage = self.scene.stages.iter().find(|stage| !stage.iter().all(|setup| is_through(&setup)))?;
        Some(stage.iter().map(|setup| setup.bytes.clone()).collect())
    }

    fn order(&mut self, desk: &Desk, here: impl Fn(EntityId) -> bool, wishes: &mut Vec<Vec<u8>>) {
        for (number, household) in self.households.iter_mut().enumerate() {
            if here(household.entity) && !household.has_order(desk) {
                wishes.push(household.bid(desk, habit(number).intent, Timestamp::MAX));
            }
        }
    }

    fn confirm(&mut self, desk: &Desk, here: impl Fn(EntityId) -> bool, wishes: &mut Vec<Vec<u8>>) {
        let matches = desk.matches();
        let matches: Vec<&Match> = matches.iter().collect();
        for household in self.households.iter_mut().filter(|household| here(household.entity)) {
            wishes.extend(household.confirm(desk, &matches));
        }
    }

    fn read(&self, desk: &Desk, slot: Slot, here: impl Fn(EntityId) -> bool, wishes: &mut Vec<Vec<u8>>) {
        let unread = desk.unread();
        let slots = u64::from(slot.number() - FIRST.number() + 1);
        for (number, household) in self.households.iter().enumerate() {
            if here(household.entity) && unread.contains(&household.meter) {
                let Habit { imported_wh, exported_wh, .. } = habit(number);
                let registers = (
                    Energy::from_wh(REGISTERS_AT_START.0 + slots * imported_wh),
                    Energy::from_wh(REGISTERS_AT_START.1 + slots * exported_wh),
                );
                let at = desk.live().at;
                wishes.push(household.read(at, registers, desk.live().terms.delivery_end(slot)));
            }
        }
    }

    /// The platform posts the latest readings, and everybody who may vote is for them.
    fn certify(&mut self, desk: &Desk, here: impl Fn(EntityId) -> bool, wishes: &mut Vec<Vec<u8>>) {
        if here(self.platform.entity) {
            wishes.extend(self.platform.post_list(desk));
        }
        if desk.live().slot.round == lists::DISPUTE_ROUND || desk.lists().is_empty() {
            return;
        }
        let Some((ballot, waiting)) = desk.ballot(Stage::Certification) else { return };
        let world = &self.scene.world;
        let claim = contract_interface::Claim { result_hash: desk.latest_list().hash(), ..ballot.claim };
        for elector in waiting.iter().filter(|elector| here(elector.entity)) {
            let message = vote_message(&world.chain.genesis, &claim, elector.entity, elector.proxy);
            let signature = world.keys.sign(&elector.key, &message);
            let vote = attestation::Call::Vote { voter: elector.entity, claim, signature };
            wishes.push(UncheckedExtrinsic::bare(&Call::Attestation(vote)));
        }
    }
}

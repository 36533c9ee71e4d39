//! Where the rows of the table begin: one world, kept at each moment of its slot.
//!
//! Home 0 sells 4 kWh, home 1 buys them, home 2 has a meter and no order. One trade, number 0.

use busbar_tests::evil;
use busbar_tests::world::{FIRST, Plan, World};
use contract_interface::Side;
use runtime_execution::modules::markets::SlotState;
use runtime_execution::modules::registry;
use runtime_primitives::{Money, Seq};
use std::collections::BTreeMap;

/// The seller, the buyer, and a household that does not trade.
pub const SELLER: usize = 0;
/// See [`SELLER`].
pub const BUYER: usize = 1;
/// See [`SELLER`].
pub const BYSTANDER: usize = 2;

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scene {
    /// Only genesis; every rule is uploaded, no market.
    NoMarket,
    /// The market exists, its first slot is not open yet.
    Before,
    /// Orders are in.
    Open,
    /// The trade waits for both.
    Proposed,
    /// The trade waits for the validators.
    Confirmed,
    /// Before delivery.
    Certified,
    /// Energy flows.
    Delivering,
    /// Readings are awaited, none is posted.
    Metering,
    /// All readings are posted, no list is.
    Voting,
    /// The platform's list won.
    Payable,
    /// It is over.
    Settled,
    /// An open slot of three orders, two an entity; both orders are in.
    Small,
    /// An open slot whose bid rule never ends.
    StuckBid,
    /// An open sealed slot: the seller's and the buyer's commitments are in.
    Sealed,
    /// Its gate has closed; the seller has revealed.
    Revealing,
    /// An open slot under terms with deposits for two slots, of which every household has paid about half: ten yuan.
    Poor,
    /// As [`Scene::Voting`], and the bystander is the seller's proxy.
    Proxied,
}

/// All moments.
pub struct Scenes(BTreeMap<Scene, World>);

impl Scenes {
    /// Play one slot and keep every moment.
    pub fn new() -> Self {
        let plan = Plan { homes: 3, ..Plan::default() };
        let mut scenes = BTreeMap::new();
        let mut world = World::at_genesis(&plan);
        world.upload(&plan.rules);
        scenes.insert(Scene::NoMarket, world);
        let mut world = World::new(&plan);
        scenes.insert(Scene::Before, world.clone());
        world.open(FIRST);
        trade(&mut world);
        scenes.insert(Scene::Open, world.clone());
        world.close_gate(FIRST);
        world.expect(FIRST, SlotState::Proposed);
        scenes.insert(Scene::Proposed, world.clone());
        world.confirm_all(FIRST);
        scenes.insert(Scene::Confirmed, world.clone());
        world.attest(FIRST);
        scenes.insert(Scene::Certified, world.clone());
        world.chain.pass_to(world.terms.delivery_start(FIRST));
        scenes.insert(Scene::Delivering, world.clone());
        world.chain.pass_to(world.terms.delivery_end(FIRST));
        scenes.insert(Scene::Metering, world.clone());
        world.measure_all(FIRST, &[(0, 4_000), (4_000, 0), (250, 0)]);
        scenes.insert(Scene::Voting, world.clone());
        world.certify(FIRST);
        scenes.insert(Scene::Payable, world.clone());
        world.settle(FIRST);
        scenes.insert(Scene::Settled, world);
        scenes.insert(Scene::Small, small(&plan));
        scenes.insert(Scene::StuckBid, stuck_bid(&plan));
        let mut world = sealed(&plan);
        scenes.insert(Scene::Sealed, world.clone());
        world.close_gate(FIRST);
        let ask = world.request(SELLER, FIRST, Side::Sell, 4_000, 6_000);
        world.reveal(SELLER, Seq::ZERO, &ask);
        world.chain.block_of_successes();
        world.expect(FIRST, SlotState::Revealing);
        scenes.insert(Scene::Revealing, world);
        scenes.insert(Scene::Poor, poor(&plan));
        scenes.insert(Scene::Proxied, proxied(&plan));
        Self(scenes)
    }

    /// A world of one's own.
    pub fn fork(&self, scene: Scene) -> World {
        self.0[&scene].clone()
    }
}

fn trade(world: &mut World) {
    world.place(SELLER, FIRST, Side::Sell, 4_000, 6_000);
    world.place(BUYER, FIRST, Side::Buy, 4_000, 6_700);
}

fn small(plan: &Plan) -> World {
    let mut plan = plan.clone();
    (plan.limits.orders_per_slot, plan.limits.orders_per_entity) = (3, 2);
    let mut world = World::new(&plan);
    world.open(FIRST);
    trade(&mut world);
    world
}

fn stuck_bid(plan: &Plan) -> World {
    let mut plan = plan.clone();
    plan.rules[0] = evil::loops_for_ever();
    let mut world = World::new(&plan);
    world.open(FIRST);
    world
}

fn sealed(plan: &Plan) -> World {
    let mut plan = plan.clone();
    plan.windows.reveal_s = 60;
    let mut world = World::new(&plan);
    world.open(FIRST);
    let (ask, bid) = (
        world.request(SELLER, FIRST, Side::Sell, 4_000, 6_000),
        world.request(BUYER, FIRST, Side::Buy, 4_000, 6_700),
    );
    world.commit(SELLER, &ask);
    world.commit(BUYER, &bid);
    world
}

fn poor(plan: &Plan) -> World {
    let mut plan = plan.clone();
    (plan.deposit_slots, plan.funds) = (2, Money::from_units(100_000_000));
    let mut world = World::new(&plan);
    world.open(FIRST);
    world
}

fn proxied(plan: &Plan) -> World {
    let mut world = World::new(plan);
    let owner = world.homes[SELLER].owner.clone();
    world.chain.must(&owner, registry::Call::SetProxy { proxy: Some(world.homes[BYSTANDER].entity) });
    world.open(FIRST);
    trade(&mut world);
    world.deliver(FIRST);
    world.measure_all(FIRST, &[(0, 4_000), (4_000, 0), (250, 0)]);
    world
}

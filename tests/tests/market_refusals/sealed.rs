//! Sealed slots: what may not be committed to, revealed or placed.

use super::scenes::{BUYER, BYSTANDER, SELLER, Scene};
use super::{Attempt, Row, Wrong, row};
use busbar_tests::world::{FIRST, MARKET, World};
use contract_interface::{OrderRequest, Side, seal};
use runtime_execution::Call;
use runtime_execution::modules::markets::sealed::Commitment;
use runtime_execution::modules::markets::{self, Error, SlotState};
use runtime_execution::modules::registry;
use runtime_primitives::{Energy, Hash, MeterId, Money, Seq, Timestamp};

fn send(world: &World, home: usize, call: markets::Call, wrong: impl Into<Wrong>) -> Attempt {
    (world.chain.signed(&world.homes[home].delegate, &Call::Markets(call)), wrong.into())
}

/// A commitment of the bystander's that would be admitted.
fn good(world: &World) -> Commitment {
    world.commitment(BYSTANDER, &world.request(BYSTANDER, FIRST, Side::Sell, 1_000, 6_000))
}

fn commit(world: &World, commit: Commitment, wrong: impl Into<Wrong>) -> Attempt {
    send(world, BYSTANDER, markets::Call::Commit { commit }, wrong)
}

/// What the buyer committed to at place 1.
fn sealed(world: &World) -> OrderRequest {
    world.request(BUYER, FIRST, Side::Buy, 4_000, 6_700)
}

/// The buyer reveals something at place 1.
fn reveal(world: &World, request: OrderRequest, salt: [u8; 32], wrong: impl Into<Wrong>) -> Attempt {
    send(world, BUYER, markets::Call::Reveal { seq: Seq::from_number(1), request, salt }, wrong)
}

/// The buyer commits to `request` before the gate and reveals it after: what is wrong with an order shows then.
fn late(world: &mut World, request: &OrderRequest, wrong: impl Into<Wrong>) -> Attempt {
    let commit = Commitment {
        terms: world.slot(FIRST).terms,
        meter: world.homes[BUYER].meter,
        ..world.commitment(BUYER, request)
    };
    let (seq, delegate) = (world.slot(FIRST).next_seq, world.homes[BUYER].delegate.clone());
    world.chain.must(&delegate, markets::Call::Commit { commit });
    world.close_gate(FIRST);
    let salt = world.salt(BUYER, request);
    send(world, BUYER, markets::Call::Reveal { seq, request: request.clone(), salt }, wrong)
}

pub fn rows() -> Vec<Row> {
    let mut rows = commitments();
    rows.extend(reveals());
    rows.extend(revealed_orders());
    rows
}

fn commitments() -> Vec<Row> {
    vec![
        row("sealed: an order in the open", Scene::Sealed, |world| {
            let request = world.request(BYSTANDER, FIRST, Side::Sell, 1_000, 6_000);
            send(world, BYSTANDER, markets::Call::Place { request }, Error::SealedSlot(FIRST))
        }),
        row("sealed: an amendment", Scene::Sealed, |world| {
            let (seq, request) = (Seq::from_number(1), sealed(world));
            send(world, BUYER, markets::Call::Amend { seq, request }, Error::SealedSlot(FIRST))
        }),
        row("sealed: a commitment to an open book", Scene::Open, |world| {
            commit(world, good(world), Error::OpenSlot(FIRST))
        }),
        row("sealed: a commitment after the gate", Scene::Revealing, |world| {
            let wrong = Error::GateClosed { slot: FIRST, state: SlotState::Revealing };
            commit(world, good(world), wrong)
        }),
        row("sealed: a withdrawal after the gate", Scene::Revealing, |world| {
            let seq = Seq::from_number(1);
            let wrong = Error::GateClosed { slot: FIRST, state: SlotState::Revealing };
            send(world, BUYER, markets::Call::Cancel { market: MARKET, slot: FIRST, seq }, wrong)
        }),
        row("sealed: a withdrawal of another's", Scene::Sealed, |world| {
            let seq = Seq::from_number(1);
            let wrong = Error::ForeignOrder { seq, owner: world.homes[BUYER].entity };
            send(world, SELLER, markets::Call::Cancel { market: MARKET, slot: FIRST, seq }, wrong)
        }),
        row("sealed: other terms", Scene::Sealed, |world| {
            let wrong = Error::TermsChanged { signed: Hash([1; 32]), current: world.slot(FIRST).terms };
            commit(world, Commitment { terms: Hash([1; 32]), ..good(world) }, wrong)
        }),
        row("sealed: a commitment that expired", Scene::Sealed, |world| {
            let until = world.chain.now;
            let wrong = Error::RequestExpired { until, now: until.plus_ms(1_000) };
            commit(world, Commitment { valid_until: until, ..good(world) }, wrong)
        }),
        row("sealed: an unknown meter", Scene::Sealed, |world| {
            let meter = MeterId::from_number(77);
            commit(world, Commitment { meter, ..good(world) }, Error::UnknownMeter(meter))
        }),
        row("sealed: another's meter", Scene::Sealed, |world| {
            let (meter, owner) = (world.homes[SELLER].meter, world.homes[SELLER].entity);
            commit(world, Commitment { meter, ..good(world) }, Error::ForeignMeter { meter, owner })
        }),
        row("sealed: a deposit that is not there", Scene::Sealed, |world| {
            let owner = world.homes[BYSTANDER].owner.clone();
            let (free, _) = world.chain.money(&owner.account());
            let dest = runtime_execution::extrinsic::MultiAddress::Id(world.homes[BUYER].account());
            let value = parity_scale_codec::Compact(free.units() - 10_999_999);
            world
                .chain
                .must(&owner, runtime_execution::modules::balances::Call::TransferAllowDeath { dest, value });
            let [hold, free] = [11_000_000, 10_999_999].map(Money::from_units);
            commit(world, good(world), Error::InsufficientFunds { hold, free })
        }),
        row("sealed: more commitments than orders", Scene::Sealed, |world| {
            for wh in 1..=4 {
                let request = world.request(BYSTANDER, FIRST, Side::Sell, wh, 6_000);
                world.commit(BYSTANDER, &request);
            }
            commit(world, good(world), Error::EntityOrderLimit(4))
        }),
        row("sealed: the bank commits", Scene::Sealed, |world| {
            let call = Call::Markets(markets::Call::Commit { commit: good(world) });
            let needed = contract_interface::roles::TRADER;
            let wrong = registry::Error::WrongRole { needed, has: contract_interface::roles::BANK };
            (world.chain.signed(world.bank(), &call), wrong.into())
        }),
    ]
}

fn reveals() -> Vec<Row> {
    vec![
        row("reveal before the gate", Scene::Sealed, |world| {
            let (request, salt) = (sealed(world), world.salt(BUYER, &sealed(world)));
            reveal(world, request, salt, Error::NotRevealing { slot: FIRST, state: SlotState::Open })
        }),
        row("reveal of an open book's order", Scene::Proposed, |world| {
            let (request, salt) = (sealed(world), world.salt(BUYER, &sealed(world)));
            reveal(world, request, salt, Error::NotRevealing { slot: FIRST, state: SlotState::Proposed })
        }),
        row("reveal with another salt: the order stays sealed", Scene::Revealing, |world| {
            let (request, salt) = (sealed(world), [9; 32]);
            let (genesis, entity) = (world.chain.genesis, world.homes[BUYER].entity);
            let committed = world.commitment(BUYER, &request).commitment;
            let revealed = seal(&genesis, &request, &salt, entity);
            reveal(world, request, salt, Error::SealMismatch { committed, revealed })
        }),
        row("reveal of a better order", Scene::Revealing, |world| {
            let committed = world.commitment(BUYER, &sealed(world)).commitment;
            let request = OrderRequest { energy: Energy::from_wh(1), ..sealed(world) };
            let salt = world.salt(BUYER, &sealed(world));
            let revealed = seal(&world.chain.genesis, &request, &salt, world.homes[BUYER].entity);
            reveal(world, request, salt, Error::SealMismatch { committed, revealed })
        }),
        row("reveal of another's commitment", Scene::Revealing, |world| {
            let (request, salt) = (sealed(world), world.salt(BUYER, &sealed(world)));
            let seq = Seq::from_number(1);
            let wrong = Error::ForeignOrder { seq, owner: world.homes[BUYER].entity };
            send(world, BYSTANDER, markets::Call::Reveal { seq, request, salt }, wrong)
        }),
        row("reveal twice", Scene::Revealing, |world| {
            let request = world.request(SELLER, FIRST, Side::Sell, 4_000, 6_000);
            let (seq, salt) = (Seq::ZERO, world.salt(SELLER, &request));
            send(world, SELLER, markets::Call::Reveal { seq, request, salt }, Error::AlreadyRevealed(seq))
        }),
        row("reveal of nothing", Scene::Revealing, |world| {
            let (request, salt) = (sealed(world), world.salt(BUYER, &sealed(world)));
            let seq = Seq::from_number(7);
            send(world, BUYER, markets::Call::Reveal { seq, request, salt }, Error::UnknownOrder(seq))
        }),
        row("reveal by a voter", Scene::Revealing, |world| {
            let key = busbar_tests::keyring::key("guest");
            let scopes = registry::scopes::VOTE;
            let add = registry::Call::AddDelegate {
                key: key.account(),
                scopes,
                expires: None,
                caps: registry::Caps::default(),
            };
            let owner = world.homes[BUYER].owner.clone();
            world.chain.must(&owner, add);
            let (request, salt) = (sealed(world), world.salt(BUYER, &sealed(world)));
            let call = markets::Call::Reveal { seq: Seq::from_number(1), request, salt };
            let wrong = registry::Error::WrongScope { needed: registry::scopes::BID, has: scopes };
            (world.chain.signed(&key, &Call::Markets(call)), wrong.into())
        }),
    ]
}

fn revealed_orders() -> Vec<Row> {
    vec![
        row("revealed: above capacity with the meter's other orders", Scene::Sealed, |world| {
            let first = world.request(BUYER, FIRST, Side::Buy, 4_000, 6_700);
            let request = world.request(BUYER, FIRST, Side::Buy, 7_001, 6_700);
            let seq = world.commit(BUYER, &request);
            world.close_gate(FIRST);
            world.reveal(BUYER, Seq::from_number(1), &first);
            world.chain.block_of_successes();
            let salt = world.salt(BUYER, &request);
            let [energy, capacity] = [11_001, 11_000].map(Energy::from_wh);
            let wrong = Error::AboveCapacity { energy, capacity };
            send(world, BUYER, markets::Call::Reveal { seq, request, salt }, wrong)
        }),
        row("revealed: both sides", Scene::Sealed, |world| {
            let first = world.request(BUYER, FIRST, Side::Buy, 4_000, 6_700);
            let request = world.request(BUYER, FIRST, Side::Sell, 10, 6_700);
            let seq = world.commit(BUYER, &request);
            world.close_gate(FIRST);
            world.reveal(BUYER, Seq::from_number(1), &first);
            world.chain.block_of_successes();
            let salt = world.salt(BUYER, &request);
            send(world, BUYER, markets::Call::Reveal { seq, request, salt }, Error::BothSides)
        }),
        row("revealed: no energy", Scene::Sealed, |world| {
            let request = world.request(BUYER, FIRST, Side::Buy, 0, 6_700);
            late(world, &request, Error::ZeroEnergy)
        }),
        row("revealed: expired", Scene::Sealed, |world| {
            let until = world.chain.now;
            let request = OrderRequest { valid_until: until, ..sealed(world) };
            let attempt = late(world, &request, Error::ZeroEnergy);
            let wrong = Error::RequestExpired { until, now: world.chain.now.plus_ms(1_000) };
            (attempt.0, wrong.into())
        }),
        row("revealed: other terms", Scene::Sealed, |world| {
            let wrong = Error::TermsChanged { signed: Hash([1; 32]), current: world.slot(FIRST).terms };
            let request = OrderRequest { terms: Hash([1; 32]), ..sealed(world) };
            late(world, &request, wrong)
        }),
        row("revealed: refused by the bid rule", Scene::Sealed, |world| {
            let partner = world.homes[BUYER].entity;
            let flags = contract_interface::flags::PARTNER;
            let request = OrderRequest { flags, partner, ..sealed(world) };
            late(world, &request, Error::AdmissionRefused { rule: 4 })
        }),
        row("revealed: another meter than the deposit's", Scene::Sealed, |world| {
            let (committed, revealed) = (world.homes[BUYER].meter, world.homes[SELLER].meter);
            let request = OrderRequest { meter: revealed, valid_until: Timestamp::MAX, ..sealed(world) };
            late(world, &request, Error::SealedMeter { committed, revealed })
        }),
    ]
}

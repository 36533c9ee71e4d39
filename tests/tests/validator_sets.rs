//! Who is a validator in which epoch: the history against a model, and a refusal for every rule of changing it.
#![allow(clippy::unwrap_used, reason = "tests")]

use busbar_tests::chain::Chain;
use busbar_tests::keyring::key;
use busbar_tests::machine::on_vm_thread;
use contract_interface::roles;
use host_node::keys::Signer;
use parity_scale_codec::Encode;
use runtime_execution::modules::registry::{self, Announcement, Call, Engine, Error, Validator, validators};
use runtime_execution::modules::{contracts, payment, sudo};
use runtime_execution::{DispatchError, GenesisConfig, GenesisEntity, GenesisError, Outcome, build_genesis};
use runtime_primitives::limits::{EPOCH_BLOCKS_MIN, PAST_SETS_MAX, VALIDATORS_MAX};
use runtime_primitives::{AccountId, EntityId, Hash, Money, Timestamp};
use std::collections::BTreeMap;

const REGISTRAR: &str = "registrar";
const CANDIDATE: &str = "candidate";
const TRADER: &str = "trader";
const FOUNDERS: u32 = 3;

/// Entities by their names: the registrar, three validators, a candidate with the role, a trader.
fn id(who: &str) -> EntityId {
    let known = [REGISTRAR, "0", "1", "2", CANDIDATE, TRADER, "nobody"];
    EntityId::from_number(u32::try_from(known.iter().position(|name| *name == who).unwrap()).unwrap())
}

fn session(name: &str) -> std::sync::Arc<Signer> {
    key(&format!("{name} session"))
}

fn address(name: &str) -> String {
    format!("{}.example:30333", name.replace(' ', "-"))
}

/// A validator with engine, as genesis has it.
fn founder(name: &str) -> GenesisEntity {
    let session = session(name);
    let engine = Engine { key: session.engine_secret().public().0, address: address(name) };
    GenesisEntity {
        owner: key(name).account(),
        roles: roles::VALIDATOR,
        balance: Money::ZERO,
        voting_key: None,
        session_key: Some(session.account()),
        engine: Some(engine),
    }
}

fn config(validators: impl IntoIterator<Item = GenesisEntity>) -> GenesisConfig {
    let registrar = GenesisEntity {
        owner: key(REGISTRAR).account(),
        roles: roles::REGISTRAR,
        balance: Money::from_units(1_000_000),
        voting_key: None,
        session_key: None,
        engine: None,
    };
    GenesisConfig {
        chain: "validator sets".into(),
        timestamp: Timestamp::from_ms(1_000_000),
        sudo: key("sudo").account(),
        entities: std::iter::once(registrar).chain(validators).collect(),
        codes: Vec::new(),
        default_settlement: None,
        deposits: contracts::DepositRates::default(),
        weight: payment::WeightRates::default(),
        epoch_blocks: EPOCH_BLOCKS_MIN,
    }
}

fn founders() -> Vec<GenesisEntity> {
    (0..FOUNDERS).map(|number| founder(&number.to_string())).collect()
}

/// A chain with a candidate and a trader, at its second block.
fn chain(validators: Vec<GenesisEntity>) -> Chain {
    let mut chain = Chain::new(&config(validators));
    for (name, roles) in [(CANDIDATE, roles::VALIDATOR), (TRADER, roles::TRADER)] {
        chain.must(&key(REGISTRAR), Call::RegisterEntity { owner: key(name).account(), roles });
    }
    chain
}

/// What an entity announces with a session key and the engine's that follows from it.
fn announced(chain: &Chain, who: &str, name: &str) -> Announcement {
    session(name).announce(&chain.genesis, id(who), address(name))
}

fn join(announcement: Announcement) -> Call {
    Call::JoinValidators { announcement }
}

fn rotate(announcement: Announcement) -> Call {
    Call::RotateValidator { announcement }
}

fn leave(who: &str) -> Call {
    Call::LeaveValidators { entity: id(who) }
}

fn pass_to(chain: &mut Chain, epoch: u32) {
    while validators::next_epoch(&chain.view()) < epoch {
        chain.block();
    }
}

/// What becomes of a call in a fork of `chain`.
fn refusal(chain: &Chain, by: &str, call: Call) -> DispatchError {
    let mut fork = chain.clone();
    let hash = fork.submit(&key(by), call);
    fork.block();
    let Outcome::Failed { error, .. } = fork.outcome(&hash).clone() else {
        panic!("{:?}", fork.outcome(&hash));
    };
    let set = |chain: &Chain| validators::announced(&chain.view(), u32::MAX);
    assert_eq!(set(&fork), set(chain), "a call that fails changes no set");
    error
}

/// A row: what is wrong, who signs, which call, and the answer.
type Row = (&'static str, &'static str, fn(&Chain) -> Call, DispatchError);

fn rows() -> Vec<Row> {
    let root = "sudo";
    let no_root = || DispatchError::from(sudo::Error::RequireSudo);
    let session_proof = || Error::KeyProof { is_engine: false }.into();
    let engine_proof = || Error::KeyProof { is_engine: true }.into();
    vec![
        ("joins by itself", CANDIDATE, |chain| join(announced(chain, CANDIDATE, CANDIDATE)), no_root()),
        (
            "is admitted by the registrar",
            REGISTRAR,
            |chain| join(announced(chain, CANDIDATE, "x")),
            no_root(),
        ),
        (
            "has another role",
            root,
            |chain| join(announced(chain, TRADER, "x")),
            Error::WrongRole { needed: roles::VALIDATOR, has: roles::TRADER }.into(),
        ),
        (
            "is nobody",
            root,
            |chain| join(announced(chain, "nobody", "x")),
            Error::UnknownEntity(id("nobody")).into(),
        ),
        (
            "is in the set",
            root,
            |chain| join(announced(chain, "1", "x")),
            Error::ValidatorAlready(id("1")).into(),
        ),
        (
            "joins with another's keys",
            root,
            |chain| join(announced(chain, CANDIDATE, "1")),
            Error::ValidatorKeyTaken(id("1")).into(),
        ),
        (
            "joins with another's engine",
            root,
            |chain| {
                let mut own = announced(chain, CANDIDATE, "x");
                own.engine.key = session("2").engine_secret().public().0;
                join(own)
            },
            Error::ValidatorKeyTaken(id("2")).into(),
        ),
        (
            "has no session key",
            root,
            |chain| join(Announcement { session_key: AccountId::ZERO, ..announced(chain, CANDIDATE, "x") }),
            Error::ZeroKey.into(),
        ),
        (
            "has no engine's key",
            root,
            |chain| {
                let mut none = announced(chain, CANDIDATE, "x");
                none.engine.key = [0; 32];
                join(none)
            },
            Error::ZeroKey.into(),
        ),
        (
            "cannot be called",
            root,
            |chain| join(session("x").announce(&chain.genesis, id(CANDIDATE), "example".into())),
            Error::EngineAddress.into(),
        ),
        (
            "has another's session key beside its engine",
            root,
            |chain| {
                let (own, other) = (announced(chain, CANDIDATE, "x"), announced(chain, CANDIDATE, "y"));
                join(Announcement {
                    session_key: other.session_key,
                    session_proof: other.session_proof,
                    ..own
                })
            },
            engine_proof(),
        ),
        (
            "has a session key that did not sign",
            root,
            |chain| {
                let other = announced(chain, CANDIDATE, "y");
                join(Announcement { session_proof: other.session_proof, ..announced(chain, CANDIDATE, "x") })
            },
            session_proof(),
        ),
        (
            "has proofs for another entity",
            root,
            |chain| join(Announcement { entity: id(CANDIDATE), ..announced(chain, TRADER, "x") }),
            engine_proof(),
        ),
        (
            "has proofs for another chain",
            root,
            |_| join(session("x").announce(&Hash([7; 32]), id(CANDIDATE), address("x"))),
            engine_proof(),
        ),
        (
            "has proofs for another address",
            root,
            |chain| {
                let mut moved = announced(chain, CANDIDATE, "x");
                moved.engine.address = address("y");
                join(moved)
            },
            engine_proof(),
        ),
        ("is thrown out by another", "0", |_| leave("1"), DispatchError::BadOrigin),
        ("leaves what it is not in", CANDIDATE, |_| leave(CANDIDATE), Error::NotInSet(id(CANDIDATE)).into()),
        ("rotates another", "0", |chain| rotate(announced(chain, "1", "x")), DispatchError::BadOrigin),
        ("is rotated by root", root, |chain| rotate(announced(chain, "1", "x")), DispatchError::BadOrigin),
        (
            "rotates what it is not in",
            CANDIDATE,
            |chain| rotate(announced(chain, CANDIDATE, "x")),
            Error::NotInSet(id(CANDIDATE)).into(),
        ),
        (
            "rotates to another's keys",
            "1",
            |chain| rotate(announced(chain, "1", "2")),
            Error::ValidatorKeyTaken(id("2")).into(),
        ),
        (
            "rotates without proof",
            "1",
            |chain| {
                let other = announced(chain, "1", "y");
                rotate(Announcement { engine_proof: other.engine_proof, ..announced(chain, "1", "x") })
            },
            engine_proof(),
        ),
    ]
}

#[test]
fn every_rule_has_its_refusal() {
    on_vm_thread(|| {
        let chain = chain(founders());
        for (what, by, call, expected) in rows() {
            assert_eq!(refusal(&chain, by, call(&chain)), expected, "a validator {what}");
        }
    });
}

#[test]
fn a_delegate_changes_nothing() {
    on_vm_thread(|| {
        let mut chain = chain(founders());
        let (delegate, scopes) = (key("delegate").account(), registry::scopes::VOTE);
        let caps = registry::Caps::default();
        chain.must(&key("1"), Call::AddDelegate { key: delegate, scopes, expires: None, caps });
        let wrong = Error::WrongScope { needed: registry::scopes::OWNER, has: scopes };
        assert_eq!(refusal(&chain, "delegate", leave("1")), wrong.into());
    });
}

#[test]
fn one_change_at_a_time_until_it_takes_effect() {
    on_vm_thread(|| {
        let mut chain = chain(founders());
        let announcement = announced(&chain, "1", "new");
        chain.must(&key("1"), rotate(announcement));
        let pending = |epoch| Error::ChangePending { entity: id("1"), epoch }.into();
        for epoch in [0, 1] {
            pass_to(&mut chain, epoch);
            assert_eq!(refusal(&chain, "1", leave("1")), pending(2), "in epoch {epoch}");
            assert_eq!(refusal(&chain, "sudo", join(announced(&chain, "1", "x"))), pending(2));
            let taken = refusal(&chain, "sudo", join(announced(&chain, CANDIDATE, "1")));
            assert_eq!(taken, Error::ValidatorKeyTaken(id("1")).into(), "still its keys");
        }
        pass_to(&mut chain, 2);
        chain.must(&key("1"), leave("1"));
    });
}

#[test]
fn somebody_is_left_and_orders() {
    on_vm_thread(|| {
        let certifier = GenesisEntity { engine: None, ..founder("2") };
        let mut chain = chain(vec![founder("0"), founder("1"), certifier]);
        chain.must(&key("0"), leave("0"));
        let last = Error::LastValidator(id("1"));
        assert_eq!(refusal(&chain, "1", leave("1")), last.clone().into(), "one that only certifies is left");
        assert_eq!(refusal(&chain, "sudo", leave("1")), last.into());
        chain.must(&key("sudo"), leave("2"));
    });
}

#[test]
fn a_set_has_room_for_so_many() {
    on_vm_thread(|| {
        let many = |count: u32| (0..count).map(|number| founder(&format!("one of many {number}")));
        let refused = build_genesis(&config(many(VALIDATORS_MAX + 1))).map(drop).unwrap_err();
        assert_eq!(refused, GenesisError::TooManyValidators(VALIDATORS_MAX as usize + 1));
        let mut chain = Chain::new(&config(many(VALIDATORS_MAX)));
        let (owner, roles) = (key(CANDIDATE).account(), roles::VALIDATOR);
        chain.must(&key(REGISTRAR), Call::RegisterEntity { owner, roles });
        let candidate = EntityId::from_number(VALIDATORS_MAX + 1);
        let join = || join(session("x").announce(&chain.genesis, candidate, address("x")));
        let full = Error::SetFull { epoch: 2, most: VALIDATORS_MAX };
        assert_eq!(refusal(&chain, "sudo", join()), full.into());
        let (call, first) = (join(), EntityId::from_number(1));
        chain.must(&key("one of many 0"), Call::LeaveValidators { entity: first });
        chain.must(&key("sudo"), call);
    });
}

/// As a set is written in the model: entity and session key.
fn short(set: &[Validator]) -> BTreeMap<EntityId, AccountId> {
    let member = |validator: &Validator| {
        assert!(validator.engine.is_some());
        (validator.entity, validator.session_key)
    };
    set.iter().map(member).collect()
}

/// Sets that the state keeps: their keys end with an epoch, counted down, and a zero.
fn sets_kept(chain: &Chain) -> usize {
    let is_set =
        |key: &&Vec<u8>| key.len() == 48 && key[32..38] == [0, 0, 0, 0, 255, 255] && key[40..] == [0; 8];
    chain.rows().keys().filter(is_set).count()
}

/// The chain's answers against a model: decided two epochs ahead, never changed, told as long as it is kept.
fn check(chain: &Chain, model: &BTreeMap<u32, BTreeMap<EntityId, AccountId>>) {
    let view = chain.view();
    let now = validators::next_epoch(&view);
    for epoch in now.saturating_sub(PAST_SETS_MAX)..now + 2 {
        let (_, expected) = model.range(..=epoch).next_back().unwrap();
        let set = validators::of_epoch(&view, epoch).map(|set| short(&set));
        assert_eq!(set.as_ref(), Some(expected), "epoch {epoch} in epoch {now}");
    }
    assert_eq!(validators::of_epoch(&view, now + 2), None, "undecided in epoch {now}");
}

#[test]
fn the_set_of_an_epoch_is_what_was_announced_two_before() {
    on_vm_thread(|| {
        let mut chain = chain(founders());
        let mut model = BTreeMap::from([(0, short(&validators::current(&chain.view())))]);
        check(&chain, &model);
        let mut kept = Vec::new();
        for round in 0..PAST_SETS_MAX + 20 {
            // The founders take turns with new keys; the candidate comes and goes.
            let who = (round % FOUNDERS).to_string();
            let name = format!("{who} of round {round}");
            let rotating = rotate(announced(&chain, &who, &name));
            chain.must(&key(&who), rotating);
            let effective = validators::epoch(&chain.view()) + 2;
            let mut set = model.values().next_back().unwrap().clone();
            set.insert(id(&who), session(&name).account());
            if round % 6 == 1 {
                let joining = join(announced(&chain, CANDIDATE, &format!("candidate of round {round}")));
                set.insert(id(CANDIDATE), session(&format!("candidate of round {round}")).account());
                chain.must(&key("sudo"), joining);
            } else if round % 6 == 4 {
                set.remove(&id(CANDIDATE));
                chain.must(&key(CANDIDATE), leave(CANDIDATE));
            }
            model.insert(effective, set);
            check(&chain, &model);
            kept.push(sets_kept(&chain));
            let next = validators::next_epoch(&chain.view()) + 1;
            pass_to(&mut chain, next);
            check(&chain, &model);
        }
        let most = PAST_SETS_MAX as usize + 3;
        assert_eq!(
            (kept[0], kept.iter().max()),
            (2, Some(&most)),
            "as many as are told, whatever was before"
        );
    });
}

#[test]
fn of_sets_that_are_forgotten_nobody_else_is_told() {
    on_vm_thread(|| {
        let mut chain = chain(founders());
        let mut model = BTreeMap::from([(0, short(&validators::current(&chain.view())))]);
        // Rare changes, the last one when those before it are long past: two of them go, and not the oldest.
        for at in [0, 10, 20, 30 + PAST_SETS_MAX] {
            pass_to(&mut chain, at);
            let quiet = (0..at).map(|epoch| validators::of_epoch(&chain.view(), epoch).is_some());
            assert_eq!(quiet.filter(|is_told| *is_told).count(), if at > 20 { 72 } else { at as usize });
            let name = format!("1 in epoch {at}");
            let rotating = rotate(announced(&chain, "1", &name));
            chain.must(&key("1"), rotating);
            let mut set = model.values().next_back().unwrap().clone();
            set.insert(id("1"), session(&name).account());
            model.insert(at + 2, set);
            check(&chain, &model);
        }
        assert_eq!(sets_kept(&chain), 3);
        for epoch in 0..30 + PAST_SETS_MAX {
            let told = validators::of_epoch(&chain.view(), epoch).map(|set| short(&set));
            let (_, then) = model.range(..=epoch).next_back().unwrap();
            assert_eq!(told.as_ref(), (epoch >= 22).then_some(then), "epoch {epoch}");
        }
    });
}

#[test]
fn the_administration_may_go_through_sudo_as_well() {
    on_vm_thread(|| {
        let mut chain = chain(founders());
        let call = Box::new(runtime_execution::Call::Registry(leave("2")));
        chain.must(&key("sudo"), sudo::Call::Sudo { call });
        let set = validators::announced(&chain.view(), 2).unwrap();
        assert_eq!(short(&set).into_keys().collect::<Vec<_>>(), [id("0"), id("1")]);
    });
}

#[test]
fn an_announcement_is_frozen() {
    let announcement =
        session("golden").announce(&Hash([1; 32]), EntityId::from_number(7), address("golden"));
    let hash = runtime_primitives::blake2_256(&announcement.encode());
    assert_eq!(hash.to_string(), "0xf498f95203c4463041f6d3d36febb1f6050a94020f81ff608414c78b59552ec6");
}

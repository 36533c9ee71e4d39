//! Who may do what: roles, scopes, keys, administration, plain transfers.

use super::scenes::{BUYER, BYSTANDER, SELLER, Scene};
use super::{Attempt, Row, Wrong, row};
use busbar_tests::keyring;
use busbar_tests::world::{FIRST, Home, MARKET, World, entities, register_meter};
use contract_interface::{Side, roles};
use parity_scale_codec::Compact;
use runtime_execution::Call;
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::registry::{self, Caps, Error, scopes};
use runtime_execution::modules::{balances, contracts, markets, sudo, system, timestamp};
use runtime_primitives::{AccountId, Energy, EntityId, Hash, MarketId, MeterId, Money, Seq};

/// Signed by the owner of a household.
fn by_home(
    world: &World,
    home: usize,
    call: impl Into<busbar_tests::chain::AnyCall>,
    wrong: impl Into<Wrong>,
) -> Attempt {
    (world.chain.signed(&world.homes[home].owner, &call.into().0), wrong.into())
}

/// A withdrawal to an entity of genesis.
const fn withdraw(bank: u32, amount: Money) -> markets::Call {
    markets::Call::Withdraw { bank: EntityId::from_number(bank), amount }
}

/// An institution's connection takes 250 Wh, and its money is elsewhere when they are billed; it comes back then. What it
/// is told from then on.
fn indebt(world: &mut World, institution: u32) -> markets::Error {
    let owner = world.owners[institution as usize].clone();
    let registrar = world.owners[entities::REGISTRAR as usize].clone();
    let own = Home {
        entity: EntityId::from_number(institution),
        owner: owner.clone(),
        meter: MeterId::from_number(3),
        meter_key: world.keys.add("the meter of an institution"),
        ..world.homes[BYSTANDER].clone()
    };
    world.chain.must(&registrar, register_meter(&own));
    world.homes.push(own);
    let friend = world.homes[SELLER].owner.clone();
    let transfer = |to: AccountId, units| {
        let (dest, value) = (MultiAddress::Id(to), Compact(units));
        balances::Call::TransferAllowDeath { dest, value }
    };
    let (free, _) = world.chain.money(&owner.account());
    world.chain.must(&owner, transfer(friend.account(), free.units()));
    world.open(FIRST);
    world.finish(FIRST, &[(0, 0), (0, 0), (0, 0), (250, 0)]);
    world.chain.must(&friend, transfer(owner.account(), free.units()));
    markets::Error::OpenReceivables { owed: Money::from_units(250 * 9_000) }
}

const GAS: system::Weight = system::Weight { ref_time: 1_000_000, proof_size: 0 };

fn contract_call(world: &World, value: u128, storage_deposit_limit: Option<u128>) -> contracts::Call {
    contracts::Call::Call {
        dest: MultiAddress::Id(world.homes[SELLER].account()),
        value: Compact(value),
        gas_limit: GAS,
        storage_deposit_limit: storage_deposit_limit.map(Compact),
        data: Vec::new(),
    }
}

fn contracts_by_platform(world: &World, call: contracts::Call, wrong: impl Into<Wrong>) -> Attempt {
    (world.chain.signed(world.platform(), &Call::Contracts(call)), wrong.into())
}

/// Refused to everybody but the platform.
fn not_the_operator() -> markets::Error {
    markets::Error::NotOperator { market: MARKET, operator: EntityId::from_number(entities::PLATFORM) }
}

/// Refused to the delegate of a household.
fn not_the_owner() -> Wrong {
    Error::WrongScope { needed: scopes::OWNER, has: scopes::BID | scopes::CONFIRM | scopes::VOTE }.into()
}

/// Signed by the owner of an institution.
fn by(
    world: &World,
    entity: u32,
    call: impl Into<busbar_tests::chain::AnyCall>,
    wrong: impl Into<Wrong>,
) -> Attempt {
    (world.chain.signed(&world.owners[entity as usize], &call.into().0), wrong.into())
}

const fn role(needed: u16) -> Error {
    Error::WrongRole { needed, has: roles::TRADER }
}

pub fn rows() -> Vec<Row> {
    let mut rows = wrong_roles();
    rows.extend(wrong_scopes());
    rows.extend(caps());
    rows.extend(keys());
    rows.extend(money());
    rows
}

fn wrong_roles() -> Vec<Row> {
    vec![
        row("wrong role: a household funds", Scene::Open, |world| {
            let call =
                markets::Call::Fund { entity: world.homes[SELLER].entity, amount: Money::from_units(1) };
            by_home(world, SELLER, call, role(roles::BANK))
        }),
        row("wrong role: a household admits", Scene::Open, |world| {
            let call = registry::Call::RegisterEntity { owner: AccountId([3; 32]), roles: roles::TRADER };
            by_home(world, SELLER, call, role(roles::REGISTRAR))
        }),
        row("wrong role: a household registers a meter", Scene::Open, |world| {
            by_home(world, SELLER, register_meter(&world.homes[SELLER]), role(roles::REGISTRAR))
        }),
        row("wrong role: a household suspends", Scene::Open, |world| {
            let call = registry::Call::SetSuspended { entity: world.homes[BUYER].entity, suspended: true };
            by_home(world, SELLER, call, role(roles::REGISTRAR))
        }),
        row("wrong role: a household uploads code", Scene::Open, |world| {
            let call = contracts::Call::UploadCode {
                code: b"\0asm\x01\0\0\0".to_vec(),
                storage_deposit_limit: None,
                determinism: contracts::Determinism::Enforced,
            };
            by_home(world, SELLER, call, role(roles::AUTHOR | roles::MARKET_OPERATOR))
        }),
        row("wrong role: the bank creates a market", Scene::NoMarket, |world| {
            let call = world.new_market(&busbar_tests::world::Plan::default());
            let wrong = Error::WrongRole { needed: roles::MARKET_OPERATOR, has: roles::BANK };
            by(world, entities::BANK, call, wrong)
        }),
        row("wrong role: the auditor curtails", Scene::Delivering, |world| {
            let items = vec![(world.homes[SELLER].meter, Energy::ZERO)];
            let call = markets::Call::Curtail { market: MARKET, slot: FIRST, items, reason: 1 };
            let wrong = Error::WrongRole { needed: roles::GRID_OPERATOR, has: roles::AUDITOR };
            by(world, entities::AUDITOR, call, wrong)
        }),
        row("wrong role: the platform trades", Scene::Open, |world| {
            let call = markets::Call::Place { request: world.request(SELLER, FIRST, Side::Sell, 100, 6_000) };
            let has = roles::MARKET_OPERATOR | roles::AUTHOR;
            by(world, entities::PLATFORM, call, Error::WrongRole { needed: roles::TRADER, has })
        }),
        row("another's deposit", Scene::Open, |world| {
            let call = markets::Call::TopUp { market: MARKET, amount: Money::from_units(1) };
            by_home(world, SELLER, call, not_the_operator())
        }),
        row("another's deposit taken back", Scene::Open, |world| {
            let call = markets::Call::TakeBackDeposit { market: MARKET };
            by_home(world, SELLER, call, not_the_operator())
        }),
        row("the deposit of a market that runs", Scene::Before, |world| {
            let call = markets::Call::TakeBackDeposit { market: MARKET };
            by(world, entities::PLATFORM, call, markets::Error::DepositInUse(MARKET))
        }),
        row("a deposit that was taken back", Scene::Open, |world| {
            let plan = busbar_tests::world::Plan::default();
            let (platform, create) = (world.platform().clone(), world.new_market(&plan));
            world.chain.must(&platform, create);
            let market = MarketId::from_number(1);
            let call = markets::Call::TakeBackDeposit { market };
            world.chain.must(&platform, call.clone());
            by(world, entities::PLATFORM, call, markets::Error::NoDeposit(market))
        }),
        row("another's market", Scene::Open, |world| {
            let terms = Box::new(world.terms.clone());
            let call = markets::Call::ScheduleTerms { market: MARKET, slot: FIRST, terms };
            by_home(world, SELLER, call, not_the_operator())
        }),
        row("administration by another key", Scene::Open, |world| {
            let call = sudo::Call::Sudo { call: Box::new(Call::Registry(register_meter(&world.homes[0]))) };
            by_home(world, SELLER, call, sudo::Error::RequireSudo)
        }),
        row("administration of money", Scene::Open, |world| {
            let dest = MultiAddress::Id(world.homes[SELLER].account());
            let inner = balances::Call::TransferAllowDeath { dest, value: Compact(1) };
            let call = Call::Sudo(sudo::Call::Sudo { call: Box::new(Call::Balances(inner)) });
            (world.chain.signed(&world.sudo, &call), sudo::Error::NotAdministration.into())
        }),
        row("the administrator trades", Scene::Open, |world| {
            let request = world.request(SELLER, FIRST, Side::Sell, 100, 6_000);
            let call = Call::Markets(markets::Call::Place { request });
            let wrong = Error::WrongScope { needed: scopes::BID, has: 0 };
            (world.chain.signed(&world.sudo, &call), wrong.into())
        }),
        row("time set by hand", Scene::Open, |world| {
            by_home(world, SELLER, timestamp::Call::Set { now: 1 }, timestamp::Error::Inherent)
        }),
    ]
}

/// A delegate of the seller with these scopes, and a call it may not make.
fn by_guest(
    world: &mut World,
    scopes: u8,
    call: impl Into<busbar_tests::chain::AnyCall>,
    needed: u8,
) -> Attempt {
    let key = keyring::key("guest");
    let owner = world.homes[SELLER].owner.clone();
    world.chain.must(
        &owner,
        registry::Call::AddDelegate { key: key.account(), scopes, expires: None, caps: Caps::default() },
    );
    (world.chain.signed(&key, &call.into().0), Error::WrongScope { needed, has: scopes }.into())
}

fn wrong_scopes() -> Vec<Row> {
    vec![
        row("wrong scope: a voter bids", Scene::Open, |world| {
            let request = world.request(SELLER, FIRST, Side::Sell, 100, 6_000);
            by_guest(world, scopes::VOTE, markets::Call::Place { request }, scopes::BID)
        }),
        row("wrong scope: a voter cancels", Scene::Open, |world| {
            let call = markets::Call::Cancel { market: MARKET, slot: FIRST, seq: Default::default() };
            by_guest(world, scopes::VOTE, call, scopes::BID)
        }),
        row("wrong scope: a bidder confirms", Scene::Proposed, |world| {
            let items = vec![world.confirm_item(SELLER, FIRST, 0)];
            let call = markets::Call::Confirm { market: MARKET, slot: FIRST, items };
            by_guest(world, scopes::BID | scopes::VOTE, call, scopes::CONFIRM)
        }),
        row("wrong scope: a bidder refuses", Scene::Proposed, |world| {
            let call = markets::Call::Refuse { market: MARKET, slot: FIRST, trade: 0 };
            by_guest(world, scopes::BID, call, scopes::CONFIRM)
        }),
        row("wrong scope: a bidder posts a list", Scene::Voting, |world| {
            let list = world.latest_list(FIRST);
            by_guest(
                world,
                scopes::BID,
                markets::Call::PostList { market: MARKET, slot: FIRST, list },
                scopes::VOTE,
            )
        }),
        row("wrong scope: a delegate names a voting key", Scene::Open, |world| {
            by_guest(world, scopes::VOTE, registry::Call::SetVotingKey { key: None }, scopes::OWNER)
        }),
        row("wrong scope: a delegate adds a delegate", Scene::Open, |world| {
            let call = registry::Call::AddDelegate {
                key: AccountId([3; 32]),
                scopes: scopes::BID,
                expires: None,
                caps: Caps::default(),
            };
            by_guest(world, scopes::BID, call, scopes::OWNER)
        }),
        row("wrong scope: a delegate of the bank funds", Scene::Open, |world| {
            let key = keyring::key("teller");
            let bank = world.bank().clone();
            let call = registry::Call::AddDelegate {
                key: key.account(),
                scopes: scopes::BID,
                expires: None,
                caps: Caps::default(),
            };
            world.chain.must(&bank, call);
            let entity = world.homes[SELLER].entity;
            let call = Call::Markets(markets::Call::Fund { entity, amount: Money::from_units(1) });
            let wrong = Error::WrongScope { needed: scopes::OWNER, has: scopes::BID };
            (world.chain.signed(&key, &call), wrong.into())
        }),
        row("wrong scope: a delegate withdraws", Scene::Open, |world| {
            let call = Call::Markets(withdraw(entities::BANK, Money::from_units(1)));
            (world.chain.signed(&world.homes[SELLER].delegate, &call), not_the_owner())
        }),
        row("wrong scope: a delegate pays receivables", Scene::Open, |world| {
            let call = Call::Markets(markets::Call::PayReceivables);
            (world.chain.signed(&world.homes[SELLER].delegate, &call), not_the_owner())
        }),
        row("a delegate spends its own empty account", Scene::Open, |world| {
            let dest = MultiAddress::Id(world.homes[BUYER].account());
            let call = Call::Balances(balances::Call::TransferAllowDeath { dest, value: Compact(1) });
            let (free, needed) = (Money::ZERO, Money::from_units(1));
            let wrong = balances::Error::InsufficientBalance { free, needed };
            (world.chain.signed(&world.homes[SELLER].delegate, &call), wrong.into())
        }),
    ]
}

/// The seller has 4 kWh in the slot, for which 4,000,000 units are held. Its guest may order 1 kWh at a time and have
/// 4,500,000 held: one order of 500 Wh is inside both.
fn by_capped_guest(
    world: &mut World,
    call: impl FnOnce(&World) -> markets::Call,
    wrong: markets::Error,
) -> Attempt {
    let (key, owner) = (keyring::key("guest"), world.homes[SELLER].owner.clone());
    let caps = Caps { held: Some(Money::from_units(4_500_000)), energy: Some(Energy::from_wh(1_000)) };
    let add = registry::Call::AddDelegate { key: key.account(), scopes: scopes::BID, expires: None, caps };
    world.chain.must(&owner, add);
    let call = call(world);
    (world.chain.signed(&key, &Call::Markets(call)), wrong.into())
}

fn caps() -> Vec<Row> {
    fn place(wh: u64) -> impl FnOnce(&World) -> markets::Call {
        move |world| markets::Call::Place { request: world.request(SELLER, FIRST, Side::Sell, wh, 6_000) }
    }
    vec![
        row("above the key's energy cap", Scene::Open, |world| {
            let [energy, cap] = [1_001, 1_000].map(Energy::from_wh);
            by_capped_guest(world, place(1_001), markets::Error::AboveEnergyCap { energy, cap })
        }),
        row("above the key's money cap with what others placed", Scene::Open, |world| {
            let [held, cap] = [4_501_000, 4_500_000].map(Money::from_units);
            by_capped_guest(world, place(501), markets::Error::AboveHeldCap { held, cap })
        }),
        row("above the key's money cap with what it placed", Scene::Open, |world| {
            let [held, cap] = [4_501_000, 4_500_000].map(Money::from_units);
            by_capped_guest(world, place(500), markets::Error::AboveHeldCap { held, cap });
            let guest = keyring::key("guest");
            let call = place(500)(world);
            world.chain.must(&guest, call);
            let call = Call::Markets(place(1)(world));
            (world.chain.signed(&guest, &call), markets::Error::AboveHeldCap { held, cap }.into())
        }),
        row("amended above the key's energy cap", Scene::Open, |world| {
            let [energy, cap] = [1_001, 1_000].map(Energy::from_wh);
            let amend = |world: &World| {
                let request = world.request(SELLER, FIRST, Side::Sell, 1_001, 6_000);
                markets::Call::Amend { seq: Default::default(), request }
            };
            by_capped_guest(world, amend, markets::Error::AboveEnergyCap { energy, cap })
        }),
        row("a deposit above the key's money cap", Scene::Sealed, |world| {
            let [held, cap] = [22_000_000, 4_500_000].map(Money::from_units);
            let commit = |world: &World| {
                let request = world.request(SELLER, FIRST, Side::Sell, 10, 6_000);
                markets::Call::Commit { commit: world.commitment(SELLER, &request) }
            };
            by_capped_guest(world, commit, markets::Error::AboveHeldCap { held, cap })
        }),
        row("revealed above the key's energy cap", Scene::Revealing, |world| {
            // The buyer's guest, for the buyer has not revealed.
            let (key, owner) = (keyring::key("guest"), world.homes[BUYER].owner.clone());
            let [energy, cap] = [4_000, 3_999].map(Energy::from_wh);
            let caps = Caps { held: None, energy: Some(cap) };
            let (scopes, expires) = (scopes::BID, None);
            world
                .chain
                .must(&owner, registry::Call::AddDelegate { key: key.account(), scopes, expires, caps });
            let request = world.request(BUYER, FIRST, Side::Buy, 4_000, 6_700);
            let salt = world.salt(BUYER, &request);
            let call = markets::Call::Reveal { seq: Seq::from_number(1), request, salt };
            let wrong = markets::Error::AboveEnergyCap { energy, cap };
            (world.chain.signed(&key, &Call::Markets(call)), wrong.into())
        }),
    ]
}

fn keys() -> Vec<Row> {
    vec![
        row("all-zero delegate", Scene::Open, |world| {
            let call = registry::Call::AddDelegate {
                key: AccountId::ZERO,
                scopes: scopes::BID,
                expires: None,
                caps: Caps::default(),
            };
            by_home(world, SELLER, call, Error::ZeroKey)
        }),
        row("all-zero owner", Scene::Open, |world| {
            let call = registry::Call::RegisterEntity { owner: AccountId::ZERO, roles: roles::TRADER };
            by(world, entities::REGISTRAR, call, Error::ZeroKey)
        }),
        row("key of another entity", Scene::Open, |world| {
            let key = world.homes[BUYER].delegate.account();
            let call = registry::Call::AddDelegate {
                key,
                scopes: scopes::BID,
                expires: None,
                caps: Caps::default(),
            };
            by_home(world, SELLER, call, Error::KeyInUse { key, entity: world.homes[BUYER].entity })
        }),
        row("scopes of an owner", Scene::Open, |world| {
            let call = registry::Call::AddDelegate {
                key: AccountId([3; 32]),
                scopes: scopes::OWNER,
                expires: None,
                caps: Caps::default(),
            };
            by_home(world, SELLER, call, Error::UnknownScopes(scopes::OWNER))
        }),
        row("voting key of another entity", Scene::Open, |world| {
            let key = world.homes[BUYER].delegate.account();
            by_home(world, SELLER, registry::Call::SetVotingKey { key: Some(key) }, Error::UnknownKey(key))
        }),
        row("own proxy", Scene::Open, |world| {
            let entity = world.homes[SELLER].entity;
            let call = registry::Call::SetProxy { proxy: Some(entity) };
            by_home(world, SELLER, call, Error::OwnProxy(entity))
        }),
        row("proxy that cannot vote", Scene::Open, |world| {
            let bank = EntityId::from_number(entities::BANK);
            let call = registry::Call::SetProxy { proxy: Some(bank) };
            by_home(world, SELLER, call, Error::ProxyWithoutKey(bank))
        }),
        row("unknown proxy", Scene::Open, |world| {
            let nobody = EntityId::from_number(99);
            let call = registry::Call::SetProxy { proxy: Some(nobody) };
            by_home(world, SELLER, call, Error::UnknownEntity(nobody))
        }),
        row("wrong scope: a voter names a proxy", Scene::Open, |world| {
            let call = registry::Call::SetProxy { proxy: Some(world.homes[BUYER].entity) };
            by_guest(world, scopes::VOTE, call, scopes::OWNER)
        }),
        row("removal of the owner key", Scene::Open, |world| {
            let key = world.homes[SELLER].account();
            by_home(world, SELLER, registry::Call::RemoveDelegate { key }, Error::UnknownKey(key))
        }),
        row("suspended trader", Scene::Open, |world| {
            let entity = world.homes[SELLER].entity;
            let registrar = world.owners[entities::REGISTRAR as usize].clone();
            world.chain.must(&registrar, registry::Call::SetSuspended { entity, suspended: true });
            let call = markets::Call::Place { request: world.request(SELLER, FIRST, Side::Sell, 100, 6_000) };
            by_home(world, SELLER, call, Error::Suspended(entity))
        }),
        row("unknown entity", Scene::Open, |world| {
            let entity = EntityId::from_number(99);
            let call = markets::Call::Fund { entity, amount: Money::from_units(1) };
            by(world, entities::BANK, call, Error::UnknownEntity(entity))
        }),
        row("meter without capacity", Scene::Open, |world| {
            let registry::Call::RegisterMeter {
                entity,
                key,
                market,
                connection,
                feeder,
                import_wh,
                export_wh,
                ..
            } = register_meter(&world.homes[SELLER])
            else {
                unreachable!()
            };
            let call = registry::Call::RegisterMeter {
                entity,
                key,
                market,
                p_max_w: 0,
                connection,
                feeder,
                import_wh,
                export_wh,
            };
            by(world, entities::REGISTRAR, call, Error::ZeroCapacity)
        }),
        row("meter with another's key", Scene::Open, |world| {
            let home = Home { entity: world.homes[BUYER].entity, ..world.homes[SELLER].clone() };
            let taken = Error::MeterKeyTaken(home.meter);
            by(world, entities::REGISTRAR, register_meter(&home), taken)
        }),
        row("meter of an unknown market", Scene::Open, |world| {
            let registry::Call::RegisterMeter {
                entity,
                key,
                p_max_w,
                connection,
                feeder,
                import_wh,
                export_wh,
                ..
            } = register_meter(&world.homes[SELLER])
            else {
                unreachable!()
            };
            let market = MarketId::from_number(7);
            let call = registry::Call::RegisterMeter {
                entity,
                key,
                market,
                p_max_w,
                connection,
                feeder,
                import_wh,
                export_wh,
            };
            by(world, entities::REGISTRAR, call, Error::UnknownMarket(market))
        }),
    ]
}

fn money() -> Vec<Row> {
    fn transfer(world: &World, value: u128, keep: bool) -> balances::Call {
        let (dest, value) = (MultiAddress::Id(world.homes[BUYER].account()), Compact(value));
        if keep {
            balances::Call::TransferKeepAlive { dest, value }
        } else {
            balances::Call::TransferAllowDeath { dest, value }
        }
    }
    vec![
        row("transfer of what is held", Scene::Open, |world| {
            let (free, held) = world.chain.money(&world.homes[SELLER].account());
            assert!(!held.is_zero());
            let needed = free.checked_add(Money::from_units(1)).unwrap();
            let call = transfer(world, needed.units(), false);
            by_home(world, SELLER, call, balances::Error::InsufficientBalance { free, needed })
        }),
        row("transfer of nothing", Scene::Open, |world| {
            by_home(world, SELLER, transfer(world, 0, false), balances::Error::ExistentialDeposit)
        }),
        row("transfer that empties", Scene::Open, |world| {
            let (free, _) = world.chain.money(&world.homes[SELLER].account());
            by_home(world, SELLER, transfer(world, free.units(), true), balances::Error::Expendability)
        }),
        row("funding of nothing", Scene::Open, |world| {
            let call = markets::Call::Fund { entity: world.homes[SELLER].entity, amount: Money::ZERO };
            by(world, entities::BANK, call, balances::Error::ExistentialDeposit)
        }),
        row("funding beyond the bank's money", Scene::Open, |world| {
            let (free, _) = world.chain.money(&world.account(entities::BANK));
            let needed = free.checked_add(Money::from_units(1)).unwrap();
            let call = markets::Call::Fund { entity: world.homes[SELLER].entity, amount: needed };
            by(world, entities::BANK, call, balances::Error::InsufficientBalance { free, needed })
        }),
        row("a withdrawal of nothing", Scene::Open, |world| {
            let call = withdraw(entities::BANK, Money::ZERO);
            by_home(world, BYSTANDER, call, balances::Error::ExistentialDeposit)
        }),
        row("a withdrawal of what is held", Scene::Open, |world| {
            let (free, held) = world.chain.money(&world.homes[BUYER].account());
            let needed = free.checked_add(held).unwrap();
            let wrong = balances::Error::InsufficientBalance { free, needed };
            by_home(world, BUYER, withdraw(entities::BANK, needed), wrong)
        }),
        row("a withdrawal to who is no bank", Scene::Open, |world| {
            let entity = EntityId::from_number(entities::RETAILER);
            let wrong = markets::Error::PartyRole { entity, needed: roles::BANK };
            by_home(world, BYSTANDER, withdraw(entities::RETAILER, Money::from_units(1)), wrong)
        }),
        row("a withdrawal to nobody", Scene::Open, |world| {
            let wrong = Error::UnknownEntity(EntityId::from_number(99));
            by_home(world, BYSTANDER, withdraw(99, Money::from_units(1)), wrong)
        }),
        row("a withdrawal by who owes", Scene::Payable, |world| {
            // The bystander took 250 Wh that nothing is held for.
            let owner = world.homes[BYSTANDER].owner.clone();
            let (free, _) = world.chain.money(&owner.account());
            let (bank, now) = (EntityId::from_number(entities::BANK), world.after_end(FIRST, 10_000));
            world.chain.must(&owner, markets::Call::Withdraw { bank, amount: free });
            world.chain.pass_to(now);
            let owed = Money::from_units(250 * 9_000);
            let wrong = markets::Error::OpenReceivables { owed };
            by_home(world, BYSTANDER, withdraw(entities::BANK, Money::from_units(1)), wrong)
        }),
        row("a funding by a bank that owes", Scene::Before, |world| {
            let owed = indebt(world, entities::BANK);
            let (bank, entity) = (world.bank().clone(), world.homes[SELLER].entity);
            let call = markets::Call::Fund { entity, amount: Money::from_units(1) };
            let attempt = by(world, entities::BANK, call.clone(), owed);
            let mut paid = world.clone();
            paid.chain.must(&bank, markets::Call::PayReceivables);
            paid.chain.must(&bank, call);
            attempt
        }),
        row("a plain transfer by who owes", Scene::Payable, |world| {
            let (owner, friend) = (world.homes[BYSTANDER].owner.clone(), world.homes[SELLER].account());
            let (free, _) = world.chain.money(&owner.account());
            let transfer = |to, units| {
                let (dest, value) = (MultiAddress::Id(to), Compact(units));
                balances::Call::TransferAllowDeath { dest, value }
            };
            let (bank, now) = (world.bank().clone(), world.after_end(FIRST, 10_000));
            world.chain.must(&owner, transfer(bank.account(), free.units()));
            world.chain.pass_to(now);
            let owed = Money::from_units(250 * 9_000);
            world.chain.must(&bank, transfer(owner.account(), owed.units()));
            let wrong = markets::Error::OpenReceivables { owed };
            (world.chain.signed(&owner, &Call::Balances(transfer(friend, 1))), wrong.into())
        }),
        row("a deposit for market steps by a platform that owes", Scene::Before, |world| {
            let owed = indebt(world, entities::PLATFORM);
            let call = markets::Call::TopUp { market: MARKET, amount: Money::from_units(1) };
            by(world, entities::PLATFORM, call, owed)
        }),
        row("money for a contract by who owes", Scene::Before, |world| {
            let owed = indebt(world, entities::PLATFORM);
            let call = contract_call(world, 1, Some(0));
            contracts_by_platform(world, call, owed)
        }),
        row("deposits of a contract's call by who owes", Scene::Before, |world| {
            let owed = indebt(world, entities::PLATFORM);
            let call = contract_call(world, 0, None);
            contracts_by_platform(world, call, owed)
        }),
        row("a call that takes nothing from who owes, to no contract", Scene::Before, |world| {
            indebt(world, entities::PLATFORM);
            let missing = contracts::Error::ContractNotFound(world.homes[SELLER].account());
            let call = contract_call(world, 0, Some(0));
            contracts_by_platform(world, call, Wrong::Failed(missing.into()))
        }),
        row("code by who owes", Scene::Before, |world| {
            let owed = indebt(world, entities::PLATFORM);
            let (code, determinism) = (vec![0], contracts::Determinism::Enforced);
            let call = contracts::Call::UploadCode { code, storage_deposit_limit: None, determinism };
            contracts_by_platform(world, call, owed)
        }),
        row("a contract by who owes", Scene::Before, |world| {
            let owed = indebt(world, entities::PLATFORM);
            let call = contracts::Call::Instantiate {
                value: Compact(0),
                gas_limit: GAS,
                storage_deposit_limit: None,
                code_hash: Hash::ZERO,
                data: Vec::new(),
                salt: Vec::new(),
            };
            contracts_by_platform(world, call, owed)
        }),
        row("a contract from new code by who owes", Scene::Before, |world| {
            let owed = indebt(world, entities::PLATFORM);
            let call = contracts::Call::InstantiateWithCode {
                value: Compact(0),
                gas_limit: GAS,
                storage_deposit_limit: None,
                code: vec![0],
                data: Vec::new(),
                salt: Vec::new(),
            };
            contracts_by_platform(world, call, owed)
        }),
        row("deposit beyond the platform's money", Scene::Open, |world| {
            let (free, _) = world.chain.money(&world.account(entities::PLATFORM));
            let needed = free.checked_add(Money::from_units(1)).unwrap();
            let call = markets::Call::TopUp { market: MARKET, amount: needed };
            by(world, entities::PLATFORM, call, balances::Error::InsufficientBalance { free, needed })
        }),
        row("remark by a key that lost its binding", Scene::Open, |world| {
            let (owner, key) = (world.homes[SELLER].owner.clone(), world.homes[SELLER].delegate.clone());
            world.chain.must(&owner, registry::Call::RemoveDelegate { key: key.account() });
            let call = Call::System(system::Call::Remark { remark: Vec::new() });
            let wrong = runtime_execution::Invalid::Unregistered { signer: key.account() };
            (world.chain.signed(&key, &call), wrong.into())
        }),
    ]
}

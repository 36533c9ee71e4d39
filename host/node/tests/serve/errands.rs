//! Commands for what comes up between trades: money and deposits that go back, a sealed order that is revealed, a vote
//! that another casts, and a silent meter's registers. After each, the chain has what the answer says.

use crate::node_process::{busbar, json};
use crate::processes::secret;
use crate::theatre::{A, B, SLOT, Theatre, command, done, on_a_vm_thread, refused, said};
use contract_interface::Stage;
use host_node::agent::Desk;
use host_node::scenario::{MARKET, Script, first_household, paper};
use runtime_execution::modules::markets::deposits::Backing;
use runtime_execution::modules::markets::meters::{all_posted, load_registers};
use runtime_execution::modules::markets::money::pool_account;
use runtime_execution::modules::markets::{MARKETS, METERS_OF, SEALED, SealState, SlotState, TRADES, live};
use runtime_execution::modules::{balances, registry};
use runtime_primitives::{Energy, EntityId, MarketId, Money};
use runtime_state::Overlay;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The entities of bank and retailer.
const BANK: u32 = 1;
const RETAILER: u32 = 2;

/// What a look at the best state finds.
fn read<T>(theatre: &Theatre, look: impl FnOnce(&Overlay) -> T) -> T {
    let snapshot = theatre.service.chain().snapshot();
    look(&Overlay::new(&snapshot))
}

fn entity(household: usize) -> EntityId {
    EntityId::from_number(first_household() + u32::try_from(household).unwrap())
}

/// Free and held money of an entity's owner, in units.
fn money(theatre: &Theatre, entity: EntityId) -> (u128, u128) {
    read(theatre, |state| {
        let owner = registry::entity(state, entity).unwrap().owner;
        let money = balances::account(state, &owner).data;
        (money.free.units(), money.reserved.units())
    })
}

fn shown(theatre: &Theatre, arguments: &[&str]) -> Value {
    let url = format!("http://{}", theatre.service.address().unwrap());
    let output = busbar(&[arguments, &["--rpc", &url, "--json"]].concat()).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    json(&output)
}

/// A theatre whose households have their meters, hours before the slot opens.
fn early(script: Script, folder: &TempDir) -> Theatre {
    let mut theatre = Theatre::playing(script, &folder.path().join("chain"));
    while read(&theatre, |state| METERS_OF.get_or_default(state, &MARKET).len()) < 2 {
        theatre.act();
    }
    theatre
}

/// The market's spec without supply deposits, and with less for its steps.
fn lenient(theatre: &Theatre, folder: &TempDir) -> String {
    let spec = shown(theatre, &["market", "spec", "show"])["spec"].as_str().unwrap().to_owned();
    let line = |key: &str| spec.lines().find(|line| line.starts_with(key)).unwrap();
    let text =
        spec.replace(line("deposit = "), "deposit = 0").replace(line("amount = "), "amount = \"1000\"");
    let path = folder.path().join("lenient.toml");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn money_and_deposits_go_back() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut script = paper().unwrap();
        script.deposit_slots = 1;
        script.households[A].funds = Money::from_units(110_000_000);
        script.households[B].funds = Money::from_units(200_000_000);
        let mut theatre = early(script, &folder);
        let (owner, operator) = (secret("A", "owner"), secret("market operator", "owner"));
        assert_eq!(money(&theatre, entity(A)), (30_000_000, 80_000_000));
        refused(
            &mut theatre,
            &[
                (&["bank", "withdraw", "1", "--bank", "2"], &owner, 1, "entity 2 is no bank"),
                (&["bank", "withdraw", "3.1"], &owner, 3, "3.0000000"),
                (&["bank", "withdraw", "1"], &secret("A", "delegate"), 3, "owner"),
                (&["bank", "release"], &owner, 3, "nothing can be released"),
                (&["market", "take-back"], &operator, 3, "market 0 runs"),
                (&["market", "top-up", "5"], &owner, 3, "market 0 is run by entity 4"),
            ],
        );

        let bank = EntityId::from_number(BANK);
        let before = money(&theatre, bank).0;
        let paid = done(&mut theatre, &["bank", "withdraw", "1.5"], &owner);
        assert_eq!((&paid["bank"], &paid["amount"]), (&json!(BANK), &json!("1.5000000")), "{paid}");
        assert_eq!(money(&theatre, entity(A)), (15_000_000, 80_000_000));
        assert_eq!(money(&theatre, bank).0 - before, 15_000_000);

        let deposit = |theatre: &Theatre, market: u32| {
            let id = MarketId::from_number(market);
            read(theatre, |state| MARKETS.get(state, &id).unwrap().deposit.units())
        };
        let before = deposit(&theatre, 0);
        let added = done(&mut theatre, &["market", "top-up", "5"], &operator);
        assert_eq!(added["amount"], "5.0000000", "{added}");
        assert_eq!(deposit(&theatre, 0) - before, 50_000_000);

        // Without supply deposits: a market that nobody has agreed to, and new terms of the first.
        let path = lenient(&theatre, &folder);
        let path = path.as_str();
        let operators = money(&theatre, EntityId::from_number(4));
        assert_eq!(done(&mut theatre, &["market", "create", path], &operator)["market"], 1);
        assert_eq!(deposit(&theatre, 1), 10_000_000_000);
        let taken = done(&mut theatre, &["market", "take-back", "--market", "1"], &operator);
        assert_eq!((&taken["market"], deposit(&theatre, 1)), (&json!(1), 0), "{taken}");
        assert_eq!(money(&theatre, EntityId::from_number(4)), operators);
        refused(
            &mut theatre,
            &[(&["market", "take-back", "--market", "1"], &operator, 3, "no deposit to take back")],
        );

        done(&mut theatre, &["market", "schedule", path, "--from-slot", "501"], &operator);
        for party in ["retailer", "grid operator"] {
            done(&mut theatre, &["market", "agree", path], &secret(party, "owner"));
        }
        theatre.play_until(SlotState::Payable, &[A, B]);
        refused(&mut theatre, &[(&["bank", "release"], &owner, 3, "8.0000000 are needed")]);
        theatre.play_until(SlotState::Settled, &[A, B]);
        let released = done(&mut theatre, &["bank", "release"], &owner);
        let told = (&released["entity"], &released["amount"]);
        assert_eq!(told, (&json!(first_household()), &json!("8.0000000")), "{released}");
        assert_eq!(money(&theatre, entity(A)), (162_000_000, 0));
        let retailers = Backing::Retailer(MARKET);
        assert_eq!(read(&theatre, |state| retailers.get(state).held.units()), 78_000_000);
        let released = done(&mut theatre, &["bank", "release"], &secret("retailer", "owner"));
        let told = (&released["entity"], &released["amount"]);
        assert_eq!(told, (&json!(RETAILER), &json!("7.8000000")), "{released}");
        assert_eq!(read(&theatre, |state| retailers.get(state).held), Money::ZERO);
    });
}

#[test]
fn a_sealed_order_is_revealed_from_its_file() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut script = paper().unwrap();
        script.windows.reveal_s = 60;
        let mut theatre = Theatre::playing(script, &folder.path().join("chain"));
        theatre.set_up();
        let files = ["a", "small", "large"].map(|name| folder.path().join(name).display().to_string());
        let keys = [secret("A", "delegate"), secret("B", "delegate")];
        for (file, side, energy, key) in [
            (&files[0], "sell", "10kWh", &keys[A]),
            (&files[1], "buy", "1kWh", &keys[B]),
            (&files[2], "buy", "9kWh", &keys[B]),
        ] {
            let order =
                ["order", "place", "--slot", "500", "--side", side, "--energy", energy, "--price", "0.67"];
            let sealed = done(&mut theatre, &[&order[..], &["--keep", file]].concat(), key);
            assert_eq!(
                (&sealed["deposit"], &sealed["file"]),
                (&json!("1.0000000"), &json!(file)),
                "{sealed}"
            );
        }
        let reveal = |theatre: &mut Theatre, file, key| done(theatre, &["order", "reveal", file], key);
        refused(
            &mut theatre,
            &[
                (&["order", "reveal", &files[0]], &keys[A], 3, "while it is Revealing"),
                (&["order", "reveal", "/nowhere"], &keys[A], 1, "cannot read /nowhere"),
            ],
        );
        theatre.play_until(SlotState::Revealing, &[]);
        let small = reveal(&mut theatre, &files[1], &keys[B]);
        assert_eq!((&small["seq"], &small["hold"]), (&json!(1), &json!("0.6900000")), "{small}");
        let told = theatre.answer(command(&theatre, &["order", "reveal", &files[0]], &keys[A]));
        let told = said(&told);
        assert!(told.contains("order 0 of entity 8") && told.contains("1.0000000 yuan are held"), "{told}");
        refused(
            &mut theatre,
            &[
                (&["order", "reveal", &files[0]], &keys[A], 3, "order 0 is revealed already"),
                (&["order", "reveal", &files[2]], &keys[A], 3, "order 2 belongs to entity 9"),
            ],
        );

        // B has given away what its second order would hold: the deposit is lost.
        done(&mut theatre, &["bank", "withdraw", "5"], &secret("B", "owner"));
        let lost = reveal(&mut theatre, &files[2], &keys[B]);
        assert_eq!((&lost["seq"], &lost["forfeited"]), (&json!(2), &json!("1.0000000")), "{lost}");
        let (pool, states) = read(&theatre, |state| {
            let sealed = SEALED.find(state, (MARKET, SLOT), 3).unwrap();
            let states = sealed.iter().map(|entry| entry.state).collect::<Vec<_>>();
            (balances::account(state, &pool_account(MARKET)).data.free.units(), states)
        });
        assert_eq!(states, [SealState::Revealed, SealState::Revealed, SealState::Forfeited]);
        assert_eq!(pool, 10_000_000);
        theatre.play_until(SlotState::Proposed, &[]);
        let trade = read(&theatre, |state| TRADES.get(state, (MARKET, SLOT), 0).unwrap().trade);
        assert_eq!((trade.buy.number(), trade.sell.number(), trade.energy.wh()), (1, 0, 1_000));
    });
}

#[test]
fn a_proxy_is_named_and_its_seat_is_in_the_ballot() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut theatre = early(paper().unwrap(), &folder);
        let (owner, proxy) = (secret("B", "owner"), entity(A).to_string());
        refused(
            &mut theatre,
            &[
                (&["entity", "proxy", &entity(B).to_string()], &owner, 3, "cannot be its own proxy"),
                (&["entity", "proxy", &BANK.to_string()], &owner, 3, "entity 1 has no voting key"),
                (&["entity", "proxy", &proxy], &secret("B", "delegate"), 3, "owner"),
                (&["entity", "proxy"], &owner, 64, "<PROXY>"),
            ],
        );
        let own = entity(B).to_string();
        for (arguments, expected) in [
            (["entity", "proxy", &proxy], json!(entity(A).number())),
            (["entity", "proxy", "--none"], Value::Null),
            (["entity", "proxy", &proxy], json!(entity(A).number())),
        ] {
            done(&mut theatre, &arguments, &owner);
            assert_eq!(shown(&theatre, &["entity", "show", &own])["proxy"], expected);
        }
        theatre.play_until(SlotState::Voting, &[A, B]);
        let seats: Vec<_> = read(&theatre, |state| {
            let desk = Desk::open(state, (MARKET, SLOT)).unwrap();
            let (_, waiting) = desk.ballot(Stage::Certification).unwrap();
            waiting.iter().map(|elector| (elector.entity, elector.proxy)).collect()
        });
        assert!(seats.contains(&(entity(B), Some(entity(A)))), "{seats:?}");
        assert!(seats.contains(&(entity(A), None)), "{seats:?}");
    });
}

#[test]
fn a_silent_meter_gets_a_base_and_speaks_late() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut theatre = Theatre::open(folder.path());
        theatre.set_up();
        let (operator, meter) = (secret("grid operator", "owner"), secret("A", "meter"));
        let at = |what: &'static str, slot: &'static str, export: &'static str| {
            ["meter", what, "0", "--slot", slot, "--import", "0kWh", "--export", export]
        };
        refused(
            &mut theatre,
            &[(&at("substitute", "499", "2.5kWh"), &operator, 3, "whose first slot is 500")],
        );
        theatre.play_until(SlotState::Delivering, &[A, B]);
        refused(
            &mut theatre,
            &[
                (
                    &at("substitute", "499", "2.5kWh"),
                    &meter,
                    3,
                    "no owner key of the market's meter operator",
                ),
                (&at("substitute", "498", "2.5kWh"), &operator, 3, "slot 498"),
            ],
        );
        // The second estimate takes the place of the first.
        for (export, revision) in [("3kWh", 1), ("2.5kWh", 2)] {
            let base = done(&mut theatre, &at("substitute", "499", export), &operator);
            assert_eq!((&base["slot"], &base["revision"]), (&json!(499), &json!(revision)), "{base}");
        }
        let own = read(&theatre, |state| load_registers(state, MARKET)[A]);
        assert_eq!((own.certified, own.base), ((Energy::ZERO, Energy::from_wh(2_500)), 2));

        theatre.play_until(SlotState::Metering, &[A, B]);
        theatre.play_until(SlotState::Voting, &[B]);
        let posted = |theatre: &Theatre| {
            read(theatre, |state| all_posted(state, &live(state, (MARKET, SLOT)).unwrap()).swap_remove(A))
        };
        let estimate = posted(&theatre);
        assert_eq!((estimate.len(), estimate[0].substituted), (1, true), "{estimate:?}");
        refused(
            &mut theatre,
            &[
                (&at("read", "500", "12kWh"), &operator, 3, "not by the key of meter 0"),
                (&at("substitute", "499", "2kWh"), &operator, 3, "whose first slot is 500"),
            ],
        );
        let late = done(&mut theatre, &at("read", "500", "12kWh"), &meter);
        let latest = posted(&theatre)[1];
        let told = (&late["revision"], &late["reading"]);
        assert_eq!(told, (&json!(1), &json!(latest.hash.to_string())), "{late}");
        assert!(!latest.substituted && latest.export_wh == Energy::from_wh(12_000), "{latest:?}");
        refused(&mut theatre, &[(&at("read", "500", "13kWh"), &meter, 3, "correct one that follows it")]);

        // 12 kWh less the base were delivered of the 10 that are sold.
        theatre.script.households[A].registers.insert(SLOT, (Energy::ZERO, Energy::from_wh(12_000)));
        theatre.play_until(SlotState::Settled, &[A, B]);
        let bill = shown(&theatre, &["bill", &entity(A).to_string(), "--slots", "500"]);
        let line = |name: &str| bill["lines"][0][name].clone();
        assert_eq!(
            (line("kind"), line("energy"), line("reading")),
            ("energy".into(), 9_500.into(), late["reading"].clone())
        );
    });
}

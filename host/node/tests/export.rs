//! `busbar export`: the same rows in every format, from the paper's trade on a real node.
#![allow(clippy::unwrap_used, reason = "tests")]

use host_node::chain_spec::ChainSpec;
use host_node::community::Season;
use host_node::export::{Format, Kind, Selection, What, export};
use host_node::scenario::{Casting, Play, Script, day, paper};
use host_storage::Store;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use runtime_execution::modules::balances;
use runtime_execution::modules::registry::ENTITIES;
use runtime_primitives::{EntityId, Slot};
use runtime_state::Overlay;
use runtime_vm::VM_THREAD_STACK_BYTES;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;

/// The paper's trade, settled.
static PLAYED: LazyLock<TempDir> = LazyLock::new(|| play(paper().unwrap()));

fn play(script: Script) -> TempDir {
    let play = || {
        let folder = TempDir::new().unwrap();
        Play::open(script, Casting::default(), folder.path()).unwrap().run(|_| {}).unwrap();
        folder
    };
    // Contracts run on this thread.
    let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
    thread.spawn(play).unwrap().join().unwrap()
}

/// Three quarter-hours around noon of fifty connections' summer day.
fn noon() -> Script {
    let mut script = day(Season::Summer);
    script.households.truncate(50);
    script.slots = (Slot::from_number(47), Slot::from_number(49));
    for household in &mut script.households {
        let before = household.registers[&Slot::from_number(46)];
        for registers in household.registers.values_mut() {
            *registers = (registers.0.saturating_sub(before.0), registers.1.saturating_sub(before.1));
        }
    }
    script
}

/// A copy of the played chain: a store is open once, and tests run side by side.
fn played() -> TempDir {
    let copy = TempDir::new().unwrap();
    fs::copy(PLAYED.path().join("chain.redb"), copy.path().join("chain.redb")).unwrap();
    copy
}

type Table = Vec<Vec<Option<String>>>;

/// What a format's file says, as the texts that CSV has.
fn read(what: What, format: Format, folder: &Path) -> Table {
    let path = folder.join(format!("{}.{}", what.name(), format.ending()));
    match format {
        Format::Csv => {
            let mut reader = csv::Reader::from_path(&path).unwrap();
            let names: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
            assert_eq!(names, what.columns().iter().map(|column| column.name).collect::<Vec<_>>());
            let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            reader.records().map(|row| row.unwrap().iter().map(text).collect()).collect()
        }
        Format::Json => {
            let rows: Vec<serde_json::Map<String, Value>> =
                serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            rows.iter().map(|row| row_of(what, row)).collect()
        }
        Format::Parquet => {
            let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
            let rows = reader.get_row_iter(None).unwrap();
            rows.map(|row| row.unwrap().get_column_iter().zip(what.columns()).map(cell_of).collect())
                .collect()
        }
    }
}

fn row_of(what: What, row: &serde_json::Map<String, Value>) -> Vec<Option<String>> {
    assert_eq!(row.len(), what.columns().len());
    let cell = |column: &host_node::export::Column| match (&row[column.name], column.kind) {
        (Value::Null, _) => None,
        (Value::Number(number), Kind::Number) => Some(number.to_string()),
        (Value::Bool(flag), Kind::Flag) => Some(flag.to_string()),
        (Value::String(text), Kind::Decimal(_) | Kind::Time | Kind::Text) => Some(text.clone()),
        (value, kind) => panic!("{}: {value} is no {kind:?}", column.name),
    };
    what.columns().iter().map(cell).collect()
}

fn cell_of(((name, field), column): ((&String, &Field), &host_node::export::Column)) -> Option<String> {
    assert_eq!(name, column.name);
    Some(match (field, column.kind) {
        (Field::Null, _) => return None,
        (Field::ULong(number), Kind::Number) => number.to_string(),
        (Field::Bool(flag), Kind::Flag) => flag.to_string(),
        (Field::Str(text), Kind::Text) => text.clone(),
        (Field::TimestampMillis(ms), Kind::Time) => {
            jiff::Timestamp::from_millisecond(*ms).unwrap().strftime("%FT%T.%3fZ").to_string()
        }
        (Field::Decimal(decimal), Kind::Decimal(scale)) => {
            assert_eq!((decimal.precision(), decimal.scale()), (38, i32::from(scale)));
            let units = i128::from_be_bytes(decimal.data().try_into().unwrap());
            let (sign, units) = (if units < 0 { "-" } else { "" }, units.unsigned_abs());
            let one = 10u128.pow(scale.into());
            format!("{sign}{}.{:0width$}", units / one, units % one, width = usize::from(scale))
        }
        (field, kind) => panic!("{name}: {field:?} is no {kind:?}"),
    })
}

#[test]
fn all_formats_say_the_same_and_what_the_paper_says() {
    let data = played();
    let store = Store::open(&data.path().join("chain.redb")).unwrap();
    let (snapshot, out) = (store.snapshot(), TempDir::new().unwrap());
    let slots = Selection::default().of(&snapshot);
    for what in What::ALL {
        let mut heard = 0;
        let tables = Format::ALL.map(|format| {
            let written = export(&snapshot, what, &slots, format, out.path(), || heard += 1).unwrap();
            let table = read(what, format, out.path());
            assert_eq!(written.rows, table.len() as u64);
            table
        });
        assert_eq!(heard, 3 * slots.slots.len());
        assert!(!tables[0].is_empty(), "{what:?}");
        assert_eq!(tables[0], tables[1], "{what:?}: JSON");
        assert_eq!(tables[0], tables[2], "{what:?}: Parquet");
        for row in &tables[0] {
            for (cell, column) in row.iter().zip(what.columns()) {
                assert!(cell.is_some() || column.nullable, "{}", column.name);
            }
        }
    }
    let column = |what: What, name: &str| -> Vec<String> {
        let place = what.columns().iter().position(|column| column.name == name).unwrap();
        let rows = read(what, Format::Parquet, out.path());
        rows.into_iter().map(|row| row[place].clone().unwrap_or_default()).collect()
    };
    // The slot before any other; nobody reads a meter in those after it. Ten kilowatt hours at 0.67 yuan in slot 500, all of it delivered.
    let rows: [(What, &str, &[&str]); 15] = [
        (What::Trades, "slot", &["500"]),
        (What::Trades, "energy", &["10000"]),
        (What::Trades, "buy_price", &["0.6700"]),
        (What::Trades, "settled", &["10000"]),
        (What::Trades, "buyer_consent", &["signed"]),
        (What::Trades, "outcome", &["delivered"]),
        (What::Trades, "reason", &[""]),
        (What::Trades, "party", &[""]),
        (What::Bills, "kind", &["funding", "funding"]),
        (What::Bills, "amount", &["-10.0000000", "10.0000000"]),
        (What::Orders, "side", &["sell", "buy"]),
        (What::Orders, "traded", &["10000", "10000"]),
        (What::Orders, "in_book", &["true", "true"]),
        (What::Readings, "status", &["measured", "measured"]),
        (What::Readings, "export", &["10000", "0"]),
    ];
    for (what, name, expected) in rows {
        assert_eq!(column(what, name)[..expected.len()], *expected, "{name} of {what:?}");
    }
}

/// Units of an exact amount in yuan.
fn units(yuan: &str) -> i128 {
    yuan.replacen('.', "", 1).parse().unwrap()
}

#[test]
fn an_entitys_lines_are_what_its_account_has_gained() {
    let (data, out) = (play(noon()), TempDir::new().unwrap());
    let store = Store::open(&data.path().join("chain.redb")).unwrap();
    let snapshot = store.snapshot();
    let state = Overlay::new(&snapshot);
    let (_, genesis) = ChainSpec::load(&data.path().join("spec.json")).unwrap();
    let names = What::Bills.columns();
    let place = |name: &str| names.iter().position(|column| column.name == name).unwrap();
    let bills = |selection: Selection| {
        let scope = selection.of(&snapshot);
        let tables = Format::ALL.map(|format| {
            export(&snapshot, What::Bills, &scope, format, out.path(), || {}).unwrap();
            read(What::Bills, format, out.path())
        });
        assert_eq!((&tables[0], &tables[0]), (&tables[1], &tables[2]));
        tables.into_iter().next().unwrap()
    };
    let all = bills(Selection::default());
    let mut sums: BTreeMap<u32, i128> = BTreeMap::new();
    for row in &all {
        let [entity, amount] = ["entity", "amount"].map(|name| row[place(name)].as_deref().unwrap());
        *sums.entry(entity.parse().unwrap()).or_default() += units(amount);
    }
    let entities = ENTITIES.entries(&state);
    for (id, entity) in &entities {
        let began = genesis.entities.iter().find(|began| began.owner == entity.owner);
        let money = balances::account(&state, &entity.owner).data;
        let has = money.free.units() + money.reserved.units();
        let gained = i128::try_from(has).unwrap()
            - began.map_or(0, |began| i128::try_from(began.balance.units()).unwrap());
        assert_eq!(sums.remove(&id.number()).unwrap_or_default(), gained, "entity {id}");
    }
    assert!(sums.is_empty(), "{sums:?}");
    let told = |name: &str| all.iter().filter_map(|row| row[place(name)].clone()).collect::<Vec<_>>();
    for kind in ["energy", "network fee", "retail", "feed-in", "deviation", "funding"] {
        assert!(told("kind").iter().any(|found| found == kind), "{kind}");
    }
    for outcome in ["delivered", "partial"] {
        assert!(told("outcome").iter().any(|found| found == outcome), "{outcome}");
    }
    // One slot's lines belong to it; one entity's lines are that entity's.
    let slot = Slot::from_number(48);
    let of_slot = bills(Selection { slots: Some((slot, slot)), ..Selection::default() });
    let expected = all.iter().filter(|row| row[place("slot")].as_deref() == Some("48")).cloned();
    assert_eq!(of_slot, expected.collect::<Vec<_>>());
    let entity = Some(EntityId::from_number(2));
    let expected = all.iter().filter(|row| row[place("entity")].as_deref() == Some("2")).cloned();
    assert_eq!(bills(Selection { entity, ..Selection::default() }), expected.collect::<Vec<_>>());
}

/// Of every table the rows that are the entity's and no others: its own orders, trades on either side, its meter's readings.
#[test]
fn an_entitys_tables_are_its_own() {
    let data = played();
    let store = Store::open(&data.path().join("chain.redb")).unwrap();
    let (snapshot, out) = (store.snapshot(), TempDir::new().unwrap());
    let entity = EntityId::from_number(host_node::scenario::first_household());
    let scope = Selection { entity: Some(entity), ..Selection::default() }.of(&snapshot);
    let column = |what: What, name: &str| -> Vec<String> {
        export(&snapshot, what, &scope, Format::Csv, out.path(), || {}).unwrap();
        let place = what.columns().iter().position(|column| column.name == name).unwrap();
        let rows = read(what, Format::Csv, out.path());
        rows.into_iter().map(|row| row[place].clone().unwrap_or_default()).collect()
    };
    let own = entity.to_string();
    for (what, name) in [(What::Orders, "entity"), (What::Trades, "seller")] {
        assert_eq!(column(what, name), [own.as_str()], "{what:?}");
    }
    let readings = column(What::Readings, "meter");
    assert!(!readings.is_empty() && readings.iter().all(|meter| meter == "0"), "{readings:?}");
    assert!(column(What::Bills, "entity").iter().all(|entity| *entity == own));
    let stranger = Selection { entity: Some(EntityId::from_number(0)), ..Selection::default() }.of(&snapshot);
    for what in [What::Orders, What::Trades, What::Readings] {
        assert_eq!(export(&snapshot, what, &stranger, Format::Csv, out.path(), || {}).unwrap().rows, 0);
    }
}

#[test]
fn a_selection_is_of_slots_or_of_a_day() {
    let data = played();
    let store = Store::open(&data.path().join("chain.redb")).unwrap();
    let snapshot = store.snapshot();
    let all = Selection::default().of(&snapshot).slots;
    let slot = Slot::from_number;
    let slots = |first, last| Selection { slots: Some((slot(first), slot(last))), ..Selection::default() };
    assert_eq!(slots(500, 500).of(&snapshot).slots.len(), 1);
    assert!(slots(0, 499).of(&snapshot).slots.is_empty());
    let day = jiff::Timestamp::from_millisecond(i64::try_from(all[0].starts.ms()).unwrap()).unwrap();
    let day = jiff::tz::Offset::UTC.to_datetime(day).date();
    let on = |day| Selection { day: Some(day), ..Selection::default() }.of(&snapshot).slots;
    assert!(on(day).iter().any(|slot| slot.at == all[0].at));
    assert!(on(day.yesterday().unwrap()).iter().all(|slot| slot.at != all[0].at));
}

#[test]
fn the_command_writes_files_and_says_so() {
    let busbar = || Command::new(env!("CARGO_BIN_EXE_busbar"));
    let (data, out) = (played(), TempDir::new().unwrap());
    let run = |arguments: &[&str]| {
        let mut command = busbar();
        command.arg("export").arg("--data").arg(data.path()).arg("--out").arg(out.path().join("new"));
        command.args(arguments).output().unwrap()
    };
    let done = run(&["--format", "parquet", "--what", "trades,orders", "--slots", "500..500", "--json"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!([&said["files"][0]["rows"], &said["files"][1]["rows"]], [2, 1]);
    let mut names: Vec<_> =
        fs::read_dir(out.path().join("new")).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["orders.parquet", "trades.parquet"]);
    for (arguments, says) in [
        (&["--slots", "1..2"][..], "slots 1..2 have never opened: market 0 has opened slots 500.."),
        (&["--slots", "7"], "slot 7 has never opened"),
        (&["--slots", "500", "--market", "3"], "there is no such market"),
        (&["--day", "1999-01-01"], "no slot that has opened is selected"),
        (&["--entity", "99"], "there is no entity 99"),
        (&["--slots", "2..1"], "write the first and the last slot"),
        (&["--what", "secrets"], "possible values"),
    ] {
        let refused = run(arguments);
        assert!(!refused.status.success());
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(error.contains(says), "{arguments:?}: {error}");
    }
    let beyond = run(&["--what", "orders", "--slots", "500..4000000"]);
    let said = String::from_utf8(beyond.stdout).unwrap();
    assert!(beyond.status.success() && said.contains("market 0 has opened slots 500.."), "{said}");
    let help = String::from_utf8(busbar().args(["export", "--help"]).output().unwrap().stdout).unwrap();
    assert!(help.contains("Write orders, trades, readings and bills"), "{help}");
    let columns = busbar().args(["export", "--columns"]).output().unwrap();
    assert_eq!(String::from_utf8(columns.stdout).unwrap(), host_node::export::document());
}

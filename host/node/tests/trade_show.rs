//! The paper's trade, played on a real node and read back from its data folder.
#![allow(clippy::unwrap_used, reason = "tests")]

use contract_interface::Stage;
use host_node::scenario::{Casting, Play, Script, paper};
use host_node::trade::{Life, TradeError, TradeId, list};
use host_storage::{Commit, Store};
use parity_scale_codec::{Decode, Encode};
use runtime_execution::archive::{hold_key, slot_key, tables};
use runtime_execution::leaves::row_key;
use runtime_execution::modules::markets::At;
use runtime_primitives::{Energy, Seq, Slot};
use runtime_state::{ArchiveRow, ChangeSet, State};
use runtime_vm::VM_THREAD_STACK_BYTES;
use std::path::Path;
use tempfile::TempDir;

/// Contracts run on this thread.
fn on_a_vm_thread(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
    thread.spawn(work).unwrap().join().unwrap();
}

fn played() -> TempDir {
    played_as(paper().unwrap())
}

fn played_as(script: Script) -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut play = Play::open(script, Casting::default(), folder.path()).unwrap();
    play.run(|_| {}).unwrap();
    folder
}

fn open(folder: &Path) -> Store {
    Store::open(&folder.join("chain.redb")).unwrap()
}

fn id(text: &str) -> TradeId {
    text.parse().unwrap()
}

/// Put rows over archive rows by a block that changes nothing else: a store that was tampered with.
fn tamper(store: &Store, archive: Vec<ArchiveRow>) {
    let snapshot = store.snapshot();
    let mut block = snapshot.block(snapshot.height()).unwrap().unwrap();
    block.height = snapshot.height().next();
    let changes = ChangeSet::new();
    let trie = snapshot.update_trie(&changes);
    let mut header = snapshot.best_header().clone();
    (header.parent_hash, header.number) = (snapshot.hash(), block.height.number());
    let (body, receipts) = (Vec::new(), Vec::<u8>::new().encode());
    drop(snapshot);
    store.commit(Commit { header, block, body, receipts, changes, trie, archive, finality: None }).unwrap();
}

fn row(table: u8, key: Vec<u8>, value: Vec<u8>) -> ArchiveRow {
    ArchiveRow { table, key, value }
}

#[test]
fn the_papers_trade_is_shown_and_checks() {
    on_a_vm_thread(|| {
        let folder = played();
        let store = open(folder.path());
        let snapshot = store.snapshot();
        let life = Life::read(&snapshot, id("0/500/0")).unwrap();
        assert_eq!(life.faults, Vec::<String>::new());
        let bodies: Vec<&str> = life.rows.iter().map(|row| row.body.as_str()).collect();
        assert_eq!(
            bodies,
            [
                "Input(10 kWh, 0.67 yuan/kWh, slot 500) A sells\nInput(10 kWh, 0.67 yuan/kWh, slot 500) B buys",
                "Input(10 kWh, 0.67 yuan/kWh, slot 500) of A\nOutput(10 kWh, 0.67 yuan/kWh, slot 500) to B\nA signed, B signed",
                "sign(validator 1)\nsign(validator 2)\nsign(validator 3)\n3 of 3 validators",
                "A: import 0 Wh, export 10000 Wh, 230.0 V, 50.000 Hz\nB: import 10000 Wh, export 0 Wh, 230.0 V, 50.000 Hz",
                "Num(pass) = 4 > Num(oppose) = 0\nof 4 electors",
                "A: sold 10 kWh, net +6.7 yuan\nB: bought 10 kWh, net −6.9 yuan",
                "(6.7 yuan)B→A, (0.2 yuan)B→C",
            ]
        );
        assert_eq!(life.rows.iter().map(|row| row.signatures).collect::<Vec<_>>(), [2, 2, 3, 2, 4, 0, 0]);
        assert!(life.rows.iter().all(|row| row.root_holds && row.from <= row.until));

        let json = serde_json::to_value(&life).unwrap();
        let paid = |index: usize| {
            let payment = &json["payments"][index];
            (
                payment["from"].as_str().unwrap(),
                payment["to"].as_str().unwrap(),
                payment["amount"].as_u64().unwrap(),
            )
        };
        assert_eq!((paid(0), paid(1)), (("B", "A", 67_000_000), ("B", "C", 2_000_000)));
        assert_eq!(json["payments"][0]["chain"][1]["what"], "bank funds B with 10 yuan");
        assert_eq!(json["stages"].as_array().unwrap().len(), 7);
        let text = life.to_string();
        for part in
            ["7 settlement", "root 0x", "6.7 yuan B → A (energy)", "signature and payment shown here holds"]
        {
            assert!(text.contains(part), "{part} is not in {text}");
        }

        let [listed] = list(&snapshot, None).unwrap().try_into().ok().unwrap();
        assert_eq!((listed.id.as_str(), listed.settled_wh), ("0/500/0", Some(10_000)));
        assert_eq!([listed.outcome.sentence(), life.outcome.sentence()], ["delivered", "delivered"]);
        assert!(list(&snapshot, Some(Slot::from_number(7))).unwrap().is_empty());
        let missing = |text| Life::read(&snapshot, id(text)).unwrap_err();
        assert!(matches!(missing("0/500/1"), TradeError::NoTrade { trades: 1, trade: 1, .. }));
        assert!(matches!(missing("0/499/0"), TradeError::NotCleared { .. }));
        assert!(matches!(missing("1/500/0"), TradeError::NotCleared { .. }));
    });
}

#[test]
fn what_was_tampered_with_is_bad() {
    on_a_vm_thread(|| {
        let folder = played();
        let at = id("500/0").at;
        let store = open(folder.path());
        let snapshot = store.snapshot();
        let original = |table, key: &[u8]| snapshot.archive_get(table, key).unwrap().unwrap();
        // Part of the archive, the byte of it that changes, and the fault that names it.
        let grows = [Stage::Authentication, Stage::Execution, Stage::Certification];
        let leaf = |stage, index: usize| {
            let (row, leaf) = if grows.contains(&stage) { (index, 0) } else { (0, index) };
            ((tables::STAGE, row_key(at, stage, u32::try_from(row).unwrap())), Some(leaf))
        };
        let last = usize::MAX;
        let rows = [
            (leaf(Stage::Declaration, 0), 20, "stage 1: the root does not follow"),
            (leaf(Stage::Declaration, 1), 20, "stage 1: the order of B is no leaf"),
            (leaf(Stage::Matching, 0), 20, "stage 2: the trade order is not the clearing's trade"),
            (leaf(Stage::Authentication, 2), last, "stage 3: bad signature: vote of validator 3"),
            (leaf(Stage::Execution, 1), 140, "stage 4: bad signature: reading of B"),
            (leaf(Stage::Certification, 0), last, "stage 5: bad signature: vote of"),
            (leaf(Stage::Clearing, 0), 20, "stage 6: the root does not follow"),
            (leaf(Stage::Settlement, 0), 80, "stage 7: the root does not follow"),
            (
                ((tables::HOLD, hold_key(at, Seq::from_number(1))), None),
                38,
                "the energy from B to A has a broken chain",
            ),
            (
                ((tables::CONSENT, consent_key(at, 1)), None),
                last,
                "stage 2: bad signature: confirmation of A",
            ),
        ];
        let flip = |bytes: &mut Vec<u8>, at: usize| {
            let at = at.min(bytes.len() - 1);
            bytes[at] ^= 1;
        };
        let spoiled = rows.map(|(((table, key), leaf), at, fault)| {
            let before = original(table, &key);
            let mut after = before.clone();
            match leaf {
                None => flip(&mut after, at),
                Some(leaf) => {
                    let mut leaves = Vec::<Vec<u8>>::decode(&mut &before[..]).unwrap();
                    flip(&mut leaves[leaf], at);
                    after = leaves.encode();
                }
            }
            (row(table, key.clone(), after), row(table, key, before), fault)
        });
        drop(snapshot);
        for (spoiled, sound, fault) in spoiled {
            tamper(&store, vec![spoiled]);
            let life = Life::read(&store.snapshot(), id("500/0")).unwrap();
            assert!(life.faults.iter().any(|found| found.starts_with(fault)), "{fault}: {:?}", life.faults);
            assert!(life.to_string().contains("BAD"));
            tamper(&store, vec![sound]);
        }
        assert!(Life::read(&store.snapshot(), id("500/0")).unwrap().faults.is_empty());
        let ((table, key), _) = leaf(Stage::Settlement, 0);
        for (value, what) in [(vec![b"?".to_vec()].encode(), "payment"), (b"?".to_vec(), "stage")] {
            tamper(&store, vec![row(table, key.clone(), value)]);
            let error = Life::read(&store.snapshot(), id("500/0")).unwrap_err();
            let text = format!("the archive has no readable {what} of slot 500, market 0");
            assert_eq!(error.to_string(), text);
        }
    });
}

fn consent_key(at: At, side: u8) -> Vec<u8> {
    [&slot_key(at)[..], &0u32.to_be_bytes(), &[side]].concat()
}

#[test]
fn a_sealed_trade_is_shown_and_checks_against_its_commitment() {
    on_a_vm_thread(|| {
        let mut script = paper().unwrap();
        script.windows.reveal_s = 60;
        let folder = played_as(script);
        let store = open(folder.path());
        let snapshot = store.snapshot();
        let life = Life::read(&snapshot, id("500/0")).unwrap();
        assert_eq!(life.faults, Vec::<String>::new());
        assert_eq!(life.payouts.iter().map(|payout| payout.amount.units()).sum::<u128>(), 69_000_000);
        let at: At = id("500/0").at;
        let key = hold_key(at, Seq::ZERO);
        let mut commit = snapshot.archive_get(tables::COMMIT, &key).unwrap().unwrap();
        drop(snapshot);
        // Another commitment than the one that was revealed: byte 12 is the first of its hash.
        commit[12] ^= 1;
        tamper(&store, vec![row(tables::COMMIT, key, commit)]);
        let faults = Life::read(&store.snapshot(), id("500/0")).unwrap().faults;
        assert!(faults.len() == 1 && faults[0].contains("places another order"), "{faults:?}");
    });
}

#[test]
fn a_trade_says_who_fell_short() {
    on_a_vm_thread(|| {
        let mut script = paper().unwrap();
        for registers in script.households[0].registers.values_mut() {
            registers.1 = Energy::from_wh(6_000);
        }
        let folder = played_as(script);
        let store = open(folder.path());
        let snapshot = store.snapshot();
        let life = Life::read(&snapshot, id("500/0")).unwrap();
        let [listed] = list(&snapshot, None).unwrap().try_into().ok().unwrap();
        let told = "partial: not delivered by the seller";
        assert_eq!([life.outcome.sentence(), listed.outcome.sentence()], [told, told]);
        assert!(life.to_string().contains(&format!("Outcome: {told}\n")), "{life}");
        for json in [serde_json::to_value(&life).unwrap(), serde_json::to_value(&listed).unwrap()] {
            let told = ["outcome", "reason", "party"].map(|key| json[key].as_str().unwrap().to_owned());
            assert_eq!(told, ["partial", "not delivered", "seller"]);
        }
    });
}

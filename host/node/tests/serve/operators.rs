//! The grid operator and the meter operator at work: curtailments, substitutes and corrections by command, and what they
//! change on the chain.

use crate::node_process::{busbar, json};
use crate::processes::secret;
use crate::theatre::{A, B, SLOT, Theatre, command, done, on_a_vm_thread, refused, said};
use host_node::scenario::{MARKET, first_household};
use runtime_execution::modules::markets::meters::all_posted;
use runtime_execution::modules::markets::{CAPS, CURTAILED, Posted, SLOTS, SlotState, live};
use runtime_primitives::{Energy, MeterId, blake2_256};
use runtime_state::Overlay;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The grid operator is the meter operator too.
fn operator() -> String {
    secret("grid operator", "owner")
}

fn caps(theatre: &Theatre) -> [Vec<(MeterId, Energy)>; 2] {
    let snapshot = theatre.service.chain().snapshot();
    let state = Overlay::new(&snapshot);
    [&CAPS, &CURTAILED].map(|caps| caps.get_or_default(&state, &(MARKET, SLOT)))
}

fn posted(theatre: &Theatre, household: usize) -> Vec<Posted> {
    let snapshot = theatre.service.chain().snapshot();
    let state = Overlay::new(&snapshot);
    all_posted(&state, &live(&state, (MARKET, SLOT)).unwrap()).swap_remove(household)
}

fn cap(meter: u32, wh: u64) -> (MeterId, Energy) {
    (MeterId::from_number(meter), Energy::from_wh(wh))
}

/// What the slot was settled to for each household: kinds of lines with their amounts.
fn bills(theatre: &Theatre) -> [Vec<Value>; 2] {
    let url = format!("http://{}", theatre.service.address().unwrap());
    [0, 1].map(|household| {
        let entity = (first_household() + household).to_string();
        let shown = busbar(&["bill", &entity, "--rpc", &url, "--slots", "500", "--json"]).output().unwrap();
        assert!(shown.status.success(), "{}", said(&shown));
        json(&shown)["lines"].as_array().unwrap().clone()
    })
}

fn kinds(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["kind"].as_str().unwrap()).collect()
}

#[test]
fn a_bill_says_that_a_reading_is_an_estimate() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut theatre = Theatre::open(folder.path());
        theatre.set_up();
        theatre.play_until(SlotState::Metering, &[A, B]);
        theatre.play_until(SlotState::Voting, &[B]);
        theatre.play_until(SlotState::Settled, &[B]);
        let [a, b] = bills(&theatre);
        let of = |lines: &[Value]| -> Vec<(String, String)> {
            let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
            lines.iter().map(|line| (text(line, "kind"), text(line, "reading_status"))).collect()
        };
        let row = |kind: &str, status: &str| (kind.to_owned(), status.to_owned());
        assert_eq!(of(&a), [row("deviation", "estimated")]);
        assert_eq!(of(&b), [row("retail", "measured")]);
        let (url, entity) =
            (format!("http://{}", theatre.service.address().unwrap()), first_household().to_string());
        let shown = said(&busbar(&["bill", &entity, "--rpc", &url, "--slots", "500"]).output().unwrap());
        let hash = &a[0]["reading"].as_str().unwrap()[..10];
        assert!(shown.contains(hash) && shown.contains("estimated"), "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
    });
}

#[test]
fn a_cap_before_the_gate_withdraws_orders() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut theatre = Theatre::open(folder.path());
        theatre.set_up();
        let all = theatre.moves(&[A, B]);
        theatre.submit(all);
        theatre.pass();
        let curtail = ["market", "curtail", "--slot", "500"];
        let told = done(
            &mut theatre,
            &[&curtail[..], &["--meter", "0..1", "--cap", "9.999kWh"]].concat(),
            &operator(),
        );
        assert_eq!((&told["before_gate"], &told["withdrawn"]), (&json!(true), &json!([1, 0])), "{told}");
        assert_eq!(caps(&theatre), [vec![cap(0, 9_999), cap(1, 9_999)], vec![]]);
        let snapshot = theatre.service.chain().snapshot();
        assert_eq!(SLOTS.get(&Overlay::new(&snapshot), &(MARKET, SLOT)).unwrap().orders, 0);
        let order =
            ["order", "place", "--slot", "500", "--side", "sell", "--energy", "10kWh", "--price", "0.67"];
        refused(&mut theatre, &[(&order, &secret("A", "delegate"), 3, "9999")]);
    });
}

#[test]
fn a_cap_in_real_time_exempts_who_could_not_deliver() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut theatre = Theatre::open(folder.path());
        theatre.set_up();
        let (key, operator) = (operator(), "market operator");
        let cap0 = ["market", "curtail", "--cap", "0kWh"];
        let with = |more: &[&'static str]| [&cap0[..], more].concat();
        refused(
            &mut theatre,
            &[
                (&with(&["--slot", "9999", "--feeder", "0"]), &key, 1, "has not opened"),
                (
                    &with(&["--slot", "500", "--meter", "0,99"]),
                    &key,
                    1,
                    "meter 99 does not settle in slot 500",
                ),
                (
                    &with(&["--slot", "500", "--feeder", "5"]),
                    &key,
                    1,
                    "no meter of slot 500 of market 0 fits",
                ),
                (&with(&["--slot", "500", "--entity", "99"]), &key, 1, "there is no entity 99"),
                (&with(&["--at", "2015-01-01T00:00:00Z", "--feeder", "0"]), &key, 1, "has no slot at 2015"),
                // This machine's clock is years ahead of the played chain's.
                (&with(&["--at", "now", "--feeder", "0"]), &key, 1, "has not opened"),
                (&with(&["--at", "soon", "--feeder", "0"]), &key, 64, "or now"),
                (&with(&["--slot", "500"]), &key, 64, "--feeder"),
                (&with(&["--feeder", "0"]), &key, 64, "--slot"),
                (&with(&["--slot", "500", "--meter", "2..1"]), &key, 64, "10..19"),
                (&["market", "curtail", "--slot", "500", "--meter", "0", "--cap", "3"], &key, 64, "kWh"),
                (&with(&["--slot", "500", "--meter", "0"]), &secret(operator, "owner"), 3, "wrong role"),
            ],
        );
        theatre.play_until(SlotState::Proposed, &[A, B]);
        let waits = ["market", "curtail", "--slot", "500", "--meter", "1", "--cap", "10kWh"];
        let told = done(&mut theatre, &waits, &key);
        let meters = json!([{ "meter": 1, "entity": first_household() + 1, "cap_wh": 10_000, "traded_wh": null, "exempt": null }]);
        assert_eq!(told["meters"], meters, "nobody has confirmed: {told}");
        let text = said(&theatre.answer(command(&theatre, &waits, &key)));
        assert!(text.contains("exempt: 0 of 1, of 1 not known yet"), "{text}");
        assert!(text.contains("open until its trades are") && !text.contains("more than its cap"), "{text}");
        theatre.play_until(SlotState::Delivering, &[A, B]);
        let fits = ["market", "curtail", "--slot", "500", "--meter", "1", "--cap", "10kWh", "--reason", "7"];
        let told = done(&mut theatre, &fits, &key);
        let meters = json!([{ "meter": 1, "entity": first_household() + 1, "cap_wh": 10_000, "traded_wh": 10_000, "exempt": false }]);
        assert_eq!(told["meters"], meters, "{told}");
        let entity = first_household().to_string();
        let now = ["market", "curtail", "--at", "2020-06-01T12:05:00Z", "--entity", &entity, "--cap", "0kWh"];
        let output = theatre.answer(command(&theatre, &now, &key));
        let text = said(&output);
        assert!(text.contains("slot 500 of market 0 is capped at 0 Wh a meter, reason 0"), "{text}");
        assert!(text.contains("exempt: 1 of 1") && text.contains("trades more than its cap"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert_eq!(caps(&theatre), [vec![], vec![cap(0, 0), cap(1, 10_000)]]);

        // A gives nothing, B takes nothing: only B's part of the failure costs.
        for household in &mut theatre.script.households {
            household.registers.insert(SLOT, (Energy::ZERO, Energy::ZERO));
        }
        theatre.play_until(SlotState::Metering, &[A, B]);
        refused(
            &mut theatre,
            &[(&with(&["--slot", "500", "--meter", "0"]), &key, 3, "slot 500 is Metering")],
        );
        theatre.play_until(SlotState::Settled, &[A, B]);
        let [a, b] = bills(&theatre);
        assert_eq!((kinds(&a), kinds(&b)), (vec![], vec!["deviation"]));
        caps_are_told(&theatre);
    });
}

/// Whoever was capped reads it in the slot's status and in its bill, though it has no line; its partner does too.
fn caps_are_told(theatre: &Theatre) {
    let url = format!("http://{}", theatre.service.address().unwrap());
    let ask = |arguments: &[&str]| busbar(&[arguments, &["--rpc", &url]].concat()).output().unwrap();
    let entity = |household: u32| (first_household() + household).to_string();
    let (a, b) = (entity(0), entity(1));
    let cap0 = "meter 0 is capped at 0 Wh in real time, reason 0";
    let own = "0/500: meter 0 was capped at 0 Wh in real time, reason 0";
    let partner = "0/500: meter 0, the other side of trade 0, was capped at 0 Wh in real time, reason 0";
    for (arguments, told) in [
        (&["market", "status", "--slot", "500"][..], cap0),
        (&["bill", &a], own),
        (&["bill", &a, "--slots", "500"], own),
        (&["bill", &b], partner),
        (&["bill", &b], "0/500: meter 1 was capped at 10 kWh in real time, reason 7"),
    ] {
        let text = said(&ask(arguments));
        assert!(text.contains(told), "{told} is not in\n{text}");
        assert!(arguments[0] != "bill" || text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }
    let none = said(&ask(&["bill", &a, "--until", "2020-01-01T00:00:00Z"]));
    assert!(!none.contains("capped"), "{none}");
    let caps = json(&ask(&["market", "status", "--slot", "500", "--json"]))["caps"].clone();
    let cap0 =
        json!({ "meter": 0, "entity": first_household(), "cap_wh": 0, "before_gate": false, "reason": 0 });
    assert_eq!((caps.as_array().unwrap().len(), &caps[0]), (4, &cap0), "{caps}");
    let caps = json(&ask(&["bill", &b, "--json"]))["curtailments"].clone();
    let partner = caps.as_array().unwrap().iter().find(|cap| cap["own"] == false).unwrap();
    assert_eq!(partner["trades"], json!([{ "trade": 0, "meter": 1, "short": true }]), "{caps}");
}

#[test]
fn a_substitute_and_a_correction_count() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let report = folder.path().join("report.txt");
        std::fs::write(&report, "The wire of meter 1 was loose.").unwrap();
        let report = report.to_str().unwrap();
        let mut theatre = Theatre::open(&folder.path().join("chain"));
        theatre.set_up();
        theatre.play_until(SlotState::Metering, &[A, B]);
        let values = ["--slot", "500", "--import", "0kWh", "--export", "10kWh"];
        let of = |what: &'static str, meter: &'static str| [&["meter", what, meter], &values[..]].concat();
        let (key, meter) = (operator(), secret("A", "meter"));
        refused(
            &mut theatre,
            &[(&of("substitute", "0"), &key, 3, "--market N --slot 500 --state voting waits for it")],
        );
        // A is silent.
        theatre.play_until(SlotState::Voting, &[B]);
        assert_eq!((posted(&theatre, A)[0].export_wh, posted(&theatre, A).len()), (Energy::ZERO, 1));
        refused(
            &mut theatre,
            &[
                (&of("substitute", "99"), &key, 1, "there is no meter 99"),
                (&of("substitute", "1"), &key, 3, "meter 1 has a reading of its own"),
                (&of("substitute", "0"), &meter, 3, "no owner key of the market's meter operator"),
                (
                    &["meter", "substitute", "0", "--slot", "500", "--import", "0", "--export", "1kWh"],
                    &key,
                    64,
                    "Wh",
                ),
                (
                    &["meter", "substitute", "0", "--slot", "500", "--import", "90MWh", "--export", "0kWh"],
                    &key,
                    3,
                    "Wh",
                ),
            ],
        );
        let substitute = done(&mut theatre, &of("substitute", "0"), &key);
        let latest = posted(&theatre, A)[1];
        let told = (&substitute["revision"], &substitute["reading"]);
        assert_eq!(told, (&json!(1), &json!(latest.hash.to_string())));
        assert!(latest.substituted && latest.export_wh == Energy::from_wh(10_000), "{latest:?}");

        let correct = |wh: &'static str, report| {
            [
                "meter",
                "correct",
                "1",
                "--slot",
                "500",
                "--import",
                wh,
                "--export",
                "0kWh",
                "--evidence",
                report,
            ]
        };
        theatre.play_until(SlotState::Payable, &[A, B]);
        let own = secret("B", "meter");
        refused(
            &mut theatre,
            &[
                (&correct("9.5kWh", "/nowhere"), &own, 1, "cannot read the evidence /nowhere"),
                (&correct("9.5kWh", report), &key, 3, "not by the key of meter 1"),
                (&of("read", "1"), &own, 3, "takes no readings now"),
            ],
        );
        let correction = done(&mut theatre, &correct("9.5kWh", report), &own);
        let evidence = blake2_256(&std::fs::read(report).unwrap()).to_string();
        assert_eq!((&correction["revision"], &correction["evidence"]), (&json!(1), &json!(evidence)));
        assert_eq!(theatre.state_of_slot(), Some(SlotState::Voting), "it is voted on again");
        theatre.script.households[B].registers.insert(SLOT, (Energy::from_wh(9_500), Energy::ZERO));
        theatre.play_until(SlotState::Settled, &[A, B]);
        let [a, b] = bills(&theatre);
        assert_eq!((kinds(&a), kinds(&b)), (vec!["energy", "feed-in"], vec!["energy", "network fee"]));
        for (lines, reading, status) in
            [(&a, &substitute["reading"], "substituted"), (&b, &correction["reading"], "corrected")]
        {
            let names = |line: &Value| line["reading"] == *reading && line["reading_status"] == status;
            assert!(lines.iter().all(names), "{reading}: {lines:?}");
        }
        assert_eq!(b[0]["energy"], 9_500);
        refused(&mut theatre, &[(&correct("9.4kWh", report), &own, 3, "busbar market adjust")]);
    });
}

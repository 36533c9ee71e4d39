//! The author's sandbox as a process: what `busbar contract` prints, keeps and exits with.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const BOB: &str = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
const BOB_KEY: &str = "8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48";

/// Input that the test contracts know, as digits.
fn text(words: &str) -> String {
    hex::encode(words)
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// A contract of the chain's own tests.
fn fixture(name: &str) -> String {
    repository().join("runtime/execution/tests/contracts_chain").join(name).display().to_string()
}

fn high_low() -> String {
    repository().join("contracts/artifacts/high_low.wasm").display().to_string()
}

fn busbar(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_busbar"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn contract(arguments: &[&str]) -> (i32, Output) {
    let output = busbar(&[&["contract"], arguments].concat()).output().unwrap();
    (output.status.code().unwrap(), output)
}

/// The exit code and the one JSON object.
fn answer(arguments: &[&str]) -> (i32, Value) {
    let (code, output) = contract(&[arguments, &["--json"]].concat());
    let value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {output:?}"));
    (code, value)
}

fn error_of(arguments: &[&str]) -> (i32, String) {
    let (code, output) = contract(arguments);
    (code, String::from_utf8(output.stderr).unwrap())
}

/// A folder for files of one test.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }
}

#[test]
fn exit_codes_say_how_it_ended() {
    let desk = Desk::new();
    let program = |name: &str, body: &str| {
        let imports = r#"(import "env" "memory" (memory 1 1))
            (import "seal0" "seal_return" (func $return (param i32 i32 i32)))"#;
        desk.file(
            name,
            format!(r#"(module {imports} (data (i32.const 0) "hi") (func (export "call") {body}))"#),
        )
    };
    let answers = program("answers.wat", "(call $return (i32.const 0) (i32.const 0) (i32.const 2))");
    let reverts = program("reverts.wat", "(call $return (i32.const 1) (i32.const 0) (i32.const 2))");
    let traps = program("traps.wat", "unreachable");
    let spins = program("spins.wat", "(loop (br 0))");
    let floats = program("floats.wat", "f64.const 1 drop");
    for (file, code, result, flags, output, trap) in [
        (&answers, 0, "success", json!(0), json!("0x6869"), Value::Null),
        (&reverts, 1, "reverted", json!(1), json!("0x6869"), Value::Null),
        (&traps, 2, "trapped", Value::Null, Value::Null, json!("the contract trapped: unreachable code")),
        (&spins, 2, "trapped", Value::Null, Value::Null, json!("out of gas")),
        (&floats, 3, "refused", Value::Null, Value::Null, Value::Null),
    ] {
        let (exit, found) = answer(&["run", file, "--input", "", "--gas", "100000000"]);
        assert_eq!(exit, code, "{found}");
        assert_eq!(
            (&found["result"], &found["flags"], &found["output"], &found["trap"]),
            (&json!(result), &flags, &output, &trap)
        );
        for field in ["gas", "events", "storage", "transfers", "debug"] {
            assert!(!found[field].is_null(), "{field} is missing in {found}");
        }
        let (exit, shown) = contract(&["run", file, "--input", "", "--gas", "100000000"]);
        assert_eq!(exit, code);
        assert!(String::from_utf8(shown.stdout).unwrap().contains(result), "{file}");
    }
    let (_, found) = answer(&["run", &spins, "--input", "", "--gas", "100000000"]);
    assert_eq!(found["gas"], 100_000_000, "a trap costs the whole limit");
    assert_eq!(answer(&["check", &answers]).0, 0);
    assert_eq!(answer(&["check", &floats]).0, 3);
    assert_eq!(answer(&["check", &answers, "--kind", "stateful"]).0, 3, "it has no constructor");
    assert_eq!(answer(&["inspect", &floats]).0, 3);
}

#[test]
fn our_own_errors_are_none_of_the_contracts() {
    let desk = Desk::new();
    let flipper = fixture("flipper.wat");
    let state = desk.path("state.json");
    let missing = desk.path("missing.wat");
    for (arguments, words) in [
        (&["run", &flipper, "--input", "0g"][..], "not hexadecimal"),
        (&["run", &flipper], "--input"),
        (&["run", &flipper, "--input", "00", "--colour"], "--colour"),
        (&["run", &flipper, "--input", "00", "--caller", "nobody"], "--caller"),
        (&["run", &flipper, "--input", "00", "--contract", ALICE], "--state"),
        (&["run", &missing, "--input", "00"], "cannot read"),
        (&["check", &missing], "cannot read"),
        (&["inspect", &missing], "cannot read"),
        (&["check", &desk.path("")], "cannot read"),
        (&["run", &flipper, "--input", "00"], "make one with --deploy"),
        (&["run", &flipper, "--input", "00", "--state", &state], "choose one of the state with --contract"),
        (&["run", &high_low(), "--input", "00", "--kind", "pure", "--value", "1"], "no money"),
        (&["run", &flipper, "--deploy", "01", "--state", &desk.path("no/such/folder")], "cannot write"),
        (&["polish"], "polish"),
    ] {
        let (exit, error) = error_of(arguments);
        assert_eq!(exit, 64, "{arguments:?}: {error}");
        assert!(error.contains(words), "{arguments:?}: {error}");
    }
    assert!(!Path::new(&state).exists(), "nothing happened, nothing is kept");
    // Wrong arguments are the same everywhere; a file that cannot be read is not, where 1 says nothing of a contract.
    assert_eq!(busbar(&["chain-spec", "--colour"]).output().unwrap().status.code(), Some(64));
    assert_eq!(busbar(&["chain-spec", "--check", &missing]).output().unwrap().status.code(), Some(1));
    for help in [&["--help"][..], &["run", "--help"], &["check", "--help"], &["inspect", "--help"]] {
        let (exit, output) = contract(help);
        let shown = String::from_utf8(output.stdout).unwrap();
        assert_eq!(exit, 0, "{help:?}");
        assert!(shown.contains("Exit codes:") && shown.contains("64  wrong arguments"), "{shown}");
    }
}

#[test]
fn the_state_stays_between_runs() {
    let desk = Desk::new();
    let (flipper, state) = (fixture("flipper.wat"), desk.path("state.json"));
    let run = |arguments: &[&str]| answer(&[&["run", &flipper, "--state", &state], arguments].concat());
    let kept = || fs::read(&state).unwrap();

    let (exit, made) = run(&["--deploy", "01", "--value", "3"]);
    assert_eq!((exit, &made["entry"], &made["deployed"]), (0, &json!("deploy"), &Value::Null));
    assert_eq!(made["events"][0]["event"], "Instantiated");
    assert_eq!(made["storage"][0]["value"], "0x01");
    let address = made["contract"].as_str().unwrap().to_owned();
    assert_eq!(made["transfers"], json!([{ "from": ALICE, "to": address, "amount": "3" }]));

    for (message, output) in
        [("get_", "0x01"), ("flip", "0x"), ("get_", "0x00"), ("flip", "0x"), ("get_", "0x01")]
    {
        let (exit, called) = run(&["--input", &text(message)]);
        assert_eq!((exit, &called["contract"]), (0, &json!(address)), "{called}");
        assert_eq!(called["output"], output, "{message}");
    }
    // What does not succeed leaves the file alone, byte by byte.
    let before = kept();
    for (message, more, code) in [
        ("fail", &[][..], 1),
        ("trap", &[], 2),
        ("flip", &["--gas", "1000"], 2),
        ("flip", &["--value", "340282366920938463463374607431768211455"], 3),
        ("flip", &["--contract", ALICE], 3),
    ] {
        let (exit, called) = run(&[&["--input", &text(message)], more].concat());
        assert_eq!(exit, code, "{called}");
        assert_eq!(called["transfers"], json!([]));
        assert_eq!(kept(), before, "{message}");
    }
    let (exit, again) = run(&["--deploy", "01"]);
    assert_eq!(exit, 3, "the same contract twice");
    assert!(again["refused"].as_str().unwrap().contains("use another salt"), "{again}");
    assert_eq!(kept(), before);

    // A second contract of the same code is the newest; the first is still there.
    let (exit, second) = run(&["--deploy", "00", "--salt", "aa", "--input", &text("fail")]);
    assert_eq!(
        (exit, &second["deployed"]["result"]),
        (1, &json!("success")),
        "made, although the call reverts"
    );
    assert_ne!(second["contract"], json!(address));
    assert_eq!(run(&["--input", &text("get_")]).1["contract"], second["contract"]);
    let (_, first) = run(&["--input", &text("get_"), "--contract", &address]);
    assert_eq!((&first["contract"], &first["output"]), (&json!(address), &json!("0x01")));
}

#[test]
fn contracts_of_several_codes_share_a_state() {
    let desk = Desk::new();
    let (flipper, mirror, state) = (fixture("flipper.wat"), fixture("mirror.wat"), desk.path("state.json"));
    let run =
        |file: &str, arguments: &[&str]| answer(&[&["run", file, "--state", &state], arguments].concat());
    let (_, first) = run(&flipper, &["--deploy", "01"]);
    let (_, second) = run(&mirror, &["--deploy", "", "--value", "100"]);
    assert_ne!(first["contract"], second["contract"]);
    assert_eq!(run(&flipper, &["--input", &text("get_")]).1["contract"], first["contract"]);
    assert_eq!(run(&mirror, &["--input", &text("talk")]).1["contract"], second["contract"]);
    // The code that runs is the contract's, whatever file is named.
    let chosen = second["contract"].as_str().unwrap();
    let (exit, called) = run(&flipper, &["--input", &text("talk"), "--contract", chosen]);
    assert_eq!(called["code_hash"], second["code_hash"], "what ran, not the file");
    assert_eq!((exit, &called["debug"]), (0, &json!("hello, world")));

    // A contract sees who called, and a chain that moves on.
    let look = |caller: &str| {
        let (exit, seen) = run(&mirror, &["--input", &text("look"), "--value", "7", "--caller", caller]);
        assert_eq!(exit, 0, "{seen}");
        hex::decode(&seen["output"].as_str().unwrap()[2..]).unwrap()
    };
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    let (by_bob, again) = (look(BOB), look(&format!("0x{BOB_KEY}")));
    assert_eq!(hex::encode(&by_bob[..32]), BOB_KEY);
    assert_eq!((number(&by_bob[64..72]), number(&by_bob[80..88]), number(&again[80..88])), (7, 107, 114));
    assert_eq!(number(&again[112..120]) - number(&by_bob[112..120]), 1_000, "a block a second");
    assert_eq!(u32::from_le_bytes(again[120..].try_into().unwrap()), 7);
}

#[test]
fn a_contract_calls_another() {
    let desk = Desk::new();
    // Input: an account and a message for it. Answers with the return code.
    let relay = desk.file(
        "relay.wat",
        r#"(module
            (import "env" "memory" (memory 1 1))
            (import "seal0" "input" (func $input (param i32 i32)))
            (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
            (import "seal1" "seal_call"
              (func $call (param i32 i32 i64 i32 i32 i32 i32 i32) (result i32)))
            (func (export "deploy"))
            (func (export "call")
              (i32.store (i32.const 0) (i32.const 64))
              (call $input (i32.const 100) (i32.const 0))
              (i32.store (i32.const 200)
                (call $call (i32.const 0) (i32.const 100) (i64.const 0) (i32.const 300)
                  (i32.const 132) (i32.sub (i32.load (i32.const 0)) (i32.const 32))
                  (i32.const 0xffffffff) (i32.const 0)))
              (call $return (i32.const 0) (i32.const 200) (i32.const 4))))"#,
    );
    let (flipper, state) = (fixture("flipper.wat"), desk.path("state.json"));
    let run =
        |file: &str, arguments: &[&str]| answer(&[&["run", file, "--state", &state], arguments].concat());
    let flipped = run(&flipper, &["--deploy", "01"]).1["contract"].clone();
    let relaying = run(&relay, &["--deploy", "0x"]).1["contract"].clone();
    let account = |address: &Value| {
        let address: host_node::keys::Ss58 = address.as_str().unwrap().parse().unwrap();
        hex::encode(address.account.0)
    };
    for (message, code, stored) in
        [("flip", "0x00000000", "0x00"), ("fail", "0x02000000", "0x00"), ("trap", "0x01000000", "0x00")]
    {
        let (exit, relayed) = run(&relay, &["--input", &(account(&flipped) + &text(message))]);
        assert_eq!((exit, &relayed["output"]), (0, &json!(code)), "{message}: {relayed}");
        let called = json!({ "event": "Called", "caller": relaying, "contract": flipped });
        assert_eq!(relayed["events"].as_array().unwrap().contains(&called), message == "flip", "{relayed}");
        assert_eq!(run(&flipper, &["--input", &text("get_")]).1["output"], stored, "{message}");
    }
}

#[test]
fn money_events_and_messages_are_shown() {
    let desk = Desk::new();
    let (token, mirror) = (fixture("erc20.wat"), fixture("mirror.wat"));
    let supply = hex::encode(1_000u64.to_le_bytes());
    let send = |amount: u64| text("xfer") + BOB_KEY + &hex::encode(amount.to_le_bytes());
    let (exit, sent) = answer(&["run", &token, "--deploy", &supply, "--input", &send(30)]);
    assert_eq!(exit, 0, "{sent}");
    let event = &sent["events"][0];
    assert_eq!((&event["event"], &event["contract"]), (&json!("ContractEmitted"), &sent["contract"]));
    assert_eq!(event["topics"][1], format!("0x{BOB_KEY}"));
    assert_eq!(event["data"], format!("0x{}", hex::encode(30u64.to_le_bytes())));
    let values: Vec<_> =
        sent["storage"].as_array().unwrap().iter().map(|entry| entry["value"].clone()).collect();
    for balance in [970u64, 30] {
        assert!(values.contains(&json!(format!("0x{}", hex::encode(balance.to_le_bytes())))), "{values:?}");
    }
    assert_eq!(sent["deployed"]["events"].as_array().unwrap().len(), 2, "its own, and that it was made");
    let (exit, poor) = answer(&["run", &token, "--deploy", &supply, "--input", &send(1_001)]);
    assert_eq!((exit, &poor["output"], &poor["events"]), (1, &json!("0x706f6f72"), &json!([])));

    let pay = text("send") + BOB_KEY + &hex::encode(4u128.to_le_bytes());
    let state = desk.path("state.json");
    answer(&["run", &mirror, "--deploy", "", "--value", "10", "--state", &state]);
    let (_, paid) = answer(&["run", &mirror, "--input", &pay, "--state", &state]);
    assert_eq!(paid["transfers"], json!([{ "from": paid["contract"], "to": BOB, "amount": "4" }]));
    let (_, shown) = contract(&["run", &mirror, "--input", &pay, "--value", "2", "--state", &state]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    for words in ["0.0000004 yuan", "0.0000002 yuan", &format!("to {BOB}")] {
        assert!(shown.contains(words), "{words} is not in\n{shown}");
    }
    let (_, said) = contract(&["run", &mirror, "--input", &text("talk"), "--state", &state]);
    assert!(String::from_utf8(said.stdout).unwrap().contains("hello, world"));
}

#[test]
fn both_engines_say_the_same() {
    let desk = Desk::new();
    let (flipper, mirror, rule) = (fixture("flipper.wat"), fixture("mirror.wat"), high_low());
    let state = desk.path("state.json");
    answer(&["run", &mirror, "--deploy", "", "--state", &state]);
    let reads = text("read");
    for arguments in [
        &["run", &rule, "--input", "33713e62"][..],
        &["run", &rule, "--input", "00", "--gas", "7000100"],
        &["run", &flipper, "--deploy", "01", "--value", "5", "--input", &text("flip")],
        &["run", &flipper, "--deploy", "01", "--input", &text("fail")],
        &["run", &flipper, "--deploy", "01", "--input", &text("trap")],
        &["run", &flipper, "--deploy", "01", "--input", &text("spin"), "--gas", "50000000"],
        &["run", &flipper, "--deploy", ""],
        &["run", &mirror, "--input", &reads, "--contract", ALICE, "--state", &state],
    ] {
        let [first, second] = ["wasmtime", "wasmi"]
            .map(|engine| contract(&[arguments, &["--json", "--engine", engine]].concat()));
        assert_eq!(first.1, second.1, "{arguments:?}");
        assert!(!first.1.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_refusal_has_a_rule_and_a_place() {
    let desk = Desk::new();
    let wat = r#"(module (import "seal0" "input" (func (param i32 i32)))
        (func (export "call")) (func (export "deploy"))
        (func $price i32.const 305419896 drop f32.const 0 drop))"#;
    let (as_text, code) = (desk.file("floats.wat", wat), wat::parse_str(wat).unwrap());
    let as_wasm = desk.file("floats.wasm", &code);
    // Five bytes of i32.const, its operand, and drop stand before the float.
    let marker = [0x41, 0xf8, 0xac, 0xd1, 0x91, 0x01, 0x1a];
    let offset = code.windows(marker.len()).position(|window| window == marker).unwrap() + marker.len();
    for file in [&as_text, &as_wasm] {
        let (exit, found) = answer(&["check", file]);
        assert_eq!((exit, &found["accepted"], &found["bytes"]), (3, &json!(false), &json!(code.len())));
        for (verdict, kind) in found["verdicts"].as_array().unwrap().iter().zip(["pure", "stateful"]) {
            let place = (&verdict["offset"], &verdict["function"], &verdict["function_name"]);
            assert_eq!((&verdict["kind"], &verdict["rule"]), (&json!(kind), &json!("Feature")));
            assert_eq!(place, (&json!(offset), &json!(3), &json!("price")));
        }
        let words = format!("at byte {offset} ({offset:#x}), in function 3 `price`");
        for arguments in [&["check", file][..], &["inspect", file], &["run", file, "--input", ""]] {
            let (exit, output) = contract(arguments);
            let shown = String::from_utf8(output.stdout).unwrap().replace(['\n', '│', '┆', ' '], "");
            assert_eq!(exit, 3);
            assert!(shown.contains(&words.replace(' ', "")), "{arguments:?}: {shown}");
        }
        assert_eq!(answer(&["run", file, "--deploy", ""]).1["verdict"]["offset"], offset);
    }
    for (name, bytes, rule, offset) in [
        ("cut.wasm", &code[..code.len() - 1], "Invalid", true),
        ("noise.bin", &[0xff; 40][..], "Invalid", true),
        ("empty.wasm", b"\0asm\x01\0\0\0", "MissingEntry", false),
        ("large.wasm", &[b"\0asm\x01\0\0\0", &[0; 200_000][..]].concat(), "CodeTooLarge", true),
        ("typo.wat", b"(module (func $a (call $b)))", "Text", false),
        ("prose.txt", b"Dear chain,", "Text", false),
    ] {
        let file = desk.file(name, bytes);
        let (exit, found) = answer(&["check", &file]);
        let verdict = &found["verdicts"][0];
        assert_eq!(
            (exit, &verdict["rule"], verdict["offset"].is_u64()),
            (3, &json!(rule), offset),
            "{found}"
        );
        assert_eq!(answer(&["inspect", &file]).0, 3);
        assert_eq!(answer(&["run", &file, "--input", ""]).0, 3);
    }
    // A name from the file moves no cursor.
    let hostile = desk.file("hostile.wat", "(module (import \"seal0\" \"\\1b[2J\\0aaccepted\" (func)))");
    let (_, output) = contract(&["check", &hostile]);
    assert!(!output.stdout.contains(&0x1b), "{output:?}");
}

#[test]
fn a_file_that_is_no_state_is_refused_by_name() {
    let desk = Desk::new();
    let flipper = fixture("flipper.wat");
    let good = desk.path("good.json");
    answer(&["run", &flipper, "--deploy", "01", "--state", &good]);
    let good = fs::read_to_string(&good).unwrap();
    for (name, bytes, words) in [
        ("garbage.json", "garbage".to_owned(), "expected value"),
        ("other.json", r#"{ "format": "tea", "version": 1 }"#.to_owned(), "its format is \"tea\""),
        ("later.json", good.replace("\"version\": 1", "\"version\": 9"), "its version is 9"),
        ("forged.json", good.replacen("\"0x01", "\"0x02", 1), "its root is"),
        ("cut.json", good[..good.len() / 2].to_owned(), "EOF"),
    ] {
        let state = desk.file(name, &bytes);
        let (exit, error) = error_of(&["run", &flipper, "--input", "", "--state", &state]);
        assert_eq!(exit, 64, "{error}");
        assert!(error.contains(&state) && error.contains(words), "{name}: {error}");
        assert_eq!(fs::read_to_string(&state).unwrap(), bytes, "{name} was touched");
    }
}

#[test]
fn an_artifact_is_inspected() {
    let (exit, found) = answer(&["inspect", &high_low()]);
    let bytes = fs::metadata(high_low()).unwrap().len();
    assert_eq!((exit, &found["kind"], &found["bytes"]), (0, &json!("pure"), &json!(bytes)));
    let imports = found["imports"].as_array().unwrap().iter();
    let imports: Vec<_> =
        imports.map(|import| (&import["module"], &import["name"], &import["service"])).collect();
    assert_eq!(imports[0], (&json!("seal0"), &json!("input"), &json!("Served")));
    let functions = found["functions"].as_array().unwrap();
    let sum: u64 = functions.iter().map(|function| function["bytes"].as_u64().unwrap()).sum();
    assert_eq!(found["body_bytes"], sum);
    assert!(sum < bytes && sum > bytes * 9 / 10, "{sum} of {bytes}");
    assert!(found["instrumented_bytes"].as_u64() > Some(bytes));
    let loops: Vec<_> = functions.iter().map(|function| function["loop_gas"].as_u64().unwrap()).collect();
    assert!(loops.is_sorted_by(|one, next| one >= next) && loops[0] > 0, "{loops:?}");
    let call = found["exports"].as_array().unwrap().iter().find(|export| export["name"] == "call").unwrap();
    assert!(functions.iter().any(|function| function["index"] == call["index"]));
    // The least that a call can cost is what it costs.
    let (_, called) = answer(&["run", &high_low(), "--input", "33713e62"]);
    assert!(called["gas"].as_u64() > found["entry_gas"].as_u64());

    let (_, token) = answer(&["inspect", &fixture("erc20.wat")]);
    assert_eq!((&token["kind"], &token["refusals"]["stateful"]), (&json!("stateful"), &Value::Null));
    assert_eq!(token["refusals"]["pure"]["rule"], "NotPure");
    let names: Vec<_> = token["functions"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert!(names.contains(&&json!("transfer")) && names.contains(&&json!("call")), "{names:?}");
}

#[test]
fn tables_fit_a_terminal() {
    let desk = Desk::new();
    let token = fixture("erc20.wat");
    let long = desk.file(
        "long.wat",
        format!(
            r#"(module (import "env" "memory" (memory 1 1))
                (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
                (func ${0} (export "{0}"))
                (func (export "call") (call $return (i32.const 0) (i32.const 0) (i32.const 600))))"#,
            "name".repeat(200)
        ),
    );
    for arguments in [
        &["check", &token][..],
        &["check", &long],
        &["inspect", &token],
        &["inspect", &long],
        &["inspect", &high_low()],
        &["run", &token, "--deploy", &"01".repeat(8)],
        &["run", &high_low(), "--input", "33713e62"],
        &["run", &long, "--input", ""],
    ] {
        let (exit, output) = contract(arguments);
        let shown = String::from_utf8(output.stdout).unwrap();
        assert_eq!(exit, 0, "{arguments:?}");
        let tables = shown.lines().filter(|line| line.starts_with(['│', '┌', '╞', '└']));
        for line in tables {
            assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
        }
    }
}

#[test]
fn the_commands_of_the_readme_work() {
    let desk = Desk::new();
    for folder in ["contracts", "runtime"] {
        std::os::unix::fs::symlink(repository().join(folder), desk.path(folder)).unwrap();
    }
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let block = readme.split("```console\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(block.lines().count() >= 5, "{block}");
    for line in block.lines() {
        let (command, code) = line.split_once("  # exits ").unwrap_or((line, "0"));
        let words: Vec<&str> = command.split(' ').collect();
        assert_eq!(words[..2], ["busbar", "contract"], "{line}");
        let output = busbar(&words[1..]).current_dir(desk.0.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(code.parse().unwrap()), "{line}: {output:?}");
    }
}

#[test]
fn the_interface_is_listed_from_its_table() {
    let (exit, all) = answer(&["abi", "--all"]);
    assert_eq!((exit, all.as_array().unwrap().len()), (0, 71));
    let (_, served) = answer(&["abi"]);
    assert_eq!(served.as_array().unwrap().len(), 53);
    let (_, one) = answer(&["abi", "seal_return"]);
    let parameters = ["flags", "data_ptr", "data_len"].map(|name| json!({ "name": name, "type": "i32" }));
    assert_eq!(one[0]["parameters"], json!(parameters));
    assert_eq!((&one[0]["pure"], &one[0]["base_gas"]), (&json!(true), &json!(50_000)));
    let (exit, shown) = contract(&["abi", "transfer"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert_eq!(exit, 0);
    for words in
        ["account_ptr: i32", "Refused in a read-only", "5 The sender's balance", "0x42550001 EntityOf"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let (exit, error) = error_of(&["abi", "nosuch"]);
    assert!(exit == 64 && error.contains("nosuch"), "{exit} {error}");
}

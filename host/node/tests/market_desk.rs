//! `busbar market try` and `check` as processes: the oracle's books, the forms a file may have, and the exit codes.
#![allow(clippy::unwrap_used, reason = "tests")]

use contract_interface::Book;
use host_node::rules::NamedBook;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn in_repository(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join(path).display().to_string()
}

/// Runs `busbar market` with a book on standard input.
fn market(arguments: &[&str], book: &Value) -> (i32, Output) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_busbar"))
        .arg("market")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A run that refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(book.to_string().as_bytes());
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), output)
}

fn try_with(rule: &str, book: &Value, more: &[&str]) -> (i32, Value) {
    let rule = in_repository(&format!("contracts/artifacts/{rule}.wasm"));
    let (code, output) = market(&[&["try", "--rule", &rule, "--book", "-", "--json"], more].concat(), book);
    (code, serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}")))
}

fn vectors() -> Value {
    let text = std::fs::read_to_string(in_repository("tests/vectors/auction.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Trades as the oracle writes those of a single-price rule.
fn matches(found: &Value) -> Vec<Value> {
    let one = |trade: &Value| {
        assert_eq!(trade["buy_price"], trade["sell_price"]);
        json!({
            "buy_id": trade["buy_id"], "sell_id": trade["sell_id"],
            "qty": trade["qty"], "price": trade["sell_price"],
        })
    };
    found["trades"].as_array().unwrap().iter().map(one).collect()
}

#[test]
fn the_oracles_books_give_the_oracles_trades() {
    let vectors = vectors();
    for number in [0, 7, 19, 40, 63, 107] {
        let case = &vectors["cases"][number];
        for (rule, oracle) in [("high_low", "high_low"), ("min_spread", "min_spread")] {
            let (code, found) = try_with(rule, &vectors, &["--case", &number.to_string()]);
            assert_eq!((code, &found["referee"]), (0, &json!("pass")), "case {number}: {found}");
            assert_eq!(json!(matches(&found)), case["reference"][oracle], "case {number}, {rule}");
            assert!(found["gas"].as_u64().unwrap() > 0 && found.get("uniform_price").is_none());
            let program = case["pymarket_welfare_lp"]["max_welfare"].as_f64().unwrap();
            assert_eq!(found["optimum"].as_f64().unwrap(), program, "case {number}");
            assert!(found["welfare"].as_i64().unwrap() <= found["optimum"].as_i64().unwrap());
        }
    }
}

#[test]
fn the_worked_example_has_every_figure() {
    let text = std::fs::read_to_string(in_repository("tests/vectors/worked_example.json")).unwrap();
    let (code, found) = try_with("high_low", &serde_json::from_str(&text).unwrap(), &[]);
    assert_eq!(code, 0);
    assert_eq!(found["fills"], json!([[0, 100], [1, 100], [2, 50], [3, 100], [4, 150]]));
    assert_eq!((&found["welfare"], &found["optimum"]), (&json!(425_000), &json!(425_000)));
    assert_eq!(found["rule"], "high-low");
    assert_eq!(
        found["trades"][2],
        json!({ "buy_id": 2, "sell_id": 4, "qty": 50, "buy_price": 4250, "sell_price": 4250 })
    );
}

/// One book, written in all the ways that are understood: fills by id.
#[test]
fn a_file_may_say_it_in_several_ways() {
    let sides = |ids: [Value; 2], more: Value| {
        let mut rows = [
            json!({ "id": ids[0], "side": "buy", "qty": 10, "price": 60 }),
            json!({ "id": ids[1], "side": "sell", "qty": 4, "price": 50 }),
        ];
        for (row, more) in rows.iter_mut().zip(more.as_array().unwrap()) {
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        }
        json!(rows)
    };
    let plain = sides([json!(1), json!(2)], json!([{}, {}]));
    let filled = json!([[1, 4], [2, 4]]);
    let rows = [
        ("no user, no seq", json!({ "orders": plain }), filled.clone()),
        ("a bare list", plain.clone(), filled.clone()),
        ("one case", json!({ "cases": [{ "orders": plain }] }), filled.clone()),
        (
            "users",
            json!({ "orders": sides([json!(1), json!(2)], json!([{"user": "a"}, {"user": "b"}])) }),
            filled.clone(),
        ),
        (
            "one user",
            json!({ "orders": sides([json!(1), json!(2)], json!([{"user": "a"}, {"user": "a"}])) }),
            json!([]),
        ),
        (
            "one number",
            json!({ "orders": sides([json!(1), json!(2)], json!([{"user": 7}, {"user": 7}])) }),
            json!([]),
        ),
        (
            "seqs backwards",
            json!({ "orders": sides([json!(1), json!(2)], json!([{"seq": 9}, {"seq": 3}])) }),
            filled,
        ),
        (
            "ids are names",
            json!({ "orders": sides([json!("x"), json!("y")], json!([{}, {}])) }),
            json!([["x", 4], ["y", 4]]),
        ),
        (
            "floats",
            json!({ "orders": sides([json!(5), json!(-6)], json!([{"qty": 10.0}, {"price": 50.0}])) }),
            json!([[-6, 4], [5, 4]]),
        ),
        (
            "a minimum",
            json!({ "orders": sides([json!(1), json!(2)], json!([{"min_qty": 5}, {}])) }),
            json!([]),
        ),
        (
            "preferences",
            json!({ "orders": sides([json!(1), json!(2)], json!([{"green": true, "partner": "z"}, {"green": false}])) }),
            json!([[1, 4], [2, 4]]),
        ),
    ];
    for (name, book, fills) in rows {
        let (code, found) = try_with("high_low", &book, &[]);
        assert_eq!((code, &found["fills"]), (0, &fills), "{name}: {found}");
    }
    let user = |name: &str| json!({ "orders": sides([json!(1), json!(2)], json!([{"user": name}, {}])) });
    let gas = |book: &Value| try_with("high_low", book, &[]).1["gas"].clone();
    assert_eq!(gas(&user("a")), gas(&user("b")), "a name never reaches the rule");
}

/// The format as it was published, key by key, and every book of the oracles.
#[test]
fn books_in_the_published_format_are_read() {
    let order = |more: Value| {
        let mut order = json!({ "id": 1, "user": "a", "side": "buy", "qty": 10, "price": 60, "seq": 0 });
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        order
    };
    let more = [
        json!({ "min_qty": 10 }),
        json!({ "min_energy": 1 }),
        json!({ "green": true, "auto_confirm": false, "partner": 4 }),
        json!({ "seq": null, "green": null, "partner": null, "id": null }),
    ];
    let mut books = vec![json!({ "orders": [order(json!({}))] })];
    books.extend(more.map(|more| json!({ "orders": [order(more)] })));
    let ops = [
        order(json!({ "op": "new" })),
        json!({ "op": "cancel", "id": 1 }),
        order(json!({ "op": "new", "id": "x", "seq": 3 })),
        json!({ "op": "cancel", "id": "x", "seq": 4, "user": -1, "side": "buy", "qty": 3, "price": "?" }),
        json!({ "op": "cancel", "id": "never there" }),
    ];
    books.push(json!({ "ops": ops }));
    for file in ["auction", "continuous", "worked_example"] {
        let text = std::fs::read_to_string(in_repository(&format!("tests/vectors/{file}.json"))).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        books.extend(
            file.get("cases").map_or_else(|| vec![file.clone()], |cases| cases.as_array().unwrap().clone()),
        );
    }
    assert_eq!(books.len(), 6 + 120 + 120 + 1);
    for book in books {
        let rows = ["orders", "ops"].map(|key| book.get(key).and_then(Value::as_array).map_or(0, Vec::len));
        match NamedBook::read(&book.to_string(), None).unwrap_or_else(|error| panic!("{error}: {book}")).book
        {
            Book::Auction(orders) => assert_eq!([orders.len(), 0], rows),
            Book::Continuous { ops, .. } => assert_eq!([0, ops.len()], rows),
        }
    }
}

#[test]
fn what_is_wrong_is_said() {
    let order = |more: Value| {
        let mut order = json!({ "id": 1, "side": "buy", "qty": 10, "price": 60 });
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        order
    };
    let rows = [
        (json!({}), "it needs \"orders\""),
        (json!({ "cases": [{}, {}] }), "--case N"),
        (json!({ "orders": [order(json!({ "qty": 0 }))] }), "orders 0: \"qty\" is 0"),
        (json!({ "orders": [order(json!({ "qty": 1.5 }))] }), "\"qty\" must be a whole number"),
        (json!({ "orders": [order(json!({ "price": -1 }))] }), "\"price\" must be a whole number"),
        (json!({ "orders": [order(json!({ "side": "up" }))] }), "\"side\" is \"buy\" or \"sell\""),
        (json!({ "orders": [order(json!({})), order(json!({}))] }), "orders 1: id 1 is another order's"),
        (
            json!({ "orders": [order(json!({ "seq": 1 })), order(json!({ "id": 2, "seq": 1 }))] }),
            "seq 1 is another",
        ),
        (json!({ "orders": [order(json!({ "min_qty": 11 }))] }), "more than its 10 Wh"),
        (json!({ "orders": ["x"] }), "is no object"),
        (
            json!({ "orders": [order(json!({ "seq": 5 })), order(json!({ "id": "b" })), order(json!({ "id": "c" }))] }),
            "orders 1: order \"b\" has no \"seq\" and others have",
        ),
        (
            json!({ "orders": [order(json!({ "seq": null })), order(json!({ "id": 7, "seq": 5 }))] }),
            "order 1 has no",
        ),
        (
            json!({ "orders": [order(json!({ "minqty": 5 }))] }),
            "orders 0: order 1 has the key \"minqty\", which nobody reads: an order may have id, user, side, qty, price, \
             seq, min_qty, min_energy, green, auto_confirm, partner",
        ),
        (json!({ "orders": [order(json!({ "op": "new" }))] }), "order 1 has the key \"op\""),
        (
            json!({ "ops": [order(json!({ "op": "new", "limit": 5 }))] }),
            "the key \"limit\", which nobody reads: an order",
        ),
        (
            json!({ "ops": [order(json!({})), { "op": "cancel", "id": 1, "quantity": 4 }] }),
            "ops 1: order 1 has the key \"quantity\", which nobody reads: a cancellation may have op, id, user, side, qty",
        ),
        (json!({ "orders": [order(json!({ "min_qty": 5, "min_energy": 6 }))] }), "are one thing"),
        (
            json!({ "ops": [order(json!({ "seq": 4 })), order(json!({ "id": 2, "seq": 4 }))] }),
            "ops 1: seq 4 after seq 4",
        ),
        (json!({ "ops": [{ "op": 5, "id": 1 }] }), "there are \"new\" and \"cancel\""),
        (json!({ "ops": [], "orders": [] }), "two books"),
        (json!({ "ops": [] }), "the rule clears auctions"),
        (json!({ "ops": [{ "op": "amend", "id": 1 }] }), "there are \"new\" and \"cancel\""),
        (json!({ "ops": [{ "op": "cancel" }] }), "names an \"id\""),
    ];
    let rule = in_repository("contracts/artifacts/high_low.wasm");
    for (book, words) in rows {
        let (code, output) = market(&["try", "--rule", &rule, "--book", "-"], &book);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(code, 64, "{book}: {error}");
        assert!(error.contains(words), "{book}: {error}");
    }
}

#[test]
fn exit_codes_say_how_the_rule_did() {
    let book = json!({ "orders": [
        { "id": 1, "side": "buy", "qty": 10, "price": 60, "green": true },
        { "id": 2, "side": "sell", "qty": 4, "price": 50 },
    ] });
    let bytes: Vec<String> = [
        (evil_clearing(), 4, "Limit"),
        ("unreachable".to_owned(), 2, "Trapped"),
        ("(call $return (i32.const 0) (i32.const 900) (i32.const 3))".to_owned(), 2, "Garbage"),
        ("(call $return (i32.const 1) (i32.const 912) (i32.const 7))".to_owned(), 1, "Refused"),
    ]
    .into_iter()
    .map(|(body, code, name)| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rule.wat");
        std::fs::write(&path, module(&body)).unwrap();
        let path = path.display().to_string();
        let (exit, output) = market(&["try", "--rule", &path, "--book", "-", "--json"], &book);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        assert_eq!(exit, code, "{found}");
        let said = if code == 4 { &found["referee"]["rule"] } else { &found["error"]["rule"] };
        assert_eq!(said, name, "{found}");
        found.to_string()
    })
    .collect();
    assert_eq!(bytes.len(), 4);
    let stateful = in_repository("runtime/execution/tests/contracts_chain/flipper.wat");
    assert_eq!(market(&["try", "--rule", &stateful, "--book", "-"], &book).0, 3);
    assert_eq!(market(&["try", "--rule", "absent.wasm", "--book", "-"], &book).0, 64);
    assert_eq!(market(&["try"], &book).0, 64);
    for kind in ["bid", "settlement"] {
        let rule = in_repository(&format!("contracts/artifacts/{kind}.wasm"));
        let (exit, output) = market(&["try", "--rule", &rule, "--book", "-"], &book);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(exit == 64 && said.contains(&format!("a {kind} rule, which clears no book")), "{said}");
    }
}

/// Returns a clearing that pairs the two orders at 61.
fn evil_clearing() -> String {
    "(call $return (i32.const 0) (i32.const 512) (i32.const 29))".to_owned()
}

/// Answers `describe` as a single-price rule, anything else with `body`.
fn module(body: &str) -> String {
    let description =
        [&[0, 0, 1, 0][..], b"wrong\0\0\0\0\0\0\0\0\0\0\0", &[1, 0, 0, 0, 1, 7, 1, 0, 0, 100, 0, 0, 0]]
            .concat();
    let trade =
        [[0u8, 0, 0, 0].as_slice(), &[1, 0, 0, 0], &[4, 0, 0, 0, 0, 0, 0, 0], &[61, 0, 0, 0], &[61, 0, 0, 0]]
            .concat();
    let clearing = [&[0, 0, 4][..], &trade, &[0, 0]].concat();
    assert_eq!(clearing.len(), 29);
    let text = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    format!(
        r#"(module (import "env" "memory" (memory 2 2))
            (import "seal0" "input" (func $input (param i32 i32)))
            (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
            (data (i32.const 16) "{}") (data (i32.const 512) "{}")
            (data (i32.const 900) "\07\07\07") (data (i32.const 912) "\00\01\03\05\00\00\00")
            (func (export "deploy"))
            (func (export "call")
                (i32.store (i32.const 0) (i32.const 60000))
                (call $input (i32.const 65536) (i32.const 0))
                (if (i32.eq (i32.load (i32.const 65536)) (i32.const 0x623e7133))
                    (then (call $return (i32.const 0) (i32.const 16) (i32.const {}))))
                {body}))"#,
        text(&description),
        text(&clearing),
        description.len(),
    )
}

/// Every line of the READMEs' `console` blocks that begins with these words.
fn documented(words: &str) -> Vec<String> {
    let readmes = ["README.md", "contracts/examples/README.md"]
        .map(|readme| std::fs::read_to_string(in_repository(readme)).unwrap());
    let readmes = readmes.concat();
    let blocks = readmes.split("```console\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.flat_map(str::lines).filter(|line| line.starts_with(words)).map(str::to_owned).collect()
}

#[test]
fn the_documented_lines_do_what_is_said() {
    let (tries, checks) = (documented("busbar market try "), documented("busbar market check "));
    assert_eq!((tries.len(), checks.len()), (3, 2));
    for line in tries.iter().chain(&checks) {
        let words = line.split_whitespace().skip(1);
        let mut command = Command::new(env!("CARGO_BIN_EXE_busbar"));
        let output = command.args(words).current_dir(in_repository("")).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        let words = if line.contains(" try ") {
            ["elfare", "ptimum", "eferee"]
        } else {
            ["Cases", "holds", "referee"]
        };
        for word in words {
            assert!(said.contains(word), "{line}: no {word} in {said}");
        }
    }
}

#[test]
fn a_check_says_what_holds_and_what_does_not() {
    let check = |rule: &str, more: &[&str]| {
        let (code, output) = market(&[&["check", "--rule", rule], more].concat(), &Value::Null);
        (code, String::from_utf8(output.stdout).unwrap())
    };
    let json = |rule: &str, more: &[&str]| -> (i32, Value) {
        let (code, said) = check(rule, &[&["--json", "--cases", "30"], more].concat());
        (code, serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}")))
    };
    let shipped =
        [("high_low", "matching"), ("huang", "matching"), ("bid", "bid"), ("settlement", "settlement")];
    for (rule, kind) in shipped {
        let (code, found) = json(&in_repository(&format!("contracts/artifacts/{rule}.wasm")), &[]);
        assert_eq!((code, &found["kind"], &found["holds"]), (0, &json!(kind), &json!(true)), "{found}");
    }
    let min_spread = in_repository("contracts/artifacts/min_spread.wasm");
    assert_eq!(json(&min_spread, &["--seed", "7"]), json(&min_spread, &["--seed", "7"]), "a seed repeats");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong.wat").display().to_string();
    let property = |found: &Value, name: &str| -> Value {
        let all = found["properties"].as_array().unwrap();
        all.iter().find(|one| one["property"] == name).unwrap_or_else(|| panic!("{name}: {found}")).clone()
    };
    std::fs::write(&path, module("(call $return (i32.const 0) (i32.const 2000) (i32.const 5))")).unwrap();
    let (code, found) = json(&path, &[]);
    let trades = property(&found, "trades where orders cross");
    assert_eq!((code, &found["holds"], &found["never_trades"]), (5, &json!(true), &json!(true)), "{found}");
    let crossed = trades["cases"].as_u64().unwrap();
    assert!(crossed > 10 && trades["note"] == format!("0 of {crossed} books traded"), "{trades}");
    assert_eq!(trades["verdict"], "never trades");
    let (code, said) = check(&path, &["--cases", "5"]);
    assert!(code == 5 && said.contains("NEVER TRADES"), "{said}");
    assert_eq!(check(&path, &["--cases", "1"]).0, 0, "an empty book has nothing to trade");
    let (_, found) = json(&min_spread, &[]);
    let trades = property(&found, "trades where orders cross");
    assert_eq!((&found["never_trades"], &trades["verdict"]), (&json!(false), &json!("holds")));
    assert!(trades["note"].as_str().unwrap().ends_with("books traded"), "{trades}");
    std::fs::write(&path, module(&evil_clearing())).unwrap();
    let (code, found) = json(&path, &[]);
    let failed = |name: &str| property(&found, name)["verdict"] == "fails";
    assert_eq!((code, &found["holds"]), (4, &json!(false)), "{found}");
    assert!(failed("trades are of the book") && failed("passes the referee"), "{found}");
    let (code, said) = check(&path, &["--cases", "5"]);
    assert!(code == 4 && said.contains("FAILS") && said.contains("{\"orders\":[]}"), "{said}");
    let stateful = in_repository("runtime/execution/tests/contracts_chain/flipper.wat");
    assert_eq!(json(&stateful, &[]).0, 3);
    assert_eq!(check("absent.wasm", &[]).0, 64);
    assert_eq!(check(&min_spread, &["--cases", "0"]).0, 64, "no case shows nothing");
    assert_eq!(check(&path, &["--claim", "everything"]).0, 64);
}

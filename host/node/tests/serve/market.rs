//! The README's market, run to the letter: real processes, real sockets, commands alone.

use host_rpc::RemoteNode;
use runtime_primitives::blake2_256;
use serde_json::Value;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The commands of the README's section, on a port of their own.
fn script(port: u16) -> String {
    let readme = include_str!("../../../../README.md");
    let (_, section) = readme.split_once("## Run a market yourself").unwrap();
    let (_, block) = section.split_once("```bash\n").unwrap();
    let (commands, _) = block.split_once("```").unwrap();
    let node = "busbar node";
    assert_eq!(commands.matches(node).count(), 1);
    let commands = commands.replace("127.0.0.1:9944", &format!("127.0.0.1:{port}"));
    let commands = commands.replace(node, &format!("busbar node --rpc 127.0.0.1:{port}"));
    // What the README ends is ended whatever happens, after a look at what came of it.
    let ending = "kill $(jobs -p)";
    let (commands, after) = commands.split_once(ending).unwrap();
    assert_eq!(after.trim(), "");
    let looks = [
        ("eve", "bank balance //Eve"),
        ("ferdie", "bank balance //Ferdie"),
        ("slot", "market status --slot $SLOT"),
        ("bill", "bill //Ferdie --slots $SLOT"),
        ("markets", "market list"),
        ("entity", "entity show //Eve//agent"),
        ("deposit", "entity show //Ferdie"),
        ("market", "market status"),
        ("meters", "meter list --entity //Ferdie"),
        ("spec", "market spec show --market 1"),
    ];
    let looks: String =
        looks.iter().map(|(file, command)| format!("busbar {command} --json > {file}.json\n")).collect();
    let standing = "busbar order standing list --entity //Ferdie --json > standing.json\n\
                    busbar order standing remove 0 --key //Ferdie\n\
                    busbar order standing list --json > none.json\n\
                    busbar order standing set --slots 1..4000000 --period 96 --only 40..59 --accept-fee 0.03 --side sell \
                        --energy 1kWh --price 0.6 --key //Ferdie\n\
                    busbar order standing list --json > masked.json\n";
    // Nobody waits for the first two: each gets the nonce behind what is in the pool.
    let unwaited = "for part in 1 2; do busbar bank deposit //Eve $part --key //Alice --no-wait; done\n\
                    busbar bank deposit //Eve 3 --key //Alice\n\
                    busbar bank balance //Eve --json > richer.json\n";
    // Each is refused by a rule that its words name.
    let refused = "! busbar bank deposit //Eve 1 --key //Bob 2> refused\n\
                   ! busbar market agree street.toml --key //Bob 2> agreed\n\
                   ! busbar order list --slot $SLOT 2> archived\n\
                   ! busbar order confirm --slot $SLOT --key //Ferdie 2> answered\n\
                   ! busbar order place --slot $SLOT --side buy --energy 1kWh --price -1 --key //Ferdie 2> negative\n\
                   ! busbar order place --side buy --energy 1kWh --price 0.6 --key //Bob 2> meterless\n\
                   ! busbar order standing set --slots 1..2 --side buy --energy 1kWh --price 0.6 --key //Ferdie 2> past\n\
                   busbar market wait --slot $SLOT --state open --json 2> passed.json || echo $? > code.json\n\
                   ! busbar market wait --slot 0 2> before\n\
                   ! busbar order place --slot 0 --side buy --energy 1kWh --price 0.67 --key //Eve 2> late\n";
    // Dearer terms are proposed, agreed to by one, and replaced for the same slot.
    let proposals = "sed 's/^retail = .*/retail = \"1.05\"/' street.toml > dearer.toml\n\
                     sed 's/^retail = .*/retail = \"1.06\"/' street.toml > dearest.toml\n\
                     busbar market schedule dearer.toml --from-slot $((SLOT + 4000)) --key //Dave\n\
                     busbar market agree dearer.toml --key //Bob\n\
                     busbar market status\n\
                     busbar market status --json > proposed.json\n\
                     busbar market schedule dearest.toml --from-slot $((SLOT + 4000)) --key //Dave --json > replaced.json\n\
                     ! busbar market agree dearer.toml --key //Charlie 2> replaced\n\
                     busbar market withdraw dearest.toml --key //Dave --json > withdrawn.json\n\
                     busbar market status --json > after.json\n\
                     ! busbar market withdraw dearest.toml --key //Dave 2> withdrawn\n";
    format!("set -eu\ntrap '{ending}' EXIT\n{commands}\n{looks}{standing}{unwaited}{refused}{proposals}")
}

fn json(folder: &Path, name: &str) -> Value {
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What an entity has, free and held, in units.
fn money(balance: &Value) -> u128 {
    let units = |name: &str| balance[name].as_str().unwrap().replace('.', "").parse::<u128>().unwrap();
    units("free") + units("held")
}

/// What a script sees of dearer terms that one party has agreed to, and of those that took their place.
fn proposals(market: &Value, replacing: &Value) {
    let proposed = market["schedule"].as_array().unwrap().last().unwrap();
    let change = serde_json::json!([{ "key": "rates.retail", "before": "1.00", "after": "1.05" }]);
    assert_eq!((&proposed["standing"], &proposed["changes"]), (&"waiting".into(), &change), "{proposed}");
    let answers = proposed["answers"].as_array().unwrap();
    let told =
        |answer: &Value| [&answer["entity"], &answer["as"], &answer["answer"]].map(ToString::to_string);
    assert_eq!(
        answers.iter().map(told).collect::<Vec<_>>(),
        [["2", "[\"retailer\"]", "\"agreed\""], ["3", "[\"grid\",\"meter_operator\"]", "\"none yet\""]]
    );
    assert!(answers[0]["agreed_at"].is_string() && answers[1]["agreed_at"].is_null(), "{proposed}");
    let replaced = &replacing["replaces"][0];
    assert_eq!(
        (&replaced["terms_hash"], &replaced["void_answers"]),
        (&proposed["terms_hash"], &serde_json::json!([2]))
    );
    let events = replacing["events"].as_array().unwrap();
    assert!(events.iter().any(|event| event["event"] == "Markets.TermsReplaced"), "{replacing}");
}

#[test]
fn the_readmes_market_runs_by_commands_alone() {
    let folder = TempDir::new().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let program = Path::new(env!("CARGO_BIN_EXE_busbar")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let Output { status, stdout, stderr } = Command::new("bash")
        .args(["-c", &script(port)])
        .env("PATH", path)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (said, errors) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{said}\n{errors}");
    let rows = said.lines().filter(|line| line.starts_with(['│', '┌']));
    assert!(rows.clone().count() > 20 && rows.clone().all(|row| row.chars().count() <= 100), "{said}");

    let read = |name| json(folder.path(), name);
    assert_eq!(money(&read("eve")), 1_003_350_000, "{said}\n{errors}");
    assert_eq!(money(&read("ferdie")), 996_650_000, "{said}\n{errors}");
    let bill = read("bill");
    let adjustment = bill["lines"].as_array().unwrap().last().unwrap();
    let evidence = blake2_256(&std::fs::read(folder.path().join("report.txt")).unwrap()).to_string();
    let told = ["kind", "amount", "evidence"].map(|name| adjustment[name].as_str().unwrap());
    assert_eq!(told, ["adjustment", "0.0100000", &evidence]);
    assert_eq!((&adjustment["adjustment"], &adjustment["trade"]), (&1.into(), &0.into()));
    assert!(said.contains(&format!("reason 1, evidence {evidence}")), "{said}");
    assert_eq!(money(&read("richer")), 1_003_350_000 + 60_000_000, "{said}\n{errors}");
    assert_eq!(read("slot")["state"], "Settled");
    let deposit = &read("deposit")["deposits"][0];
    assert_eq!((&deposit["held"], &deposit["needed"]), (&"4.0000000".into(), &"4.0000000".into()));
    assert_eq!(read("market")["prefunding"]["held"], "3.2000000");
    let markets = read("markets");
    assert_eq!(
        (&markets[0]["matching"], &markets[1]["matching"]),
        (&"high-low".into(), &"min-spread".into())
    );
    assert_eq!(markets[1]["schedule"].as_array().unwrap().len(), 2);
    let (entity, scopes) = (read("entity"), serde_json::json!(["bid", "confirm", "vote"]));
    let keys = entity["keys"].as_array().unwrap();
    assert!(entity["entity"] == 5 && keys.iter().any(|key| key["scopes"] == scopes), "{entity}");
    let standing = &read("standing")["standing"][0];
    assert_eq!((&standing["energy_wh"], &standing["side"]), (&100.into(), &"buy".into()), "{standing}");
    assert_eq!(standing["last_slot"].as_u64().unwrap() - standing["first_slot"].as_u64().unwrap(), 60);
    assert_eq!(read("none")["standing"].as_array().unwrap().len(), 0);
    let masked = &read("masked")["standing"][0];
    assert_eq!(
        (masked["mask"]["slots"][0].as_u64(), masked["mask"]["period"].as_u64()),
        (Some(40), Some(96))
    );
    assert_eq!(masked["accept_within"]["buyer_fee"], "0.0300", "{masked}");
    assert_eq!(masked["accept_within"]["other_rules"], false);
    assert_eq!(read("meters")[0]["import_wh"], 500);
    assert!(read("spec")["spec"].as_str().unwrap().contains("matching = \"min-spread\""));
    let refused = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
    for (name, told) in [
        ("refused", "wrong role: the call needs bank, the entity has retailer"),
        ("archived", "its orders are in the archive"),
        ("agreed", "entity 2 has agreed to terms"),
        ("late", "market 0 has no slot 0; its first is"),
        ("before", "market 0 has no slot 0; its first is"),
        ("answered", "is Settled: its trades took effect or were cancelled"),
        ("negative", "price -1 is outside [0."),
        ("meterless", "busbar meter add --entity 2 --market 0"),
        ("past", "is for no slot that is still to open: its last is 2"),
        ("replaced", "they were replaced, or lapsed"),
        ("withdrawn", "they were replaced, or lapsed"),
    ] {
        assert!(refused(name).contains(told), "{name}: {}", refused(name));
    }
    for told in [
        "  retailer (entity 2): no answer yet; the market waits",
        "  grid, meter_operator (entity 3): no answer yet; the terms lapse when slot",
        "  rates.retail: 1.00 -> 1.05",
        "  retailer (entity 2): agreed at 2",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let (passed, code) = (read("passed"), read("code"));
    assert_eq!((&passed["error"]["rule"], code), (&"Client.Passed".into(), 4.into()));
    assert!(
        passed["error"]["message"].as_str().unwrap().contains("is Settled: it is beyond Open"),
        "{passed}"
    );
    proposals(&read("proposed"), &read("replaced"));
    let (withdrawn, after) = (read("withdrawn"), read("after"));
    let left = after["schedule"].as_array().unwrap();
    assert!(left.iter().all(|known| known["terms_hash"] != withdrawn["terms_hash"]), "{after}");
    assert_eq!(left.len() + 1, read("proposed")["schedule"].as_array().unwrap().len(), "{after}");
    assert!(
        RemoteNode::at(&format!("http://127.0.0.1:{port}")).unwrap().best().is_err(),
        "the node has ended"
    );
}

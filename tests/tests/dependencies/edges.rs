//! Which crate may name which: the table of ARCHITECTURE.md, and the rules that no edit of the table can lift.
//!
//! A crate exists because it forbids something; here is where it does.

use crate::metadata::{Edge, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// What a row of the table grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The row says "anything".
    Anything,
    /// The names in backticks: folders of crates and names of libraries.
    Only(BTreeSet<String>),
}

/// The table: a grant for each crate's folder.
pub type Table = BTreeMap<String, Grant>;

/// Head of the table in ARCHITECTURE.md.
const TABLE_HEAD: &str = "| crate | may depend on |";

/// Libraries that one crate owns, by prefix of their names. `tests` may compare against anything.
const OWNED: &[(&str, &str)] = &[
    ("wasmtime", "runtime/vm"),
    ("wasmi", "runtime/vm"),
    ("redb", "host/storage"),
    ("commonware", "host/consensus"),
];

/// Read the table of a document. A first cell may name several crates.
///
/// # Panics
/// If the document has no such table.
pub fn table(document: &str) -> Table {
    let mut lines = document.lines().skip_while(|line| line.trim() != TABLE_HEAD);
    assert!(lines.next().is_some(), "no table `{TABLE_HEAD}`");
    let mut table = Table::new();
    for line in lines.skip(1).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let [crates, grant] = cells.as_slice() else { panic!("not two cells: {line}") };
        let grant = match grant.trim() {
            "anything" => Grant::Anything,
            _ => Grant::Only(spans(grant).collect()),
        };
        for folder in spans(crates) {
            let again = table.insert(folder, grant.clone());
            assert!(again.is_none(), "two rows for one crate: {line}");
        }
    }
    table
}

fn spans(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// Edges that the table does not grant, crates without a row, rows without a crate.
pub fn against_table(table: &Table, crates: &[String], edges: &[Edge]) -> Vec<String> {
    let known: BTreeSet<&String> = crates.iter().collect();
    let without_row = crates.iter().filter(|folder| !table.contains_key(*folder));
    let without_crate = table.keys().filter(|folder| !known.contains(folder));
    let refused =
        edges.iter().filter(|edge| edge.kind != Kind::Dev).filter(|edge| match table.get(&edge.from) {
            Some(Grant::Only(names)) => !names.contains(&edge.to),
            Some(Grant::Anything) | None => false,
        });
    let mut wrong: Vec<String> = without_row.map(|folder| format!("{folder}: no row in the table")).collect();
    wrong.extend(without_crate.map(|folder| format!("{folder}: a row without a crate")));
    wrong.extend(refused.map(|edge| format!("{} -> {}: not in its row", edge.from, edge.to)));
    wrong
}

/// Edges that break a rule of the rings, whatever the table says.
pub fn against_rings(edges: &[Edge]) -> Vec<String> {
    let refused = edges.iter().filter_map(|edge| Some((edge, refusal(edge)?)));
    refused.map(|(edge, why)| format!("{} -> {}: {why}", edge.from, edge.to)).collect()
}

fn refusal(edge: &Edge) -> Option<&'static str> {
    let Edge { from, to, kind } = edge;
    let ring = |folder: &str| folder.split_once('/').map(|(ring, _)| ring.to_owned()).unwrap_or_default();
    let is_rule = |folder: &str| {
        ring(folder) == "contracts" && !["contracts/interface", "contracts/sdk"].contains(&folder)
    };
    if to == "tests" || ring(to) == "tests" {
        return Some("nothing depends on the tests or the benchmarks");
    }
    if from == "tests" {
        return None;
    }
    if OWNED.iter().any(|(library, owner)| owns(library, to) && from != owner) {
        return Some("only its owner names this library");
    }
    match (ring(from).as_str(), ring(to).as_str()) {
        _ if *kind == Kind::Dev => None,
        ("runtime" | "contracts", "host") => Some("the state transition does not know its host"),
        ("runtime", "contracts") if to != "contracts/interface" => {
            Some("no market contract is named in runtime")
        }
        ("contracts", "runtime") if to != "runtime/primitives" => Some("a contract knows only the nouns"),
        ("contracts", "contracts") if is_rule(to) => Some("contracts never name each other"),
        _ => None,
    }
}

/// Whether a package is the library or one of its family: `redb`, `redb-derive`.
fn owns(library: &str, package: &str) -> bool {
    package.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

fn edge(from: &str, to: &str, kind: Kind) -> Edge {
    Edge { from: from.to_owned(), to: to.to_owned(), kind }
}

#[test]
fn the_table_is_read() {
    let document = "# A\n\n| crate | may depend on |\n|---|---|\n| `a/b`, `a/c` | `x`, and for tests `y/z` |\n| `d` | anything |\n\n| e |\n";
    let only = Grant::Only(["x", "y/z"].map(str::to_owned).into());
    let expected = [("a/b", only.clone()), ("a/c", only), ("d", Grant::Anything)]
        .map(|(row, grant)| (row.to_owned(), grant));
    assert_eq!(table(document), Table::from(expected));
}

#[test]
fn an_edge_that_the_table_does_not_grant_is_refused() {
    let table =
        table("| crate | may depend on |\n|---|---|\n| `a` | `b`, `x` |\n| `b` | anything |\n| `c` | – |\n");
    let crates = ["a", "b", "c"].map(str::to_owned);
    let rows = [
        (edge("a", "b", Kind::Normal), 0),
        (edge("a", "x", Kind::Build), 0),
        (edge("a", "y", Kind::Normal), 1),
        (edge("a", "y", Kind::Build), 1),
        (edge("a", "y", Kind::Dev), 0),
        (edge("b", "y", Kind::Normal), 0),
        (edge("c", "x", Kind::Normal), 1),
    ];
    for (edge, wrong) in rows {
        assert_eq!(against_table(&table, &crates, std::slice::from_ref(&edge)).len(), wrong, "{edge:?}");
    }
    assert_eq!(against_table(&table, &crates[..2], &[]), ["c: a row without a crate"]);
    assert_eq!(
        against_table(&table, &[&crates[..], &["d".to_owned()]].concat(), &[]),
        ["d: no row in the table"]
    );
}

#[test]
fn an_edge_against_the_rings_is_refused_whatever_the_table_says() {
    let rows = [
        ("runtime/vm", "wasmtime", Kind::Normal, true),
        ("runtime/execution", "wasmtime", Kind::Normal, false),
        ("runtime/execution", "wasmi_core", Kind::Dev, false),
        ("host/node", "wasmi", Kind::Normal, false),
        ("host/storage", "redb", Kind::Normal, true),
        ("host/node", "redb", Kind::Normal, false),
        ("host/node", "redbull", Kind::Normal, true),
        ("host/consensus", "commonware-consensus", Kind::Normal, true),
        ("host/node", "commonware-p2p", Kind::Build, false),
        ("tests", "redb", Kind::Normal, true),
        ("tests", "host/node", Kind::Normal, true),
        ("host/node", "tests", Kind::Dev, false),
        ("tests", "tests/benches", Kind::Dev, false),
        ("runtime/execution", "host/storage", Kind::Normal, false),
        ("runtime/execution", "host/storage", Kind::Dev, true),
        ("runtime/execution", "contracts/interface", Kind::Normal, true),
        ("runtime/execution", "contracts/bid", Kind::Normal, false),
        ("contracts/bid", "contracts/sdk", Kind::Normal, true),
        ("contracts/bid", "contracts/settlement", Kind::Normal, false),
        ("contracts/sdk", "contracts/bid", Kind::Normal, false),
        ("contracts/bid", "runtime/primitives", Kind::Normal, true),
        ("contracts/bid", "runtime/vm", Kind::Normal, false),
        ("contracts/bid", "runtime/vm", Kind::Dev, true),
        ("host/node", "runtime/execution", Kind::Normal, true),
    ];
    for (from, to, kind, is_granted) in rows {
        assert_eq!(
            against_rings(&[edge(from, to, kind)]).is_empty(),
            is_granted,
            "{from} -> {to} ({kind:?})"
        );
    }
}

//! What the crates depend on, compared with ARCHITECTURE.md and `deny.toml`.
//!
//! Cargo's own description of the workspace is the witness; prose about dependencies is never believed.

mod edges;
mod licences;
mod metadata;

use std::collections::BTreeSet;

const ARCHITECTURE: &str = "ARCHITECTURE.md";

fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn edges_are_those_of_the_table() {
    let (crates, edges) = metadata::workspace();
    assert!(crates.len() > 10 && edges.len() > 20, "Cargo's description of the workspace is not whole");
    none(edges::against_table(&edges::table(&metadata::read(ARCHITECTURE)), &crates, &edges));
}

#[test]
fn edges_point_inwards_and_owned_libraries_have_one_owner() {
    none(edges::against_rings(&metadata::workspace().1));
}

/// A made-up edge added to the real ones is refused: the two tests above can fail.
#[test]
fn a_forbidden_edge_among_the_real_ones_is_refused() {
    let (crates, edges) = metadata::workspace();
    let table = edges::table(&metadata::read(ARCHITECTURE));
    for (from, to) in [("contracts/bid", "host/storage"), ("runtime/state", "wasmtime"), ("host/rpc", "redb")]
    {
        let forged =
            metadata::Edge { from: from.to_owned(), to: to.to_owned(), kind: metadata::Kind::Normal };
        let with_forged = [edges.as_slice(), std::slice::from_ref(&forged)].concat();
        let refused =
            |wrong: Vec<String>| wrong.iter().any(|line| line.starts_with(&format!("{from} -> {to}:")));
        assert!(refused(edges::against_table(&table, &crates, &with_forged)), "by the table: {forged:?}");
        assert!(refused(edges::against_rings(&with_forged)), "by the rings: {forged:?}");
    }
}

/// Rivals of the VM are compared with in `tests/benches`, whose licences and versions are its own affair.
#[test]
fn no_rival_is_built_with_the_workspace() {
    let manifest: toml::Table =
        metadata::read("tests/benches/Cargo.toml").parse().expect("the benchmarks' manifest is TOML");
    assert!(manifest.contains_key("workspace"), "the benchmarks are a workspace of their own");
    let named = manifest["dependencies"].as_table().expect("what the benchmarks compare with");
    let rivals = ["cosmwasm", "wasmer"];
    let is_rival = |name: &str| rivals.iter().any(|rival| name.starts_with(rival));
    assert!(named.keys().any(|name| is_rival(name)), "the benchmarks have a rival");
    let packages = metadata::all_packages();
    let built = packages.iter().filter(|package| is_rival(&package.name) || package.name == "busbar-benches");
    none(built.map(|package| format!("{}: a rival, built with the workspace", package.name)).collect());
}

/// STYLE: a new dependency gets a sentence, and one that nobody names any more leaves the manifest.
#[test]
fn every_library_has_a_sentence_and_a_user() {
    let (crates, edges) = metadata::workspace();
    let named: BTreeSet<&str> = edges.iter().map(|edge| edge.to.as_str()).collect();
    let document = metadata::read(ARCHITECTURE);
    let (_, section) = document.split_once("\n## Libraries\n").expect("a section about the libraries");
    let section = section.split("\n## ").next().unwrap_or_default();
    let described: BTreeSet<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("- "))
        .filter_map(|line| line.split_once(": "))
        .flat_map(|(names, _)| names.split('`').skip(1).step_by(2))
        .collect();

    let manifest: toml::Table = metadata::read("Cargo.toml").parse().expect("the workspace manifest is TOML");
    let declared = manifest["workspace"]["dependencies"].as_table().expect("shared versions");
    let libraries = declared.iter().filter(|(_, value)| value.get("path").is_none());
    let unused = libraries.filter(|(name, _)| !named.contains(name.as_str()));
    let mut wrong: Vec<String> =
        unused.map(|(name, _)| format!("{name}: declared, and named by no crate")).collect();

    let libraries = named.iter().filter(|name| !crates.iter().any(|folder| folder == *name));
    let silent = libraries.filter(|name| !described.contains(*name));
    wrong.extend(silent.map(|name| format!("{name}: no sentence in {ARCHITECTURE}")));
    wrong.extend(
        described.difference(&named).map(|name| format!("{name}: a sentence, and no crate names it")),
    );
    none(wrong);
}

#[test]
fn every_licence_is_allowed_and_every_source_is_the_registry() {
    let packages = metadata::all_packages();
    assert!(packages.len() > 50, "Cargo's description of the packages is not whole");
    let policy = licences::Policy::read(&metadata::read("deny.toml"));
    let copyleft =
        policy.allowed.iter().chain(policy.exceptions.values().flatten()).filter(|name| name.contains("GPL"));
    assert_eq!(copyleft.collect::<Vec<_>>(), [""; 0], "no GPL of any kind");
    none([policy.refused(&packages), licences::foreign_sources(&packages)].concat());
}

//! The rules of STYLE that a machine can check, over every file of the repository.
//!
//! A rule is a function from files to complaints, and each is shown a bad sample that it must catch: a rule that
//! cannot fail protects nothing.

mod markdown;
mod reach;
mod sizes;
mod source;
mod tree;
mod words;

use source::Source;
use std::collections::BTreeSet;

/// Every Rust file, test modules marked, and the complaints about dead ones.
fn sources() -> (Vec<Source>, Vec<String>) {
    let paths = tree::paths();
    let manifests: Vec<(String, String)> = paths
        .iter()
        .filter(|path| path.as_str() == "Cargo.toml" || path.ends_with("/Cargo.toml"))
        .map(|path| (path.clone(), tree::read(path)))
        .collect();
    let rust = paths.iter().filter(|path| tree::has_extension(path, "rs"));
    let mut sources: Vec<Source> = rust.map(|path| Source::new(path, &tree::read(path))).collect();
    assert!(sources.len() > 20 && manifests.len() > 10, "the listing of the repository is not whole");
    let dead = reach::dead_files(&mut sources, &manifests);
    (sources, dead)
}

/// Markdown files with their text.
fn documents() -> Vec<(String, String)> {
    let paths = tree::paths().into_iter().filter(|path| tree::has_extension(path, "md"));
    paths.map(|path| (path.clone(), tree::read(&path))).collect()
}

fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn every_rust_file_opens_with_a_header() {
    none(sizes::headers(&sources().0));
}

#[test]
fn files_are_short() {
    none(sizes::files(&sources().0));
}

#[test]
fn functions_are_short() {
    none(sizes::functions(&sources().0));
}

#[test]
fn no_file_is_dead() {
    none(sources().1);
}

#[test]
fn no_banned_word_is_in_code() {
    none(words::in_sources(&sources().0));
}

#[test]
fn no_banned_word_is_in_documents_and_scripts() {
    let is_text = |path: &&String| {
        let extensions = ["md", "toml", "sh", "txt", "yml", "yaml", "wat"];
        extensions.iter().any(|extension| tree::has_extension(path, extension))
            || path.starts_with("scripts/")
            || path.starts_with(".ci/")
    };
    let paths = tree::paths();
    none(paths.iter().filter(is_text).flat_map(|path| words::in_text(path, &tree::read(path))).collect());
}

#[test]
fn no_file_has_an_empty_name() {
    none(words::empty_names(&sources().0));
}

#[test]
fn documents_have_titles_and_name_what_exists() {
    let files: BTreeSet<String> = tree::paths().into_iter().collect();
    let documents = documents();
    for required in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        assert!(files.contains(required), "{required} is missing");
    }
    let complaints = documents.iter().flat_map(|(path, text)| {
        [
            markdown::title(path, text),
            markdown::paths(path, text, &files),
            markdown::scripts(path, text, &files),
        ]
        .concat()
    });
    none(complaints.collect());
}

#[test]
fn the_readme_has_two_commands_and_they_are_executed() {
    assert_eq!(markdown::commands(&tree::read("README.md")), markdown::README_COMMANDS);
    assert!(tree::read(".ci/run").contains("README.md"), ".ci/run takes the commands from the README");

    // `cargo run` needs one binary to choose: the default member's.
    let workspace: toml::Table = tree::read("Cargo.toml").parse().expect("the workspace manifest parses");
    let members = workspace["workspace"]["default-members"].as_array().expect("default-members");
    let [member] = members.as_slice() else {
        panic!("one default member, so that `cargo run` finds it: {members:?}")
    };
    let member = member.as_str().expect("a path");
    let package: toml::Table =
        tree::read(&format!("{member}/Cargo.toml")).parse().expect("its manifest parses");
    assert_eq!(package["package"]["default-run"].as_str(), Some("busbar"));
}

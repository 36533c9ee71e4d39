//! Words that must not be written, each with what to write instead.
//!
//! Words that are banned from text and not only from code are spelled here in two halves: this file is text too.

use crate::source::{Source, occurrences};
use std::path::Path;

/// Where a word is banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    /// Shipped and test code of every crate.
    Code,
    /// Shipped code of every crate.
    ShippedCode,
    /// Shipped code of the rings whose result must be the same everywhere.
    Deterministic,
    /// The text of every file, documents and scripts included.
    Text,
}

struct Ban {
    word: &'static str,
    place: Where,
    instead: &'static str,
}

const fn ban(word: &'static str, place: Where, instead: &'static str) -> Ban {
    Ban { word, place, instead }
}

const BANS: &[Ban] = &[
    ban(".unwrap()", Where::ShippedCode, "`expect` with why it cannot fail, or an error"),
    ban("dbg!", Where::Code, "`tracing`, or nothing"),
    ban("todo!", Where::Code, "the code, or an error that says it is not supported"),
    ban("unimplemented!", Where::Code, "the code, or an error that says it is not supported"),
    ban(
        "verify_batch_deterministic",
        Where::Code,
        "`Statement::verify`: it accepts pairs of invalid signatures",
    ),
    ban("HashMap", Where::Deterministic, "`BTreeMap`: the order of a hash map differs from run to run"),
    ban("HashSet", Where::Deterministic, "`BTreeSet`: the order of a hash set differs from run to run"),
    ban("SystemTime", Where::Deterministic, "the block's timestamp"),
    ban("Instant", Where::Deterministic, "nothing: time is measured in the host"),
    ban("std::env", Where::Deterministic, "a parameter"),
    ban("std::fs", Where::Deterministic, "bytes handed in by the host"),
    ban("std::net", Where::Deterministic, "bytes handed in by the host"),
    ban("OsRng", Where::Deterministic, "a generator handed in by the host"),
    ban("thread_rng", Where::Deterministic, "a generator handed in by the host"),
    ban("f32", Where::Deterministic, "an integer with a unit"),
    ban("f64", Where::Deterministic, "an integer with a unit"),
    ban(concat!("TO", "DO"), Where::Text, "an issue with an owner"),
    ban(concat!("FIX", "ME"), Where::Text, "an issue with an owner"),
    ban(concat!("XX", "X"), Where::Text, "an issue with an owner"),
    ban(concat!("/wo", "rk/"), Where::Text, "a path relative to the repository"),
    ban(concat!("/ro", "ot/"), Where::Text, "a path relative to the repository"),
    ban(concat!("/fa", "rm/"), Where::Text, "a path relative to the repository"),
    ban(concat!("/ho", "me/"), Where::Text, "a path relative to the repository, or `$HOME`"),
    ban(concat!("crates", ".io"), Where::Text, "the package's name alone"),
    ban(concat!("pypi", ".org"), Where::Text, "the package's name alone"),
    ban(concat!("npmjs", ".com"), Where::Text, "the package's name alone"),
    ban(concat!("deb.debian", ".org"), Where::Text, "the package's name alone"),
];

/// A ban lifted under a path, with the reason. One that lifts nothing is an error.
struct Exception {
    under: &'static str,
    word: &'static str,
    reason: &'static str,
}

const EXCEPTIONS: &[Exception] = &[Exception {
    under: "runtime/state/",
    word: "HashMap",
    reason: "hashbrown's, for point lookups in hot paths; clippy bans walking through it",
}];

/// File and module names that say nothing; the thing inside has a noun.
const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "misc", "util", "utils"];

/// Banned words in Rust files.
pub fn in_sources(sources: &[Source]) -> Vec<String> {
    sources_but(sources, EXCEPTIONS)
}

fn sources_but(sources: &[Source], exceptions: &[Exception]) -> Vec<String> {
    let mut used = vec![false; exceptions.len()];
    let mut wrong = Vec::new();
    for source in sources {
        for ban in BANS {
            for at in occurrences(searched(source, ban.place), ban.word) {
                let excuse = exceptions.iter().position(|lifted| {
                    lifted.word == ban.word
                        && source.path.starts_with(lifted.under)
                        && !lifted.reason.is_empty()
                });
                match excuse {
                    Some(entry) => used[entry] = true,
                    None => wrong.push(verdict(&source.path, source.line_of(at), ban)),
                }
            }
        }
    }
    let stale = exceptions.iter().zip(used).filter(|(_, used)| !used);
    wrong.extend(stale.map(|(lifted, _)| format!("{}: `{}` needs no exception", lifted.under, lifted.word)));
    wrong
}

fn searched(source: &Source, place: Where) -> &str {
    let deterministic = ["runtime/", "contracts/"].iter().any(|ring| source.path.starts_with(ring));
    match place {
        Where::Text => &source.text,
        Where::Code => &source.code,
        Where::ShippedCode => source.shipped(),
        Where::Deterministic if deterministic => source.shipped(),
        Where::Deterministic => "",
    }
}

/// Banned words in a file that is not Rust.
pub fn in_text(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for ban in BANS.iter().filter(|ban| ban.place == Where::Text) {
        for at in occurrences(text, ban.word) {
            wrong.push(verdict(path, 1 + text[..at].matches('\n').count(), ban));
        }
    }
    wrong
}

fn verdict(path: &str, line: usize, ban: &Ban) -> String {
    format!("{path}:{line}: `{}` is banned; write {}", ban.word, ban.instead)
}

/// Files and folders of Rust code with a name that says nothing.
pub fn empty_names(sources: &[Source]) -> Vec<String> {
    let empty = |part: &str| EMPTY_NAMES.contains(&part);
    let mut wrong = Vec::new();
    for Source { path, code, .. } in sources {
        let parts = Path::new(path).with_extension("");
        if parts.iter().any(|part| empty(&part.to_string_lossy())) {
            wrong.push(format!("{path}: a name that says nothing; call it after the thing inside"));
        }
        for name in EMPTY_NAMES.iter().filter(|name| !occurrences(code, &format!("mod {name}")).is_empty()) {
            wrong.push(format!("{path}: `mod {name}` says nothing; call it after the thing inside"));
        }
    }
    wrong
}

#[test]
fn every_banned_word_is_caught_where_it_is_banned() {
    for ban in BANS {
        let code = format!("//! A.\nfn f() {{ {} }}\n", ban.word);
        let tests = format!("//! A.\n#[cfg(test)]\nmod tests {{ {} }}\n", ban.word);
        let comment = format!("//! A.\n// {}\n", ban.word);
        let caught = |path: &str, text: &str| !sources_but(&[Source::new(path, text)], &[]).is_empty();
        let place = ban.place;
        let rows = [
            ("runtime/a/src/b.rs", &code, true),
            ("contracts/a/src/b.rs", &code, true),
            ("host/a/src/b.rs", &code, place != Where::Deterministic),
            ("runtime/a/src/b.rs", &tests, matches!(place, Where::Code | Where::Text)),
            ("runtime/a/src/b.rs", &comment, place == Where::Text),
            ("runtime/a/tests/b.rs", &code, matches!(place, Where::Code | Where::Text)),
        ];
        for (path, text, expected) in rows {
            assert_eq!(caught(path, text), expected, "{} in {path}: {text}", ban.word);
        }
        assert_eq!(!in_text("README.md", &comment).is_empty(), place == Where::Text, "{}", ban.word);
    }
}

#[test]
fn a_longer_word_is_another_word() {
    let source =
        Source::new("runtime/a/src/b.rs", "//! A.\nfn f() { Instantiate; MyHashMap; unwrap_or(0); }\n");
    assert_eq!(sources_but(&[source], &[]), [""; 0]);
}

#[test]
fn an_exception_lifts_one_word_under_one_path_and_must_be_needed() {
    let source = |path: &str| Source::new(path, "//! A.\nfn f() { HashMap; }\n");
    let lifted = |reason| [Exception { under: "runtime/a/", word: "HashMap", reason }];
    assert_eq!(sources_but(&[source("runtime/a/src/b.rs")], &lifted("point lookups")), [""; 0]);
    assert_eq!(sources_but(&[source("runtime/b/src/b.rs")], &lifted("point lookups")).len(), 2);
    assert_eq!(sources_but(&[source("runtime/a/src/b.rs")], &lifted("")).len(), 2, "no reason, no exception");
}

#[test]
fn a_name_that_says_nothing_is_caught() {
    let rows = [
        ("host/node/src/utils.rs", "//! A.\n", 1),
        ("host/node/src/helpers/clock.rs", "//! A.\n", 1),
        ("host/node/src/lib.rs", "//! A.\npub mod common;\n", 1),
        ("host/node/src/clock.rs", "//! A.\nmod commonware;\n", 0),
    ];
    for (path, text, wrong) in rows {
        assert_eq!(empty_names(&[Source::new(path, text)]).len(), wrong, "{path}");
    }
}

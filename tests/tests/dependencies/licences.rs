//! Licences and sources of every package against `deny.toml`.
//!
//! The file is `cargo-deny`'s; this is the part of it that needs no network and no further tool.

use crate::metadata::Package;
use std::collections::{BTreeMap, BTreeSet};

/// What `deny.toml` allows.
#[derive(Debug, Default)]
pub struct Policy {
    /// Licences that any package may have.
    pub allowed: BTreeSet<String>,
    /// Further licences of single packages.
    pub exceptions: BTreeMap<String, BTreeSet<String>>,
}

impl Policy {
    /// Read `[licenses]` of `deny.toml`.
    ///
    /// # Panics
    /// If the file has another shape.
    pub fn read(text: &str) -> Self {
        let file: toml::Table = text.parse().expect("deny.toml is TOML");
        let licenses = &file["licenses"];
        let names = |value: &toml::Value| -> BTreeSet<String> {
            let names = value.as_array().expect("a list of licences").iter();
            names.map(|name| name.as_str().expect("a licence's name").to_owned()).collect()
        };
        let exceptions = licenses.get("exceptions").and_then(toml::Value::as_array).into_iter().flatten();
        Self {
            allowed: names(&licenses["allow"]),
            exceptions: exceptions
                .map(|entry| {
                    (entry["crate"].as_str().expect("a package's name").to_owned(), names(&entry["allow"]))
                })
                .collect(),
        }
    }

    /// Packages whose licence is not allowed, and exceptions that no package needs.
    pub fn refused(&self, packages: &[Package]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut needed = BTreeSet::new();
        for package in packages {
            let Some(licence) = &package.licence else {
                wrong.push(format!("{}: states no licence", package.name));
                continue;
            };
            if satisfies(licence, &|name| self.allowed.contains(name)) {
                continue;
            }
            let own = self.exceptions.get(&package.name);
            if satisfies(licence, &|name| {
                self.allowed.contains(name) || own.is_some_and(|own| own.contains(name))
            }) {
                needed.insert(package.name.clone());
            } else {
                wrong.push(format!("{}: `{licence}` is not allowed by deny.toml", package.name));
            }
        }
        let stale = self.exceptions.keys().filter(|name| !needed.contains(*name));
        wrong.extend(stale.map(|name| format!("{name}: needs no exception in deny.toml")));
        wrong
    }
}

/// Packages that come from elsewhere than the registry.
pub fn foreign_sources(packages: &[Package]) -> Vec<String> {
    let foreign = |source: &String| !source.starts_with("registry+");
    let packages = packages.iter().filter(|package| package.source.as_ref().is_some_and(foreign));
    packages.map(|package| format!("{}: comes from {:?}", package.name, package.source)).collect()
}

/// Whether an SPDX expression can be met by licences that are `allowed`. `/` is the old spelling of `OR`.
pub fn satisfies(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced =
        expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ").replace(" WITH ", "\u{1}");
    let words: Vec<String> = spaced.split_whitespace().map(|word| word.replace('\u{1}', " WITH ")).collect();
    let mut at = 0;
    let met = alternatives(&words, &mut at, allowed);
    assert_eq!(at, words.len(), "not an SPDX expression: {expression}");
    met
}

fn alternatives(words: &[String], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = conjunction(words, at, allowed);
    while words.get(*at).is_some_and(|word| word == "OR") {
        *at += 1;
        met |= conjunction(words, at, allowed);
    }
    met
}

fn conjunction(words: &[String], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = licence(words, at, allowed);
    while words.get(*at).is_some_and(|word| word == "AND") {
        *at += 1;
        met &= licence(words, at, allowed);
    }
    met
}

fn licence(words: &[String], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> bool {
    let word = words.get(*at).expect("an SPDX expression does not end here");
    *at += 1;
    if word != "(" {
        return allowed(word);
    }
    let met = alternatives(words, at, allowed);
    assert_eq!(words.get(*at).map(String::as_str), Some(")"), "a bracket is closed");
    *at += 1;
    met
}

#[test]
fn expressions_are_judged() {
    let rows = [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("MIT/Apache-2.0", true),
        ("MIT AND GPL-3.0-only", false),
        ("(MIT OR GPL-3.0-only) AND BSD-3-Clause", true),
        ("GPL-3.0-only OR MIT AND BSD-3-Clause", true),
        ("Apache-2.0 WITH LLVM-exception", false),
        ("Apache-2.0 WITH LLVM-exception OR MIT", true),
    ];
    let allowed = |name: &str| ["MIT", "Apache-2.0", "BSD-3-Clause"].contains(&name);
    for (expression, met) in rows {
        assert_eq!(satisfies(expression, &allowed), met, "{expression}");
    }
}

#[test]
fn a_package_outside_the_policy_is_refused() {
    let policy = Policy::read(
        "[licenses]\nallow = [\"MIT\"]\nexceptions = [{ crate = \"b\", allow = [\"MPL-2.0\"] }]\n",
    );
    let package = |name: &str, licence: Option<&str>, source: Option<&str>| Package {
        name: name.to_owned(),
        licence: licence.map(str::to_owned),
        source: source.map(str::to_owned),
    };
    let excepted = package("b", Some("MPL-2.0"), None);
    let rows = [(Some("MIT"), 0), (Some("AGPL-3.0-only"), 1), (Some("MPL-2.0"), 1), (None, 1)];
    for (licence, wrong) in rows {
        let packages = [package("a", licence, None), excepted.clone()];
        assert_eq!(policy.refused(&packages).len(), wrong, "{licence:?}");
    }
    assert_eq!(policy.refused(&[]), ["b: needs no exception in deny.toml"]);
    let rows = [(None, 0), (Some("registry+https://example.org"), 0), (Some("git+https://example.org"), 1)];
    for (source, wrong) in rows {
        assert_eq!(foreign_sources(&[package("a", None, source)]).len(), wrong, "{source:?}");
    }
}

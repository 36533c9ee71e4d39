//! Which Rust files are compiled, and which of them only for tests.
//!
//! A file is alive if a target of a package is it, or a `mod` line in a living file names it. A module declared
//! under `#[cfg(test)]` is test code with everything below it.

use crate::source::{Source, is_test_gate, next_word, occurrences};
use crate::tree::flattened;
use std::collections::BTreeMap;
use std::path::Path;

/// One `mod name;`.
#[derive(Debug, PartialEq, Eq)]
struct Declaration {
    /// Inline modules around it, then its name, as a path without extension.
    place: String,
    /// The value of `#[path]`.
    path: Option<String>,
    /// Whether `#[cfg(test)]` stands before it.
    is_test: bool,
}

/// Mark the test modules among `sources` and return a line for each file that nothing compiles.
///
/// `manifests` are the paths and texts of all `Cargo.toml` files.
pub fn dead_files(sources: &mut [Source], manifests: &[(String, String)]) -> Vec<String> {
    let index: BTreeMap<String, usize> =
        sources.iter().enumerate().map(|(at, source)| (source.path.clone(), at)).collect();
    let mut alive: BTreeMap<usize, bool> = BTreeMap::new();
    let mut open: Vec<(usize, bool, bool)> = Vec::new();
    for (path, manifest) in manifests {
        let folder = path.strip_suffix("Cargo.toml").expect("a manifest's name");
        open.extend(targets(folder, manifest, &index).into_iter().map(|at| (at, sources[at].is_test, true)));
    }
    while let Some((at, is_test, is_root)) = open.pop() {
        if alive.get(&at).is_some_and(|&known_test| known_test <= is_test) {
            continue;
        }
        alive.insert(at, is_test);
        for declared in declarations(&sources[at]) {
            let child_is_test = is_test || declared.is_test;
            let file = candidates(&sources[at].path, is_root, &declared)
                .into_iter()
                .find_map(|file| index.get(&file));
            // A file named by `#[path]` looks for its own modules beside itself, as a root does.
            open.extend(file.map(|&file| (file, child_is_test, declared.path.is_some())));
        }
    }
    for (&at, &is_test) in &alive {
        sources[at].is_test |= is_test;
    }
    let dead = sources.iter().enumerate().filter(|(at, _)| !alive.contains_key(at));
    dead.map(|(_, source)| format!("{}: dead: no target and no `mod` line names it", source.path)).collect()
}

/// The files that Cargo compiles for a package, found by its conventions and by `path` lines.
fn targets(folder: &str, manifest: &str, index: &BTreeMap<String, usize>) -> Vec<usize> {
    let manifest: toml::Table =
        manifest.parse().unwrap_or_else(|error| panic!("{folder}Cargo.toml: {error}"));
    let named: Vec<String> = ["lib", "bin", "test", "bench", "example"]
        .iter()
        .filter_map(|kind| manifest.get(*kind))
        .flat_map(|value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]))
        .filter_map(|target| Some(format!("{folder}{}", target.get("path")?.as_str()?)))
        .collect();
    let conventional = |path: &str| {
        let Some(inside) = path.strip_prefix(folder) else { return false };
        let parts: Vec<&str> = inside.split('/').collect();
        matches!(
            parts.as_slice(),
            ["build.rs"]
                | ["src", "lib.rs" | "main.rs"]
                | ["tests" | "benches" | "examples", _]
                | ["tests" | "benches" | "examples", _, "main.rs"]
                | ["src", "bin", _]
                | ["src", "bin", _, "main.rs"]
        )
    };
    let is_package = manifest.contains_key("package");
    let files = index.iter().filter(|(path, _)| is_package && (named.contains(path) || conventional(path)));
    files.map(|(_, &at)| at).collect()
}

/// Every `mod name;` of a file.
fn declarations(source: &Source) -> Vec<Declaration> {
    let code = source.code.as_str();
    let mods = occurrences(code, "mod");
    let mut found = Vec::new();
    let mut around: Vec<Option<String>> = Vec::new();
    let mut pending: Option<String> = None;
    let mut item = 0;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'{' => around.push(pending.take()),
            b'}' => drop(around.pop()),
            b'm' if mods.binary_search(&at).is_ok() => {
                let Some((name, behind)) = next_word(code, at + 3) else { continue };
                let rest = code[behind..].trim_start();
                if rest.starts_with('{') {
                    pending = Some(name.to_owned());
                } else if rest.starts_with(';') {
                    let inline: Vec<&str> = around.iter().flatten().map(String::as_str).collect();
                    let place = inline.into_iter().chain([name]).collect::<Vec<_>>().join("/");
                    let (path, is_test) = attributes(&code[item..at], &source.text[item..at]);
                    found.push(Declaration { place, path, is_test });
                }
            }
            _ => {}
        }
        if matches!(byte, b';' | b'{' | b'}') {
            item = at + 1;
        }
    }
    found
}

/// What the attributes before a declaration say: its `#[path]`, and whether it is for tests.
fn attributes(code: &str, text: &str) -> (Option<String>, bool) {
    let lines = code.lines().map(str::trim_start);
    let is_test = lines.into_iter().any(is_test_gate);
    let path = code.find("#[path").and_then(|at| text[at..].split('"').nth(1)).map(str::to_owned);
    (path, is_test)
}

/// Where Rust looks for a module's file.
fn candidates(declaring: &str, is_root: bool, declared: &Declaration) -> Vec<String> {
    let file = Path::new(declaring);
    let folder = file.parent().expect("a file lies in a folder");
    if let Some(path) = &declared.path {
        return vec![flattened(&folder.join(path))];
    }
    let owns_folder = is_root || file.file_name().is_some_and(|name| name == "mod.rs");
    let base = if owns_folder { folder.to_path_buf() } else { file.with_extension("") };
    ["", "/mod"].map(|end| flattened(&base.join(format!("{}{end}.rs", declared.place)))).to_vec()
}

#[test]
fn files_are_alive_by_target_or_by_mod_line() {
    let manifest = "[package]\nname = \"a\"\n[[bin]]\nname = \"x\"\npath = \"src/cli/x.rs\"\n";
    let rows: &[(&str, &str, Option<bool>)] = &[
        (
            "a/src/lib.rs",
            "mod b;\n#[cfg(test)]\nmod rows;\nmod inline {\n    pub mod deep;\n}\n// mod dead;\n",
            Some(false),
        ),
        ("a/src/b.rs", "#[path = \"other.rs\"]\npub(crate) mod c;\nmod e;\n", Some(false)),
        ("a/src/b/e/mod.rs", "mod f;\n", Some(false)),
        ("a/src/b/e/f.rs", "", Some(false)),
        ("a/src/other.rs", "mod beside;\n", Some(false)),
        ("a/src/beside.rs", "", Some(false)),
        ("a/src/inline/deep.rs", "", Some(false)),
        ("a/src/rows.rs", "mod under;\n", Some(true)),
        ("a/src/rows/under.rs", "", Some(true)),
        ("a/src/cli/x.rs", "mod y;\n", Some(false)),
        ("a/src/cli/y.rs", "", Some(false)),
        ("a/tests/t.rs", "#[path = \"../../shared/mod.rs\"]\nmod shared;\n", Some(true)),
        ("shared/mod.rs", "mod row;\n", Some(true)),
        ("shared/row.rs", "", Some(true)),
        ("a/src/dead.rs", "", None),
        ("a/src/b/c.rs", "", None),
        ("b/src/lib.rs", "", None),
    ];
    let mut sources: Vec<Source> = rows.iter().map(|(path, text, _)| Source::new(path, text)).collect();
    let dead = dead_files(&mut sources, &[("a/Cargo.toml".to_owned(), manifest.to_owned())]);
    for ((path, _, expected), source) in rows.iter().zip(&sources) {
        let is_dead = dead.iter().any(|line| line.starts_with(&format!("{path}:")));
        assert_eq!((!is_dead).then_some(source.is_test), *expected, "{path}");
    }
}

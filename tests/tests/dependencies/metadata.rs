//! What Cargo says about the packages: their edges and their licences.
//!
//! Cargo is asked offline and with the lock file as it is, so that the answer is about this tree and nothing newer.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What kind of dependency an edge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Linked into the crate.
    Normal,
    /// For its tests.
    Dev,
    /// For its build script.
    Build,
}

/// One line of a manifest: a crate names another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Folder of the crate, such as `runtime/vm`.
    pub from: String,
    /// Folder of a crate of the workspace, or the name of a library.
    pub to: String,
    /// Kind.
    pub kind: Kind,
}

/// A package of the dependency graph.
#[derive(Clone, Debug)]
pub struct Package {
    /// Name.
    pub name: String,
    /// SPDX expression, if it states one.
    pub licence: Option<String>,
    /// Where it comes from; `None` for the workspace's own.
    pub source: Option<String>,
}

/// The repository's top folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a folder of the repository").to_path_buf()
}

/// The text of a file of the repository.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Folders of the workspace's crates, and every dependency that their manifests name.
pub fn workspace() -> (Vec<String>, Vec<Edge>) {
    let metadata = cargo_metadata(&["--no-deps"]);
    let packages = list(&metadata, "packages");
    let folder = |path: &str| {
        let inside = Path::new(path).strip_prefix(root()).expect("a path dependency lies in the repository");
        inside.to_string_lossy().replace('\\', "/")
    };
    let mut crates = Vec::new();
    let mut edges = Vec::new();
    for package in packages {
        let manifest = text(package, "manifest_path").expect("a package has a manifest");
        let from = folder(manifest.strip_suffix("/Cargo.toml").expect("a manifest's name"));
        for dependency in list(package, "dependencies") {
            let kind = match text(dependency, "kind") {
                None => Kind::Normal,
                Some("dev") => Kind::Dev,
                Some("build") => Kind::Build,
                Some(other) => panic!("unknown kind of dependency: {other}"),
            };
            let to = match text(dependency, "path") {
                Some(path) => folder(path),
                None => text(dependency, "name").expect("a dependency has a name").to_owned(),
            };
            edges.push(Edge { from: from.clone(), to, kind });
        }
        crates.push(from);
    }
    (crates, edges)
}

/// Every package that is built for this machine, tests included.
pub fn all_packages() -> Vec<Package> {
    let metadata = cargo_metadata(&["--filter-platform", &host_triple()]);
    let packages = list(&metadata, "packages").iter().map(|package| Package {
        name: text(package, "name").expect("a package has a name").to_owned(),
        licence: text(package, "license").map(str::to_owned),
        source: text(package, "source").map(str::to_owned),
    });
    packages.collect()
}

fn cargo_metadata(arguments: &[&str]) -> Value {
    let common = ["metadata", "--format-version", "1", "--offline", "--locked"];
    let output = run(Command::new(env!("CARGO")).args(common).args(arguments));
    serde_json::from_str(&output).expect("cargo metadata prints JSON")
}

fn host_triple() -> String {
    run(Command::new("rustc").args(["--print", "host-tuple"])).trim().to_owned()
}

fn run(command: &mut Command) -> String {
    let output = command.current_dir(root()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it prints UTF-8")
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("`{key}` is a list"))
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value[key].as_str()
}

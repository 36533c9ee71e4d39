//! Contracts that were not written with this repository's tools, played for real: in C, AssemblyScript and ink!.
//!
//! The examples' modules are committed; `BUSBAR_EXAMPLES` names a folder of fresh ones instead. Contracts from the
//! package registry are built by a script; without `BUSBAR_THIRD_PARTY`, the folder it wrote, they are not played.

mod erc20;
mod escrow;
mod flipper;
mod pay_as_offer;
mod psp22;
mod registry;
mod stage;

use busbar_tests::machine::on_vm_thread;
use std::path::{Path, PathBuf};

/// The module of an example contract.
fn example(name: &str) -> Vec<u8> {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/examples/artifacts");
    read(&std::env::var_os("BUSBAR_EXAMPLES").map_or(committed, PathBuf::from), name)
}

/// The module of a contract that `scripts/third-party-contracts` built.
fn third_party(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("BUSBAR_THIRD_PARTY");
    let folder = folder.expect("BUSBAR_THIRD_PARTY names what scripts/third-party-contracts wrote");
    read(Path::new(&folder), name)
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    let file = folder.join(name).with_extension("wasm");
    std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

//! What clients are told of the runtime: all formats say the same, everything is documented, and no layout changes without a
//! new spec version.
//!
//! `tests/golden/layout.txt` is the layout in words, `tests/golden/layouts.txt` its hash by spec version, newest last. A
//! changed layout fails here; `BUSBAR_BLESS=1` writes both, if `SPEC_VERSION` is a new one.
#![allow(clippy::unwrap_used, reason = "tests")]

mod layout;

use frame_metadata::v16::RuntimeMetadataV16;
use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};
use layout::Layout;
use parity_scale_codec::DecodeAll;
use runtime_execution::extrinsic::SPEC_VERSION;
use runtime_execution::{api, metadata};
use runtime_primitives::blake2_256;
use scale_info::form::PortableForm;
use scale_info::{PortableRegistry, TypeDef};
use std::collections::BTreeMap;

fn decoded(version: u32) -> RuntimeMetadata {
    let bytes = metadata::encoded(version).unwrap();
    RuntimeMetadataPrefixed::decode_all(&mut &bytes[..]).unwrap().1
}

fn newest() -> RuntimeMetadataV16 {
    let RuntimeMetadata::V16(newest) = decoded(16) else { panic!("another format") };
    newest
}

fn golden(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

#[test]
fn a_layout_changes_with_the_spec_version_alone() {
    let text = Layout::of(&newest()).to_string();
    let hash = blake2_256(text.as_bytes()).to_string();
    let kept = std::fs::read_to_string(golden("layouts.txt")).unwrap_or_default();
    let mut versions: Vec<(u32, &str)> = kept
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(version, hash)| (version.parse().unwrap(), hash))
        .collect();
    assert!(versions.is_sorted_by(|before, after| before.0 < after.0), "versions ascend: {versions:?}");
    let last = versions.last().copied();
    if std::env::var_os("BUSBAR_BLESS").is_some() && last != Some((SPEC_VERSION, hash.as_str())) {
        let is_new = last.is_none_or(|(version, _)| SPEC_VERSION > version);
        assert!(is_new, "spec version {SPEC_VERSION} has another layout: raise SPEC_VERSION first");
        versions.push((SPEC_VERSION, &hash));
        let lines: String = versions.iter().map(|(version, hash)| format!("{version} {hash}\n")).collect();
        std::fs::write(golden("layouts.txt"), lines).unwrap();
        std::fs::write(golden("layout.txt"), &text).unwrap();
        return;
    }
    let before = std::fs::read_to_string(golden("layout.txt")).unwrap_or_default();
    let differs = text.lines().zip(before.lines()).find(|(now, before)| now != before);
    assert_eq!(
        last,
        Some((SPEC_VERSION, hash.as_str())),
        "the layout differs from that of the last spec version, first at {differs:?}. If it is meant, raise SPEC_VERSION (and \
         TX_VERSION if calls are encoded differently) and run this test with BUSBAR_BLESS=1"
    );
    assert_eq!(text, before, "layout.txt is another version's");
}

/// What a format says of a module: its index, and the names of its items and constants.
type Told = BTreeMap<String, (u8, Vec<String>, Vec<String>, [bool; 3])>;

#[test]
fn all_formats_say_the_same() {
    let (RuntimeMetadata::V14(oldest), RuntimeMetadata::V15(middle)) = (decoded(14), decoded(15)) else {
        panic!("other formats")
    };
    macro_rules! told {
        ($metadata:expr) => {{
            let told = $metadata.pallets.iter().map(|one| {
                let items = one.storage.iter().flat_map(|storage| &storage.entries);
                let items = items.map(|entry| entry.name.clone()).collect();
                let constants = one.constants.iter().map(|constant| constant.name.clone()).collect();
                let has = [one.calls.is_some(), one.event.is_some(), one.error.is_some()];
                (one.name.clone(), (one.index, items, constants, has))
            });
            told.collect::<Told>()
        }};
    }
    let newest = newest();
    let expected = told!(newest);
    assert_eq!(expected.len(), 9);
    assert!(expected["Markets"].1.len() > 30 && expected["Balances"].3 == [true; 3]);
    assert_eq!(told!(oldest), expected);
    assert_eq!(told!(middle), expected);
    assert_eq!(metadata::encoded(13), None);
    let names = |apis: &[String]| apis.join(" ");
    let of_newest: Vec<String> = newest.apis.iter().map(|api| api.name.clone()).collect();
    let of_middle: Vec<String> = middle.apis.iter().map(|api| api.name.clone()).collect();
    assert_eq!(names(&of_middle), names(&of_newest));
    assert!(of_newest.contains(&"MarketsApi".to_owned()));
}

fn undocumented(types: &PortableRegistry, ty: u32, of: &str) -> Vec<String> {
    let TypeDef::Variant(def) = &types.resolve(ty).unwrap().type_def else { panic!("{of} is no enum") };
    let without = def.variants.iter().filter(|variant| variant.docs.concat().trim().is_empty());
    without.map(|variant| format!("{of}::{}", variant.name)).collect()
}

#[test]
fn everything_is_documented() {
    let newest = newest();
    let mut missing = Vec::new();
    for pallet in &newest.pallets {
        let enums = [
            pallet.calls.as_ref().map(|one| one.ty.id),
            pallet.event.as_ref().map(|one| one.ty.id),
            pallet.error.as_ref().map(|one| one.ty.id),
        ];
        for ty in enums.into_iter().flatten() {
            missing.extend(undocumented(&newest.types, ty, &pallet.name));
        }
        let items = pallet.storage.iter().flat_map(|storage| &storage.entries);
        let items = items.map(|one| (&one.name, &one.docs));
        let constants = pallet.constants.iter().map(|one| (&one.name, &one.docs));
        let without = items.chain(constants).filter(|(_, docs)| docs.concat().trim().is_empty());
        missing.extend(without.map(|(name, _)| format!("{}.{name}", pallet.name)));
    }
    for api in &newest.apis {
        let without = api.methods.iter().filter(|method| method.docs.concat().trim().is_empty());
        missing.extend(without.map(|method| format!("{}_{}", api.name, method.name)));
    }
    assert_eq!(missing, Vec::<String>::new());
}

/// @polkadot/api names types by their paths without what stands second if that is one of these, and takes two types of one
/// name for one.
#[test]
fn no_two_types_have_one_name_for_clients() {
    const LEFT_OUT: [&str; 5] = ["generic", "misc", "pallet", "traits", "types"];
    let newest = newest();
    let mut named: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for one in &newest.types.types {
        let path: &scale_info::Path<PortableForm> = &one.ty.path;
        if path.segments.len() < 2 {
            continue;
        }
        let kept = path.segments.iter().enumerate();
        let kept = kept.filter(|(at, segment)| *at != 1 || !LEFT_OUT.contains(&segment.as_str()));
        let parameters: Vec<u32> = one.ty.type_params.iter().filter_map(|one| Some(one.ty?.id)).collect();
        let name = kept.map(|(_, segment)| segment.to_lowercase()).collect::<Vec<_>>().join("::");
        named.entry(format!("{name}{parameters:?}")).or_default().push(one.id);
    }
    let twice: Vec<_> = named.into_iter().filter(|(_, ids)| ids.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn every_api_in_the_metadata_is_answered_or_asks_for_arguments() {
    use busbar_tests::machine::{on_vm_thread, vm};
    on_vm_thread(|| {
        let state = runtime_state::MemoryState::new();
        let hash = blake2_256(b"");
        let environment = api::Environment { vm: vm(), state: &state, block: hash, genesis: hash };
        for one in newest().apis {
            for method in one.methods {
                let name = format!("{}_{}", one.name, method.name);
                let answer = api::call(&environment, &name, &[]);
                assert_eq!(answer.is_ok(), method.inputs.is_empty(), "{name}: {answer:?}");
                let asks = matches!(answer, Ok(_) | Err(api::ApiError::Argument { .. }));
                assert!(asks, "{name}: {answer:?}");
            }
        }
        let left = api::call(&environment, "Core_version", &[0]).unwrap_err();
        assert_eq!(left.to_string(), "Core_version: 1 bytes are left over behind the arguments");
        let none = api::call(&environment, "Core_none", &[]).unwrap_err();
        assert!(none.to_string().starts_with("the runtime has no function Core_none"), "{none}");
    });
}

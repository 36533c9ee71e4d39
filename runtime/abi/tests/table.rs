//! The table against what it must be: the interface of the pallet, whole, and nothing twice.

use runtime_abi::{
    ALIAS_PREFIX, CallFlags, HOST_FUNCTIONS, HostFunction, ReturnCode, Service, ValueType, find,
};
use runtime_primitives::blake2_256;
use std::collections::BTreeSet;

/// One row as text: what compiled contracts were promised. Whether it is served and what it costs may change.
fn line(function: &HostFunction) -> String {
    let ty = |ty: &ValueType| if *ty == ValueType::I32 { "u32" } else { "u64" };
    let parameters: Vec<_> =
        function.parameters.iter().map(|(name, of)| format!("{name}: {}", ty(of))).collect();
    format!(
        "{}.{}({}) -> {}{}{}{}\n",
        function.module,
        function.name,
        parameters.join(", "),
        function.result.as_ref().map_or("()", ty),
        if function.aliased { " aliased" } else { "" },
        if function.pure { " pure" } else { "" },
        if function.mutating { " mutating" } else { "" },
    )
}

#[test]
fn the_table_is_frozen() {
    let text: String = HOST_FUNCTIONS.iter().map(line).collect::<BTreeSet<_>>().into_iter().collect();
    let digest = blake2_256(text.as_bytes()).to_string();
    assert_eq!(
        digest, "0xb12a0c5899584360a0275f6f9440ce0a9522972b3ff45d734892497c967a19a7",
        "the interface changed:\n{text}"
    );
}

#[test]
fn the_interface_is_whole_and_nothing_is_twice() {
    let count = |service| HOST_FUNCTIONS.iter().filter(|function| function.service == service).count();
    assert_eq!(HOST_FUNCTIONS.len(), 71);
    assert_eq!(count(Service::Served), 53);
    assert_eq!((count(Service::Unstable), count(Service::Deprecated)), (10, 8));
    let mut names = BTreeSet::new();
    for function in HOST_FUNCTIONS {
        assert!(names.insert((function.module, function.name.to_owned())), "{function:?}");
        let alias = format!("{ALIAS_PREFIX}{}", function.name);
        if function.aliased {
            assert!(names.insert((function.module, alias)), "{function:?}");
        }
        assert!(function.doc.trim_end().ends_with('.'), "{function:?}");
    }
}

#[test]
fn names_and_aliases_are_found() {
    for (module, name, found) in [
        ("seal0", "input", Some("input")),
        ("seal0", "seal_input", Some("input")),
        ("seal1", "get_storage", Some("get_storage")),
        ("seal0", "seal_return", Some("seal_return")),
        ("seal0", "seal_seal_return", None),
        ("seal2", "seal_call", None),
        ("seal2", "call", Some("call")),
        ("seal1", "input", None),
        ("env", "input", None),
        ("seal0", "", None),
        ("seal0", "seal_", None),
    ] {
        assert_eq!(find(module, name).map(|function| function.name), found, "{module}.{name}");
    }
}

#[test]
fn pure_contracts_reach_only_input_output_and_hashes() {
    let pure: Vec<_> =
        HOST_FUNCTIONS.iter().filter(|function| function.pure).map(|function| function.name).collect();
    assert_eq!(
        pure,
        ["hash_blake2_128", "hash_blake2_256", "hash_keccak_256", "hash_sha2_256", "input", "seal_return"]
    );
    assert!(HOST_FUNCTIONS.iter().all(|function| !(function.pure && function.mutating)));
}

#[test]
fn codes_and_flags_have_the_pallets_numbers() {
    assert_eq!(
        [ReturnCode::Success as u32, ReturnCode::KeyNotFound as u32, ReturnCode::TransferFailed as u32],
        [0, 3, 5]
    );
    assert_eq!([ReturnCode::LoggingDisabled as u32, ReturnCode::XcmSendFailed as u32], [9, 14]);
    let flags = CallFlags::from_bits(8 | 2);
    assert_eq!(flags.map(|flags| flags.contains(CallFlags::ALLOW_REENTRY)), Some(true));
    assert_eq!(flags.map(|flags| flags.contains(CallFlags::TAIL_CALL)), Some(false));
    assert_eq!(CallFlags::from_bits(32), None);
}

//! What Substrate's clients call our types. They know some by their paths, and spell calls in snake case.

use super::types::{ERA, UNUSED};
use scale_info::form::PortableForm;
use scale_info::{PortableRegistry, Type, TypeDef};

/// Paths that clients look for, and the types that stand there.
const KNOWN: [(&str, &str); 16] = [
    ("runtime_primitives::account::AccountId", "sp_core::crypto::AccountId32"),
    ("runtime_primitives::hash::Hash", "primitive_types::H256"),
    ("runtime_primitives::block::Digest", "sp_runtime::generic::digest::Digest"),
    ("runtime_primitives::block::DigestItem", "sp_runtime::generic::digest::DigestItem"),
    ("runtime_execution::call::Call", "busbar_runtime::RuntimeCall"),
    ("runtime_execution::event::Event", "busbar_runtime::RuntimeEvent"),
    ("runtime_execution::event::Phase", "frame_system::Phase"),
    ("runtime_execution::error::SubstrateError", "sp_runtime::DispatchError"),
    ("runtime_execution::error::ModuleError", "sp_runtime::ModuleError"),
    ("runtime_execution::metadata::RuntimeVersion", "sp_version::RuntimeVersion"),
    ("runtime_execution::modules::system::Weight", "sp_weights::weight_v2::Weight"),
    ("runtime_execution::modules::system::DispatchClass", "frame_support::dispatch::DispatchClass"),
    ("runtime_execution::modules::system::Pays", "frame_support::dispatch::Pays"),
    ("runtime_execution::modules::system::DispatchInfo", "frame_system::DispatchEventInfo"),
    ("runtime_execution::modules::system::AccountInfo", "frame_system::AccountInfo"),
    ("runtime_execution::modules::system::AccountData", "pallet_balances::types::AccountData"),
];

/// Fronts of all other paths, the first that fits.
const FRONTS: [(&str, &str); 5] = [
    ("runtime_execution::modules::system", "frame_system"),
    ("runtime_execution::modules::", "pallet_"),
    ("runtime_execution", "busbar_runtime"),
    ("runtime_primitives", "busbar_primitives"),
    ("contract_interface", "busbar_market"),
];

/// Give all types the names that clients know.
pub fn translate(types: &mut PortableRegistry) {
    for one in &mut types.types {
        let own = one.ty.path.segments.join("::");
        let translated = path(&own);
        if is_of_module(&own, "Call") {
            rename_variants(&mut one.ty, |name, _| snake_case(name));
        }
        if own == ERA {
            rename_variants(&mut one.ty, |name, index| match index {
                0 => name.to_owned(),
                _ => format!("{name}{index}"),
            });
        }
        if own.ends_with("::pallet::Error") {
            rename_variants(&mut one.ty, |name, index| match name {
                UNUSED => format!("{name}{index}"),
                _ => name.to_owned(),
            });
        }
        one.ty.path.segments =
            translated.split("::").map(str::to_owned).filter(|one| !one.is_empty()).collect();
    }
}

fn is_of_module(path: &str, name: &str) -> bool {
    path.starts_with("runtime_execution::modules::") && path.rsplit("::").next() == Some(name)
}

fn path(own: &str) -> String {
    if let Some((_, known)) = KNOWN.iter().find(|(ours, _)| *ours == own) {
        return (*known).to_owned();
    }
    let fits = |(ours, _): &&(&str, &str)| own.starts_with(ours);
    let Some((ours, theirs)) = FRONTS.iter().find(fits) else { return own.to_owned() };
    let translated = format!("{theirs}{}", &own[ours.len()..]);
    // Where a module's calls and events stand in its folder is nobody's concern.
    if is_of_module(own, "Call") || is_of_module(own, "Event") {
        let module = translated.split("::").next().unwrap_or_default();
        let name = own.rsplit("::").next().unwrap_or_default();
        return format!("{module}::pallet::{name}");
    }
    // An error with its values, which some events hold; clients take two types of one name in a module for one.
    if is_of_module(own, "Error") && !own.ends_with("::pallet::Error") {
        let module = translated.split("::").next().unwrap_or_default();
        return format!("{module}::Refusal");
    }
    translated
}

fn rename_variants(ty: &mut Type<PortableForm>, name: impl Fn(&str, u8) -> String) {
    if let TypeDef::Variant(def) = &mut ty.type_def {
        for variant in &mut def.variants {
            variant.name = name(&variant.name, variant.index);
        }
    }
}

fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_field() {
        for (own, expected) in [
            ("runtime_primitives::hash::Hash", "primitive_types::H256"),
            ("runtime_execution::modules::system::Call", "frame_system::pallet::Call"),
            ("runtime_execution::modules::markets::call::Call", "pallet_markets::pallet::Call"),
            ("runtime_execution::modules::markets::call::ConfirmItem", "pallet_markets::call::ConfirmItem"),
            ("runtime_execution::modules::balances::pallet::Error", "pallet_balances::pallet::Error"),
            ("contract_interface::order::Side", "busbar_market::order::Side"),
            ("runtime_execution::modules::markets::error::Error", "pallet_markets::Refusal"),
            ("Option", "Option"),
        ] {
            assert_eq!(path(own), expected, "{own}");
        }
        assert_eq!(snake_case("TransferAllowDeath"), "transfer_allow_death");
    }
}

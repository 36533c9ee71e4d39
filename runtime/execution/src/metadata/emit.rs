//! The one description in the formats V14, V15 and V16.

use super::types::{Runtime, RuntimeError, Unchecked, extensions};
use super::{Module, modules, names};
use crate::api;
use crate::call::Call;
use crate::event::Event;
use crate::extrinsic::{MultiAddress, MultiSignature};
use frame_metadata::v16::{EnumDeprecationInfo, ItemDeprecationInfo};
use frame_metadata::{META_RESERVED, RuntimeMetadata, RuntimeMetadataPrefixed, v14, v15, v16};
use parity_scale_codec::{Compact, Encode};
use scale_info::meta_type;
use std::collections::BTreeMap;

/// The format of extrinsics.
const EXTRINSIC_VERSION: u8 = 4;

fn prefixed(metadata: RuntimeMetadata) -> Vec<u8> {
    RuntimeMetadataPrefixed(META_RESERVED, metadata).encode()
}

fn storage(module: &mut Module) -> Option<v14::PalletStorageMetadata> {
    let entries = std::mem::take(&mut module.storage);
    (!entries.is_empty()).then_some(v14::PalletStorageMetadata { prefix: module.name, entries })
}

pub fn v14() -> Vec<u8> {
    let of = |mut module: Module| v14::PalletMetadata {
        name: module.name,
        storage: storage(&mut module),
        calls: module.calls.map(Into::into),
        event: module.events.map(Into::into),
        constants: module.constants,
        error: module.errors.map(Into::into),
        index: module.index,
    };
    let extrinsic = v14::ExtrinsicMetadata {
        ty: meta_type::<Unchecked>(),
        version: EXTRINSIC_VERSION,
        signed_extensions: extensions()
            .map(|(identifier, ty, additional_signed)| v14::SignedExtensionMetadata {
                identifier,
                ty,
                additional_signed,
            })
            .into(),
    };
    let pallets = modules().into_iter().map(of).collect();
    let mut metadata = v14::RuntimeMetadataV14::new(pallets, extrinsic, meta_type::<Runtime>());
    names::translate(&mut metadata.types);
    prefixed(RuntimeMetadata::V14(metadata))
}

fn outer_enums() -> v15::OuterEnums {
    v15::OuterEnums {
        call_enum_ty: meta_type::<Call>(),
        event_enum_ty: meta_type::<Event>(),
        error_enum_ty: meta_type::<RuntimeError>(),
    }
}

pub fn v15() -> Vec<u8> {
    let of = |mut module: Module| v15::PalletMetadata {
        name: module.name,
        storage: storage(&mut module),
        calls: module.calls.map(Into::into),
        event: module.events.map(Into::into),
        constants: module.constants,
        error: module.errors.map(Into::into),
        index: module.index,
        docs: Vec::new(),
    };
    let extrinsic = v15::ExtrinsicMetadata {
        version: EXTRINSIC_VERSION,
        address_ty: meta_type::<MultiAddress>(),
        call_ty: meta_type::<Call>(),
        signature_ty: meta_type::<MultiSignature>(),
        extra_ty: meta_type::<()>(),
        signed_extensions: extensions()
            .map(|(identifier, ty, additional_signed)| v15::SignedExtensionMetadata {
                identifier,
                ty,
                additional_signed,
            })
            .into(),
    };
    let method = |method: api::MethodInfo| v15::RuntimeApiMethodMetadata {
        name: method.name,
        inputs: method
            .inputs
            .into_iter()
            .map(|(name, ty)| v15::RuntimeApiMethodParamMetadata { name, ty })
            .collect(),
        output: method.output,
        docs: method.docs,
    };
    let apis = api::describe().into_iter().map(|api| v15::RuntimeApiMetadata {
        name: api.name,
        methods: api.methods.into_iter().map(method).collect(),
        docs: api.docs,
    });
    let pallets = modules().into_iter().map(of).collect();
    let mut metadata = v15::RuntimeMetadataV15::new(
        pallets,
        extrinsic,
        meta_type::<Runtime>(),
        apis.collect(),
        outer_enums(),
        v15::CustomMetadata { map: BTreeMap::new() },
    );
    names::translate(&mut metadata.types);
    prefixed(RuntimeMetadata::V15(metadata))
}

fn item(entry: v14::StorageEntryMetadata) -> v16::StorageEntryMetadata {
    v16::StorageEntryMetadata {
        name: entry.name,
        modifier: entry.modifier,
        ty: entry.ty,
        default: entry.default,
        docs: entry.docs,
        deprecation_info: ItemDeprecationInfo::NotDeprecated,
    }
}

fn constant(one: super::Constant) -> v16::PalletConstantMetadata {
    v16::PalletConstantMetadata {
        name: one.name,
        ty: one.ty,
        value: one.value,
        docs: one.docs,
        deprecation_info: ItemDeprecationInfo::NotDeprecated,
    }
}

pub fn v16() -> Vec<u8> {
    let none = EnumDeprecationInfo::nothing_deprecated;
    let of = |mut module: Module| v16::PalletMetadata {
        name: module.name,
        storage: storage(&mut module).map(|storage| v16::PalletStorageMetadata {
            prefix: storage.prefix,
            entries: storage.entries.into_iter().map(item).collect(),
        }),
        calls: module.calls.map(|ty| v16::PalletCallMetadata { ty, deprecation_info: none() }),
        event: module.events.map(|ty| v16::PalletEventMetadata { ty, deprecation_info: none() }),
        constants: module.constants.into_iter().map(constant).collect(),
        error: module.errors.map(|ty| v16::PalletErrorMetadata { ty, deprecation_info: none() }),
        associated_types: Vec::new(),
        view_functions: Vec::new(),
        index: module.index,
        docs: Vec::new(),
        deprecation_info: ItemDeprecationInfo::NotDeprecated,
    };
    let extensions = extensions();
    // Clients of version 4 extrinsics look for extension version 0.
    let all = (0..).zip(&extensions).map(|(index, _)| Compact(index)).collect();
    let extrinsic = v16::ExtrinsicMetadata {
        versions: vec![EXTRINSIC_VERSION],
        address_ty: meta_type::<MultiAddress>(),
        call_ty: meta_type::<Call>(),
        signature_ty: meta_type::<MultiSignature>(),
        transaction_extensions_by_version: BTreeMap::from([(0, all)]),
        transaction_extensions: extensions
            .map(|(identifier, ty, implicit)| v16::TransactionExtensionMetadata { identifier, ty, implicit })
            .into(),
    };
    let method = |method: api::MethodInfo| v16::RuntimeApiMethodMetadata {
        name: method.name,
        inputs: method.inputs.into_iter().map(|(name, ty)| v16::FunctionParamMetadata { name, ty }).collect(),
        output: method.output,
        docs: method.docs,
        deprecation_info: ItemDeprecationInfo::NotDeprecated,
    };
    let apis = api::describe().into_iter().map(|api| v16::RuntimeApiMetadata {
        name: api.name,
        methods: api.methods.into_iter().map(method).collect(),
        docs: api.docs,
        version: Compact(api.version),
        deprecation_info: ItemDeprecationInfo::NotDeprecated,
    });
    let pallets = modules().into_iter().map(of).collect();
    let mut metadata = v16::RuntimeMetadataV16::new(
        pallets,
        extrinsic,
        apis.collect(),
        outer_enums(),
        v16::CustomMetadata { map: BTreeMap::new() },
    );
    names::translate(&mut metadata.types);
    prefixed(RuntimeMetadata::V16(metadata))
}

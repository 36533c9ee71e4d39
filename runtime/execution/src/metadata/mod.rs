//! The runtime as its clients see it: one description of all modules, emitted in the formats that clients read.
//!
//! A module describes itself beside its code: calls, events and errors by their types, storage items and constants by
//! the macros that declare them. What is written above a thing is its documentation there.

mod emit;
mod names;
mod types;

use crate::api;
use crate::extrinsic::{SPEC_VERSION, TX_VERSION};
use crate::modules;
use frame_metadata::v14::{PalletConstantMetadata, StorageEntryMetadata};
use parity_scale_codec::{Decode, Encode};
use scale_info::{MetaType, TypeInfo, meta_type};
use std::sync::OnceLock;

pub(crate) use types::{ModuleErrors, Unchecked};

/// A storage item.
pub type StorageEntry = StorageEntryMetadata;
/// A constant.
pub type Constant = PalletConstantMetadata;

/// The formats that [`encoded`] knows.
pub const VERSIONS: [u32; 3] = [14, 15, 16];

/// What a module shows to clients.
pub(crate) struct Module {
    name: &'static str,
    index: u8,
    storage: Vec<StorageEntry>,
    calls: Option<MetaType>,
    events: Option<MetaType>,
    errors: Option<MetaType>,
    constants: Vec<Constant>,
}

impl Module {
    /// A module with its index in calls, events and errors.
    pub fn new(name: &'static str, index: u8) -> Self {
        let (storage, constants) = (Vec::new(), Vec::new());
        Self { name, index, storage, calls: None, events: None, errors: None, constants }
    }

    /// With storage items.
    pub fn storage(mut self, items: Vec<StorageEntry>) -> Self {
        self.storage.extend(items);
        self
    }

    /// With calls.
    pub fn calls<T: TypeInfo + 'static>(self) -> Self {
        Self { calls: Some(meta_type::<T>()), ..self }
    }

    /// With events.
    pub fn events<T: TypeInfo + 'static>(self) -> Self {
        Self { events: Some(meta_type::<T>()), ..self }
    }

    /// With errors.
    pub fn errors<T: TypeInfo + 'static>(self) -> Self {
        Self { errors: Some(meta_type::<ModuleErrors<T>>()), ..self }
    }

    /// With constants.
    pub fn constants(self, constants: Vec<Constant>) -> Self {
        Self { constants, ..self }
    }
}

/// Declare a function `constants` that describes a module's constants, with what is written above each.
macro_rules! constants {
    ($($(#[doc = $doc:literal])* $name:ident: $ty:ty = $value:expr;)*) => {
        fn constants() -> Vec<$crate::metadata::Constant> {
            vec![$($crate::metadata::Constant {
                name: stringify!($name),
                ty: scale_info::meta_type::<$ty>(),
                value: parity_scale_codec::Encode::encode(&{ let value: $ty = $value; value }),
                docs: vec![$($doc.trim_start()),*],
            }),*]
        }
    };
}
pub(crate) use constants;

/// `sp_version::RuntimeVersion`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct RuntimeVersion {
    /// Name of the chain's rules.
    pub spec_name: String,
    /// Name of this implementation of them.
    pub impl_name: String,
    /// Always 1.
    pub authoring_version: u32,
    /// Grows with every change of layout or meaning; signed by every extrinsic.
    pub spec_version: u32,
    /// Always 1.
    pub impl_version: u32,
    /// blake2-64 of the names of the runtime APIs, with their versions.
    pub apis: Vec<([u8; 8], u32)>,
    /// Grows with every change of how a call is encoded; signed by every extrinsic.
    pub transaction_version: u32,
    /// Always 1.
    pub system_version: u8,
}

/// The version of this runtime.
pub fn version() -> RuntimeVersion {
    RuntimeVersion {
        spec_name: "busbar".to_owned(),
        impl_name: "busbar".to_owned(),
        authoring_version: 1,
        spec_version: SPEC_VERSION,
        impl_version: 1,
        apis: api::ids(),
        transaction_version: TX_VERSION,
        system_version: 1,
    }
}

/// The metadata in format `version`, SCALE with its magic number in front, or `None` if it is not one of [`VERSIONS`].
pub fn encoded(version: u32) -> Option<&'static [u8]> {
    static V14: OnceLock<Vec<u8>> = OnceLock::new();
    static V15: OnceLock<Vec<u8>> = OnceLock::new();
    static V16: OnceLock<Vec<u8>> = OnceLock::new();
    let (kept, emit): (_, fn() -> Vec<u8>) = match version {
        14 => (&V14, emit::v14),
        15 => (&V15, emit::v15),
        16 => (&V16, emit::v16),
        _ => return None,
    };
    Some(kept.get_or_init(emit))
}

/// All modules, by index.
fn modules() -> Vec<Module> {
    vec![
        modules::system::describe(),
        modules::timestamp::describe(),
        modules::balances::describe(),
        modules::sudo::describe(),
        modules::registry::describe(),
        modules::contracts::describe(),
        modules::markets::describe(),
        modules::attestation::describe(),
        modules::payment::describe(),
    ]
}

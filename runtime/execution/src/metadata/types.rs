//! Types that exist for clients alone: the frame of an extrinsic, its extensions, and errors as events tell them.

use crate::call::Call;
use crate::event::{Event, EventRecord, Phase};
use crate::extrinsic::{Era, MultiAddress, MultiSignature};
use crate::modules::{attestation, balances, contracts, markets, registry, sudo, timestamp};
use runtime_primitives::{AccountId, Hash};
use scale_info::build::{Fields, VariantBuilder, Variants};
use scale_info::{
    MetaType, Path, Type, TypeDef, TypeDefVariant, TypeInfo, TypeParameter, Variant, meta_type,
};
use std::marker::PhantomData;

/// Path of [`Era`].
pub const ERA: &str = "sp_runtime::generic::era::Era";

/// One variant a first byte, of which all but the first have a second one.
impl TypeInfo for Era {
    type Identity = Self;

    fn type_info() -> Type {
        let immortal = Variants::new().variant("Immortal", |v| v.index(0));
        let variants = (1..=u8::MAX).fold(immortal, |variants, first| {
            variants.variant("Mortal", |v| v.index(first).fields(Fields::unnamed().field(|f| f.ty::<u8>())))
        });
        Type::builder().path(Path::new("Era", "sp_runtime::generic::era")).variant(variants)
    }
}

/// Clients ask the address for its parameters.
impl TypeInfo for MultiAddress {
    type Identity = Self;

    fn type_info() -> Type {
        let parameters = vec![
            TypeParameter::new("AccountId", Some(meta_type::<AccountId>())),
            TypeParameter::new("AccountIndex", Some(meta_type::<()>())),
        ];
        let id = |v: VariantBuilder<_>| v.index(0).fields(Fields::unnamed().field(|f| f.ty::<AccountId>()));
        Type::builder()
            .path(Path::new("MultiAddress", "sp_runtime::multiaddress"))
            .type_params(parameters)
            .variant(Variants::new().variant("Id", id))
    }
}

/// Clients ask for all three kinds before they sign with any; the chain refuses all but sr25519.
impl TypeInfo for MultiSignature {
    type Identity = Self;

    fn type_info() -> Type {
        let of = |index| {
            move |v: VariantBuilder<_>| v.index(index).fields(Fields::unnamed().field(|f| f.ty::<[u8; 64]>()))
        };
        let ecdsa = |v: VariantBuilder<_>| v.index(2).fields(Fields::unnamed().field(|f| f.ty::<[u8; 65]>()));
        let kinds =
            Variants::new().variant("Ed25519", of(0)).variant("Sr25519", of(1)).variant("Ecdsa", ecdsa);
        Type::builder().path(Path::new("MultiSignature", "sp_runtime")).variant(kinds)
    }
}

/// Clients ask the record for its parameters as well.
impl TypeInfo for EventRecord {
    type Identity = Self;

    fn type_info() -> Type {
        let parameters = vec![
            TypeParameter::new("E", Some(meta_type::<Event>())),
            TypeParameter::new("T", Some(meta_type::<Hash>())),
        ];
        let fields = Fields::named()
            .field(|f| f.name("phase").ty::<Phase>().type_name("Phase"))
            .field(|f| f.name("event").ty::<Event>().type_name("E"))
            .field(|f| f.name("topics").ty::<Vec<Hash>>().type_name("Vec<T>"));
        Type::builder()
            .path(Path::new("EventRecord", "frame_system"))
            .type_params(parameters)
            .composite(fields)
    }
}

/// An extrinsic's bytes, and what they are made of.
pub struct Unchecked;

impl TypeInfo for Unchecked {
    type Identity = Self;

    fn type_info() -> Type {
        let parameters = vec![
            TypeParameter::new("Address", Some(meta_type::<MultiAddress>())),
            TypeParameter::new("Call", Some(meta_type::<Call>())),
            TypeParameter::new("Signature", Some(meta_type::<MultiSignature>())),
            TypeParameter::new("Extra", Some(meta_type::<()>())),
        ];
        Type::builder()
            .path(Path::new("UncheckedExtrinsic", "sp_runtime::generic::unchecked_extrinsic"))
            .type_params(parameters)
            .composite(Fields::unnamed().field(|f| f.ty::<Vec<u8>>()))
    }
}

/// What numbers between errors are called, with the number behind.
pub const UNUSED: &str = "Unused";

/// A module's errors as events tell them: the variant, without the values that the receipts have.
pub struct ModuleErrors<E>(PhantomData<fn() -> E>);

impl<E: TypeInfo + 'static> TypeInfo for ModuleErrors<E> {
    type Identity = Self;

    fn type_info() -> Type {
        let Type { path, type_params, type_def, docs } = E::type_info();
        let TypeDef::Variant(TypeDefVariant { mut variants }) = type_def else {
            unreachable!("errors are enums");
        };
        variants.iter_mut().for_each(|variant| variant.fields.clear());
        // Some clients count instead of looking at the numbers, so there is a variant for each up to the last.
        let last = variants.iter().map(|variant| variant.index).max().unwrap_or(0);
        let gaps = (0..last).filter(|index| variants.iter().all(|variant| variant.index != *index));
        let unused = |index| Variant { name: UNUSED, fields: Vec::new(), index, docs: vec!["Never given."] };
        let unused: Vec<_> = gaps.map(unused).collect();
        variants.extend(unused);
        variants.sort_unstable_by_key(|variant| variant.index);
        // [crate, "modules", module, …, "Error"]
        let mut segments = path.segments;
        segments.splice(3.., ["pallet", "Error"]);
        let path = Path::from_segments(segments).expect("a path of identifiers");
        Type { path, type_params, type_def: TypeDefVariant::new(variants).into(), docs }
    }
}

/// An error of any module.
#[derive(TypeInfo)]
#[expect(dead_code, reason = "it is described and never built")]
pub enum RuntimeError {
    /// Of `Timestamp`.
    #[codec(index = 1)]
    Timestamp(ModuleErrors<timestamp::Error>),
    /// Of `Balances`.
    #[codec(index = 2)]
    Balances(ModuleErrors<balances::Error>),
    /// Of `Sudo`.
    #[codec(index = 3)]
    Sudo(ModuleErrors<sudo::Error>),
    /// Of `Registry`.
    #[codec(index = 4)]
    Registry(ModuleErrors<registry::Error>),
    /// Of `Contracts`.
    #[codec(index = 5)]
    Contracts(ModuleErrors<contracts::Error>),
    /// Of `Markets`.
    #[codec(index = 6)]
    Markets(ModuleErrors<markets::Error>),
    /// Of `Attestation`.
    #[codec(index = 7)]
    Attestation(ModuleErrors<attestation::Error>),
}

/// The runtime, which V14 and V15 want as a type.
pub struct Runtime;

impl TypeInfo for Runtime {
    type Identity = Self;

    fn type_info() -> Type {
        Type::builder().path(Path::new("Runtime", "busbar_runtime")).composite(Fields::unit())
    }
}

/// A type that has no other use than to name an extension.
macro_rules! extension {
    ($name:ident, $path:literal $(, $field:ident: $of:ty)?) => {{
        struct $name;
        impl TypeInfo for $name {
            type Identity = Self;

            fn type_info() -> Type {
                let builder = Type::builder().path(Path::new(stringify!($name), $path));
                builder.composite(extension!(@fields $($field $of)?))
            }
        }
        meta_type::<$name>()
    }};
    (@fields) => { Fields::unit() };
    (@fields plain $of:ty) => { Fields::unnamed().field(|f| f.ty::<$of>()) };
    (@fields compact $of:ty) => { Fields::unnamed().field(|f| f.compact::<$of>()) };
    (@fields mode $of:ty) => { Fields::named().field(|f| f.name("mode").ty::<$of>()) };
}

/// Whether the hash of the metadata is signed.
#[derive(TypeInfo)]
#[expect(dead_code, reason = "it is described and never built")]
enum Mode {
    /// It is not.
    Disabled,
    /// It is; refused.
    Enabled,
}

/// The extensions of an extrinsic in their order: name, what stands beside the call, what is signed beside it.
pub fn extensions() -> [(&'static str, MetaType, MetaType); 9] {
    let none = meta_type::<()>;
    [
        (
            "CheckNonZeroSender",
            extension!(CheckNonZeroSender, "frame_system::extensions::check_non_zero_sender"),
            none(),
        ),
        (
            "CheckSpecVersion",
            extension!(CheckSpecVersion, "frame_system::extensions::check_spec_version"),
            meta_type::<u32>(),
        ),
        (
            "CheckTxVersion",
            extension!(CheckTxVersion, "frame_system::extensions::check_tx_version"),
            meta_type::<u32>(),
        ),
        (
            "CheckGenesis",
            extension!(CheckGenesis, "frame_system::extensions::check_genesis"),
            meta_type::<Hash>(),
        ),
        (
            "CheckMortality",
            extension!(CheckMortality, "frame_system::extensions::check_mortality", plain: Era),
            meta_type::<Hash>(),
        ),
        ("CheckNonce", extension!(CheckNonce, "frame_system::extensions::check_nonce", compact: u32), none()),
        ("CheckWeight", extension!(CheckWeight, "frame_system::extensions::check_weight"), none()),
        (
            "ChargeTransactionPayment",
            extension!(ChargeTransactionPayment, "pallet_transaction_payment", compact: u128),
            none(),
        ),
        (
            "CheckMetadataHash",
            extension!(CheckMetadataHash, "frame_metadata_hash_extension", mode: Mode),
            meta_type::<Option<[u8; 32]>>(),
        ),
    ]
}

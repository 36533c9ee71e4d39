//! Events as clients read them: `System.Events` is a `Vec<EventRecord>`.

use crate::modules::{attestation, balances, contracts, markets, registry, sudo, system};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::Hash;
use scale_info::TypeInfo;

/// When in a block an event was emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Phase {
    /// While an extrinsic was applied; its index in the runtime block.
    #[codec(index = 0)]
    ApplyExtrinsic(u32),
    /// After the last extrinsic.
    #[codec(index = 1)]
    Finalization,
    /// Before the first extrinsic.
    #[codec(index = 2)]
    Initialization,
}

/// An event of any module; the index is the module's.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Event {
    /// Of `System`.
    #[codec(index = 0)]
    System(system::Event),
    /// Of `Balances`.
    #[codec(index = 2)]
    Balances(balances::Event),
    /// Of `Sudo`.
    #[codec(index = 3)]
    Sudo(sudo::Event),
    /// Of `Registry`.
    #[codec(index = 4)]
    Registry(registry::Event),
    /// Of `Contracts`.
    #[codec(index = 5)]
    Contracts(contracts::Event),
    /// Of `Markets`.
    #[codec(index = 6)]
    Markets(markets::Event),
    /// Of `Attestation`.
    #[codec(index = 7)]
    Attestation(attestation::Event),
}

macro_rules! from_module {
    ($($module:ident $variant:ident),*) => {$(
        impl From<$module::Event> for Event {
            fn from(event: $module::Event) -> Self {
                Self::$variant(event)
            }
        }
    )*};
}
from_module!(system System, balances Balances, sudo Sudo, registry Registry, contracts Contracts, markets Markets, attestation Attestation);

/// One event with its place.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EventRecord {
    /// When.
    pub phase: Phase,
    /// What.
    pub event: Event,
    /// Index topics (contract events).
    pub topics: Vec<Hash>,
}

//! What one row of the table says, and the table as data.
//!
//! The data is expanded from [`for_each_host_function`](crate::for_each_host_function); it is never written by hand.

use crate::ReturnCode;

/// Prefix of the second name under which an aliased function may be imported.
pub const ALIAS_PREFIX: &str = "seal_";

/// Module and name of the one memory that a contract may import.
pub const MEMORY_IMPORT: (&str, &str) = ("env", "memory");

/// Type of a wasm parameter or result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
}

/// Whether a contract may import the function today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Importable.
    Served,
    /// Unstable in the contracts pallet: never served.
    Unstable,
    /// Deprecated in the contracts pallet: never served.
    Deprecated,
}

/// What a function's work is, and so how it is charged. The VM turns a class into gas by one exhaustive match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostClass {
    /// Writes a fact that the frame already holds.
    Fact,
    /// Looks at an account in the state.
    Account,
    /// Writes the call's input.
    Input,
    /// Ends the call with an output.
    Return,
    /// Reads a storage value.
    StorageRead,
    /// Replaces, removes or takes a storage value.
    StorageWrite,
    /// Records an event.
    Event,
    /// Records a debug message.
    Debug,
    /// Moves value between accounts.
    Transfer,
    /// BLAKE2b, either length.
    Blake2,
    /// Keccak-256.
    Keccak,
    /// SHA-256.
    Sha2,
    /// Verifies one signature, or unpacks one key.
    Signature,
    /// Recovers the key of one signature.
    Recovery,
    /// Runs another contract.
    Call,
    /// Creates a contract.
    Instantiate,
    /// Hands the call to a chain extension.
    Extension,
    /// Returns an error code without work.
    Stub,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostFunction {
    /// Import module: `seal0`, `seal1` or `seal2`.
    pub module: &'static str,
    /// Import name.
    pub name: &'static str,
    /// Whether `seal_` + name may be imported as well.
    pub aliased: bool,
    /// Whether a pure contract may import it.
    pub pure: bool,
    /// Whether it changes state, and so is refused in a read-only call.
    pub mutating: bool,
    /// Names and types of the parameters.
    pub parameters: &'static [(&'static str, ValueType)],
    /// Type of the result, if there is one.
    pub result: Option<ValueType>,
    /// Whether contracts may import it today.
    pub service: Service,
    /// How it is charged.
    pub cost: CostClass,
    /// What it does.
    pub doc: &'static str,
}

/// A Rust type that a wasm value carries.
pub trait WasmType {
    /// The wasm type.
    const TYPE: ValueType;
}

impl WasmType for u32 {
    const TYPE: ValueType = ValueType::I32;
}

impl WasmType for u64 {
    const TYPE: ValueType = ValueType::I64;
}

/// A host function's Rust result, and how wasm sees it.
pub trait Lower {
    /// What the engine returns to wasm: `()`, `u32` or `u64`.
    type Wasm;
    /// The wasm type, if there is a result.
    const TYPE: Option<ValueType>;
    /// The value for wasm.
    fn lower(self) -> Self::Wasm;
}

macro_rules! lower_as_itself {
    ($($rust:ty => $wasm:expr),*) => {$(
        impl Lower for $rust {
            type Wasm = Self;
            const TYPE: Option<ValueType> = $wasm;
            fn lower(self) -> Self {
                self
            }
        }
    )*};
}
lower_as_itself!(() => None, u32 => Some(ValueType::I32), u64 => Some(ValueType::I64));

impl Lower for ReturnCode {
    type Wasm = u32;
    const TYPE: Option<ValueType> = Some(ValueType::I32);
    fn lower(self) -> u32 {
        self as u32
    }
}

macro_rules! is {
    (aliased) => {
        true
    };
    (pure) => {
        true
    };
    (mutating) => {
        true
    };
    (plain) => {
        false
    };
    (stateful) => {
        false
    };
    (reading) => {
        false
    };
}

macro_rules! as_data {
    ($($service:ident {$(
        $(#[doc = $doc:literal])+
        $module:literal $name:literal as $id:ident [$alias:ident $reach:ident $effect:ident] $cost:ident
        ($($parameter:ident: $type:ty),*) -> $result:ty;
    )*})*) => {
        /// Every function of the interface, in the table's order.
        pub static HOST_FUNCTIONS: &[HostFunction] = &[$($(HostFunction {
            module: $module,
            name: $name,
            aliased: is!($alias),
            pure: is!($reach),
            mutating: is!($effect),
            parameters: &[$((stringify!($parameter), <$type as WasmType>::TYPE)),*],
            result: <$result as Lower>::TYPE,
            service: Service::$service,
            cost: CostClass::$cost,
            doc: concat!($($doc),+),
        },)*)*];
    };
}
crate::for_each_host_function!(as_data);

/// The function imported as `module`.`name`, also under its alias.
pub fn find(module: &str, name: &str) -> Option<&'static HostFunction> {
    let plain = name.strip_prefix(ALIAS_PREFIX);
    HOST_FUNCTIONS
        .iter()
        .filter(|function| function.module == module)
        .find(|function| function.name == name || (function.aliased && Some(function.name) == plain))
}

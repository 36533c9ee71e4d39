//! Return codes, flags and markers of the seal interface, numbered as the contracts pallet numbers them.
//!
//! Numbers are frozen: compiled contracts compare with them.

/// A pointer that means "discard the output", and a length that means "there was none".
pub const SENTINEL: u32 = u32::MAX;

/// Flag of `seal_return`: undo everything this call changed.
pub const RETURN_FLAG_REVERT: u32 = 1;

macro_rules! return_codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal,)*) => {
        /// What a host function tells the contract about its success.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum ReturnCode {
            $($(#[doc = $doc])+ $name = $number,)*
        }

        /// Every code, with what it says.
        pub static RETURN_CODES: &[(ReturnCode, &str)] = &[$((ReturnCode::$name, concat!($($doc),+)),)*];
    };
}
return_codes! {
    /// Done.
    Success = 0,
    /// The called contract trapped.
    CalleeTrapped = 1,
    /// The called contract returned with the revert flag.
    CalleeReverted = 2,
    /// No value under this storage key.
    KeyNotFound = 3,
    /// The sender's balance does not allow the transfer.
    TransferFailed = 5,
    /// No code under this hash.
    CodeNotFound = 7,
    /// The address is not a contract.
    NotCallable = 8,
    /// Debug messages are not recorded.
    LoggingDisabled = 9,
    /// `call_runtime` failed.
    CallRuntimeFailed = 10,
    /// No key recovers from the ECDSA signature.
    EcdsaRecoveryFailed = 11,
    /// The sr25519 signature does not hold.
    Sr25519VerifyFailed = 12,
    /// `xcm_execute` failed.
    XcmExecutionFailed = 13,
    /// `xcm_send` failed.
    XcmSendFailed = 14,
}

/// Flags of `call` and `delegate_call`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallFlags(u32);

impl CallFlags {
    /// Give this call's input to the callee; it can no longer be read here.
    pub const FORWARD_INPUT: Self = Self(1);
    /// Give a copy of this call's input to the callee.
    pub const CLONE_INPUT: Self = Self(2);
    /// Return what the callee returns.
    pub const TAIL_CALL: Self = Self(4);
    /// Allow the callee to call back into this contract.
    pub const ALLOW_REENTRY: Self = Self(8);
    /// Refuse every change of state below this call.
    pub const READ_ONLY: Self = Self(16);

    /// The flags in `bits`, or `None` if an unknown one is set.
    pub const fn from_bits(bits: u32) -> Option<Self> {
        if bits < 32 { Some(Self(bits)) } else { None }
    }

    /// Whether every flag of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

//! Messages of the three rules, their selectors and error types.
//!
//! A selector is `blake2b-256(name)[..4]`, as ink! derives it. The answer of every message is
//! `Result<Result<T, RuleError>, LangError>`; an inner `Err` also sets the REVERT flag.

use parity_scale_codec::{Decode, Encode, MaxEncodedLen};

/// Version of this interface; a chain serves it and the one before.
pub const INTERFACE: u16 = 1;

/// First four bytes of a message's input.
pub type Selector = [u8; 4];
/// `describe() → Descriptor`, on every rule.
pub const DESCRIBE: Selector = [0x33, 0x71, 0x3e, 0x62];
/// `admit(AdmitInput) → Admission`, on the bid rule.
pub const ADMIT: Selector = [0x5d, 0x97, 0x7c, 0x25];
/// `clear(ClearParams, Book) → Clearing`, on the matching rule.
pub const CLEAR: Selector = [0x6b, 0x38, 0x53, 0x65];
/// `settle(SettleInput) → SettlementReport`, on the settlement rule.
pub const SETTLE: Selector = [0x6c, 0x33, 0x72, 0x22];

/// What a rule answers to a message.
pub type RuleResult<T> = Result<Result<T, RuleError>, LangError>;

/// The call never reached the rule (ink!'s `LangError`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub enum LangError {
    /// Unknown selector or undecodable arguments.
    #[codec(index = 1)]
    CouldNotReadInput,
}

/// A rule refused its input as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub enum RuleError {
    /// The rule does not speak this interface version.
    #[codec(index = 0)]
    UnsupportedInterface(u16),
    /// More orders than the rule's `max_orders`; carries the count.
    #[codec(index = 1)]
    TooManyOrders(u32),
    /// An order carries a flag the rule does not support; carries its seq.
    #[codec(index = 2)]
    UnsupportedFlag(u32),
    /// The input contradicts itself; carries the rule's own position code.
    #[codec(index = 3)]
    BadInput(u32),
    /// The rule's own error.
    #[codec(index = 255)]
    Custom(u16),
}

/// How a matching rule prices trades; the referee holds it to this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub enum Pricing {
    /// One price for all trades of a clearing.
    Uniform = 0,
    /// Each trade has one price for both sides.
    Single = 1,
    /// The buyer may pay more than the seller gets; the difference goes to the pool.
    TwoPrice = 2,
}

/// What a rule says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Descriptor {
    /// Interface version it speaks.
    pub interface: u16,
    /// Name, ASCII, zero padded.
    pub name: [u8; 16],
    /// Version of the rule itself.
    pub version: u32,
    /// Pricing it promises.
    pub pricing: Pricing,
    /// Order flags it honours (bits of [`crate::flags`]).
    pub flags_supported: u8,
    /// Whether it honours `min_energy`.
    pub min_energy: bool,
    /// Whether it clears a continuous book.
    pub continuous: bool,
    /// Whether it promises to leave no crossing pair of different entities unfilled.
    pub no_residual_cross: bool,
    /// Most orders it accepts in one clearing.
    pub max_orders: u32,
}

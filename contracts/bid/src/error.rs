//! Why the bid rule refuses: the codes that a trader reads in `Admission::Refuse`.
//!
//! A code is part of the rule's public face: it is never given another meaning.

use contract_interface::Admission;

/// One variant per rule of admission, in the order in which they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u16)]
pub enum Refusal {
    /// The entity does not hold the trader's role.
    NotATrader = 1,
    /// The book of the slot is full.
    SlotFull = 2,
    /// The order carries a flag that nobody knows.
    UnknownFlag = 3,
    /// The preferred partner is the trader itself.
    PartnerIsSelf = 4,
    /// The order is for no energy.
    ZeroEnergy = 5,
    /// The least acceptable fill exceeds the order's energy.
    MinEnergyAboveEnergy = 6,
    /// The connection cannot move that much energy in one slot.
    OverCapacity = 7,
    /// The price is below the market's lowest.
    PriceTooLow = 8,
    /// The price is above the market's highest.
    PriceTooHigh = 9,
    /// The price is no multiple of the tick.
    OffTick = 10,
}

impl From<Refusal> for Admission {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse { rule: refusal as u16 }
    }
}

/// Position codes of `RuleError::BadInput`: the runtime contradicts itself, so the order is not to blame.
pub mod bad_input {
    /// The request is for another market or slot than the parameters.
    pub const OTHER_SLOT: u32 = 1;
    /// The entity has more orders in the slot than the slot has.
    pub const ORDER_COUNTS: u32 = 2;
    /// The tick is zero, the price bounds are reversed or the slot has no length.
    pub const PARAMETERS: u32 = 3;
    /// The memo is longer than a rule may keep.
    pub const MEMO: u32 = 4;
}

//! Why the settlement rule refuses its input: each fault is the caller's, for trades and meters are certified.
//!
//! A shortfall of energy is no fault; it is what settlement is for.

use contract_interface::RuleError;

/// One variant per demand on the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The input is of an interface version the rule does not speak.
    Interface(u16),
    /// The meters do not ascend.
    MetersNotAscending,
    /// A trade names a meter that is not listed.
    UnknownMeter,
    /// A trade pays its seller more than its buyer pays.
    PricesReversed,
    /// The confirmed energy of a meter exceeds 64 bits.
    EnergyOverflow,
}

impl From<Fault> for RuleError {
    /// `BadInput` 1–4 as numbered here.
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Interface(version) => Self::UnsupportedInterface(version),
            Fault::MetersNotAscending => Self::BadInput(1),
            Fault::UnknownMeter => Self::BadInput(2),
            Fault::PricesReversed => Self::BadInput(3),
            Fault::EnergyOverflow => Self::BadInput(4),
        }
    }
}

//! Why the rule refuses a batch as a whole.
//!
//! A cancellation is never at fault: of an order that is unknown, filled or withdrawn it does nothing.

use contract_interface::RuleError;
use runtime_primitives::Seq;

/// What is wrong with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The input is of an interface version the rule does not speak.
    Interface(u16),
    /// The book is a call auction's.
    Auction,
    /// More resting and new orders, or more operations, than the rule accepts; carries the count.
    TooManyOrders(u32),
    /// An order carries a flag that the rule does not honour, or a minimum fill; carries its seq.
    Unsupported(Seq),
    /// The seqs of resting orders and operations, in this order, do not ascend.
    NotAscending,
    /// An order is for no energy.
    ZeroEnergy,
    /// Resting orders cross: no batch of this rule leaves such a book.
    Crossed,
}

impl From<Fault> for RuleError {
    /// `BadInput` 1–4 as numbered here.
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Interface(version) => Self::UnsupportedInterface(version),
            Fault::TooManyOrders(count) => Self::TooManyOrders(count),
            Fault::Unsupported(seq) => Self::UnsupportedFlag(seq.number()),
            Fault::Auction => Self::BadInput(1),
            Fault::NotAscending => Self::BadInput(2),
            Fault::ZeroEnergy => Self::BadInput(3),
            Fault::Crossed => Self::BadInput(4),
        }
    }
}

//! The types, messages and selectors of the market (interface v1); types only, no rule and no runtime.
//!
//! Everything encodes as SCALE with fixed-width little-endian integers; only `Vec` lengths are compact.
//! A change of any layout here is a new interface version.
#![allow(
    clippy::cast_possible_truncation,
    reason = "the SCALE derive passes variant indices through usize; our own code uses try_from"
)]
#![no_std]

extern crate alloc;

mod clearing;
mod fixed;
mod message;
mod order;
mod record;
mod settlement;
mod terms;

pub use clearing::{Book, ClearParams, Clearing, Op, Trade};
pub use message::{
    ADMIT, CLEAR, DESCRIBE, Descriptor, INTERFACE, LangError, Pricing, RuleError, RuleResult, SETTLE,
    Selector,
};
pub use order::{Admission, AdmitInput, Order, OrderRequest, Side, flags, roles};
pub use record::{
    Claim, Leg, NetPosition, Stage, StageRecord, TradeOrder, TransferKind, TransferRecord, Vote,
    attest_message, confirm_message, correction_message, reading_message, seal, vote_message,
};
pub use settlement::{
    CertifiedTrade, ExecutionEntry, ExecutionList, Fee, MeterSlot, Party, Rates, Reading, ReadingStatus,
    SettleInput, SettlementReport, Transfer, kinds,
};
pub use terms::{FeederFee, Limits, Terms, Windows};

//! The native modules. Each file: Call, Event, Error, storage items, handlers, in that order.

pub mod attestation;
pub mod balances;
pub mod contracts;
pub mod markets;
pub mod payment;
pub mod registry;
pub mod sudo;
pub mod system;
pub mod timestamp;

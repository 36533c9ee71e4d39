//! One node: wiring, mempool, importer, keystore, attestor and the busbar command line.
//!
//! The only crate with secret keys and a command line; what it knows of the rules it asks the runtime.

pub mod agent;
pub mod bill;
pub mod chain_spec;
pub mod checkpoint;
pub mod cli;
pub mod client;
pub mod community;
pub mod export;
pub mod files;
pub mod follow;
pub mod keys;
pub mod market_spec;
pub mod node;
pub mod quantity;
pub mod replay;
pub mod report;
pub mod rule_name;
pub mod rules;
pub mod scenario;
pub mod service;
pub mod snapshot;
pub mod trade;
pub mod wallet;

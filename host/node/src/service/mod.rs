//! A node that serves: the engine driven by a clock, sessions that attest, and views for RPC.
//!
//! [`Service`] does one thing at a time on one thread, which must have the stack that contracts need. What others
//! see is durable: a block is published after it is flushed.

mod attesting;
mod bell;
mod config;
mod error;
mod file_clock;
mod peer;
mod run;
mod view;

pub use attesting::Attesting;
pub use bell::Bell;
pub use config::{EngineConfig, ServiceConfig};
pub use error::ServiceError;
pub use file_clock::FileClock;
pub use peer::Peer;
pub use run::Service;
pub use view::{Role, View};

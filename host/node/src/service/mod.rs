//! A node that serves: the engine driven by a clock, sessions that attest, and views for RPC.
//!
//! What others see is durable: a block is published after it is flushed.

mod attesting;
mod bell;
mod config;
mod error;
mod file_clock;
mod files;
mod following;
mod hand;
mod room;
mod serving;
mod view;

pub use attesting::{Attesting, is_awaited};
pub use bell::Bell;
pub use config::{MIN_FREE_DISK_MIB, ServiceConfig};
pub use error::ServiceError;
pub use file_clock::FileClock;
pub use following::Following;
pub use serving::Service;
pub use view::{Role, View};

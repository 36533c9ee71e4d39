//! The ordering port and its engines; forbids knowing what an extrinsic means.
//!
//! An engine decides *which bytes come next and when*; what they mean belongs to the [`Application`] behind
//! the port. Nothing here decodes an extrinsic, executes a block or opens a file.

mod clock;
mod envelope;
pub mod network;
mod port;
mod solo;

pub use clock::{Clock, RehearsalClock, SystemClock, VirtualClock};
pub use envelope::{
    BlockFault, CLOCKS_APART_MS, FINALITY_PATIENCE_MS, Report, Timeliness, VOTE_EARLY_MS, check_envelope,
    check_report, check_time,
};
pub use port::{Application, Certificate, Parent, Proposal, Verdict};
pub use solo::{EngineError, Progress, Solo};

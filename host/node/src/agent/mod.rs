//! Who acts on a market: households, validators, the platform. Each is a function of the chain's state and its
//! own knowledge: asked twice on one state it gives the same extrinsics, so that an interrupted run resumes.
//!
//! Agents trust nothing that they can recompute: a validator re-runs the clearing on the second engine before
//! it signs, a household re-runs the settlement and looks at its own meter before it votes.

mod attestor;
mod desk;
mod household;
mod journal;
mod operator;
mod remote;

pub use attestor::{Attestor, Verdict};
pub use desk::{Desk, Match, seats};
pub use household::{Case, Household, Intent, Opinion, Registers};
pub use journal::{Journal, JournalError};
pub use operator::Operator;
pub use remote::{Deed, Done, Identity, RemoteError, RemoteHousehold, Round};

//! A real community for the demo: who lives there, what they use and generate, what they would bid.
//!
//! Everything follows from the data and one seed, in integers: the same seed gives the same day to the byte.
//! The data are SimBench's under the Open Database License; whoever shows them shows [`ATTRIBUTION`].

mod error;
mod forecast;
mod model;
mod simbench;
mod tariff;
mod welfare;

pub use error::CommunityError;
pub use forecast::{INTENT_ENERGY_MIN, Intent};
pub use model::{Community, Metered, Prosumer, SLOT_MINUTES, SLOTS, Season, SlotEnergy};
pub use simbench::ATTRIBUTION;
pub use tariff::Tariff;
pub use welfare::{RetailBill, optimum};

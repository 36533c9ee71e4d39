//! `Contracts`: code on chain and the stateful contracts made from it, with the contracts pallet's call indices,
//! events and storage names. Market rules are uploaded here like any other code.

mod call;
mod code;

pub use call::{Call, Error, Event, dispatch};
pub use code::{CODE_INFO, CodeInfo, PRISTINE_CODE, code, upload};

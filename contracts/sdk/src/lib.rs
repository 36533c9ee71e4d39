//! A thin layer over `pallet-contracts-uapi`: entry points, dispatch, memory and storage of a contract, and what all
//! call auctions share.
//!
//! The only place in this ring with `unsafe`, and only in [`mod@guest`]: a rule is safe code over its decoded input.
#![no_std]

extern crate alloc;
#[cfg(not(target_arch = "wasm32"))]
extern crate std;

mod arena;
pub mod auction;
mod dispatch;
mod entry;
#[cfg(target_arch = "wasm32")]
pub mod guest;
mod owners;
pub mod pairing;
mod queue;
mod storage;

pub use dispatch::{Answer, Handler, LANG_ERROR, OK, REVERT, answer, selects, unreadable};
pub use owners::{Owners, Shares};
pub use queue::Queue;
pub use storage::Storage;

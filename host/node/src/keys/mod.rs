//! Keys of people, meters and validators: pairs, derivation, addresses, signing and the encrypted store.
//!
//! Invariant 7: stored secrets become keys in one file, `store.rs`. Nothing here prints, logs or formats a
//! secret, except the phrase that `keys generate` was asked for.

mod command;
mod error;
mod pair;
mod phrase;
mod report;
mod signer;
mod ss58;
mod store;
mod terminal;
mod unlock;
mod uri;

pub use command::KeysArgs;
pub use error::KeyError;
pub use pair::KeyPair;
pub use phrase::Phrase;
pub use report::KeyReport;
pub use signer::{Signer, SigningPolicy};
pub use ss58::{Ss58, Ss58Prefix};
pub use store::{Cost, KeyStore, StoredKey};
pub use unlock::UnlockArgs;

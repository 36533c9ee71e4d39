//! The committed market rules, as uploaded in tests.

use runtime_primitives::{Hash, blake2_256};

/// The bid rule.
pub const BID: &[u8] = include_bytes!("../../contracts/artifacts/bid.wasm");
/// The default matching rule.
pub const HIGH_LOW: &[u8] = include_bytes!("../../contracts/artifacts/high_low.wasm");
/// The paper's matching rule.
pub const MIN_SPREAD: &[u8] = include_bytes!("../../contracts/artifacts/min_spread.wasm");
/// The matching rule with one price for all.
pub const UNIFORM_PRICE: &[u8] = include_bytes!("../../contracts/artifacts/uniform_price.wasm");
/// The matching rule of continuous books.
pub const CONTINUOUS: &[u8] = include_bytes!("../../contracts/artifacts/continuous.wasm");
/// The matching rule with the marginal prices, paid by those who do not set them.
pub const HUANG: &[u8] = include_bytes!("../../contracts/artifacts/huang.wasm");
/// The settlement rule.
pub const SETTLEMENT: &[u8] = include_bytes!("../../contracts/artifacts/settlement.wasm");

/// All of them.
pub const ALL: [&[u8]; 7] = [BID, HIGH_LOW, MIN_SPREAD, UNIFORM_PRICE, CONTINUOUS, HUANG, SETTLEMENT];

/// The name of code on chain.
pub fn hash(code: &[u8]) -> Hash {
    blake2_256(code)
}

//! One validator's node: pool in front, executor and store behind, consensus in between.
//!
//! [`Chain`] is what consensus sees; everything else asks it for snapshots.

mod chain;
mod code_cache;
mod flusher;
mod pool;
mod signatures;

pub use chain::{Chain, ChainError, Statistics};
pub use code_cache::{CODE_CACHE_BYTES_MAX, CodeCache, CodeCacheError};
pub use pool::{Pool, PoolError};
pub use signatures::SignatureCache;

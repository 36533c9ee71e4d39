//! One validator's node: pool in front, executor and store behind, consensus in between.
//!
//! [`Chain`] is what consensus sees; everything else asks it for snapshots.

mod chain;
mod code_cache;
mod divergence;
mod flusher;
mod health;
mod pool;
mod refusals;
mod signatures;

pub use chain::{Chain, ChainError, Statistics};
pub use code_cache::{CODE_CACHE_BYTES_MAX, CodeCache, CodeCacheError};
pub use divergence::Divergence;
pub use health::{Alarm, Findings, Health};
pub use pool::{Pool, PoolError};
pub use refusals::{Refusals, RuleCounts};
pub use signatures::SignatureCache;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A mutex whose holder may have panicked: what it guards is whole between two statements.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

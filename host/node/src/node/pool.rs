//! The pool: valid extrinsics waiting for a block. Bounded in bytes and count; ready ones leave in order of
//! arrival, an account's in order of nonce.
//!
//! It takes nothing that the last executed state would refuse; what has become invalid since is skipped by
//! execution and forgotten here.

use runtime_execution::{Invalid, ValidTransaction};
use runtime_primitives::limits::{BLOCK_BYTES_MAX, BLOCK_EXTRINSICS_MAX, BLOCK_GAS_MAX};
use runtime_primitives::{AccountId, Hash};
use std::collections::{BTreeMap, HashSet};
use thiserror::Error;

/// Extrinsics waiting at most.
const COUNT_MAX: usize = 65_536;
/// Bytes waiting at most.
const BYTES_MAX: usize = 64 << 20;
/// How far an account's nonce may run ahead of the state.
const NONCE_GAP_MAX: u32 = 4_096;
/// Bytes kept free in a block for its own fields.
const BLOCK_FRAME_BYTES: usize = 1_024;

/// Why the pool refuses an extrinsic.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PoolError {
    /// The state would refuse it.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// It is waiting already.
    #[error("already in the pool: {0}")]
    Known(Hash),
    /// Another extrinsic of this account and nonce is waiting.
    #[error("nonce {nonce} of {signer} is taken by an extrinsic that is waiting")]
    NonceTaken {
        /// Whose.
        signer: AccountId,
        /// Which.
        nonce: u32,
    },
    /// The nonce is too far ahead.
    #[error("nonce {nonce} is more than {NONCE_GAP_MAX} ahead of {next}")]
    TooFarAhead {
        /// In the extrinsic.
        nonce: u32,
        /// In the state.
        next: u32,
    },
    /// The pool is full.
    #[error("the pool is full: try again after the next block")]
    Full,
}

#[derive(Debug)]
struct Waiting {
    bytes: Vec<u8>,
    gas: u64,
    hash: Hash,
}

/// Extrinsics waiting for a block.
#[derive(Debug, Default)]
pub struct Pool {
    arrivals: u64,
    /// Bare extrinsics by arrival: votes and readings, which have deadlines.
    bare: BTreeMap<u64, Waiting>,
    /// Signed extrinsics by account and nonce, with their arrival.
    signed: BTreeMap<AccountId, BTreeMap<u32, (u64, Waiting)>>,
    known: HashSet<Hash>,
    bytes: usize,
}

impl Pool {
    /// Take an extrinsic that validation passed; `next_nonce` is its account's in the state.
    ///
    /// # Errors
    /// [`PoolError`].
    pub fn insert(
        &mut self,
        bytes: Vec<u8>,
        valid: &ValidTransaction,
        next_nonce: u32,
    ) -> Result<Hash, PoolError> {
        if self.known.contains(&valid.hash) {
            return Err(PoolError::Known(valid.hash));
        }
        if self.known.len() >= COUNT_MAX || self.bytes + bytes.len() > BYTES_MAX {
            return Err(PoolError::Full);
        }
        let size = bytes.len();
        let waiting = Waiting { bytes, gas: valid.gas.units(), hash: valid.hash };
        match valid.provides {
            None => _ = self.bare.insert(self.arrivals, waiting),
            Some((signer, nonce)) => {
                if nonce.saturating_sub(next_nonce) > NONCE_GAP_MAX {
                    return Err(PoolError::TooFarAhead { nonce, next: next_nonce });
                }
                let account = self.signed.entry(signer).or_default();
                if account.contains_key(&nonce) {
                    return Err(PoolError::NonceTaken { signer, nonce });
                }
                account.insert(nonce, (self.arrivals, waiting));
            }
        }
        self.known.insert(valid.hash);
        self.bytes += size;
        self.arrivals += 1;
        Ok(valid.hash)
    }

    /// Whether this extrinsic waits here, and so was validated.
    pub fn contains(&self, bytes: &[u8]) -> bool {
        self.known.contains(&runtime_primitives::blake2_256(bytes))
    }

    /// Number of extrinsics waiting.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// What fits the next block: bare ones first, then signed ones by arrival, each account's from its next nonce on
    /// without a gap.
    pub fn ready(&self, next_nonce: impl Fn(&AccountId) -> u32) -> Vec<Vec<u8>> {
        let mut room =
            Room { bytes: BLOCK_BYTES_MAX - BLOCK_FRAME_BYTES, gas: BLOCK_GAS_MAX, picked: Vec::new() };
        for waiting in self.bare.values() {
            room.take(waiting);
        }
        let mut order: Vec<(u64, &Waiting)> = Vec::new();
        for (signer, account) in &self.signed {
            let next = next_nonce(signer);
            let unbroken =
                (next..).zip(account.range(next..)).take_while(|(want, (nonce, _))| want == *nonce);
            let mut latest = 0;
            for (_, (_, (arrival, waiting))) in unbroken {
                // An account's extrinsics keep their nonce order even if they arrived the other way round.
                latest = latest.max(*arrival);
                order.push((latest, waiting));
            }
        }
        order.sort_by_key(|(arrival, _)| *arrival);
        for (_, waiting) in order {
            if !room.take(waiting) {
                break;
            }
        }
        room.picked
    }

    /// Forget what a block has ordered, and signed extrinsics whose nonce has passed.
    pub fn prune(&mut self, ordered: &[Vec<u8>], next_nonce: impl Fn(&AccountId) -> u32) {
        let gone: HashSet<Hash> = ordered.iter().map(|bytes| runtime_primitives::blake2_256(bytes)).collect();
        let (known, total) = (&mut self.known, &mut self.bytes);
        let mut forget = |waiting: &Waiting| {
            known.remove(&waiting.hash);
            *total -= waiting.bytes.len();
        };
        self.bare.retain(|_, waiting| {
            let keep = !gone.contains(&waiting.hash);
            if !keep {
                forget(waiting);
            }
            keep
        });
        self.signed.retain(|signer, account| {
            let next = next_nonce(signer);
            account.retain(|nonce, (_, waiting)| {
                let keep = *nonce >= next && !gone.contains(&waiting.hash);
                if !keep {
                    forget(waiting);
                }
                keep
            });
            !account.is_empty()
        });
    }
}

struct Room {
    bytes: usize,
    gas: u64,
    picked: Vec<Vec<u8>>,
}

impl Room {
    fn take(&mut self, waiting: &Waiting) -> bool {
        let size = waiting.bytes.len() + 4;
        let fits = size <= self.bytes && waiting.gas <= self.gas && self.picked.len() < BLOCK_EXTRINSICS_MAX;
        if fits {
            self.bytes -= size;
            self.gas -= waiting.gas;
            self.picked.push(waiting.bytes.clone());
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use runtime_primitives::{Gas, blake2_256};

    fn put(pool: &mut Pool, who: Option<(u8, u32)>, body: &[u8]) -> Result<Hash, PoolError> {
        let provides = who.map(|(account, nonce)| (AccountId([account; 32]), nonce));
        let valid = ValidTransaction { hash: blake2_256(body), provides, gas: Gas::from_units(1) };
        pool.insert(body.to_vec(), &valid, 0)
    }

    #[test]
    fn nonces_order_gaps_wait_and_bare_goes_first() {
        let mut pool = Pool::default();
        put(&mut pool, Some((1, 1)), b"a1").unwrap();
        put(&mut pool, Some((2, 0)), b"b0").unwrap();
        put(&mut pool, Some((1, 0)), b"a0").unwrap();
        put(&mut pool, Some((1, 3)), b"a3").unwrap();
        put(&mut pool, None, b"vote").unwrap();
        let ready = pool.ready(|_| 0);
        assert_eq!(ready, [&b"vote"[..], b"b0", b"a0", b"a1"]);
        assert!(matches!(put(&mut pool, None, b"vote"), Err(PoolError::Known(_))));
        assert!(matches!(
            put(&mut pool, Some((1, 0)), b"again"),
            Err(PoolError::NonceTaken { nonce: 0, .. })
        ));
        assert!(matches!(put(&mut pool, Some((3, 9_999)), b"far"), Err(PoolError::TooFarAhead { .. })));
        pool.prune(&ready, |who| if who.0[0] == 1 { 2 } else { 1 });
        assert_eq!(pool.len(), 1);
        assert_eq!(pool.ready(|_| 3), [b"a3"]);
        pool.prune(&[], |_| 4);
        assert!(pool.is_empty());
        assert_eq!(pool.bytes, 0);
    }
}

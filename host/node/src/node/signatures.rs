//! Signatures verified ahead of execution, in batches on all cores, so that none is verified twice on a node.
//!
//! A cached yes is a single `verify`'s yes: batches use a generator freshly seeded by the operating system, and
//! a batch that fails is verified singly.

use rand_core::OsRng;
use runtime_execution::Verifier;
use runtime_primitives::crypto::{Statement, verify_batch};
use runtime_primitives::{Hash, blake2_256};
use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Statements per batch: larger ones gain little.
const BATCH: usize = 256;
/// Remembered statements: several full blocks.
const CAPACITY: usize = 65_536;

/// What this node knows to be signed.
#[derive(Debug, Default)]
pub struct SignatureCache {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    set: HashSet<Hash>,
    order: VecDeque<Hash>,
}

impl Known {
    fn insert(&mut self, name: Hash) {
        if self.set.insert(name) {
            self.order.push_back(name);
            if self.order.len() > CAPACITY
                && let Some(oldest) = self.order.pop_front()
            {
                self.set.remove(&oldest);
            }
        }
    }
}

impl SignatureCache {
    /// Verify `statements` and remember those that hold.
    pub fn learn(&self, statements: &[Statement]) {
        let fresh: Vec<Statement> = {
            let known = self.known();
            statements.iter().filter(|statement| !known.set.contains(&name(statement))).cloned().collect()
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = fresh.len().div_ceil(cores).max(BATCH.min(fresh.len()).max(1));
        let good: Vec<Vec<Hash>> = std::thread::scope(|scope| {
            let workers: Vec<_> =
                fresh.chunks(share).map(|part| scope.spawn(move || verified(part))).collect();
            workers.into_iter().map(|worker| worker.join().expect("verification does not panic")).collect()
        });
        let mut known = self.known();
        good.into_iter().flatten().for_each(|hash| known.insert(hash));
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Verifier for SignatureCache {
    fn verify(&self, statement: &Statement) -> bool {
        self.known().set.contains(&name(statement)) || statement.verify()
    }
}

fn verified(part: &[Statement]) -> Vec<Hash> {
    part.chunks(BATCH)
        .flat_map(|batch| {
            let all = verify_batch(batch, OsRng);
            batch.iter().filter(move |statement| all || statement.verify()).map(name)
        })
        .collect()
}

fn name(statement: &Statement) -> Hash {
    let parts = [&statement.signer.0[..], &statement.signature.0, &statement.message];
    blake2_256(&parts.concat())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::keys::{Signer, SigningPolicy};

    #[test]
    fn one_forgery_in_a_batch_spoils_only_itself() {
        let signer = Signer::new("//Alice".parse().unwrap(), SigningPolicy::Repeatable);
        let mut statements: Vec<_> = (0..600u32).map(|n| signer.state(n.to_le_bytes().to_vec())).collect();
        statements[300].message.push(0);
        let cache = SignatureCache::default();
        cache.learn(&statements);
        let known = cache.known().set.len();
        assert_eq!(known, 599);
        for (index, statement) in statements.iter().enumerate() {
            assert_eq!(cache.verify(statement), index != 300, "{index}");
        }
    }
}

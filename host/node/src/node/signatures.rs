//! Signatures verified ahead of execution, in batches on all cores, so that none is verified twice on a node.
//!
//! A cached yes is a single `verify`'s yes: batches use a generator freshly seeded by the operating system. A batch that
//! fails is split, and what fails alone is remembered as well: whoever sends forgeries again has them looked up.

use rand_core::OsRng;
use runtime_execution::Verifier;
use runtime_primitives::crypto::{Statement, verify_batch};
use runtime_primitives::{Hash, blake2_256};
use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Statements per batch: larger ones gain little.
const BATCH: usize = 256;
/// A batch that fails is split into so many.
const SPLIT: usize = 16;
/// Statements that are worth a thread.
const SHARE: usize = 64;
/// Remembered statements that hold: several full blocks.
const GOOD_MAX: usize = 65_536;
/// Remembered forgeries; they drive out no others.
const FORGED_MAX: usize = 16_384;

/// What this node knows to be signed, and what not.
#[derive(Debug, Default)]
pub struct SignatureCache {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    good: Names,
    forged: Names,
}

impl Known {
    fn verdict(&self, name: &Hash) -> Option<bool> {
        let is_good = self.good.set.contains(name);
        (is_good || self.forged.set.contains(name)).then_some(is_good)
    }

    fn insert(&mut self, name: Hash, is_good: bool) {
        if is_good { self.good.insert(name, GOOD_MAX) } else { self.forged.insert(name, FORGED_MAX) }
    }
}

/// Names of statements, the oldest forgotten first.
#[derive(Debug, Default)]
struct Names {
    set: HashSet<Hash>,
    order: VecDeque<Hash>,
}

impl Names {
    fn insert(&mut self, name: Hash, most: usize) {
        if self.set.insert(name) {
            self.order.push_back(name);
            if self.order.len() > most
                && let Some(oldest) = self.order.pop_front()
            {
                self.set.remove(&oldest);
            }
        }
    }
}

impl SignatureCache {
    /// Verify `statements`, and remember which hold.
    pub fn learn(&self, statements: &[Statement]) {
        let fresh: Vec<Statement> = {
            let known = self.known();
            let is_fresh = |statement: &&Statement| known.verdict(&name(statement)).is_none();
            statements.iter().filter(is_fresh).cloned().collect()
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (own, others) = fresh.split_at(fresh.len().div_ceil(cores).max(SHARE).min(fresh.len()));
        let share = own.len().max(1);
        let mut verdicts = Vec::with_capacity(fresh.len());
        std::thread::scope(|scope| {
            let workers: Vec<_> =
                others.chunks(share).map(|part| scope.spawn(move || verdicts_of(part, BATCH))).collect();
            verdicts.extend(verdicts_of(own, BATCH));
            verdicts.extend(
                workers.into_iter().flat_map(|worker| worker.join().expect("verification does not panic")),
            );
        });
        let mut known = self.known();
        verdicts.into_iter().for_each(|(name, is_good)| known.insert(name, is_good));
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Verifier for SignatureCache {
    fn verify(&self, statement: &Statement) -> bool {
        let name = name(statement);
        let verdict = self.known().verdict(&name);
        verdict.unwrap_or_else(|| {
            let is_good = statement.verify();
            self.known().insert(name, is_good);
            is_good
        })
    }
}

/// The name of each statement and whether it holds, in batches of `size`.
fn verdicts_of(part: &[Statement], size: usize) -> Vec<(Hash, bool)> {
    let verdicts = part.chunks(size).flat_map(|batch| match batch {
        [single] => vec![(name(single), single.verify())],
        _ if verify_batch(batch, OsRng) => batch.iter().map(|statement| (name(statement), true)).collect(),
        _ => verdicts_of(batch, size.div_ceil(SPLIT)),
    });
    verdicts.collect()
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
    fn one_forgery_in_a_batch_spoils_only_itself_and_is_remembered() {
        let signer = Signer::new("//Alice".parse().unwrap(), SigningPolicy::Repeatable);
        let mut statements: Vec<_> = (0..600u32).map(|n| signer.state(n.to_le_bytes().to_vec())).collect();
        for forged in [0, 300, 599] {
            statements[forged].message.push(0);
            let cache = SignatureCache::default();
            cache.learn(&statements);
            let known = |cache: &SignatureCache| {
                let known = cache.known();
                (known.good.set.len(), known.forged.set.len())
            };
            assert_eq!(known(&cache), (599, 1));
            for (index, statement) in statements.iter().enumerate() {
                assert_eq!(cache.verify(statement), index != forged, "{index}");
            }
            assert_eq!(known(&cache), (599, 1));
            statements[forged].message.pop();
            cache.learn(&statements);
            assert_eq!(known(&cache), (600, 1));
        }
    }

    #[test]
    fn forgeries_drive_out_one_another_and_nothing_else() {
        let mut known = Known::default();
        let name = |n: usize| blake2_256(&n.to_le_bytes());
        known.insert(name(0), true);
        (1..=FORGED_MAX + 1).for_each(|n| known.insert(name(n), false));
        assert_eq!([0, 1, 2].map(|n| known.verdict(&name(n))), [Some(true), None, Some(false)]);
    }
}

//! The pool: valid extrinsics waiting for a block. Bounded in bytes and count, in all and for each signer; ready
//! ones leave in order of arrival, an account's in order of nonce.
//!
//! A quarter is for bare extrinsics alone, and the same vote or reading waits once: no signer can keep votes out. Votes
//! leave before readings, and of each those of the earliest slot first, whose deadline is next.
//!
//! It takes nothing that the last executed state would refuse; what has become invalid since is skipped by
//! execution and forgotten here.

use runtime_execution::{Invalid, ValidTransaction};
use runtime_primitives::limits::{BLOCK_BYTES_MAX, BLOCK_EXTRINSICS_MAX, BLOCK_GAS_MAX};
use runtime_primitives::{AccountId, Hash, Money, Slot};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use thiserror::Error;

/// What may wait at most.
const ALL_MAX: Load = Load { count: 65_536, bytes: 64 << 20 };
/// What may wait of signed extrinsics: the rest is kept for bare ones.
const SIGNED_MAX: Load = Load { count: ALL_MAX.count / 4 * 3, bytes: ALL_MAX.bytes / 4 * 3 };
/// What may wait of one signer: several times what an institution signs at once to set up a community.
const SIGNER_MAX: Load = Load { count: 1_024, bytes: 4 << 20 };
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
    #[error(
        "nonce {nonce} of {signer} is taken by an extrinsic that is waiting; a tip of {tip_units} units or more replaces it"
    )]
    NonceTaken {
        /// Whose.
        signer: AccountId,
        /// Which.
        nonce: u32,
        /// The tip that replaces it, in units of money.
        tip_units: u128,
    },
    /// The same vote or reading is waiting, perhaps under another signature.
    #[error("the same vote or reading is waiting: {waiting}")]
    Duplicate {
        /// Hash of the extrinsic that waits.
        waiting: Hash,
    },
    /// The signer has its share of the pool.
    #[error("{signer} has {count} extrinsics of {bytes} bytes waiting; send more after the next block")]
    SignerFull {
        /// Whose.
        signer: AccountId,
        /// Extrinsics of the signer that wait.
        count: usize,
        /// Their bytes.
        bytes: usize,
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

/// A number of extrinsics and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Load {
    count: usize,
    bytes: usize,
}

impl Load {
    const fn plus(self, other: Self) -> Self {
        Self { count: self.count + other.count, bytes: self.bytes + other.bytes }
    }

    const fn add(&mut self, waiting: &Waiting) {
        self.count += 1;
        self.bytes += waiting.bytes.len();
    }

    const fn remove(&mut self, waiting: &Waiting) {
        self.count -= 1;
        self.bytes -= waiting.bytes.len();
    }

    /// Whether one more stays within `limit`.
    const fn has_room(self, waiting: &Waiting, limit: Self) -> bool {
        self.count < limit.count && self.bytes + waiting.bytes.len() <= limit.bytes
    }
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    all: Load,
    signed: Load,
    signer: Load,
}

impl Default for Limits {
    fn default() -> Self {
        Self { all: ALL_MAX, signed: SIGNED_MAX, signer: SIGNER_MAX }
    }
}

#[derive(Debug)]
struct Waiting {
    bytes: Vec<u8>,
    gas: u64,
    hash: Hash,
    tip: Money,
    /// It was submitted here, not heard of.
    is_own: bool,
}

/// What a bare extrinsic is, in the order in which such ones leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A vote on a slot's claim.
    Vote(Slot),
    /// A meter's reading of a slot, or what takes its place.
    Reading(Slot),
    /// Anything else.
    Other,
}

/// An extrinsic that validation passed.
#[derive(Debug)]
pub struct Candidate {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What validation found.
    pub valid: ValidTransaction,
    /// Its account's nonce in the state.
    pub next_nonce: u32,
    /// Of a bare one, what it is and what it says, whatever its signature; its hash, if `None`.
    pub says: Option<(Kind, Hash)>,
    /// Whether it was submitted here, not heard of.
    pub is_own: bool,
}

/// One signer's extrinsics.
#[derive(Debug, Default)]
struct Account {
    /// The next nonce in the state, as last heard.
    next: u32,
    /// By nonce, with their arrival.
    waiting: BTreeMap<u32, (u64, Waiting)>,
    load: Load,
}

impl Account {
    /// How far the last nonce is ahead, if nonces before it are missing: it is not ready then.
    fn ahead_of_a_gap(&self) -> Option<u32> {
        let ahead = self.waiting.last_key_value()?.0.checked_sub(self.next)?;
        (usize::try_from(ahead).ok()? >= self.waiting.len()).then_some(ahead)
    }
}

/// Extrinsics waiting for a block.
#[derive(Debug, Default)]
pub struct Pool {
    limits: Limits,
    arrivals: u64,
    /// Bare extrinsics by kind and arrival, with their keys: votes and readings, which have deadlines.
    bare: BTreeMap<(Kind, u64), (Hash, Waiting)>,
    /// What bare extrinsics say, and which one says it.
    said: HashMap<Hash, Hash>,
    bare_load: Load,
    signed: BTreeMap<AccountId, Account>,
    signed_load: Load,
    /// Accounts whose last nonce is behind a gap, by how far it is ahead.
    gaps: BTreeSet<(u32, AccountId)>,
    known: HashSet<Hash>,
    /// Arrival of what is told again next.
    retold: u64,
}

impl Pool {
    /// Take an extrinsic.
    ///
    /// # Errors
    /// [`PoolError`].
    pub fn insert(&mut self, candidate: Candidate) -> Result<Hash, PoolError> {
        let Candidate { bytes, valid, next_nonce, says, is_own } = candidate;
        if self.known.contains(&valid.hash) {
            return Err(PoolError::Known(valid.hash));
        }
        let waiting = Waiting { bytes, gas: valid.gas.units(), hash: valid.hash, tip: valid.tip, is_own };
        match valid.provides {
            None => self.insert_bare(waiting, says.unwrap_or((Kind::Other, valid.hash)))?,
            Some((signer, nonce)) => self.insert_signed(waiting, signer, nonce, next_nonce)?,
        }
        self.known.insert(valid.hash);
        self.arrivals += 1;
        Ok(valid.hash)
    }

    fn insert_bare(&mut self, waiting: Waiting, (kind, key): (Kind, Hash)) -> Result<(), PoolError> {
        if let Some(waiting) = self.said.get(&key) {
            return Err(PoolError::Duplicate { waiting: *waiting });
        }
        while !self.load().has_room(&waiting, self.limits.all) {
            if !self.evict() {
                return Err(PoolError::Full);
            }
        }
        self.bare_load.add(&waiting);
        self.said.insert(key, waiting.hash);
        self.bare.insert((kind, self.arrivals), (key, waiting));
        Ok(())
    }

    fn insert_signed(
        &mut self,
        waiting: Waiting,
        signer: AccountId,
        nonce: u32,
        next: u32,
    ) -> Result<(), PoolError> {
        if nonce.saturating_sub(next) > NONCE_GAP_MAX {
            return Err(PoolError::TooFarAhead { nonce, next });
        }
        let taken = self.signed.get(&signer).and_then(|account| account.waiting.get(&nonce));
        if let Some((_, old)) = taken
            && waiting.tip < replacing_tip(old.tip)
        {
            let tip_units = replacing_tip(old.tip).units();
            return Err(PoolError::NonceTaken { signer, nonce, tip_units });
        }
        let old = self.take(signer, nonce);
        if let Err(error) = self.make_room(&waiting, signer, nonce, next) {
            if let Some((arrival, old)) = old {
                self.place(signer, nonce, next, arrival, old);
            }
            return Err(error);
        }
        self.place(signer, nonce, next, self.arrivals, waiting);
        Ok(())
    }

    /// Have room for one more signed extrinsic; one that is ready drives out what is behind a gap.
    fn make_room(
        &mut self,
        waiting: &Waiting,
        signer: AccountId,
        nonce: u32,
        next: u32,
    ) -> Result<(), PoolError> {
        if let Some(account) = self.signed.get(&signer)
            && !account.load.has_room(waiting, self.limits.signer)
        {
            let Load { count, bytes } = account.load;
            return Err(PoolError::SignerFull { signer, count, bytes });
        }
        let is_ready = self.next_nonce(&signer, next) == nonce;
        while !self.signed_load.has_room(waiting, self.limits.signed)
            || !self.load().has_room(waiting, self.limits.all)
        {
            if !is_ready || !self.evict() {
                return Err(PoolError::Full);
            }
        }
        Ok(())
    }

    fn place(&mut self, signer: AccountId, nonce: u32, next: u32, arrival: u64, waiting: Waiting) {
        let account = self.signed.entry(signer).or_default();
        let gap = account.ahead_of_a_gap();
        account.next = account.next.max(next);
        account.load.add(&waiting);
        self.signed_load.add(&waiting);
        self.known.insert(waiting.hash);
        account.waiting.insert(nonce, (arrival, waiting));
        let now = account.ahead_of_a_gap();
        self.move_gap(signer, gap, now);
    }

    fn move_gap(&mut self, signer: AccountId, before: Option<u32>, now: Option<u32>) {
        if let Some(before) = before {
            self.gaps.remove(&(before, signer));
        }
        self.gaps.extend(now.map(|now| (now, signer)));
    }

    const fn load(&self) -> Load {
        self.bare_load.plus(self.signed_load)
    }

    /// Forget the signed extrinsic that is furthest ahead of its account behind a gap; `false` if all are ready.
    fn evict(&mut self) -> bool {
        let Some((_, signer)) = self.gaps.last().copied() else { return false };
        let last = self.signed[&signer].waiting.last_key_value().map(|(nonce, _)| *nonce);
        self.take(signer, last.expect("a gap is before something")).is_some()
    }

    /// Take a signed extrinsic out.
    fn take(&mut self, signer: AccountId, nonce: u32) -> Option<(u64, Waiting)> {
        let account = self.signed.get_mut(&signer)?;
        let gap = account.ahead_of_a_gap();
        let (arrival, waiting) = account.waiting.remove(&nonce)?;
        account.load.remove(&waiting);
        self.signed_load.remove(&waiting);
        self.known.remove(&waiting.hash);
        let now = account.ahead_of_a_gap();
        if account.waiting.is_empty() {
            self.signed.remove(&signer);
        }
        self.move_gap(signer, gap, now);
        Some((arrival, waiting))
    }

    /// What was submitted here and still waits, up to about `bytes`, one at least: to be told again to peers that may not
    /// have heard. Each call goes on where the last one ended, and begins anew when all were told.
    pub fn own(&mut self, bytes: usize) -> Vec<Vec<u8>> {
        let signed = self.signed.values().flat_map(|account| account.waiting.values());
        let bare = self.bare.iter().map(|((_, arrival), (_, waiting))| (*arrival, waiting));
        let all = bare.chain(signed.map(|(arrival, waiting)| (*arrival, waiting)));
        let mut own: Vec<(u64, &Waiting)> = all.filter(|(_, waiting)| waiting.is_own).collect();
        own.sort_unstable_by_key(|(arrival, _)| (*arrival < self.retold, *arrival));
        let mut told: Vec<Vec<u8>> = Vec::new();
        let (mut room, mut next) = (bytes, self.retold);
        for (arrival, waiting) in own {
            let Some(rest) = room.checked_sub(waiting.bytes.len()).or(told.is_empty().then_some(0)) else {
                break;
            };
            room = rest;
            next = arrival + 1;
            told.push(waiting.bytes.clone());
        }
        self.retold = next;
        told
    }

    /// Whether this extrinsic waits here, and so was validated.
    pub fn contains(&self, bytes: &[u8]) -> bool {
        self.known.contains(&runtime_primitives::blake2_256(bytes))
    }

    /// Whether the extrinsic with this hash waits here.
    pub fn waits(&self, extrinsic: &Hash) -> bool {
        self.known.contains(extrinsic)
    }

    /// What waits, bare ones first, until the next would be beyond `bytes`.
    pub fn pending(&self, bytes: usize) -> Vec<Vec<u8>> {
        let signed = self.signed.values().flat_map(|account| account.waiting.values());
        let all = self.bare.values().map(|(_, waiting)| waiting).chain(signed.map(|(_, waiting)| waiting));
        let mut room = bytes;
        let fits = all.map_while(|waiting| {
            room = room.checked_sub(waiting.bytes.len())?;
            Some(waiting.bytes.clone())
        });
        fits.collect()
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
    pub fn ready(&self, next_nonce: impl Fn(&AccountId) -> u32, ordered: &HashSet<Hash>) -> Vec<Vec<u8>> {
        let mut room =
            Room { bytes: BLOCK_BYTES_MAX - BLOCK_FRAME_BYTES, gas: BLOCK_GAS_MAX, picked: Vec::new() };
        let is_new = |waiting: &Waiting| !ordered.contains(&waiting.hash);
        for (_, waiting) in self.bare.values().filter(|(_, waiting)| is_new(waiting)) {
            room.take(waiting);
        }
        let mut order: Vec<(u64, &Waiting)> = Vec::new();
        for (signer, account) in &self.signed {
            let next = next_nonce(signer);
            let unbroken =
                (next..).zip(account.waiting.range(next..)).take_while(|(want, (nonce, _))| want == *nonce);
            let mut latest = 0;
            for (_, (_, (arrival, waiting))) in unbroken {
                // An account's extrinsics keep their nonce order even if they arrived the other way round.
                latest = latest.max(*arrival);
                if is_new(waiting) {
                    order.push((latest, waiting));
                }
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

    /// The first nonce of an account from `in_state` on that nothing waits with.
    pub fn next_nonce(&self, signer: &AccountId, in_state: u32) -> u32 {
        let Some(account) = self.signed.get(signer) else { return in_state };
        let waiting = account.waiting.range(in_state..).map(|(nonce, _)| *nonce);
        (in_state..).zip(waiting).take_while(|(want, nonce)| want == nonce).fold(in_state, |next, _| next + 1)
    }

    /// Forget extrinsics that a block has dealt with, and signed ones whose nonce has passed.
    pub fn prune(&mut self, done: &HashSet<Hash>, next_nonce: impl Fn(&AccountId) -> u32) {
        let Self { bare, said, bare_load, signed, signed_load, known, .. } = self;
        bare.retain(|_, (key, waiting)| {
            let keep = !done.contains(&waiting.hash);
            if !keep {
                known.remove(&waiting.hash);
                said.remove(key);
                bare_load.remove(waiting);
            }
            keep
        });
        signed.retain(|signer, Account { next, waiting, load }| {
            *next = next_nonce(signer);
            waiting.retain(|nonce, (_, waiting)| {
                let keep = *nonce >= *next && !done.contains(&waiting.hash);
                if !keep {
                    known.remove(&waiting.hash);
                    load.remove(waiting);
                    signed_load.remove(waiting);
                }
                keep
            });
            !waiting.is_empty()
        });
        let gap = |(signer, account): (&AccountId, &Account)| Some((account.ahead_of_a_gap()?, *signer));
        self.gaps = self.signed.iter().filter_map(gap).collect();
    }
}

/// The least tip that replaces an extrinsic with this one: doubled each time, so that a nonce is replaced a bounded number
/// of times.
fn replacing_tip(old: Money) -> Money {
    Money::from_units(old.units().saturating_mul(2).max(1))
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
        offer(pool, provides, 0, None, body)
    }

    fn offer(
        pool: &mut Pool,
        provides: Option<(AccountId, u32)>,
        tip: u128,
        says: Option<(Kind, Hash)>,
        body: &[u8],
    ) -> Result<Hash, PoolError> {
        let tip = Money::from_units(tip);
        let valid = ValidTransaction { hash: blake2_256(body), provides, tip, gas: Gas::from_units(1) };
        // The first letter says who took it in.
        let is_own = body.first() != Some(&b'~');
        pool.insert(Candidate { bytes: body.to_vec(), valid, next_nonce: 0, says, is_own })
    }

    fn vote(pool: &mut Pool, key: u8, body: &[u8]) -> Result<Hash, PoolError> {
        offer(pool, None, 0, Some((Kind::Vote(Slot::from_number(0)), Hash([key; 32]))), body)
    }

    fn hashes(bodies: &[Vec<u8>]) -> HashSet<Hash> {
        bodies.iter().map(|body| blake2_256(body)).collect()
    }

    #[test]
    fn nonces_order_gaps_wait_and_bare_goes_first() {
        let mut pool = Pool::default();
        put(&mut pool, Some((1, 1)), b"a1").unwrap();
        put(&mut pool, Some((2, 0)), b"b0").unwrap();
        put(&mut pool, Some((1, 0)), b"a0").unwrap();
        put(&mut pool, Some((1, 3)), b"a3").unwrap();
        put(&mut pool, None, b"vote").unwrap();
        let ready = pool.ready(|_| 0, &HashSet::new());
        assert_eq!(ready, [&b"vote"[..], b"b0", b"a0", b"a1"]);
        let next = |account, in_state| pool.next_nonce(&AccountId([account; 32]), in_state);
        assert_eq!([next(1, 0), next(1, 1), next(1, 3), next(2, 0), next(3, 5)], [2, 2, 4, 1, 5]);
        assert!(matches!(put(&mut pool, None, b"vote"), Err(PoolError::Known(_))));
        assert!(matches!(
            put(&mut pool, Some((1, 0)), b"again"),
            Err(PoolError::NonceTaken { nonce: 0, tip_units: 1, .. })
        ));
        assert!(matches!(put(&mut pool, Some((3, 9_999)), b"far"), Err(PoolError::TooFarAhead { .. })));
        pool.prune(&hashes(&ready), |who| if who.0[0] == 1 { 2 } else { 1 });
        assert_eq!(pool.len(), 1);
        assert_eq!(pool.ready(|_| 3, &HashSet::new()), [b"a3"]);
        pool.prune(&HashSet::new(), |_| 4);
        assert!(pool.is_empty());
        assert_eq!(pool.load(), Load::default());
        assert!(pool.said.is_empty());
    }

    #[test]
    fn a_signer_has_a_share_that_a_setup_fits_in() {
        let mut pool = Pool::default();
        for nonce in 0..1_024u32 {
            put(&mut pool, Some((1, nonce)), &nonce.to_le_bytes()).unwrap();
        }
        let more = put(&mut pool, Some((1, 1_024)), b"more");
        assert!(matches!(more, Err(PoolError::SignerFull { count: 1_024, bytes: 4_096, .. })), "{more:?}");
        put(&mut pool, Some((2, 0)), b"another").unwrap();
        for nonce in 0..16 {
            put(&mut pool, Some((3, nonce)), &vec![u8::try_from(nonce).unwrap(); 256 << 10]).unwrap();
        }
        let more = put(&mut pool, Some((3, 16)), b"more");
        assert!(matches!(more, Err(PoolError::SignerFull { count: 16, .. })), "{more:?}");
        // A block makes room.
        pool.prune(&HashSet::new(), |_| 1);
        put(&mut pool, Some((1, 1_024)), b"more").unwrap();
    }

    #[test]
    fn votes_leave_before_readings_and_the_earliest_slot_first() {
        use Kind::{Other, Reading, Vote};
        let mut pool = Pool::default();
        let slot = Slot::from_number;
        let kinds = [Other, Reading(slot(8)), Reading(slot(7)), Vote(slot(9)), Vote(slot(8)), Vote(slot(9))];
        for (number, kind) in (0..).zip(kinds) {
            offer(&mut pool, None, 0, Some((kind, Hash([number; 32]))), &[number]).unwrap();
        }
        assert_eq!(pool.ready(|_| 0, &HashSet::new()), [[4], [3], [5], [2], [1], [0]]);
    }

    #[test]
    fn what_is_ready_drives_out_what_is_behind_a_gap_and_a_refused_replacement_changes_nothing() {
        let few = Load { count: 3, bytes: 10 };
        let limits = Limits { all: few, signed: few, signer: few };
        let mut pool = Pool { limits, ..Pool::default() };
        for (who, body) in [((1, 0), b"a"), ((2, 5), b"b"), ((3, 1), b"c")] {
            put(&mut pool, Some(who), body).unwrap();
        }
        put(&mut pool, Some((1, 1)), b"d").unwrap();
        assert!(!pool.contains(b"b") && pool.contains(b"c"), "the furthest ahead goes");
        put(&mut pool, Some((4, 0)), b"e").unwrap();
        assert_eq!(put(&mut pool, Some((5, 0)), b"f"), Err(PoolError::Full));
        let first = Some((AccountId([1; 32]), 0));
        let long = offer(&mut pool, first, 1, None, b"longer than there is room");
        assert!(matches!(long, Err(PoolError::SignerFull { .. })), "{long:?}");
        assert_eq!(pool.ready(|_| 0, &HashSet::new()), [b"a", b"d", b"e"]);
    }

    #[test]
    fn a_doubled_tip_replaces_what_waits() {
        let mut pool = Pool::default();
        let signer = AccountId([1; 32]);
        let mut send = |tip, body: &[u8]| offer(&mut pool, Some((signer, 0)), tip, None, body);
        let taken = |tip_units| Err(PoolError::NonceTaken { signer, nonce: 0, tip_units });
        send(0, b"first").unwrap();
        assert_eq!(send(0, b"second"), taken(1));
        send(5, b"third").unwrap();
        assert_eq!(send(9, b"fourth"), taken(10));
        send(10, b"fifth").unwrap();
        assert_eq!(pool.ready(|_| 0, &HashSet::new()), [b"fifth"]);
        assert_eq!((pool.len(), pool.load()), (1, Load { count: 1, bytes: 5 }));
    }

    #[test]
    fn what_was_submitted_here_is_told_again_while_it_waits() {
        let mut pool = Pool::default();
        put(&mut pool, Some((1, 0)), b"~heard").unwrap();
        put(&mut pool, Some((1, 1)), b"signed").unwrap();
        vote(&mut pool, 1, b"vote").unwrap();
        assert_eq!(pool.own(100), [&b"signed"[..], b"vote"]);
        pool.prune(&HashSet::new(), |_| 2);
        assert_eq!(pool.own(100), [b"vote"]);
    }

    #[test]
    fn what_does_not_fit_is_told_the_next_time() {
        let mut pool = Pool::default();
        for nonce in 0..5u8 {
            put(&mut pool, Some((1, u32::from(nonce))), &[nonce, 0, 0, 0]).unwrap();
        }
        let mut first = || pool.own(8).iter().map(|bytes| bytes[0]).collect::<Vec<_>>();
        assert_eq!([first(), first(), first()], [vec![0, 1], vec![2, 3], vec![4, 0]]);
        assert_eq!(pool.own(3), [[1, 0, 0, 0]], "one is told, however long it is");
    }

    #[test]
    fn what_is_evicted_is_always_furthest_behind_a_gap() {
        let mut pool = Pool::default();
        let mut dice = 7u64;
        for step in 0..3_000u32 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (who, nonce) = (u8::try_from(dice >> 60).unwrap(), u32::try_from(dice >> 40 & 31).unwrap());
            match dice >> 36 & 7 {
                0 => drop(pool.evict()),
                1 => pool.prune(&HashSet::new(), |account| u32::from(account.0[0]) + step / 400),
                _ => drop(put(&mut pool, Some((who, nonce)), &step.to_le_bytes())),
            }
            let gaps =
                pool.signed.iter().filter_map(|(who, account)| Some((account.ahead_of_a_gap()?, *who)));
            assert_eq!(pool.gaps, gaps.collect(), "step {step}");
        }
        assert!(pool.len() > 20, "{}", pool.len());
    }

    #[test]
    fn the_same_vote_waits_once_under_any_signature() {
        let mut pool = Pool::default();
        let first = vote(&mut pool, 1, b"vote, signed").unwrap();
        let again = vote(&mut pool, 1, b"vote, signed again");
        assert_eq!(again, Err(PoolError::Duplicate { waiting: first }));
        vote(&mut pool, 2, b"another vote").unwrap();
        pool.prune(&HashSet::from([first]), |_| 0);
        vote(&mut pool, 1, b"vote, signed again").unwrap();
        assert_eq!(pool.len(), 2);
    }

    #[test]
    fn votes_have_a_reserve_and_then_evict_what_is_not_ready() {
        // (limits, what they allow): by count, then by bytes; every body has one byte.
        let wide = Load { count: 100, bytes: 100 };
        let all = Load { count: 8, bytes: 100 };
        let by_count = Limits { all, signed: Load { count: 6, bytes: 100 }, signer: wide };
        let all = Load { count: 100, bytes: 8 };
        let by_bytes = Limits { all, signed: Load { count: 100, bytes: 6 }, signer: wide };
        for limits in [by_count, by_bytes] {
            let mut pool = Pool { limits, ..Pool::default() };
            // Account 1 is ready, 2 and 3 have gaps.
            for (body, who) in (0..).zip([(1, 0), (1, 1), (2, 1), (2, 2), (3, 0), (3, 9)]) {
                put(&mut pool, Some(who), &[body]).unwrap();
            }
            assert_eq!(put(&mut pool, Some((4, 1)), b"-"), Err(PoolError::Full), "it is behind a gap itself");
            let votes = [b"A", b"B", b"C", b"D", b"E"];
            for body in votes {
                put(&mut pool, None, body).unwrap();
            }
            assert_eq!(put(&mut pool, None, b"F"), Err(PoolError::Full), "what is ready stays");
            assert_eq!(pool.len(), 8);
            assert!([5, 3, 2].iter().all(|body| !pool.contains(&[*body])));
            let ready = pool.ready(|_| 0, &HashSet::new());
            assert_eq!(ready, [&b"A"[..], b"B", b"C", b"D", b"E", &[0], &[1], &[4]]);
            pool.prune(&hashes(&ready), |_| 9);
            assert_eq!((pool.len(), pool.load()), (0, Load::default()));
        }
    }
}

//! Inputs for rules, at random from one seed: every kind that a chain can send, and the edges of each.
//!
//! A seed gives the same input on every machine. What is generated is always valid: a rule that refuses it fails.

mod books;
mod requests;
mod slots;
mod worst;

pub use books::{SHAPES, book};
pub use requests::request;
pub use slots::{full_slot, slot};
pub use worst::{WorstBook, worst_books};

use super::rule::{RuleKind, clear_message};
use super::trial::PARAMS;
use contract_interface::{ADMIT, Book, SETTLE};
use parity_scale_codec::Encode;

/// splitmix64.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// A generator for case `number` of `seed`.
    pub fn of_case(seed: u64, number: u32) -> Self {
        let mut mixed = Self(seed ^ u64::from(number).wrapping_mul(0xa076_1d64_78bd_642f));
        Self(mixed.bits())
    }

    /// 64 uniform bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, 0 for a bound of 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        let drawn = self.bits() % u64::from(bound.max(1));
        u32::try_from(drawn).expect("below a bound of 32 bits")
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }

    /// One of `all`, which has at least one.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let count = u32::try_from(all.len()).expect("a short list");
        &all[self.below(count) as usize]
    }

    /// Another order of `all`.
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            let bound = u32::try_from(last + 1).expect("a short list");
            all.swap(last, self.below(bound) as usize);
        }
    }
}

/// The least message of a kind: an empty book, an empty slot, one ordinary request.
pub fn plain_message(kind: RuleKind) -> Vec<u8> {
    match kind {
        RuleKind::Matching => clear_message(&PARAMS, &Book::Auction(Vec::new())),
        RuleKind::Bid => (ADMIT, requests::plain()).encode(),
        RuleKind::Settlement => (SETTLE, slots::empty()).encode(),
    }
}

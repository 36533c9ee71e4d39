//! What an attack draws from: bytes while there are any, then a generator.
//!
//! The bytes are a fuzzer's, which learns what each of them changes; from a seed there are none.

use super::super::testing::books::Random;

/// A source of choices.
pub struct Choices<'a> {
    bytes: &'a [u8],
    /// Makes the books and slots that are attacked.
    pub random: Random,
}

impl<'a> Choices<'a> {
    /// The choices of `seed`.
    pub fn of_seed(seed: u64) -> Self {
        Self { bytes: &[], random: Random(seed) }
    }

    /// The choices of a fuzzer: the first bytes choose the valid answer, the others what is changed in it.
    #[allow(dead_code, reason = "the fuzz targets' entrance")]
    pub fn of_bytes(data: &'a [u8]) -> Self {
        let (seed, bytes) = data.split_at(data.len().min(2));
        let seed = seed.iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        Self { bytes, random: Random(seed) }
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        match self.bytes.split_first_chunk::<8>() {
            Some((bits, rest)) => {
                self.bytes = rest;
                u64::from_le_bytes(*bits)
            }
            None => self.random.bits(),
        }
    }

    /// A number below `bound`, 0 for a bound of 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let drawn = match self.bytes.split_first_chunk::<2>() {
            Some((drawn, rest)) => {
                self.bytes = rest;
                u64::from(u16::from_le_bytes(*drawn))
            }
            None => self.random.bits(),
        };
        usize::try_from(drawn % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of `all`.
    pub fn one<'b, T>(&mut self, all: &'b mut [T]) -> Option<&'b mut T> {
        let at = self.below(all.len());
        all.get_mut(at)
    }

    /// A number near `value`, at an edge, or anywhere.
    pub fn nudged(&mut self, value: u64) -> u64 {
        match self.below(8) {
            0 => value.saturating_add(1),
            1 => value.saturating_sub(1),
            2 => 0,
            3 => u64::MAX,
            4 => value / 2,
            5 => value.saturating_mul(2),
            6 => u64::try_from(self.below(6_000)).unwrap(),
            _ => self.bits(),
        }
    }
}

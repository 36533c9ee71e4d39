//! Seeded numbers. The rule: a failing test names its seed, and the seed alone reproduces it.

/// A splitmix generator.
pub struct Random(pub u64);

impl Random {
    /// The next word.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.next() as usize % end
    }

    /// Up to `len` bytes of a small alphabet, so that keys meet and share prefixes.
    pub fn key(&mut self, len: usize) -> Vec<u8> {
        (0..self.below(len + 1)).map(|_| [0, 1, b'a', 0xff][self.below(4)]).collect()
    }

    /// A value of 0 to 400 bytes.
    pub fn value(&mut self) -> Vec<u8> {
        let len = if self.below(4) == 0 { self.below(400) } else { self.below(40) };
        (0..len).map(|_| self.next() as u8).collect()
    }
}

//! Address arithmetic of the guest's allocator: two regions, each with a cursor that only its last block moves back.
//!
//! A pure call lives for one message, so nothing is searched for and little is reclaimed: the last block can grow and
//! shrink in place, and the largest freed block (the input, once decoded) becomes the second region.
#![cfg_attr(
    not(any(target_arch = "wasm32", test)),
    allow(dead_code, reason = "native builds have an allocator")
)]

/// Free addresses `cursor..limit`; the block that ends at `cursor` is its last.
#[derive(Clone, Copy)]
struct Region {
    cursor: usize,
    limit: usize,
}

impl Region {
    const EMPTY: Self = Self { cursor: 0, limit: 0 };

    const fn free(&self) -> usize {
        self.limit - self.cursor
    }

    /// Start and end that a block would have here.
    fn fit(&self, size: usize, align: usize) -> Option<(usize, usize)> {
        let start = self.cursor.checked_next_multiple_of(align)?;
        Some((start, start.checked_add(size)?))
    }

    const fn is_last(&self, address: usize, size: usize) -> bool {
        address + size == self.cursor
    }
}

/// The allocator's books. `grow(limit)` must make addresses up to `limit` usable and say how far they now reach.
pub struct Arena {
    /// The heap's end, which can grow.
    top: Region,
    /// The largest freed block.
    hole: Region,
    /// From here on no byte was ever handed out, so all are still zero.
    clean: usize,
}

impl Arena {
    /// No memory yet: [`Arena::start`] comes first.
    pub const fn new() -> Self {
        Self { top: Region::EMPTY, hole: Region::EMPTY, clean: 0 }
    }

    /// Whether [`Arena::start`] has run.
    pub const fn is_started(&self) -> bool {
        self.top.limit != 0
    }

    /// Begins with the zeroed addresses `base..limit`.
    pub fn start(&mut self, base: usize, limit: usize) {
        self.top = Region { cursor: base, limit: limit.max(base) };
        self.clean = base;
    }

    /// The address of a new block, or `None` if memory is exhausted.
    pub fn take(
        &mut self,
        size: usize,
        align: usize,
        grow: impl FnOnce(usize) -> Option<usize>,
    ) -> Option<usize> {
        if let Some((start, end)) = self.hole.fit(size, align)
            && end <= self.hole.limit
        {
            self.hole.cursor = end;
            return Some(start);
        }
        let (start, end) = self.top.fit(size, align)?;
        self.raise_top(end, grow)?;
        Some(start)
    }

    /// As [`Arena::take`], with the number of leading bytes that may not be zero.
    pub fn take_dirty(
        &mut self,
        size: usize,
        align: usize,
        grow: impl FnOnce(usize) -> Option<usize>,
    ) -> Option<(usize, usize)> {
        let clean = self.clean;
        let start = self.take(size, align, grow)?;
        Some((start, clean.saturating_sub(start).min(size)))
    }

    /// Takes a block back. Unless it is a region's last or larger than the hole, its bytes are lost.
    pub fn give_back(&mut self, address: usize, size: usize) {
        if self.top.is_last(address, size) {
            self.top.cursor = address;
        } else if self.hole.is_last(address, size) {
            self.hole.cursor = address;
        } else if size > self.hole.free() {
            self.hole = Region { cursor: address, limit: address + size };
        }
    }

    /// Whether a block could be resized where it is.
    pub fn resize(
        &mut self,
        address: usize,
        old: usize,
        new: usize,
        grow: impl FnOnce(usize) -> Option<usize>,
    ) -> bool {
        let Some(end) = address.checked_add(new) else { return false };
        if self.top.is_last(address, old) {
            return self.raise_top(end, grow).is_some();
        }
        if self.hole.is_last(address, old) && end <= self.hole.limit {
            self.hole.cursor = end;
            return true;
        }
        new <= old
    }

    fn raise_top(&mut self, end: usize, grow: impl FnOnce(usize) -> Option<usize>) -> Option<()> {
        if end > self.top.limit {
            self.top.limit = grow(end)?;
        }
        self.top.cursor = end;
        self.clean = self.clean.max(end);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory of at most 1000 bytes that grows in steps of 100.
    fn grow(limit: usize) -> Option<usize> {
        (limit <= 1000).then(|| limit.next_multiple_of(100))
    }

    fn arena() -> Arena {
        let mut arena = Arena::new();
        assert!(!arena.is_started());
        arena.start(10, 100);
        arena
    }

    #[test]
    fn blocks_are_aligned_and_do_not_overlap() {
        let mut arena = arena();
        assert_eq!(arena.take(3, 1, grow), Some(10));
        assert_eq!(arena.take(8, 8, grow), Some(16));
        assert_eq!(arena.take(500, 16, grow), Some(32));
        assert_eq!(arena.take(500, 1, grow), None);
        assert_eq!(arena.take(usize::MAX, 1, grow), None);
        assert_eq!(arena.take(400, 1, grow), Some(532));
    }

    #[test]
    fn the_last_block_grows_and_shrinks_in_place() {
        let mut arena = arena();
        let first = arena.take(50, 1, grow).expect("there is room");
        assert!(arena.resize(first, 50, 900, grow));
        assert!(!arena.resize(first, 900, 1000, grow));
        assert!(arena.resize(first, 900, 20, grow));
        assert_eq!(arena.take(1, 1, grow), Some(30));
        assert!(!arena.resize(first, 20, 21, grow));
        assert!(arena.resize(first, 20, 10, grow));
        arena.give_back(30, 1);
        assert_eq!(arena.take(1, 1, grow), Some(30));
    }

    #[test]
    fn the_largest_freed_block_is_used_again() {
        let mut arena = arena();
        let input = arena.take(300, 1, grow).expect("there is room");
        let decoded = arena.take(100, 1, grow).expect("there is room");
        arena.give_back(input, 300);
        assert_eq!(arena.take(200, 1, grow), Some(input));
        assert!(arena.resize(input, 200, 290, grow));
        assert!(!arena.resize(input, 290, 301, grow));
        assert_eq!(arena.take(50, 1, grow), Some(decoded + 100));
        arena.give_back(input, 290);
        assert_eq!(arena.take(300, 1, grow), Some(input));
    }

    #[test]
    fn only_bytes_handed_out_before_are_dirty() {
        let mut arena = arena();
        assert_eq!(arena.take_dirty(50, 1, grow), Some((10, 0)));
        arena.give_back(10, 50);
        assert_eq!(arena.take_dirty(80, 1, grow), Some((10, 50)));
        assert_eq!(arena.take_dirty(80, 1, grow), Some((90, 0)));
        arena.give_back(10, 80);
        assert_eq!(arena.take_dirty(30, 1, grow), Some((10, 30)));
    }
}

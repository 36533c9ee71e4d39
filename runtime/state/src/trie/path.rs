//! Bits of key paths: the trie's directions, most significant bit first.
//!
//! The rule: `depth` counts bits from the root, and a function that takes a slice of keys takes it
//! sorted.

use nomt_core::page::DEPTH;
use nomt_core::page_id::{ChildPageIndex, PageId};
use nomt_core::trie::KeyPath;

/// The bit of `path` at `depth`: whether to go right.
pub(super) fn goes_right(path: &KeyPath, depth: usize) -> bool {
    path[depth / 8] >> (7 - depth % 8) & 1 == 1
}

/// Which child page of a page at `depth` (a multiple of six) leads to `path`.
pub(super) fn child_of(path: &KeyPath, depth: usize) -> usize {
    (depth..depth + DEPTH).fold(0, |index, at| index << 1 | usize::from(goes_right(path, at)))
}

/// The id of child page `child` of page `id`.
pub(super) fn child_id(id: &PageId, child: usize) -> PageId {
    let index = u8::try_from(child).ok().and_then(ChildPageIndex::new).expect("a page has 64 children");
    id.child_page_id(index).expect("two distinct keys part before bit 252")
}

/// Split sorted `items` by the bit of their key at `depth`.
pub(super) fn split<T>(items: &[T], depth: usize, key: impl Fn(&T) -> &KeyPath) -> (&[T], &[T]) {
    items.split_at(items.partition_point(|item| !goes_right(key(item), depth)))
}

/// The first and the last key path that share the first `depth` bits of `prefix`.
pub fn path_range(prefix: &KeyPath, depth: usize) -> (KeyPath, KeyPath) {
    let (mut first, mut last) = (*prefix, *prefix);
    for (index, (low, high)) in first.iter_mut().zip(last.iter_mut()).enumerate() {
        let free = match depth.saturating_sub(8 * index) {
            0 => 0xff,
            kept @ 1..8 => 0xff_u8 >> kept,
            _ => 0,
        };
        *low &= !free;
        *high |= free;
    }
    (first, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_what_shares_the_bits() {
        let prefix = [0b1010_1010; 32];
        for depth in 0..=256 {
            let (first, last) = path_range(&prefix, depth);
            assert!(first <= prefix && prefix <= last, "{depth}");
            for at in 0..256 {
                let ends = (goes_right(&first, at), goes_right(&last, at));
                let wanted = if at < depth { (at % 2 == 0, at % 2 == 0) } else { (false, true) };
                assert_eq!(ends, wanted, "bit {at} of a range at {depth}");
            }
        }
    }
}

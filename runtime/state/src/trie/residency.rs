//! What stays in memory: pages and buckets leave in the order in which they were last used.
//!
//! The rule: leaving memory changes no root and no proof. A page whose row in the store is not up to
//! date must stay, so a store writes all of those before it asks for room.

use super::Trie;
use super::page::{Child, Page};
use alloc::sync::Arc;
use alloc::vec::Vec;

impl Trie {
    /// Bytes of pages and buckets in memory, roughly and never too low.
    pub const fn resident_bytes(&self) -> usize {
        self.resident
    }

    /// The same trie with at most about `bytes` in memory, and the root page in any case. The rows
    /// of all pages must be up to date.
    pub fn shrink(&self, bytes: usize) -> Self {
        let mut held = Vec::new();
        collect(&self.top, &mut held);
        held.sort_unstable_by_key(|(used, _)| core::cmp::Reverse(*used));
        let mut sum = Page::BYTES;
        let last_leaving = held.iter().find_map(|(used, size)| {
            sum += size;
            (sum > bytes).then_some(*used)
        });
        let keep_from = last_leaving.map_or(0, |used| used + 1);
        let mut resident = Page::BYTES;
        let top = lighten(&self.top, keep_from, &mut resident);
        Self { top, resident, ..self.clone() }
    }
}

fn collect(page: &Page, held: &mut Vec<(u64, usize)>) {
    for child in page.children() {
        match child {
            Child::Absent => {}
            Child::Bucket(bucket) => held.push((bucket.used, bucket.bytes())),
            Child::Page(page) => {
                held.push((page.used, Page::BYTES));
                collect(page, held);
            }
        }
    }
}

/// `page` without what was last used before `keep_from`; the same page if that is nothing.
fn lighten(page: &Arc<Page>, keep_from: u64, resident: &mut usize) -> Arc<Page> {
    let mut lighter: Option<Page> = None;
    for (index, child) in page.children().iter().enumerate() {
        match child {
            Child::Absent => {}
            Child::Bucket(bucket) if bucket.used >= keep_from => *resident += bucket.bytes(),
            Child::Page(below) if below.used >= keep_from => {
                *resident += Page::BYTES;
                let kept = lighten(below, keep_from, resident);
                if !Arc::ptr_eq(&kept, below) {
                    lighter.get_or_insert_with(|| (**page).clone()).lighten_child(index, kept);
                }
            }
            _ => lighter.get_or_insert_with(|| (**page).clone()).forget_child(index),
        }
    }
    lighter.map_or_else(|| page.clone(), Arc::new)
}

//! What only a guest has: its allocator, its panic, its input and its way out.
//!
//! One thread, one call, fresh zeroed memory above `__heap_base`: the safety of this file rests on these three.
#![allow(unsafe_code, reason = "a global allocator hands out raw memory; nothing else here is unsafe")]

use crate::arena::Arena;
use alloc::{vec, vec::Vec};
use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32;
use core::cell::UnsafeCell;
use pallet_contracts_uapi::{HostFn, HostFnImpl, ReturnFlags};

const PAGE: usize = 64 << 10;

struct Bump(UnsafeCell<Arena>);

// SAFETY: a contract has one thread.
unsafe impl Sync for Bump {}

#[global_allocator]
static HEAP: Bump = Bump(UnsafeCell::new(Arena::new()));

impl Bump {
    #[allow(clippy::mut_from_ref, reason = "the cell is the allocator's, and nothing re-enters")]
    fn arena(&self) -> &mut Arena {
        unsafe extern "C" {
            static __heap_base: u8;
        }
        // SAFETY: one thread, and no method of `Arena` allocates, so no second reference exists.
        let arena = unsafe { &mut *self.0.get() };
        if !arena.is_started() {
            arena.start(&raw const __heap_base as usize, wasm32::memory_size(0) * PAGE);
        }
        arena
    }
}

/// Makes addresses up to `limit` usable.
fn grow(limit: usize) -> Option<usize> {
    let pages = limit.div_ceil(PAGE);
    let missing = pages.saturating_sub(wasm32::memory_size(0));
    (missing == 0 || wasm32::memory_grow(0, missing) != usize::MAX).then(|| pages.saturating_mul(PAGE))
}

// SAFETY: `Arena` hands out disjoint aligned addresses below what `grow` made usable.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.arena()
            .take(layout.size(), layout.align(), grow)
            .map_or(core::ptr::null_mut(), |at| at as *mut u8)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let Some((at, dirty)) = self.arena().take_dirty(layout.size(), layout.align(), grow) else {
            return core::ptr::null_mut();
        };
        // SAFETY: the dirty prefix lies inside the block just taken.
        unsafe { (at as *mut u8).write_bytes(0, dirty) };
        at as *mut u8
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.arena().give_back(block as usize, layout.size());
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if self.arena().resize(block as usize, layout.size(), size, grow) {
            return block;
        }
        // SAFETY: the caller vouches for `layout` and `size`; the new block is disjoint from the old.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(block, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}

/// The call's input. Traps if it is longer than `capacity` bytes.
pub fn read_input(capacity: usize) -> Vec<u8> {
    let mut bytes = vec![0; capacity];
    let mut received = bytes.as_mut_slice();
    HostFnImpl::input(&mut received);
    let length = received.len();
    bytes.truncate(length);
    bytes.shrink_to_fit();
    bytes
}

/// Ends the call with flags and data.
pub fn finish(flags: u32, data: &[u8]) -> ! {
    HostFnImpl::return_value(ReturnFlags::from_bits_truncate(flags), data)
}

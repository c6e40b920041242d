//! An allocator that counts, per thread.
#![allow(unsafe_code, reason = "an allocator cannot be written without; it only passes on to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Passes on to the system's allocator and counts for the present thread.
pub struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

fn grow(size: usize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    LARGEST.set(LARGEST.get().max(size));
    LIVE.set(LIVE.get() + isize::try_from(size).unwrap_or(isize::MAX));
    PEAK.set(PEAK.get().max(LIVE.get()));
}

fn shrink(size: usize) {
    LIVE.set(LIVE.get() - isize::try_from(size).unwrap_or(isize::MAX));
}

// SAFETY: every call goes to the system's allocator with the arguments it came with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        shrink(layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        shrink(layout.size());
        grow(size);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// What this thread holds, as far as it was allocated and given back on it.
pub fn held() -> usize {
    usize::try_from(LIVE.get()).unwrap_or_default()
}

/// What a piece of work took from the heap.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heap {
    pub allocations: usize,
    /// The most bytes that were held at a time.
    pub peak: usize,
    /// The largest single allocation.
    pub largest: usize,
}

/// Runs, and counts what this thread allocates meanwhile.
pub fn counted<T>(run: impl FnOnce() -> T) -> (T, Heap) {
    let before = ALLOCATIONS.get();
    let live = LIVE.get();
    PEAK.set(live);
    LARGEST.set(0);
    let value = run();
    let heap = Heap {
        allocations: ALLOCATIONS.get() - before,
        peak: usize::try_from(PEAK.get() - live).unwrap_or_default(),
        largest: LARGEST.get(),
    };
    (value, heap)
}

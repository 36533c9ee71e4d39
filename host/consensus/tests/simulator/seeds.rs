//! Which seeds are run, and on how many cores.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// `BUSBAR_SEEDS=A..B` runs others than `usual`.
pub fn seeds(usual: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("BUSBAR_SEEDS") else { return usual };
    let (from, to) = text.split_once("..").expect("BUSBAR_SEEDS=A..B");
    from.parse().unwrap()..to.parse().unwrap()
}

/// What `check` gives for each of `seeds`, in their order, on as many threads as there are cores.
pub fn each<T: Send>(seeds: Range<u64>, stack_bytes: usize, check: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicU64::new(seeds.start);
    let found = Mutex::new(Vec::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= seeds.end {
                return;
            }
            let result = check(seed);
            found.lock().unwrap().push((seed, result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            thread::Builder::new().stack_size(stack_bytes).spawn_scoped(scope, work).unwrap();
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|(seed, _)| *seed);
    found.into_iter().map(|(_, result)| result).collect()
}

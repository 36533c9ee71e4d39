//! Three engines on random modules: the first cases of what `examples/differential.rs` runs a hundred thousand of.
//!
//! `DIFFERENTIAL_CASES` and `DIFFERENTIAL_SEED` ask for more, or for others.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test with its own bounds")]

#[path = "support/ledger.rs"]
mod ledger;
#[path = "support/modules.rs"]
mod modules;
#[path = "support/trio.rs"]
mod trio;

use runtime_vm::VM_THREAD_STACK_BYTES;
use std::collections::BTreeMap;
use trio::{Case, End, Trio};

const CASES: u64 = 300;
const SEED: u64 = 1;

fn asked(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn three_engines_agree_on_random_modules() {
    let (cases, first) = (asked("DIFFERENTIAL_CASES", CASES), asked("DIFFERENTIAL_SEED", SEED));
    let run = move || {
        let trio = Trio::new();
        let (mut ends, mut effects) = (BTreeMap::<End, u64>::new(), 0);
        for seed in first..first + cases {
            println!("seed {seed}");
            let agreed = trio.run(&Case::new(seed)).unwrap_or_else(|difference| panic!("{difference}"));
            *ends.entry(agreed.end).or_default() += 1;
            effects += agreed.effects as u64;
        }
        (ends, effects)
    };
    let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
    let (ends, effects) = thread.spawn(run).unwrap().join().unwrap();
    println!("{ends:?}, {effects} effects");
    // The generator must not have become a maker of nothing.
    for end in [End::Returned, End::Trapped, End::OutOfGas] {
        assert!(ends.get(&end).is_some_and(|count| *count >= cases / 50), "{ends:?}");
    }
    assert!(effects >= cases / 10, "{effects} effects");
}

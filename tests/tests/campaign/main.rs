//! The conservation campaign: random slots of random markets through the real runtime, with everything that people, meters
//! and voters may do wrong. The accountant must agree with every block, and the invariants must hold.
//!
//! `BUSBAR_SLOTS` says how many slots (a few by default, 10,000 for the whole campaign), `BUSBAR_SEED` with which seed it
//! begins. A failure prints a smaller case and the variables that replay it alone: `BUSBAR_CASE=seed:slots:without`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod acts;
mod case;
mod plans;
mod tally;

use busbar_tests::machine::on_vm_thread;
use case::{Act, Case};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

#[path = "../../../contracts/testing/books.rs"]
#[allow(dead_code, reason = "only the generator is used")]
mod books;

/// Slots in a row in one world.
const SLOTS_A_CASE: u32 = 10;
/// Slots that are played unless told otherwise.
const SLOTS: u32 = 200;

fn number(name: &str, default: u32) -> u32 {
    std::env::var(name)
        .map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// What the last panic said, and where: a case that fails is tried many times, and only the last counts.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// Play a case; what it did by kind, or why it failed.
fn attempt(case: Case) -> Result<BTreeMap<String, u32>, String> {
    let played = catch_unwind(AssertUnwindSafe(|| on_vm_thread(|| case.play())));
    played.unwrap_or_else(|_| Err(PANIC.lock().unwrap().clone()))
}

/// The smallest case found that still fails: fewer slots, and without each kind of act that is not needed.
fn shrunk(mut case: Case, mut why: String) -> (Case, String) {
    let fewer = (1..case.slots).map(|slots| Case { slots, ..case });
    if let Some((smaller, other)) =
        fewer.filter_map(|smaller| Some((smaller, attempt(smaller).err()?))).next()
    {
        (case, why) = (smaller, other);
    }
    for act in Act::ALL {
        let smaller = Case { without: case.without | act.bit(), ..case };
        if let Err(other) = attempt(smaller) {
            (case, why) = (smaller, other);
        }
    }
    (case, why)
}

#[test]
fn whatever_happens_in_a_slot_money_is_conserved() {
    if let Ok(text) = std::env::var("BUSBAR_CASE") {
        println!("{:?}", on_vm_thread(|| Case::parse(&text).play()).unwrap());
        return;
    }
    if let Err(why) = campaign() {
        panic!("{why}");
    }
}

/// All cases, quietly.
fn campaign() -> Result<(), String> {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| *PANIC.lock().unwrap() = info.to_string()));
    let outcome = cases();
    std::panic::set_hook(loud);
    let (slots, seen) = outcome?;
    for (what, count) in &seen {
        println!("{count:>8} {what}");
    }
    assert!(seen["slots settled"] >= slots, "{seen:?}");
    let missing: Vec<_> = tally::MUST_HAPPEN.iter().filter(|what| !seen.contains_key(**what)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("no case did this: {missing:?}")) }
}

fn cases() -> Result<(u32, BTreeMap<String, u32>), String> {
    let (slots, first) = (number("BUSBAR_SLOTS", SLOTS), number("BUSBAR_SEED", 1));
    println!("BUSBAR_SEED={first} BUSBAR_SLOTS={slots}");
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for seed in (first..).take(slots.div_ceil(SLOTS_A_CASE) as usize) {
        let case = Case { seed, slots: SLOTS_A_CASE, without: 0 };
        match attempt(case) {
            Ok(counts) => {
                counts.into_iter().for_each(|(what, count)| *seen.entry(what).or_default() += count)
            }
            Err(why) => {
                let (case, why) = shrunk(case, why);
                return Err(format!("BUSBAR_CASE={case} fails: {why}"));
            }
        }
    }
    Ok((slots, seen))
}

//! The referee by itself: one row for each fault, then attacks on valid answers, judged by a slow restatement too.
//!
//! `BUSBAR_SEED` sets the seed of the attacks and `BUSBAR_CASES` their number; a failure prints what to set to see it
//! again. `tests/fuzz` has the same attacks guided by coverage.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../../contracts/testing/mod.rs"]
mod testing;

mod attack;
mod batches;
mod nudges;
mod rows;

use attack::{Choices, Judged, attack_clearing, attack_report, naive};
use runtime_execution::referee;
use runtime_primitives::{Energy, Money, Price, Seq};

/// Attacks of each sort unless told otherwise.
const CASES: u64 = 20_000;

const fn seq(number: u32) -> Seq {
    Seq::from_number(number)
}

const fn wh(number: u64) -> Energy {
    Energy::from_wh(number)
}

const fn ticks(number: u32) -> Price {
    Price::from_ticks(number)
}

const fn units(number: u128) -> Money {
    Money::from_units(number)
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Attack again and again; both outcomes must be frequent, or one of them is not tried.
fn attack(step: fn(&mut Choices) -> Judged) {
    let (seed, cases) = (number("BUSBAR_SEED", 1), number("BUSBAR_CASES", CASES));
    let (mut passed, mut refused) = (0, 0);
    for case in seed..seed + cases {
        let verdict = std::panic::catch_unwind(|| {
            step(&mut Choices::of_seed(case.wrapping_mul(0xd134_2543_de82_ef95)))
        });
        match verdict {
            Ok(Judged::Passed) => passed += 1,
            Ok(Judged::Refused) => refused += 1,
            Err(panic) => {
                println!("again: BUSBAR_SEED={case} BUSBAR_CASES=1");
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("BUSBAR_SEED={seed}: {passed} passed, {refused} refused");
    assert!(
        cases < 1_000 || passed > cases / 10 && refused > cases / 10,
        "{passed} passed, {refused} refused"
    );
}

#[test]
fn no_attack_on_a_clearing_gets_past_the_referee() {
    attack(attack_clearing);
}

#[test]
fn no_attack_on_a_report_gets_past_the_referee() {
    attack(attack_report);
}

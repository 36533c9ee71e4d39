//! Attacks on the referee by way of a settlement report, guided by coverage. What an attack is: `tests/tests/referee_faults`.
#![no_main]
#![allow(clippy::unwrap_used, dead_code, unused_imports, reason = "a target uses a part of what is included")]

#[path = "../../tests/referee_faults/attack/mod.rs"]
mod attack;
#[path = "../../../runtime/execution/src/referee/mod.rs"]
mod referee;
#[path = "../../../contracts/testing/mod.rs"]
mod testing;

use attack::{Choices, attack_report};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    attack_report(&mut Choices::of_bytes(data));
});

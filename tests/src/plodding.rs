//! A continuous rule in WebAssembly that shares nothing with the shipped one, and can be told to fail on some batches.

use contract_interface::{DESCRIBE, Descriptor, INTERFACE, LangError, Pricing, RuleError};
use parity_scale_codec::Encode;
use runtime_primitives::limits::MAX_ORDERS_PER_SLOT;
use std::ops::Range;

/// What the rule says of itself.
pub const DESCRIPTOR: Descriptor = Descriptor {
    interface: INTERFACE,
    name: *b"plodding\0\0\0\0\0\0\0\0",
    version: 1,
    pricing: Pricing::Single,
    flags_supported: 0,
    min_energy: false,
    continuous: true,
    no_residual_cross: true,
    max_orders: MAX_ORDERS_PER_SLOT,
};

/// The rule, which panics on batches with these numbers. Registration tries batch 0.
///
/// # Panics
/// If the text is no module.
pub fn rule(descriptor: &Descriptor, fails: &Range<u32>) -> Vec<u8> {
    module(descriptor, fails, u32::MAX)
}

/// A rule that from batch 1 on fills an order by crumbs of every order that it reaches: nothing but the number of trades is
/// wrong with it, as long as the last of them can fill it.
///
/// # Panics
/// As [`rule`].
pub fn crumbling(descriptor: &Descriptor) -> Vec<u8> {
    module(descriptor, &(0..0), 1)
}

fn module(descriptor: &Descriptor, fails: &Range<u32>, crumbles_from: u32) -> Vec<u8> {
    let description = Ok::<_, LangError>(Ok::<_, RuleError>(descriptor)).encode();
    let bytes: String = description.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text = include_str!("plodding.wat")
        .replace("$DESCRIPTION", &bytes)
        .replace("$DESCRIBE", &u32::from_le_bytes(DESCRIBE).to_string())
        .replace("$LENGTH", &description.len().to_string())
        .replace("$CRUMBLES_FROM", &crumbles_from.to_string())
        .replace("$FAILS_FROM", &fails.start.to_string())
        .replace("$FAILS_TO", &fails.end.to_string());
    wat::parse_str(text).expect("the text is a module")
}

//! The names of the chain's rules, for scripts and counters: a module and one of its errors, such as `Markets.GateClosed`.

use runtime_execution::{DispatchError, Invalid};
use std::fmt::Debug;

/// The rule that a failed call breaks.
pub fn of_dispatch(error: &DispatchError) -> String {
    match error {
        DispatchError::BadOrigin => "BadOrigin".to_owned(),
        DispatchError::Timestamp(error) => named("Timestamp", error),
        DispatchError::Balances(error) => named("Balances", error),
        DispatchError::Sudo(error) => named("Sudo", error),
        DispatchError::Registry(error) => named("Registry", error),
        DispatchError::Contracts(error) => named("Contracts", error),
        DispatchError::Markets(error) => named("Markets", error),
        DispatchError::Attestation(error) => named("Attestation", error),
    }
}

/// The rule for which an extrinsic is not applied.
pub fn of_invalid(reason: &Invalid) -> String {
    match reason {
        Invalid::Markets(error) => named("Markets", error),
        Invalid::Attestation(error) => named("Attestation", error),
        other => named("Invalid", other),
    }
}

/// The rule's name: an enum's variant is what its derived debug text begins with.
pub fn named(module: &str, rule: &impl Debug) -> String {
    let text = format!("{rule:?}");
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric());
    format!("{module}.{}", &text[..end.unwrap_or(text.len())])
}

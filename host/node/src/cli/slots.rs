//! Slots that people name, against those that have opened.

use anyhow::bail;
use runtime_execution::modules::markets::MARKETS;
use runtime_primitives::{MarketId, Slot};
use runtime_state::Overlay;

/// A sentence for each market in which some of the slots from `first` to `last` have not opened.
///
/// # Errors
/// If none of them has opened in any of the markets.
pub fn unopened(
    state: &Overlay,
    market: Option<MarketId>,
    (first, last): (Slot, Slot),
) -> anyhow::Result<Vec<String>> {
    let mut missing = Vec::new();
    let (mut none_opened, mut is_ahead) = (true, false);
    for (id, found) in MARKETS.entries(state) {
        if market.is_some_and(|only| only != id) {
            continue;
        }
        let (begin, end) = (found.first_slot, found.next_slot);
        none_opened &= last < begin || end <= first || end <= begin;
        is_ahead |= begin <= last;
        if first < begin || end <= last {
            missing.push(match end.number().checked_sub(1).filter(|_| begin < end) {
                Some(latest) => format!("market {id} has opened slots {begin}..{latest} and no other"),
                None => format!("market {id} has opened no slot"),
            });
        }
    }
    let named =
        if first == last { format!("slot {first} has") } else { format!("slots {first}..{last} have") };
    if none_opened {
        let why = if missing.is_empty() { "there is no such market".to_owned() } else { missing.join("; ") };
        // What is of a time before every market will not open any more.
        let word = if is_ahead || missing.is_empty() { "not" } else { "never" };
        bail!("{named} {word} opened: {why}");
    }
    Ok(missing)
}

//! A real community's day: 100 connections, 96 slots, orders from what was known, deliveries as measured.

use super::script::Script;
use crate::community::{Community, Season, Tariff};

/// Seed of the limit prices; part of the scenario's definition.
const QUOTE_SEED: u64 = 1;

/// A season's day as a script.
pub fn day(season: Season) -> Script {
    Script::of_day(&Community::embedded(season), &Tariff::default(), QUOTE_SEED)
}

//! Chains that everybody can name: the scenarios, and a development chain.

use crate::community::Season;
use crate::scenario::{Script, day, paper};
use clap::ValueEnum;

/// A chain known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// The paper's case: one trade of 10 kWh.
    Paper,
    /// A real community's day with generation well above use.
    Summer,
    /// A day with generation near use.
    Shoulder,
    /// A day with use well above generation.
    Winter,
    /// Well-known keys and an empty market: for development.
    Dev,
}

impl Preset {
    /// The preset whose chain has this name.
    pub fn of_chain(name: &str) -> Option<Self> {
        let name = name.strip_prefix("busbar ")?;
        Self::value_variants().iter().copied().find(|preset| preset.name() == name)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Summer => Season::Summer.name(),
            Self::Shoulder => Season::Shoulder.name(),
            Self::Winter => Season::Winter.name(),
            Self::Dev => "dev",
        }
    }

    /// The scenario behind it; none for the development chain.
    ///
    /// # Panics
    /// If the built-in scenario file was damaged before the build.
    pub fn script(self) -> Option<Script> {
        match self {
            Self::Paper => Some(paper().expect("the built-in scenario file is tested")),
            Self::Summer => Some(day(Season::Summer)),
            Self::Shoulder => Some(day(Season::Shoulder)),
            Self::Winter => Some(day(Season::Winter)),
            Self::Dev => None,
        }
    }
}

//! `busbar chain-spec`: print the spec of a known chain, or check one that somebody wrote.

use crate::chain_spec::{ChainSpec, INTERVAL_MS, Preset};
use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Print or check chain specs.
#[derive(Debug, Args)]
pub struct ChainSpecArgs {
    /// Whose spec to print.
    #[arg(long, value_enum, default_value_t = Preset::Dev)]
    scenario: Preset,
    /// Write it to a file instead.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Check this spec and print its genesis hash.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenario", "out"])]
    check: Option<PathBuf>,
    /// Print the result of a check as JSON.
    #[arg(long, requires = "check")]
    json: bool,
}

impl ChainSpecArgs {
    /// Print or check.
    ///
    /// # Errors
    /// What is wrong with the spec, and where; or the file cannot be written.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        if let Some(path) = &self.check {
            let (spec, config) = ChainSpec::load(path)?;
            let genesis = ChainSpec::genesis_hash(&config)?;
            if self.json {
                let (entities, codes) = (config.entities.len(), config.codes.len());
                let found = json!({ "name": spec.name, "genesis_hash": genesis.to_string(), "entities": entities, "codes": codes });
                println!("{found}");
            } else {
                println!("{}: genesis {genesis}", spec.name);
            }
            return Ok(ExitCode::SUCCESS);
        }
        let text = ChainSpec::of_config(&self.scenario.config(), INTERVAL_MS).to_json();
        match &self.out {
            Some(path) => {
                std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
            }
            None => print!("{text}"),
        }
        Ok(ExitCode::SUCCESS)
    }
}

//! `busbar chain-spec`: print the spec of a known chain, or check one that somebody wrote.

use crate::chain_spec::{ChainSpec, INTERVAL_MS, INTERVAL_MS_MAX, INTERVAL_MS_MIN, Preset, engine_addresses};
use anyhow::Context as _;
use clap::Args;
use runtime_execution::{EPOCH_BLOCKS, GenesisConfig};
use runtime_primitives::limits::EPOCH_BLOCKS_MIN;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Print or check chain specs.
#[derive(Debug, Args)]
pub struct ChainSpecArgs {
    /// Whose spec to print.
    #[arg(long, value_enum, default_value_t = Preset::Dev)]
    scenario: Preset,
    /// Let this many validators order it together; their keys are well known (`busbar node --dev-validator N`).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    validators: Option<u8>,
    /// Where each of them listens for the others, host:port; or only where the first does, and each next one a port higher.
    #[arg(
        long,
        value_name = "ADDRESS",
        value_delimiter = ',',
        default_value = "127.0.0.1:30333",
        requires = "validators"
    )]
    engines: Vec<String>,
    /// Least time between two blocks, in ms.
    #[arg(long, value_name = "MS", default_value_t = INTERVAL_MS,
        value_parser = clap::value_parser!(u64).range(INTERVAL_MS_MIN..=INTERVAL_MS_MAX))]
    interval_ms: u64,
    /// Blocks of an epoch: what is announced of validators in one takes effect two later.
    #[arg(long, value_name = "N", default_value_t = EPOCH_BLOCKS,
        value_parser = clap::value_parser!(u64).range(EPOCH_BLOCKS_MIN..=u64::from(u32::MAX)))]
    epoch_blocks: u64,
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
        let known = match self.validators {
            None => self.scenario.config(),
            Some(validators) => self.scenario.network(&engine_addresses(validators.into(), &self.engines)?),
        };
        let config = GenesisConfig { epoch_blocks: self.epoch_blocks, ..known };
        let text = ChainSpec::of_config(&config, self.interval_ms).to_json();
        match &self.out {
            Some(path) => {
                std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
            }
            None => print!("{text}"),
        }
        Ok(ExitCode::SUCCESS)
    }
}

//! `busbar replay`: execute a chain again from its own file. Exits non-zero at the first difference.

use crate::chain_spec::{ChainSpec, Preset};
use crate::replay::{Replayed, replay};
use crate::report::{Progress, Summary};
use anyhow::Context as _;
use clap::Args;
use host_storage::{Snapshot, Store};
use runtime_execution::GenesisConfig;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Execute a chain again from its own file and compare everything that was derived.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The chain: a data folder, or the file chain.redb of one.
    #[arg(value_name = "FILE")]
    chain: PathBuf,
    /// Spec of the chain [default: spec.json beside it, or the scenario that its name says].
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// The chain is this scenario's.
    #[arg(long, value_enum, conflicts_with = "spec")]
    scenario: Option<Preset>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

impl ReplayArgs {
    /// Replay and print the verdict.
    ///
    /// # Errors
    /// If the file cannot be read or no spec is found; a difference is a verdict, not an error.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let path = if self.chain.is_dir() { self.chain.join("chain.redb") } else { self.chain.clone() };
        let store = Store::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let snapshot = store.snapshot();
        let config = self.config(&path, &snapshot)?;
        let progress = Progress::start("blocks", snapshot.height().number(), self.json);
        let began = Instant::now();
        let verdict = replay(&snapshot, &config, |_| progress.advance(1));
        drop(progress);
        let wall = began.elapsed();
        match verdict {
            Ok(done) if self.json => println!("{}", self.success(&done, wall)),
            Ok(done) => println!("{}", summary(&done, wall)),
            Err(error) => {
                if self.json {
                    println!("{}", json!({ "verified": false, "error": error.to_string() }));
                } else {
                    println!("NOT VERIFIED: {error}");
                }
                return Ok(ExitCode::FAILURE);
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn config(&self, chain: &Path, snapshot: &Snapshot) -> anyhow::Result<GenesisConfig> {
        Ok(match (&self.spec, self.scenario) {
            (Some(path), _) => ChainSpec::load(path)?.1,
            (None, Some(scenario)) => scenario.config(),
            (None, None) => ChainSpec::find(chain, snapshot)?,
        })
    }

    fn success(&self, done: &Replayed, wall: Duration) -> serde_json::Value {
        json!({
            "verified": true,
            "genesis_hash": done.genesis.to_string(),
            "blocks": done.blocks,
            "extrinsics": done.extrinsics,
            "archive_rows": done.archive_rows,
            "state_keys": done.state_keys,
            "final_header_hash": done.last.to_string(),
            "wall_ms": ms(wall),
            "extrinsics_per_second": per_second(done.extrinsics, wall),
        })
    }
}

fn summary(done: &Replayed, wall: Duration) -> Summary {
    let mut table = Summary::new("Replay: verified");
    table.line("genesis", done.genesis).count("blocks", done.blocks).count("extrinsics", done.extrinsics);
    table.count("archive rows", done.archive_rows).count("state keys", done.state_keys);
    table.line("last header", done.last).line("wall time", format!("{wall:.2?}"));
    table.count("extrinsics per second", per_second(done.extrinsics, wall));
    table
}

fn ms(wall: Duration) -> u64 {
    u64::try_from(wall.as_millis()).unwrap_or(u64::MAX)
}

fn per_second(count: u64, wall: Duration) -> u64 {
    count.saturating_mul(1_000) / ms(wall).max(1)
}

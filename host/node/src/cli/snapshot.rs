//! `busbar snapshot`: a state with all that proves it as a file, written by one node, checked by anybody, begun with by
//! another.

use crate::chain_spec::ChainSpec;
use crate::checkpoint::Trusted;
use crate::report::{Progress, Summary, utc_date_time};
use crate::service::FileClock;
use crate::snapshot::{CheckedSnapshot, Content, check, export, import, inspect};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use host_consensus::{Clock as _, SystemClock};
use runtime_state::MemoryState;
use serde_json::json;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write, check and begin with snapshots.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the state after an epoch's last block, with what proves it, from the folder of a stopped node.
    Export {
        /// Data folder of a stopped node, validator or not.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// File to write; it must not exist.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// An epoch's last block whose checkpoint is certified [default: the highest that this node can go back to].
        #[arg(long, value_name = "N")]
        height: Option<u64>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show what a snapshot says of itself. Nothing of it is checked.
    Inspect {
        /// The snapshot.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check a snapshot from the chain spec alone.
    Verify {
        /// Spec of the chain: all that is believed.
        #[arg(long, value_name = "FILE")]
        spec: PathBuf,
        /// The snapshot.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check a snapshot from the chain spec alone, and make the folder of a node that goes on from there.
    Import {
        /// Spec of the chain: all that is believed.
        #[arg(long, value_name = "FILE")]
        spec: PathBuf,
        /// Data folder of the node, without a chain.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The snapshot.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Take the time from this file, as the node will with --clock-file.
        #[arg(long, value_name = "FILE")]
        clock_file: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

impl SnapshotArgs {
    /// Do it and print what came of it.
    ///
    /// # Errors
    /// If a file cannot be read or written, there is nothing to export, or a snapshot cannot be begun with; what proves
    /// nothing is a verdict of `verify`, and an error of the others.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Export { data, out, height, json } => write(&data, &out, height, json),
            Command::Inspect { file, json } => show(&file, json),
            Command::Verify { spec, file, json } => verify(&spec, &file, json),
            Command::Import { spec, data, file, clock_file, json } => {
                begin(&spec, &data, &file, clock_file.as_deref(), json)
            }
        }
    }
}

fn write(data: &Path, out: &Path, height: Option<u64>, is_json: bool) -> anyhow::Result<ExitCode> {
    let mut bar = None;
    let done = export(data, height, out, |about| {
        bar.get_or_insert_with(|| Progress::start("entries", about, is_json)).advance(1);
    })?;
    drop(bar);
    let shown = out.display().to_string();
    if is_json {
        println!(
            "{:#}",
            json!({
                "file": shown,
                "height": done.height,
                "header": done.header.to_string(),
                "entries": done.entries,
                "bytes": done.bytes,
            })
        );
    } else {
        let mut table = Summary::new("Snapshot: written");
        table.line("file", shown).count("block", done.height).line("header", done.header);
        table.count("entries", done.entries).count("bytes", done.bytes);
        println!("{table}");
    }
    Ok(ExitCode::SUCCESS)
}

/// A file to be read, and a bar of its bytes.
fn open(path: &Path, is_json: bool) -> anyhow::Result<(BufReader<File>, Progress)> {
    let cannot = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(cannot)?;
    let bytes = file.metadata().with_context(cannot)?.len();
    Ok((BufReader::new(file), Progress::start("bytes", bytes, is_json)))
}

fn show(file: &Path, is_json: bool) -> anyhow::Result<ExitCode> {
    let (source, bar) = open(file, is_json)?;
    let content = inspect(source, &mut |bytes| bar.advance(bytes))?;
    drop(bar);
    let Content { genesis, height, epoch, header, state_root, time, certificates, entries, bytes } = content;
    if is_json {
        println!(
            "{:#}",
            json!({
                "genesis": genesis.to_string(),
                "height": height,
                "epoch": epoch,
                "header": header.to_string(),
                "state_root": state_root.to_string(),
                "time_ms": time.ms(),
                "certificates": certificates,
                "entries": entries,
                "bytes": bytes,
            })
        );
    } else {
        let mut table = Summary::new("Snapshot: what it says, unchecked");
        table.line("genesis", genesis).count("block", height).count("epoch", epoch);
        table.line("time", utc_date_time(time)).line("header", header).line("state root", state_root);
        table.count("certificates", certificates).count("entries", entries).count("bytes", bytes);
        println!("{table}");
    }
    Ok(ExitCode::SUCCESS)
}

fn verify(spec: &Path, file: &Path, is_json: bool) -> anyhow::Result<ExitCode> {
    let (_, config) = ChainSpec::load(spec)?;
    let trusted = Trusted::new(&config)?;
    let (source, bar) = open(file, is_json)?;
    let verdict = check(source, &trusted, &mut MemoryState::new(), &mut |bytes| bar.advance(bytes));
    drop(bar);
    match verdict {
        Ok(snapshot) => {
            print("VERIFIED", "verified", &snapshot, is_json);
            Ok(ExitCode::SUCCESS)
        }
        Err(fault) => {
            if is_json {
                println!("{:#}", json!({ "verified": false, "error": fault.to_string() }));
            } else {
                println!("NOT VERIFIED: {fault}");
            }
            Ok(ExitCode::FAILURE)
        }
    }
}

fn begin(
    spec: &Path,
    data: &Path,
    file: &Path,
    clock_file: Option<&Path>,
    is_json: bool,
) -> anyhow::Result<ExitCode> {
    let (spec, config) = ChainSpec::load(spec)?;
    let now = match clock_file {
        Some(path) => FileClock::at(path).with_context(|| format!("no clock in {}", path.display()))?.now(),
        None => SystemClock.now(),
    };
    let (source, bar) = open(file, is_json)?;
    let snapshot = import(source, (&spec, &config), data, now, &mut |bytes| bar.advance(bytes))?;
    drop(bar);
    print("IMPORTED", "imported", &snapshot, is_json);
    Ok(ExitCode::SUCCESS)
}

/// Say what a snapshot is that was checked.
fn print(verdict: &str, field: &str, snapshot: &CheckedSnapshot, is_json: bool) {
    let header = snapshot.header();
    let (height, hash, epoch, entries) = (header.number, header.hash(), snapshot.epoch(), snapshot.entries);
    if is_json {
        println!(
            "{:#}",
            json!({
                field: true,
                "height": height,
                "epoch": epoch,
                "header": hash.to_string(),
                "state_root": header.state_root.to_string(),
                "entries": entries,
            })
        );
    } else {
        println!(
            "{verdict}: the state after block {height} of epoch {epoch}, header {hash}, {entries} entries"
        );
    }
}

//! `busbar node`: one validator's node on the machine's clock, until it is interrupted.

use crate::chain_spec::{ChainSpec, FILE_NAME, INTERVAL_MS, INTERVAL_MS_MAX, INTERVAL_MS_MIN, Preset};
use crate::keys::{Signer, SigningPolicy, UnlockArgs};
use crate::node::Chain;
use crate::service::{FileClock, Following, MIN_FREE_DISK_MIB, Service, ServiceConfig};
use anyhow::{Context as _, bail};
use clap::Args;
use host_consensus::network::Signal;
use host_consensus::{Clock, RehearsalClock, SystemClock};
use runtime_execution::GenesisConfig;
use runtime_execution::modules::registry::validators;
use runtime_primitives::AccountId;
use runtime_state::Overlay;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tracing::{Level, warn};

/// Fastest rehearsal: a day in a minute and a half.
const CLOCK_RATE_MAX: i64 = 1_000;

/// Run a node.
#[derive(Debug, Args)]
pub struct NodeArgs {
    /// Spec of the chain [default: spec.json in the data folder].
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Run a known chain instead: dev, or a scenario's.
    #[arg(long, value_enum, conflicts_with = "spec")]
    scenario: Option<Preset>,
    /// Data folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to serve JSON-RPC, HTTP and WebSocket; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9944")]
    rpc: SocketAddr,
    /// Serve no JSON-RPC.
    #[arg(long, conflicts_with = "rpc")]
    no_rpc: bool,
    /// Least time between two blocks, in ms [default: the spec's].
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(INTERVAL_MS_MIN..=INTERVAL_MS_MAX))]
    interval_ms: Option<u64>,
    /// Let the chain's time run this many times as fast as the machine's: a rehearsal of a market, alone.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=CLOCK_RATE_MAX))]
    clock_rate: u32,
    /// Take the time from this file: milliseconds since 1970, in decimal. Whoever replaces it moves time for every node that
    /// reads it: a rehearsal of a day in minutes, with others.
    #[arg(long, value_name = "FILE", conflicts_with = "clock_rate")]
    clock_file: Option<PathBuf>,
    /// Insist on being a validator. The node refuses to start without a session key, with --follow if its engine is to order,
    /// and where it orders alone if no set has its key now or in the next two epochs; among others, whose chain may be ahead of
    /// what is here, it says so in the log. Without this, keys that are named attest and order wherever a set has them, and the
    /// node goes on without a vote where none has.
    #[arg(long)]
    validator: bool,
    /// Name of the session key in the keystore; may be repeated: the first one orders, all attest.
    #[arg(long, value_name = "NAME")]
    session_key_name: Vec<String>,
    #[command(flatten)]
    unlock: UnlockArgs,
    /// Attest with the well-known session key of validator N of a known chain; may be repeated.
    #[arg(long, value_name = "N")]
    dev_validator: Vec<u32>,
    /// Order with other validators, and listen for them here; without it, order alone. The engine's key follows from the
    /// session key.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Follow the chain by what the node at this RPC address gives: each block is executed once a quorum's proof of it is
    /// checked. May be repeated: others are asked when one fails. Extrinsics taken in here are passed on there.
    #[arg(long, value_name = "URL", conflicts_with_all = ["listen", "clock_rate", "clock_file"])]
    follow: Vec<String>,
    /// Execute every block a second time, on the second engine, and stop if it leads to another header. Contracts take
    /// several times as long.
    #[arg(long)]
    paranoid: bool,
    /// Stop when less than this is free where the data folder is, in MiB, before it is used up.
    #[arg(long, value_name = "MIB", default_value_t = MIN_FREE_DISK_MIB)]
    min_free_disk_mib: u64,
    /// How much to log: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL", default_value_t = Level::INFO)]
    log: Level,
    /// Log JSON, a line each.
    #[arg(long)]
    json: bool,
}

impl NodeArgs {
    /// Serve until interrupted. The block in work is finished first.
    ///
    /// # Errors
    /// If the node cannot start, or has to stop.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        self.start_log()?;
        let (genesis, interval_ms) = self.chain()?;
        let sessions = self.sessions(&genesis)?;
        if self.listen.is_some() && sessions.is_empty() {
            bail!("--listen needs a validator's session key: --session-key-name or --dev-validator");
        }
        if self.validator && sessions.is_empty() {
            bail!(
                "--validator needs a session key: make one with `busbar keys generate --save NAME` and name it with \
                 --session-key-name NAME"
            );
        }
        let keys: Vec<AccountId> = sessions.iter().map(Signer::account).collect();
        let config = ServiceConfig {
            data: self.data.clone(),
            genesis,
            interval_ms: self.interval_ms.unwrap_or(interval_ms),
            rpc: (!self.no_rpc).then_some(self.rpc),
            listen: self.listen,
            sessions,
            min_free_disk_mib: self.min_free_disk_mib,
            paranoid: self.paranoid,
        };
        if !self.follow.is_empty() {
            let following = Following::start(config, &self.follow)?;
            self.insist(following.chain(), &keys)?;
            return Self::follow(following);
        }
        let rehearsal = RehearsalClock::new(self.clock_rate);
        let service = Service::start(config, self.clock(&rehearsal)?)?;
        self.insist(service.chain(), &keys)?;
        rehearsal.advance_to(service.chain().now());
        let stop = Signal::default();
        let stopping = stop.watch();
        ctrlc::set_handler(move || stop.raise()).context("cannot wait for interruption")?;
        announce(service.chain(), service.address());
        service.run(stopping)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Follow others until interrupted.
    fn follow(following: Following) -> anyhow::Result<ExitCode> {
        let bell = following.bell().clone();
        ctrlc::set_handler(move || bell.stop()).context("cannot wait for interruption")?;
        announce(following.chain(), following.address());
        following.run()?;
        Ok(ExitCode::SUCCESS)
    }

    /// Whether a node that is to be a validator can be one with these session keys, as far as is known here.
    fn insist(&self, chain: &Chain, keys: &[AccountId]) -> anyhow::Result<()> {
        if !self.validator {
            return Ok(());
        }
        let snapshot = chain.snapshot();
        let state = Overlay::new(&snapshot);
        let epoch = validators::next_epoch(&state);
        let sets = (epoch..=epoch.saturating_add(2)).filter_map(|epoch| validators::announced(&state, epoch));
        let own: Vec<_> = sets.flatten().filter(|member| keys.contains(&member.session_key)).collect();
        let orders = own.iter().any(|member| member.engine.is_some());
        if !self.follow.is_empty() && orders {
            bail!("the engine of this session key orders blocks: start with --listen instead of --follow");
        }
        if own.is_empty() && self.follow.is_empty() && self.listen.is_none() {
            bail!(
                "no validator set of epochs {epoch} to {} has this session key: announce it with `busbar validator announce`, \
                 or start without --validator",
                epoch.saturating_add(2)
            );
        }
        if own.is_empty() {
            warn!(
                epoch,
                "no validator set that is known here has this session key: see `busbar validator list` once the chain is caught up, \
                 and `busbar validator announce`"
            );
        }
        Ok(())
    }

    fn clock(&self, rehearsal: &RehearsalClock) -> anyhow::Result<Arc<dyn Clock>> {
        Ok(match &self.clock_file {
            Some(path) => {
                let clock = FileClock::at(path);
                Arc::new(clock.with_context(|| format!("no clock in {}", path.display()))?)
            }
            None if self.clock_rate == 1 => Arc::new(SystemClock),
            None => Arc::new(rehearsal.clone()),
        })
    }

    fn start_log(&self) -> anyhow::Result<()> {
        let log = tracing_subscriber::fmt()
            .with_max_level(self.log)
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr);
        let started = if self.json { log.json().try_init() } else { log.try_init() };
        started.map_err(|error| anyhow::anyhow!("cannot log: {error}"))
    }

    /// The chain, and the time between its blocks.
    fn chain(&self) -> anyhow::Result<(GenesisConfig, u64)> {
        let kept = self.data.join(FILE_NAME);
        match (&self.spec, self.scenario) {
            (Some(path), _) => {
                let (spec, config) = ChainSpec::load(path)?;
                Ok((config, spec.block_interval_ms))
            }
            (None, Some(preset)) => Ok((preset.config(), INTERVAL_MS)),
            (None, None) if kept.exists() => {
                let (spec, config) = ChainSpec::load(&kept)?;
                Ok((config, spec.block_interval_ms))
            }
            (None, None) => {
                bail!("a new chain needs --spec FILE or --scenario NAME; see `busbar chain-spec`")
            }
        }
    }

    fn sessions(&self, genesis: &GenesisConfig) -> anyhow::Result<Vec<Signer>> {
        let mut pairs = Vec::new();
        for name in &self.session_key_name {
            pairs.push(self.unlock.open(name)?);
        }
        if !self.dev_validator.is_empty() {
            let preset = Preset::of_chain(&genesis.chain);
            let preset = preset.with_context(|| {
                format!("{:?} is no known chain: its session keys are not well known", genesis.chain)
            })?;
            pairs.extend(self.dev_validator.iter().map(|number| preset.session_key(*number)));
        }
        Ok(pairs.into_iter().map(|pair| Signer::new(pair, SigningPolicy::Production)).collect())
    }
}

/// Say which chain it is, and where it is served.
fn announce(chain: &Chain, address: Option<SocketAddr>) {
    println!("genesis {}", chain.genesis());
    match address {
        Some(address) => println!("listening on http://{address} and ws://{address}"),
        None => println!("not listening"),
    }
}

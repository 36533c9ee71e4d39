//! `busbar agent`: one household against a running node: bids, confirms, reads its meter, re-runs settlements, votes.

use super::refusals::told;
use super::remote::default_url;
use crate::agent::{Deed, Done, Identity, Intent, RemoteHousehold, Round};
use crate::files::{PLAN_BYTES_MAX, text_at_most};
use crate::keys::{KeyPair, Signer, SigningPolicy, UnlockArgs};
use crate::scenario::HouseholdScript;
use anyhow::Context as _;
use clap::{ArgGroup, Args};
use host_rpc::RemoteNode;
use runtime_primitives::{EntityId, MarketId, MeterId};
use runtime_vm::{EngineKind, Vm};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

/// Longest wait before a node that does not answer is asked again.
const RETRY_MS_MAX: u64 = 10_000;

/// Play a household against a running node.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("signer").required(true).args(["delegate", "key_name"]))]
#[command(group = ArgGroup::new("meter_signer").required(true).args(["meter_key", "meter_key_name"]))]
pub struct AgentArgs {
    /// The node's RPC address, http:// or ws://; from the environment's BUSBAR_RPC if that is set.
    #[arg(long, value_name = "URL", alias = "url", default_value_t = default_url())]
    rpc: String,
    /// The household's entity number.
    #[arg(long)]
    entity: u32,
    /// Its meter's number.
    #[arg(long)]
    meter: u32,
    /// The market it trades on.
    #[arg(long, default_value_t = 0)]
    market: u32,
    /// Secret URI of its delegate key, such as //Eve//delegate. For development: others can read command lines.
    #[arg(long, value_name = "URI")]
    delegate: Option<String>,
    /// Name of its delegate key in the keystore.
    #[arg(long, value_name = "NAME")]
    key_name: Option<String>,
    /// Secret URI of the meter's key. For development.
    #[arg(long, value_name = "URI")]
    meter_key: Option<String>,
    /// Name of the meter's key in the keystore.
    #[arg(long, value_name = "NAME")]
    meter_key_name: Option<String>,
    #[command(flatten)]
    unlock: UnlockArgs,
    /// What it wants to trade and what its meter measures: name, [[order]] and [[reading]] as in a scenario file.
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// Time between two looks at the chain, in ms.
    #[arg(long, default_value_t = 500)]
    poll_ms: u64,
    /// Look once, act, and end.
    #[arg(long)]
    once: bool,
    /// Print JSON, a line a deed.
    #[arg(long)]
    json: bool,
}

impl AgentArgs {
    /// Play until every slot of the plan is settled. The exit code says whether the node took everything.
    ///
    /// # Errors
    /// If the household cannot start, or with `--once` the node does not answer.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut household = self.connect()?;
        let mut refused = false;
        let mut retry_ms = self.poll_ms;
        loop {
            match household.round() {
                Ok(round) => {
                    retry_ms = self.poll_ms;
                    self.show(&round);
                    refused |= round.done.iter().any(|done| done.outcome.is_err());
                    if round.over || self.once {
                        return Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS });
                    }
                    sleep(Duration::from_millis(self.poll_ms));
                }
                Err(error) if self.once => return Err(error.into()),
                Err(error) => {
                    let error = anyhow::Error::from(error);
                    eprintln!("{}", told(&error.context(format!("trying again in {retry_ms} ms"))));
                    sleep(Duration::from_millis(retry_ms));
                    retry_ms = retry_ms.saturating_mul(2).min(RETRY_MS_MAX.max(self.poll_ms));
                }
            }
        }
    }

    fn connect(&self) -> anyhow::Result<RemoteHousehold> {
        let text = text_at_most(&self.plan, PLAN_BYTES_MAX);
        let text = text.with_context(|| format!("cannot read {}", self.plan.display()))?;
        let plan = HouseholdScript::from_plan(&text);
        let plan = plan.with_context(|| format!("{} is no plan", self.plan.display()))?;
        let identity = Identity {
            entity: EntityId::from_number(self.entity),
            meter: MeterId::from_number(self.meter),
            delegate: self.signer(self.delegate.as_deref(), self.key_name.as_deref())?,
            meter_key: self.signer(self.meter_key.as_deref(), self.meter_key_name.as_deref())?,
        };
        let node = RemoteNode::at(&self.rpc)?;
        let market = MarketId::from_number(self.market);
        Ok(RemoteHousehold::connect(node, identity, market, plan, Vm::new(EngineKind::Wasmtime)?)?)
    }

    fn signer(&self, uri: Option<&str>, name: Option<&str>) -> anyhow::Result<Signer> {
        let pair: KeyPair = match (uri, name) {
            (Some(uri), _) => uri.parse()?,
            (None, Some(name)) => self.unlock.open(name)?,
            (None, None) => unreachable!("the arguments require one of both"),
        };
        Ok(Signer::new(pair, SigningPolicy::Production))
    }

    fn show(&self, round: &Round) {
        for done in &round.done {
            if self.json {
                println!("{}", line(round, done));
                continue;
            }
            match &done.outcome {
                Ok(hash) => println!("slot {}: {} ({hash})", done.slot, done.deed),
                Err(rule) => println!("slot {}: {}: REFUSED: {rule}", done.slot, done.deed),
            }
        }
        if round.over && !self.json {
            println!("every slot of the plan is settled");
        }
    }
}

/// A deed for scripts.
fn line(round: &Round, done: &Done) -> Value {
    let (name, mut fields) = match &done.deed {
        Deed::Bid(intent) => ("bid", order(intent)),
        Deed::Reveal(intent) => ("reveal", order(intent)),
        Deed::Confirm(trades) => ("confirm", json!({ "trades": trades })),
        Deed::Read((import, export)) => {
            ("reading", json!({ "import_wh": import.wh(), "export_wh": export.wh() }))
        }
        Deed::Vote { voter, list, agrees, report } => (
            "vote",
            json!({
                "voter": voter.number(),
                "list": list.to_string(),
                "agrees": agrees,
                "report": report.map(|report| report.to_string()),
            }),
        ),
    };
    fields["deed"] = name.into();
    fields["slot"] = done.slot.number().into();
    fields["block"] = round.block.to_string().into();
    match &done.outcome {
        Ok(hash) => fields["extrinsic"] = hash.to_string().into(),
        Err(rule) => fields["refused"] = rule.as_str().into(),
    }
    fields
}

fn order(intent: &Intent) -> Value {
    json!({
        "side": format!("{:?}", intent.side).to_lowercase(),
        "energy_wh": intent.energy.wh(),
        "price_ticks": intent.price.ticks(),
    })
}

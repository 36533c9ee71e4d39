//! `busbar status`: how far a running node is, what it has done, and where it disagrees with others.

use super::contract::escaped;
use super::remote::{Answer, NodeArgs, table};
use crate::report::utc_date_time;
use clap::Args;
use host_rpc::{NetworkStatus, NodeStatus};
use runtime_primitives::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Show a node.
#[derive(Debug, Args)]
#[command(
    after_help = "Ends with 1 if the node has raised an alarm: a quorum, or its own second engine, computed something else.\n\
                  A warning is another validator's word against it, which may be a lie: it ends with 0."
)]
pub struct StatusArgs {
    #[command(flatten)]
    node: NodeArgs,
}

impl StatusArgs {
    /// Ask the node and print what it says.
    ///
    /// # Errors
    /// If the node does not answer.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let status = self.node.session()?.node().status()?;
        self.node.print(&shown(&status));
        Ok(if status.alarms == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn peers(network: &NetworkStatus) -> String {
    let NetworkStatus { known, connected, shut_out, protocol, .. } = network;
    format!("{connected} of {known} connected, {shut_out} shut out; {protocol}")
}

/// Why a validator does not vote, if it does not.
fn silence(status: &NodeStatus) -> String {
    let until = status.silent_until_ms.map(|until| utc_date_time(Timestamp::from_ms(until)));
    until.map_or_else(String::new, |until| {
        format!("; without a vote, as it began with a snapshot, until an epoch begins after {until}")
    })
}

fn counts(counts: &BTreeMap<String, u64>) -> String {
    let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
}

fn shown(status: &NodeStatus) -> Answer {
    let mut rows = table(["", ""]);
    let ordering = match status.committee {
        0 => "alone".to_owned(),
        members => format!("with {members} validators, epoch {}{}", status.epoch, silence(status)),
    };
    let attests: Vec<String> = status.attests_for.iter().map(|entity| format!("entity {entity}")).collect();
    let time = utc_date_time(Timestamp::from_ms(status.time_ms));
    let done = format!(
        "{} blocks, {} extrinsics, {} of them failed, {} skipped",
        status.blocks, status.extrinsics, status.failed, status.skipped
    );
    for (name, value) in [
        ("chain", format!("{} {}", status.chain, status.genesis)),
        ("block", format!("{} of {time}, history from block {} on", status.height, status.first_block)),
        ("header", status.best.clone()),
        ("certified", format!("block {}", status.certified)),
        ("orders", ordering),
        ("attests for", if attests.is_empty() { "nobody".to_owned() } else { attests.join(", ") }),
        ("waiting", format!("{} extrinsics", status.waiting)),
        ("since its start", done),
        ("clearings re-run", format!("{}, {} with another result", status.reruns, status.disagreed)),
        ("blocks re-run", status.executed_again.to_string()),
        ("alarms", status.alarms.to_string()),
        ("warnings", status.warnings.to_string()),
        ("peers", peers(&status.network)),
        ("callers refused", counts(&status.network.refused)),
        ("malformed messages", counts(&status.network.malformed)),
        ("extrinsics refused", counts(&status.refused_extrinsics)),
        ("checkpoint words refused", counts(&status.refused_words)),
        ("version", status.version.clone()),
    ] {
        rows.add_row([name, &escaped(&value)]);
    }
    let line = |name, words: &[String]| -> String {
        words.iter().map(|word| format!("\n{name} {}", escaped(word))).collect()
    };
    let (alarms, warnings) = (line("ALARM", &status.latest_alarms), line("WARNING", &status.latest_warnings));
    Answer::new(format!("{rows}{alarms}{warnings}"), json!(status))
}

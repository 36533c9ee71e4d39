//! Arguments and answers of the commands that talk to a node: one way to connect, sign, wait and report.

use super::events;
pub use crate::client::account;
use crate::client::{Included, Session};
use crate::keys::{KeyPair, Signer, SigningPolicy, Ss58, Ss58Prefix, UnlockArgs};
use clap::{ArgGroup, Args};
use comfy_table::{ContentArrangement, Table, presets};
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::{Call, Event};
use runtime_primitives::{AccountId, blake2_256};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// Columns of a table.
const COLUMNS: u16 = 100;

/// Where the node is, and how to answer.
#[derive(Clone, Debug, Args)]
pub struct NodeArgs {
    /// The node's RPC address, http:// or ws://; from the environment's BUSBAR_RPC if that is set.
    #[arg(long, value_name = "URL", default_value_t = default_url())]
    rpc: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Where a node is unless somebody says otherwise.
pub fn default_url() -> String {
    std::env::var("BUSBAR_RPC").unwrap_or_else(|_| "http://127.0.0.1:9944".to_owned())
}

/// Who signs, and how long to wait.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("signer").required(true).args(["key", "key_name"]))]
pub struct SignArgs {
    #[command(flatten)]
    node: NodeArgs,
    /// Secret URI of the key that signs, such as //Alice. For development: others can read command lines.
    #[arg(long, value_name = "URI")]
    key: Option<String>,
    /// Name of the key that signs, in the keystore.
    #[arg(long, value_name = "NAME")]
    key_name: Option<String>,
    #[command(flatten)]
    unlock: UnlockArgs,
    /// Longest wait for a final block, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
    /// Do not wait for a block.
    #[arg(long)]
    no_wait: bool,
    /// Print the signed extrinsic and send nothing.
    #[arg(long, conflicts_with = "no_wait")]
    dry_run: bool,
}

/// An answer, for people and for scripts.
#[derive(Debug)]
pub struct Answer {
    /// For people.
    pub text: String,
    /// For scripts.
    pub json: Value,
}

impl Answer {
    /// An answer.
    pub fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json }
    }
}

impl NodeArgs {
    /// Connect.
    ///
    /// # Errors
    /// If the node does not answer.
    pub fn session(&self) -> anyhow::Result<Session> {
        Ok(Session::connect(&self.rpc)?)
    }

    /// Whether scripts read the answer.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Print an answer.
    pub fn print(&self, answer: &Answer) {
        if self.json {
            println!("{:#}", answer.json);
        } else if !answer.text.is_empty() {
            println!("{}", answer.text);
        }
    }
}

impl SignArgs {
    /// Connect.
    ///
    /// # Errors
    /// If the node does not answer.
    pub fn session(&self) -> anyhow::Result<Session> {
        self.node.session()
    }

    /// Where the node is.
    pub const fn node(&self) -> &NodeArgs {
        &self.node
    }

    /// The key that signs.
    ///
    /// # Errors
    /// If there is no such key, or it cannot be opened.
    pub fn signer(&self) -> anyhow::Result<Signer> {
        let pair: KeyPair = match (&self.key, &self.key_name) {
            (Some(uri), _) => uri.parse()?,
            (None, Some(name)) => self.unlock.open(name)?,
            (None, None) => unreachable!("the arguments require one of both"),
        };
        Ok(Signer::new(pair, SigningPolicy::Production))
    }

    /// Sign `call`, send it, wait for it, and print what came of it; `tell` finds the answer in its events.
    ///
    /// # Errors
    /// What became of the call, if it took no effect.
    pub fn send(
        &self,
        session: &Session,
        call: &Call,
        tell: impl Fn(&[Event]) -> Option<Answer>,
    ) -> anyhow::Result<ExitCode> {
        let extrinsic = session.sign(self.signer()?, call)?;
        self.send_signed(session, call, &extrinsic, tell)
    }

    /// As [`SignArgs::send`], for a call that carries its own proof.
    ///
    /// # Errors
    /// What became of the call, if it took no effect.
    pub fn send_bare(
        &self,
        session: &Session,
        call: &Call,
        tell: impl Fn(&[Event]) -> Option<Answer>,
    ) -> anyhow::Result<ExitCode> {
        self.send_signed(session, call, &UncheckedExtrinsic::bare(call), tell)
    }

    fn send_signed(
        &self,
        session: &Session,
        call: &Call,
        extrinsic: &[u8],
        tell: impl Fn(&[Event]) -> Option<Answer>,
    ) -> anyhow::Result<ExitCode> {
        let answer = if self.dry_run {
            let hex = format!("0x{}", hex::encode(extrinsic));
            let what = clipped(&format!("{call:?}"));
            Answer::new(format!("{what}\n{hex}"), json!({ "call": what, "extrinsic": hex }))
        } else if self.no_wait {
            let hash = session.node().submit(extrinsic)?;
            Answer::new(format!("sent {hash}"), json!({ "hash": hash.to_string() }))
        } else {
            let included = session.send(extrinsic, Duration::from_secs(self.timeout))?;
            debug_assert_eq!(included.extrinsic, blake2_256(extrinsic), "its own outcome");
            told(&included, tell(&included.events))
        };
        self.node.print(&answer);
        Ok(ExitCode::SUCCESS)
    }
}

/// Longest text of a call: code in it is long.
const SHOWN_CHARS_MAX: usize = 2_000;

fn clipped(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Where it was included, and what came of it.
fn told(included: &Included, answer: Option<Answer>) -> Answer {
    let Answer { text, json } = answer.unwrap_or_else(|| Answer::new("done", json!({})));
    let events: Vec<Value> = included.events.iter().map(events::as_json).collect();
    let mut object = json!({
        "extrinsic": included.extrinsic.to_string(),
        "block": included.block.to_string(),
        "height": included.height.number(),
        "events": events,
    });
    if let (Value::Object(all), Value::Object(own)) = (&mut object, json) {
        all.extend(own);
    }
    Answer::new(format!("{text} (block {})", included.height), object)
}

/// A table that fits a terminal.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(COLUMNS);
    table.set_header(header);
    table
}

/// An account as people read it.
pub fn address(account: AccountId) -> String {
    Ss58 { prefix: Ss58Prefix::SUBSTRATE, account }.to_string()
}

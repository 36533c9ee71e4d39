//! `busbar validator …`: announce keys, admit, leave, rotate, and list the sets of this epoch and the next ones.
//!
//! The rule: an announcement is made where the session key is, and sent by whoever may; the key travels nowhere.

use super::remote::{Answer, NodeArgs, SignArgs, address, table};
use crate::client::Party;
use crate::keys::{KeyPair, Signer, SigningPolicy, UnlockArgs};
use clap::{ArgGroup, Args, Subcommand};
use parity_scale_codec::{DecodeAll, Encode};
use runtime_execution::modules::registry::{
    self, Announcement, EPOCH_BLOCKS, Event as Registered, Validator, validators,
};
use runtime_execution::{Call, Event};
use runtime_primitives::{EntityId, Hash};
use runtime_state::Overlay;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::str::FromStr;

/// Announce, admit, change and list validators.
#[derive(Debug, Args)]
pub struct ValidatorArgs {
    #[command(subcommand)]
    command: ValidatorCommand,
}

#[derive(Debug, Subcommand)]
enum ValidatorCommand {
    /// Make the announcement that join and rotate take: keys and address, signed by both keys.
    Announce(AnnounceArgs),
    /// Admit an entity to the set, two epochs from now. Signed by the administration key.
    Join {
        /// What busbar validator announce printed.
        announcement: Announced,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Take an entity out of the set, two epochs from now. Signed by the entity's owner, or the administration key.
    Leave {
        /// Its number, or an address of one of its keys.
        entity: Party,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Give a validator other keys or another address, two epochs from now. Signed by the entity's owner.
    Rotate {
        /// What busbar validator announce printed.
        announcement: Announced,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// List the validators of this epoch, and what changes in the next two.
    List {
        #[command(flatten)]
        node: NodeArgs,
    },
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("session").required(true).args(["session_key", "session_key_name"]))]
struct AnnounceArgs {
    /// Number of the entity, or an address of one of its keys.
    entity: Party,
    /// Where its engine listens for other validators: host:port.
    #[arg(long, value_name = "HOST:PORT")]
    address: String,
    /// Secret URI of its session key. For development: others can read command lines.
    #[arg(long, value_name = "URI")]
    session_key: Option<String>,
    /// Name of its session key in the keystore.
    #[arg(long, value_name = "NAME")]
    session_key_name: Option<String>,
    #[command(flatten)]
    unlock: UnlockArgs,
    #[command(flatten)]
    node: NodeArgs,
}

/// An announcement as the command line has it: hexadecimal digits.
#[derive(Clone, Debug)]
struct Announced(Announcement);

impl FromStr for Announced {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok();
        let decoded = bytes.and_then(|bytes| Announcement::decode_all(&mut &bytes[..]).ok());
        let wrong = || "no announcement; busbar validator announce prints one, 0x and digits".to_owned();
        decoded.map(Self).ok_or_else(wrong)
    }
}

impl ValidatorArgs {
    /// Do it and print the answer.
    ///
    /// # Errors
    /// What stopped it, in words for people.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            ValidatorCommand::Announce(args) => args.run(),
            ValidatorCommand::Join { announcement: Announced(announcement), sign } => {
                let call = registry::Call::JoinValidators { announcement };
                sign.send(&sign.session()?, &Call::Registry(call), told)
            }
            ValidatorCommand::Leave { entity, sign } => {
                let session = sign.session()?;
                let (entity, _) = session.read(|state| entity.find(state))??;
                sign.send(&session, &Call::Registry(registry::Call::LeaveValidators { entity }), told)
            }
            ValidatorCommand::Rotate { announcement: Announced(announcement), sign } => {
                let call = registry::Call::RotateValidator { announcement };
                sign.send(&sign.session()?, &Call::Registry(call), told)
            }
            ValidatorCommand::List { node } => {
                node.print(&node.session()?.read(listed)?);
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

impl AnnounceArgs {
    fn run(self) -> anyhow::Result<ExitCode> {
        let session = self.node.session()?;
        let (entity, _) = session.read(|state| self.entity.find(state))??;
        let pair: KeyPair = match (&self.session_key, &self.session_key_name) {
            (Some(uri), _) => uri.parse()?,
            (None, Some(name)) => self.unlock.open(name)?,
            (None, None) => unreachable!("the arguments require one of both"),
        };
        let signer = Signer::new(pair, SigningPolicy::Production);
        let announcement = signer.announce(session.genesis(), entity, self.address);
        let hex = format!("0x{}", hex::encode(announcement.encode()));
        let json = json!({
            "announcement": hex,
            "entity": entity.number(),
            "session_key": address(announcement.session_key),
            "engine_key": Hash(announcement.engine.key).to_string(),
            "address": announcement.engine.address,
        });
        self.node.print(&Answer::new(hex, json));
        Ok(ExitCode::SUCCESS)
    }
}

fn told(events: &[Event]) -> Option<Answer> {
    let (entity, epoch, what) = events.iter().find_map(|event| match event {
        Event::Registry(Registered::ValidatorJoins { entity, epoch, .. }) => {
            Some((entity, epoch, "is a validator from epoch"))
        }
        Event::Registry(Registered::ValidatorLeaves { entity, epoch }) => {
            Some((entity, epoch, "is no validator from epoch"))
        }
        Event::Registry(Registered::ValidatorRotates { entity, epoch, .. }) => {
            Some((entity, epoch, "has its new keys and address from epoch"))
        }
        _ => None,
    })?;
    let json = json!({ "entity": entity.number(), "effective_epoch": epoch });
    Some(Answer::new(format!("entity {entity} {what} {epoch} on"), json))
}

fn as_json(validator: &Validator) -> Value {
    let engine = validator.engine.as_ref();
    json!({
        "entity": validator.entity.number(),
        "session_key": address(validator.session_key),
        "engine_key": engine.map(|engine| Hash(engine.key).to_string()),
        "address": engine.map(|engine| &engine.address),
    })
}

/// What one set changes about another, by entity.
fn changes(from: &[Validator], to: &[Validator]) -> Vec<(EntityId, &'static str)> {
    let find = |set: &[Validator], entity| set.iter().find(|validator| validator.entity == entity).cloned();
    let entities: BTreeSet<EntityId> = from.iter().chain(to).map(|validator| validator.entity).collect();
    let change = |entity| match (find(from, entity), find(to, entity)) {
        (None, Some(_)) => Some((entity, "joins")),
        (Some(_), None) => Some((entity, "leaves")),
        (before, after) if before != after => Some((entity, "rotates")),
        _ => None,
    };
    entities.into_iter().filter_map(change).collect()
}

fn listed(state: &Overlay) -> Answer {
    let epoch = validators::next_epoch(state);
    let blocks = EPOCH_BLOCKS.get(state).unwrap_or_default();
    let set = |epoch| validators::announced(state, epoch).unwrap_or_default();
    let sets = [set(epoch), set(epoch.saturating_add(1)), set(epoch.saturating_add(2))];
    let mut rows = table(["Entity", "Session key", "Address"]);
    for validator in &sets[0] {
        let listens = validator.engine.as_ref().map_or_else(String::new, |engine| engine.address.clone());
        rows.add_row([validator.entity.to_string(), address(validator.session_key), listens]);
    }
    let first = u64::from(epoch) * blocks;
    let last = first.saturating_add(blocks).saturating_sub(1);
    let mut text = format!("epoch {epoch}, blocks {first} to {last}\n{rows}");
    let mut all = Vec::new();
    for (next, pair) in (epoch + 1..).zip(sets.windows(2)) {
        for (entity, change) in changes(&pair[0], &pair[1]) {
            text.push_str(&format!("\nepoch {next}: entity {entity} {change}"));
            all.push(json!({ "epoch": next, "entity": entity.number(), "change": change }));
        }
    }
    let [now, next, announced] = sets.map(|set| set.iter().map(as_json).collect::<Value>());
    let json = json!({
        "epoch": epoch,
        "first_block": first,
        "last_block": last,
        "validators": now,
        "next": next,
        "announced": announced,
        "changes": all,
    });
    Answer::new(text, json)
}

//! `busbar entity …`: admit entities, bind their keys, show and suspend them.

use super::remote::{Answer, NodeArgs, SignArgs, account, address, table};
use super::reserves;
use crate::chain_spec::Role;
use crate::client::Party;
use crate::quantity;
use clap::{Args, Subcommand, ValueEnum};
use runtime_execution::modules::registry::{self, Caps, ENTITIES, Entity, Event as Registered, KEYS, scopes};
use runtime_execution::modules::{balances, payment, timestamp};
use runtime_execution::{Call, Event};
use runtime_primitives::{AccountId, Energy, EntityId, Money, Timestamp};
use runtime_state::Overlay;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Admit entities, bind their keys, show and suspend them.
#[derive(Debug, Args)]
pub struct EntityArgs {
    #[command(subcommand)]
    command: EntityCommand,
}

#[derive(Debug, Subcommand)]
enum EntityCommand {
    /// Admit an entity. Signed by a registrar.
    Register {
        /// Address of its owner key.
        #[arg(long, value_parser = account)]
        owner: AccountId,
        /// What it may do.
        #[arg(long, value_name = "ROLE,…", value_delimiter = ',', default_value = "trader")]
        roles: Vec<Role>,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Bind a delegate key. Signed by the entity's owner.
    Delegate {
        /// Address of the key.
        #[arg(value_parser = account)]
        delegate: AccountId,
        /// What it may do.
        #[arg(long, value_name = "SCOPE,…", value_delimiter = ',', default_value = "bid,confirm,vote")]
        scopes: Vec<Scope>,
        /// Last moment at which it is valid, such as 2026-12-31T00:00:00Z.
        #[arg(long, value_name = "TIME", value_parser = quantity::instant)]
        expires: Option<Timestamp>,
        /// Most money that the entity has held in a slot after an order of the key, such as 20yuan.
        #[arg(long, value_name = "MONEY", value_parser = quantity::money)]
        max_held: Option<Money>,
        /// Most energy of one order, such as 10kWh.
        #[arg(long, value_name = "ENERGY", value_parser = quantity::energy, allow_hyphen_values = true)]
        max_energy: Option<Energy>,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Unbind a delegate key. Signed by the entity's owner.
    Undelegate {
        /// Address of the key.
        #[arg(value_parser = account)]
        delegate: AccountId,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Name the key whose votes count for the entity, or none. Signed by the entity's owner.
    VotingKey {
        /// Address of a key that is bound to the entity.
        #[arg(value_parser = account, required_unless_present = "none")]
        voter: Option<AccountId>,
        /// Leave the electorates.
        #[arg(long, conflicts_with = "voter")]
        none: bool,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Let another entity vote for this one, or nobody else. Signed by the entity's owner.
    Proxy {
        /// Who votes, by its own voting key: a number, or an address of one of its keys.
        #[arg(required_unless_present = "none")]
        proxy: Option<Party>,
        /// Vote by its own voting key again.
        #[arg(long, conflicts_with = "proxy")]
        none: bool,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Forbid an entity to trade, or allow it again. Signed by a registrar.
    Suspend {
        /// Its number, or an address of one of its keys.
        entity: Party,
        /// Allow it again.
        #[arg(long)]
        lift: bool,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Show an entity with its keys, its money and its deposits.
    Show {
        /// Its number, or an address of one of its keys.
        entity: Party,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// List entities.
    List {
        #[command(flatten)]
        node: NodeArgs,
    },
}

/// What a delegate key may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scope {
    /// Place, amend and cancel orders.
    Bid,
    /// Confirm and refuse trades.
    Confirm,
    /// Vote.
    Vote,
}

impl Scope {
    const fn bit(self) -> u8 {
        match self {
            Self::Bid => scopes::BID,
            Self::Confirm => scopes::CONFIRM,
            Self::Vote => scopes::VOTE,
        }
    }
}

impl EntityArgs {
    /// Do it and print the answer.
    ///
    /// # Errors
    /// What stopped it, in words for people.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            EntityCommand::Register { owner, roles, sign } => {
                let call = registry::Call::RegisterEntity { owner, roles: Role::bits(&roles) };
                sign.send(&sign.session()?, &Call::Registry(call), admitted)
            }
            EntityCommand::Delegate { delegate: key, scopes, expires, max_held, max_energy, sign } => {
                let caps = Caps { held: max_held, energy: max_energy };
                let scopes = scopes.iter().fold(0, |bits, scope| bits | scope.bit());
                let call = registry::Call::AddDelegate { key, scopes, expires, caps };
                let told = format!("{} acts for the entity", address(key));
                sign.send(&sign.session()?, &Call::Registry(call), said(told))
            }
            EntityCommand::Undelegate { delegate: key, sign } => {
                let told = format!("{} acts for the entity no longer", address(key));
                let call = Call::Registry(registry::Call::RemoveDelegate { key });
                sign.send(&sign.session()?, &call, said(told))
            }
            EntityCommand::VotingKey { voter: key, none: _, sign } => {
                let told = key.map_or_else(
                    || "the entity votes no longer".to_owned(),
                    |key| format!("{} votes for the entity, in slots that open from now on", address(key)),
                );
                sign.send(&sign.session()?, &Call::Registry(registry::Call::SetVotingKey { key }), said(told))
            }
            EntityCommand::Proxy { proxy, none: _, sign } => {
                let session = sign.session()?;
                let find = |proxy: Party| anyhow::Ok(session.read(|state| proxy.find(state))??.0);
                let proxy = proxy.map(find).transpose()?;
                let told = proxy.map_or_else(
                    || "nobody else votes for the entity".to_owned(),
                    |proxy| format!("entity {proxy} votes for the entity, in slots that open from now on"),
                );
                sign.send(&session, &Call::Registry(registry::Call::SetProxy { proxy }), said(told))
            }
            EntityCommand::Suspend { entity, lift, sign } => {
                let session = sign.session()?;
                let (entity, _) = session.read(|state| entity.find(state))??;
                let call = registry::Call::SetSuspended { entity, suspended: !lift };
                let told = format!("entity {entity} {}", if lift { "may trade" } else { "is suspended" });
                sign.send(&session, &Call::Registry(call), said(told))
            }
            EntityCommand::Show { entity, node } => {
                let answer = node.session()?.read(|state| {
                    let (id, entity) = entity.find(state)?;
                    anyhow::Ok(shown(state, id, &entity))
                })??;
                node.print(&answer);
                Ok(ExitCode::SUCCESS)
            }
            EntityCommand::List { node } => {
                node.print(&node.session()?.read(listed)?);
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// An answer that needs no event.
fn said(told: String) -> impl Fn(&[Event]) -> Option<Answer> {
    move |_| Some(Answer::new(told.clone(), json!({})))
}

fn admitted(events: &[Event]) -> Option<Answer> {
    events.iter().find_map(|event| match event {
        Event::Registry(Registered::EntityRegistered { entity, owner, .. }) => Some(Answer::new(
            format!("entity {entity} is {}", address(*owner)),
            json!({ "entity": entity.number() }),
        )),
        _ => None,
    })
}

fn role_names(bits: u16) -> Vec<String> {
    Role::of_bits(bits)
        .iter()
        .map(|role| role.to_possible_value().map_or_else(String::new, |name| name.get_name().to_owned()))
        .collect()
}

fn as_json(state: &Overlay, id: EntityId, entity: &Entity) -> Value {
    let money = balances::account(state, &entity.owner).data;
    json!({
        "entity": id.number(),
        "owner": address(entity.owner),
        "roles": role_names(entity.roles),
        "voting_key": entity.voting_key.map(address),
        "proxy": entity.proxy.map(EntityId::number),
        "suspended": entity.suspended,
        "free": money.free.to_string(),
        "held": money.reserved.to_string(),
    })
}

fn shown(state: &Overlay, id: EntityId, entity: &Entity) -> Answer {
    let mut json = as_json(state, id, entity);
    let keys = KEYS.entries(state).into_iter().filter(|(_, binding)| binding.entity == id);
    let mut rows = table(["Key", "May", "Until"]);
    let mut all = Vec::new();
    for (key, binding) in keys {
        let may: Vec<&str> = [
            (scopes::OWNER, "everything"),
            (scopes::BID, "bid"),
            (scopes::CONFIRM, "confirm"),
            (scopes::VOTE, "vote"),
        ]
        .into_iter()
        .filter(|(bit, _)| binding.scopes & bit != 0)
        .map(|(_, name)| name)
        .collect();
        let until = binding.expires.map(quantity::instant_text);
        rows.add_row([address(key), may.join(", "), until.clone().unwrap_or_default()]);
        all.push(json!({ "key": address(key), "scopes": may, "expires": until }));
    }
    json["keys"] = all.into();
    let key = || entity.voting_key.map_or_else(|| "nobody".to_owned(), address);
    let voter = entity.proxy.map_or_else(key, |proxy| format!("entity {proxy}"));
    let suspended = if entity.suspended { ", suspended" } else { "" };
    let now = timestamp::NOW.get(state).unwrap_or_default();
    let (used, quota) = (payment::usage(state, id, now).gas, payment::rates(state).quota);
    json["gas_this_hour"] = used.units().into();
    json["gas_per_hour"] = quota.units().into();
    let (deposits, of_markets) = reserves::of_entity(state, id);
    let deposits = if of_markets.is_empty() { String::new() } else { format!("\n{deposits}") };
    json["deposits"] = of_markets.into();
    let text = format!(
        "entity {id}: {}{suspended}\nfree {} yuan, held {} yuan; {voter} votes\n\
         {used} of {quota} gas without a fee declared this hour\n{rows}{deposits}",
        role_names(entity.roles).join(", "),
        json["free"].as_str().unwrap_or_default(),
        json["held"].as_str().unwrap_or_default(),
    );
    Answer::new(text, json)
}

fn listed(state: &Overlay) -> Answer {
    let mut rows = table(["Entity", "Owner", "Roles", "Free, yuan", "Held, yuan"]);
    let mut all = Vec::new();
    for (id, entity) in ENTITIES.entries(state) {
        let json = as_json(state, id, &entity);
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        let roles = role_names(entity.roles).join(", ");
        rows.add_row([id.to_string(), text("owner"), roles, text("free"), text("held")]);
        all.push(json);
    }
    Answer::new(rows.to_string(), all.into())
}

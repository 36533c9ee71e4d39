//! `busbar bank …`: credit accounts, pay back, show balances.

use super::remote::{Answer, NodeArgs, SignArgs, address};
use crate::client::Party;
use crate::quantity;
use anyhow::bail;
use clap::{Args, Subcommand};
use contract_interface::roles;
use runtime_execution::modules::markets::RECEIVABLES;
use runtime_execution::modules::registry::ENTITIES;
use runtime_execution::modules::{balances, markets};
use runtime_execution::{Call, Event};
use runtime_primitives::{MarketId, Money};
use runtime_state::Overlay;
use serde_json::json;
use std::process::ExitCode;

/// Credit accounts, pay back, show balances.
#[derive(Debug, Args)]
pub struct BankArgs {
    #[command(subcommand)]
    command: BankCommand,
}

#[derive(Debug, Subcommand)]
enum BankCommand {
    /// Credit an entity's account. Signed by a bank, out of its own money.
    Deposit {
        /// Its number, or an address of one of its keys.
        entity: Party,
        /// How much, in yuan.
        #[arg(value_parser = quantity::money)]
        amount: Money,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Give free money back to a bank, which pays it out. Signed by the entity's owner.
    Withdraw {
        /// How much, in yuan.
        #[arg(value_parser = quantity::money)]
        amount: Money,
        /// Which bank [default: the only one].
        #[arg(long)]
        bank: Option<Party>,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Free what is held for connections in a market beyond what is needed. Signed by the entity's owner.
    Release {
        /// The market.
        #[arg(long, value_name = "N", default_value_t = 0)]
        market: u32,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Show what an entity has, what is held of it, and what it owes.
    Balance {
        /// Its number, or an address of one of its keys.
        entity: Party,
        #[command(flatten)]
        node: NodeArgs,
    },
}

impl BankArgs {
    /// Do it and print the answer.
    ///
    /// # Errors
    /// What stopped it, in words for people.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            BankCommand::Deposit { entity, amount, sign } => {
                let session = sign.session()?;
                let (entity, _) = session.read(|state| entity.find(state))??;
                let call = Call::Markets(markets::Call::Fund { entity, amount });
                sign.send(&session, &call, |_| {
                    let text = format!("entity {entity} has {amount} yuan more");
                    Some(Answer::new(
                        text,
                        json!({ "entity": entity.number(), "amount": amount.to_string() }),
                    ))
                })
            }
            BankCommand::Withdraw { amount, bank, sign } => {
                let session = sign.session()?;
                let bank = session.read(|state| bank.map_or_else(|| only_bank(state), Ok))??;
                let (id, bank) = session.read(|state| bank.find(state))??;
                if bank.roles & roles::BANK == 0 {
                    bail!("entity {id} is no bank; busbar entity list shows roles");
                }
                let call = Call::Markets(markets::Call::Withdraw { bank: id, amount });
                sign.send(&session, &call, |_| {
                    let text = format!("bank {id} has {amount} yuan to pay out");
                    Some(Answer::new(text, json!({ "bank": id.number(), "amount": amount.to_string() })))
                })
            }
            BankCommand::Release { market, sign } => {
                let market = MarketId::from_number(market);
                let call = Call::Markets(markets::Call::ReleaseDeposit { market });
                sign.send(&sign.session()?, &call, released)
            }
            BankCommand::Balance { entity, node } => {
                node.print(&node.session()?.read(|state| balance(state, entity))??);
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

fn released(events: &[Event]) -> Option<Answer> {
    events.iter().find_map(|event| match event {
        Event::Markets(markets::Event::DepositReleased { entity, amount, .. }) => Some(Answer::new(
            format!("{amount} yuan of entity {entity} are held no longer; debts are paid from them first"),
            json!({ "entity": entity.number(), "amount": amount.to_string() }),
        )),
        _ => None,
    })
}

fn only_bank(state: &Overlay) -> anyhow::Result<Party> {
    let banks = ENTITIES.entries(state).into_iter().filter(|(_, entity)| entity.roles & roles::BANK != 0);
    let banks: Vec<_> = banks.map(|(id, _)| id).collect();
    match banks[..] {
        [bank] => Ok(Party::Number(bank)),
        _ => bail!("there are {} banks; name one with --bank", banks.len()),
    }
}

fn balance(state: &Overlay, entity: Party) -> anyhow::Result<Answer> {
    let (id, entity) = entity.find(state)?;
    let money = balances::account(state, &entity.owner).data;
    let owes = RECEIVABLES.get_or_default(state, &id).total;
    let text = format!(
        "entity {id}, account {}\nfree {} yuan\nheld {} yuan\nowes {owes} yuan",
        address(entity.owner),
        money.free,
        money.reserved
    );
    let json = json!({
        "entity": id.number(),
        "account": address(entity.owner),
        "free": money.free.to_string(),
        "held": money.reserved.to_string(),
        "owes": owes.to_string(),
    });
    Ok(Answer::new(text, json))
}

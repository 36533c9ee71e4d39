//! `busbar bank …`: credit accounts, pay back, show balances and debts, pay them.

use super::receivables::{self, Debt};
use super::remote::{Answer, NodeArgs, SignArgs, address};
use crate::client::{Party, Session};
use crate::quantity;
use anyhow::{bail, ensure};
use clap::{Args, Subcommand};
use contract_interface::roles;
use runtime_execution::modules::markets::RECEIVABLES;
use runtime_execution::modules::registry::ENTITIES;
use runtime_execution::modules::{balances, markets};
use runtime_execution::{Call, Event};
use runtime_primitives::{AccountId, EntityId, MarketId, Money};
use runtime_state::Overlay;
use serde_json::json;
use std::process::ExitCode;

/// Credit accounts, pay back, show balances and debts, pay them.
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
    /// Show who owes what to whom because a settlement found too little money: an entity's debts and what it has to come.
    Owed {
        /// Its number, or an address of one of its keys [default: everybody].
        entity: Option<Party>,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Pay what an entity owes from its free money, oldest first. Signed by its owner.
    Pay {
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
            BankCommand::Owed { entity, node } => {
                let answer = node.session()?.read(|state| {
                    let entity = entity.map(|entity| entity.find(state).map(|(id, _)| id)).transpose()?;
                    anyhow::Ok(receivables::shown(state, entity))
                })??;
                node.print(&answer);
                Ok(ExitCode::SUCCESS)
            }
            BankCommand::Pay { sign } => pay(&sign),
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

/// Pay the debts of the signer's entity.
fn pay(sign: &SignArgs) -> anyhow::Result<ExitCode> {
    let (session, key) = (sign.session()?, sign.signer()?.account());
    let (id, owner, debts) = session.read(|state| {
        let (id, entity) = Party::Key(key).find(state)?;
        let debts = receivables::of_debtor(state, id);
        let (owes, free) = (receivables::sum(&debts), balances::account(state, &entity.owner).data.free);
        ensure!(!owes.is_zero(), "entity {id} owes nothing, so there is nothing to pay");
        ensure!(
            !free.is_zero(),
            "entity {id} owes {owes} yuan and has nothing free; what a bank deposits pays it at once: \
             busbar bank deposit {id} {owes}"
        );
        anyhow::Ok((id, entity.owner, debts))
    })??;
    sign.send(&session, &Call::Markets(markets::Call::PayReceivables), |events| {
        Some(paid(&session, id, owner, &debts, events))
    })
}

/// What these events paid to the creditors of `debts`, and what is owed after them.
fn paid(session: &Session, id: EntityId, owner: AccountId, debts: &[Debt], events: &[Event]) -> Answer {
    let mut paid = Money::ZERO;
    for event in events {
        if let Event::Balances(balances::Event::Transfer { from, to, amount }) = event
            && *from == owner
            && debts.iter().any(|debt| debt.open.creditor == *to)
        {
            paid = paid.saturating_add(*amount);
        }
    }
    let left = session.read(|state| RECEIVABLES.get_or_default(state, &id).total).ok();
    let mut text = format!("entity {id} paid {paid} yuan of what it owes");
    if let Some(left) = left {
        text += &format!("; {left} yuan are still owed");
    }
    let left = left.map(|left| left.to_string());
    Answer::new(text, json!({ "entity": id.number(), "paid": paid.to_string(), "owes": left }))
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

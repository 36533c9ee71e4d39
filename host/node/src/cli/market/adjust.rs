//! `busbar market adjust`: put a settled slot right by a payment, with its evidence.

use crate::cli::remote::{Answer, SignArgs};
use crate::client::Party;
use crate::files;
use crate::quantity;
use anyhow::Context as _;
use clap::Args;
use runtime_execution::modules::markets::adjustments::{Adjustment, Grounds};
use runtime_execution::modules::markets::{self, Event as Done};
use runtime_execution::{Call, Event};
use runtime_primitives::{MarketId, MeterId, Money, Slot};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// `busbar market adjust`.
#[derive(Debug, Args)]
pub struct AdjustArgs {
    /// Who is paid: its number, or an address of one of its keys.
    payee: Party,
    /// How much, in yuan.
    #[arg(value_parser = quantity::money)]
    amount: Money,
    /// The market.
    #[arg(long, value_name = "N", default_value_t = 0)]
    market: u32,
    /// The settled slot.
    #[arg(long, value_name = "N")]
    slot: u32,
    /// The trade that it is about.
    #[arg(long, value_name = "N")]
    trade: Option<u32>,
    /// The meter that it is about.
    #[arg(long, value_name = "N")]
    meter: Option<u32>,
    /// The document that explains it: its hash is recorded, it stays with you.
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,
    /// Your reason code.
    #[arg(long, value_name = "N", default_value_t = 0)]
    reason: u8,
    #[command(flatten)]
    sign: SignArgs,
}

impl AdjustArgs {
    /// Pay and print what was recorded.
    ///
    /// # Errors
    /// If the document cannot be read, or why the chain refuses it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let evidence = files::hash(&self.evidence)
            .with_context(|| format!("cannot read the evidence {}", self.evidence.display()))?;
        let grounds = Grounds { evidence, reason: self.reason };
        let session = self.sign.session()?;
        let (payee, _) = session.read(|state| self.payee.find(state))??;
        let meter = self.meter.map(MeterId::from_number);
        let items = vec![Adjustment { payee, amount: self.amount, trade: self.trade, meter }];
        let (market, slot) = (MarketId::from_number(self.market), Slot::from_number(self.slot));
        let call = Call::Markets(markets::Call::Adjust { market, slot, items, grounds });
        self.sign.send(&session, &call, |events| {
            events.iter().find_map(|event| match event {
                Event::Markets(Done::Adjusted { entity, amount, grounds, .. }) => Some(Answer::new(
                    format!(
                        "entity {entity} paid entity {payee} {amount} yuan for slot {slot}, evidence {}",
                        grounds.evidence
                    ),
                    json!({
                        "market": market.number(),
                        "slot": slot.number(),
                        "payer": entity.number(),
                        "payee": payee.number(),
                        "amount": amount.to_string(),
                        "evidence": grounds.evidence.to_string(),
                    }),
                )),
                _ => None,
            })
        })
    }
}

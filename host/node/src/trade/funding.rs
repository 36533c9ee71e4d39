//! Formula 6: every payment names the record it spends and the extrinsic by which its payer authorised it. This
//! file walks from a payout back to the funding, and checks every step.

use super::TradeError;
use super::body::yuan;
use super::names::Names;
use super::source::Source;
use crate::report::kind_name;
use contract_interface::{TransferRecord, kinds};
use runtime_execution::archive::HoldRecord;
use runtime_primitives::{Hash, Height, Money};
use runtime_state::Overlay;
use serde::Serialize;
use std::borrow::Cow;

/// A record on the way from a payout to the money's source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What the record is, in words.
    pub what: String,
    /// Its hash: what the step before names in `spends`.
    pub record: String,
    /// The extrinsic that authorised it; none at genesis.
    pub authorised_by: Option<String>,
    /// Block of that extrinsic.
    pub block: Option<u64>,
    /// Whether record, extrinsic and signature were found and fit.
    pub holds: bool,
}

/// A payment of a trade with the chain of records behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Payout {
    /// Payer.
    pub from: String,
    /// Payee.
    pub to: String,
    /// Amount in units of 10⁻⁷ yuan.
    #[serde(serialize_with = "units")]
    pub amount: Money,
    /// What for.
    pub kind: Cow<'static, str>,
    /// From what it spends, back to the funding.
    pub chain: Vec<Step>,
}

fn units<S: serde::Serializer>(money: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u128(money.units())
}

impl Payout {
    /// Whether every step holds.
    pub fn holds(&self) -> bool {
        self.chain.iter().all(|step| step.holds)
    }
}

/// What a walk needs to know of the trade.
pub struct Walk<'a> {
    /// The archive.
    pub source: &'a Source<'a>,
    /// The registry.
    pub state: &'a Overlay<'a>,
    /// Names of parties.
    pub names: &'a Names,
    /// The bid and the ask with their holds.
    pub holds: [&'a HoldRecord; 2],
    /// Payments of the trade, in order.
    pub payments: &'a [TransferRecord],
    /// Height by which the orders were in.
    pub gate: Height,
}

impl Walk<'_> {
    /// The chain behind `payment`.
    ///
    /// # Errors
    /// If the store fails.
    pub fn payout(&self, payment: &TransferRecord) -> Result<Payout, TradeError> {
        let mut chain = Vec::new();
        self.spend(payment, &mut chain)?;
        Ok(Payout {
            from: self.names.account(self.state, &payment.payer),
            to: self.names.account(self.state, &payment.payee),
            amount: payment.amount,
            kind: kind_name(payment.kind),
            chain,
        })
    }

    /// What `payment` spends: a hold, or what its payer was just paid.
    fn spend(&self, payment: &TransferRecord, chain: &mut Vec<Step>) -> Result<(), TradeError> {
        if let Some(hold) = self.holds.into_iter().find(|hold| hold.hash() == payment.spends) {
            let fits = hold.account == payment.payer && hold.authorised_by == payment.authorised_by;
            return self.hold(hold, fits && payment.amount <= hold.amount, chain);
        }
        let earlier = self.payments.iter().find(|earlier| earlier.hash() == payment.spends);
        let Some(earlier) = earlier else {
            chain.push(missing("record", &payment.spends));
            return Ok(());
        };
        let (located, holds) = self.authority(&payment.authorised_by, self.gate)?;
        chain.push(Step {
            what: format!("payment of {} to the payer", yuan(earlier.amount)),
            record: payment.spends.to_string(),
            authorised_by: Some(payment.authorised_by.to_string()),
            block: located,
            holds: holds && earlier.payee == payment.payer,
        });
        self.spend(earlier, chain)
    }

    fn hold(&self, hold: &HoldRecord, fits: bool, chain: &mut Vec<Step>) -> Result<(), TradeError> {
        let (block, signed) = self.authority(&hold.authorised_by, self.gate)?;
        let owner = self.names.account(self.state, &hold.account);
        chain.push(Step {
            what: format!("hold of {} on {owner} for order {}", yuan(hold.amount), hold.order.seq),
            record: hold.hash().to_string(),
            authorised_by: Some(hold.authorised_by.to_string()),
            block,
            holds: fits && signed,
        });
        if hold.spends == Hash::ZERO {
            chain.push(genesis());
            return Ok(());
        }
        let Some((height, funding)) = self.source.movement(&hold.spends)? else {
            chain.push(missing("funding", &hold.spends));
            return Ok(());
        };
        let signed = self.source.extrinsic_in(&funding.authorised_by, height)?;
        let signed = signed.is_some_and(|located| located.signer == Some(funding.payer));
        let bank = self.names.account(self.state, &funding.payer);
        chain.push(Step {
            what: format!("{bank} funds {owner} with {}", yuan(funding.amount)),
            record: hold.spends.to_string(),
            authorised_by: Some(funding.authorised_by.to_string()),
            block: Some(height.number()),
            holds: signed && funding.kind == kinds::FUNDING && funding.payee == hold.account,
        });
        Ok(())
    }

    /// The block of an extrinsic, and whether its signature is valid.
    fn authority(&self, extrinsic: &Hash, latest: Height) -> Result<(Option<u64>, bool), TradeError> {
        let located = self.source.extrinsic(extrinsic, latest)?;
        let signed = located.as_ref().is_some_and(|located| located.signer.is_some());
        Ok((located.map(|located| located.height.number()), signed))
    }
}

fn missing(what: &str, hash: &Hash) -> Step {
    let (what, record) = (format!("{what} not found"), hash.to_string());
    Step { what, record, authorised_by: None, block: None, holds: false }
}

fn genesis() -> Step {
    let record = Hash::ZERO.to_string();
    Step { what: "balance of genesis".to_owned(), record, authorised_by: None, block: Some(0), holds: true }
}

//! `busbar market agree`: the retailer, grid operator or meter operator that a market names agrees to its terms.
//!
//! A party names what it has read, as a spec or by its hash: the command never signs what merely waits on the chain.

use super::chain::load;
use crate::cli::remote::{Answer, SignArgs};
use anyhow::bail;
use clap::Args;
use runtime_execution::modules::markets::{self, Event as Done};
use runtime_execution::{Call, Event};
use runtime_primitives::{Hash, MarketId};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// Agree to a market's terms. Signed by the retailer, the grid operator or the meter operator that it names.
#[derive(Debug, Args)]
pub struct AgreeArgs {
    /// The terms: a spec, of which slots, windows, limits, rates, fees and rules count, or 0x and the hash of terms.
    #[arg(value_name = "SPEC|HASH")]
    terms: String,
    /// The market.
    #[arg(long, value_name = "N", default_value_t = 0)]
    market: u32,
    #[command(flatten)]
    sign: SignArgs,
}

/// The hash of terms, written out or of a spec.
pub(super) fn hash(text: &str) -> anyhow::Result<Hash> {
    match text.strip_prefix("0x") {
        Some(_) => parse_hash(text),
        None => Ok(load(Path::new(text))?.terms.hash()),
    }
}

/// 0x and 64 digits.
pub(super) fn parse_hash(text: &str) -> anyhow::Result<Hash> {
    let mut hash = Hash::ZERO;
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if hex::decode_to_slice(digits, &mut hash.0).is_err() {
        bail!("{text} is no hash of terms; write 0x and 64 hexadecimal digits");
    }
    Ok(hash)
}

impl AgreeArgs {
    /// Do it and print what is still missing.
    ///
    /// # Errors
    /// All that is wrong with the spec, or why the chain refuses it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let (market, terms) = (MarketId::from_number(self.market), hash(&self.terms)?);
        let session = self.sign.session()?;
        let call = Call::Markets(markets::Call::Agree { market, terms });
        self.sign.send(&session, &call, |events| {
            let first = events.iter().find_map(|event| match event {
                Event::Markets(Done::MarketAgreed { slot, .. }) => Some(slot.number()),
                _ => None,
            });
            let text = match first {
                Some(slot) => {
                    format!("market {market}: all have agreed to terms {terms}; slot {slot} opens first")
                }
                None => format!("market {market}: agreed to terms {terms}"),
            };
            let json = json!({
                "market": market.number(),
                "terms_hash": terms.to_string(),
                "first_slot": first,
            });
            Some(Answer::new(text, json))
        })
    }
}

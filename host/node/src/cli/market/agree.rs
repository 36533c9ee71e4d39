//! `busbar market agree`: the retailer, grid operator or meter operator that a market names agrees to its terms.
//!
//! A party names what it has read, as a spec or by its hash: the command never signs what merely waits on the chain.

use super::chain::load;
use crate::cli::remote::{Answer, SignArgs};
use clap::Args;
use runtime_execution::modules::markets::{self, Event as Done};
use runtime_execution::{Call, Event};
use runtime_primitives::{Hash, MarketId};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Agree to a market's terms. Signed by the retailer, the grid operator or the meter operator that it names.
#[derive(Debug, Args)]
pub struct AgreeArgs {
    /// The terms: a spec, of which slots, windows, limits, rates, fees and rules count, or 0x and the hash of terms.
    #[arg(value_name = "SPEC|HASH", value_parser = named)]
    terms: Named,
    /// The market.
    #[arg(long, value_name = "N", default_value_t = 0)]
    market: u32,
    #[command(flatten)]
    sign: SignArgs,
}

/// Terms as people name them: by a spec, or by their hash.
#[derive(Clone, Debug)]
pub(super) enum Named {
    Spec(PathBuf),
    Hash(Hash),
}

/// A hash if it begins like one, else a spec's path.
pub(super) fn named(text: &str) -> Result<Named, String> {
    match text.strip_prefix("0x") {
        Some(_) => parse_hash(text).map(Named::Hash),
        None => Ok(Named::Spec(text.into())),
    }
}

impl Named {
    /// The hash of the terms.
    pub(super) fn hash(&self) -> anyhow::Result<Hash> {
        match self {
            Self::Spec(path) => Ok(load(path)?.terms.hash()),
            Self::Hash(hash) => Ok(*hash),
        }
    }
}

/// 0x and 64 digits.
pub(super) fn parse_hash(text: &str) -> Result<Hash, String> {
    let mut hash = Hash::ZERO;
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if hex::decode_to_slice(digits, &mut hash.0).is_err() {
        return Err(format!("{text} is no hash of terms; write 0x and 64 hexadecimal digits"));
    }
    Ok(hash)
}

impl AgreeArgs {
    /// Do it and print what is still missing.
    ///
    /// # Errors
    /// All that is wrong with the spec, or why the chain refuses it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let (market, terms) = (MarketId::from_number(self.market), self.terms.hash()?);
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

//! The name of a trade: `market/slot/trade`, or `slot/trade` on market 0. Trades are numbered in clearing order.

use super::TradeError;
use runtime_execution::modules::markets::At;
use runtime_primitives::{MarketId, Slot};
use std::fmt;
use std::str::FromStr;

/// A trade of a slot of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeId {
    /// Market and slot.
    pub at: At,
    /// Position in clearing order.
    pub trade: u32,
}

impl FromStr for TradeId {
    type Err = TradeError;

    fn from_str(text: &str) -> Result<Self, TradeError> {
        let numbers: Option<Vec<u32>> = text.split('/').map(|part| part.parse().ok()).collect();
        let (market, slot, trade) = match numbers.as_deref() {
            Some([market, slot, trade]) => (*market, *slot, *trade),
            Some([slot, trade]) => (0, *slot, *trade),
            _ => return Err(TradeError::Id(text.to_owned())),
        };
        Ok(Self { at: (MarketId::from_number(market), Slot::from_number(slot)), trade })
    }
}

impl fmt::Display for TradeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.at.0, self.at.1, self.trade)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn ids() {
        for (text, shown) in [("0/500/0", "0/500/0"), ("500/7", "0/500/7"), ("3/1/2", "3/1/2")] {
            assert_eq!(text.parse::<TradeId>().unwrap().to_string(), shown);
        }
        for text in ["", "500", "1/2/3/4", "a/1", "1//2", "-1/2", "1/4294967296"] {
            assert!(text.parse::<TradeId>().is_err(), "{text}");
        }
    }
}

//! What the chain says of terms, at the keys of the spec.
//!
//! The rules are the chain's: this file only knows which keys they are about and what to do.

use super::document::Document;
use crate::quantity::{price_text, seconds_text};
use contract_interface::Terms;
use runtime_execution::modules::markets::{BadTerms, BadWindow};
use runtime_primitives::limits::ORDERS_PER_ENTITY_MAX;

/// Note `fault` of `terms` at the key to look at first.
pub fn fault(document: &mut Document, terms: &Terms, fault: BadTerms) {
    let (key, remedy) = match fault {
        BadTerms::Windows(window) => self::window(terms, window),
        other => figure(terms, other),
    };
    document.wrong(key, &fault.to_string(), &remedy);
}

fn figure(terms: &Terms, fault: BadTerms) -> (&'static str, String) {
    let (limits, rates) = (terms.limits, terms.rates);
    match fault {
        BadTerms::SlotMinutes => ("slots.length", "write 1 min to 24 h".to_owned()),
        BadTerms::Tick => ("limits.tick", "write at least \"0.0001\"".to_owned()),
        BadTerms::PriceBounds => {
            let fee = terms.highest_fee().buyer;
            let highest = rates.retail.checked_sub(fee);
            let key = if limits.price_min < rates.feed_in || limits.price_min > limits.price_max {
                "limits.price_min"
            } else {
                "limits.price_max"
            };
            let most = highest.map_or_else(|| "nothing: the fee is above it".to_owned(), price_text);
            (
                key,
                format!(
                    "rates.feed_in is {}, rates.retail less the highest buyer's fee {most}: \
                     write limits.price_min and limits.price_max between them, in order",
                    price_text(rates.feed_in),
                ),
            )
        }
        BadTerms::Deviation => ("rates.deviation", format!("write at most {}", price_text(rates.retail))),
        BadTerms::SellerFee => {
            let least = rates.feed_in.saturating_add(terms.highest_fee().seller);
            ("limits.price_min", format!("write at least {}, or lower fees.seller", price_text(least)))
        }
        BadTerms::Counts => {
            let is_entitys = !(1..=ORDERS_PER_ENTITY_MAX).contains(&limits.orders_per_entity);
            let key = if is_entitys { "limits.orders_per_entity" } else { "limits.orders_per_slot" };
            (key, "write a number in these bounds".to_owned())
        }
        BadTerms::Sealed => ("windows.reveal", "write \"0 s\": an open book".to_owned()),
        BadTerms::SealedContinuous => {
            ("windows.reveal", "write \"0 s\", or name an auction's rule".to_owned())
        }
        BadTerms::SealedFree => ("rates.deviation", "write a rate above 0, or open the book".to_owned()),
        BadTerms::Grid => {
            ("slots.length", "keep slots.length, slots.zero and slots.billing of the market".to_owned())
        }
        BadTerms::BillingSlots => ("slots.billing", "write the slots of a day or a month".to_owned()),
        BadTerms::DepositSlots => ("slots.deposit", "write the slots from delivery to settlement".to_owned()),
        BadTerms::TooManyFees => ("fees.feeders", "name fewer pairs".to_owned()),
        BadTerms::FeeOrder => ("fees.feeders", "name each pair once".to_owned()),
        BadTerms::Windows(_) => unreachable!("windows are told apart before"),
    }
}

fn window(terms: &Terms, fault: BadWindow) -> (&'static str, String) {
    let windows = terms.windows;
    let (key, bound, limit_s) = match fault {
        BadWindow::OpenAfterGate => ("windows.open_before", "more than", windows.gate_before_s),
        BadWindow::GateAfterCertification => ("windows.gate_before", "more than", windows.certify_before_s),
        BadWindow::ConfirmationTooLong => {
            ("windows.confirm", "at most", windows.gate_before_s.saturating_sub(windows.certify_before_s))
        }
        BadWindow::VotingBeforeReadings => ("windows.voting", "more than", windows.readings_s),
        BadWindow::ObjectionBeforeVoting => ("windows.objection", "more than", windows.voting_s),
        BadWindow::DisputeBeforeObjection => ("windows.dispute", "more than", windows.objection_s),
        BadWindow::DisputeTooLong => {
            ("windows.dispute", "at most", runtime_primitives::limits::DISPUTE_S_MAX)
        }
        BadWindow::OpenTooEarly => ("windows.open_before", "less than", windows.open_before_s),
        BadWindow::ReadingsTooLong => ("windows.readings", "at most", u32::from(terms.slot_minutes) * 60),
    };
    (key, format!("write {bound} {}", seconds_text(limit_s)))
}

//! What a command says when it fails: words for people, one object for scripts.
//!
//! The rule: both say the same. Refusals end with what to do behind a semicolon, and scripts get that apart.

use super::failures::EXIT_CODES;
use super::market::Passed;
use crate::client::SessionError;
use crate::rule_name::{named, of_dispatch, of_invalid};
use host_rpc::ClientError;
use runtime_execution::DispatchError;
use runtime_execution::modules::{markets, registry};
use serde_json::{Value, json};

/// How answers and errors look with `--json`.
const JSON: &str = "With --json, an error is one object on standard error: {\"error\": {\"rule\", \"message\", \"next\"}}.
  rule     the rule that refused, such as Markets.GateClosed; null if it has no name
  message  what people read
  next     what the message says behind its last semicolon: what to do; null if it does not say
A verdict is no error. replay, market try, market check and contract print theirs on standard output, good or
bad: {\"verified\": false, \"error\"} of replay, {\"error\": {\"rule\", \"reason\"}} of try and check; the exit code tells.
Events in answers are objects: {\"event\": \"Markets.OrderPlaced\"} and the event's fields. Money and prices are exact
decimals in yuan and yuan/kWh, hashes and bytes are 0x and digits, accounts are SS58 addresses.";

/// What `busbar --help` ends with.
pub(super) fn help() -> String {
    format!("{EXIT_CODES}\n\n{JSON}")
}

/// Whether the command line asks for JSON; also one that cannot be read.
pub(super) fn asks_for_json() -> bool {
    std::env::args_os().any(|word| word == "--json")
}

/// What ends a command that fails, in the form that was asked for.
pub fn told(error: &anyhow::Error) -> String {
    if asks_for_json() { as_json(error).to_string() } else { format!("busbar: {}", in_words(error)) }
}

fn as_json(error: &anyhow::Error) -> Value {
    object(error.chain().find_map(rule).as_deref(), &in_words(error))
}

/// Wrong arguments for scripts, without the lines on usage.
pub(super) fn of_arguments(error: &clap::Error) -> Value {
    let told = error.to_string();
    let told = told.strip_prefix("error: ").unwrap_or(&told);
    let (what, _) = told.split_once("\n\n").unwrap_or((told, ""));
    let words: Vec<&str> = what.split_whitespace().collect();
    let words = words.join(" ");
    // What the value's own kind says to do is nearer than the help.
    let next = if words.contains("; ") { "" } else { "; add --help to the command to see its arguments" };
    object(Some("Arguments"), &format!("{words}{next}"))
}

fn object(rule: Option<&str>, message: &str) -> Value {
    let next = message.rsplit_once("; ").map(|(_, next)| next);
    json!({ "error": { "rule": rule, "message": message, "next": next } })
}

/// An error with its causes, without those that its text names already.
fn in_words(error: &anyhow::Error) -> String {
    let mut words = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if words.is_empty() {
            words = cause;
        } else if !words.contains(&cause) {
            words = format!("{words}: {cause}");
        }
    }
    words
}

/// The rule that an error says is broken.
fn rule(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<SessionError>() {
        return Some(match error {
            SessionError::Failed { error, .. } => of_dispatch(error),
            SessionError::Skipped { reason, .. } => of_invalid(reason),
            SessionError::Node(error) => named("Node", error),
            other => named("Client", other),
        });
    }
    let client = error.downcast_ref::<ClientError>().map(|error| named("Node", error));
    let dispatch = error.downcast_ref::<DispatchError>().map(of_dispatch);
    let markets = error.downcast_ref::<markets::Error>().map(|error| named("Markets", error));
    let registry = error.downcast_ref::<registry::Error>().map(|error| named("Registry", error));
    let passed = error.downcast_ref::<Passed>().map(|_| "Client.Passed".to_owned());
    client.or(dispatch).or(markets).or(registry).or(passed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime_primitives::{EntityId, Height, MarketId, MeterId};

    #[test]
    fn an_error_names_its_rule_and_what_to_do() {
        let unknown = markets::Error::UnknownMarket(MarketId::from_number(7));
        let failed = SessionError::Failed { height: Height::ZERO, error: unknown.clone().into() };
        let next =
            Some("busbar market list shows those that exist, busbar market create makes one from a spec");
        for (error, rule, told, next) in [
            (anyhow::Error::from(unknown.clone()), Some("Markets.UnknownMarket"), "unknown market 7", next),
            (
                anyhow::Error::from(unknown).context("while it ran"),
                Some("Markets.UnknownMarket"),
                "ran: unknown",
                next,
            ),
            (failed.into(), Some("Markets.UnknownMarket"), "failed in block 0: unknown market 7", next),
            (
                markets::Error::UnknownMeter(MeterId::from_number(9)).into(),
                Some("Markets.UnknownMeter"),
                "unknown meter 9",
                Some(
                    "busbar meter list shows meters, each settles from the first slot on that opened after it joined",
                ),
            ),
            (
                markets::Error::NotGridOperator {
                    operator: EntityId::ZERO,
                    entity: EntityId::from_number(4),
                }
                .into(),
                Some("Markets.NotGridOperator"),
                "the key is entity 4's",
                Some("sign with the operator's"),
            ),
            (
                markets::Error::WrongStatus.into(),
                Some("Markets.WrongStatus"),
                "status does not fit",
                Some(
                    "busbar meter read posts a meter's first reading, substitute one in its place, correct one that \
                     follows it",
                ),
            ),
            (DispatchError::BadOrigin.into(), Some("BadOrigin"), "bad origin", None),
            (anyhow::anyhow!("no file; write one"), None, "no file", Some("write one")),
        ] {
            let error = &as_json(&error)["error"];
            assert_eq!(error["rule"].as_str(), rule, "{error}");
            assert_eq!(error["next"].as_str(), next, "{error}");
            assert!(error["message"].as_str().is_some_and(|message| message.contains(told)), "{error}");
        }
    }
}

//! One step of a run, for people and for scripts.

use super::Ending;
use super::shown::{address, bytes, escaped, hex0x, table};
use crate::report::grouped;
use comfy_table::Table;
use runtime_execution::modules::contracts::{Caller, DryRun, Event as ContractsEvent, Sandbox, Transfer};
use runtime_execution::{Event, EventRecord};
use runtime_primitives::{AccountId, Gas, Hash};
use runtime_vm::{Outcome, Output};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What one entry into a contract did.
pub(super) struct Step {
    pub ending: Ending,
    entry: &'static str,
    /// None for a pure rule.
    contract: Option<AccountId>,
    /// What the contract runs now; none for a pure rule and where there is no contract.
    pub code_hash: Option<Hash>,
    output: Option<Output>,
    gas: Gas,
    gas_limit: Gas,
    trap: Option<String>,
    refused: Option<String>,
    events: Vec<EventRecord>,
    /// What the contract stores now, by hashed key.
    storage: BTreeMap<Hash, Vec<u8>>,
    debug: String,
}

impl Step {
    /// A pure rule's answer.
    pub fn pure(outcome: Outcome, gas_limit: Gas) -> Self {
        let Outcome { result, gas_used } = outcome;
        let (ending, output, trap) = match result {
            Ok(output) => (of(&output), Some(output), None),
            Err(trap) => (Ending::Trapped, None, Some(trap.to_string())),
        };
        // As the chain charges it.
        let gas = if trap.is_some() { gas_limit } else { gas_used };
        Self {
            ending,
            entry: "call",
            contract: None,
            code_hash: None,
            output,
            gas,
            gas_limit,
            trap,
            refused: None,
            events: Vec::new(),
            storage: BTreeMap::new(),
            debug: String::new(),
        }
    }

    /// Code that does not run at all.
    pub fn refused(why: String) -> Self {
        Self {
            ending: Ending::Refused,
            entry: "call",
            contract: None,
            code_hash: None,
            output: None,
            gas: Gas::ZERO,
            gas_limit: Gas::ZERO,
            trap: None,
            refused: Some(why),
            events: Vec::new(),
            storage: BTreeMap::new(),
            debug: String::new(),
        }
    }

    /// What became of a contract of `sandbox`.
    pub fn stateful(
        entry: &'static str,
        contract: Option<AccountId>,
        run: DryRun,
        gas_limit: Gas,
        sandbox: &Sandbox,
    ) -> Self {
        let (ending, output, refused) = match (run.result, &run.trap) {
            (Ok(output), _) => (of(&output), Some(output), None),
            (Err(_), Some(_)) => (Ending::Trapped, None, None),
            (Err(error), None) => (Ending::Refused, None, Some(error.to_string())),
        };
        Self {
            ending,
            entry,
            code_hash: contract
                .and_then(|contract| sandbox.contracts().get(&contract).map(|info| info.code_hash)),
            contract,
            output,
            gas: run.gas,
            gas_limit,
            trap: run.trap.map(|trap| trap.to_string()),
            refused,
            events: run.events,
            storage: contract.map(|contract| sandbox.storage(&contract)).unwrap_or_default(),
            debug: run.debug,
        }
    }

    /// For scripts; amounts are text, because most readers of JSON numbers round above 2⁵³.
    pub fn json(&self) -> Value {
        let storage = self.storage.iter();
        let transfers = Transfer::among(&self.events).into_iter().map(|transfer| {
            let (from, to) = (address(&transfer.from), address(&transfer.to));
            json!({ "from": from, "to": to, "amount": transfer.amount.units().to_string() })
        });
        json!({
            "result": self.ending.name(),
            "entry": self.entry,
            "contract": self.contract.as_ref().map(address),
            "flags": self.output.as_ref().map(|output| output.flags),
            "output": self.output.as_ref().map(|output| hex0x(&output.data)),
            "gas": self.gas.units(),
            "gas_limit": self.gas_limit.units(),
            "trap": self.trap,
            "refused": self.refused,
            "events": self.events.iter().filter_map(event_json).collect::<Vec<_>>(),
            "storage": storage.map(|(key, value)| json!({ "key_hash": key.to_string(), "value": hex0x(value) })).collect::<Vec<_>>(),
            "transfers": transfers.collect::<Vec<_>>(),
            "debug": self.debug,
        })
    }

    /// For people.
    pub fn table(&self) -> Table {
        let mut shown = table();
        shown.set_header([self.entry, self.ending.name()]);
        let mut row = |label: &str, value: String| {
            shown.add_row([label.to_owned(), value]);
        };
        if let Some(contract) = &self.contract {
            row("contract", format!("{}\n{contract}", address(contract)));
        }
        if let Some(output) = &self.output {
            row("flags", output.flags.to_string());
            row("output", bytes(&output.data));
        }
        row("gas", format!("{} of {}", grouped(self.gas.units()), grouped(self.gas_limit.units())));
        if let Some(trap) = &self.trap {
            row("trap", trap.clone());
        }
        if let Some(refused) = &self.refused {
            row("refused", refused.clone());
        }
        for event in self.events.iter().filter_map(event_words) {
            row("event", event);
        }
        for (key, value) in &self.storage {
            row("storage", format!("{key}\n{}", bytes(value)));
        }
        for transfer in Transfer::among(&self.events) {
            let (from, to) = (address(&transfer.from), address(&transfer.to));
            row("transfer", format!("{} yuan\nfrom {from}\nto {to}", transfer.amount));
        }
        if !self.debug.is_empty() {
            row("debug", escaped(&self.debug));
        }
        shown
    }
}

const fn of(output: &Output) -> Ending {
    if output.reverted() { Ending::Reverted } else { Ending::Success }
}

/// What contracts said, made, called and ended.
fn event_json(record: &EventRecord) -> Option<Value> {
    let Event::Contracts(event) = &record.event else { return None };
    Some(match event {
        ContractsEvent::ContractEmitted { contract, data } => json!({
            "event": "ContractEmitted",
            "contract": address(contract),
            "topics": record.topics.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "data": hex0x(data),
        }),
        ContractsEvent::Instantiated { deployer, contract } => json!({
            "event": "Instantiated",
            "deployer": address(deployer),
            "contract": address(contract),
        }),
        ContractsEvent::Called { caller: Caller::Signed(caller), contract } => json!({
            "event": "Called",
            "caller": address(caller),
            "contract": address(contract),
        }),
        ContractsEvent::DelegateCalled { contract, code_hash } => json!({
            "event": "DelegateCalled",
            "contract": address(contract),
            "code_hash": code_hash.to_string(),
        }),
        ContractsEvent::ContractCodeUpdated { contract, new_code_hash, old_code_hash } => json!({
            "event": "ContractCodeUpdated",
            "contract": address(contract),
            "new_code_hash": new_code_hash.to_string(),
            "old_code_hash": old_code_hash.to_string(),
        }),
        ContractsEvent::Terminated { contract, beneficiary } => json!({
            "event": "Terminated",
            "contract": address(contract),
            "beneficiary": address(beneficiary),
        }),
        // Codes are known by their hash, and deposits cost nothing here.
        _ => return None,
    })
}

fn event_words(record: &EventRecord) -> Option<String> {
    let Event::Contracts(event) = &record.event else { return None };
    Some(match event {
        ContractsEvent::ContractEmitted { contract, data } => {
            let topics: String = record.topics.iter().map(|topic| format!("\ntopic {topic}")).collect();
            format!("{} says\ndata {}{topics}", address(contract), bytes(data))
        }
        ContractsEvent::Instantiated { deployer, contract } => {
            format!("{} was made by\n{}", address(contract), address(deployer))
        }
        ContractsEvent::Called { caller: Caller::Signed(caller), contract } => {
            format!("{} was called by\n{}", address(contract), address(caller))
        }
        ContractsEvent::DelegateCalled { contract, code_hash } => {
            format!("{} ran the code\n{code_hash}", address(contract))
        }
        ContractsEvent::ContractCodeUpdated { contract, new_code_hash, .. } => {
            format!("{} is from now on\n{new_code_hash}", address(contract))
        }
        ContractsEvent::Terminated { contract, beneficiary } => {
            format!("{} ended; what it had goes to\n{}", address(contract), address(beneficiary))
        }
        _ => return None,
    })
}

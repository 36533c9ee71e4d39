//! Where the engines of a new chain's validators listen.

use super::error::SpecError;
use runtime_execution::modules::registry::is_engine_address;
use std::collections::BTreeSet;

/// An address for each of `validators`, at least one: as given; or, if there is only the first, on its host at the ports
/// from its own on.
///
/// # Errors
/// If something given is no address, or there are more or fewer than needed, or the same one twice.
pub fn engine_addresses(validators: usize, given: &[String]) -> Result<Vec<String>, SpecError> {
    if let Some(text) = given.iter().find(|text| !is_engine_address(text)) {
        return Err(SpecError::EngineAddress { text: text.clone() });
    }
    let [first] = given else {
        if given.len() != validators {
            return Err(SpecError::EngineCount { found: given.len(), validators });
        }
        let mut seen = BTreeSet::new();
        return match given.iter().find(|address| !seen.insert(*address)) {
            Some(address) => Err(SpecError::EngineTwice { address: address.clone() }),
            None => Ok(given.to_vec()),
        };
    };
    let (host, port) = first.rsplit_once(':').expect("it was checked to have a port");
    let port: u16 = port.parse().expect("it was checked to be a port");
    let ports: Vec<u16> = (port..=u16::MAX).take(validators).collect();
    if ports.len() < validators {
        return Err(SpecError::EnginePorts { first: first.clone(), validators });
    }
    Ok(ports.into_iter().map(|port| format!("{host}:{port}")).collect())
}

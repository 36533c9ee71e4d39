//! What a stage proves: signatures that verify, and faults where something does not hold.

use runtime_primitives::crypto::Statement;

/// Signatures counted and faults found.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Signatures that verify.
    pub signatures: u32,
    /// What does not hold, in words.
    pub faults: Vec<String>,
}

impl Evidence {
    /// Count a signature that verifies; a bad one of `whose` is a fault.
    pub fn verify(&mut self, statement: &Statement, whose: impl FnOnce() -> String) {
        if statement.verify() {
            self.signatures += 1;
        } else {
            self.faults.push(format!("bad signature: {}", whose()));
        }
    }

    /// A fault unless `holds`.
    pub fn expect(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(fault());
        }
    }
}

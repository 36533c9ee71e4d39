//! Names of roles and scopes, as errors tell them and as the command line takes them.
//!
//! The rule: no bit goes unsaid. One without a name is shown as its number.

use super::scopes;
use contract_interface::roles;
use core::fmt;

/// The roles that bits name, such as `grid_operator, meter_operator`.
#[derive(Clone, Copy, Debug)]
pub struct RoleNames(pub u16);

/// The scopes that bits name, such as `bid, confirm`.
#[derive(Clone, Copy, Debug)]
pub struct ScopeNames(pub u8);

const ROLES: [(u16, &str); 10] = [
    (roles::TRADER, "trader"),
    (roles::GRID_OPERATOR, "grid_operator"),
    (roles::METER_OPERATOR, "meter_operator"),
    (roles::RETAILER, "retailer"),
    (roles::BANK, "bank"),
    (roles::VALIDATOR, "validator"),
    (roles::REGISTRAR, "registrar"),
    (roles::AUDITOR, "auditor"),
    (roles::MARKET_OPERATOR, "market_operator"),
    (roles::AUTHOR, "author"),
];

const SCOPES: [(u16, &str); 4] = [
    (scopes::OWNER as u16, "owner"),
    (scopes::BID as u16, "bid"),
    (scopes::CONFIRM as u16, "confirm"),
    (scopes::VOTE as u16, "vote"),
];

impl fmt::Display for RoleNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_names(f, &ROLES, self.0)
    }
}

impl fmt::Display for ScopeNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_names(f, &SCOPES, self.0.into())
    }
}

fn write_names(f: &mut fmt::Formatter<'_>, names: &[(u16, &str)], bits: u16) -> fmt::Result {
    if bits == 0 {
        return f.write_str("none");
    }
    let (mut left, mut between) = (bits, "");
    for (bit, name) in names.iter().filter(|(bit, _)| bits & bit != 0) {
        write!(f, "{between}{name}")?;
        (left, between) = (left & !bit, ", ");
    }
    if left != 0 { write!(f, "{between}{left:#06x}") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_told_by_name() {
        for (bits, told) in
            [(0, "none"), (8, "retailer"), (6, "grid_operator, meter_operator"), (0x8001, "trader, 0x8000")]
        {
            assert_eq!(RoleNames(bits).to_string(), told);
        }
        for (bits, told) in [(1, "owner"), (14, "bid, confirm, vote"), (0x20, "0x0020")] {
            assert_eq!(ScopeNames(bits).to_string(), told);
        }
    }
}

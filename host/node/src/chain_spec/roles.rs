//! Roles by name, as people write them in a chain spec.

use clap::ValueEnum;
use contract_interface::roles;
use serde::{Deserialize, Serialize};

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident = $bit:ident,)*) => {
        /// A role of an entity (MARKET section 7).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
        #[serde(rename_all = "snake_case")]
        #[value(rename_all = "snake_case")]
        pub enum Role {
            $($(#[$doc])* $name,)*
        }

        impl Role {
            const ALL: &[Self] = &[$(Self::$name,)*];

            const fn bit(self) -> u16 {
                match self {
                    $(Self::$name => roles::$bit,)*
                }
            }
        }
    };
}
roles! {
    /// May place orders.
    Trader = TRADER,
    /// Runs the grid.
    GridOperator = GRID_OPERATOR,
    /// Reads meters.
    MeterOperator = METER_OPERATOR,
    /// Backstop supplier.
    Retailer = RETAILER,
    /// Funds accounts.
    Bank = BANK,
    /// Re-runs clearings and signs them.
    Validator = VALIDATOR,
    /// Admits entities, keys and meters.
    Registrar = REGISTRAR,
    /// Reads everything.
    Auditor = AUDITOR,
    /// The trading centre.
    MarketOperator = MARKET_OPERATOR,
    /// Deploys contracts.
    Author = AUTHOR,
}

impl Role {
    /// The bits of these roles together.
    pub fn bits(roles: &[Self]) -> u16 {
        roles.iter().fold(0, |bits, role| bits | role.bit())
    }

    /// The roles that `bits` name.
    pub fn of_bits(bits: u16) -> Vec<Self> {
        Self::ALL.iter().copied().filter(|role| bits & role.bit() != 0).collect()
    }
}

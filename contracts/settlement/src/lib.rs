//! The settlement rule as a pure contract.

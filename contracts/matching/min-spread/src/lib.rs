//! The min-spread rule as a pure contract.

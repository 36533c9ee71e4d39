//! The bid rule as a pure contract.

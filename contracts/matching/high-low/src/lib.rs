//! The high-low rule as a pure contract.

//! The seal host interface as one table; forbids an engine, a host or an account.

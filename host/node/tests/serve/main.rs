//! A node that serves, and those who come to it over RPC: in this process, and as processes of their own.
#![allow(clippy::unwrap_used, reason = "tests")]

mod alone;
mod answers;
mod bills;
mod checkpoints;
mod course;
mod debts;
mod disk_full;
mod errands;
mod exits;
mod follow;
mod hostile;
mod household;
mod insists;
mod lone;
mod market;
mod moves;
mod namespaces;
mod network;
mod node;
mod node_process;
mod operators;
mod permission;
mod processes;
mod running;
mod set_changes;
mod snapshot;
mod strangers;
mod stumbles;
mod summer_day;
mod theatre;
mod validators;

//! JSON-RPC over read-only views; forbids writing state: the one way in is a signed extrinsic, which the node judges.
//!
//! [`RpcServer`] serves whoever implements [`NodeView`]; [`RemoteNode`] is the other end of the same methods.

mod client;
mod door;
mod error;
mod heads;
mod json;
mod limits;
mod methods;
mod params;
mod server;
mod status;
mod subscriptions;
mod view;
mod watched;

pub use client::{RemoteNode, RemoteState};
pub use error::{ClientError, Refusal, RpcError};
pub use heads::Heads;
pub use limits::{KEYS_PER_PAGE_MAX, RECENT_BLOCKS_MAX, ROWS_PER_PAGE_MAX, UNPROVEN_BLOCKS_MAX};
pub use server::RpcServer;
pub use status::{Health, NetworkStatus, NodeStatus};
pub use view::NodeView;

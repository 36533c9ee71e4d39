//! The engine of a network: commonware's simplex orders, its marshal delivers, the application executes.
//!
//! Everything here is generic over the library's runtime, so that the same wiring runs on sockets and disks and in its
//! deterministic simulator. One engine runs per epoch; blocks are opaque to all of them.

mod alone;
mod anchor;
mod block;
mod bridge;
mod committee;
mod counters;
mod door;
mod epochs;
mod executor;
mod finality;
mod gossip;
mod settings;
mod signal;
mod sockets;
mod told;
mod wiring;

pub use anchor::Anchor;
pub use block::{Carried, Digest};
pub use committee::{EngineKey, EngineSecret, Member, PROTOCOL, Peers, namespace};
pub use counters::{Counters, NetworkCounts};
pub use epochs::Track;
pub use executor::Deliveries;
pub use finality::{FinalityFault, PROOF_BYTES_MAX, check_finality, genesis_digest, next_digest};
pub use gossip::{Gossip, Outbox, gossip, hear, tell};
pub use settings::Timing;
pub use signal::{Signal, Watch};
pub use sockets::{SocketConfig, SocketError, run};
pub use told::{Kind, Told};
pub use wiring::{Channels, Config, Progress, Running, max_message_size, start};

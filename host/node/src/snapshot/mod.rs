//! State snapshots: a state with everything that proves it from the chain spec alone, in one file.
//!
//! ```text
//! file          "busbar-snapshot\n" | version u32 | genesis header hash 32 | certificates | headers | block | state
//! certificates  count u32 | (length u32 | SCALE Certificate) × count        the last block of each epoch, from the first on
//! headers       count u32 | (length u32 | SCALE Header) × count             nine, or all: up to the last certified one
//! block         digest of its parent 32 | length u32 | SCALE OrderedBlock | length u32 | the engine's proof of its digest
//! state         (length u16 | length u32 | key | value) … | 0 u16 | entries u64         keys are not empty, and ascend
//! ```
//! Integers are little-endian. Who signs checkpoints follows from the spec and the certificates, the state from the last
//! header's root, and who orders from the state. The headers before are those that the next blocks may report as executed.
//! The rule: one snapshot has one encoding but for whose signatures a quorum is made of, every length is bounded before it
//! is believed, and nothing is a store before all of it is checked.

mod check;
mod error;
mod export;
mod import;
mod inspect;
mod reader;

pub use check::{CheckedSnapshot, Target, check};
pub use error::SnapshotError;
pub use export::{Exported, export};
pub use import::import;
pub use inspect::{Content, inspect};

/// First bytes of every snapshot.
const MAGIC: [u8; 16] = *b"busbar-snapshot\n";
/// Of this layout.
const VERSION: u32 = 1;
/// Bytes of a certificate: those of the largest set, with signatures of all and the next set, take half of it.
const CERTIFICATE_BYTES_MAX: usize = 64 << 10;
/// Bytes of a header: its digest has a few items.
const HEADER_BYTES_MAX: usize = 64 << 10;
/// Bytes of a value: more than a block can write.
const VALUE_BYTES_MAX: usize = 64 << 20;
/// Entries that are put into a state at once, and about how many bytes: what is in memory of a snapshot.
const BATCH: (usize, usize) = (1 << 16, 32 << 20);

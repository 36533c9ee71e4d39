//! Checkpoints: headers that a quorum of validators has signed, so that whoever trusts only the chain spec can check a block.
//!
//! ```text
//! signed   SCALE ("busbar/checkpoint/v1", genesis, epoch, number, header, set, next)       sr25519 session keys
//! set      blake2-256 of SCALE [(entity, session key) …], the validators of the epoch whose engines
//!          order; all of them, where none has one
//! next     in an epoch's last block: the same of the next epoch
//! quorum   n − ⌊(n − 1) / 3⌋ of the set
//! ```
//! The rule: a node signs a header only after it has executed the block, and one header a height for ever.

mod certificate;
mod hearing;
mod keeper;
#[cfg(test)]
mod tests;
mod trusted;
mod word;

pub use certificate::{
    CERTIFICATE_BYTES_MAX, Certificate, Checkpoint, CheckpointError, SetChain, SetMember, SignedCheckpoint,
    quorum, verify_all,
};
pub use keeper::{FILE_NAME, Keeper, KeeperError};
pub use trusted::Trusted;

/// Blocks between two checkpoints; an epoch's last block is one besides.
pub const CHECKPOINT_BLOCKS: u64 = 64;

/// Whether the block at `height` is a checkpoint.
pub const fn is_checkpoint(height: u64, epoch_blocks: u64) -> bool {
    height > 0 && (height.is_multiple_of(CHECKPOINT_BLOCKS) || is_last(height, epoch_blocks))
}

/// Whether the block at `height` is its epoch's last.
pub const fn is_last(height: u64, epoch_blocks: u64) -> bool {
    height % epoch_blocks == epoch_blocks - 1
}

//! Why a snapshot is refused, cannot be written, or cannot be begun with.

use crate::chain_spec::SpecError;
use crate::checkpoint::CheckpointError;
use host_consensus::network::FinalityFault;
use host_storage::StoreError;
use runtime_execution::GenesisError;
use runtime_primitives::{Hash, Height, Timestamp};
use std::path::PathBuf;
use thiserror::Error;

/// Why a snapshot is refused, cannot be written, or cannot be begun with.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It cannot be read on.
    #[error("the snapshot cannot be read at byte {at}: {source}")]
    Read {
        /// Where.
        at: u64,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is something else.
    #[error(
        "the file is no snapshot of a state: it does not begin as one; busbar snapshot export writes them"
    )]
    NoSnapshot,
    /// It is of another version of this program.
    #[error("the snapshot has version {found}, this program reads {wanted}: use the busbar that wrote it")]
    Version {
        /// In the file.
        found: u32,
        /// Of this program.
        wanted: u32,
    },
    /// It is of another chain.
    #[error("the snapshot is of chain {found}, the spec describes {wanted}")]
    OtherChain {
        /// In the file.
        found: Hash,
        /// Of the spec.
        wanted: Hash,
    },
    /// It ends early.
    #[error("the snapshot ends at byte {at}, within {what}: copy it again")]
    Short {
        /// Where.
        at: u64,
        /// In what.
        what: &'static str,
    },
    /// It does not end where it should.
    #[error("the snapshot goes on after its end at byte {at}")]
    Trailing {
        /// Where.
        at: u64,
    },
    /// A part is longer than any such part is.
    #[error("byte {at}: {found} bytes of {what}, at most {max} are allowed")]
    Length {
        /// Where.
        at: u64,
        /// Of what.
        what: &'static str,
        /// How many.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// A part does not decode, or not from its one encoding.
    #[error("byte {at}: {what} does not decode: {reason}")]
    Malformed {
        /// Where.
        at: u64,
        /// Which part.
        what: &'static str,
        /// What the decoder met.
        reason: String,
    },
    /// The chain of certificates has those of epochs' last blocks, and no other.
    #[error("certificate {index} is of block {found}; the last block of epoch {index} is {wanted}")]
    NotLast {
        /// Position of the certificate.
        index: u64,
        /// Its block.
        found: u64,
        /// What it should be of.
        wanted: u64,
    },
    /// A certificate proves nothing.
    #[error("a certificate proves nothing: {0}")]
    Certificate(#[from] CheckpointError),
    /// There is no certificate.
    #[error("no certificate leads from the chain spec to a state")]
    Uncertified,
    /// A block has as many headers before it as the next ones may report, and no more.
    #[error("there are {found} headers up to block {last}; there must be {wanted}")]
    HeaderCount {
        /// How many.
        found: u32,
        /// The certified block.
        last: u64,
        /// How many there should be.
        wanted: u64,
    },
    /// A header is not the one that the next header, or the certificate, names.
    #[error("block {number}: header {found}, {wanted} is certified")]
    Header {
        /// The block that should be there.
        number: u64,
        /// What is there.
        found: Hash,
        /// What should be.
        wanted: Hash,
    },
    /// The ordered block is of another height.
    #[error("the ordered block is of height {found}, certified is {wanted}")]
    OtherBlock {
        /// Its height.
        found: Height,
        /// Of the certificate.
        wanted: u64,
    },
    /// The ordered block is not shown to be final.
    #[error("block {height}: {fault}")]
    Finality {
        /// Its height.
        height: u64,
        /// Why not.
        fault: FinalityFault,
    },
    /// Keys ascend.
    #[error("byte {at}: entry {entry} does not come after the one before")]
    Order {
        /// Where.
        at: u64,
        /// Which.
        entry: u64,
    },
    /// The number of entries is at the end.
    #[error("the snapshot has {found} entries and says {said}")]
    Entries {
        /// How many.
        found: u64,
        /// What it says.
        said: u64,
    },
    /// The state is not the certified one.
    #[error(
        "the state has root {found}, certified is {wanted}: nothing of it can be trusted; use another snapshot"
    )]
    OtherState {
        /// Of the entries.
        found: Hash,
        /// Of the certified header.
        wanted: Hash,
    },
    /// The spec describes no genesis.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The spec cannot be kept.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder has a chain already.
    #[error(
        "{} is there: a node's files are not written over; choose an empty folder, or move them away, which keeps what this \
         validator has signed", .0.display()
    )]
    Occupied(PathBuf),
    /// The clock is not set.
    #[error("this machine's clock shows {now}, and the snapshot's block is of {block}: set the clock")]
    ClockBehind {
        /// What it shows.
        now: Timestamp,
        /// Time of the block.
        block: Timestamp,
    },
    /// A state is exported where an epoch ends.
    #[error(
        "block {height} is not its epoch's last: epochs have {epoch_blocks} blocks, the nearest last ones are {below} and {above}"
    )]
    NotEpochEnd {
        /// What was asked for.
        height: u64,
        /// Blocks of an epoch.
        epoch_blocks: u64,
        /// The last one before.
        below: u64,
        /// The next one.
        above: u64,
    },
    /// No quorum's word for the block is here.
    #[error(
        "block {height} is not certified here (the last certified one is {last}): run the node until busbar status says so, or \
         choose a lower --height"
    )]
    NotCertified {
        /// The block.
        height: u64,
        /// The last certified one.
        last: u64,
    },
    /// The certificates before are not here.
    #[error(
        "the certificate of block {0} is not here, and without it nobody can check a later one: run the node until it has it"
    )]
    MissingCertificate(u64),
    /// The node has another header than the certified one.
    #[error(
        "block {height}: this node has header {own}, certified is {certified}; report it, with the data folder"
    )]
    Diverged {
        /// The block.
        height: u64,
        /// The node's.
        own: Hash,
        /// The quorum's.
        certified: Hash,
    },
    /// Nothing proves the block final.
    #[error("no engine's proof of block {0} is here: a chain that one node orders alone has none")]
    Unproven(u64),
    /// No epoch's last block can be exported.
    #[error(
        "no epoch of {epoch_blocks} blocks has ended, with a certificate, within the blocks that this node can go back to \
         ({oldest} to {best}): run it until one has"
    )]
    NothingToExport {
        /// Blocks of an epoch.
        epoch_blocks: u64,
        /// The lowest block that undo records reach.
        oldest: u64,
        /// The best block.
        best: u64,
    },
}

//! What a client is told when a call fails, and why a server or a client does not start.

use crate::limits::{
    KEY_BYTES_MAX, KEYS_PER_PAGE_MAX, RECENT_BLOCKS_MAX, ROWS_PER_PAGE_MAX, UNPROVEN_BLOCKS_MAX, WALK_MAX,
};
use host_storage::StoreError;
use jsonrpsee::types::ErrorObjectOwned;
use runtime_execution::api::ApiError;
use runtime_primitives::limits::EXTRINSIC_BYTES_MAX;
use runtime_primitives::{Hash, Height};
use std::net::SocketAddr;
use thiserror::Error;

/// Why a server does not start.
#[derive(Debug, Error)]
pub enum RpcError {
    /// The threads cannot be started.
    #[error("cannot start threads for RPC: {0}")]
    Threads(std::io::Error),
    /// The port is taken, or not ours to take.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Why a call to a node gives nothing.
#[derive(Clone, Debug, Error)]
pub enum ClientError {
    /// The address is none.
    #[error("{url}: {reason}; write http://HOST:PORT or ws://HOST:PORT")]
    Url {
        /// As given.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The node cannot be reached, or does not answer in time.
    #[error(
        "no node answers at {url} ({method}: {reason}); start one with busbar node, or name another with --rpc or BUSBAR_RPC"
    )]
    Transport {
        /// Where it was looked for.
        url: String,
        /// The method called.
        method: &'static str,
        /// What happened.
        reason: String,
    },
    /// The node refused the call.
    #[error("{method}: {message}")]
    Refused {
        /// The method called.
        method: &'static str,
        /// What the node said.
        message: String,
    },
    /// The answer is not of the method's type.
    #[error("{method}: the node's answer makes no sense; check that --rpc is a busbar node of this version")]
    Answer {
        /// The method called.
        method: &'static str,
    },
    /// More entries than any chain has.
    #[error(
        "{method}: the node answers more than {WALK_MAX} entries; check that --rpc is a node to be trusted"
    )]
    Endless {
        /// The method called.
        method: &'static str,
    },
    /// The answers are well-formed, but no state that this program can read.
    #[error(
        "the node answers state of another format ({reason}); check that --rpc is the node you mean and that it and \
         busbar are of one version"
    )]
    Foreign {
        /// What the reader met.
        reason: String,
    },
}

/// Why a node does not take an extrinsic, with the rule in words for the sender.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The bytes are no extrinsic.
    #[error("Extrinsic has invalid format: {0}")]
    Format(String),
    /// It breaks a rule.
    #[error("Invalid Transaction: {0}")]
    Invalid(String),
    /// Nothing can be said of it: a call that must be signed came without a signature.
    #[error("Unknown Transaction Validity: {0}")]
    Unknown(String),
    /// It waits already, or another that says the same.
    #[error("Transaction Already Imported: {0}")]
    Known(String),
    /// Another with its nonce waits, and its tip does not suffice to replace that.
    #[error("Priority is too low: {0}")]
    Priority(String),
    /// There is no room for it.
    #[error("Immediately Dropped: {0}")]
    Dropped(String),
}

impl Refusal {
    /// The code of Substrate's nodes.
    const fn code(&self) -> i32 {
        match self {
            Self::Format(_) => 1_001,
            Self::Invalid(_) => 1_010,
            Self::Unknown(_) => 1_011,
            Self::Known(_) => 1_013,
            Self::Priority(_) => 1_014,
            Self::Dropped(_) => 1_016,
        }
    }

    /// What such a code always says, and the rule.
    fn words(self) -> (&'static str, String) {
        match self {
            Self::Format(rule) => ("Extrinsic has invalid format", rule),
            Self::Invalid(rule) => ("Invalid Transaction", rule),
            Self::Unknown(rule) => ("Unknown Transaction Validity", rule),
            Self::Known(rule) => ("Transaction Already Imported", rule),
            Self::Priority(rule) => ("Priority is too low", rule),
            Self::Dropped(rule) => ("Immediately Dropped", rule),
        }
    }
}

/// Why a call fails.
#[derive(Debug, Error)]
pub(crate) enum CallError {
    #[error("parameter {index} ({name}): {reason}")]
    Parameter { index: usize, name: &'static str, reason: String },
    #[error("a key has at most {KEY_BYTES_MAX} bytes, not {0}")]
    KeyBytes(usize),
    #[error("a page has 1 to {KEYS_PER_PAGE_MAX} keys, not {0}")]
    Page(u64),
    #[error("a page of the archive has 1 to {ROWS_PER_PAGE_MAX} rows, not {0}")]
    Rows(u64),
    #[error("there is no archive table {0}")]
    Table(u64),
    #[error("an extrinsic has at most {EXTRINSIC_BYTES_MAX} bytes, not {0}")]
    ExtrinsicBytes(usize),
    #[error("a query has at most {max} keys, not {got}")]
    Keys { got: usize, max: usize },
    #[error("there are more than {KEYS_PER_PAGE_MAX} keys: page through them by state_getKeysPaged")]
    TooManyKeys,
    #[error("Client error: UnknownBlock: {0}")]
    UnknownBlock(Hash),
    #[error(
        "Client error: State already discarded: the state of block {height} is gone: state is served of the last {RECENT_BLOCKS_MAX} blocks, the best is {best}"
    )]
    OldState { height: Height, best: Height },
    #[error(
        "nothing here proves the blocks after {after} final within their epoch and {UNPROVEN_BLOCKS_MAX} blocks: a chain that one \
         node orders alone has no proofs, and a node that came back late has few; ask another node"
    )]
    Unproven { after: Height },
    #[error("{0}")]
    Refused(Refusal),
    #[error("Client error: Execution failed: {0}")]
    Runtime(ApiError),
    #[error("{0}")]
    Unavailable(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CallError {
    /// Codes of JSON-RPC, and of Substrate's nodes where they have one.
    const fn code(&self) -> i32 {
        match self {
            Self::Parameter { .. }
            | Self::KeyBytes(_)
            | Self::Rows(_)
            | Self::Table(_)
            | Self::ExtrinsicBytes(_) => -32_602,
            Self::Refused(refusal) => refusal.code(),
            Self::Page(_) | Self::Keys { .. } | Self::TooManyKeys => 4_002,
            Self::UnknownBlock(_) | Self::OldState { .. } | Self::Runtime(_) => 4_003,
            Self::Unproven { .. } => 9_001,
            Self::Store(StoreError::BeforeBase { .. }) => 9_002,
            Self::Unavailable(_) | Self::Store(_) => -32_603,
        }
    }
}

impl From<CallError> for ErrorObjectOwned {
    fn from(error: CallError) -> Self {
        let code = error.code();
        match error {
            // Clients of Substrate show the data behind a fixed message.
            CallError::Refused(refusal) => {
                let (title, rule) = refusal.words();
                Self::owned(code, title, Some(rule))
            }
            other => Self::owned(code, other.to_string(), None::<()>),
        }
    }
}

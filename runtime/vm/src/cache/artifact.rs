//! A compiled module as bytes that only this node can have written.
//!
//! Compiled code is machine code: whoever forges it owns the process. So every artifact ends with a code of
//! authentication under a key of the node, and [`open`] looks at nothing before that holds.
//!
//! ```text
//!   offset  bytes
//!        0      8  "busbar" 0 1: the layout
//!        8      4  PASS_VERSION
//!       12     32  identity of compiler, settings, version and processor
//!       44     32  code hash
//!       76      1  kind: 0 pure, 1 stateful
//!       77      8  gas of entering a call
//!       85      8  n
//!       93      n  compiled code
//!     93+n     32  blake2b-256 of the node's key and all of the above
//! ```
//! Integers are little-endian. BLAKE2 with a secret prefix authenticates: unlike older hashes it cannot be extended.

use super::recent::Key;
use crate::engine::Serialised;
use crate::{Kind, PASS_VERSION};
use runtime_primitives::{Hash, blake2_256};

const MAGIC: [u8; 8] = *b"busbar\0\x01";
const MAC_BYTES: usize = 32;

/// What an artifact says of a module.
pub(super) struct Artifact {
    pub(super) entry_gas: u64,
    pub(super) serialised: Serialised,
}

/// The name of a module's artifact.
pub(super) fn name((code_hash, kind): &Key) -> String {
    let hex: String = code_hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}.{kind}")
}

/// Writes the artifact of the module `module` under the node's `key`.
pub(super) fn seal(key: &[u8; 32], module: &Key, artifact: &Artifact) -> Vec<u8> {
    let Serialised { identity, code } = &artifact.serialised;
    let mut bytes = header(module);
    bytes.splice(12..12, identity.as_bytes().iter().copied());
    bytes.extend(artifact.entry_gas.to_le_bytes());
    bytes.extend((code.len() as u64).to_le_bytes());
    bytes.extend(code);
    bytes.extend(authenticate(key, &bytes).as_bytes());
    bytes
}

/// Reads the artifact of the module `module`; `None` unless this node wrote it, for this module, in this version.
pub(super) fn open(key: &[u8; 32], module: &Key, bytes: &[u8]) -> Option<Artifact> {
    let (content, mac) = bytes.split_last_chunk::<MAC_BYTES>()?;
    if !same(authenticate(key, content).as_bytes(), mac) {
        return None;
    }
    let (start, rest) = content.split_first_chunk::<12>()?;
    let (identity, rest) = rest.split_first_chunk::<32>()?;
    let (named, rest) = rest.split_first_chunk::<33>()?;
    if header(module) != [&start[..], named].concat() {
        return None;
    }
    let (entry_gas, rest) = rest.split_first_chunk()?;
    let (length, code) = rest.split_first_chunk()?;
    (u64::from_le_bytes(*length) == code.len() as u64).then(|| Artifact {
        entry_gas: u64::from_le_bytes(*entry_gas),
        serialised: Serialised { identity: Hash(*identity), code: code.to_vec() },
    })
}

/// What is known beforehand of a module's artifact: layout, version, code and kind.
fn header((code_hash, kind): &Key) -> Vec<u8> {
    let kind = match kind {
        Kind::Pure => 0,
        Kind::Stateful => 1,
    };
    [&MAGIC[..], &PASS_VERSION.to_le_bytes(), code_hash.as_bytes(), &[kind]].concat()
}

fn authenticate(key: &[u8; 32], content: &[u8]) -> Hash {
    blake2_256(&[key, content].concat())
}

/// Compares without telling by its time where two codes differ.
fn same(one: &[u8; MAC_BYTES], other: &[u8; MAC_BYTES]) -> bool {
    one.iter().zip(other).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}

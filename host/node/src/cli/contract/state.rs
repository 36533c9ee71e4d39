//! The file in which a sandbox rests between two runs.
//!
//! ```text
//! { "format": "busbar-sandbox", "version": 1,
//!   "root":      0x…              root of the state's trie, as a header would commit to it
//!   "contracts": [ 0x…, … ]       addresses in the order in which they were made
//!   "state":     { 0x…: 0x…, … }  every storage key with its value }
//! ```
//! A file whose state has another root is refused: storage that does not decode would stop the run in the middle.

use crate::files::{STATE_BYTES_MAX, read_at_most};
use anyhow::Context as _;
use runtime_primitives::{AccountId, Hash};
use runtime_state::{ChangeSet, MemoryState, State as _};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

const FORMAT: &str = "busbar-sandbox";
const VERSION: u32 = 1;

/// A sandbox at rest.
#[derive(Clone, Default)]
pub(super) struct Saved {
    pub state: MemoryState,
    /// In the order in which they were made.
    pub contracts: Vec<AccountId>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    format: String,
    version: u32,
    root: String,
    contracts: Vec<String>,
    state: BTreeMap<String, String>,
}

/// What of a file is read before its version is known.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

impl Saved {
    /// Read `path`; nothing has happened yet if there is no such file.
    ///
    /// # Errors
    /// If the file cannot be read, is too large, or is no state of this format and version.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        if !path.try_exists().with_context(|| format!("cannot look for {}", path.display()))? {
            return Ok(Self::default());
        }
        let bytes =
            read_at_most(path, STATE_BYTES_MAX).with_context(|| format!("cannot read {}", path.display()))?;
        Self::from_text(&bytes).with_context(|| {
            format!("{} is no sandbox state; name another file, or remove it to start afresh", path.display())
        })
    }

    fn from_text(bytes: &[u8]) -> anyhow::Result<Self> {
        let head: Head = serde_json::from_slice(bytes)?;
        anyhow::ensure!(head.format == FORMAT, "its format is {:?}, not {FORMAT:?}", head.format);
        anyhow::ensure!(head.version == VERSION, "its version is {}, not {VERSION}", head.version);
        let text: Text = serde_json::from_slice(bytes)?;
        let mut changes = ChangeSet::new();
        for (key, value) in &text.state {
            changes.insert(unhex(key)?, Some(unhex(value)?));
        }
        let mut state = MemoryState::new();
        let root = state.commit(&changes);
        anyhow::ensure!(text.root == root.to_string(), "its root is {}, its state's is {root}", text.root);
        let account = |text: &String| -> anyhow::Result<AccountId> {
            let bytes = <[u8; 32]>::try_from(unhex(text)?);
            Ok(AccountId(bytes.map_err(|_| anyhow::anyhow!("{text:?} is no account"))?))
        };
        Ok(Self { state, contracts: text.contracts.iter().map(account).collect::<Result<_, _>>()? })
    }

    /// Put this at `path`: all of it, or what was there before.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let hex0x = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
        let root: Hash = self.state.root();
        let text = Text {
            format: FORMAT.to_owned(),
            version: VERSION,
            root: root.to_string(),
            contracts: self.contracts.iter().map(|contract| hex0x(&contract.0)).collect(),
            state: self.state.iter().map(|(key, value)| (hex0x(key), hex0x(value))).collect(),
        };
        let mut bytes = serde_json::to_vec_pretty(&text)?;
        bytes.push(b'\n');
        replace(path, &bytes).with_context(|| format!("cannot write {}", path.display()))
    }
}

fn unhex(text: &str) -> anyhow::Result<Vec<u8>> {
    let digits = text.strip_prefix("0x").with_context(|| format!("{text:?} does not begin with 0x"))?;
    hex::decode(digits).map_err(|error| anyhow::anyhow!("{text:?}: {error}"))
}

/// Put `bytes` at `path` in one step: written beside it, synced, renamed.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let mut beside = name.to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(beside);
    let written = File::create_new(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    written.inspect_err(|_| {
        // The first failure is the one to report.
        let _ = fs::remove_file(&beside);
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tempfile::TempDir;

    fn saved() -> Saved {
        let mut saved = Saved { contracts: vec![AccountId([2; 32]), AccountId([1; 32])], ..Saved::default() };
        let changes = [(b"key".to_vec(), Some(b"value".to_vec())), (b"empty".to_vec(), Some(vec![]))];
        saved.state.commit(&changes.into());
        saved
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("state");
        assert_eq!(Saved::read(&path).unwrap().state.iter().count(), 0, "no file is an empty state");
        for _ in 0..2 {
            saved().write(&path).unwrap();
            let read = Saved::read(&path).unwrap();
            assert_eq!((read.state.root(), read.contracts), (saved().state.root(), saved().contracts));
        }
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["state"], "nothing is left beside it");
        assert!(saved().write(&folder.path().join("no/folder")).is_err());
    }

    #[test]
    fn what_is_no_state_is_refused_by_name() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("state");
        saved().write(&path).unwrap();
        let good: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let change = |key: &str, value: Value| {
            let mut changed = good.clone();
            changed[key] = value;
            changed.to_string()
        };
        for (text, words) in [
            (String::new(), "EOF"),
            ("garbage".to_owned(), "expected value"),
            ("{}".to_owned(), "missing field `format`"),
            (change("format", json!("keys")), "its format is \"keys\""),
            (change("version", json!(2)), "its version is 2, not 1"),
            (change("more", json!(0)), "unknown field `more`"),
            (change("root", json!("0x00")), "its root is 0x00, its state's is 0x"),
            (change("state", json!({ "0x01": "0x02" })), "its root is"),
            (change("state", json!({ "0x01": "02" })), "does not begin with 0x"),
            (change("state", json!({ "0xg1": "0x02" })), "Invalid character"),
            (change("contracts", json!(["0x12"])), "\"0x12\" is no account"),
        ] {
            fs::write(&path, &text).unwrap();
            let error = format!("{:#}", Saved::read(&path).map(drop).unwrap_err());
            assert!(error.contains(words) && error.contains("is no sandbox state"), "{text}: {error}");
            assert!(error.contains(&path.display().to_string()), "{error}");
        }
        let large = File::create(&path).unwrap();
        large.set_len(STATE_BYTES_MAX + 1).unwrap();
        assert!(format!("{:#}", Saved::read(&path).map(drop).unwrap_err()).contains("more than 64 MiB"));
    }
}

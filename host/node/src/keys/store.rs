//! The encrypted key store: one JSON file a key. The only file that turns stored secrets into keys.
//!
//! ```text
//! { "version": 1, "scheme": "sr25519", "address": SS58,
//!   "kdf":    { "name": "scrypt", "log_n", "r", "p", "salt": 32 bytes hex },
//!   "cipher": { "name": "xchacha20poly1305", "nonce": 24 bytes hex, "text": 64 + 16 bytes hex } }
//! key = scrypt(passphrase, salt)        text = the expanded secret key, encrypted
//! associated data = "busbar-key" ++ version ++ address ++ kdf parameters, so that no field can be exchanged
//! ```
//! Files are created with mode 0600, never overwritten, and refused if others may read them.

use super::error::KeyError;
use super::pair::KeyPair;
use super::ss58::Ss58;
use crate::files::{KEY_BYTES_MAX, read_at_most};
use chacha20poly1305::{AeadInOut, Key, KeyInit, XChaCha20Poly1305, XNonce};
use rand_core::{OsRng, RngCore};
use runtime_primitives::AccountId;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const VERSION: u32 = 1;
const SCHEME: &str = "sr25519";
const KDF: &str = "scrypt";
const CIPHER: &str = "xchacha20poly1305";
const EXTENSION: &str = "json";
const NAME_BYTES_MAX: usize = 64;

/// What guessing one passphrase costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    log_n: u8,
    r: u32,
    p: u32,
}

impl Cost {
    /// 128 MiB and some tenths of a second a guess.
    pub const PRODUCTION: Self = Self { log_n: 17, r: 8, p: 1 };
    /// Almost nothing.
    #[cfg(test)]
    pub(super) const TEST: Self = Self { log_n: 4, r: 8, p: 1 };

    /// The most that a file may ask for, 512 MiB: opening a foreign file must not exhaust the machine.
    const MAX: Self = Self { log_n: 19, r: 8, p: 4 };

    fn within(self, max: Self) -> bool {
        self.log_n <= max.log_n && self.r <= max.r && self.p <= max.p
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    version: u32,
    scheme: String,
    address: String,
    kdf: Kdf,
    cipher: Cipher,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kdf {
    name: String,
    log_n: u8,
    r: u32,
    p: u32,
    salt: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cipher {
    name: String,
    nonce: String,
    text: String,
}

/// A key in the store, as far as it is visible without its passphrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Its name in this store.
    pub name: String,
    /// Its account, as the file says; proven only by opening it.
    pub account: AccountId,
    /// Its file.
    pub path: PathBuf,
}

/// A folder of encrypted keys.
#[derive(Clone, Debug)]
pub struct KeyStore {
    folder: PathBuf,
    cost: Cost,
}

impl KeyStore {
    /// The store in `folder`, which is created with the first key; new files get `cost`.
    pub const fn new(folder: PathBuf, cost: Cost) -> Self {
        Self { folder, cost }
    }

    /// Encrypt `pair` under `passphrase` into a new file and return its path.
    ///
    /// # Errors
    /// [`KeyError::Name`], [`KeyError::EmptyPassphrase`], [`KeyError::Exists`], [`KeyError::Io`].
    pub fn add(&self, name: &str, pair: &KeyPair, passphrase: &str) -> Result<PathBuf, KeyError> {
        let path = self.vacant(name)?;
        if passphrase.is_empty() {
            return Err(KeyError::EmptyPassphrase);
        }
        let file = seal(pair, passphrase, self.cost);
        let mut text = serde_json::to_string_pretty(&file).expect("strings and numbers are JSON");
        text.push('\n');
        create_private_folder(&self.folder).map_err(KeyError::io(&self.folder))?;
        match write_private_file(&path, text.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(KeyError::Exists(path)),
            Err(source) => Err(KeyError::Io { path, source }),
            Ok(()) => Ok(path),
        }
    }

    /// Decrypt the key called `name`.
    ///
    /// # Errors
    /// [`KeyError::Missing`], [`KeyError::Exposed`], [`KeyError::Malformed`], [`KeyError::Unsupported`],
    /// [`KeyError::Locked`], [`KeyError::Io`].
    pub fn open(&self, name: &str, passphrase: &str) -> Result<KeyPair, KeyError> {
        let path = self.path(name)?;
        refuse_exposed(&path)?;
        unseal(&read(&path)?, passphrase, &path)
    }

    /// All keys, by name. Files that are no key files are an error: somebody's key may be damaged.
    ///
    /// # Errors
    /// [`KeyError::Malformed`], [`KeyError::Unsupported`], [`KeyError::Io`], or what is wrong with an address.
    pub fn list(&self) -> Result<Vec<StoredKey>, KeyError> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(KeyError::io(&self.folder))?,
        };
        let mut keys = Vec::new();
        for entry in entries {
            let path = entry.map_err(KeyError::io(&self.folder))?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let (true, Some(name)) = (path.extension().is_some_and(|e| e == EXTENSION), stem) else {
                continue;
            };
            let account = read(&path)?.address.parse::<Ss58>()?.account;
            keys.push(StoredKey { name: name.to_owned(), account, path: path.clone() });
        }
        keys.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(keys)
    }

    /// The path of a key yet to be added, so that nobody is asked for a passphrase in vain.
    ///
    /// # Errors
    /// [`KeyError::Name`], [`KeyError::Exists`].
    pub(super) fn vacant(&self, name: &str) -> Result<PathBuf, KeyError> {
        let path = self.path(name)?;
        // Only a courtesy: what forbids overwriting is how the file is created.
        if path.exists() { Err(KeyError::Exists(path)) } else { Ok(path) }
    }

    fn path(&self, name: &str) -> Result<PathBuf, KeyError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if name.len() > NAME_BYTES_MAX || !starts_well || !name.chars().all(allowed) {
            return Err(KeyError::Name(name.to_owned()));
        }
        Ok(self.folder.join(name).with_extension(EXTENSION))
    }
}

fn seal(pair: &KeyPair, passphrase: &str, cost: Cost) -> KeyFile {
    let (mut salt, mut nonce) = ([0; 32], [0; 24]);
    OsRng.fill_bytes(&mut salt);
    OsRng.fill_bytes(&mut nonce);
    let Cost { log_n, r, p } = cost;
    let kdf = Kdf { name: KDF.to_owned(), log_n, r, p, salt: hex::encode(salt) };
    let address = pair.address();
    let secret = pair.secret_bytes();
    // Room for the tag, so that the vector never moves and leaves a copy of the secret behind.
    let mut text = Vec::with_capacity(secret.len() + 16);
    text.extend_from_slice(secret.as_slice());
    cipher(passphrase, &salt, cost)
        .encrypt_in_place(&XNonce::from(nonce), &associated_data(&address, cost), &mut text)
        .expect("64 bytes are far below the cipher's limit");
    let cipher = Cipher { name: CIPHER.to_owned(), nonce: hex::encode(nonce), text: hex::encode(&text) };
    KeyFile { version: VERSION, scheme: SCHEME.to_owned(), address, kdf, cipher }
}

fn unseal(file: &KeyFile, passphrase: &str, path: &Path) -> Result<KeyPair, KeyError> {
    let unsupported =
        |field, found: &str| KeyError::Unsupported { path: path.to_owned(), field, found: found.to_owned() };
    let locked = || KeyError::Locked(path.to_owned());
    let Kdf { log_n, r, p, .. } = file.kdf;
    let cost = Cost { log_n, r, p };
    for (field, found, expected) in [
        ("scheme", &file.scheme, SCHEME),
        ("kdf.name", &file.kdf.name, KDF),
        ("cipher.name", &file.cipher.name, CIPHER),
    ] {
        if found != expected {
            return Err(unsupported(field, found));
        }
    }
    if !cost.within(Cost::MAX) || scrypt::Params::new(log_n, r, p).is_err() {
        return Err(unsupported("kdf", &format!("log_n {log_n}, r {r}, p {p}")));
    }
    let (mut salt, mut nonce) = ([0; 32], [0; 24]);
    hex::decode_to_slice(&file.kdf.salt, &mut salt).map_err(|_| locked())?;
    hex::decode_to_slice(&file.cipher.nonce, &mut nonce).map_err(|_| locked())?;
    let mut text = Zeroizing::new(hex::decode(&file.cipher.text).map_err(|_| locked())?);
    cipher(passphrase, &salt, cost)
        .decrypt_in_place(&XNonce::from(nonce), &associated_data(&file.address, cost), &mut *text)
        .map_err(|_| locked())?;
    let pair = KeyPair::from_secret_bytes(&text)?;
    // The address is authenticated, so this fails only for a file that was written wrongly.
    if pair.address() == file.address { Ok(pair) } else { Err(locked()) }
}

fn cipher(passphrase: &str, salt: &[u8; 32], cost: Cost) -> XChaCha20Poly1305 {
    let params =
        scrypt::Params::new(cost.log_n, cost.r, cost.p).expect("the cost is one of ours or was checked");
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(passphrase.as_bytes(), salt, &params, key.as_mut()).expect("32 bytes can be derived");
    XChaCha20Poly1305::new(&Key::from(*key))
}

fn associated_data(address: &str, cost: Cost) -> Vec<u8> {
    format!("busbar-key/{VERSION}/{SCHEME}/{address}/{KDF}/{}/{}/{}/{CIPHER}", cost.log_n, cost.r, cost.p)
        .into_bytes()
}

fn read(path: &Path) -> Result<KeyFile, KeyError> {
    let text = match read_at_most(path, KEY_BYTES_MAX) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(KeyError::Missing(path.to_owned()));
        }
        text => text.map_err(KeyError::io(path))?,
    };
    let file: KeyFile = serde_json::from_slice(&text)
        .map_err(|source| KeyError::Malformed { path: path.to_owned(), source })?;
    if file.version == VERSION {
        return Ok(file);
    }
    let found = file.version.to_string();
    Err(KeyError::Unsupported { path: path.to_owned(), field: "version", found })
}

#[cfg(unix)]
fn refuse_exposed(path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    // A file that is not there is reported by whoever reads it.
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyError::Exposed { path: path.to_owned(), mode }) }
}

/// Elsewhere a file inherits its folder's access list.
#[cfg(not(unix))]
const fn refuse_exposed(_: &Path) -> Result<(), KeyError> {
    Ok(())
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Create `path` for the owner alone and write it through to the disk. A half-written file is removed.
fn write_private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).inspect_err(|_| {
        // The first failure is the one to report.
        let _ = fs::remove_file(path);
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::Value;
    use tempfile::TempDir;

    fn store() -> (TempDir, KeyStore) {
        let folder = TempDir::new().unwrap();
        let store = KeyStore::new(folder.path().join("keys"), Cost::TEST);
        (folder, store)
    }

    fn rewrite(path: &Path, change: impl FnOnce(&mut Value)) {
        let mut value: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        change(&mut value);
        fs::write(path, value.to_string()).unwrap();
    }

    #[test]
    fn keys_come_back_under_their_passphrase_only() {
        let (_folder, store) = store();
        assert_eq!(store.list().unwrap(), vec![]);
        for (name, uri) in [("bob", "//Bob"), ("alice-2", "//Alice/soft")] {
            let pair: KeyPair = uri.parse().unwrap();
            let path = store.add(name, &pair, "opensesame").unwrap();
            assert!(
                !fs::read_to_string(path).unwrap().contains(&hex::encode(pair.secret_bytes().as_slice()))
            );
            let opened = store.open(name, "opensesame").unwrap();
            assert_eq!(opened.secret_bytes(), pair.secret_bytes());
            assert!(matches!(store.open(name, "opensesamE"), Err(KeyError::Locked(_))));
        }
        let names: Vec<_> = store.list().unwrap().into_iter().map(|key| (key.name, key.account)).collect();
        let account = |uri: &str| uri.parse::<KeyPair>().unwrap().account();
        assert_eq!(
            names,
            [("alice-2".to_owned(), account("//Alice/soft")), ("bob".to_owned(), account("//Bob"))]
        );
    }

    #[test]
    fn one_key_is_never_sealed_alike_twice() {
        let pair: KeyPair = "//Alice".parse().unwrap();
        let (a, b) = (seal(&pair, "x", Cost::TEST), seal(&pair, "x", Cost::TEST));
        assert_ne!((a.kdf.salt, a.cipher.nonce, a.cipher.text), (b.kdf.salt, b.cipher.nonce, b.cipher.text));
    }

    #[test]
    fn every_altered_field_is_noticed() {
        let flip = |text: &Value| {
            let text = text.as_str().unwrap();
            let first = if text.starts_with('0') { "1" } else { "0" };
            Value::from(format!("{first}{}", &text[1..]))
        };
        let bob = Value::from("5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty");
        type Change = Box<dyn Fn(&mut Value)>;
        let changes: Vec<(&str, Change)> = vec![
            ("does not open", Box::new(move |v| v["address"] = bob.clone())),
            ("does not open", Box::new(move |v| v["kdf"]["salt"] = flip(&v["kdf"]["salt"]))),
            ("does not open", Box::new(|v| v["kdf"]["salt"] = "00".into())),
            ("does not open", Box::new(|v| v["kdf"]["log_n"] = 5.into())),
            ("does not open", Box::new(|v| v["kdf"]["r"] = 4.into())),
            ("does not open", Box::new(|v| v["kdf"]["p"] = 2.into())),
            ("does not open", Box::new(move |v| v["cipher"]["nonce"] = flip(&v["cipher"]["nonce"]))),
            ("does not open", Box::new(move |v| v["cipher"]["text"] = flip(&v["cipher"]["text"]))),
            ("does not open", Box::new(|v| v["cipher"]["text"] = "".into())),
            ("version is 2", Box::new(|v| v["version"] = 2.into())),
            ("scheme is ed25519", Box::new(|v| v["scheme"] = "ed25519".into())),
            ("kdf.name is none", Box::new(|v| v["kdf"]["name"] = "none".into())),
            ("cipher.name is xor", Box::new(|v| v["cipher"]["name"] = "xor".into())),
            ("kdf is log_n 40", Box::new(|v| v["kdf"]["log_n"] = 40.into())),
            ("kdf is log_n 4, r 0", Box::new(|v| v["kdf"]["r"] = 0.into())),
            ("is not a key file", Box::new(|v| v["hint"] = "my cat".into())),
            ("is not a key file", Box::new(|v| *v = Value::Null)),
        ];
        for (expected, change) in changes {
            let (_folder, store) = store();
            let path = store.add("alice", &"//Alice".parse().unwrap(), "opensesame").unwrap();
            rewrite(&path, change);
            let error = store.open("alice", "opensesame").unwrap_err().to_string();
            assert!(error.contains(expected), "{error} lacks {expected}");
        }
    }

    #[test]
    fn names_and_passphrases_have_rules() {
        let (_folder, store) = store();
        let pair: KeyPair = "//Alice".parse().unwrap();
        for name in ["", "../alice", "a/b", "Alice", "-a", "a.json", "é", &"a".repeat(65)] {
            assert!(matches!(store.add(name, &pair, "x"), Err(KeyError::Name(n)) if n == name), "{name}");
        }
        assert!(matches!(store.add("alice", &pair, ""), Err(KeyError::EmptyPassphrase)));
        assert!(matches!(store.open("alice", "x"), Err(KeyError::Missing(_))));
        store.add("alice", &pair, "x").unwrap();
        assert!(matches!(store.add("alice", &"//Bob".parse().unwrap(), "y"), Err(KeyError::Exists(_))));
        assert_eq!(store.open("alice", "x").unwrap().account(), pair.account());
    }

    #[cfg(unix)]
    #[test]
    fn files_belong_to_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (_folder, store) = store();
        let path = store.add("alice", &"//Alice".parse().unwrap(), "x").unwrap();
        assert_eq!((mode(&path), mode(&store.folder)), (0o600, 0o700));
        for exposed in [0o640, 0o604, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(exposed)).unwrap();
            let error = store.open("alice", "x").unwrap_err();
            assert!(matches!(error, KeyError::Exposed { mode, .. } if mode == exposed));
        }
    }

    #[test]
    fn damaged_files_are_reported_and_others_ignored() {
        let (_folder, store) = store();
        let path = store.add("alice", &"//Alice".parse().unwrap(), "x").unwrap();
        fs::write(store.folder.join("README"), "not a key").unwrap();
        assert_eq!(store.list().unwrap().len(), 1);
        fs::write(&path, "{").unwrap();
        assert!(matches!(store.list(), Err(KeyError::Malformed { .. })));
    }
}

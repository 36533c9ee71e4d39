//! The folder of compiled contracts beside the chain.
//!
//! What is in it is machine code that this node wrote and will run, so the folder is the node's alone: artifacts carry a
//! code of authentication under a key that lies in it, readable by its owner only. They never come from or go to other
//! machines. Everything here can be made again: the folder may be deleted at any time, by the owner or by an error.
//!
//! ```text
//!   code-cache/           0700
//!     key                 0600, 32 random bytes
//!     <code hash>.<kind>  0600, an artifact of the VM
//!     *.tmp               being written; removed at the next start
//! ```

use rand_core::{OsRng, RngCore};
use runtime_vm::Shelf;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use thiserror::Error;

/// Bytes of all artifacts together: some thousand contracts of ordinary size.
pub const CODE_CACHE_BYTES_MAX: u64 = 1 << 30;

const KEY_FILE: &str = "key";
const UNFINISHED: &str = "tmp";

/// Why the folder cannot be used.
#[derive(Debug, Error)]
pub enum CodeCacheError {
    /// It cannot be made, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody else could put machine code there.
    #[error(
        "others own or may write {}, from which this node loads machine code: delete it, the node makes a new one",
        path.display()
    )]
    NotPrivate {
        /// The folder.
        path: PathBuf,
    },
}

/// The folder.
pub struct CodeCache {
    folder: PathBuf,
    index: Mutex<Index>,
}

/// What is in the folder.
#[derive(Default)]
struct Index {
    /// By name: bytes, and when it was used last.
    artifacts: BTreeMap<String, (u64, SystemTime)>,
    bytes: u64,
    bytes_max: u64,
}

impl CodeCache {
    /// Opens or makes `folder` for artifacts of at most `bytes_max` bytes together; also the key that they carry.
    ///
    /// # Errors
    /// [`CodeCacheError`].
    pub fn open(folder: &Path, bytes_max: u64) -> Result<(Self, [u8; 32]), CodeCacheError> {
        let io = |source| CodeCacheError::Io { path: folder.to_owned(), source };
        make_private(folder).map_err(io)?;
        // Whoever owns a file that was just made is this process.
        let probe = folder.join(format!("probe.{UNFINISHED}"));
        let _ = fs::remove_file(&probe);
        write_private(&probe, &[]).map_err(io)?;
        if !is_private(folder, &probe).map_err(io)? {
            let _ = fs::remove_file(&probe);
            return Err(CodeCacheError::NotPrivate { path: folder.to_owned() });
        }
        let key = key(folder, &probe).map_err(io)?;
        let mut index = Index { bytes_max, ..Index::default() };
        for entry in fs::read_dir(folder).map_err(io)? {
            let entry = entry.map_err(io)?;
            let (path, Ok(name)) = (entry.path(), entry.file_name().into_string()) else { continue };
            if path.extension().is_some_and(|extension| extension == UNFINISHED) {
                let _ = fs::remove_file(path);
            } else if name != KEY_FILE {
                let metadata = entry.metadata().map_err(io)?;
                index.insert(name, metadata.len(), metadata.modified().map_err(io)?);
            }
        }
        let this = Self { folder: folder.to_owned(), index: Mutex::new(index) };
        this.evict(&mut this.index());
        Ok((this, key))
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // At worst it disagrees with the folder, and then misses.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes beside and renames: readers and crashes see the old file or the new one. It is not synced, since a file
    /// that a power failure tore is not authentic.
    fn write(&self, name: &str, artifact: &[u8]) -> io::Result<()> {
        let unfinished = self.folder.join(format!("{name}.{UNFINISHED}"));
        let _ = fs::remove_file(&unfinished);
        let written = write_private(&unfinished, artifact)
            .and_then(|()| fs::rename(&unfinished, self.folder.join(name)));
        written.inspect_err(|_| {
            let _ = fs::remove_file(&unfinished);
        })
    }

    /// Removes what was not used for longest until the rest fits.
    fn evict(&self, index: &mut Index) {
        while index.bytes > index.bytes_max {
            let Some(oldest) = index.artifacts.iter().min_by_key(|(_, (_, used))| *used) else { return };
            let name = oldest.0.clone();
            let _ = fs::remove_file(self.folder.join(&name));
            index.remove(&name);
        }
    }
}

impl Index {
    fn insert(&mut self, name: String, bytes: u64, used: SystemTime) {
        self.remove(&name);
        self.bytes += bytes;
        self.artifacts.insert(name, (bytes, used));
    }

    fn remove(&mut self, name: &str) {
        if let Some((bytes, _)) = self.artifacts.remove(name) {
            self.bytes -= bytes;
        }
    }
}

impl Shelf for CodeCache {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        let path = self.folder.join(name);
        let artifact = fs::read(&path).ok()?;
        let now = SystemTime::now();
        // For the next start. Failing is being evicted too soon.
        let _ = File::options().write(true).open(&path).and_then(|file| file.set_modified(now));
        self.index().insert(name.to_owned(), artifact.len() as u64, now);
        Some(artifact)
    }

    fn put(&self, name: &str, artifact: &[u8]) {
        let mut index = self.index();
        // A full or broken disk costs the next start a compilation, nothing else.
        if self.write(name, artifact).is_ok() {
            index.insert(name.to_owned(), artifact.len() as u64, SystemTime::now());
            self.evict(&mut index);
        }
    }
}

/// The key in `folder`; a new one if there is none, or one that others could have read or written.
fn key(folder: &Path, ours: &Path) -> io::Result<[u8; 32]> {
    let path = folder.join(KEY_FILE);
    if is_secret(&path, ours)
        && let Ok(Ok(key)) = fs::read(&path).map(<[u8; 32]>::try_from)
    {
        return Ok(key);
    }
    let mut key = [0; 32];
    OsRng.fill_bytes(&mut key);
    let unfinished = folder.join(format!("{KEY_FILE}.{UNFINISHED}"));
    let _ = fs::remove_file(&unfinished);
    write_private(&unfinished, &key)?;
    fs::rename(&unfinished, path)?;
    Ok(key)
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}

/// Whether nobody but the owner of `ours` may write into `folder`.
#[cfg(unix)]
fn is_private(folder: &Path, ours: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (folder, ours) = (fs::metadata(folder)?, fs::metadata(ours)?);
    Ok(folder.uid() == ours.uid() && folder.mode() & 0o022 == 0)
}

/// Whether `path` is a file that nobody but the owner of `ours` may read or write.
#[cfg(unix)]
fn is_secret(path: &Path, ours: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(file), Ok(ours)) = (fs::symlink_metadata(path), fs::metadata(ours)) else { return false };
    file.is_file() && file.uid() == ours.uid() && file.mode() & 0o077 == 0
}

/// Elsewhere files inherit their folder's access list.
#[cfg(not(unix))]
const fn is_private(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(not(unix))]
fn is_secret(path: &Path, _: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use tempfile::TempDir;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn artifacts_and_key_outlive_the_process() {
        let folder = TempDir::new().unwrap();
        let folder = folder.path().join("cache");
        let (cache, key) = CodeCache::open(&folder, 1_000).unwrap();
        assert_eq!(cache.get("a.pure"), None);
        cache.put("a.pure", b"one");
        cache.put("a.pure", b"two");
        fs::write(folder.join("b.pure.tmp"), b"half").unwrap();
        drop(cache);
        let (cache, same) = CodeCache::open(&folder, 1_000).unwrap();
        assert_eq!((cache.get("a.pure"), same), (Some(b"two".to_vec()), key));
        assert_eq!(names(&folder), ["a.pure", "key"]);
    }

    #[test]
    fn what_was_used_last_stays() {
        let folder = TempDir::new().unwrap();
        let folder = folder.path().join("cache");
        let (cache, _) = CodeCache::open(&folder, 30).unwrap();
        for name in ["a", "b", "c"] {
            cache.put(name, &[0; 10]);
        }
        assert!(cache.get("a").is_some());
        cache.put("d", &[0; 10]);
        assert_eq!(names(&folder), ["a", "c", "d", "key"]);
        drop(cache);
        let (cache, _) = CodeCache::open(&folder, 20).unwrap();
        assert_eq!(names(&folder), ["a", "d", "key"], "uses are remembered");
        cache.put("e", &[0; 21]);
        assert_eq!(names(&folder), ["key"], "what never fits is not kept");
    }

    #[test]
    #[cfg(unix)]
    fn nobody_else_can_read_or_write() {
        use std::os::unix::fs::PermissionsExt;
        let folder = TempDir::new().unwrap();
        let folder = folder.path().join("cache");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let (cache, key) = CodeCache::open(&folder, 100).unwrap();
        cache.put("a", b"one");
        assert_eq!(
            [mode(&folder), mode(&folder.join("key")), mode(&folder.join("a"))],
            [0o700, 0o600, 0o600]
        );

        for open in [0o720, 0o702, 0o777] {
            set(&folder, open);
            assert!(matches!(CodeCache::open(&folder, 100), Err(CodeCacheError::NotPrivate { .. })));
        }
        set(&folder, 0o755);
        assert_eq!(CodeCache::open(&folder, 100).unwrap().1, key, "others may look at the names");
        set(&folder.join("key"), 0o640);
        assert_ne!(CodeCache::open(&folder, 100).unwrap().1, key, "a key that others could read is none");
        fs::write(folder.join("key"), b"short").unwrap();
        assert_ne!(CodeCache::open(&folder, 100).unwrap().1, key);
        assert_eq!(mode(&folder.join("key")), 0o600);
    }
}

//! Files that people name: every one is read to a limit, which is here.
//!
//! The rule: nothing is believed about a file before it is read; a device or a pipe says that it has no bytes, or never
//! ends.

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest as _};
use runtime_primitives::Hash;
use runtime_primitives::limits::CODE_BYTES_MAX;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Code as text, which is longer than the code that it stands for.
pub const CODE_TEXT_BYTES_MAX: u64 = 16 << 20;
/// Code as the chain takes it.
pub const CODE_FILE_BYTES_MAX: u64 = CODE_BYTES_MAX as u64;
/// A sandbox's state.
pub const STATE_BYTES_MAX: u64 = 64 << 20;
/// A book: a full slot, generously written.
pub const BOOK_BYTES_MAX: u64 = 64 << 20;
/// A chain spec, with its rules as hexadecimal digits.
pub const CHAIN_SPEC_BYTES_MAX: u64 = 64 << 20;
/// A household's plan: years of quarter-hours.
pub const PLAN_BYTES_MAX: u64 = 64 << 20;
/// A market spec: a hundred times the default one.
pub const MARKET_SPEC_BYTES_MAX: u64 = 512 << 10;
/// A sealed order.
pub const SEALED_ORDER_BYTES_MAX: u64 = 64 << 10;
/// A key or its passphrase.
pub const KEY_BYTES_MAX: u64 = 64 << 10;
/// A document whose hash is taken; it is never in memory.
pub const EVIDENCE_BYTES_MAX: u64 = 4 << 30;

/// The bytes of the file at `path`.
///
/// # Errors
/// If it cannot be read, or has more than `limit` bytes.
pub fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    drain(File::open(path)?, limit)
}

/// Its text.
///
/// # Errors
/// As [`read_at_most`], and if it is no UTF-8.
pub fn text_at_most(path: &Path, limit: u64) -> io::Result<String> {
    text(read_at_most(path, limit)?)
}

/// Bytes as text.
///
/// # Errors
/// If they are no UTF-8.
pub fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// All of `source`.
///
/// # Errors
/// If it cannot be read, or has more than `limit` bytes.
pub fn drain(source: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

/// blake2-256 of the file at `path`.
///
/// # Errors
/// If it cannot be read, or has more than [`EVIDENCE_BYTES_MAX`] bytes.
pub fn hash(path: &Path) -> io::Result<Hash> {
    let mut hasher = Blake2b::<U32>::new();
    let mut source = File::open(path)?.take(EVIDENCE_BYTES_MAX + 1);
    let mut buffer = vec![0; 64 << 10];
    loop {
        match source.read(&mut buffer) {
            Ok(0) if source.limit() == 0 => return Err(too_large(EVIDENCE_BYTES_MAX)),
            Ok(0) => return Ok(Hash(hasher.finalize().into())),
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn too_large(limit: u64) -> io::Error {
    let size = if limit < 1 << 20 { format!("{} KiB", limit >> 10) } else { format!("{} MiB", limit >> 20) };
    io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {size}, which is the most that is read"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use runtime_primitives::blake2_256;

    #[test]
    fn a_limit_is_kept_whatever_the_file_says() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("file");
        let bytes = [7, 200, 255, 3, 9].repeat(40_000);
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(read_at_most(&path, 200_000).unwrap(), bytes);
        assert_eq!(hash(&path).unwrap(), blake2_256(&bytes), "the hash of a stream is that of its bytes");
        assert_eq!(text_at_most(&path, 200_000).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let over = read_at_most(&path, 199_999).unwrap_err();
        assert!(over.to_string().contains("more than 195 KiB"), "{over}");
        let zeros = read_at_most(Path::new("/dev/zero"), 1 << 20).unwrap_err();
        assert_eq!(zeros.kind(), io::ErrorKind::FileTooLarge, "{zeros}");
    }
}

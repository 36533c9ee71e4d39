//! The contract's memory: the only reader and the only writer.
//!
//! Every access is bounds-checked here; no host function sees the slice.

use crate::HostTrap;

/// The memory of the running contract.
pub(crate) struct GuestMemory<'a>(&'a mut [u8]);

impl<'a> GuestMemory<'a> {
    pub(super) fn new(bytes: &'a mut [u8]) -> Self {
        Self(bytes)
    }

    /// `length` bytes at `pointer`.
    pub(super) fn read(&self, pointer: u32, length: u32) -> Result<&[u8], HostTrap> {
        let start = pointer as usize;
        self.0
            .get(start..)
            .and_then(|tail| tail.get(..length as usize))
            .ok_or(HostTrap::OutOfBounds { pointer, length: u64::from(length) })
    }

    /// `N` bytes at `pointer`.
    pub(super) fn read_array<const N: usize>(&self, pointer: u32) -> Result<[u8; N], HostTrap> {
        let tail = self.0.get(pointer as usize..).and_then(<[u8]>::first_chunk);
        tail.copied().ok_or(HostTrap::OutOfBounds { pointer, length: N as u64 })
    }

    /// The little-endian `u32` at `pointer`.
    pub(super) fn read_u32(&self, pointer: u32) -> Result<u32, HostTrap> {
        self.read_array(pointer).map(u32::from_le_bytes)
    }

    /// Writes `data` at `pointer`.
    pub(super) fn write(&mut self, pointer: u32, data: &[u8]) -> Result<(), HostTrap> {
        let start = pointer as usize;
        self.0
            .get_mut(start..)
            .and_then(|tail| tail.get_mut(..data.len()))
            .ok_or(HostTrap::OutOfBounds { pointer, length: data.len() as u64 })?
            .copy_from_slice(data);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn no_access_leaves_the_memory() {
        let mut bytes = [7u8; 8];
        let mut memory = GuestMemory::new(&mut bytes);
        for (pointer, length, inside) in [
            (0, 8, true),
            (8, 0, true),
            (9, 0, false),
            (1, 8, false),
            (u32::MAX, 1, false),
            (u32::MAX, u32::MAX, false),
            (4, u32::MAX, false),
        ] {
            assert_eq!(memory.read(pointer, length).is_ok(), inside, "{pointer} {length}");
        }
        assert_eq!(memory.read_u32(4).unwrap(), 0x0707_0707);
        assert!(memory.read_u32(5).is_err());
        assert!(memory.write(7, &[1, 2]).is_err());
        memory.write(6, &[1, 2]).unwrap();
        assert_eq!(bytes, [7, 7, 7, 7, 7, 7, 1, 2]);
    }
}

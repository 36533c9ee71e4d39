//! The host functions that the works import, on plain bytes, for machines that are not ours.
//!
//! They check bounds and nothing else: no gas for what they do, no limits.

use crate::works::Storage;
use runtime_primitives::blake2_256;

/// An address outside the memory.
#[derive(Debug)]
pub struct OutOfBounds;

/// What the host keeps for one call.
pub struct Call {
    /// What the contract was sent.
    pub input: Vec<u8>,
    /// What it answers.
    pub output: Vec<u8>,
    /// What it stored.
    pub storage: Storage,
}

type Done<T> = Result<T, OutOfBounds>;

fn slice(memory: &mut [u8], at: u32, length: usize) -> Done<&mut [u8]> {
    memory.get_mut(at as usize..).and_then(|rest| rest.get_mut(..length)).ok_or(OutOfBounds)
}

fn write(memory: &mut [u8], at: u32, length_at: u32, bytes: &[u8]) -> Done<()> {
    let length = slice(memory, length_at, 4)?;
    let space = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
    if bytes.len() > space as usize {
        return Err(OutOfBounds);
    }
    length.copy_from_slice(&u32::try_from(bytes.len()).map_err(|_| OutOfBounds)?.to_le_bytes());
    slice(memory, at, bytes.len())?.copy_from_slice(bytes);
    Ok(())
}

impl Call {
    /// A call with this input, in this storage.
    pub fn new(input: &[u8], storage: Storage) -> Self {
        Self { input: input.to_vec(), output: Vec::new(), storage }
    }

    /// `seal0::input`.
    pub fn input(&mut self, memory: &mut [u8], at: u32, length_at: u32) -> Done<()> {
        write(memory, at, length_at, &self.input)
    }

    /// `seal0::seal_return`, without its end of the call.
    pub fn seal_return(&mut self, memory: &mut [u8], at: u32, length: u32) -> Done<()> {
        self.output = slice(memory, at, length as usize)?.to_vec();
        Ok(())
    }

    /// `seal0::get_storage`; 3 is the code of a key without a value.
    pub fn get_storage(&mut self, memory: &mut [u8], key_at: u32, at: u32, length_at: u32) -> Done<u32> {
        let Some(value) = self.storage.get(slice(memory, key_at, 32)?) else { return Ok(3) };
        write(memory, at, length_at, value).map(|()| 0)
    }

    /// `seal0::set_storage`.
    pub fn set_storage(&mut self, memory: &mut [u8], key_at: u32, at: u32, length: u32) -> Done<()> {
        let key = slice(memory, key_at, 32)?.to_vec();
        self.storage.insert(key, slice(memory, at, length as usize)?.to_vec());
        Ok(())
    }

    /// `seal0::hash_blake2_256`.
    pub fn hash_blake2_256(&mut self, memory: &mut [u8], at: u32, length: u32, hash_at: u32) -> Done<()> {
        let hash = blake2_256(slice(memory, at, length as usize)?);
        slice(memory, hash_at, 32)?.copy_from_slice(&hash.0);
        Ok(())
    }
}

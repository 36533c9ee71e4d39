//! Parameters: by position, bytes and hashes as 0x and hexadecimal digits, decoded within limits.

use crate::error::CallError;
use crate::limits::KEY_BYTES_MAX;
use jsonrpsee::types::Params;
use runtime_primitives::Hash;
use serde_json::Value;

/// The parameters of one call.
pub struct Arguments(Vec<Value>);

impl Arguments {
    /// Read a list of parameters; a call without any has an empty one.
    pub fn read(params: &Params) -> Result<Self, CallError> {
        if params.as_str().is_none_or(|text| text.trim().is_empty()) {
            return Ok(Self(Vec::new()));
        }
        let list: Result<Vec<Value>, _> = params.parse();
        let fail = |_| CallError::Parameter {
            index: 0,
            name: "all",
            reason: "write parameters as a list, in order".to_owned(),
        };
        list.map(Self).map_err(fail)
    }

    fn get(&self, index: usize) -> Option<&Value> {
        self.0.get(index).filter(|value| !value.is_null())
    }

    /// A text that must be there.
    pub fn text(&self, index: usize, name: &'static str) -> Result<&str, CallError> {
        self.get(index).and_then(Value::as_str).ok_or_else(|| wrong(index, name, "write a text"))
    }

    /// Bytes that must be there.
    pub fn bytes(&self, index: usize, name: &'static str) -> Result<Vec<u8>, CallError> {
        self.optional_bytes(index, name)?.ok_or_else(|| wrong(index, name, "is missing"))
    }

    /// Bytes, if they are there.
    pub fn optional_bytes(&self, index: usize, name: &'static str) -> Result<Option<Vec<u8>>, CallError> {
        let Some(value) = self.get(index) else { return Ok(None) };
        // As Substrate's nodes, without the front as well: some clients write an empty list of arguments as nothing.
        let digits = value.as_str().map(|text| text.strip_prefix("0x").unwrap_or(text));
        let bytes = digits.and_then(|digits| hex::decode(digits).ok());
        bytes.map(Some).ok_or_else(|| wrong(index, name, "write 0x and an even number of hexadecimal digits"))
    }

    /// A storage key, or the front of one.
    pub fn key(&self, index: usize, name: &'static str) -> Result<Vec<u8>, CallError> {
        within(self.bytes(index, name)?)
    }

    /// A storage key, if it is there.
    pub fn optional_key(&self, index: usize, name: &'static str) -> Result<Option<Vec<u8>>, CallError> {
        self.optional_bytes(index, name)?.map(within).transpose()
    }

    /// A hash, if it is there.
    pub fn optional_hash(&self, index: usize, name: &'static str) -> Result<Option<Hash>, CallError> {
        let Some(bytes) = self.optional_bytes(index, name)? else { return Ok(None) };
        let hash = bytes.try_into().map(Hash);
        hash.map(Some).map_err(|_| wrong(index, name, "a hash has 32 bytes"))
    }

    /// A list of storage keys, at most `max`.
    pub fn keys(&self, index: usize, max: usize) -> Result<Vec<Vec<u8>>, CallError> {
        let list = self.get(index).and_then(Value::as_array);
        let list = list.ok_or_else(|| wrong(index, "keys", "write a list of keys"))?;
        if list.len() > max {
            return Err(CallError::Keys { got: list.len(), max });
        }
        let keys = Self(list.clone());
        (0..list.len()).map(|index| keys.key(index, "keys")).collect()
    }

    /// A number of entries, 1 to `max`.
    pub fn count(&self, index: usize, max: u32) -> Result<u32, CallError> {
        let count = self.optional_number(index, "count")?.unwrap_or_default();
        let fits = u32::try_from(count).ok().filter(|count| (1..=max).contains(count));
        fits.ok_or(CallError::Page(count))
    }

    /// A number, as a JSON number or as 0x and hexadecimal digits, if it is there.
    pub fn optional_number(&self, index: usize, name: &'static str) -> Result<Option<u64>, CallError> {
        let Some(value) = self.get(index) else { return Ok(None) };
        let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
        let number = value.as_u64().or_else(|| u64::from_str_radix(digits?, 16).ok());
        number.map(Some).ok_or_else(|| wrong(index, name, "is no number"))
    }
}

fn wrong(index: usize, name: &'static str, reason: &str) -> CallError {
    CallError::Parameter { index, name, reason: reason.to_owned() }
}

fn within(key: Vec<u8>) -> Result<Vec<u8>, CallError> {
    if key.len() > KEY_BYTES_MAX { Err(CallError::KeyBytes(key.len())) } else { Ok(key) }
}

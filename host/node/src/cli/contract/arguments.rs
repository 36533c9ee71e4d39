//! What people type: bytes, accounts.

use crate::files::read_at_most;
use crate::keys::{KeyPair, Ss58};
use runtime_primitives::AccountId;
use runtime_primitives::limits::PURE_IO_BYTES_MAX;
use std::path::Path;
use std::str::FromStr;

/// Bytes: hexadecimal digits with or without `0x`, or `@` and the path of a file that holds the bytes themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bytes(pub Vec<u8>);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix('@') {
            let bytes = read_at_most(Path::new(path), PURE_IO_BYTES_MAX as u64);
            return bytes.map(Self).map_err(|error| format!("cannot read {path}: {error}"));
        }
        let digits = text.strip_prefix("0x").unwrap_or(text);
        hex::decode(digits).map(Self).map_err(|error| format!("not hexadecimal: {error}"))
    }
}

/// An account: an SS58 address, `0x` and 64 digits, or a development key such as `//Alice`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account(pub AccountId);

impl FromStr for Account {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("//") {
            let pair: KeyPair = text.parse().map_err(|error: crate::keys::KeyError| error.to_string())?;
            return Ok(Self(pair.account()));
        }
        if let Some(digits) = text.strip_prefix("0x") {
            let mut account = [0; 32];
            hex::decode_to_slice(digits, &mut account).map_err(|_| "not 64 hexadecimal digits".to_owned())?;
            return Ok(Self(AccountId(account)));
        }
        let address: Ss58 = text.parse().map_err(|error: crate::keys::KeyError| error.to_string())?;
        Ok(Self(address.account))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_digits_or_a_file() {
        for (text, expected) in [("", vec![]), ("0x", vec![]), ("00ff", vec![0, 255]), ("0x0a", vec![10])] {
            assert_eq!(text.parse(), Ok(Bytes(expected)), "{text}");
        }
        for text in ["f", "0xg0", "@", "@/nowhere/at/all", "0x0x"] {
            text.parse::<Bytes>().unwrap_err();
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [7, 0]).unwrap();
        assert_eq!(format!("@{}", file.path().display()).parse(), Ok(Bytes(vec![7, 0])));
    }

    #[test]
    fn an_account_is_written_in_three_ways() {
        let digits = "0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";
        let [alice, same, again] = ["//Alice", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", digits]
            .map(|text| text.parse::<Account>().unwrap());
        assert_eq!((alice, same), (again, again));
        for text in ["", "Alice", "0x12", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ", "//"] {
            text.parse::<Account>().unwrap_err();
        }
    }
}

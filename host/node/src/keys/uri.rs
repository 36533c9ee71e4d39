//! Secret URIs, as Substrate's tools write them.
//!
//! ```text
//! [phrase | 0x seed] { //hard | /soft } [ ///password ]
//! ```
//! Without a phrase the well-known development phrase stands: `//Alice` is everybody's Alice, and never a key
//! for anything of value. The password belongs to the phrase and has no meaning with a seed.

use super::error::KeyError;
use super::pair::KeyPair;
use super::phrase::Phrase;
use parity_scale_codec::Encode;
use runtime_primitives::blake2_256;
use std::str::FromStr;
use zeroize::Zeroizing;

/// The phrase that Substrate's tools assume when none is given.
const DEVELOPMENT_PHRASE: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

/// One step of a derivation path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Junction {
    Soft([u8; 32]),
    Hard([u8; 32]),
}

impl FromStr for KeyPair {
    type Err = KeyError;

    /// Read a secret URI.
    fn from_str(uri: &str) -> Result<Self, KeyError> {
        let (rest, password) = uri.split_once("///").unwrap_or((uri, ""));
        let (root, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let mut pair = match root.strip_prefix("0x") {
            Some(digits) => Self::from_seed(&*seed(digits)?),
            None if root.is_empty() && path.is_empty() => return Err(KeyError::Secret),
            None if root.is_empty() => Phrase::parse(DEVELOPMENT_PHRASE)?.pair(password),
            None if root.split_whitespace().count() == 1 => return Err(KeyError::OneWord),
            None => Phrase::parse(root)?.pair(password),
        };
        for junction in junctions(path)? {
            pair = match junction {
                Junction::Soft(chain_code) => pair.derive_soft(chain_code),
                Junction::Hard(chain_code) => pair.derive_hard(chain_code),
            };
        }
        Ok(pair)
    }
}

fn seed(digits: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(digits, seed.as_mut()).map_err(|_| KeyError::Secret)?;
    Ok(seed)
}

/// The junctions of `path`, which is empty or starts with a slash.
fn junctions(path: &str) -> Result<Vec<Junction>, KeyError> {
    let mut found = Vec::new();
    let mut rest = path;
    while let Some(after) = rest.strip_prefix('/') {
        let (hard, code) = match after.strip_prefix('/') {
            Some(code) => (true, code),
            None => (false, after),
        };
        let (code, next) = code.split_at(code.find('/').unwrap_or(code.len()));
        if code.is_empty() {
            return Err(KeyError::Junction { index: found.len() });
        }
        let chain_code = chain_code(code);
        found.push(if hard { Junction::Hard(chain_code) } else { Junction::Soft(chain_code) });
        rest = next;
    }
    Ok(found)
}

/// The SCALE encoding of a number or a text, zero padded; its hash if it is longer than 32 bytes.
fn chain_code(code: &str) -> [u8; 32] {
    let encoded = code.parse::<u64>().map_or_else(|_| code.encode(), |number| number.encode());
    if encoded.len() > 32 {
        return blake2_256(&encoded).0;
    }
    let mut chain_code = [0; 32];
    chain_code[..encoded.len()].copy_from_slice(&encoded);
    chain_code
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn address(uri: &str) -> String {
        uri.parse::<KeyPair>().unwrap().address()
    }

    #[test]
    fn accounts_are_substrates() {
        let rows = [
            ("//Alice", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
            ("//Bob", "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"),
            ("//Charlie", "5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y"),
            ("//Dave", "5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy"),
            ("//Eve", "5HGjWAeFDfFCWPsjFQdVV2Msvz2XtMktvgocEZcCj68kUMaw"),
            ("//Ferdie", "5CiPPseXPECbkjWCa6MnjNokrgYjMqmKndv2rSnekmSK2DjL"),
            ("//Alice//stash", "5GNJqTPyNqANBkUVMN1LPPrxXnFouWXoe2wNSmmEoLctxiZY"),
            // The development root, by its phrase and by its seed.
            (DEVELOPMENT_PHRASE, "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV"),
            (
                "0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e",
                "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV",
            ),
            // Alice by her own seed.
            (
                "0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a",
                "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
            ),
        ];
        for (uri, expected) in rows {
            assert_eq!(address(uri), expected, "{uri}");
        }
        let alice: KeyPair = "//Alice".parse().unwrap();
        assert_eq!(
            alice.account().to_string(),
            "0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
        );
        let soft: KeyPair = "/Alice".parse().unwrap();
        assert_eq!(
            soft.account().to_string(),
            "0xd6c71059dbbe9ad2b0ed3f289738b800836eb425544ce694825285b958ca755e"
        );
    }

    #[test]
    fn chain_codes_are_scale_texts_or_numbers() {
        let padded = |bytes: &[u8]| {
            let mut code = [0; 32];
            code[..bytes.len()].copy_from_slice(bytes);
            code
        };
        assert_eq!(chain_code("ab"), padded(&[2 << 2, b'a', b'b']));
        assert_eq!(chain_code("258"), padded(&[2, 1]));
        assert_eq!(chain_code("x".repeat(31).as_str())[0], 31 << 2);
        let long = "x".repeat(32);
        assert_eq!(chain_code(&long), blake2_256(&long.encode()).0);
    }

    #[test]
    fn paths() {
        let (hard, soft) = (|t: &str| Junction::Hard(chain_code(t)), |t: &str| Junction::Soft(chain_code(t)));
        let rows: [(&str, Vec<Junction>); 5] = [
            ("", vec![]),
            ("//a", vec![hard("a")]),
            ("/a", vec![soft("a")]),
            ("//a/b//3", vec![hard("a"), soft("b"), hard("3")]),
            ("/a//b", vec![soft("a"), hard("b")]),
        ];
        for (path, expected) in rows {
            assert_eq!(junctions(path).unwrap(), expected, "{path}");
        }
        for (path, index) in [("/", 0), ("//", 0), ("//a/", 1), ("/a//", 1)] {
            assert!(matches!(junctions(path), Err(KeyError::Junction { index: i }) if i == index), "{path}");
        }
    }

    #[test]
    fn passwords_belong_to_the_phrase() {
        assert_ne!(address("//Alice"), address("//Alice///secret"));
        assert_eq!(
            address("//Alice///a/b"),
            Phrase::parse(DEVELOPMENT_PHRASE).unwrap().pair("a/b").derive_hard(chain_code("Alice")).address()
        );
        assert_eq!(address("//Alice///"), address("//Alice"));
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        for uri in ["", "0x", "0x12", &format!("0x{}", "g".repeat(64)), "///password"] {
            assert!(matches!(uri.parse::<KeyPair>(), Err(KeyError::Secret)), "{uri}");
        }
        assert!(matches!("Ferdie".parse::<KeyPair>(), Err(KeyError::OneWord)));
        assert!(matches!("two words".parse::<KeyPair>(), Err(KeyError::PhraseLength(2))));
    }
}

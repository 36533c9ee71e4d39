//! BIP-39 phrases, turned into seeds as Substrate does.
//!
//! Substrate stretches the phrase's *entropy* (`PBKDF2-HMAC-SHA512(entropy, "mnemonic" ++ password, 2048)`, first
//! 32 bytes), not its words as Bitcoin does: other BIP-39 tools give other keys.

use super::error::KeyError;
use super::pair::KeyPair;
use bip0039::{English, Error, Mnemonic};
use rand_core::{OsRng, RngCore};
use sha2::Sha512;
use std::fmt;
use zeroize::Zeroizing;

const ROUNDS: u32 = 2048;

/// A valid English phrase. Wiped from memory on drop.
pub struct Phrase(Mnemonic<English>);

impl Phrase {
    /// Read a phrase; case and spacing do not matter.
    ///
    /// # Errors
    /// [`KeyError::PhraseLength`], [`KeyError::PhraseWord`], [`KeyError::PhraseChecksum`].
    pub fn parse(words: &str) -> Result<Self, KeyError> {
        // One allocation, so that no copy of a word stays behind unwiped.
        let mut tidy = Zeroizing::new(String::with_capacity(words.len()));
        for word in words.split_whitespace() {
            if !tidy.is_empty() {
                tidy.push(' ');
            }
            tidy.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
        }
        Mnemonic::from_phrase(tidy.as_str()).map(Self).map_err(|error| match error {
            Error::BadWordCount(count) => KeyError::PhraseLength(count),
            Error::UnknownWord(word) => {
                let at = tidy.split(' ').position(|candidate| candidate == word);
                KeyError::PhraseWord(at.map_or(0, |index| index + 1))
            }
            Error::InvalidChecksum | Error::BadEntropyBitCount(_) => KeyError::PhraseChecksum,
        })
    }

    /// A new phrase of 12, 15, 18, 21 or 24 words from the operating system's randomness.
    ///
    /// # Errors
    /// [`KeyError::PhraseLength`].
    ///
    /// # Panics
    /// If the operating system has no randomness to give.
    pub fn generate(words: usize) -> Result<Self, KeyError> {
        // Three words carry 32 bits of entropy and one of checksum.
        let bytes = match words {
            12 | 15 | 18 | 21 | 24 => words / 3 * 4,
            _ => return Err(KeyError::PhraseLength(words)),
        };
        let mut entropy = Zeroizing::new(vec![0; bytes]);
        OsRng.fill_bytes(&mut entropy);
        let mnemonic = Mnemonic::from_entropy(entropy.as_slice()).expect("the length was checked above");
        Ok(Self(mnemonic))
    }

    /// The words, separated by single spaces: the secret itself.
    pub fn reveal(&self) -> &str {
        self.0.phrase()
    }

    /// The pair under `password`; empty for none.
    pub fn pair(&self, password: &str) -> KeyPair {
        KeyPair::from_seed(&self.seed(password))
    }

    fn seed(&self, password: &str) -> Zeroizing<[u8; 32]> {
        let salt = Zeroizing::new(format!("mnemonic{password}"));
        let mut seed = Zeroizing::new([0; 32]);
        pbkdf2::pbkdf2_hmac::<Sha512>(self.0.entropy(), salt.as_bytes(), ROUNDS, seed.as_mut());
        seed
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phrase(…)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn seeds_are_substrates() {
        // Published vectors of the Substrate BIP-39 scheme, password "Substrate".
        let rows = [
            (
                "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
                "44e9d125f037ac1d51f0a7d3649689d422c2af8b1ec8e00d71db4d7bf6d127e3",
            ),
            (
                "legal winner thank year wave sausage worth useful legal winner thank yellow",
                "4313249608fe8ac10fd5886c92c4579007272cb77c21551ee5b8d60b78041685",
            ),
        ];
        for (words, seed) in rows {
            let found = hex::encode(Phrase::parse(words).unwrap().seed("Substrate").as_ref());
            assert_eq!(found, seed, "{words}");
        }
    }

    #[test]
    fn case_and_spacing_do_not_matter() {
        let tidy =
            Phrase::parse("legal winner thank year wave sausage worth useful legal winner thank yellow");
        let messy =
            Phrase::parse("  Legal WINNER thank year wave sausage\nworth useful legal winner thank\tyellow ");
        assert_eq!(tidy.unwrap().reveal(), messy.unwrap().reveal());
    }

    #[test]
    fn errors_name_the_word_and_do_not_repeat_it() {
        let about = |last: &str| format!("{}{last}", "abandon ".repeat(11));
        let of = |words: &str| Phrase::parse(words).unwrap_err().to_string();
        assert_eq!(of(&about("abouts")), "word 12 of the phrase is not in the English word list");
        assert!(of(&about("abandon")).contains("checksum"));
        assert!(of("abandon").ends_with("this one has 1"));
        assert!(matches!(Phrase::generate(13), Err(KeyError::PhraseLength(13))));
    }

    #[test]
    fn generated_phrases_are_valid_and_differ() {
        for words in [12, 15, 18, 21, 24] {
            let phrase = Phrase::generate(words).unwrap();
            assert_eq!(phrase.reveal().split(' ').count(), words);
            assert_eq!(Phrase::parse(phrase.reveal()).unwrap().pair("").account(), phrase.pair("").account());
            assert_ne!(phrase.pair("").account(), phrase.pair("x").account());
            assert_ne!(phrase.reveal(), Phrase::generate(words).unwrap().reveal());
            assert_eq!(format!("{phrase:?}"), "Phrase(…)");
        }
    }
}

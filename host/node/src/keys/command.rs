//! `busbar keys generate | inspect | import | list`.
//!
//! Secrets come from the terminal, standard input or a file, not from the command line, where other users of
//! the machine can read them; `inspect` takes one there for the development keys that everybody knows.

use super::error::KeyError;
use super::pair::KeyPair;
use super::phrase::Phrase;
use super::report::KeyReport;
use super::ss58::Ss58;
use super::store::{Cost, KeyStore};
use super::terminal;
use super::unlock::default_folder;
use clap::{Args, Subcommand};
use runtime_primitives::AccountId;
use std::path::PathBuf;

/// Make, look at and keep sr25519 keys.
#[derive(Debug, Args)]
pub struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
    /// Print JSON instead of tables.
    #[arg(long, global = true)]
    json: bool,
    /// Folder of encrypted keys [default: .busbar/keys in the home directory].
    #[arg(long, global = true, value_name = "FOLDER")]
    keystore: Option<PathBuf>,
    /// File whose first line is the passphrase of the new key, instead of asking for it.
    #[arg(long, global = true, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a new key. Without --save, show its phrase once and keep nothing.
    Generate {
        /// Number of words: 12, 15, 18, 21 or 24.
        #[arg(long, default_value_t = 12)]
        words: usize,
        /// Keep the key, encrypted, under this name; the phrase is then not shown.
        #[arg(long, value_name = "NAME")]
        save: Option<String>,
    },
    /// Show address and public key of an address, a secret or, with --public, a public key.
    Inspect {
        /// An address, a development secret such as //Alice, or - for a secret on standard input.
        what: String,
        /// WHAT is a public key: 0x and 64 hex digits.
        #[arg(long)]
        public: bool,
    },
    /// Keep a key, encrypted. Asks for its phrase, 0x seed or secret URI.
    Import {
        /// Name of the key in the store.
        name: String,
    },
    /// Show the keys that are kept.
    List,
}

impl KeysArgs {
    /// Do it and print the answer.
    ///
    /// # Errors
    /// Whatever [`KeysArgs::execute`] refuses.
    pub fn run(self) -> anyhow::Result<()> {
        let reports = self.execute()?;
        let one = !matches!(self.command, KeysCommand::List);
        match (self.json, reports.as_slice()) {
            (true, [report]) if one => println!("{}", serde_json::to_string_pretty(report)?),
            (true, reports) => println!("{}", serde_json::to_string_pretty(reports)?),
            (false, []) => println!("no keys are kept in {}", self.folder()?.display()),
            (false, reports) => reports.iter().for_each(|report| println!("{}", report.to_summary())),
        }
        Ok(())
    }

    /// Do it and return the answer: one report, or for `list` one a key.
    ///
    /// # Errors
    /// Any [`KeyError`].
    pub fn execute(&self) -> Result<Vec<KeyReport>, KeyError> {
        match &self.command {
            KeysCommand::Generate { words, save } => self.generate(*words, save.as_deref()),
            KeysCommand::Inspect { what, public } => inspect(what, *public).map(|report| vec![report]),
            KeysCommand::Import { name } => {
                self.store()?.vacant(name)?;
                let secret = terminal::secret_line("Phrase, seed or secret URI: ")?;
                self.keep(name, &secret.trim().parse()?)
            }
            KeysCommand::List => {
                let keys = self.store()?.list()?;
                Ok(keys
                    .into_iter()
                    .map(|key| KeyReport {
                        name: Some(key.name),
                        file: Some(key.path),
                        ..KeyReport::of_account(key.account)
                    })
                    .collect())
            }
        }
    }

    fn generate(&self, words: usize, save: Option<&str>) -> Result<Vec<KeyReport>, KeyError> {
        let phrase = Phrase::generate(words)?;
        let pair = phrase.pair("");
        match save {
            Some(name) => self.keep(name, &pair),
            None => {
                let phrase = Some(phrase.reveal().to_owned());
                Ok(vec![KeyReport { phrase, ..KeyReport::of_pair(&pair) }])
            }
        }
    }

    fn keep(&self, name: &str, pair: &KeyPair) -> Result<Vec<KeyReport>, KeyError> {
        let store = self.store()?;
        store.vacant(name)?;
        let passphrase = terminal::new_passphrase(self.passphrase_file.as_deref())?;
        let file = store.add(name, pair, &passphrase)?;
        Ok(vec![KeyReport { name: Some(name.to_owned()), file: Some(file), ..KeyReport::of_pair(pair) }])
    }

    fn store(&self) -> Result<KeyStore, KeyError> {
        Ok(KeyStore::new(self.folder()?, Cost::PRODUCTION))
    }

    fn folder(&self) -> Result<PathBuf, KeyError> {
        self.keystore.clone().map_or_else(default_folder, Ok)
    }
}

fn inspect(what: &str, public: bool) -> Result<KeyReport, KeyError> {
    if public {
        return account(what).map(KeyReport::of_account);
    }
    if what == "-" {
        let secret = terminal::secret_line("Phrase, seed or secret URI: ")?;
        return Ok(KeyReport::of_pair(&secret.trim().parse()?));
    }
    // No secret is a single word without a slash, and no address is anything else.
    let is_secret = what.contains(['/', ' ']) || what.starts_with("0x");
    if is_secret { Ok(KeyReport::of_pair(&what.parse()?)) } else { KeyReport::of_address(what) }
}

/// An account by public key or address.
fn account(text: &str) -> Result<AccountId, KeyError> {
    let mut account = AccountId::ZERO;
    match text.strip_prefix("0x") {
        Some(digits) => hex::decode_to_slice(digits, &mut account.0).map_err(|_| KeyError::PublicKey)?,
        None => account = text.parse::<Ss58>()?.account,
    }
    Ok(account)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use clap::Parser;
    use tempfile::TempDir;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    const ALICE_HEX: &str = "0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";

    #[derive(Parser)]
    struct Shell {
        #[command(flatten)]
        keys: KeysArgs,
    }

    fn execute(line: &[&str]) -> Result<Vec<KeyReport>, KeyError> {
        Shell::try_parse_from([&["keys"], line].concat()).unwrap().keys.execute()
    }

    #[test]
    fn inspect_reads_addresses_secrets_and_public_keys() {
        let polkadot = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5";
        let seed = "0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";
        let rows: [(&[&str], Option<u16>); 5] = [
            (&["inspect", "//Alice"], None),
            (&["inspect", seed], None),
            (&["inspect", ALICE], Some(42)),
            (&["inspect", polkadot], Some(0)),
            (&["inspect", "--public", ALICE_HEX], None),
        ];
        for (line, prefix) in rows {
            let [report] = execute(line).unwrap().try_into().ok().unwrap();
            let found = (report.address.as_str(), report.public_key.as_str(), report.prefix);
            assert_eq!(found, (ALICE, ALICE_HEX, prefix), "{line:?}");
            assert_eq!((report.name, report.phrase, report.file), (None, None, None));
        }
        assert!(matches!(execute(&["inspect", "--public", "0x12"]), Err(KeyError::PublicKey)));
        assert!(matches!(execute(&["inspect", "Alice"]), Err(KeyError::AddressCharacter(1))));
    }

    #[test]
    fn a_generated_key_is_either_shown_or_kept() {
        let [shown] = execute(&["generate", "--words", "24"]).unwrap().try_into().ok().unwrap();
        let phrase = shown.phrase.clone().unwrap();
        assert_eq!(phrase.split(' ').count(), 24);
        assert_eq!(phrase.parse::<KeyPair>().unwrap().address(), shown.address);
        assert!(shown.to_summary().to_string().contains(&phrase));

        let folder = TempDir::new().unwrap();
        let passphrase = folder.path().join("passphrase");
        std::fs::write(&passphrase, "opensesame\nignored\n").unwrap();
        let (store, passphrase) = (folder.path().join("keys"), passphrase.display().to_string());
        let keystore = store.display().to_string();
        let line =
            ["generate", "--save", "meter-7", "--keystore", &keystore, "--passphrase-file", &passphrase];
        let [kept] = execute(&line).unwrap().try_into().ok().unwrap();
        assert_eq!((kept.name.as_deref(), &kept.phrase), (Some("meter-7"), &None));
        assert_eq!(execute(&["list", "--keystore", &keystore]).unwrap(), std::slice::from_ref(&kept));
        let opened = KeyStore::new(store, Cost::TEST).open("meter-7", "opensesame").unwrap();
        assert_eq!(opened.address(), kept.address);
        assert!(matches!(execute(&line), Err(KeyError::Exists(_))));
    }

    #[test]
    fn json_has_no_empty_fields() {
        let [report] = execute(&["inspect", ALICE]).unwrap().try_into().ok().unwrap();
        let json = serde_json::to_value(&report).unwrap();
        let expected = serde_json::json!({ "address": ALICE, "public_key": ALICE_HEX, "prefix": 42 });
        assert_eq!(json, expected);
    }
}

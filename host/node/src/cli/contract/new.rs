//! `busbar contract new`: a rule to begin with, as a project that stock cargo builds.
//!
//! The templates are files in `contracts/templates`; what a test generates, builds and checks is what an author gets.

use super::Ending;
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

macro_rules! template {
    ($name:literal) => {
        include_str!(concat!("../../../../../contracts/templates/", $name, ".in"))
    };
}

/// Make a project for a market rule.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Its name and its folder: letters, digits and hyphens, at most 16.
    name: String,
    /// What the rule is asked.
    #[arg(long, value_enum)]
    rule: RuleName,
    /// The language.
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    lang: Language,
    /// A checkout of this repository: where the SDK is [default: the one around the current folder].
    #[arg(long, value_name = "PATH")]
    sdk: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RuleName {
    /// Clears books.
    Matching,
    /// Admits orders.
    Bid,
    /// Settles slots.
    Settlement,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Language {
    /// On the SDK; other languages have no SDK, see `contracts/examples`.
    Rust,
}

/// What differs between the kinds.
struct Kind {
    name: &'static str,
    message: &'static str,
    input_max: &'static str,
    rules: &'static str,
    test: &'static str,
    more: &'static str,
}

impl RuleName {
    const fn kind(self) -> Kind {
        match self {
            Self::Matching => Kind {
                name: "matching",
                message: "clear",
                input_max: "contract_sdk::auction::input_bytes_max(DESCRIPTOR.max_orders)",
                rules: template!("matching.rs"),
                test: template!("matching_test.rs"),
                more: "",
            },
            Self::Bid => Kind {
                name: "bid",
                message: "admit",
                input_max: "4096",
                rules: template!("bid.rs"),
                test: template!("bid_test.rs"),
                more: "",
            },
            Self::Settlement => Kind {
                name: "settlement",
                message: "settle",
                input_max: "runtime_primitives::limits::PURE_IO_BYTES_MAX",
                rules: template!("settlement.rs"),
                test: template!("settlement_test.rs"),
                more: "# The formulas, without the contract that the market ships.\n\
                       contract-settlement = { path = \"@sdk@/contracts/settlement\", default-features = false }\n",
            },
        }
    }
}

/// Bytes of a descriptor's name.
const NAME_BYTES: usize = 16;

impl NewArgs {
    /// Write the project.
    ///
    /// # Errors
    /// If the name is none, the SDK is not there, or the folder is.
    pub(super) fn run(self) -> anyhow::Result<Ending> {
        let Language::Rust = self.lang;
        let lawful = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        let starts = self.name.starts_with(|letter: char| letter.is_ascii_lowercase());
        if !starts || !self.name.chars().all(lawful) || self.name.len() > NAME_BYTES {
            bail!(
                "{:?} is no name: small letters, digits and hyphens, a letter first, at most 16",
                self.name
            );
        }
        let sdk = self.sdk()?;
        let folder = Path::new(&self.name);
        if folder.exists() {
            bail!("{} is there already; choose another name, or remove it", folder.display());
        }
        let kind = self.rule.kind();
        let tried = if self.rule == RuleName::Matching {
            format!("busbar market try --rule {}.wasm --book book.json", self.name)
        } else {
            format!("busbar contract run {}.wasm --input 33713e62", self.name)
        };
        let fill = |text: &str| {
            text.replace("@more@", kind.more)
                .replace("@name@", &self.name)
                .replace("@crate@", &self.name.replace('-', "_"))
                .replace("@padded@", &format!("{}{}", self.name, "\\0".repeat(NAME_BYTES - self.name.len())))
                .replace("@kind@", kind.name)
                .replace("@MESSAGE@", &kind.message.to_uppercase())
                .replace("@message@", kind.message)
                .replace("@input_max@", kind.input_max)
                .replace("@try@", &tried)
                .replace("@sdk@", &sdk)
        };
        let mut files = vec![
            ("Cargo.toml", template!("Cargo.toml")),
            ("build", template!("build")),
            ("README.md", template!("README.md")),
            ("src/lib.rs", template!("lib.rs")),
            ("src/rules.rs", kind.rules),
            ("tests/rule.rs", kind.test),
        ];
        if self.rule == RuleName::Matching {
            files.push(("book.json", template!("book.json")));
        }
        for sub in ["src", "tests"] {
            let sub = folder.join(sub);
            std::fs::create_dir_all(&sub).with_context(|| format!("cannot make {}", sub.display()))?;
        }
        for (name, text) in files {
            let path = folder.join(name);
            std::fs::write(&path, fill(text)).with_context(|| format!("cannot write {}", path.display()))?;
        }
        executable(&folder.join("build"))?;
        println!("{0}: a {1} rule. Next: cd {0}, then the lines of its README.md", self.name, kind.name);
        Ok(Ending::Success)
    }

    /// The checkout, as an absolute path that a manifest can hold.
    fn sdk(&self) -> anyhow::Result<String> {
        let holds = |path: &Path| path.join("contracts/sdk/Cargo.toml").is_file();
        let here = std::env::current_dir().context("there is no current folder")?;
        let found = match &self.sdk {
            Some(path) if holds(path) => path.clone(),
            Some(path) => bail!("{} is no checkout: contracts/sdk is not in it", path.display()),
            None => match here.ancestors().find(|path| holds(path)) {
                Some(path) => path.to_owned(),
                None => bail!("no checkout around this folder; name one with --sdk PATH"),
            },
        };
        let found = found.canonicalize().with_context(|| format!("cannot resolve {}", found.display()))?;
        match found.to_str() {
            Some(path) if !path.contains(['"', '\\', '$', '`']) => Ok(path.to_owned()),
            _ => bail!("{} cannot be written in a manifest: move the checkout", found.display()),
        }
    }
}

/// Let the file be run.
fn executable(path: &Path) -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
            .with_context(|| format!("cannot make {} executable", path.display()))?;
    }
    Ok(())
}

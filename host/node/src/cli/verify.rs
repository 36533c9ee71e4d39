//! `busbar verify`: which block a quorum of validators has signed, from a chain spec and certificates alone.
//!
//! The rule: nothing is believed but the spec. Certificates may come from anybody, so each page is verified before the next is
//! asked for.

use crate::chain_spec::ChainSpec;
use crate::checkpoint::{CERTIFICATE_BYTES_MAX, Certificate, CheckpointError, SetChain, Trusted};
use crate::files;
use anyhow::{Context as _, anyhow, bail};
use clap::{ArgGroup, Args};
use host_rpc::RemoteNode;
use host_storage::{CERTIFICATES_PER_PAGE_MAX, Store};
use parity_scale_codec::DecodeAll;
use runtime_primitives::{Hash, Height};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Bytes of a file of certificates: those of ten million blocks.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// Certificates that are followed: those of a thousand million blocks.
const CERTIFICATES_MAX: usize = 1 << 24;

/// Verify checkpoints.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("source").required(true).args(["rpc", "checkpoints"]))]
#[command(
    after_help = "Ends with 1 if the certificates prove nothing, or the data folder holds another header."
)]
pub struct VerifyArgs {
    /// Spec of the chain: all that is believed.
    #[arg(long, value_name = "FILE")]
    spec: PathBuf,
    /// Ask this node for certificates.
    #[arg(long, value_name = "URL")]
    rpc: Option<String>,
    /// Read certificates from a file that --write wrote.
    #[arg(long, value_name = "FILE")]
    checkpoints: Option<PathBuf>,
    /// Write the certificates to a new file, once they are verified.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Compare the certified header with the one in this data folder of a stopped node.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl VerifyArgs {
    /// Verify and print what is certified.
    ///
    /// # Errors
    /// If a file or node cannot be read; what proves nothing is a verdict, not an error.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let (_, config) = ChainSpec::load(&self.spec)?;
        let trusted = Trusted::new(&config)?;
        let genesis = trusted.genesis;
        let mut way = Way::new(trusted.sets(), self.write.is_some());
        let followed = match (&self.rpc, &self.checkpoints) {
            (Some(url), _) => {
                let node = RemoteNode::at(url)?;
                way.fetch(url, |after| Ok(node.certificates(after)?))?
            }
            (None, Some(path)) => way.follow(&read(path, &genesis)?)?,
            (None, None) => unreachable!("the arguments require one of both"),
        };
        if let Err(fault) = followed {
            return Ok(self.refuse(&fault.to_string()));
        }
        let Some(last) = &way.last else {
            return Ok(self.refuse("there is no certificate: the first is due at block 64"));
        };
        let (head, signatures) = (&last.checkpoint, last.signatures.len());
        if let Some(folder) = &self.data {
            let own = header_in(folder, head.number)?;
            if own != Some(head.header) {
                let own = own.map_or_else(|| "no such block".to_owned(), |own| format!("header {own}"));
                let fault =
                    format!("block {}: certified is {}, the folder has {own}", head.number, head.header);
                return Ok(self.refuse(&fault));
            }
        }
        if let Some(path) = &self.write {
            write(path, &genesis, &way.kept)?;
        }
        if self.json {
            println!(
                "{:#}",
                json!({
                    "verified": true,
                    "genesis": genesis.to_string(),
                    "certificates": way.count,
                    "number": head.number,
                    "header": head.header.to_string(),
                    "epoch": head.epoch,
                    "signatures": signatures,
                })
            );
        } else {
            println!(
                "VERIFIED: block {} of epoch {} has header {}\n{signatures} validators signed it; {} certificates lead there from \
                 genesis {genesis}",
                head.number, head.epoch, head.header, way.count
            );
        }
        Ok(ExitCode::SUCCESS)
    }

    fn refuse(&self, fault: &str) -> ExitCode {
        if self.json {
            println!("{:#}", json!({ "verified": false, "error": fault }));
        } else {
            println!("NOT VERIFIED: {fault}");
        }
        ExitCode::FAILURE
    }
}

/// The certificates that were verified, one after the other.
struct Way {
    sets: SetChain,
    count: usize,
    last: Option<Certificate>,
    /// All of them, encoded, if they are to be written.
    kept: Vec<Vec<u8>>,
    keeps: bool,
    bytes: u64,
}

impl Way {
    const fn new(sets: SetChain, keeps: bool) -> Self {
        Self { sets, count: 0, last: None, kept: Vec::new(), keeps, bytes: 0 }
    }

    /// Verify what comes next; gives why it proves nothing.
    ///
    /// # Errors
    /// If it is no certificate, or there are too many.
    fn follow(&mut self, page: &[Vec<u8>]) -> anyhow::Result<Result<(), CheckpointError>> {
        for bytes in page {
            if bytes.len() > CERTIFICATE_BYTES_MAX {
                bail!("a certificate has {CERTIFICATE_BYTES_MAX} bytes at most, not {}", bytes.len());
            }
            let certificate = Certificate::decode_all(&mut &bytes[..]);
            let certificate = certificate.map_err(|_| anyhow!("a certificate does not decode"))?;
            if let Err(fault) = self.sets.follow(&certificate) {
                return Ok(Err(fault));
            }
            (self.count, self.last) = (self.count + 1, Some(certificate));
            if self.count > CERTIFICATES_MAX {
                bail!("there are more than {CERTIFICATES_MAX} certificates: no chain has so many blocks");
            }
            if self.keeps {
                self.bytes += 2 * bytes.len() as u64 + ROW_FRAME_BYTES;
                if self.bytes > FILE_BYTES_MAX {
                    bail!(
                        "the certificates do not fit a file of {FILE_BYTES_MAX} bytes; verify without --write"
                    );
                }
                self.kept.push(bytes.clone());
            }
        }
        Ok(Ok(()))
    }

    /// Ask for page after page of what comes after a height, and verify each; gives why it proves nothing.
    ///
    /// # Errors
    /// If `ask` fails, gives more than a page, or too many.
    fn fetch(
        &mut self,
        url: &str,
        mut ask: impl FnMut(u64) -> anyhow::Result<Vec<Vec<u8>>>,
    ) -> anyhow::Result<Result<(), CheckpointError>> {
        loop {
            let page = ask(self.last.as_ref().map_or(0, |last| last.checkpoint.number))?;
            if page.is_empty() {
                return Ok(Ok(()));
            }
            if page.len() > CERTIFICATES_PER_PAGE_MAX {
                bail!(
                    "{url} gives {} certificates at once; {CERTIFICATES_PER_PAGE_MAX} are allowed",
                    page.len()
                );
            }
            if let Err(fault) = self.follow(&page).with_context(|| format!("{url} gives no certificates"))? {
                return Ok(Err(fault));
            }
        }
    }
}

fn read(path: &Path, genesis: &Hash) -> anyhow::Result<Vec<Vec<u8>>> {
    let shown = path.display();
    let text = files::read_at_most(path, FILE_BYTES_MAX).with_context(|| format!("cannot read {shown}"))?;
    let value: Value = serde_json::from_slice(&text).with_context(|| format!("{shown} is no JSON"))?;
    if value["genesis"].as_str() != Some(&genesis.to_string()) {
        bail!("{shown} is of genesis {}, the spec's is {genesis}", value["genesis"]);
    }
    let rows = value["certificates"].as_array().with_context(|| format!("{shown} lists no certificates"))?;
    rows.iter()
        .map(|row| {
            let digits = row.as_str().and_then(|text| text.strip_prefix("0x"));
            let bytes = digits.and_then(|digits| hex::decode(digits).ok());
            bytes.with_context(|| format!("{shown}: a certificate is no 0x text"))
        })
        .collect()
}

/// Bytes around the digits of a row in the file.
const ROW_FRAME_BYTES: u64 = 10;

fn row(certificate: &[u8]) -> String {
    format!("0x{}", hex::encode(certificate))
}

fn write(path: &Path, genesis: &Hash, certificates: &[Vec<u8>]) -> anyhow::Result<()> {
    let rows: Vec<String> = certificates.iter().map(|one| row(one)).collect();
    let text = format!("{:#}\n", json!({ "genesis": genesis.to_string(), "certificates": rows }));
    let file = File::create_new(path).with_context(|| format!("cannot make {}", path.display()))?;
    (&file).write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

fn header_in(folder: &Path, number: u64) -> anyhow::Result<Option<Hash>> {
    let store = Store::open(&folder.join("chain.redb"))?;
    let header = store.snapshot().header(Height::from_number(number))?;
    Ok(header.map(|header| header.hash()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::checkpoint::{Checkpoint, SetMember};
    use crate::keys::{Signer, SigningPolicy};
    use parity_scale_codec::Encode;
    use runtime_primitives::{EntityId, blake2_256};

    const GENESIS: Hash = Hash([9; 32]);
    const EPOCH_BLOCKS: u64 = 8;

    /// One validator's certificates of the last blocks of the first epochs, and who it is.
    fn chain(epochs: u64) -> (SetChain, Vec<Vec<u8>>) {
        let signer = Signer::new("//Validator".parse().unwrap(), SigningPolicy::Repeatable);
        let set = vec![SetMember { entity: EntityId::from_number(1), session_key: signer.account() }];
        let certificate = |epoch| {
            let number = (epoch + 1) * EPOCH_BLOCKS - 1;
            let (header, next) = (Hash([1; 32]), Some(set.clone()));
            let checkpoint = Checkpoint { epoch, number, header, set: blake2_256(&set.encode()), next };
            let signature = signer.sign(&checkpoint.message(&GENESIS));
            Certificate { checkpoint, signatures: vec![(signer.account(), signature)] }.encode()
        };
        let certificates = (0..epochs).map(certificate).collect();
        (SetChain::new(GENESIS, EPOCH_BLOCKS, set), certificates)
    }

    /// Follow a node that answers any question with `page` of the rows after the height; gives what came of it, and how
    /// often it was asked.
    fn followed(
        sets: SetChain,
        page: impl Fn(u64) -> Vec<Vec<u8>>,
    ) -> (anyhow::Result<Result<(), CheckpointError>>, usize, Way) {
        let (mut way, mut asked) = (Way::new(sets, true), 0);
        let came = way.fetch("here", |after| {
            asked += 1;
            assert!(asked < 100, "it is asked without end");
            Ok(page(after))
        });
        (came, asked, way)
    }

    #[test]
    fn each_page_is_verified_before_the_next_is_asked_for() {
        let (sets, rows) = chain(20);
        let from = |after: u64| usize::try_from((after + 1) / EPOCH_BLOCKS).unwrap();
        let (came, asked, way) =
            followed(sets, |after| rows.iter().skip(from(after)).take(6).cloned().collect());
        came.unwrap().unwrap();
        assert_eq!((asked, way.count, way.kept == rows), (5, 20, true));
        assert_eq!(way.last.unwrap().checkpoint.number, 20 * EPOCH_BLOCKS - 1);

        // Ascending for ever, and nobody has signed them.
        let (sets, _) = chain(0);
        let forged = |after: u64| {
            let mut row = rows[from(after) % rows.len()].clone();
            *row.last_mut().unwrap() ^= 1;
            vec![row]
        };
        let (came, asked, way) = followed(sets, forged);
        assert!(matches!(came, Ok(Err(CheckpointError::Signature { number: 7, .. }))), "{came:?}");
        assert_eq!((asked, way.count), (1, 0));
        // The same for ever.
        let (sets, _) = chain(0);
        let (came, asked, _) = followed(sets, |_| rows[..1].to_vec());
        assert!(matches!(came, Ok(Err(CheckpointError::Order { number: 7, after: 7 }))), "{came:?}");
        assert_eq!(asked, 2);
    }

    #[test]
    fn an_answer_has_a_page_and_a_certificate_its_size() {
        let (_, rows) = chain(1);
        for (page, fault) in [
            (vec![rows[0].clone(); CERTIFICATES_PER_PAGE_MAX + 1], "here gives 65 certificates at once"),
            (vec![vec![0; CERTIFICATE_BYTES_MAX + 1]], "bytes at most"),
            (vec![vec![0; 3]], "does not decode"),
        ] {
            let (sets, _) = chain(0);
            let (came, asked, way) = followed(sets, |_| page.clone());
            let said = format!("{:#}", came.unwrap_err());
            assert!(said.contains(fault), "{said}");
            assert_eq!((asked, way.count), (1, 0));
        }
    }
}

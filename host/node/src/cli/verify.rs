//! `busbar verify`: which block a quorum of validators has signed, from a chain spec and certificates alone.
//!
//! The rule: nothing is believed but the spec. Certificates may come from anybody.

use crate::chain_spec::ChainSpec;
use crate::checkpoint::{Certificate, Trusted, verify_all};
use crate::files;
use anyhow::{Context as _, anyhow, bail};
use clap::{ArgGroup, Args};
use host_rpc::RemoteNode;
use host_storage::Store;
use parity_scale_codec::{DecodeAll, Encode};
use runtime_primitives::{Hash, Height};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Bytes of a file of certificates: those of ten million blocks.
const FILE_BYTES_MAX: u64 = 256 << 20;

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
        let Trusted { genesis, epoch_blocks, first } = Trusted::new(&config)?;
        let certificates = match (&self.rpc, &self.checkpoints) {
            (Some(url), _) => fetch(url)?,
            (None, Some(path)) => read(path, &genesis)?,
            (None, None) => unreachable!("the arguments require one of both"),
        };
        let verified = verify_all(&genesis, epoch_blocks, &first, &certificates);
        let head = match verified {
            Ok(Some(head)) => head,
            Ok(None) => return Ok(self.refuse("there is no certificate: the first is due at block 64")),
            Err(fault) => return Ok(self.refuse(&fault.to_string())),
        };
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
            write(path, &genesis, &certificates)?;
        }
        let signatures = certificates.last().map_or(0, |last| last.signatures.len());
        if self.json {
            println!(
                "{:#}",
                json!({
                    "verified": true,
                    "genesis": genesis.to_string(),
                    "certificates": certificates.len(),
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
                head.number,
                head.epoch,
                head.header,
                certificates.len()
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

fn decoded(bytes: &[u8]) -> anyhow::Result<Certificate> {
    Certificate::decode_all(&mut &bytes[..]).map_err(|_| anyhow!("a certificate does not decode"))
}

fn fetch(url: &str) -> anyhow::Result<Vec<Certificate>> {
    let node = RemoteNode::at(url)?;
    let mut all: Vec<Certificate> = Vec::new();
    loop {
        let after = all.last().map_or(0, |last| last.checkpoint.number);
        let page = node.certificates(after)?;
        if page.is_empty() {
            return Ok(all);
        }
        for bytes in &page {
            let certificate = decoded(bytes)?;
            let (number, before) =
                (certificate.checkpoint.number, all.last().map_or(0, |last| last.checkpoint.number));
            if number <= before {
                bail!("{url} gives the certificate of block {number} after that of block {before}");
            }
            all.push(certificate);
        }
    }
}

fn read(path: &Path, genesis: &Hash) -> anyhow::Result<Vec<Certificate>> {
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
            decoded(&bytes.with_context(|| format!("{shown}: a certificate is no 0x text"))?)
        })
        .collect()
}

fn write(path: &Path, genesis: &Hash, certificates: &[Certificate]) -> anyhow::Result<()> {
    let rows: Vec<String> =
        certificates.iter().map(|one| format!("0x{}", hex::encode(one.encode()))).collect();
    let text = format!("{:#}\n", json!({ "genesis": genesis.to_string(), "certificates": rows }));
    let file = File::create_new(path).with_context(|| format!("cannot make {}", path.display()))?;
    (&file).write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

fn header_in(folder: &Path, number: u64) -> anyhow::Result<Option<Hash>> {
    let store = Store::open(&folder.join("chain.redb"))?;
    let header = store.snapshot().header(Height::from_number(number))?;
    Ok(header.map(|header| header.hash()))
}

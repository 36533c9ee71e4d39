//! `busbar contract deploy`: uploads code, so that markets can name it by its hash.

use super::Forbidden;
use super::file::CodeFile;
use crate::chain_spec::Rule;
use crate::cli::remote::{Answer, SignArgs};
use clap::Args;
use runtime_execution::Call;
use runtime_execution::modules::contracts::{self, Determinism};
use runtime_primitives::blake2_256;
use runtime_vm::Kind;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

pub(super) const EXIT_CODES: &str = "Exit codes:
  0   the code is on chain
  3   refused: a rule of the chain forbids the code or the call
  64  wrong arguments, a file that cannot be read, or a node that does not answer";

/// Upload code to a chain. Signed by an author or a market operator.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// The code: WebAssembly or WAT, or the name of a rule that ships with busbar, such as high-low.
    code: PathBuf,
    #[command(flatten)]
    sign: SignArgs,
}

impl DeployArgs {
    /// Judge the code here, upload it and print its hash.
    ///
    /// # Errors
    /// If the file cannot be read, the chain would refuse the code, or did.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let code = self.read()?;
        let hash = blake2_256(&code);
        let call = Call::Contracts(contracts::Call::UploadCode {
            code,
            storage_deposit_limit: None,
            determinism: Determinism::Enforced,
        });
        self.sign.send(&self.sign.session()?, &call, |_| {
            Some(Answer::new(format!("code {hash}"), json!({ "code_hash": hash.to_string() })))
        })
    }

    fn read(&self) -> anyhow::Result<Vec<u8>> {
        let name = self.code.to_string_lossy();
        if let Some(rule) = Rule::of_name(&name).filter(|_| !self.code.exists()) {
            return Ok(rule.bytes().to_vec());
        }
        let file = match CodeFile::read(&self.code)? {
            Ok(file) => file,
            Err(verdict) => {
                return Err(Forbidden(format!("{}: {}", self.code.display(), verdict.words())).into());
            }
        };
        if let (Err(pure), Err(_)) = (file.judge(Kind::Pure), file.judge(Kind::Stateful)) {
            let words = pure.words();
            let why = format!("{}: {words}; busbar contract check says more", self.code.display());
            return Err(Forbidden(why).into());
        }
        Ok(file.code)
    }
}

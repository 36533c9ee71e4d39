//! `busbar contract run`: a contract on a chain of its own, step by step.

use super::arguments::{Account, Bytes};
use super::file::{CodeFile, Verdict};
use super::state::Saved;
use super::step::Step;
use super::{ContractKind, EXIT_CODES, Ending};
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use runtime_execution::modules::contracts::{Instantiation, Message, NewCode, Sandbox};
use runtime_primitives::limits::{BLOCK_GAS_MAX, CLEAR_GAS_MAX};
use runtime_primitives::{AccountId, Gas, Money};
use runtime_vm::{EngineKind, Kind, Vm};
use serde_json::Value;
use std::path::PathBuf;

const EXAMPLES: &str = "Examples:
  Ask a market rule what it is (`describe`):
    busbar contract run contracts/artifacts/high_low.wasm --input 33713e62
  Make a contract, send it 5 units of money, look at the same contract again:
    busbar contract run flipper.wat --deploy 01 --state flipper.json
    busbar contract run flipper.wat --input 666c6970 --value 5 --state flipper.json
    busbar contract run flipper.wat --input 6765745f --state flipper.json
  Put a second contract beside it, which then can call the first:
    busbar contract run caller.wasm --deploy 0x --state flipper.json

Every caller starts with a million yuan. A step that succeeds is a block of its own; one that reverts, traps or is
refused changes nothing. Storage is that of the contract called, by the blake2-256 hash of its key, as the chain keeps it.
HEX may be @FILE: a file that holds the bytes themselves, not their digits. A chain takes at most 256 KiB in one
extrinsic; storage deposits are 0 here.";

/// What `--help` ends with.
pub(super) fn help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}

/// Run a contract.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The contract: WebAssembly or WAT.
    #[arg(value_name = "FILE.{wasm,wat}")]
    file: PathBuf,
    /// Make a contract from the code first: selector and arguments of its constructor, may be empty.
    #[arg(long, value_name = "HEX | @FILE")]
    deploy: Option<Bytes>,
    /// Call it: selector and arguments. Without it the contract is only made.
    #[arg(long, value_name = "HEX | @FILE", required_unless_present = "deploy")]
    input: Option<Bytes>,
    /// Who calls: an address, 0x and 64 digits, or a development key.
    #[arg(long, value_name = "SS58", default_value = "//Alice")]
    caller: Account,
    /// Money to send with the call (with --deploy alone: to the new contract), in units of 10⁻⁷ yuan.
    #[arg(long, value_name = "N", default_value_t = 0)]
    value: u128,
    /// Gas that each step may use [default: what a block has, for a rule what one clearing has].
    #[arg(long, value_name = "N")]
    gas: Option<u64>,
    /// Keep the state here between runs. Without --deploy the newest contract in it that runs this code is called.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Call this contract of the state, whatever code it runs.
    #[arg(long, value_name = "SS58", conflicts_with = "deploy", requires = "state")]
    contract: Option<Account>,
    /// Tells contracts apart that are otherwise equal.
    #[arg(long, value_name = "HEX", default_value = "", requires = "deploy")]
    salt: Bytes,
    /// Take the code for this kind [default: stateful with --deploy or --state, else pure if it is accepted as that].
    #[arg(long, value_enum)]
    kind: Option<ContractKind>,
    /// Which engine runs it; the answer is the same.
    #[arg(long, value_enum, default_value_t = Engine::Wasmtime)]
    engine: Engine,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// Compiled code: what executes blocks.
    Wasmtime,
    /// An interpreter: what validators compare with.
    Wasmi,
}

/// Everything that a run did.
struct Ran {
    /// The constructor, if a call followed it.
    deployed: Option<Step>,
    /// The last step.
    last: Step,
}

impl RunArgs {
    /// Run and print.
    ///
    /// # Errors
    /// Arguments that do not fit together, or a file that cannot be read or written.
    pub(super) fn run(self) -> anyhow::Result<Ending> {
        let file = match CodeFile::read(&self.file)? {
            Ok(file) => file,
            Err(verdict) => return Ok(self.refuse(&verdict)),
        };
        let kind = self.kind(&file);
        if let Err(verdict) = file.judge(kind) {
            return Ok(self.refuse(&verdict));
        }
        let vm = Vm::new(match self.engine {
            Engine::Wasmtime => EngineKind::Wasmtime,
            Engine::Wasmi => EngineKind::Wasmi,
        })?;
        let ran = match kind {
            Kind::Pure => Ran { deployed: None, last: self.ask(&vm, &file)? },
            Kind::Stateful => self.step(&vm, &file)?,
        };
        if self.json {
            let mut all = ran.last.json();
            all["kind"] = kind.to_string().into();
            all["code_hash"] = ran.last.code_hash.unwrap_or_else(|| file.hash()).to_string().into();
            all["deployed"] = ran.deployed.as_ref().map_or(Value::Null, Step::json);
            println!("{all}");
        } else {
            for step in ran.deployed.iter().chain([&ran.last]) {
                println!("{}", step.table());
            }
        }
        Ok(ran.last.ending)
    }

    fn kind(&self, file: &CodeFile) -> Kind {
        match self.kind {
            Some(kind) => kind.into(),
            None if self.deploy.is_some() || self.state.is_some() => Kind::Stateful,
            None if file.judge(Kind::Pure).is_ok() => Kind::Pure,
            None => Kind::Stateful,
        }
    }

    fn refuse(&self, verdict: &Verdict) -> Ending {
        let step = Step::refused(verdict.words());
        if self.json {
            let mut all = step.json();
            all["verdict"] = verdict.json();
            println!("{all}");
        } else {
            println!("{}: refused: {}", self.file.display(), verdict.words());
        }
        step.ending
    }

    fn gas_limit(&self, most: u64) -> anyhow::Result<Gas> {
        let limit = self.gas.unwrap_or(most);
        if limit > most {
            bail!("--gas {limit} is more than a chain gives: at most {most}");
        }
        Ok(Gas::from_units(limit))
    }

    /// Run a pure rule.
    fn ask(&self, vm: &Vm, file: &CodeFile) -> anyhow::Result<Step> {
        let Some(Bytes(input)) = &self.input else { bail!("a pure rule has no constructor; give --input") };
        if self.deploy.is_some() || self.state.is_some() || self.value > 0 {
            bail!(
                "a pure rule has no constructor, no state and no money; leave --deploy, --state and --value away"
            );
        }
        let gas_limit = self.gas_limit(CLEAR_GAS_MAX)?;
        let module = vm.load(&file.hash(), Kind::Pure, || file.code.clone())?;
        Ok(Step::pure(vm.call_pure(&module, input, gas_limit), gas_limit))
    }

    /// Make a contract, call one, or both.
    fn step(&self, vm: &Vm, file: &CodeFile) -> anyhow::Result<Ran> {
        let gas_limit = self.gas_limit(BLOCK_GAS_MAX)?;
        let message = |input: &Bytes, value: u128| Message {
            caller: self.caller.0,
            value: Money::from_units(value),
            gas_limit,
            storage_deposit_limit: None,
            input: input.0.clone(),
        };
        let Saved { state, mut contracts } =
            self.state.as_deref().map_or(Ok(Saved::default()), Saved::read)?;
        let mut sandbox = Sandbox::new(vm, state);
        let mut steps = Vec::new();
        let mut target = self.contract.map(|Account(contract)| contract);
        if let Some(input) = &self.deploy {
            let value = if self.input.is_some() { 0 } else { self.value };
            let (message, code) = (message(input, value), NewCode::Upload(file.code.clone()));
            let (run, contract) = sandbox.deploy(Instantiation { message, code, salt: self.salt.0.clone() });
            target = contract;
            steps.push(Step::stateful("deploy", contract, run, gas_limit, &sandbox));
            if steps[0].ending == Ending::Success {
                contracts.extend(contract);
            }
        }
        let goes_on = steps.iter().all(|step| step.ending == Ending::Success);
        if let (true, Some(input)) = (goes_on, &self.input) {
            let contract = match target {
                Some(contract) => contract,
                None => self.newest(file, &sandbox, &contracts)?,
            };
            let run = sandbox.call(contract, message(input, self.value));
            steps.push(Step::stateful("call", Some(contract), run, gas_limit, &sandbox));
        }
        if let Some(path) = &self.state
            && steps.iter().any(|step| step.ending == Ending::Success)
        {
            Saved { state: sandbox.into_state(), contracts }.write(path)?;
        }
        let last = steps.pop().context("give --input, --deploy, or both")?;
        Ok(Ran { deployed: steps.pop(), last })
    }

    /// The newest contract that runs the file's code.
    fn newest(&self, file: &CodeFile, sandbox: &Sandbox, made: &[AccountId]) -> anyhow::Result<AccountId> {
        let (hash, found) = (file.hash(), sandbox.contracts());
        let runs_it = |contract: &&AccountId| found.get(contract).is_some_and(|info| info.code_hash == hash);
        made.iter().rev().find(runs_it).copied().with_context(|| {
            format!(
                "no contract runs {} yet: make one with --deploy HEX (what its constructor takes, may be empty)\
                 {}",
                self.file.display(),
                if self.state.is_some() { ", or choose one of the state with --contract" } else { "" },
            )
        })
    }
}

//! One contract on a chain, and the one way in which every step of a play is checked.
//!
//! A step is tried on both engines, sent once with too little gas and once with enough, and each time everybody's money
//! and all that contracts store are compared with what the step says.

use busbar_tests::chain::Chain;
use busbar_tests::machine;
use busbar_tests::world::{Plan, World, entities};
use host_node::keys::Signer;
use parity_scale_codec::{Compact, Encode};
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::contracts::{
    self, DryRun, Error, Instantiation, Message, NewCode, STORAGE, dry_call, dry_instantiate,
};
use runtime_execution::modules::system;
use runtime_execution::modules::system::Weight;
use runtime_execution::{DispatchError, Event, EventRecord, Outcome};
use runtime_primitives::{AccountId, Gas, Hash, Money, blake2_256};
use runtime_vm::{EngineKind, Trap, Vm};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// Gas that no call here needs.
const PLENTY: Gas = Gas::from_units(5_000_000_000);

/// The engine that validators check the first one with.
static SECOND_ENGINE: LazyLock<Vm> = LazyLock::new(|| Vm::new(EngineKind::Wasmi).expect("the engine starts"));

/// Who acts. All are registered and have money; the author deploys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Author,
    Alice,
    Bob,
}

impl Who {
    const fn entity(self) -> u32 {
        match self {
            Self::Author => entities::PLATFORM,
            Self::Alice => entities::BANK,
            Self::Bob => entities::RETAILER,
        }
    }
}

/// Everybody's free money, without those who have none, and all that contracts store.
type Effects = (BTreeMap<AccountId, u128>, BTreeMap<(Hash, Hash), Vec<u8>>);

/// An event of a contract: topics and data.
pub type Emitted = (Vec<Hash>, Vec<u8>);

/// How a call ends.
#[derive(Clone, Debug)]
enum End {
    Answer(Vec<u8>),
    Revert(Vec<u8>),
    Trap(Trap),
}

/// One call, and all that must follow from it.
#[derive(Clone, Debug)]
pub struct Step {
    by: Who,
    input: Vec<u8>,
    value: u128,
    end: End,
    emitted: Vec<Emitted>,
    paid: Vec<(Who, u128)>,
}

/// A call without money that answers nothing unless told otherwise.
pub fn call(by: Who, input: impl Into<Vec<u8>>) -> Step {
    Step {
        by,
        input: input.into(),
        value: 0,
        end: End::Answer(Vec::new()),
        emitted: Vec::new(),
        paid: Vec::new(),
    }
}

impl Step {
    /// Sends money along.
    pub fn with(mut self, value: u128) -> Self {
        self.value = value;
        self
    }

    /// Succeeds with this answer.
    pub fn answers(mut self, answer: impl Encode) -> Self {
        self.end = End::Answer(answer.encode());
        self
    }

    /// Emits an event, after those already said.
    pub fn emits(mut self, event: &Emitted) -> Self {
        self.emitted.push(event.clone());
        self
    }

    /// The contract pays somebody.
    pub fn pays(mut self, who: Who, value: u128) -> Self {
        self.paid.push((who, value));
        self
    }

    /// Reverts with this answer.
    pub fn reverts(mut self, answer: impl Encode) -> Self {
        self.end = End::Revert(answer.encode());
        self
    }

    /// Panics.
    pub fn traps(mut self) -> Self {
        self.end = End::Trap(Trap::Unreachable);
        self
    }
}

/// A chain with one contract.
pub struct Stage {
    world: World,
    code: Vec<u8>,
    contract: AccountId,
}

impl Stage {
    /// A chain on which the contract is not deployed yet.
    pub fn new(code: Vec<u8>) -> Self {
        Self { world: World::at_genesis(&Plan::default()), code, contract: AccountId::ZERO }
    }

    /// The account of somebody.
    pub fn account(&self, who: Who) -> AccountId {
        self.world.account(who.entity())
    }

    /// The author deploys the contract, unless the step says that its constructor refuses.
    pub fn deploy(&mut self, step: Step) {
        assert_eq!(step.by, Who::Author, "only authors deploy");
        let deployer = self.account(step.by);
        let hash = blake2_256(&self.code);
        self.contract = contracts::address(&deployer, &hash, &step.input, b"");
        let code = self.code.clone();
        self.check(&step, |stage, vm, gas_limit| {
            let message = handed(&step, deployer, gas_limit);
            let new = Instantiation { message, code: NewCode::Upload(code.clone()), salt: Vec::new() };
            let (run, address) = dry_instantiate(vm, &stage.world.chain.state, new);
            assert_eq!(address, Some(stage.contract));
            (
                run,
                contracts::Call::InstantiateWithCode {
                    value: Compact(step.value),
                    gas_limit: weight(gas_limit),
                    storage_deposit_limit: None,
                    code: stage.code.clone(),
                    data: step.input.clone(),
                    salt: Vec::new(),
                },
            )
        });
    }

    /// Plays the steps one after the other.
    pub fn play(&mut self, steps: impl IntoIterator<Item = Step>) {
        for step in steps {
            let (caller, contract) = (self.account(step.by), self.contract);
            self.check(&step, |stage, vm, gas_limit| {
                let message = handed(&step, caller, gas_limit);
                let run = dry_call(vm, &stage.world.chain.state, contract, message);
                (
                    run,
                    contracts::Call::Call {
                        dest: MultiAddress::Id(contract),
                        value: Compact(step.value),
                        gas_limit: weight(gas_limit),
                        storage_deposit_limit: None,
                        data: step.input.clone(),
                    },
                )
            });
        }
    }

    /// What a key of the contract's storage holds.
    pub fn stored(&self, key: &[u8]) -> Option<Vec<u8>> {
        contracts::storage_at(&self.world.chain.view(), &self.contract, key)
    }

    /// Checks one step; `attempt` tries it on an engine with a gas limit, and makes the call that does it.
    fn check(&mut self, step: &Step, attempt: impl Fn(&Self, &Vm, Gas) -> (DryRun, contracts::Call)) {
        let (run, _) = attempt(self, machine::vm(), PLENTY);
        let (second, _) = attempt(self, &SECOND_ENGINE, PLENTY);
        let told = |run: &DryRun| (run.result.clone(), run.gas, run.events.clone());
        assert_eq!(told(&run), told(&second), "the engines differ: {step:?}");
        self.check_trial(step, &run);
        if matches!(step.end, End::Trap(_)) {
            let (_, call) = attempt(self, machine::vm(), PLENTY);
            self.check_failure(step, call, Error::ContractTrapped);
            return;
        }

        let short = Gas::from_units(run.gas.units() - 1);
        let (starved, call) = attempt(self, machine::vm(), short);
        assert_eq!((starved.result, starved.trap), (Err(Error::OutOfGas), Some(Trap::OutOfGas)), "{step:?}");
        self.check_failure(step, call, Error::OutOfGas);

        let (_, call) = attempt(self, machine::vm(), run.gas_required);
        match step.end {
            End::Answer(_) => self.check_success(step, call),
            _ => self.check_failure(step, call, Error::ContractReverted),
        }
    }

    fn check_trial(&self, step: &Step, run: &DryRun) {
        match (&step.end, &run.result) {
            (End::Answer(answer), Ok(output)) => {
                assert_eq!((output.reverted(), &output.data), (false, answer), "{step:?}");
            }
            (End::Revert(answer), Ok(output)) => {
                assert_eq!((output.reverted(), &output.data), (true, answer), "{step:?}");
            }
            (End::Trap(trap), Err(Error::ContractTrapped)) => assert_eq!(run.trap.as_ref(), Some(trap)),
            _ => panic!("{:?} of {step:?}", run.result),
        }
        assert_eq!(self.emitted(&run.events), step.emitted, "tried: {step:?}");
    }

    /// The call fails like this, and changes nothing.
    fn check_failure(&mut self, step: &Step, call: contracts::Call, expected: Error) {
        let before = self.effects();
        match self.send(step.by, call) {
            Outcome::Failed { error: DispatchError::Contracts(error), .. } => assert_eq!(error, expected),
            other => panic!("{other:?} of {step:?}"),
        }
        assert_eq!(self.emitted(&self.chain().last().events), [], "{step:?}");
        assert!(self.effects() == before, "a call that failed changed something: {step:?}");
    }

    /// The call succeeds, emits and pays what the step says.
    fn check_success(&mut self, step: &Step, call: contracts::Call) {
        let mut money = self.effects().0;
        let mut pay = |from: AccountId, to: AccountId, value: u128| {
            if value > 0 {
                *money.get_mut(&from).expect("who pays has an account") -= value;
                *money.entry(to).or_default() += value;
            }
        };
        pay(self.account(step.by), self.contract, step.value);
        for &(who, value) in &step.paid {
            pay(self.contract, self.account(who), value);
        }
        let outcome = self.send(step.by, call);
        assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?} of {step:?}");
        assert_eq!(self.emitted(&self.chain().last().events), step.emitted, "{step:?}");
        money.retain(|_, free| *free > 0);
        assert_eq!(self.effects().0, money, "{step:?}");
    }

    fn send(&mut self, by: Who, call: contracts::Call) -> Outcome {
        let signer: Arc<Signer> = Arc::clone(&self.world.owners[by.entity() as usize]);
        let sent = self.world.chain.submit(&signer, call);
        self.world.chain.block();
        self.chain().outcome(&sent).clone()
    }

    fn chain(&self) -> &Chain {
        &self.world.chain
    }

    /// The contract's own events among all.
    fn emitted(&self, events: &[EventRecord]) -> Vec<Emitted> {
        let own = events.iter().filter_map(|record| match &record.event {
            Event::Contracts(contracts::Event::ContractEmitted { contract, data })
                if *contract == self.contract =>
            {
                Some((record.topics.clone(), data.clone()))
            }
            _ => None,
        });
        own.collect()
    }

    /// What a call that fails must leave alone.
    fn effects(&self) -> Effects {
        let view = self.chain().view();
        let accounts = system::ACCOUNT.entries(&view).into_iter();
        let money = accounts.map(|(who, info)| (who, info.data.free.units())).filter(|(_, free)| *free > 0);
        (money.collect(), STORAGE.entries(&view))
    }
}

/// What a step is dry-run with.
fn handed(step: &Step, caller: AccountId, gas_limit: Gas) -> Message {
    let (value, input) = (Money::from_units(step.value), step.input.clone());
    Message { caller, value, gas_limit, storage_deposit_limit: None, input }
}

const fn weight(gas: Gas) -> Weight {
    Weight { ref_time: gas.units(), proof_size: 0 }
}

/// The selector of a message: how its name's hash starts.
pub fn selector(name: &str) -> [u8; 4] {
    let [a, b, c, d, ..] = blake2_256(name.as_bytes()).0;
    [a, b, c, d]
}

/// Selector and arguments.
pub fn message(name: &str, arguments: impl Encode) -> Vec<u8> {
    (selector(name), arguments).encode()
}

/// What a contract answers to input that is no message: the language's own error.
pub const NOT_UNDERSTOOD: [u8; 2] = [1, 1];

/// An answer inside the language's own `Result`.
pub fn ok<T: Encode>(answer: T) -> Result<T, u8> {
    Ok(answer)
}

/// What a message that returns a `Result` answers when it fails.
pub fn failed(error: u8) -> Result<Result<(), u8>, u8> {
    Ok(Err(error))
}

/// What a message that returns a `Result` answers when it succeeds.
pub fn done() -> Result<Result<(), u8>, u8> {
    Ok(Ok(()))
}

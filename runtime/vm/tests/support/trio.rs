//! One case on three engines: what they may not differ in, and whether they do.

use crate::ledger::Ledger;
use crate::modules::{Random, mutant, random_module};
use runtime_primitives::{Gas, blake2_256};
use runtime_vm::{EngineKind, Entry, Kind, Outcome, Trap, Vm, check};

/// Gas that ends what does not end by itself.
const GAS: u64 = 300_000_000;

/// Real contracts, to be mutated; all are pure.
const SHIPPED: [&[u8]; 4] = [
    include_bytes!("../../../../contracts/artifacts/bid.wasm"),
    include_bytes!("../../../../contracts/artifacts/settlement.wasm"),
    include_bytes!("../../../../contracts/artifacts/high_low.wasm"),
    include_bytes!("../../../../contracts/artifacts/min_spread.wasm"),
];
/// Selectors of their messages.
const SELECTORS: [&str; 4] = ["describe", "admit", "clear", "settle"];

/// A module and what it is called with.
pub struct Case {
    pub code: Vec<u8>,
    pub kind: Kind,
    pub entry: Entry,
    pub input: Vec<u8>,
    /// Chooses among the gas limits.
    luck: u64,
}

impl Case {
    /// The case of `seed`: half of the modules are pure, half stateful, and one in sixty-four is a mutant of a real
    /// contract.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let luck = random.next();
        if random.one_in(64) {
            // The larger ones are rarer: compiling them takes longest.
            let origin = SHIPPED[random.below(4).min(random.below(4))];
            let code = mutant(origin, 6, &mut random);
            let selector = blake2_256(SELECTORS[random.below(4)].as_bytes());
            let rest = random.below(200);
            let input = [&selector.as_bytes()[..4], &random.bytes(rest)].concat();
            return Self { code, kind: Kind::Pure, entry: Entry::Call, input, luck };
        }
        let kind = if random.one_in(2) { Kind::Pure } else { Kind::Stateful };
        let entry = if kind == Kind::Stateful && random.one_in(4) { Entry::Deploy } else { Entry::Call };
        let code = random_module(kind, &mut random);
        let bytes = random.below(300);
        Self { code, kind, entry, input: random.bytes(bytes), luck }
    }
}

/// Three engines.
pub struct Trio {
    vms: [Vm; 3],
}

/// What all engines agreed on.
#[derive(Clone, Copy, Debug)]
pub struct Agreed {
    pub end: End,
    /// Storage writes, events, messages and transfers that the host saw.
    pub effects: usize,
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Refused,
    Returned,
    Trapped,
    OutOfGas,
}

impl Trio {
    pub fn new() -> Self {
        let kinds = [EngineKind::Wasmtime, EngineKind::Winch, EngineKind::Wasmi];
        Self { vms: kinds.map(|kind| Vm::new(kind).unwrap()) }
    }

    /// Runs `case` with much gas, with exactly what it used, and with less.
    ///
    /// # Errors
    /// What the engines disagree about.
    pub fn run(&self, case: &Case) -> Result<Agreed, String> {
        if check(&case.code, case.kind).is_err() {
            return Ok(Agreed { end: End::Refused, effects: 0 });
        }
        let (much, ledger) = self.agree(case, GAS)?;
        let used = much.gas_used.units();
        if used < GAS && used > 0 {
            let (exactly, _) = self.agree(case, used)?;
            let (less, _) = self.agree(case, case.luck % used)?;
            // A stateful contract can ask how much is left, and pays in advance for what it may get.
            if case.kind == Kind::Pure {
                // What was counted before a trap is what was last spilled, less than what it takes to get there.
                if much.result.is_ok() && exactly != much {
                    return Err(format!("gas {used} is what it used, but then: {exactly:?}, not {much:?}"));
                }
                if less.result != Err(Trap::OutOfGas) {
                    return Err(format!(
                        "gas {} is less than the {used} that it used: {less:?}",
                        case.luck % used
                    ));
                }
            }
        }
        let end = match much.result {
            Ok(_) => End::Returned,
            Err(Trap::OutOfGas) => End::OutOfGas,
            Err(_) => End::Trapped,
        };
        let Ledger { writes, events, messages, transfers, .. } = ledger;
        Ok(Agreed { end, effects: writes.len() + events.len() + messages.len() + transfers.len() })
    }

    /// What all engines say to a call with `gas`: outcome, trap and all a host saw, in order.
    fn agree(&self, case: &Case, gas: u64) -> Result<(Outcome, Ledger), String> {
        let run = |vm: &Vm| {
            let module = vm.load(&blake2_256(&case.code), case.kind, || case.code.clone()).unwrap();
            let limit = Gas::from_units(gas);
            let mut ledger = Ledger { value: 9, balance: 1 << 70, ..Ledger::default() };
            ledger.storage.extend([(vec![], vec![1; 40]), (vec![0; 32], vec![2; 500]), (vec![0; 8], vec![])]);
            let outcome = match case.kind {
                Kind::Pure => vm.call_pure(&module, &case.input, limit),
                Kind::Stateful => vm.call(&module, case.entry, case.input.clone(), limit, &mut ledger),
            };
            (outcome, ledger)
        };
        let first = run(&self.vms[0]);
        for vm in &self.vms[1..] {
            let other = run(vm);
            if other != first {
                let (one, two) = (self.vms[0].engine(), vm.engine());
                let (said, saw) =
                    (format!("{one:?} {:?}, {two:?} {:?}", first.0, other.0), other.1 == first.1);
                return Err(format!("with gas {gas}: {said}; the host saw the same: {saw}"));
            }
        }
        if first.0.gas_used.units() > gas {
            return Err(format!("with gas {gas}: {:?}", first.0));
        }
        Ok(first)
    }
}

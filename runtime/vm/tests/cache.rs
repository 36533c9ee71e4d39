//! The cache of compiled modules: what is found is used without compiling, what cannot be believed is compiled again.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use runtime_primitives::{Gas, Hash, blake2_256};
use runtime_vm::{EngineKind, Kind, Module, Outcome, PASS_VERSION, Shelf, Stats, Vm};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use support::{PLENTY, on_vm_thread, program, returned, wasm};

const KEY: [u8; 32] = [7; 32];
const VERSION_AT: usize = 8;
const IDENTITY_AT: usize = 12;
const CODE_HASH_AT: usize = 44;
const CODE_AT: usize = 93;
const MAC_BYTES: usize = 32;

/// A shelf that tests can look at.
#[derive(Clone, Default)]
struct Board(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    artifacts: BTreeMap<String, Vec<u8>>,
    /// All that was ever put there.
    puts: Vec<(String, Vec<u8>)>,
    gets: u64,
}

impl Shelf for Board {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        let mut contents = self.0.lock().unwrap();
        contents.gets += 1;
        contents.artifacts.get(name).cloned()
    }

    fn put(&self, name: &str, artifact: &[u8]) {
        assert!(name.len() <= 80 && name.chars().all(|c| matches!(c, '0'..='9' | 'a'..='z' | '.')), "{name}");
        let mut contents = self.0.lock().unwrap();
        contents.artifacts.insert(name.to_owned(), artifact.to_vec());
        contents.puts.push((name.to_owned(), artifact.to_vec()));
    }
}

impl Board {
    fn vm(&self, key: [u8; 32]) -> Vm {
        Vm::with_cache(EngineKind::Wasmtime, Box::new(self.clone()), key).unwrap()
    }

    fn of(artifacts: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let contents = Contents { artifacts: artifacts.into_iter().collect(), ..Contents::default() };
        Self(Arc::new(Mutex::new(contents)))
    }

    fn gets(&self) -> u64 {
        self.0.lock().unwrap().gets
    }

    fn puts(&self) -> Vec<(String, Vec<u8>)> {
        self.0.lock().unwrap().puts.clone()
    }

    /// The one artifact there.
    fn only(&self) -> (String, Vec<u8>) {
        let artifacts = self.0.lock().unwrap().artifacts.clone();
        assert_eq!(artifacts.len(), 1);
        artifacts.into_iter().next().unwrap()
    }
}

/// Returns `number`, by the start function too, so that it is known to be kept.
fn small(number: usize) -> Vec<u8> {
    wasm(&program(&format!(
        r#"(func $start (i32.store (i32.const 4) (i32.const 5))) (start $start)
        (func (export "call")
            (i32.store (i32.const 0) (i32.const {number}))
            (call $return (i32.const 0) (i32.const 0) (i32.const 5)))"#
    )))
}

/// Sums up in a function of more than 16 KiB, which the optimising compiler is not waited for.
fn large() -> Vec<u8> {
    let body = "(local.set $a (i64.add (i64.mul (local.get $a) (i64.const 31)) (i64.const 7)))".repeat(2_500);
    wasm(&program(&format!(
        r#"(func (export "call") (local $a i64) {body} (i64.store (i32.const 0) (local.get $a))
        (call $return (i32.const 0) (i32.const 0) (i32.const 8)))"#
    )))
}

fn load(vm: &Vm, code: &[u8]) -> Module {
    vm.load(&blake2_256(code), Kind::Pure, || code.to_vec()).unwrap()
}

fn run(vm: &Vm, module: &Module) -> Outcome {
    let mut outcome = None;
    on_vm_thread(|| outcome = Some(vm.call_pure(module, b"", Gas::from_units(PLENTY))));
    outcome.unwrap()
}

/// Authenticates `content` as the node does.
fn sealed(content: &[u8]) -> Vec<u8> {
    [content, blake2_256(&[&KEY, content].concat()).as_bytes()].concat()
}

#[test]
fn what_is_on_the_shelf_is_not_compiled() {
    let (board, code) = (Board::default(), small(3));
    let first = board.vm(KEY);
    let outcome = run(&first, &load(&first, &code));
    assert_eq!(outcome.result, returned([3, 0, 0, 0, 5]));
    load(&first, &code);
    assert_eq!(first.stats(), Stats { compiled: 1, found_in_memory: 1, ..Stats::default() });

    let second = board.vm(KEY);
    let module =
        second.load(&blake2_256(&code), Kind::Pure, || panic!("a hit needs no code")).expect("it is there");
    assert_eq!(second.stats(), Stats { found_on_shelf: 1, ..Stats::default() });
    assert_eq!(run(&second, &module), outcome, "gas included");
}

#[test]
fn kinds_have_artifacts_of_their_own() {
    let board = Board::default();
    let vm = board.vm(KEY);
    let code = wasm(&program(r#"(func (export "call")) (func (export "deploy"))"#));
    load(&vm, &code);
    vm.load(&blake2_256(&code), Kind::Stateful, || code.clone()).unwrap();
    assert_eq!((vm.stats().compiled, board.puts().len()), (2, 2));
}

/// Puts what `spoil` makes of good artifacts on a shelf and expects each to be compiled again, with the same result,
/// and mended.
fn check_spoilt(count: usize, spoil: impl Fn(usize, &[u8]) -> Vec<u8>) {
    let code = small(9);
    let hashes: Vec<Hash> = (0..count).map(|number| blake2_256(&number.to_le_bytes())).collect();
    // The caller vouches for the hash, so one code may go by many.
    let load = |vm: &Vm, hash: &Hash| vm.load(hash, Kind::Pure, || code.clone()).unwrap();
    let good = Board::default();
    let vm = good.vm(KEY);
    hashes.iter().for_each(|hash| drop(load(&vm, hash)));
    let board =
        Board::of((0..).zip(good.puts()).map(|(number, (name, bytes))| (name, spoil(number, &bytes))));
    let vm = board.vm(KEY);
    for hash in &hashes {
        let module = load(&vm, hash);
        assert_eq!(run(&vm, &module).result, returned([9, 0, 0, 0, 5]));
    }
    let all = count as u64;
    assert_eq!(vm.stats(), Stats { disbelieved: all, compiled: all, ..Stats::default() });
    let again = board.vm(KEY);
    hashes.iter().for_each(|hash| drop(load(&again, hash)));
    assert_eq!(again.stats(), Stats { found_on_shelf: all, ..Stats::default() }, "mended");
}

#[test]
fn one_changed_bit_anywhere_is_noticed() {
    // All of the header and of the code of authentication, and some of the code between.
    let between = 20;
    check_spoilt(CODE_AT + between + MAC_BYTES, |number, bytes| {
        let mut bytes = bytes.to_vec();
        let last = bytes.len() - 1;
        let at = match number {
            _ if number < CODE_AT => number,
            _ if number < CODE_AT + between => {
                CODE_AT + (bytes.len() - CODE_AT) / between * (number - CODE_AT)
            }
            _ => last - (number - CODE_AT - between),
        };
        bytes[at] ^= 1 << (number % 8);
        bytes
    });
}

#[test]
fn what_is_cut_short_or_longer_is_noticed() {
    check_spoilt(24, |number, bytes| match number {
        0 => Vec::new(),
        1 => vec![0; 5],
        2 => [bytes, &[0]].concat(),
        _ => bytes[..bytes.len() - 1 - (number - 3) * (bytes.len() - 1) / 20].to_vec(),
    });
}

#[test]
fn what_is_authentic_but_of_another_version_compiler_or_module_is_not_used() {
    let at = [VERSION_AT, IDENTITY_AT, CODE_HASH_AT, CODE_HASH_AT + 32, CODE_AT - 8];
    check_spoilt(at.len(), |number, bytes| {
        let mut content = bytes[..bytes.len() - MAC_BYTES].to_vec();
        content[at[number]] ^= 1;
        sealed(&content)
    });
}

#[test]
fn artifacts_say_the_version_of_the_pass() {
    let board = Board::default();
    load(&board.vm(KEY), &small(1));
    let (_, bytes) = board.only();
    assert_eq!(bytes[VERSION_AT..][..4], PASS_VERSION.to_le_bytes());
    assert_eq!(sealed(&bytes[..bytes.len() - MAC_BYTES]), bytes, "the layout is the one that is documented");
}

#[test]
fn another_nodes_artifacts_are_not_used() {
    let (board, code) = (Board::default(), small(1));
    load(&board.vm(KEY), &code);
    let other = board.vm([8; 32]);
    load(&other, &code);
    assert_eq!(other.stats(), Stats { disbelieved: 1, compiled: 1, ..Stats::default() });
}

#[test]
fn a_thousand_deployed_codes_are_neither_read_nor_compiled_before_they_are_called() {
    const CODES: usize = 1_000;
    let board = Board::default();
    let codes: Vec<Vec<u8>> = (0..CODES).map(small).collect();
    let vm = board.vm(KEY);
    codes.iter().for_each(|code| drop(load(&vm, code)));
    let read = board.gets();

    let started = board.vm(KEY);
    assert_eq!((started.stats(), board.gets()), (Stats::default(), read), "a start reads nothing");
    let module = load(&started, &codes[500]);
    assert_eq!(run(&started, &module).result, returned([0xf4, 1, 0, 0, 5]));
    assert_eq!((started.stats().found_on_shelf, board.gets()), (1, read + 1), "a call reads its own module");
    codes.iter().for_each(|code| drop(load(&started, code)));
    let stats = started.stats();
    // The one that was called is among those that memory still holds.
    assert_eq!((stats.compiled, stats.found_on_shelf, stats.found_in_memory), (0, 1_000, 1));
}

#[test]
fn slow_code_starts_on_the_first_form_and_ends_up_on_the_better_one() {
    let (board, code) = (Board::default(), large());
    let vm = board.vm(KEY);
    let first = load(&vm, &code);
    let outcome = run(&vm, &first);
    assert!(outcome.result.is_ok());
    vm.settle();
    assert_eq!((vm.stats().compiled, vm.stats().improved), (1, 1));
    assert_eq!(run(&vm, &first), outcome, "whoever holds the first form may go on with it");
    let better = load(&vm, &code);
    assert_eq!(run(&vm, &better), outcome);
    assert_eq!(vm.stats().found_in_memory, 1, "it took the first one's place");

    // A node that stopped in between finds the first form and improves it then.
    let puts = board.puts();
    assert_eq!(puts.len(), 2);
    assert_ne!(puts[0].1[IDENTITY_AT..CODE_HASH_AT], puts[1].1[IDENTITY_AT..CODE_HASH_AT], "two compilers");
    let interrupted = Board::of([puts[0].clone()]);
    let vm = interrupted.vm(KEY);
    let found = load(&vm, &code);
    vm.settle();
    assert_eq!(vm.stats(), Stats { found_on_shelf: 1, improved: 1, ..Stats::default() });
    assert_eq!(run(&vm, &found), outcome);

    let later = interrupted.vm(KEY);
    load(&later, &code);
    later.settle();
    assert_eq!(later.stats(), Stats { found_on_shelf: 1, ..Stats::default() }, "once and for all");
}

#[test]
fn quick_code_is_optimised_at_once() {
    let vm = Vm::new(EngineKind::Wasmtime).unwrap();
    load(&vm, &small(1));
    vm.settle();
    assert_eq!(vm.stats(), Stats { compiled: 1, ..Stats::default() });
}

#[test]
fn the_interpreter_keeps_nothing() {
    let board = Board::default();
    let vm = Vm::with_cache(EngineKind::Wasmi, Box::new(board.clone()), KEY).unwrap();
    load(&vm, &small(1));
    assert_eq!((board.puts().len(), board.gets()), (0, 0));
}

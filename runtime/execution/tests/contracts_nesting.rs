//! Contracts that call, make and end contracts: what each sees, what stands afterwards, and what stops them.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

mod contracts_chain;

use contracts_chain::puppet::*;
use contracts_chain::*;
use parity_scale_codec::Encode;
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::contracts::{
    self, CODE_INFO, CONTRACT_INFO, Caller, Error, Event as ContractEvent, NONCE, STORAGE, storage_at,
};
use runtime_execution::modules::sudo;
use runtime_execution::{Call, DispatchError, Event, EventRecord, Outcome};
use runtime_primitives::{AccountId, Hash, blake2_256};
use runtime_vm::Output;
use std::sync::LazyLock;

/// What every contract has at first.
const STAKE: u128 = 100;
/// Gas for six contracts inside one another.
const GAS: u64 = 20_000_000_000;

/// The puppet's code, and another that does the same.
static CODE: LazyLock<Hash> = LazyLock::new(|| blake2_256(&puppet(0)));
static OTHER: LazyLock<Hash> = LazyLock::new(|| blake2_256(&puppet(1)));
static ECHO: LazyLock<Hash> = LazyLock::new(|| blake2_256(&echo()));

/// Three puppets of one code and an echo.
#[derive(Clone)]
struct World {
    chain: Chain,
    a: AccountId,
    b: AccountId,
    c: AccountId,
    echo: AccountId,
}

/// What came of a script.
struct Played {
    answer: Result<Output, Error>,
    gas: u64,
    events: Vec<EventRecord>,
    after: World,
}

impl World {
    fn new() -> Self {
        let mut chain = Chain::new();
        let [a, b, c] = [b"a", b"b", b"c"].map(|salt| {
            chain.expect(AUTHOR, instantiate_with_code(puppet(0), STAKE, &[], salt));
            contracts::address(&AUTHOR, &CODE, &[], salt)
        });
        chain.expect(AUTHOR, upload(puppet(1)));
        let echo = chain.deploy(echo(), STAKE, &[]);
        Self { chain, a, b, c, echo }
    }

    /// Plays a script on `a` for Alice: dry on both engines, then in a block of a fork.
    fn play(&self, script: &Script) -> Played {
        self.play_with(0, script.bytes())
    }

    fn play_with(&self, value: u128, input: Vec<u8>) -> Played {
        let dry = self.chain.try_call(self.a, &message(ALICE, value, GAS, input.clone()));
        let mut after = self.clone();
        let (outcome, events) = after.chain.apply(ALICE, call(self.a, value, GAS, input));
        let expected = match &dry.result {
            Ok(output) if output.reverted() => Err(Error::ContractReverted),
            Ok(_) => Ok(()),
            Err(error) => Err(error.clone()),
        };
        let seen = match outcome {
            Outcome::Applied { .. } => Ok(()),
            Outcome::Failed { error: DispatchError::Contracts(error), .. } => Err(error),
            other => panic!("{other:?}"),
        };
        assert_eq!(seen, expected, "a dry run tells what the block does");
        Played { answer: dry.result, gas: dry.gas.units(), events, after }
    }

    /// Keys below 10 that the puppets have values under.
    fn stored(&self) -> Vec<(char, u8)> {
        let mut stored = Vec::new();
        for (name, contract) in [('a', self.a), ('b', self.b), ('c', self.c)] {
            let state = self.chain.overlay();
            let keys = (0..10).filter(|key| storage_at(&state, &contract, &[*key; 32]).is_some());
            stored.extend(keys.map(|key| (name, key)));
        }
        stored
    }

    /// What the puppets, Alice and Bob have more than in `before`.
    fn gained(&self, before: &Self) -> [i128; 5] {
        let who = [self.a, self.b, self.c, ALICE, BOB];
        who.map(|who| self.chain.free(&who).cast_signed() - before.chain.free(&who).cast_signed())
    }

    fn users(&self, code: &Hash) -> u64 {
        CODE_INFO.get(&self.chain.overlay(), code).unwrap().refcount
    }
}

fn answered(data: impl Into<Vec<u8>>) -> Result<Output, Error> {
    Ok(Output { flags: 0, data: data.into() })
}

fn own_events(events: &[EventRecord]) -> Vec<ContractEvent> {
    let own = of_the_call(events).into_iter().filter_map(|(event, _)| match event {
        Event::Contracts(event) => Some(event),
        _ => None,
    });
    own.collect()
}

fn script() -> Script {
    Script::new()
}

/// A script and what the caller learns, or why it failed.
type Row = (&'static str, Script, Result<Vec<u32>, Error>);

fn check(world: &World, rows: Vec<Row>) {
    for (what, script, expected) in rows {
        let before = world.chain.effects();
        let played = world.play(&script);
        assert_eq!(played.answer, expected.clone().and_then(|seen| answered(codes(&seen))), "{what}");
        if expected.is_err() {
            assert!(played.after.chain.effects() == before, "{what} left something behind");
        }
    }
}

/// `inner` inside so many calls of `contract`, each of which answers what it saw.
fn nested(contract: AccountId, calls: usize, inner: Script) -> Script {
    (0..calls).fold(inner, |inner, _| script().ask(to(contract, &inner)))
}

#[test]
fn reentry_is_allowed_by_each_caller_on_the_stack() {
    on_vm_thread(|| {
        let world = World::new();
        let World { a, b, c, .. } = world;
        let touch = script().set(1, "x");
        let call_a = script().call(to(a, &touch));
        let denied = Err(Error::ReentranceDenied);
        check(
            &world,
            vec![
                ("itself, allowed", script().call(to(a, &touch)), Ok(vec![0])),
                ("itself, denied", script().call(to(a, &touch).flags(0)), denied),
                ("through another, allowed", script().ask(to(b, &call_a)), Ok(vec![0, 0])),
                ("through another, denied", script().call(to(b, &call_a).flags(0)), Ok(vec![1])),
                (
                    "through two, denied by the outermost",
                    script().ask(to(b, &script().call(to(c, &call_a))).flags(0)),
                    Ok(vec![0, 1]),
                ),
                (
                    "each call says for itself",
                    script().call(to(b, &call_a).flags(0)).call(to(b, &call_a)).call(to(b, &call_a).flags(0)),
                    Ok(vec![1, 0, 1]),
                ),
                (
                    "a call that failed leaves no denial",
                    script()
                        .call(to(BOB, &touch).flags(0))
                        .call(to(b, &script().trap()).flags(0))
                        .call(to(b, &script().revert(b"")).flags(0))
                        .delegate(*OTHER, 0, &call_a),
                    Ok(vec![8, 1, 2, 0]),
                ),
                (
                    "a delegate denies it for its contract",
                    script().delegate(*OTHER, 0, &script().call(to(a, &touch).flags(0))),
                    Ok(vec![1]),
                ),
                (
                    "the first version of call allows it",
                    script().host(
                        "seal0.call",
                        [at(a.0), n(0u32), n(0u32), amount(0), n(0u32), at(touch.bytes())]
                            .into_iter()
                            .chain([n(touch.bytes().len() as u64), n(NOWHERE), n(NOWHERE)]),
                    ),
                    Ok(vec![0]),
                ),
            ],
        );
    });
}

#[test]
fn six_contracts_run_inside_one_another() {
    on_vm_thread(|| {
        let world = World::new();
        let World { a, b, .. } = world;
        let touch = script().set(1, "x");
        let last = |inner: Script| script().call(to(b, &inner));
        let made = script().make(*CODE, 0, &script(), b"");
        let lost = script().make(Hash([7; 32]), 0, &script(), b"");
        let delegates = (0..5).fold(touch.clone(), |inner, _| script().delegate(*OTHER, 0, &inner));
        check(
            &world,
            vec![
                ("five calls", nested(a, 5, touch.clone()), Ok(vec![0; 5])),
                ("six calls", nested(a, 4, last(last(touch.clone()))), Ok(vec![0, 0, 0, 0, 1])),
                ("instantiating as the sixth", nested(a, 4, made.clone()), Ok(vec![0; 5])),
                ("instantiating as the seventh", nested(a, 4, last(made)), Ok(vec![0, 0, 0, 0, 1])),
                ("code that is not there, as the seventh", nested(a, 5, lost), Ok(vec![0, 0, 0, 0, 0, 7])),
                ("five delegates", delegates.clone(), Ok(vec![0])),
                (
                    "a delegate as the seventh",
                    nested(a, 4, last(script().delegate(*OTHER, 0, &touch))),
                    Ok(vec![0, 0, 0, 0, 1]),
                ),
            ],
        );
        assert_eq!(world.play(&delegates).after.stored(), [('a', 1)]);
    });
}

#[test]
fn a_read_only_call_changes_nothing_below() {
    on_vm_thread(|| {
        let world = World::new();
        let World { a, b, c, .. } = world;
        let touch = script().set(1, "x");
        let read = |to: To| to.flags(READ_ONLY | REENTRY);
        let look = script().host("seal0.contains_storage", [at([1; 32])]);
        let rows = vec![
            ("reading", script().ask(read(to(b, &look))), Ok(vec![0, u32::MAX])),
            ("writing", script().call(read(to(b, &touch))), Ok(vec![1])),
            ("value", script().call(read(to(b, &look)).value(1)), Err(Error::StateChangeDenied)),
            (
                "value further in",
                script().call(read(to(b, &script().call(to(c, &look).value(1))))),
                Ok(vec![1]),
            ),
            ("value, allowed", script().call(to(b, &script().call(to(c, &look).value(1)))), Ok(vec![0])),
            (
                "inherited, not lifted",
                script().ask(read(to(b, &script().call(to(c, &touch)).call(to(c, &look))))),
                Ok(vec![0, 1, 0]),
            ),
            (
                "inherited by a delegate",
                script().ask(read(to(b, &script().delegate(*OTHER, 0, &touch)))),
                Ok(vec![0, 1]),
            ),
            ("back in the caller", script().ask(read(to(b, &script().call(to(a, &touch))))), Ok(vec![0, 1])),
            (
                "over when it returns",
                script().call(read(to(b, &touch))).set(1, "x").call(to(b, &touch)),
                Ok(vec![1, 0]),
            ),
        ];
        check(&world, rows);
        // Every function that the table calls mutating, with arguments that are good enough to be refused first.
        for function in served().into_iter().filter(|function| function.mutating) {
            let name = format!("{}.{}", function.module, function.name);
            let change = script().host(&name, function.parameters.iter().map(|_| n(0u32)));
            let played = world.play(&script().call(read(to(b, &change))));
            assert_eq!(played.answer, answered(codes(&[1])), "{name}");
        }
    });
}

#[test]
fn each_layer_is_undone_alone() {
    on_vm_thread(|| {
        let world = World::new();
        let World { a, b, c, .. } = world;
        let touch = script().set(1, "x");
        let reverted = || Ok(Output { flags: 1, data: b"no".to_vec() });
        let b_pays = |end: fn(Script) -> Script| {
            let inner = end(script().set(2, "y").transfer(BOB, 2).event(b"inner"));
            script().set(1, "x").transfer(BOB, 5).event(b"outer").call(to(b, &inner).value(3))
        };
        let no = |script: Script| script.revert(b"no");
        for (what, script, answer, stored, gained, emitted) in [
            (
                "nothing is undone",
                b_pays(|s| s),
                answered(codes(&[0, 0])),
                vec![('a', 1), ('b', 2)],
                [-8, 1, 0, 0, 7],
                2,
            ),
            (
                "the inner one reverts",
                b_pays(|s| s.revert(b"")),
                answered(codes(&[0, 2])),
                vec![('a', 1)],
                [-5, 0, 0, 0, 5],
                1,
            ),
            (
                "the inner one traps",
                b_pays(Script::trap),
                answered(codes(&[0, 1])),
                vec![('a', 1)],
                [-5, 0, 0, 0, 5],
                1,
            ),
            (
                "the inner one spins",
                script().set(1, "x").call(to(b, &touch.clone().spin()).gas(50_000_000)),
                answered(codes(&[1])),
                vec![('a', 1)],
                [0; 5],
                0,
            ),
            ("the outer one reverts", no(b_pays(|s| s)), reverted(), vec![], [0; 5], 0),
            ("the outer one traps", b_pays(|s| s).trap(), Err(Error::ContractTrapped), vec![], [0; 5], 0),
            (
                "the middle one reverts",
                script().set(1, "x").call(to(b, &touch.clone().call(to(c, &touch).value(4)).revert(b""))),
                answered(codes(&[2])),
                vec![('a', 1)],
                [0; 5],
                0,
            ),
            (
                "the innermost traps, the middle goes on",
                script().ask(to(b, &touch.clone().call(to(c, &touch.clone().trap())).set(2, "y"))),
                answered(codes(&[0, 1])),
                vec![('b', 1), ('b', 2)],
                [0; 5],
                0,
            ),
            (
                "a re-entered contract traps",
                script().set(1, "x").ask(to(b, &script().call(to(a, &script().set(2, "y").clear(1).trap())))),
                answered(codes(&[0, 1])),
                vec![('a', 1)],
                [0; 5],
                0,
            ),
            (
                "a re-entered contract writes",
                script().set(1, "x").ask(to(b, &script().call(to(a, &script().set(2, "y").clear(1))))),
                answered(codes(&[0, 0])),
                vec![('a', 2)],
                [0; 5],
                0,
            ),
            (
                "a delegate reverts",
                script().set(1, "x").delegate(*OTHER, 0, &script().set(2, "y").transfer(BOB, 1).revert(b"")),
                answered(codes(&[2])),
                vec![('a', 1)],
                [0; 5],
                0,
            ),
        ] {
            let played = world.play(&script);
            assert_eq!(played.answer, answer, "{what}");
            assert_eq!(played.after.stored(), stored, "{what}");
            assert_eq!(played.after.gained(&world), gained, "{what}");
            let events = own_events(&played.events);
            let count = events.iter().filter(|event| matches!(event, ContractEvent::ContractEmitted { .. }));
            assert_eq!(count.count(), emitted, "{what}");
        }
    });
}

#[test]
fn events_come_in_the_order_of_what_ended() {
    on_vm_thread(|| {
        let world = World::new();
        let World { a, b, .. } = world;
        let inner = script().event(b"in").delegate(*OTHER, 0, &script().event(b"delegate"));
        let made = contracts::address(&b, &CODE, &[], b"s");
        let inner = inner.make(*CODE, 0, &script(), b"s");
        let played = world.play(&script().event(b"first").call(to(b, &inner)).event(b"last"));
        let emitted =
            |contract, data: &[u8]| ContractEvent::ContractEmitted { contract, data: data.to_vec() };
        let expected = [
            emitted(a, b"first"),
            emitted(b, b"in"),
            emitted(b, b"delegate"),
            ContractEvent::DelegateCalled { contract: b, code_hash: *OTHER },
            ContractEvent::Instantiated { deployer: b, contract: made },
            ContractEvent::Called { caller: Caller::Signed(a), contract: b },
            emitted(a, b"last"),
            ContractEvent::Called { caller: Caller::Signed(ALICE), contract: a },
        ];
        assert_eq!(own_events(&played.events), expected);
    });
}

#[test]
fn input_is_forwarded_once_and_cloned_for_ever() {
    on_vm_thread(|| {
        let world = World::new();
        let echo = |flags| To { flags, input: b"not this".to_vec(), ..to(world.echo, &script()) };
        let ask = |script: Script, flags| script.ask(echo(flags));
        let forwarded = ask(script(), FORWARD);
        let cloned = ask(ask(script(), CLONE), CLONE | FORWARD).fact("seal0.input");
        let seen = |script: &Script, times| {
            let bytes = script.bytes();
            (0..times).flat_map(|_| [codes(&[0]), bytes.clone()].concat()).collect::<Vec<u8>>()
        };
        let plain = ask(script(), 0);
        for (what, script, expected) in [
            ("neither", plain, answered([&codes(&[0])[..], b"not this"].concat())),
            ("forwarded", forwarded.clone(), answered(seen(&forwarded, 1))),
            (
                "cloned, which goes before forwarded, and read",
                cloned.clone(),
                answered([seen(&cloned, 2), cloned.bytes()].concat()),
            ),
            ("read after", forwarded.clone().fact("seal0.input"), Err(Error::InputForwarded)),
            ("forwarded again", ask(forwarded.clone(), FORWARD), Err(Error::InputForwarded)),
            ("cloned after", ask(forwarded, CLONE), Err(Error::InputForwarded)),
            (
                "forwarded to nobody",
                script().call(To { callee: BOB, ..echo(FORWARD) }).fact("seal0.input"),
                Err(Error::InputForwarded),
            ),
        ] {
            assert_eq!(world.play(&script).answer, expected, "{what}");
        }
        let delegated = script()
            .room()
            .host("seal0.delegate_call", [n(FORWARD), at(ECHO.0), n(0u32), n(0u32), n(SCRATCH), n(CELL)])
            .log();
        assert_eq!(world.play(&delegated).answer, answered(seen(&delegated, 1)));
    });
}

#[test]
fn a_tail_call_returns_what_its_callee_returns() {
    on_vm_thread(|| {
        let world = World::new();
        let World { b, echo, .. } = world;
        let hi = To { input: b"hi".to_vec(), flags: TAIL, ..to(echo, &script()) };
        let delegate = |code: Hash, input: &[u8]| {
            let input = [at(input), n(input.len() as u64), n(NOWHERE), n(NOWHERE)];
            script().set(1, "x").host("seal0.delegate_call", [n(TAIL), at(code.0)].into_iter().chain(input))
        };
        let no = script().set(1, "x").revert(b"no");
        for (what, script, answer, stored) in [
            ("it answers", script().set(1, "x").call(hi).trap(), answered("hi"), vec![('a', 1)]),
            (
                "it reverts",
                script().set(1, "x").call(to(b, &no).flags(TAIL)).trap(),
                Ok(Output { flags: 1, data: b"no".to_vec() }),
                vec![],
            ),
            (
                "it traps",
                script().set(1, "x").call(to(b, &script().trap()).flags(TAIL)),
                answered(codes(&[1])),
                vec![('a', 1)],
            ),
            ("it is not there", script().call(to(BOB, &no).flags(TAIL)), answered(codes(&[8])), vec![]),
            ("a delegate answers", delegate(*ECHO, b"hi").trap(), answered("hi"), vec![('a', 1)]),
            ("there is no such code", delegate(Hash::ZERO, b"hi"), answered(codes(&[7])), vec![('a', 1)]),
        ] {
            let played = world.play(&script);
            assert_eq!((played.answer, played.after.stored()), (answer, stored), "{what}");
        }
    });
}

#[test]
fn outputs_fit_are_discarded_or_trap() {
    on_vm_thread(|| {
        let world = World::new();
        let say = To { input: b"abcdef".to_vec(), ..to(world.echo, &script()) };
        let code = |code: u32, more: &[u8]| answered([&codes(&[code]), more].concat());
        let no = to(world.b, &script().revert(b"no"));
        let made = contracts::address(&world.a, &ECHO, b"abcdef", b"salt");
        let make = |address: u64, output: u64| {
            let nowhere = [n(address), n(CELL), n(output), n(CELL), at("salt"), n(4u32)];
            let what = [at(ECHO.0), n(0u32), amount(0), at("abcdef"), n(6u32)];
            script().room().host("seal1.instantiate", what.into_iter().chain(nowhere))
        };
        for (what, script, expected) in [
            (
                "it fits",
                script().put(CELL, 6).call_with(say.clone(), SCRATCH, CELL).log(),
                code(0, b"abcdef"),
            ),
            (
                "a byte too small",
                script().put(CELL, 5).call_with(say.clone(), SCRATCH, CELL),
                Err(Error::OutputBufferTooSmall),
            ),
            (
                "discarded, whatever the length pointer is",
                script().call_with(say.clone(), NOWHERE, NOWHERE - 1),
                code(0, b""),
            ),
            (
                "no memory for it",
                script().room().call_with(say.clone(), 0x1_ffff, CELL),
                Err(Error::OutOfBounds),
            ),
            ("no memory for the length", script().call_with(say, SCRATCH, 0x1_fffd), Err(Error::OutOfBounds)),
            ("a revert's output", script().ask(no), code(2, b"no")),
            ("a constructor's output", make(NOWHERE, SCRATCH).log(), code(0, b"abcdef")),
            ("an address", make(SCRATCH, NOWHERE).log(), code(0, &made.0)),
        ] {
            assert_eq!(world.play(&script).answer, expected, "{what}");
        }
    });
}

#[test]
fn a_callee_uses_no_more_gas_than_it_is_given() {
    on_vm_thread(|| {
        let world = World::new();
        let given = |gas, script: Script| world.play(&Script::new().call(to(world.b, &script).gas(gas))).gas;
        let (least, more) = (given(50_000_000, script().trap()), given(51_234_567, script().trap()));
        assert_eq!(more - least, 1_234_567, "a trap costs what was given, nothing else");
        assert_eq!(given(50_000_000, script().spin()), least, "running out is a trap");
        let all = given(0, script().trap());
        assert_eq!(given(u64::MAX, script().trap()), all, "more than there is means what there is");
        assert!(GAS - all > GAS / 70 && GAS - all < GAS / 60, "a 64th stays with the caller: {}", GAS - all);
        assert_eq!(
            given(0, script().revert(b"")),
            given(1_000_000_000, script().revert(b"")),
            "a revert costs its work"
        );
        let little = world.play(
            &script()
                .call(to(world.b, &script()).gas(10_999_999))
                .call(to(world.b, &script()).gas(13_000_000)),
        );
        assert_eq!(little.answer, answered(codes(&[1, 0])), "starting it costs eleven million");
    });
}

#[test]
fn what_is_not_there_or_not_paid_has_a_code() {
    on_vm_thread(|| {
        let world = World::new();
        let World { b, .. } = world;
        let pure = blake2_256(&pure_rule());
        let nothing = script();
        let touch = script().set(1, "x");
        check(
            &world,
            vec![
                ("no contract", script().call(to(BOB, &nothing)), Ok(vec![8])),
                (
                    "no contract, and no money for it",
                    script().call(to(BOB, &nothing).value(1_000)),
                    Ok(vec![8]),
                ),
                ("no code to delegate to", script().delegate(Hash::ZERO, 0, &nothing), Ok(vec![7])),
                ("no code to make", script().make(Hash::ZERO, 0, &nothing, b""), Ok(vec![7])),
                ("no code to become", script().set_code(Hash::ZERO), Ok(vec![7])),
                ("a pure rule to delegate to", script().delegate(pure, 0, &nothing), Ok(vec![1])),
                ("a pure rule to make", script().make(pure, 0, &nothing, b""), Ok(vec![1])),
                ("a pure rule to become", script().set_code(pure), Ok(vec![7])),
                (
                    "value beyond the balance",
                    script().call(to(b, &touch).value(101)).call(to(b, &touch).value(100)),
                    Ok(vec![5, 0]),
                ),
                (
                    "endowment beyond the balance",
                    script().make(*CODE, 101, &nothing, b"").make(*CODE, 100, &nothing, b""),
                    Ok(vec![5, 0]),
                ),
                (
                    "transfer beyond the balance",
                    script().transfer(BOB, 101).transfer(BOB, 100),
                    Ok(vec![5, 0]),
                ),
                ("to itself, however much", script().transfer(world.a, 101), Ok(vec![0])),
                ("an unknown flag", script().call(to(b, &nothing).flags(32)), Err(Error::InvalidCallFlags)),
                (
                    "an unknown flag to delegate",
                    script().delegate(*OTHER, 32, &nothing),
                    Err(Error::InvalidCallFlags),
                ),
                (
                    "re-entry to delegate",
                    script().delegate(*OTHER, REENTRY, &nothing),
                    Err(Error::InvalidCallFlags),
                ),
                (
                    "reading to delegate",
                    script().delegate(*OTHER, READ_ONLY, &nothing),
                    Err(Error::InvalidCallFlags),
                ),
                (
                    "an unknown return flag",
                    script().host("seal0.seal_return", [n(2u32), n(0u32), n(0u32)]),
                    Err(Error::InvalidCallFlags),
                ),
                (
                    "more returned than fits a value",
                    script().host("seal0.seal_return", [n(0u32), n(0u32), n(16_385u32)]),
                    Err(Error::ValueTooLarge),
                ),
            ],
        );
        assert_eq!(world.chain.free(&world.a), STAKE);
    });
}

/// Makes `code` and logs what its constructor answers.
fn make_asking(code: Hash, script: &Script, salt: &[u8]) -> Script {
    let input = script.bytes();
    let length = input.len() as u64;
    let what = [at(code.0), n(0u32), amount(0), at(input), n(length), n(NOWHERE), n(NOWHERE)];
    let more = [n(SCRATCH), n(CELL), at(salt), n(salt.len() as u64)];
    Script::new().room().host("seal1.instantiate", what.into_iter().chain(more)).log()
}

#[test]
fn a_contract_under_construction_is_not_there_for_others() {
    on_vm_thread(|| {
        let world = World::new();
        let fact_address = || script().room().host("seal0.address", [n(SCRATCH), n(CELL)]);
        let call_it = fact_address().host(
            "seal1.call",
            [n(REENTRY), n(SCRATCH), n(0u32), amount(0), n(0u32), n(0u32), n(NOWHERE), n(NOWHERE)],
        );
        let is_it = fact_address().host("seal0.is_contract", [n(SCRATCH)]);
        let hash = fact_address().host("seal0.code_hash", [n(SCRATCH), n(SCRATCH + 64), n(CELL)]);
        for (what, constructor, seen) in [
            ("calling itself", call_it.clone(), vec![0, 8]),
            ("calling itself from a delegate", script().delegate(*OTHER, TAIL, &call_it), vec![0, 8]),
            ("asking whether it is one", is_it, vec![0, 0]),
            ("asking for its code", hash, vec![0, 3]),
        ] {
            let played = world.play(&make_asking(*CODE, &constructor, b""));
            assert_eq!(played.answer, answered(codes(&seen)), "{what}");
        }
        let own = script().fact("seal0.own_code_hash");
        let played = world.play(&make_asking(*CODE, &own, b""));
        assert_eq!(played.answer, answered([&codes(&[0]), &CODE.0[..]].concat()), "its own it knows");
    });
}

#[test]
fn constructors_fail_alone_and_nonces_count_what_stands() {
    on_vm_thread(|| {
        let world = World::new();
        let World { a, .. } = world;
        let pays = script().transfer(BOB, 7).set(1, "x");
        let same = contracts::address(&a, &CODE, &pays.bytes(), b"s");
        let make = |script: Script, then: &Script| script.make(*CODE, 9, then, b"s");
        for (what, script, expected, gained) in [
            ("it stands", make(script(), &pays), Ok(vec![0]), [-9, 0, 0, 0, 7]),
            ("it reverts", make(script(), &pays.clone().revert(b"")), Ok(vec![2]), [0; 5]),
            ("it traps", make(script(), &pays.clone().trap()), Ok(vec![1]), [0; 5]),
            (
                "the same twice",
                make(make(script(), &pays), &pays),
                Err(Error::DuplicateContract(same)),
                [0; 5],
            ),
            (
                "it ends at once",
                make(script(), &script().terminate(BOB)),
                Err(Error::TerminatedInConstructor),
                [0; 5],
            ),
        ] {
            let played = world.play(&script);
            assert_eq!(played.answer, expected.and_then(|seen| answered(codes(&seen))), "{what}");
            assert_eq!(played.after.gained(&world), gained, "{what}");
        }
        let mut chain = world.chain.clone();
        let ends = script().terminate(BOB).bytes();
        let refused = chain.refuse(AUTHOR, instantiate(*CODE, 5, &ends, b""));
        assert_eq!(refused, Error::TerminatedInConstructor.into());

        let nonce = script().host("seal0.instantiation_nonce", []);
        let before = NONCE.get(&world.chain.overlay()).unwrap();
        let played = world.play(
            &make_asking(*CODE, &nonce, b"1")
                .make(*CODE, 0, &script().trap(), b"2")
                .make(*CODE, 0, &script().revert(b""), b"3")
                .append(make_asking(*CODE, &nonce, b"4"))
                .host("seal0.instantiation_nonce", []),
        );
        let (first, second) = (before + 1, before + 2);
        assert_eq!(played.answer, answered((0u32, first, 1u32, 2u32, 0u32, second, second).encode()));
        assert_eq!(NONCE.get(&played.after.chain.overlay()), Some(second));
    });
}

#[test]
fn a_delegate_acts_for_its_contract() {
    on_vm_thread(|| {
        let world = World::new();
        let World { a, b, .. } = world;
        let facts = script()
            .fact("seal0.caller")
            .fact("seal0.address")
            .fact("seal0.value_transferred")
            .fact("seal0.balance")
            .fact("seal0.own_code_hash")
            .host("seal0.caller_is_origin", [])
            .host("seal0.caller_is_root", []);
        let input = facts.bytes();
        let length = input.len() as u64;
        let look = |code: Hash| {
            let output = [n(SCRATCH), n(CELL)];
            let what = [n(0u32), at(code.0), at(&input), n(length)];
            script().room().host("seal0.delegate_call", what.into_iter().chain(output)).log()
        };
        let seen = |caller: AccountId, of: AccountId, value: u128, origin: u32| {
            (caller, of, value, STAKE + value, *CODE, origin, 0u32).encode()
        };
        let of = |value: u128, script: Script| world.play_with(value, script.bytes()).answer;
        assert_eq!(of(5, facts.clone()), answered(seen(ALICE, a, 5, 1)), "called by who signed");
        assert_eq!(of(5, look(*OTHER)), answered([codes(&[0]), seen(ALICE, a, 5, 1)].concat()));
        assert_eq!(
            of(0, script().ask(to(b, &facts).value(3))),
            answered([codes(&[0]), seen(a, b, 3, 0)].concat())
        );
        let inner = script().ask(to(b, &look(*OTHER)).value(3));
        assert_eq!(of(0, inner), answered([codes(&[0, 0]), seen(a, b, 3, 0)].concat()));
        let back = script().ask(to(b, &script().ask(to(a, &script().host("seal0.caller_is_origin", [])))));
        assert_eq!(of(0, back), answered(codes(&[0, 0, 0])));

        let played =
            world.play(&script().delegate(*OTHER, 0, &script().set(3, "z").transfer(BOB, 4).event(b"e")));
        assert_eq!(played.after.stored(), [('a', 3)]);
        assert_eq!(played.after.gained(&world), [-4, 0, 0, 0, 4]);
        let events = own_events(&played.events);
        assert_eq!(events[0], ContractEvent::ContractEmitted { contract: a, data: b"e".to_vec() });
    });
}

#[test]
fn a_puppet_sees_a_chain_without_fees() {
    on_vm_thread(|| {
        let world = World::new();
        let fee = script().room().host("seal0.weight_to_fee", [n(u64::MAX), n(SCRATCH), n(CELL)]).log();
        assert_eq!(world.play(&fee).answer, answered([0; 16]));
    });
}

#[test]
fn a_contract_becomes_another() {
    on_vm_thread(|| {
        let world = World::new();
        let a = world.a;
        let (codes_before, echoes) = (world.users(&CODE), world.users(&ECHO));
        let hello = To { input: b"hello".to_vec(), ..to(a, &script()) };
        let change = script().set(1, "x").set_code(*ECHO).fact("seal0.own_code_hash").ask(hello).set(2, "y");
        let played = world.play(&change);
        let seen = [&codes(&[0]), &ECHO.0[..], &codes(&[0]), b"hello"].concat();
        assert_eq!(played.answer, answered(seen), "this call goes on, the next runs the new code");
        let after = &played.after;
        assert_eq!(after.stored(), [('a', 1), ('a', 2)], "what it stored stays");
        assert_eq!((after.users(&CODE), after.users(&ECHO)), (codes_before - 1, echoes + 1));
        let updated =
            ContractEvent::ContractCodeUpdated { contract: a, new_code_hash: *ECHO, old_code_hash: *CODE };
        assert_eq!(own_events(&played.events)[0], updated);
        assert_eq!(after.chain.ask(a, ALICE, 0, "anything").result, answered("anything"));

        let same = world.play(&script().set_code(*CODE));
        assert_eq!(same.answer, answered(codes(&[0])));
        assert_eq!(same.after.users(&CODE), codes_before);
        let undone = world.play(&script().call(to(a, &script().set_code(*ECHO).trap())));
        assert_eq!(undone.answer, answered(codes(&[1])));
        assert_eq!((undone.after.users(&CODE), undone.after.users(&ECHO)), (codes_before, echoes));
    });
}

fn set_code(contract: AccountId, code_hash: Hash) -> Call {
    Call::Contracts(contracts::Call::SetCode { dest: MultiAddress::Id(contract), code_hash })
}

#[test]
fn the_sudo_key_changes_a_contracts_code() {
    on_vm_thread(|| {
        let mut world = World::new();
        let a = world.a;
        let sudo = |call: Call| Call::Sudo(sudo::Call::Sudo { call: Box::new(call) });
        let result = |events: &[EventRecord]| {
            let found = of_the_call(events).into_iter().find_map(|(event, _)| match event {
                Event::Sudo(sudo::Event::Sudid { sudo_result }) => Some(sudo_result),
                _ => None,
            });
            found.unwrap()
        };
        for who in [ALICE, AUTHOR, SUDO] {
            assert_eq!(world.chain.refuse(who, set_code(a, *ECHO)), DispatchError::BadOrigin);
        }
        let before = world.chain.effects();
        let pure = blake2_256(&pure_rule());
        let rejected = runtime_vm::check(&pure_rule(), runtime_vm::Kind::Stateful).unwrap_err();
        for (contract, code, error) in [
            (BOB, *ECHO, Error::ContractNotFound(BOB)),
            (a, Hash::ZERO, Error::CodeNotFound(Hash::ZERO)),
            (a, pure, Error::CodeRejected(rejected.to_string())),
        ] {
            let events = world.chain.expect(SUDO, sudo(set_code(contract, code)));
            assert_eq!(result(&events), Err((&DispatchError::from(error)).into()));
            assert!(world.chain.effects() == before);
        }
        let (codes, echoes) = (world.users(&CODE), world.users(&ECHO));
        let events = world.chain.expect(SUDO, sudo(set_code(a, *ECHO)));
        assert_eq!(result(&events), Ok(()));
        assert_eq!((world.users(&CODE), world.users(&ECHO)), (codes - 1, echoes + 1));
        assert_eq!(world.chain.ask(a, ALICE, 0, "hello").result, answered("hello"));
    });
}

#[test]
fn a_contract_that_ends_leaves_its_money_and_nothing_else() {
    on_vm_thread(|| {
        let world = World::new();
        let World { a, b, .. } = world;
        let users = world.users(&CODE);
        let end = script().set(1, "x").transfer(BOB, 1).terminate(BOB).trap();
        let played = world.play_with(5, end.bytes());
        assert_eq!(played.answer, answered(""), "ending is returning");
        assert_eq!(played.after.gained(&world), [-100, 0, 0, -5, 105]);
        assert_eq!(played.after.users(&CODE), users - 1);
        assert!(!CONTRACT_INFO.contains(&played.after.chain.overlay(), &a));
        let mut later = played.after.chain.clone();
        assert_eq!(later.refuse(ALICE, call(a, 0, GAS, "")), Error::ContractNotFound(a).into());

        for (what, script, expected, gained) in [
            (
                "another, then nobody is there",
                script().call(to(b, &end)).call(to(b, &script())),
                answered(codes(&[0, 8])),
                [0, -100, 0, 0, 100],
            ),
            (
                "undone",
                script().call(to(b, &script().call(to(a, &end)).trap())),
                answered(codes(&[1])),
                [0; 5],
            ),
            (
                "undone further out",
                script().call(to(b, &end)).revert(b"no"),
                Ok(Output { flags: 1, data: b"no".to_vec() }),
                [0; 5],
            ),
            ("to itself", script().call(to(b, &script().terminate(b))), answered(codes(&[0])), [0; 5]),
            (
                "to who called it",
                script().call(to(b, &script().terminate(a)).value(2)),
                answered(codes(&[0])),
                [100, -100, 0, 0, 0],
            ),
            (
                "while it waits for itself",
                script().call(to(a, &script().terminate(BOB))),
                answered(codes(&[1])),
                [0; 5],
            ),
            (
                "while it waits for another",
                script().ask(to(b, &script().call(to(a, &script().terminate(BOB))))),
                answered(codes(&[0, 1])),
                [0; 5],
            ),
            (
                "by a delegate",
                script().delegate(*OTHER, 0, &script().terminate(BOB)),
                answered(codes(&[1])),
                [0; 5],
            ),
            (
                "the first version",
                script().call(to(b, &script().host("seal0.terminate", [at(BOB.0), n(7u32)]))),
                answered(codes(&[0])),
                [0, -100, 0, 0, 100],
            ),
        ] {
            let played = world.play(&script);
            assert_eq!(played.answer, expected, "{what}");
            assert_eq!(played.after.gained(&world), gained, "{what}");
        }
    });
}

#[test]
fn what_an_ended_contract_stored_goes_little_by_little() {
    on_vm_thread(|| {
        let mut world = World::new();
        let a = world.a;
        let trie = CONTRACT_INFO.get(&world.chain.overlay(), &a).unwrap().trie_id();
        let left = |chain: &Chain| {
            let prefix = &STORAGE.key(&(trie, Hash::ZERO))[..64];
            chain.state.iter().filter(|(key, _)| key.starts_with(prefix)).count()
        };
        for batch in 0..3u8 {
            let many = (0..200u8).fold(script(), |script, key| {
                let key = [batch, key];
                let what = [at(key), n(2u32), at("v"), n(1u32)];
                script.host("seal2.set_storage", what)
            });
            world.chain.expect(ALICE, call(a, 0, GAS, many.bytes()));
        }
        assert_eq!(left(&world.chain), 600);
        let made = |input: &[u8]| instantiate(*CODE, 0, input, b"a");
        let look = script().host("seal1.contains_storage", [at([0, 0]), n(2u32)]);
        // Ended and made again in one block, at the same address: it finds nothing of what there was.
        let end = script().terminate(BOB).bytes();
        let done = world.chain.block(&[(ALICE, call(a, 0, GAS, end)), (AUTHOR, made(b""))]);
        assert!(done.receipts.iter().all(|receipt| matches!(receipt.outcome, Outcome::Applied { .. })));
        assert_eq!(world.chain.ask(a, ALICE, 0, look.bytes()).result, answered(codes(&[u32::MAX])));
        world.chain.expect(ALICE, call(a, 0, GAS, script().set(1, "x").bytes()));
        assert_eq!(left(&world.chain), 600 - 2 * 256);
        for expected in [0, 0] {
            world.chain.block(&[]);
            assert_eq!(left(&world.chain), expected);
        }
        assert_eq!(world.stored(), [('a', 1)], "the new one keeps its own");
    });
}

#[test]
fn a_kept_code_stays() {
    on_vm_thread(|| {
        let mut world = World::new();
        let a = world.a;
        let one = |number: u8| {
            let text = format!(
                r#"(module (import "env" "memory" (memory 1 1)) (data (i32.const 0) "\{number:02x}")
                (func (export "call")) (func (export "deploy")))"#
            );
            wat::parse_str(text).unwrap()
        };
        let hash = |number: u8| blake2_256(&one(number));
        for number in 0..33 {
            world.chain.expect(AUTHOR, upload(one(number)));
        }
        let full = (0..32).fold(script(), |script, number| script.lock(hash(number)));
        check(
            &world,
            vec![
                ("its own", script().lock(*CODE), Err(Error::CannotAddSelfAsDelegateDependency)),
                ("none", script().lock(Hash::ZERO), Err(Error::CodeNotFound(Hash::ZERO))),
                ("twice", script().lock(hash(0)).lock(hash(0)), Err(Error::DelegateDependencyAlreadyExists)),
                ("not kept", script().unlock(hash(0)), Err(Error::DelegateDependencyNotFound)),
                (
                    "released twice",
                    script().lock(hash(0)).unlock(hash(0)).unlock(hash(0)),
                    Err(Error::DelegateDependencyNotFound),
                ),
                ("a 33rd", full.clone().lock(hash(32)), Err(Error::MaxDelegateDependenciesReached)),
                ("twice when full", full.clone().lock(hash(3)), Err(Error::DelegateDependencyAlreadyExists)),
                ("32, one of them again", full.clone().unlock(hash(3)).lock(hash(32)), Ok(vec![])),
                ("failing inside", script().call(to(world.b, &script().unlock(hash(0)))), Ok(vec![1])),
            ],
        );
        world.chain.expect(ALICE, call(a, 0, GAS, full.bytes()));
        let in_use = |contracts| DispatchError::from(Error::CodeInUse { contracts });
        assert_eq!(world.chain.refuse(AUTHOR, remove(hash(0))), in_use(1));
        world.chain.expect(ALICE, call(a, 0, GAS, script().unlock(hash(0)).bytes()));
        world.chain.expect(AUTHOR, remove(hash(0)));
        assert_eq!(world.chain.refuse(AUTHOR, remove(hash(1))), in_use(1));
        world.chain.expect(ALICE, call(a, 0, GAS, script().terminate(BOB).bytes()));
        world.chain.expect(AUTHOR, remove(hash(1)));
        assert_eq!(world.users(&hash(2)), 0);
    });
}

#[test]
fn nested_calls_share_one_logical_stack() {
    on_vm_thread(|| {
        let world = World::new();
        let b = world.b;
        let works = |script: Script, expected: &[u32]| {
            let run = world.chain.try_call(world.a, &message(ALICE, 0, GAS, script.bytes()));
            run.result == answered(codes(expected))
        };
        let deepest = |fits: &dyn Fn(u32) -> bool| {
            let depths: Vec<u32> = (0..10_000).collect();
            depths.partition_point(|depth| fits(*depth)) as u32 - 1
        };
        let touch = script().set(1, "x");
        let alone = deepest(&|depth| works(touch.clone().dive(depth), &[]));
        assert!((5_000..8_192).contains(&alone), "{alone}");
        for outer in [0, 1, 1_000, alone / 2, alone - 100] {
            let inner =
                deepest(&|depth| works(script().dive(outer).call(to(b, &touch.clone().dive(depth))), &[0]));
            // Both have the frames around `$dive`; the outer one's, and its own dive, are missing inside.
            let around = alone - outer - inner;
            assert!((2..12).contains(&around), "{outer} {inner} {around}");
            let code = works(script().dive(outer).call(to(b, &script().dive(inner + 1))), &[1]);
            assert!(code, "one more is the callee's trap, not its caller's");
        }
        // Six contracts, each as deep as a sixth of the stack allows: nothing native overflows.
        let sixth = alone / 6 - 12;
        let deep = (0..5).fold(touch.dive(sixth), |inner, _| script().dive(sixth).ask(to(b, &inner)));
        assert!(works(deep, &[0; 5]));
    });
}

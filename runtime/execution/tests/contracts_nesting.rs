//! Contracts that call one another: what each sees, what stands afterwards, and what stops them.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

mod contracts_chain;

use contracts_chain::puppet::*;
use contracts_chain::world::*;
use contracts_chain::*;
use parity_scale_codec::Encode;
use runtime_execution::modules::contracts::{self, Caller, Error, Event as ContractEvent};
use runtime_primitives::{AccountId, Hash, blake2_256};
use runtime_vm::Output;

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
        // Two pages of memory, and a thousand for each byte of code.
        let start = 11_000_000 + 1_000 * puppet(0).len() as u64;
        let little = world.play(
            &script()
                .call(to(world.b, &script()).gas(start - 1))
                .call(to(world.b, &script()).gas(start + 2_000_000)),
        );
        assert_eq!(little.answer, answered(codes(&[1, 0])), "loading and starting it costs {start}");
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

//! Three contracts that do what they are told and one that echoes, and what comes of a script for the first of them.

use super::puppet::*;
use super::{ALICE, AUTHOR, BOB, Chain, call, instantiate_with_code, message, of_the_call, upload};
use runtime_execution::modules::contracts::{self, CODE_INFO, Error, Event as ContractEvent, storage_at};
use runtime_execution::{DispatchError, Event, EventRecord, Outcome};
use runtime_primitives::{AccountId, Hash, blake2_256};
use runtime_vm::Output;
use std::sync::LazyLock;

/// What every contract has at first.
pub const STAKE: u128 = 100;
/// Gas for six contracts inside one another.
pub const GAS: u64 = 20_000_000_000;

/// The puppet's code, and another that does the same.
pub static CODE: LazyLock<Hash> = LazyLock::new(|| blake2_256(&puppet(0)));
pub static OTHER: LazyLock<Hash> = LazyLock::new(|| blake2_256(&puppet(1)));
pub static ECHO: LazyLock<Hash> = LazyLock::new(|| blake2_256(&echo()));

/// Three puppets of one code and an echo.
#[derive(Clone)]
pub struct World {
    pub chain: Chain,
    pub a: AccountId,
    pub b: AccountId,
    pub c: AccountId,
    pub echo: AccountId,
}

/// What came of a script.
pub struct Played {
    pub answer: Result<Output, Error>,
    pub gas: u64,
    pub events: Vec<EventRecord>,
    pub after: World,
}

impl World {
    pub fn new() -> Self {
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
    pub fn play(&self, script: &Script) -> Played {
        self.play_with(0, script.bytes())
    }

    pub fn play_with(&self, value: u128, input: Vec<u8>) -> Played {
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
    pub fn stored(&self) -> Vec<(char, u8)> {
        let mut stored = Vec::new();
        for (name, contract) in [('a', self.a), ('b', self.b), ('c', self.c)] {
            let state = self.chain.overlay();
            let keys = (0..10).filter(|key| storage_at(&state, &contract, &[*key; 32]).is_some());
            stored.extend(keys.map(|key| (name, key)));
        }
        stored
    }

    /// What the puppets, Alice and Bob have more than in `before`.
    pub fn gained(&self, before: &Self) -> [i128; 5] {
        let who = [self.a, self.b, self.c, ALICE, BOB];
        who.map(|who| self.chain.free(&who).cast_signed() - before.chain.free(&who).cast_signed())
    }

    pub fn users(&self, code: &Hash) -> u64 {
        CODE_INFO.get(&self.chain.overlay(), code).unwrap().refcount
    }
}

pub fn answered(data: impl Into<Vec<u8>>) -> Result<Output, Error> {
    Ok(Output { flags: 0, data: data.into() })
}

pub fn own_events(events: &[EventRecord]) -> Vec<ContractEvent> {
    let own = of_the_call(events).into_iter().filter_map(|(event, _)| match event {
        Event::Contracts(event) => Some(event),
        _ => None,
    });
    own.collect()
}

pub fn script() -> Script {
    Script::new()
}

/// A script and what the caller learns, or why it failed.
pub type Row = (&'static str, Script, Result<Vec<u32>, Error>);

pub fn check(world: &World, rows: Vec<Row>) {
    for (what, script, expected) in rows {
        let before = world.chain.effects();
        let played = world.play(&script);
        assert_eq!(played.answer, expected.clone().and_then(|seen| answered(codes(&seen))), "{what}");
        if expected.is_err() {
            assert!(played.after.chain.effects() == before, "{what} left something behind");
        }
    }
}

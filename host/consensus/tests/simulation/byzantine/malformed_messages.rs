//! Sends what is no message, on one of the channels: cut, prolonged, changed in a bit, or noise.

use super::{Identity, Kind, Liar, Said};
use crate::dice::Dice;
use commonware_p2p::Recipients;
use std::sync::Mutex;

/// Malformed messages in a run.
const MESSAGES: u64 = 200;

pub struct MalformedMessages {
    identity: Identity,
    channel: usize,
    state: Mutex<(Dice, u64)>,
}

impl MalformedMessages {
    pub const fn new(identity: Identity, dice: Dice, channel: usize) -> Self {
        Self { identity, channel, state: Mutex::new((dice, 0)) }
    }
}

/// `bytes` as something else.
fn malformed(dice: &mut Dice, mut bytes: Vec<u8>) -> Vec<u8> {
    match dice.below(5) {
        0 => bytes.truncate(dice.index(bytes.len().max(1))),
        1 => bytes.push(0),
        2 if !bytes.is_empty() => {
            let at = dice.index(bytes.len());
            bytes[at] ^= 1 << dice.below(8);
        }
        3 => bytes.clear(),
        _ => {
            let count = dice.index(200);
            bytes = dice.bytes(count);
        }
    }
    bytes
}

impl Liar for MalformedMessages {
    fn say(&self, said: Said) -> Vec<Said> {
        let mut state = self.state.lock().unwrap();
        let (dice, sent) = &mut *state;
        if *sent >= MESSAGES {
            return vec![said];
        }
        *sent += 1;
        self.identity.audit.lie(Kind::MalformedMessages.name());
        let bytes = malformed(dice, said.bytes.clone());
        let wrong = Said { channel: self.channel, to: Recipients::All, bytes };
        if said.channel == self.channel { vec![wrong] } else { vec![said, wrong] }
    }
}

//! Sends what is no message, on one of the channels: cut, prolonged, changed in a bit, or noise.

use super::adding::to_all;
use super::{Adding, Identity, Kind};
use crate::simulator::Dice;

/// Malformed messages in a run.
const MESSAGES: u64 = 200;

pub fn new(identity: Identity, mut dice: Dice, channel: usize) -> Adding {
    let adding = Adding::new(identity, Kind::MalformedMessages, MESSAGES, move |_, said| {
        vec![to_all(channel, malformed(&mut dice, said.bytes.clone()))]
    });
    adding.instead_of(channel)
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

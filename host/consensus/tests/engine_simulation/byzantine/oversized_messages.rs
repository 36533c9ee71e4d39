//! Sends the largest messages that the network carries, on one of the channels: longer than anything that is ever right
//! there, or claiming to be.

use super::adding::to_all;
use super::{Adding, Identity, Kind};
use crate::simulator::Dice;
use commonware_codec::Encode as _;
use commonware_cryptography::{Hasher as _, Sha256};
use host_consensus::network::Carried;
use runtime_primitives::limits::BLOCK_BYTES_MAX;
use runtime_primitives::{Executed, Hash, Height, OrderedBlock, Timestamp};

/// Large messages in a run.
const MESSAGES: u64 = 6;

pub fn new(identity: Identity, mut dice: Dice, channel: usize) -> Adding {
    Adding::new(identity, Kind::OversizedMessages, MESSAGES, move |own, said| {
        vec![to_all(channel, oversized(&mut dice, said.bytes.clone(), own.message_bytes))]
    })
}

/// `bytes` as something that is longer than `most`, or says so.
fn oversized(dice: &mut Dice, mut bytes: Vec<u8>, most: usize) -> Vec<u8> {
    match dice.below(3) {
        // Right at first, and then too much.
        0 => bytes.resize(most, 0),
        // A length of four GiB, less one.
        1 => {
            bytes.truncate(bytes.len() / 2);
            bytes.extend([0xff, 0xff, 0xff, 0xff, 0x0f]);
        }
        _ => {
            let executed = Executed { height: Height::ZERO, header_hash: Hash::ZERO };
            let extrinsics = vec![vec![0; BLOCK_BYTES_MAX]];
            let (height, timestamp) = (Height::from_number(1), Timestamp::from_ms(1));
            let block = OrderedBlock { height, executed, timestamp, extrinsics };
            bytes = Carried::new(Sha256::hash(&[]), block).encode().to_vec();
        }
    }
    bytes
}

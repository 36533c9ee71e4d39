//! Sends the largest messages that the network carries, on one of the channels: longer than anything that is ever right
//! there, or claiming to be.

use super::{Identity, Kind, Liar, Said};
use crate::dice::Dice;
use commonware_codec::Encode as _;
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_p2p::Recipients;
use host_consensus::network::Carried;
use runtime_primitives::limits::BLOCK_BYTES_MAX;
use runtime_primitives::{Executed, Hash, Height, OrderedBlock, Timestamp};
use std::sync::Mutex;

/// Large messages in a run.
const MESSAGES: u64 = 6;

pub struct OversizedMessages {
    identity: Identity,
    channel: usize,
    state: Mutex<(Dice, u64)>,
}

impl OversizedMessages {
    pub const fn new(identity: Identity, dice: Dice, channel: usize) -> Self {
        Self { identity, channel, state: Mutex::new((dice, 0)) }
    }

    fn message(&self, dice: &mut Dice, said: &Said) -> Vec<u8> {
        let mut bytes = said.bytes.clone();
        match dice.below(3) {
            // Right at first, and then too much.
            0 => bytes.resize(self.identity.message_bytes, 0),
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
}

impl Liar for OversizedMessages {
    fn say(&self, said: Said) -> Vec<Said> {
        let mut state = self.state.lock().unwrap();
        let (dice, sent) = &mut *state;
        if *sent >= MESSAGES {
            return vec![said];
        }
        *sent += 1;
        self.identity.audit.lie(Kind::OversizedMessages.name());
        let bytes = self.message(dice, &said);
        vec![Said { channel: self.channel, to: Recipients::All, bytes }, said]
    }
}

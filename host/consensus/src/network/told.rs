//! What nodes tell one another on the channel of gossip: a kind, and many of it.
//!
//! It names nothing of the engine's library, so that a fuzzer compiles it alone.

use parity_scale_codec::{Decode, DecodeAll, Encode};
use runtime_primitives::limits::{BLOCK_EXTRINSICS_MAX, EXTRINSIC_BYTES_MAX};

/// Bytes of a message at which nothing more is added to it.
pub const MESSAGE_BYTES: usize = 128 << 10;
/// The largest message: full but for one byte, and then the largest extrinsic. Lengths included.
pub const MESSAGE_BYTES_MAX: usize = MESSAGE_BYTES + EXTRINSIC_BYTES_MAX + 16;

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Kind {
    /// Extrinsics that the teller has taken in.
    #[codec(index = 0)]
    Extrinsics,
    /// Words about checkpoints.
    #[codec(index = 1)]
    Checkpoints,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Told {
    /// What its items are.
    pub kind: Kind,
    /// At most as many as a block has extrinsics, none larger than one.
    pub items: Vec<Vec<u8>>,
}

impl Told {
    /// From the bytes of a message; `None` if they are none, or too large or too many.
    pub fn from_bytes(message: &[u8]) -> Option<Self> {
        if message.len() > MESSAGE_BYTES_MAX {
            return None;
        }
        let told = Self::decode_all(&mut &message[..]).ok()?;
        let fits = told.items.len() <= BLOCK_EXTRINSICS_MAX
            && told.items.iter().all(|one| one.len() <= EXTRINSIC_BYTES_MAX);
        fits.then_some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_too_many_or_malformed_is_no_gossip() {
        let lists = |count, bytes| (Kind::Extrinsics, vec![vec![7u8; bytes]; count]).encode();
        let largest = [lists(1, EXTRINSIC_BYTES_MAX), lists(BLOCK_EXTRINSICS_MAX, 1), lists(0, 0)];
        assert!(largest.iter().all(|message| Told::from_bytes(message).is_some()));
        let refused = [
            lists(1, EXTRINSIC_BYTES_MAX + 1),
            lists(BLOCK_EXTRINSICS_MAX + 1, 1),
            vec![0; MESSAGE_BYTES_MAX + 1],
            vec![],
            vec![0, 4],
            vec![0, 0, 0],
            vec![2, 0],
            u32::MAX.encode(),
        ];
        for message in refused {
            let bytes = message.len();
            assert!(Told::from_bytes(&message).is_none(), "{bytes} bytes");
        }
    }

    #[test]
    fn a_message_takes_what_waits_and_stays_decodable() {
        // Full but for one byte, and then the largest there is: the sender adds nothing to more than that.
        let items = vec![vec![1u8; MESSAGE_BYTES - 1], vec![2; EXTRINSIC_BYTES_MAX]];
        let told = Told { kind: Kind::Checkpoints, items };
        assert_eq!(Told::from_bytes(&told.encode()), Some(told));
    }
}

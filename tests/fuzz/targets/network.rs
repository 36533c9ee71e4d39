//! What peers send and this program decodes itself, guided by coverage: gossip, and the block that a proposal carries. One
//! value has one encoding, and bytes that are none are refused.
#![no_main]
#![allow(dead_code, unused_imports, reason = "a target uses a part of what is included")]

use parity_scale_codec::{DecodeAll, Encode};
use runtime_primitives::OrderedBlock;

#[path = "../../../host/consensus/src/network/told.rs"]
mod told;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some(told) = told::Told::from_bytes(data) {
        assert_eq!(told.encode(), data, "gossip with two encodings");
    }
    if let Ok(block) = OrderedBlock::decode_all(&mut &data[..]) {
        assert!(block.encode().len() <= data.len(), "a block that is larger than what it was decoded from");
    }
});

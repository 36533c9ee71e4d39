//! Blocks and headers as Substrate's clients read them.

use parity_scale_codec::Encode;
use runtime_primitives::Header;
use serde_json::{Value, json};

/// `0x` and hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// A header; its number is hexadecimal.
pub fn header(header: &Header) -> Value {
    let logs: Vec<String> = header.digest.logs.iter().map(|log| hex(&log.encode())).collect();
    json!({
        "parentHash": header.parent_hash.to_string(),
        "number": format!("{:#x}", header.number),
        "stateRoot": header.state_root.to_string(),
        "extrinsicsRoot": header.extrinsics_root.to_string(),
        "digest": { "logs": logs },
    })
}

/// A block with its applied extrinsics.
pub fn block(of: &Header, body: &[Vec<u8>]) -> Value {
    let extrinsics: Vec<String> = body.iter().map(|extrinsic| hex(extrinsic)).collect();
    json!({ "block": { "header": header(of), "extrinsics": extrinsics }, "justifications": null })
}

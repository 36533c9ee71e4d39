//! Signatures: ECDSA over secp256k1 as Ethereum and Bitcoin use it, and sr25519 as this chain's accounts do.

use super::Call;
use crate::frame::Stop;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use runtime_abi::ReturnCode;
use runtime_primitives::crypto::{self, Statement};
use runtime_primitives::{AccountId, keccak_256};

/// A recovery id of 27 or more is Ethereum's, which starts there.
const ETHEREUM_RECOVERY_ID: u8 = 27;

pub(crate) fn seal0_ecdsa_recover(
    call: &mut Call<'_, '_>,
    signature_ptr: u32,
    message_hash_ptr: u32,
    output_ptr: u32,
) -> Result<ReturnCode, Stop> {
    let signature = call.memory.read_array(signature_ptr)?;
    let hash = call.memory.read_array(message_hash_ptr)?;
    let Some(key) = recover(&signature, &hash) else { return Ok(ReturnCode::EcdsaRecoveryFailed) };
    call.memory.write(output_ptr, key.to_sec1_point(true).as_bytes())?;
    Ok(ReturnCode::Success)
}

/// The key that made `signature` (r, s, recovery id) of `hash`, as libsecp256k1 recovers it.
fn recover(signature: &[u8; 65], hash: &[u8; 32]) -> Option<VerifyingKey> {
    let (rs, id) = signature.split_at(64);
    let id = id[0].checked_sub(ETHEREUM_RECOVERY_ID).unwrap_or(id[0]);
    let (mut signature, mut id) = (Signature::from_slice(rs).ok()?, RecoveryId::from_byte(id)?);
    // The library takes only the lower of the two values that `s` can have; the other one means the opposite point.
    let low = signature.normalize_s();
    if low != signature {
        id = RecoveryId::new(!id.is_y_odd(), id.is_x_reduced());
        signature = low;
    }
    VerifyingKey::recover_from_prehash(hash, &signature, id).ok()
}

pub(crate) fn seal0_ecdsa_to_eth_address(
    call: &mut Call<'_, '_>,
    key_ptr: u32,
    out_ptr: u32,
) -> Result<ReturnCode, Stop> {
    let key: [u8; 33] = call.memory.read_array(key_ptr)?;
    let Ok(key) = VerifyingKey::from_sec1_bytes(&key) else { return Ok(ReturnCode::EcdsaRecoveryFailed) };
    // The point without its tag, hashed; the address is the hash's end.
    let hash = keccak_256(&key.to_sec1_point(false).as_bytes()[1..]);
    call.memory.write(out_ptr, &hash[12..])?;
    Ok(ReturnCode::Success)
}

pub(crate) fn seal0_sr25519_verify(
    call: &mut Call<'_, '_>,
    signature_ptr: u32,
    pub_key_ptr: u32,
    message_len: u32,
    message_ptr: u32,
) -> Result<ReturnCode, Stop> {
    call.charge_taken(message_len)?;
    let statement = Statement {
        signer: AccountId(call.memory.read_array(pub_key_ptr)?),
        message: call.memory.read(message_ptr, message_len)?.to_vec(),
        signature: crypto::Signature(call.memory.read_array(signature_ptr)?),
    };
    Ok(if statement.verify() { ReturnCode::Success } else { ReturnCode::Sr25519VerifyFailed })
}

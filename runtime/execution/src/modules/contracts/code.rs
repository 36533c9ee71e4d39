//! Code on chain: uploaded once, named by its blake2-256 hash.

use super::{Error, Event};
use crate::context::Context;
use crate::storage::Map;
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::CODE_BYTES_MAX;
use runtime_primitives::{AccountId, Hash, blake2_256};
use runtime_state::Overlay;
use runtime_vm::Kind;

/// Who uploaded a code.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CodeInfo {
    /// The uploader.
    pub owner: AccountId,
    /// Its size in bytes.
    pub code_len: u32,
}

/// Code as uploaded.
pub static PRISTINE_CODE: Map<Hash, Vec<u8>> = Map::new("Contracts", "PristineCode");
/// Who uploaded it.
pub static CODE_INFO: Map<Hash, CodeInfo> = Map::new("Contracts", "CodeInfoOf");

/// The code with this hash, if it is on chain.
pub fn code(state: &Overlay, hash: &Hash) -> Option<Vec<u8>> {
    PRISTINE_CODE.get(state, hash)
}

/// Check and store code; storing it again changes nothing. It must pass the checks of a pure rule or of a stateful
/// contract.
///
/// # Errors
/// [`Error::CodeTooLarge`], [`Error::CodeRejected`].
pub fn upload(ctx: &mut Context, owner: AccountId, code: &Vec<u8>) -> Result<Hash, Error> {
    let (got, limit) = (code.len(), CODE_BYTES_MAX);
    if got > limit {
        return Err(Error::CodeTooLarge);
    }
    let hash = blake2_256(code);
    if PRISTINE_CODE.contains(&ctx.state, &hash) {
        return Ok(hash);
    }
    if let Err(reason) = runtime_vm::check(code, Kind::Stateful)
        && runtime_vm::check(code, Kind::Pure).is_err()
    {
        return Err(Error::CodeRejected(reason.to_string()));
    }
    PRISTINE_CODE.put(&mut ctx.state, &hash, code);
    let code_len = u32::try_from(got).expect("bounded by CODE_BYTES_MAX");
    CODE_INFO.put(&mut ctx.state, &hash, &CodeInfo { owner, code_len });
    ctx.emit(Event::CodeStored { code_hash: hash });
    Ok(hash)
}

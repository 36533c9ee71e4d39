//! Code on chain: uploaded once, named by its blake2-256 hash, removed only when nothing runs it.

use super::{Error, Event};
use crate::context::Context;
use crate::error::DispatchError;
use crate::modules::markets;
use crate::storage::Map;
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::CODE_BYTES_MAX;
use runtime_primitives::{AccountId, Hash, Money, blake2_256};
use runtime_state::Overlay;
use runtime_vm::Kind;

/// `pallet_contracts::CodeInfo`: who uploaded a code, and how many contracts run it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CodeInfo {
    /// The uploader.
    pub owner: AccountId,
    /// Held for it, in units of money; always 0.
    #[codec(compact)]
    pub deposit: u128,
    /// Contracts made from it.
    #[codec(compact)]
    pub refcount: u64,
    /// Always 0: enforced.
    pub determinism: u8,
    /// Its size in bytes.
    pub code_len: u32,
}

impl CodeInfo {
    /// Code of `code_len` bytes that no contract runs.
    pub const fn new(owner: AccountId, code_len: u32) -> Self {
        Self { owner, deposit: 0, refcount: 0, determinism: 0, code_len }
    }
}

/// Code as uploaded.
pub static PRISTINE_CODE: Map<Hash, Vec<u8>> = Map::new("Contracts", "PristineCode");
/// Who uploaded it and how many contracts run it.
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
    CODE_INFO.put(&mut ctx.state, &hash, &CodeInfo::new(owner, code_len));
    ctx.emit(Event::CodeStored { code_hash: hash, deposit_held: Money::ZERO, uploader: owner });
    Ok(hash)
}

/// Remove code. By its uploader, while no contract runs it and no market has ever named it: terms may be pinned to
/// it, and its description is remembered.
///
/// # Errors
/// [`Error::CodeNotFound`], [`DispatchError::BadOrigin`], [`Error::CodeInUse`].
pub(super) fn remove(ctx: &mut Context, who: AccountId, hash: &Hash) -> Result<(), DispatchError> {
    let info = CODE_INFO.get(&ctx.state, hash).ok_or(Error::CodeNotFound(*hash))?;
    if info.owner != who {
        return Err(DispatchError::BadOrigin);
    }
    let governs = markets::rules::DESCRIPTORS.contains(&ctx.state, hash)
        || markets::DEFAULT_SETTLEMENT.get(&ctx.state) == Some(*hash);
    if info.refcount > 0 || governs {
        return Err(Error::CodeInUse { contracts: info.refcount }.into());
    }
    CODE_INFO.remove(&mut ctx.state, hash);
    PRISTINE_CODE.remove(&mut ctx.state, hash);
    ctx.emit(Event::CodeRemoved { code_hash: *hash, deposit_released: Money::ZERO, remover: who });
    Ok(())
}

/// Note that one more contract runs the code.
///
/// # Errors
/// [`Error::CodeNotFound`].
pub(super) fn add_user(state: &mut Overlay, hash: &Hash) -> Result<(), Error> {
    let mut info = CODE_INFO.get(state, hash).ok_or(Error::CodeNotFound(*hash))?;
    info.refcount += 1;
    CODE_INFO.put(state, hash, &info);
    Ok(())
}

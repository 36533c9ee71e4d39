//! Code on chain: uploaded once, named by its blake2-256 hash, removed only when nothing runs it.

use super::deposit::rates;
use super::{ContractInfo, Determinism, Error, Event};
use crate::context::Context;
use crate::error::DispatchError;
use crate::modules::{balances, markets};
use crate::storage::{Map, storage};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::CODE_BYTES_MAX;
use runtime_primitives::{AccountId, Hash, Money, blake2_256};
use runtime_state::Overlay;
use runtime_vm::Kind;
use scale_info::TypeInfo;

/// `pallet_contracts::CodeInfo`: who uploaded a code, and how many contracts run it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct CodeInfo {
    /// The uploader.
    pub owner: AccountId,
    /// Reserved on the uploader for it, in units of money.
    #[codec(compact)]
    pub deposit: u128,
    /// Contracts made from it.
    #[codec(compact)]
    pub refcount: u64,
    /// Always enforced.
    pub determinism: Determinism,
    /// Its size in bytes.
    pub code_len: u32,
}

impl CodeInfo {
    /// Code of `code_len` bytes that no contract runs.
    pub const fn new(owner: AccountId, deposit: Money, code_len: u32) -> Self {
        Self { owner, deposit: deposit.units(), refcount: 0, determinism: Determinism::Enforced, code_len }
    }
}

storage! {
    "Contracts":
    /// Code as uploaded.
    pub static PRISTINE_CODE: Map<Hash, Vec<u8>> = "PristineCode";
    /// Whether it is a contract's, not only a market's rule: recorded at upload, so that nobody checks it again.
    pub static IS_CONTRACT: Map<Hash, bool> = "IsContract";
    /// Who uploaded it and how many contracts run it.
    pub static CODE_INFO: Map<Hash, CodeInfo> = "CodeInfoOf";
}

/// The code with this hash, if it is on chain.
pub fn code(state: &Overlay, hash: &Hash) -> Option<Vec<u8>> {
    PRISTINE_CODE.get(state, hash)
}

/// Whether `code` passes the deploy checks of a contract, or else those of a rule.
///
/// # Errors
/// [`Error::CodeRejected`] with the rule that keeps it from being a contract, if it is neither.
fn is_contract(code: &[u8]) -> Result<bool, Error> {
    match runtime_vm::check(code, Kind::Stateful) {
        Ok(_) => Ok(true),
        Err(_) if runtime_vm::check(code, Kind::Pure).is_ok() => Ok(false),
        Err(reason) => Err(Error::CodeRejected(reason.to_string())),
    }
}

/// Check and store code, for at most `limit` of deposit; storing it again changes nothing. It must pass the checks of a
/// pure rule or of a stateful contract. Gives its hash and the deposit reserved.
///
/// # Errors
/// [`Error::CodeTooLarge`], [`Error::CodeRejected`], [`Error::StorageDepositLimitExhausted`],
/// [`Error::StorageDepositNotEnoughFunds`].
pub fn upload(
    ctx: &mut Context,
    owner: AccountId,
    code: &Vec<u8>,
    limit: Option<Money>,
) -> Result<(Hash, Money), Error> {
    if code.len() > CODE_BYTES_MAX {
        return Err(Error::CodeTooLarge);
    }
    let hash = blake2_256(code);
    if PRISTINE_CODE.contains(&ctx.state, &hash) {
        return Ok((hash, Money::ZERO));
    }
    let code_len = u32::try_from(code.len()).expect("bounded by CODE_BYTES_MAX");
    let deposit = rates(&ctx.state).of_code(code_len);
    if limit.is_some_and(|limit| deposit > limit) {
        return Err(Error::StorageDepositLimitExhausted);
    }
    let is_contract = is_contract(code)?;
    balances::reserve(ctx, &owner, deposit).map_err(|_| Error::StorageDepositNotEnoughFunds)?;
    IS_CONTRACT.put(&mut ctx.state, &hash, &is_contract);
    PRISTINE_CODE.put(&mut ctx.state, &hash, code);
    CODE_INFO.put(&mut ctx.state, &hash, &CodeInfo::new(owner, deposit, code_len));
    ctx.emit(Event::CodeStored { code_hash: hash, deposit_held: deposit, uploader: owner });
    Ok((hash, deposit))
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
    let deposit = Money::from_units(info.deposit);
    balances::unreserve(ctx, &info.owner, deposit);
    CODE_INFO.remove(&mut ctx.state, hash);
    PRISTINE_CODE.remove(&mut ctx.state, hash);
    IS_CONTRACT.remove(&mut ctx.state, hash);
    ctx.emit(Event::CodeRemoved { code_hash: *hash, deposit_released: deposit, remover: who });
    Ok(())
}

/// Make sure that a code is there and a contract's.
///
/// # Errors
/// [`Error::CodeNotFound`], [`Error::CodeRejected`] for a pure rule.
pub(super) fn ensure_contract(state: &Overlay, hash: &Hash) -> Result<(), Error> {
    let is_contract = IS_CONTRACT.get(state, hash).ok_or(Error::CodeNotFound(*hash))?;
    if is_contract { Ok(()) } else { Err(Error::CodeRejected("it is a rule, not a contract".into())) }
}

/// Note that one more contract runs the code or keeps it; gives the code's deposit.
///
/// # Errors
/// [`Error::CodeNotFound`].
pub(super) fn add_user(state: &mut Overlay, hash: &Hash) -> Result<u128, Error> {
    let mut info = CODE_INFO.get(state, hash).ok_or(Error::CodeNotFound(*hash))?;
    info.refcount += 1;
    CODE_INFO.put(state, hash, &info);
    Ok(info.deposit)
}

/// Note that a contract runs the code `new` from now on, which must be a contract's; that code's deposit, and the code
/// it ran.
///
/// # Errors
/// [`Error::CodeNotFound`], [`Error::CodeRejected`].
pub(super) fn replace(ctx: &mut Context, info: &ContractInfo, new: Hash) -> Result<(u128, Hash), Error> {
    ensure_contract(&ctx.state, &new)?;
    let deposit = add_user(&mut ctx.state, &new)?;
    remove_user(&mut ctx.state, &info.code_hash);
    Ok((deposit, info.code_hash))
}

/// Note that a contract no longer runs or keeps the code.
///
/// # Panics
/// If the code is gone: it stays for as long as it is counted.
pub(super) fn remove_user(state: &mut Overlay, hash: &Hash) {
    let mut info = CODE_INFO.get(state, hash).expect("code that is counted on is not removed");
    info.refcount = info.refcount.checked_sub(1).expect("every user was counted");
    CODE_INFO.put(state, hash, &info);
}

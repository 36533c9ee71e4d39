//! What the pool asks: could this extrinsic be applied on top of this state?

use crate::call;
use crate::check::check;
use crate::context::{BlockEnv, Context, Verifier};
use crate::error::Invalid;
use crate::extrinsic::{MultiAddress, UncheckedExtrinsic};
use crate::modules::system;
use runtime_primitives::{AccountId, Gas, Hash, Height};
use runtime_state::{Backend, Overlay};
use runtime_vm::Vm;

/// What the pool needs to know of a valid extrinsic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidTransaction {
    /// blake2-256 of its bytes.
    pub hash: Hash,
    /// Signer and nonce; `None` for bare extrinsics.
    pub provides: Option<(AccountId, u32)>,
    /// Gas it declares.
    pub gas: Gas,
}

/// Validate bytes against a state whose last block has the hash `parent`. A signed extrinsic may be ahead of its
/// nonce; a bare one is tried in full and undone.
///
/// # Errors
/// Why it could not be included now.
pub fn validate(
    vm: &Vm,
    state: &dyn Backend,
    env: BlockEnv,
    parent: &Hash,
    bytes: &[u8],
    verifier: &dyn Verifier,
) -> Result<ValidTransaction, Invalid> {
    let decoded = UncheckedExtrinsic::from_bytes(bytes);
    let decoded = decoded.map_err(|error| Invalid::Undecodable(error.to_string()))?;
    let (hash, gas) = (decoded.hash, decoded.call.gas());
    let provides = decoded.envelope.as_ref().map(|envelope| {
        let MultiAddress::Id(signer) = envelope.signer;
        (signer, envelope.extra.nonce)
    });
    let mut ctx = Context::new(Overlay::new(state), env, vm, verifier);
    system::remember(&mut ctx.state, Height::from_number(env.height.number().saturating_sub(1)), parent);
    let checked = check(&ctx, decoded, true)?;
    if provides.is_none() {
        let (_, call, _) = checked.into_parts();
        call::dispatch_bare(&mut ctx, &call)?;
    }
    Ok(ValidTransaction { hash, provides, gas })
}

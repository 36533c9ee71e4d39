//! What the pool asks: could this extrinsic be applied on top of this state?

use crate::call;
use crate::check::check;
use crate::context::{BlockEnv, Context, Verifier};
use crate::error::Invalid;
use crate::extrinsic::{Envelope, MultiAddress, UncheckedExtrinsic};
use crate::modules::system;
use runtime_primitives::{AccountId, Gas, Hash, Height, Money};
use runtime_state::{Backend, Overlay};
use runtime_vm::Vm;

/// What the pool needs to know of a valid extrinsic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidTransaction {
    /// blake2-256 of its bytes.
    pub hash: Hash,
    /// Signer and nonce; `None` for bare extrinsics.
    pub provides: Option<(AccountId, u32)>,
    /// Its tip, which nothing charges: who raises it replaces what waits with the same nonce. 0 for bare extrinsics.
    pub tip: Money,
    /// Gas it declares.
    pub gas: Gas,
}

/// Validates extrinsics against one state; many together share what they read of it.
pub struct Validator<'a> {
    ctx: Context<'a>,
}

/// A bare extrinsic was tried and its effects must go.
struct Tried;

impl<'a> Validator<'a> {
    /// Validate on `state`, whose header hash is `parent`, for a block in `env`.
    pub fn new(
        vm: &'a Vm,
        state: &'a dyn Backend,
        env: BlockEnv,
        parent: &Hash,
        verifier: &'a dyn Verifier,
    ) -> Self {
        let mut ctx = Context::new(Overlay::new(state), env, vm, verifier);
        let height = Height::from_number(env.height.number().saturating_sub(1));
        system::remember(&mut ctx.state, height, parent);
        Self { ctx }
    }

    /// The state validated against.
    pub const fn state(&self) -> &Overlay<'a> {
        &self.ctx.state
    }

    /// Validate bytes. A signed extrinsic may be ahead of its nonce; a bare one is tried in full and undone.
    ///
    /// # Errors
    /// Why it could not be included now.
    pub fn validate(&mut self, bytes: &[u8]) -> Result<ValidTransaction, Invalid> {
        let decoded = UncheckedExtrinsic::from_bytes(bytes);
        let decoded = decoded.map_err(|_| Invalid::Undecodable)?;
        let (hash, gas) = (decoded.hash, decoded.call.gas());
        let tip = decoded.envelope.as_ref().map_or(Money::ZERO, Envelope::tip);
        let provides = decoded.envelope.as_ref().map(|envelope| {
            let MultiAddress::Id(signer) = envelope.signer;
            (signer, envelope.extra.nonce)
        });
        let checked = check(&self.ctx, decoded, true)?;
        if provides.is_none() {
            let (_, call, _) = checked.into_parts();
            let tried: Result<(), Result<Tried, Invalid>> = self.ctx.transactional(|ctx| {
                call::dispatch_bare(ctx, &call).map_err(Err)?;
                Err(Ok(Tried))
            });
            if let Err(Err(reason)) = tried {
                return Err(reason);
            }
        }
        Ok(ValidTransaction { hash, provides, tip, gas })
    }
}

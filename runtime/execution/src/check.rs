//! The checker: the only place where an [`UncheckedExtrinsic`] becomes a [`CheckedExtrinsic`].
//!
//! The same check guards the pool and the block; a host may have verified signatures in a batch before, through
//! the [`Verifier`](crate::context::Verifier).

use crate::call::Call;
use crate::context::Context;
use crate::error::Invalid;
use crate::extrinsic::{Envelope, Era, MultiAddress, UncheckedExtrinsic};
use crate::modules::{attestation, markets, payment, registry, sudo, system};
use crate::origin::Origin;
use contract_interface::confirm_message;
use runtime_primitives::crypto::Statement;
use runtime_primitives::limits::{BLOCK_GAS_MAX, READINGS_PER_BATCH_MAX};
use runtime_primitives::{AccountId, Gas, Hash};
use runtime_state::Overlay;

/// An extrinsic that may be applied to the state it was checked on.
#[derive(Clone, Debug)]
pub struct CheckedExtrinsic {
    origin: Option<Origin>,
    call: Call,
    hash: Hash,
}

impl CheckedExtrinsic {
    /// Its origin (`None`: bare), its call and its hash.
    pub fn into_parts(self) -> (Option<Origin>, Call, Hash) {
        (self.origin, self.call, self.hash)
    }
}

/// Check an extrinsic against the context's state. `future_nonce_ok` is for the pool, which queues ahead.
///
/// # Errors
/// Why it cannot be included; one variant per rule.
pub fn check(
    ctx: &Context,
    extrinsic: UncheckedExtrinsic,
    future_nonce_ok: bool,
) -> Result<CheckedExtrinsic, Invalid> {
    check_alone(&extrinsic)?;
    let UncheckedExtrinsic { envelope, call, hash } = extrinsic;
    let origin = envelope.map(|envelope| check_signed(ctx, &envelope, &call, future_nonce_ok)).transpose()?;
    Ok(CheckedExtrinsic { origin, call, hash })
}

/// The rules that hold in every state.
pub(crate) fn check_alone(extrinsic: &UncheckedExtrinsic) -> Result<(), Invalid> {
    let UncheckedExtrinsic { envelope, call, .. } = extrinsic;
    let (declared, limit) = (call.gas(), Gas::from_units(BLOCK_GAS_MAX));
    if declared > limit {
        return Err(Invalid::TooMuchGas { declared, limit });
    }
    match envelope {
        None if !call.is_bare() => Err(Invalid::NotSigned),
        Some(_) if call.is_bare() => Err(Invalid::NotBare),
        Some(Envelope { signer: MultiAddress::Id(signer), .. }) if *signer == AccountId::ZERO => {
            Err(Invalid::ZeroKey)
        }
        Some(Envelope { extra, .. }) if extra.metadata_hash_mode != 0 => {
            Err(Invalid::MetadataHashMode(extra.metadata_hash_mode))
        }
        _ => Ok(()),
    }
}

fn check_signed(
    ctx: &Context,
    envelope: &Envelope,
    call: &Call,
    future_nonce_ok: bool,
) -> Result<Origin, Invalid> {
    let MultiAddress::Id(signer) = envelope.signer;
    let binding = registry::binding(&ctx.state, &signer, ctx.env.now);
    if binding.is_none() && sudo::KEY.get(&ctx.state) != Some(signer) {
        return Err(Invalid::Unregistered { signer });
    }
    let (got, next) = (envelope.extra.nonce, system::ACCOUNT.get_or_default(&ctx.state, &signer).nonce);
    if got < next {
        return Err(Invalid::StaleNonce { got, next });
    }
    if got > next && !future_nonce_ok {
        return Err(Invalid::FutureNonce { got, next });
    }
    let birth = birth_hash(&ctx.state, &ctx.env.genesis, ctx.env.height.number(), envelope.extra.era)?;
    let statement = envelope.statement(call, &ctx.env.genesis, &birth);
    if !ctx.verifier.verify(&statement) {
        return Err(expired(ctx, envelope, call).unwrap_or(Invalid::BadSignature { signer }));
    }
    if let Some(binding) = &binding {
        payment::check(ctx, binding.entity, call.weight())?;
    }
    Ok(Origin::Signed { key: signer, binding })
}

/// The hash that a signature with this era covers. A birth block that is not remembered has expired.
fn birth_hash(state: &Overlay, genesis: &Hash, height: u64, era: Era) -> Result<Hash, Invalid> {
    // The block being built has no hash yet: eras count from its parent.
    let current = height.saturating_sub(1);
    let birth = era.birth(current);
    if era == Era::Immortal || birth == 0 {
        return Ok(*genesis);
    }
    let number = u32::try_from(birth).map_err(|_| Invalid::Expired { birth, current })?;
    system::BLOCK_HASH.get(state, &number).ok_or(Invalid::Expired { birth, current })
}

/// Whether a signature that does not hold was good in the era's last period. Its era has ended then, and the wallet
/// needs to know that it must sign again, not that it signed wrongly.
fn expired(ctx: &Context, envelope: &Envelope, call: &Call) -> Option<Invalid> {
    let Era::Mortal { period, .. } = envelope.extra.era else { return None };
    let current = ctx.env.height.number().saturating_sub(1);
    let birth = envelope.extra.era.birth(current).checked_sub(period)?;
    let hash = match birth {
        0 => ctx.env.genesis,
        _ => system::BLOCK_HASH.get(&ctx.state, &u32::try_from(birth).ok()?)?,
    };
    let statement = envelope.statement(call, &ctx.env.genesis, &hash);
    ctx.verifier.verify(&statement).then_some(Invalid::Expired { birth, current })
}

/// All statements whose signatures applying this extrinsic will ask for, as far as `state` can tell: what a host
/// verifies in a batch. Missing ones are verified singly, wrong ones are never asked for.
pub fn statements(
    state: &Overlay,
    genesis: &Hash,
    height: u64,
    extrinsic: &UncheckedExtrinsic,
    out: &mut Vec<Statement>,
) {
    match (&extrinsic.envelope, &extrinsic.call) {
        (Some(envelope), call) => {
            if let Ok(birth) = birth_hash(state, genesis, height, envelope.extra.era) {
                out.push(envelope.statement(call, genesis, &birth));
            }
            if let Call::Markets(markets::Call::Confirm { items, .. }) = call {
                let MultiAddress::Id(signer) = envelope.signer;
                out.extend(items.iter().map(|item| Statement {
                    signer,
                    message: confirm_message(genesis, &item.order_hash),
                    signature: item.signature,
                }));
            }
            if let Call::Markets(markets::Call::PostReadings { readings }) = call {
                // A batch that is longer fails before its readings are looked at.
                let asked = readings.iter().filter(|_| readings.len() <= READINGS_PER_BATCH_MAX);
                out.extend(asked.filter_map(|(reading, signature)| {
                    markets::readings::statement(state, genesis, reading, *signature)
                }));
            }
        }
        (None, Call::Markets(call)) => {
            out.extend(markets::readings::bare_statement(state, genesis, call));
        }
        (None, Call::Attestation(attestation::Call::Vote { voter, claim, signature })) => {
            out.extend(attestation::vote_statement(state, genesis, *voter, claim, *signature));
        }
        (None, _) => {}
    }
}

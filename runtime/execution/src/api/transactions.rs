//! `TaggedTransactionQueue` and `TransactionPaymentApi`: whether an extrinsic may be included, and what it costs.

use super::{Environment, Extrinsic};
use crate::context::{BlockEnv, VerifySingly};
use crate::error::Invalid;
use crate::extrinsic::{MultiAddress, UncheckedExtrinsic};
use crate::modules::system::{self, DispatchClass, Weight};
use crate::modules::{payment, registry, timestamp};
use crate::validate::Validator;
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::BLOCK_HASH_COUNT;
use runtime_primitives::{Gas, Hash, Height, Money};
use scale_info::TypeInfo;

/// `sp_runtime::transaction_validity::TransactionSource`; it makes no difference here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum TransactionSource {
    /// Of a block.
    InBlock,
    /// Of this node.
    Local,
    /// Of somebody else.
    External,
}

/// `sp_runtime::transaction_validity::ValidTransaction`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ValidTransaction {
    /// Its tip, by which what waits with the same nonce is replaced.
    pub priority: u64,
    /// What must be included before it: the extrinsic with the nonce before.
    pub requires: Vec<Vec<u8>>,
    /// Signer and nonce; a bare extrinsic's hash.
    pub provides: Vec<Vec<u8>>,
    /// Blocks for which this holds, if nothing else happens.
    pub longevity: u64,
    /// Whether others are told of it.
    pub propagate: bool,
}

/// `sp_runtime::transaction_validity::InvalidTransaction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum InvalidTransaction {
    /// The call is no call of this chain, or may not come this way.
    #[codec(index = 0)]
    Call,
    /// The weight fee cannot be paid.
    #[codec(index = 1)]
    Payment,
    /// The nonce is ahead.
    #[codec(index = 2)]
    Future,
    /// The nonce was used.
    #[codec(index = 3)]
    Stale,
    /// The signature does not verify.
    #[codec(index = 4)]
    BadProof,
    /// The era has ended.
    #[codec(index = 5)]
    AncientBirthBlock,
    /// It declares more than a block has.
    #[codec(index = 6)]
    ExhaustsResources,
    /// Another rule of this chain: 1 a vote was refused, 2 a reading was refused, 3 the metadata's hash is signed.
    #[codec(index = 7)]
    Custom(u8),
    /// The signer is not registered, or nobody.
    #[codec(index = 10)]
    BadSigner,
}

/// `sp_runtime::transaction_validity::UnknownTransaction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum UnknownTransaction {
    /// The call must be signed.
    #[codec(index = 1)]
    NoUnsignedValidator,
}

/// `sp_runtime::transaction_validity::TransactionValidityError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum TransactionValidityError {
    /// It breaks a rule.
    Invalid(InvalidTransaction),
    /// Nothing can be said of it.
    Unknown(UnknownTransaction),
}

impl From<&Invalid> for TransactionValidityError {
    fn from(reason: &Invalid) -> Self {
        Self::Invalid(match reason {
            Invalid::Undecodable | Invalid::NotBare => InvalidTransaction::Call,
            Invalid::ZeroKey | Invalid::Unregistered { .. } => InvalidTransaction::BadSigner,
            Invalid::BadSignature { .. } => InvalidTransaction::BadProof,
            Invalid::StaleNonce { .. } => InvalidTransaction::Stale,
            Invalid::FutureNonce { .. } => InvalidTransaction::Future,
            Invalid::Expired { .. } => InvalidTransaction::AncientBirthBlock,
            Invalid::BlockGas { .. } | Invalid::TooMuchGas { .. } => InvalidTransaction::ExhaustsResources,
            Invalid::Attestation(_) => InvalidTransaction::Custom(1),
            Invalid::Markets(_) => InvalidTransaction::Custom(2),
            Invalid::MetadataHashMode(_) => InvalidTransaction::Custom(3),
            Invalid::Payment { .. } => InvalidTransaction::Payment,
            Invalid::NotSigned => return Self::Unknown(UnknownTransaction::NoUnsignedValidator),
        })
    }
}

/// `pallet_transaction_payment::RuntimeDispatchInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct RuntimeDispatchInfo {
    /// What it declares.
    pub weight: Weight,
    /// Whose it is.
    pub class: DispatchClass,
    /// What is beyond the entity's quota costs.
    pub partial_fee: Money,
}

/// `pallet_transaction_payment::InclusionFee`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct InclusionFee {
    /// Always 0.
    pub base_fee: Money,
    /// Always 0.
    pub len_fee: Money,
    /// For what is beyond the entity's quota.
    pub adjusted_weight_fee: Money,
}

/// `pallet_transaction_payment::FeeDetails`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct FeeDetails {
    /// Of a signed extrinsic.
    pub inclusion_fee: Option<InclusionFee>,
}

pub fn validate(
    of: &Environment,
    _source: TransactionSource,
    tx: Extrinsic,
    _block: Hash,
) -> Result<ValidTransaction, TransactionValidityError> {
    let state = of.overlay();
    let height = Height::from_number(u64::from(system::NUMBER.get(&state).unwrap_or(0)) + 1);
    let now = timestamp::NOW.get(&state).unwrap_or_default();
    let env = BlockEnv { height, now, genesis: of.genesis };
    let mut validator = Validator::new(of.vm, of.state, env, &of.block, &VerifySingly);
    let valid = validator.validate(&tx.0).map_err(|reason| TransactionValidityError::from(&reason))?;
    let (requires, provides) = match valid.provides {
        None => (Vec::new(), valid.hash.encode()),
        Some((signer, nonce)) => {
            let next = system::ACCOUNT.get_or_default(&state, &signer).nonce;
            let before = (nonce > next).then(|| (signer, nonce - 1).encode());
            (before.into_iter().collect(), (signer, nonce).encode())
        }
    };
    let priority = u64::try_from(valid.tip.units()).unwrap_or(u64::MAX);
    Ok(ValidTransaction {
        priority,
        requires,
        provides: vec![provides],
        longevity: BLOCK_HASH_COUNT,
        propagate: true,
    })
}

/// What an extrinsic declares and what that costs now. Of bytes that are no extrinsic: nothing.
fn weigh(of: &Environment, bytes: &[u8]) -> (Gas, Money, bool) {
    let Ok(extrinsic) = UncheckedExtrinsic::from_bytes(bytes) else { return (Gas::ZERO, Money::ZERO, false) };
    let (state, weight) = (of.overlay(), extrinsic.call.weight());
    let now = timestamp::NOW.get(&state).unwrap_or_default();
    let signer = extrinsic.envelope.map(|envelope| {
        let MultiAddress::Id(signer) = envelope.signer;
        signer
    });
    let binding = signer.and_then(|signer| registry::binding(&state, &signer, now));
    let fee = binding.map_or(Money::ZERO, |binding| {
        let used = payment::usage(&state, binding.entity, now).gas;
        payment::rates(&state).fee(used, weight)
    });
    (weight, fee, signer.is_some())
}

pub fn query_info(of: &Environment, uxt: Extrinsic, _len: u32) -> RuntimeDispatchInfo {
    let (weight, partial_fee, _) = weigh(of, &uxt.0);
    RuntimeDispatchInfo { weight: Weight::from_gas(weight), class: DispatchClass::Normal, partial_fee }
}

pub fn query_fee_details(of: &Environment, uxt: Extrinsic, _len: u32) -> FeeDetails {
    let (_, adjusted_weight_fee, is_signed) = weigh(of, &uxt.0);
    let fee = InclusionFee { base_fee: Money::ZERO, len_fee: Money::ZERO, adjusted_weight_fee };
    FeeDetails { inclusion_fee: is_signed.then_some(fee) }
}

pub fn weight_to_fee(of: &Environment, weight: Weight) -> u128 {
    payment::rates(&of.overlay()).price(weight.gas()).units()
}

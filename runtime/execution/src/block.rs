//! The state transition: an ordered block in; header, receipts, changes and archive out.
//!
//! [`execute_block`] is a pure function of the parent state and the block: no clock, socket, file, random
//! number, hash-ordered iteration or float. What has become invalid is skipped, so the runtime block is the
//! inherent and the applied extrinsics only; the header's digest commits to the ordered payload and to the skips.

use crate::call;
use crate::check::{self, check};
use crate::context::{BlockEnv, Context, Verifier};
use crate::error::{BlockError, DispatchError, Invalid, SubstrateError};
use crate::event::{EventRecord, Phase};
use crate::extrinsic::{Era, UncheckedExtrinsic};
use crate::modules::system::{self, DispatchInfo};
use crate::modules::{contracts, markets, payment, timestamp};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::crypto::Statement;
use runtime_primitives::limits::{
    BLOCK_BYTES_MAX, BLOCK_EXTRINSICS_MAX, BLOCK_GAS_MAX, EVENTS_BYTES_MAX, EXECUTED_LAG_MAX,
};
use runtime_primitives::{
    Digest, DigestItem, Gas, Hash, Header, Money, OrderedBlock, Timestamp, blake2_256, merkle_root,
};
use runtime_state::{ArchiveRow, ChangeSet, Overlay, State, TrieUpdate};
use runtime_vm::Vm;
use std::collections::BTreeSet;

/// Engine id of the header's digest item.
pub const DIGEST_ENGINE: [u8; 4] = *b"busb";

/// What became of one ordered extrinsic.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Receipt {
    /// blake2-256 of the extrinsic's bytes.
    pub extrinsic: Hash,
    /// The outcome.
    pub outcome: Outcome,
}

/// See [`Receipt`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// Included; its effects stand.
    #[codec(index = 0)]
    Applied {
        /// Index in the runtime block.
        index: u32,
    },
    /// Included; its effects are undone, its nonce is used.
    #[codec(index = 1)]
    Failed {
        /// Index in the runtime block.
        index: u32,
        /// Why.
        error: DispatchError,
    },
    /// Not included; nothing changed.
    #[codec(index = 2)]
    Skipped {
        /// Why.
        reason: Invalid,
    },
}

/// Everything that follows from a block.
pub struct ExecutedBlock {
    /// The header all validators derive.
    pub header: Header,
    /// The runtime block's extrinsics: the inherent, then what was applied.
    pub body: Vec<Vec<u8>>,
    /// One receipt per ordered extrinsic.
    pub receipts: Vec<Receipt>,
    /// Events, as in `System.Events`.
    pub events: Vec<EventRecord>,
    /// Writes that differ from the parent state.
    pub changes: ChangeSet,
    /// The trie after these writes.
    pub trie: TrieUpdate,
    /// Rows for the archive.
    pub archive: Vec<ArchiveRow>,
}

/// Execute `block` on top of `parent`, whose header is `parent_header`.
///
/// # Errors
/// [`BlockError`]: the block is none of this chain. Consensus must not finalize such a block.
pub fn execute_block<S: State>(
    vm: &Vm,
    parent: &S,
    parent_header: &Header,
    genesis: &Hash,
    block: &OrderedBlock,
    verifier: &dyn Verifier,
) -> Result<ExecutedBlock, BlockError> {
    let overlay = Overlay::new(parent);
    check_format(block)?;
    check_ancestry(&overlay, parent_header, block)?;
    let env = BlockEnv { height: block.height, now: block.timestamp, genesis: *genesis };
    let mut ctx = Context::new(overlay, env, vm, verifier);

    system::initialize(&mut ctx, parent_header);
    let inherent = call::Call::Timestamp(timestamp::initialize(&mut ctx));
    let mut stepped = BTreeSet::new();
    markets::slots::run_due(&mut ctx, &mut stepped);
    markets::standing::run_due(&mut ctx);

    ctx.begin_extrinsics();
    let mut applier =
        Applier { body: vec![UncheckedExtrinsic::bare(&inherent)], gas_left: Gas::from_units(BLOCK_GAS_MAX) };
    let receipts: Vec<Receipt> = block
        .extrinsics
        .iter()
        .map(|bytes| Receipt { extrinsic: blake2_256(bytes), outcome: applier.apply(&mut ctx, bytes) })
        .collect();

    ctx.phase = Phase::Finalization;
    ctx.extrinsic = Hash::ZERO;
    markets::slots::run_due(&mut ctx, &mut stepped);
    contracts::clean_up(&mut ctx.state);
    Ok(seal(ctx, parent, parent_header, block, applier.body, receipts))
}

fn seal<S: State>(
    ctx: Context,
    parent: &S,
    parent_header: &Header,
    block: &OrderedBlock,
    body: Vec<Vec<u8>>,
    receipts: Vec<Receipt>,
) -> ExecutedBlock {
    let (mut overlay, events, archive) = ctx.finish();
    system::finalize(&mut overlay, &events);
    let changes = overlay.into_changes();
    let trie = parent.update_trie(&changes);
    let skips: Vec<Vec<u8>> = receipts
        .iter()
        .filter(|receipt| matches!(receipt.outcome, Outcome::Skipped { .. }))
        .map(Encode::encode)
        .collect();
    let commitment = (block.payload_hash(), merkle_root(&skips)).encode();
    let header = Header {
        parent_hash: parent_header.hash(),
        number: block.height.number(),
        state_root: trie.root(),
        extrinsics_root: merkle_root(&body),
        digest: Digest { logs: vec![DigestItem::PreRuntime(DIGEST_ENGINE, commitment)] },
    };
    let archive = archive.into_iter().map(|entry| entry.0).collect();
    ExecutedBlock { header, body, receipts, events, changes, trie, archive }
}

struct Applier {
    body: Vec<Vec<u8>>,
    gas_left: Gas,
}

impl Applier {
    fn apply(&mut self, ctx: &mut Context, bytes: &[u8]) -> Outcome {
        match self.try_apply(ctx, bytes) {
            Ok((index, Ok(()))) => Outcome::Applied { index },
            Ok((index, Err(error))) => Outcome::Failed { index, error },
            Err(reason) => Outcome::Skipped { reason },
        }
    }

    fn try_apply(
        &mut self,
        ctx: &mut Context,
        bytes: &[u8],
    ) -> Result<(u32, Result<(), DispatchError>), Invalid> {
        let decoded = UncheckedExtrinsic::from_bytes(bytes);
        let decoded = decoded.map_err(|_| Invalid::Undecodable)?;
        let (declared, left) = (decoded.call.gas(), self.gas_left);
        let (weight, of_steps) = (decoded.call.weight(), decoded.call.step_gas());
        let checked = check(ctx, decoded, false)?;
        if ctx.events_bytes() > EVENTS_BYTES_MAX {
            return Err(Invalid::BlockGas { declared, left: Gas::ZERO });
        }
        if of_steps > ctx.market_gas_left {
            return Err(Invalid::BlockGas { declared: of_steps, left: ctx.market_gas_left });
        }
        let after = left.checked_sub(declared).ok_or(Invalid::BlockGas { declared, left })?;
        let index = u32::try_from(self.body.len()).expect("bounded by BLOCK_EXTRINSICS_MAX");
        ctx.phase = Phase::ApplyExtrinsic(index);
        let (origin, call, hash) = checked.into_parts();
        ctx.extrinsic = hash;
        let mut fee = Money::ZERO;
        let result = match origin {
            None => {
                ctx.transactional(|ctx| call::dispatch_bare(ctx, &call))?;
                Ok(())
            }
            Some(origin) => {
                let key = origin.signer().expect("the checker only makes signed origins");
                system::bump_nonce(&mut ctx.state, &key);
                // The sudo key itself belongs to no entity.
                if let Ok(entity) = origin.entity() {
                    fee = payment::charge(ctx, entity, weight);
                }
                ctx.transactional(|ctx| call::dispatch(ctx, &origin, call))
            }
        };
        let dispatch_info = DispatchInfo::normal(declared, fee);
        match &result {
            Ok(()) => ctx.emit(system::Event::ExtrinsicSuccess { dispatch_info }),
            Err(error) => {
                let dispatch_error = SubstrateError::from(error);
                ctx.emit(system::Event::ExtrinsicFailed { dispatch_error, dispatch_info });
            }
        }
        self.gas_left = after;
        self.body.push(bytes.to_vec());
        Ok((index, result))
    }
}

/// What a validator asks of a proposal before it votes, from its bytes alone (DESIGN 4.1): sizes, and that each extrinsic
/// decodes, breaks no rule that holds in every state, and fits into a block with the others by the gas that it declares.
///
/// Returned are the statements that must be signed whatever the state: those of extrinsics that never expire. What else is
/// signed depends on the state (a block's hash, a meter's key), on which validators may differ for a while.
///
/// # Errors
/// The first rule broken. An execution skips the extrinsic, or the rest of the block, and is not stopped by it.
pub fn check_proposal(block: &OrderedBlock, genesis: &Hash) -> Result<Vec<Statement>, BlockError> {
    check_format(block)?;
    let mut statements = Vec::new();
    let (mut declared, limit) = (Gas::ZERO, Gas::from_units(BLOCK_GAS_MAX));
    for (index, bytes) in block.extrinsics.iter().enumerate() {
        let fault = |reason| BlockError::Extrinsic { index, reason };
        let extrinsic = UncheckedExtrinsic::from_bytes(bytes).map_err(|_| fault(Invalid::Undecodable))?;
        check::check_alone(&extrinsic).map_err(fault)?;
        declared = declared.saturating_add(extrinsic.call.gas());
        if declared > limit {
            return Err(BlockError::TooMuchGas { declared, limit });
        }
        let immortal = extrinsic.envelope.as_ref().filter(|envelope| envelope.extra.era == Era::Immortal);
        statements.extend(immortal.map(|envelope| envelope.statement(&extrinsic.call, genesis, genesis)));
    }
    Ok(statements)
}

fn check_format(block: &OrderedBlock) -> Result<(), BlockError> {
    let (got, limit) = (block.extrinsics.len(), BLOCK_EXTRINSICS_MAX);
    if got > limit {
        return Err(BlockError::TooManyExtrinsics { got, limit });
    }
    let (got, limit) = (block.encoded_size(), BLOCK_BYTES_MAX);
    if got > limit {
        return Err(BlockError::TooLarge { got, limit });
    }
    Ok(())
}

/// Checks against the chain the block extends: height, time, and the header the proposer executed (DESIGN 4.4).
fn check_ancestry(state: &Overlay, parent: &Header, block: &OrderedBlock) -> Result<(), BlockError> {
    let (got, height) = (block.height, parent.height());
    if got != height.next() {
        return Err(BlockError::Height { got, parent: height });
    }
    let parent_time = timestamp::NOW.get(state).unwrap_or(Timestamp::ZERO);
    if block.timestamp <= parent_time {
        return Err(BlockError::Time { got: block.timestamp, parent: parent_time });
    }
    let executed = block.executed;
    let lag = got.number().checked_sub(executed.height.number());
    match lag {
        Some(1..=EXECUTED_LAG_MAX) => {}
        // It says again what its parent says, which was compared when it was first said.
        Some(1..) if block.extrinsics.is_empty() => return Ok(()),
        _ => return Err(BlockError::ExecutedLag { executed: executed.height, height: got }),
    }
    let own = if executed.height == height {
        parent.hash()
    } else {
        let number = system::block_number(executed.height.number());
        system::BLOCK_HASH.get(state, &number).unwrap_or_default()
    };
    if own != executed.header_hash {
        let (height, proposed) = (executed.height, executed.header_hash);
        return Err(BlockError::ExecutedHeader { height, proposed, own });
    }
    Ok(())
}

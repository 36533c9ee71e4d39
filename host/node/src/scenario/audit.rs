//! Auditing a settled slot from the archive: leaves hash to the recorded roots, records form a chain, signatures
//! verify, trades were certified before they were paid.

use super::play::PlayError;
use crate::agent::Opinion;
use contract_interface::{Stage, StageRecord, TradeOrder, Vote, confirm_message};
use host_storage::Snapshot;
use parity_scale_codec::{Decode, DecodeAll, Encode};
use rand_core::OsRng;
use runtime_execution::archive::{Consent, SettleRecord, SignedReading, slot_key, stage_key, tables};
use runtime_execution::leaves;
use runtime_execution::modules::attestation::is_majority;
use runtime_execution::modules::markets::{At, RECORDS};
use runtime_execution::modules::registry::validators;
use runtime_primitives::crypto::{Signature, Statement, verify_batch};
use runtime_primitives::{AccountId, Hash, blake2_256, merkle_root};
use runtime_state::Overlay;
use std::collections::BTreeMap;

/// What an audit found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sound {
    /// Every settled trade is a leaf of stage 2, which more than 51 % of the validators signed.
    pub certified: bool,
    /// Every stage record's root follows from the archive, and records name their predecessors.
    pub records: bool,
    /// Every vote, reading and confirmation verifies.
    pub signatures: bool,
    /// Every household that voted computed the report that was paid.
    pub recomputed: bool,
    /// Every validator's signature is under the chain's own result.
    pub attested: bool,
    /// Validators' votes.
    pub attestations: u64,
    /// Market entities' votes.
    pub votes: u64,
}

impl Default for Sound {
    fn default() -> Self {
        Self {
            certified: true,
            records: true,
            signatures: true,
            recomputed: true,
            attested: true,
            attestations: 0,
            votes: 0,
        }
    }
}

type Leaves = BTreeMap<Stage, Vec<Vec<u8>>>;

impl Sound {
    /// Audit one settled slot.
    pub(super) fn check(
        &mut self,
        snapshot: &Snapshot,
        state: &Overlay,
        at: At,
        opinions: Option<&Vec<Opinion>>,
    ) -> Result<(), PlayError> {
        let mut leaves = Leaves::new();
        for stage in Stage::ALL {
            let rows = snapshot.archive_scan(tables::STAGE, &stage_key(at, stage), usize::MAX)?;
            // What cannot be read has no root either.
            leaves.insert(stage, leaves::read(&rows).unwrap_or_default());
        }
        self.records &= records_hold(state, at, &leaves);
        let votes = |stage| decoded::<Vote>(&leaves[&stage]);
        let (validators, entities) = (votes(Stage::Authentication), votes(Stage::Certification));
        self.attestations += validators.len() as u64;
        let result = RECORDS.get(state, &(at.0, at.1, Stage::Matching)).map(|record| record.merkle_root);
        self.attested &= validators.iter().all(|vote| Some(vote.claim.result_hash) == result);
        self.votes += entities.len() as u64;
        let settle = snapshot.archive_get(tables::SETTLE, &slot_key(at))?.unwrap_or_default();
        let Ok(settled) = SettleRecord::decode_all(&mut &settle[..]) else {
            self.certified = false;
            return Ok(());
        };
        self.certified &= is_certified(state, at, &leaves, &validators, &settled);
        let report = blake2_256(&settled.report.encode());
        self.recomputed &= opinions.is_none_or(|all| all.iter().all(|opinion| opinion.report == report));
        self.signatures &= signatures_hold(snapshot, at, &leaves, validators.iter().chain(&entities))?;
        Ok(())
    }
}

fn decoded<T: Decode>(leaves: &[Vec<u8>]) -> Vec<T> {
    leaves.iter().filter_map(|leaf| T::decode_all(&mut &leaf[..]).ok()).collect()
}

fn records_hold(state: &Overlay, at: At, leaves: &Leaves) -> bool {
    let mut previous: Option<Hash> = None;
    Stage::ALL.into_iter().all(|stage| {
        let Some(record) = RECORDS.get(state, &(at.0, at.1, stage)) else { return false };
        let StageRecord { merkle_root: root, nonce, prev_hash, .. } = record;
        let linked = previous.is_none_or(|hash| hash == prev_hash);
        previous = Some(record.hash());
        linked && nonce == leaves[&stage].len() as u64 && root == merkle_root(&leaves[&stage])
    })
}

fn is_certified(state: &Overlay, at: At, leaves: &Leaves, votes: &[Vote], settled: &SettleRecord) -> bool {
    if settled.input.trades.is_empty() {
        return true;
    }
    let Some(record) = RECORDS.get(state, &(at.0, at.1, Stage::Matching)) else { return false };
    let orders: BTreeMap<u32, TradeOrder> = decoded::<TradeOrder>(&leaves[&Stage::Matching])
        .into_iter()
        .map(|order| (order.trade, order))
        .collect();
    let listed = settled.input.trades.iter().all(|trade| {
        orders.get(&trade.id).is_some_and(|order| {
            order.outputs.iter().all(|leg| leg.energy == trade.energy && leg.meter == trade.buy_meter)
                && order.inputs.iter().all(|leg| leg.energy == trade.energy && leg.meter == trade.sell_meter)
        })
    });
    let set = votes.first().and_then(|vote| validators::of_epoch(state, vote.claim.epoch));
    let set = set.unwrap_or_default();
    let passes = votes.iter().filter(|vote| {
        vote.claim.result_hash == record.merkle_root
            && set.iter().any(|validator| validator.entity == vote.voter && validator.session_key == vote.key)
    });
    let count = |length| u32::try_from(length).unwrap_or(u32::MAX);
    listed && is_majority(count(passes.count()), count(set.len()))
}

fn signatures_hold<'a>(
    snapshot: &Snapshot,
    at: At,
    leaves: &Leaves,
    votes: impl Iterator<Item = &'a Vote>,
) -> Result<bool, PlayError> {
    let genesis = snapshot.genesis_hash();
    let mut statements: Vec<Statement> = votes
        .map(|vote| Statement {
            signer: vote.key,
            message: vote.message(&genesis),
            signature: Signature(vote.signature),
        })
        .collect();
    for signed in decoded::<SignedReading>(&leaves[&Stage::Execution]) {
        if signed.key != AccountId::ZERO {
            statements.push(signed.statement(&genesis));
        }
    }
    let orders = decoded::<TradeOrder>(&leaves[&Stage::Matching]);
    let hashes: BTreeMap<u32, Hash> = orders.iter().map(|order| (order.trade, order.hash())).collect();
    for row in snapshot.archive_scan(tables::CONSENT, &slot_key(at), usize::MAX)? {
        let trade = row.key.get(8..12).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
        let hash = trade.and_then(|trade| hashes.get(&trade));
        if let (Some(hash), Ok(Consent::Signed { key, signature })) =
            (hash, Consent::decode_all(&mut &row.value[..]))
        {
            statements.push(Statement { signer: key, message: confirm_message(&genesis, hash), signature });
        }
    }
    Ok(statements.chunks(256).all(|batch| verify_batch(batch, OsRng)))
}

//! The votes of the sessions that live on this node: on every open claim, once a block.

use super::error::ServiceError;
use crate::agent::{Attestor, Desk, Journal, Verdict};
use crate::keys::Signer;
use crate::node::{Alarm, Chain, Health, PoolError};
use contract_interface::Stage;
use host_storage::Snapshot;
use runtime_execution::Call;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::attestation::{self, BALLOTS};
use runtime_execution::modules::markets::At;
use runtime_execution::modules::registry::validators;
use runtime_primitives::{AccountId, Hash};
use runtime_state::Overlay;
use runtime_vm::{EngineKind, Vm};
use std::path::Path;
use std::sync::Arc;
use tracing::{debug, error, info, warn};

/// Sessions that attest.
pub struct Attesting {
    attestors: Vec<Attestor>,
    /// The second engine, if there is somebody to attest.
    second: Option<Vm>,
    /// Block whose claims were voted on last.
    attested: Option<Hash>,
    health: Arc<Health>,
}

impl Attesting {
    /// The attestors of `sessions`, each with its journal in `folder`.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn new(chain: &Chain, sessions: Vec<Signer>, folder: &Path) -> Result<Self, ServiceError> {
        let snapshot = chain.snapshot();
        let set = validators::current(&Overlay::new(&snapshot));
        let attestor = |session: Signer| {
            let key = session.account();
            let journal = Journal::open(&folder.join(format!("votes-{key}")))?;
            match set.iter().find(|validator| validator.session_key == key) {
                Some(validator) => info!(entity = %validator.entity, session = %key, "attesting"),
                // Its set may be yet to come, or past with claims that are still open.
                None => {
                    warn!(session = %key, "no validator's session key in this epoch: it votes where it is an elector")
                }
            }
            Ok(Attestor::new(session, chain.genesis(), journal))
        };
        let attestors: Vec<Attestor> =
            sessions.into_iter().map(attestor).collect::<Result<_, ServiceError>>()?;
        let second = if attestors.is_empty() { None } else { Some(Vm::new(EngineKind::Wasmi)?) };
        Ok(Self { attestors, second, attested: None, health: chain.health().clone() })
    }

    /// Session keys that attest here.
    pub fn sessions(&self) -> Vec<AccountId> {
        self.attestors.iter().map(Attestor::session).collect()
    }

    /// Signed votes on all claims that are open on a block; none if it was asked about before.
    pub fn votes(&mut self, snapshot: &Snapshot) -> Vec<Vec<u8>> {
        let Some(second) = &self.second else { return Vec::new() };
        if self.attested.replace(snapshot.hash()) == Some(snapshot.hash()) {
            return Vec::new();
        }
        let health = &self.health;
        let votes =
            self.attestors.iter_mut().flat_map(|attestor| votes_of(attestor, snapshot, second, health));
        votes.collect()
    }

    /// Vote on what is open on `published`, a durable block: the pool takes the votes in, and `tell` is given each. Gives
    /// whether there was any.
    ///
    /// Blocks may have come since, many of them after a restart: what they do not wait for any more is not sent.
    pub fn attest(&mut self, chain: &Chain, published: &Snapshot, tell: impl Fn(&[u8])) -> bool {
        let mut votes = self.votes(published);
        votes.retain(|vote| is_awaited(&chain.snapshot(), vote));
        for (vote, answer) in votes.iter().zip(chain.submit(votes.clone())) {
            match answer {
                Ok(_) => tell(vote),
                Err(PoolError::Known(_) | PoolError::Duplicate { .. }) => {
                    debug!("a peer has told of a vote before")
                }
                Err(reason) if is_awaited(&chain.snapshot(), vote) => warn!(%reason, "a vote was refused"),
                Err(reason) => debug!(%reason, "a vote came too late"),
            }
        }
        self.health.attested(published.hash());
        !votes.is_empty()
    }
}

/// Whether a block still lacks a vote: it counts there, and the voter has not voted.
pub fn is_awaited(snapshot: &Snapshot, vote: &[u8]) -> bool {
    let Ok(UncheckedExtrinsic {
        call: Call::Attestation(attestation::Call::Vote { voter, claim, .. }), ..
    }) = UncheckedExtrinsic::from_bytes(vote)
    else {
        return false;
    };
    let state = Overlay::new(snapshot);
    let desk = Desk::open(&state, (claim.market, claim.slot));
    desk.and_then(|desk| desk.ballot(claim.stage)).is_some_and(|(ballot, waiting)| {
        ballot.claim.round == claim.round && waiting.iter().any(|elector| elector.entity == voter)
    })
}

fn disagreement(at: At, verdict: &Verdict) -> Alarm {
    let Verdict { own, chain, gas, chain_gas } = *verdict;
    Alarm::Clearing { at, own, chain, gas: [gas, chain_gas] }
}

/// An attestor's votes on open claims. A vote that cannot be journalled is not released.
fn votes_of(attestor: &mut Attestor, snapshot: &Snapshot, second: &Vm, health: &Health) -> Vec<Vec<u8>> {
    let state = Overlay::new(snapshot);
    let mut votes = Vec::new();
    for (market, slot, stage, _) in BALLOTS.entries(&state).into_keys() {
        let at: At = (market, slot);
        let Some(desk) = Desk::open(&state, at) else { continue };
        let vote = if stage == Stage::Authentication {
            attestor.attest(&desk, second).map(|vote| {
                vote.map(|(vote, verdict)| {
                    info!(%market, %slot, agrees = verdict.agrees(), own = %verdict.own, "clearing re-run");
                    health.reran((!verdict.agrees()).then(|| disagreement(at, &verdict)));
                    vote
                })
            })
        } else {
            attestor.arbitrate(&desk)
        };
        match vote {
            Ok(vote) => votes.extend(vote),
            Err(reason) => error!(%market, %slot, %reason, "vote withheld"),
        }
    }
    votes
}

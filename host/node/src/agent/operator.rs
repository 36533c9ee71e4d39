//! An operator (the platform, the grid): posts the execution list, votes on it as an elector.

use super::desk::{Desk, claim_for};
use crate::wallet::Wallet;
use contract_interface::{Stage, attest_message};
use runtime_execution::Call;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::{attestation, markets};
use runtime_primitives::{EntityId, Hash};

/// An operator by its owner key.
#[derive(Debug)]
pub struct Operator {
    /// Its entity.
    pub entity: EntityId,
    wallet: Wallet,
}

impl Operator {
    /// An operator that signs with `wallet`.
    pub const fn new(entity: EntityId, wallet: Wallet) -> Self {
        Self { entity, wallet }
    }

    /// Its wallet, for everything else it does.
    pub const fn wallet(&mut self) -> &mut Wallet {
        &mut self.wallet
    }

    /// Post everybody's latest readings as the platform's list, unless it is posted.
    pub fn post_list(&mut self, desk: &Desk) -> Option<Vec<u8>> {
        let list = desk.latest_list();
        if desk.lists().iter().any(|posted| posted.hash == list.hash()) {
            return None;
        }
        let (market, slot) = desk.live().at;
        self.wallet.refresh(desk.state());
        Some(self.wallet.sign(&Call::Markets(markets::Call::PostList { market, slot, list })))
    }

    /// Vote for the list of everybody's latest readings.
    pub fn vote(&self, desk: &Desk) -> Option<Vec<u8>> {
        let (ballot, waiting) = desk.ballot(Stage::Certification)?;
        waiting.iter().find(|elector| elector.entity == self.entity)?;
        let result: Hash = desk.latest_list().hash();
        let claim = claim_for(&ballot, result);
        let signature = self.wallet.signer().sign(&attest_message(self.wallet.genesis(), &claim));
        let vote = attestation::Call::Vote { voter: self.entity, claim, signature };
        Some(UncheckedExtrinsic::bare(&Call::Attestation(vote)))
    }
}

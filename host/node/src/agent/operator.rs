//! An operator (the platform, the grid): posts the execution list, votes on it as an elector.

use super::desk::{Desk, seats, votes};
use crate::wallet::Wallet;
use contract_interface::Stage;
use parity_scale_codec::Encode;
use runtime_execution::Call;
use runtime_execution::modules::markets;
use runtime_primitives::EntityId;
use runtime_primitives::limits::EXTRINSIC_BYTES_MAX;

/// More than an extrinsic's bytes around a list.
const ENVELOPE_BYTES_MAX: usize = 1_024;

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

    /// Post everybody's latest readings as the platform's list, unless it is posted; by their revisions if the list is
    /// too long for an extrinsic.
    pub fn post_list(&mut self, desk: &Desk) -> Option<Vec<u8>> {
        let list = desk.latest_list();
        if desk.lists().iter().any(|posted| posted.hash == list.hash()) {
            return None;
        }
        let (market, slot) = desk.live().at;
        self.wallet.refresh(desk.state());
        let call = if list.encoded_size() + ENVELOPE_BYTES_MAX > EXTRINSIC_BYTES_MAX {
            let (list, revisions) = (list.hash(), desk.latest_revisions());
            markets::Call::PostRevisions { market, slot, list, revisions }
        } else {
            markets::Call::PostList { market, slot, list }
        };
        Some(self.wallet.sign(&Call::Markets(call)))
    }

    /// Vote for the list of everybody's latest readings, also for those that it is proxy for.
    pub fn vote(&self, desk: &Desk) -> Vec<Vec<u8>> {
        let Some((ballot, waiting)) = desk.ballot(Stage::Certification) else { return Vec::new() };
        votes(&self.wallet, &ballot, &seats(self.entity, &waiting), desk.latest_list().hash())
    }
}

//! The block that a chain stands on here: its genesis, or a later one that is known to be final.
//!
//! The rule: what was verified before it was kept is not doubted here; one that does not verify stops the engine.

use super::block::{Carried, Digest};
use super::finality::{Proof, digest_of};
use bytes::Bytes;
use commonware_codec::Decode as _;
use commonware_consensus::marshal::Start;
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::types::Height;
use commonware_cryptography::certificate::Verifier as _;
use commonware_cryptography::{Digested, Digestible as _};
use commonware_runtime::{Clock, Metrics, Storage};
use commonware_storage::archive::{Archive as _, immutable};
use runtime_primitives::{Hash, OrderedBlock};
use std::sync::Arc;

/// The block that a chain stands on here.
#[derive(Clone, Debug)]
pub enum Anchor {
    /// The chain's first block.
    Genesis(OrderedBlock),
    /// An epoch's last block, whose state the application began with.
    Final {
        /// Digest of its parent.
        parent: Hash,
        /// The block.
        block: OrderedBlock,
        /// A quorum's word for its digest, in the engine's encoding; checked.
        proof: Vec<u8>,
    },
}

impl Anchor {
    fn carried(&self) -> Carried {
        match self {
            Self::Genesis(block) => Carried::genesis(block.clone()),
            Self::Final { parent, block, .. } => Carried::new(digest_of(parent), block.clone()),
        }
    }

    /// Its height.
    pub(super) const fn height(&self) -> Height {
        match self {
            Self::Genesis(_) => Height::zero(),
            Self::Final { block, .. } => Height::new(block.height.number()),
        }
    }

    /// What the library starts from. Where it has come further before, it goes on from there.
    pub(super) fn start(&self) -> Start<Scheme, Digest, Digested<Carried>> {
        match self {
            Self::Genesis(_) => Start::Genesis(self.carried().digested()),
            Self::Final { proof, .. } => {
                let limits = Scheme::certificate_codec_config_unbounded();
                let proof = Proof::decode_cfg(Bytes::copy_from_slice(proof), &limits);
                Start::Floor(proof.expect("a proof is kept once it is checked"))
            }
        }
    }

    /// Put it where the library looks for it: peers may have it no more. One that has blocks had it before.
    pub(super) async fn store<E>(
        &self,
        blocks: immutable::Archive<E, Digest, Arc<Carried>>,
    ) -> immutable::Archive<E, Digest, Arc<Carried>>
    where
        E: Storage + Metrics + Clock,
    {
        if matches!(self, Self::Genesis(_)) || blocks.last_index().is_some() {
            return blocks;
        }
        let block = self.carried();
        let stored = blocks.put_sync(self.height().get(), block.digest(), &Arc::new(block)).await;
        stored.expect("the engine's blocks are writable")
    }
}

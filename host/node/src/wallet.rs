//! A wallet: a signer with its next nonce, turning calls into signed extrinsics.

use crate::keys::Signer;
use runtime_execution::Call;
use runtime_execution::extrinsic::{Era, Extra, UncheckedExtrinsic};
use runtime_execution::modules::system::ACCOUNT;
use runtime_primitives::{AccountId, Hash};
use runtime_state::Overlay;

/// A signer on one chain.
#[derive(Debug)]
pub struct Wallet {
    signer: Signer,
    genesis: Hash,
    nonce: u32,
}

impl Wallet {
    /// A wallet on the chain with this genesis hash.
    pub const fn new(signer: Signer, genesis: Hash) -> Self {
        Self { signer, genesis, nonce: 0 }
    }

    /// Whose wallet.
    pub fn account(&self) -> AccountId {
        self.signer.account()
    }

    /// The signer.
    pub const fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The chain it signs for.
    pub const fn genesis(&self) -> &Hash {
        &self.genesis
    }

    /// Take the next nonce from the state: what was signed before and not included is forgotten.
    pub fn refresh(&mut self, state: &Overlay) {
        self.nonce = ACCOUNT.get_or_default(state, &self.account()).nonce;
    }

    /// Go on with this nonce.
    pub const fn go_on_at(&mut self, nonce: u32) {
        self.nonce = nonce;
    }

    /// Sign a call with the next nonce.
    pub fn sign(&mut self, call: &Call) -> Vec<u8> {
        let extra = Extra { era: Era::Immortal, nonce: self.nonce, tip: 0, metadata_hash_mode: 0 };
        self.nonce += 1;
        UncheckedExtrinsic::signed(call, self.account(), extra, &self.genesis, &self.genesis, |payload| {
            self.signer.sign(payload)
        })
    }
}

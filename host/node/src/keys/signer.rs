//! Signing: a pair together with the decision where its randomness comes from.
//!
//! The decision is taken once, when the signer is built, and cannot be changed at a call: production code that
//! was handed a signer cannot sign repeatably by mistake.

use super::pair::KeyPair;
use host_consensus::network::EngineSecret;
use rand_chacha::ChaCha20Rng;
use rand_core::{OsRng, SeedableRng};
use runtime_execution::modules::registry::{Announcement, Engine, announcement_message};
use runtime_primitives::crypto::{SIGNING_CONTEXT, Signature, Statement};
use runtime_primitives::{AccountId, EntityId, Hash, blake2_256};
use schnorrkel::context::{SigningContext, attach_rng};
use schnorrkel::signing_context;
use std::fmt;
use zeroize::Zeroizing;

/// Where the randomness of a signature comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningPolicy {
    /// The operating system, fresh for every signature. Signing the same bytes twice gives two signatures.
    Production,
    /// A generator seeded from `blake2b-256(secret ‖ message)`, so that a demo or a test repeats to the byte.
    Repeatable,
}

/// A key pair ready to sign.
#[derive(Clone)]
pub struct Signer {
    pair: KeyPair,
    policy: SigningPolicy,
    context: SigningContext,
}

impl Signer {
    /// Sign with `pair` under `policy`.
    pub fn new(pair: KeyPair, policy: SigningPolicy) -> Self {
        Self { pair, policy, context: signing_context(SIGNING_CONTEXT) }
    }

    /// Who signs.
    pub fn account(&self) -> AccountId {
        self.pair.account()
    }

    /// Where the randomness comes from.
    pub const fn policy(&self) -> SigningPolicy {
        self.policy
    }

    /// Sign the exact bytes of `message`.
    ///
    /// # Panics
    /// Under [`SigningPolicy::Production`], if the operating system has no randomness to give.
    pub fn sign(&self, message: &[u8]) -> Signature {
        let transcript = self.context.bytes(message);
        let pair = self.pair.as_schnorrkel();
        let signature = match self.policy {
            SigningPolicy::Production => pair.sign(attach_rng(transcript, OsRng)),
            SigningPolicy::Repeatable => pair.sign(attach_rng(transcript, self.generator(message))),
        };
        Signature(signature.to_bytes())
    }

    /// Sign `message` and keep both together with the signer's account.
    ///
    /// # Panics
    /// As [`Signer::sign`].
    pub fn state(&self, message: Vec<u8>) -> Statement {
        Statement { signer: self.account(), signature: self.sign(&message), message }
    }

    /// A salt for `context` that only the secret gives, and always gives: who seals an order with it can reveal it after
    /// a restart. The domain comes before the secret, so that no salt is ever a seed of [`Signer::generator`].
    pub fn salt(&self, context: &[u8]) -> [u8; 32] {
        let secret = self.pair.secret_bytes();
        let known = Zeroizing::new([b"busbar/salt/v1", secret.as_slice(), context].concat());
        blake2_256(&known).0
    }

    /// The engine's key that belongs to this session key: who keeps one keeps both.
    pub fn engine_secret(&self) -> EngineSecret {
        let secret = self.pair.secret_bytes();
        let known = Zeroizing::new([b"busbar/engine-key/v1", secret.as_slice()].concat());
        EngineSecret::from_seed(blake2_256(&known).0)
    }

    /// An announcement of this session key and its engine's, signed by both.
    pub fn announce(&self, genesis: &Hash, entity: EntityId, address: String) -> Announcement {
        let secret = self.engine_secret();
        let (session_key, engine) = (self.account(), Engine { key: secret.public().0, address });
        let message = announcement_message(genesis, entity, &session_key, &engine);
        let (session_proof, engine_proof) = (self.sign(&message), Signature(secret.sign(&message)));
        Announcement { entity, session_key, engine, session_proof, engine_proof }
    }

    fn generator(&self, message: &[u8]) -> ChaCha20Rng {
        let secret = self.pair.secret_bytes();
        let known = Zeroizing::new([secret.as_slice(), message].concat());
        ChaCha20Rng::from_seed(blake2_256(&known).0)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}, {:?})", self.account(), self.policy)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const MESSAGES: [&[u8]; 4] = [b"", b"10 kWh at 0.67 yuan/kWh", &[0; 256], &[7; 4096]];

    fn signer(uri: &str, policy: SigningPolicy) -> Signer {
        Signer::new(uri.parse().unwrap(), policy)
    }

    #[test]
    fn signatures_verify_and_bind_signer_and_message() {
        for policy in [SigningPolicy::Production, SigningPolicy::Repeatable] {
            for uri in [
                "//Alice",
                "//Alice/soft",
                "0x0000000000000000000000000000000000000000000000000000000000000000",
            ] {
                let signer = signer(uri, policy);
                for message in MESSAGES {
                    let statement = signer.state(message.to_vec());
                    assert!(statement.verify(), "{signer:?}");
                    let longer = [message, b"!"].concat();
                    assert!(!Statement { message: longer, ..statement.clone() }.verify());
                    let bob = super::tests::signer("//Bob", policy).account();
                    assert!(!Statement { signer: bob, ..statement }.verify());
                }
            }
        }
    }

    #[test]
    fn only_the_repeatable_policy_repeats() {
        for message in MESSAGES {
            let repeatable = || signer("//Alice/soft", SigningPolicy::Repeatable).sign(message);
            assert_eq!(repeatable(), repeatable());
            assert_ne!(repeatable(), signer("//Bob", SigningPolicy::Repeatable).sign(message));
            let production = signer("//Alice", SigningPolicy::Production);
            assert_ne!(production.sign(message), production.sign(message));
        }
    }

    #[test]
    fn a_salt_follows_from_secret_and_context_alone() {
        let salt = |uri, policy, context: &[u8]| signer(uri, policy).salt(context);
        let first = salt("//Alice", SigningPolicy::Production, b"order");
        assert_eq!(salt("//Alice", SigningPolicy::Repeatable, b"order"), first);
        assert_ne!(salt("//Bob", SigningPolicy::Production, b"order"), first);
        assert_ne!(salt("//Alice", SigningPolicy::Production, b"other"), first);
    }

    #[test]
    fn a_repeatable_signature_is_frozen() {
        let signature = signer("//Alice", SigningPolicy::Repeatable).sign(b"busbar");
        assert_eq!(
            format!("{signature:?}"),
            "0x1a1c6914de93f8d483f690058d5220247f6fcee5df9ce7a572636579ccc26d38\
               80d3004f03c9c354491c44faaef76683fec90cd0f3d396e13cd56fdb82d11880"
        );
    }
}

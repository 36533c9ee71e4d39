//! What a validator announces, and the proofs that both of its keys are its own.
//!
//! The rule: a key stands for who signed with it, with each other's name in the message. Without that, a validator could
//! announce another's key, and be blamed or believed for what it never signed.

use super::Error;
use crate::context::Context;
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::crypto::{Signature, Statement, verify_ed25519};
use runtime_primitives::limits::ENGINE_ADDRESS_BYTES_MAX;
use runtime_primitives::{AccountId, EntityId, Hash};
use scale_info::TypeInfo;

/// What announcements begin with; neither key signs anything else that does.
const NAMESPACE: &[u8] = b"busbar/validator/v1";

/// A validator's engine: it orders, and peers call it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Engine {
    /// Its ed25519 key.
    pub key: [u8; 32],
    /// Where it listens: `host:port`.
    pub address: String,
}

/// What an entity wants to be a validator with.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Announcement {
    /// The entity.
    pub entity: EntityId,
    /// The sr25519 key that signs claims.
    pub session_key: AccountId,
    /// What orders.
    pub engine: Engine,
    /// [`announcement_message`], signed by the session key.
    pub session_proof: Signature,
    /// [`announcement_message`], signed by the engine's key.
    pub engine_proof: Signature,
}

/// What both keys sign.
///
/// ```text
/// "busbar/validator/v1" | SCALE(genesis, entity, session key, engine)
/// ```
/// The engine's key signs it behind a zero byte, the length of no name: its library says so of all that it signs, and gives
/// its votes a name.
pub fn announcement_message(
    genesis: &Hash,
    entity: EntityId,
    session_key: &AccountId,
    engine: &Engine,
) -> Vec<u8> {
    let mut message = NAMESPACE.to_vec();
    (genesis, entity, session_key, engine).encode_to(&mut message);
    message
}

impl Announcement {
    /// Whether keys and address can be a validator's, and both keys signed.
    pub(super) fn check(&self, ctx: &Context) -> Result<(), Error> {
        let Self { entity, session_key, engine, session_proof, engine_proof } = self;
        if *session_key == AccountId::ZERO || engine.key == [0; 32] {
            return Err(Error::ZeroKey);
        }
        if !is_engine_address(&engine.address) {
            return Err(Error::EngineAddress);
        }
        let message = announcement_message(&ctx.env.genesis, *entity, session_key, engine);
        if !verify_ed25519(&engine.key, &[&[0], &message[..]].concat(), &engine_proof.0) {
            return Err(Error::KeyProof { is_engine: true });
        }
        let statement = Statement { signer: *session_key, message, signature: *session_proof };
        if !ctx.verifier.verify(&statement) {
            return Err(Error::KeyProof { is_engine: false });
        }
        Ok(())
    }
}

/// Whether peers can look for an engine there. Whether they find one is for them to see.
pub fn is_engine_address(address: &str) -> bool {
    let parts = address.rsplit_once(':');
    let port = parts.and_then(|(host, port)| port.parse::<u16>().ok().filter(|_| !host.is_empty()));
    address.len() <= ENGINE_ADDRESS_BYTES_MAX
        && address.bytes().all(|byte| byte.is_ascii_graphic())
        && port.is_some_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        let long = format!("{}:1", "a".repeat(ENGINE_ADDRESS_BYTES_MAX - 1));
        for (address, expected) in [
            ("127.0.0.1:30333", true),
            ("[::1]:30333", true),
            ("validator.example:1", true),
            (&long[1..], true),
            (&long, false),
            ("validator.example", false),
            (":30333", false),
            ("validator.example:0", false),
            ("validator.example:65536", false),
            ("validator example:1", false),
            ("", false),
        ] {
            assert_eq!(is_engine_address(address), expected, "{address}");
        }
    }
}

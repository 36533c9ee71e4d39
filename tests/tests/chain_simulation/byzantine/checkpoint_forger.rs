//! Signs another header beside each checkpoint, signs in the name of others, makes a certificate of that, and tells noise.

use super::{Conduct, Words};
use crate::body::Body;
use crate::scene::Scene;
use crate::simulator::Dice;
use host_node::checkpoint::{Certificate, SignedCheckpoint};
use parity_scale_codec::{Decode as _, Encode as _};
use runtime_primitives::blake2_256;

pub const CONDUCT: Conduct = Conduct { words: forge, ..Conduct::LIAR };

/// As nodes tell one another: a validator's signature, or a quorum's.
const SIGNED: u8 = 0;
const CERTIFIED: u8 = 1;

/// What a validator signed, if that is what it tells.
pub fn signed(word: &[u8]) -> Option<SignedCheckpoint> {
    let (SIGNED, mut signed) = (*word.first()?, word.get(1..)?) else { return None };
    SignedCheckpoint::decode(&mut signed).ok()
}

fn forge(scene: &'static Scene, body: &Body, words: Words) -> Words {
    let forged = words.iter().filter_map(|word| signed(word)).flat_map(|own| forgeries(scene, body, &own));
    let halves = words.iter().map(|word| word[..word.len() / 2].to_vec());
    forged.chain(halves).chain(words.clone()).collect()
}

fn forgeries(scene: &'static Scene, body: &Body, own: &SignedCheckpoint) -> Words {
    let mut checkpoint = own.checkpoint.clone();
    checkpoint.header = blake2_256(&checkpoint.header.0);
    let message = checkpoint.message(&scene.world.chain.genesis);
    let signature = scene.session(body.index).sign(&message);
    let signers = (0..scene.validators.len()).map(|validator| scene.session(validator).account());
    let mut signatures: Vec<_> = signers.map(|signer| (signer, signature)).collect();
    signatures.sort_by_key(|(signer, _)| *signer);
    let word = |signer| {
        let checkpoint = checkpoint.clone();
        (SIGNED, SignedCheckpoint { checkpoint, signer, signature }).encode()
    };
    let signed: Vec<_> = signatures.iter().map(|(signer, _)| word(*signer)).collect();
    let certificate = Certificate { checkpoint: checkpoint.clone(), signatures };
    let noise = Dice::new(own.checkpoint.number).bytes(300);
    signed.into_iter().chain([(CERTIFIED, certificate).encode(), noise]).collect()
}

//! Votes for every block and for the finality of none: where its vote is needed, blocks follow one another and none becomes
//! final by votes of its own.

use super::{CERTIFICATE, Identity, Kind, Liar, Said, VOTE, vote_of};
use commonware_codec::Decode as _;
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::simplex::types::{Certificate, Vote};
use commonware_cryptography::certificate::Verifier as _;
use commonware_p2p::utils::mux;
use commonware_runtime::IoBuf;
use host_consensus::network::Digest;

pub struct FinalityWithholder(Identity);

impl FinalityWithholder {
    pub const fn new(identity: Identity) -> Self {
        Self(identity)
    }
}

/// Whether these bytes, as they are sent, certify that a block is final.
fn is_finalization(bytes: &[u8]) -> bool {
    let Ok((_, certificate)) = mux::parse(IoBuf::from(bytes.to_vec())) else { return false };
    let limits = Scheme::certificate_codec_config_unbounded();
    let certificate = Certificate::<Scheme, Digest>::decode_cfg(certificate, &limits);
    matches!(certificate, Ok(Certificate::Finalization(_)))
}

impl Liar for FinalityWithholder {
    fn say(&self, said: Said) -> Vec<Said> {
        let withholds = match said.channel {
            VOTE => matches!(vote_of(&said.bytes), Some((_, Vote::Finalize(_)))),
            CERTIFICATE => is_finalization(&said.bytes),
            _ => false,
        };
        if withholds {
            self.0.audit.lie(Kind::FinalityWithholder.name());
            return vec![];
        }
        vec![said]
    }
}

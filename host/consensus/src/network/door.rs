//! The door: who calls is refused with a word for the operator, and counted by the reason; so are frames that no honest
//! peer sends.
//!
//! The rule: anybody may knock as often as he likes, so a reason is logged the first, second, fourth, eighth … time.

use super::committee::PROTOCOL;
use super::counters::{Counters, Wrong};
use super::sockets::Secured;
use commonware_cryptography::ed25519;
use commonware_cryptography::handshake::sake::Error as HandshakeError;
use commonware_runtime::{Clock, IoBufs, Sink, Stream};
use commonware_stream::utils::codec;
use commonware_stream::{Upgrader, cups, sake};
use rand_core::CryptoRng;
use std::fmt::Debug;
use std::sync::Arc;
use tracing::{debug, warn};

/// The library's handshake, watched.
#[derive(Clone)]
pub(super) struct Door {
    handshake: Secured,
    counters: Arc<Counters>,
}

impl Door {
    pub const fn new(handshake: Secured, counters: Arc<Counters>) -> Self {
        Self { handshake, counters }
    }
}

/// A call that nothing has come of so far.
struct Call<'a> {
    counters: &'a Counters,
    is_answered: bool,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.counters.note(Wrong::Unfinished);
        }
    }
}

fn refuse(counters: &Counters, wrong: Wrong, words: &str, detail: &dyn Debug) {
    let count = counters.note(wrong);
    if count.is_power_of_two() {
        warn!(count, ?detail, "a connection is refused: {words}");
    } else {
        debug!(count, ?detail, "a connection is refused: {words}");
    }
}

/// Why a handshake failed; `None` if the connection did.
fn reason(error: &sake::Error) -> Option<(Wrong, String)> {
    match error {
        sake::Error::HandshakeError(HandshakeError::InvalidTimestamp(..)) => {
            Some((Wrong::Clock, "its clock and this node's differ by more than 5 s; set both".to_owned()))
        }
        sake::Error::HandshakeError(_) => Some((
            Wrong::OtherChain,
            format!(
                "it is of another chain, speaks another protocol than {PROTOCOL}, or has not the key that it names; compare \
                 genesis and protocol of `busbar status` on both"
            ),
        )),
        sake::Error::UnableToDecode(_)
        | sake::Error::Frame(codec::Error::RecvTooLarge(_) | codec::Error::InvalidVarint) => {
            Some((Wrong::NoHandshake, "it says something else than a handshake".to_owned()))
        }
        sake::Error::PeerRejected(_) | sake::Error::Frame(_) => None,
    }
}

impl Upgrader for Door {
    const MAX_SIZE: u32 = Secured::MAX_SIZE;

    type PublicKey = ed25519::PublicKey;
    type Error = sake::Error;
    type Sender<I: Stream, O: Sink> = <Secured as Upgrader>::Sender<I, O>;
    type Receiver<I: Stream, O: Sink> = Ear<<Secured as Upgrader>::Receiver<I, O>>;

    fn public_key(&self) -> Self::PublicKey {
        self.handshake.public_key()
    }

    async fn dial<C, I, O>(
        self,
        context: C,
        namespace: &[u8],
        max_message_size: u32,
        peer: Self::PublicKey,
        stream: I,
        sink: O,
    ) -> Result<(Self::Sender<I, O>, Self::Receiver<I, O>), Self::Error>
    where
        C: Clock + CryptoRng,
        I: Stream,
        O: Sink,
    {
        let dialed = self.handshake.dial(context, namespace, max_message_size, peer, stream, sink).await;
        dialed.map(|(sender, receiver)| (sender, Ear { receiver, counters: self.counters }))
    }

    async fn listen<C, I, O, B, F>(
        self,
        context: C,
        namespace: &[u8],
        max_message_size: u32,
        bouncer: B,
        stream: I,
        sink: O,
    ) -> Result<(Self::PublicKey, Self::Sender<I, O>, Self::Receiver<I, O>), Self::Error>
    where
        C: Clock + CryptoRng,
        I: Stream,
        O: Sink,
        B: FnOnce(Self::PublicKey) -> F + Send,
        F: Future<Output = bool> + Send,
    {
        let Self { handshake, counters } = self;
        let mut call = Call { counters: &counters, is_answered: false };
        let gate = |peer: ed25519::PublicKey| {
            // Whoever is known and not let in is connected already, or shut out, which the library counts.
            if counters.is_stranger(&peer) {
                let words = "its key is no validator's of this epoch, the next or a past one";
                refuse(&counters, Wrong::Stranger, words, &peer);
            }
            bouncer(peer)
        };
        let heard = handshake.listen(context, namespace, max_message_size, gate, stream, sink).await;
        match &heard {
            Ok(_) | Err(sake::Error::PeerRejected(_)) => call.is_answered = true,
            Err(error) => {
                if let Some((wrong, words)) = reason(error) {
                    call.is_answered = true;
                    refuse(&counters, wrong, &words, error);
                }
            }
        }
        drop(call);
        heard.map(|(peer, sender, receiver)| (peer, sender, Ear { receiver, counters }))
    }
}

/// What hears a peer's frames.
pub(super) struct Ear<R> {
    receiver: R,
    counters: Arc<Counters>,
}

impl<R> commonware_stream::Receiver for Ear<R>
where
    R: commonware_stream::Receiver<Error = cups::Error>,
{
    type Error = cups::Error;

    async fn recv(&mut self) -> Result<IoBufs, Self::Error> {
        self.receiver.recv().await.inspect_err(|error| {
            let wrong = match error {
                cups::Error::RecvTooLarge(_) => Wrong::Oversized,
                cups::Error::OpenFailed => Wrong::Forged,
                _ => return,
            };
            let count = self.counters.note(wrong);
            if count.is_power_of_two() {
                warn!(count, %error, "a peer's frame is refused, and its connection ends");
            }
        })
    }
}

//! Somebody with a key who dials a node himself and says what he likes.

use crate::nodes::Network;
use commonware_codec::varint::UInt;
use commonware_codec::{Encode as _, Write as _};
use commonware_cryptography::{ChaCha20Poly1305, Signer as _, ed25519};
use commonware_runtime::{Clock as _, Network as _, SinkOf, Spawner as _, StreamOf, Supervisor as _, tokio};
use commonware_stream::Upgrader as _;
use commonware_stream::cups::{self, Cups};
use commonware_stream::sake::{self, Sake};
use host_consensus::network::{EngineKey, PROTOCOL};
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// What the library appends to the namespace of connections.
const CONNECTIONS: &[u8] = b"_STREAM";
/// More than a node takes.
const MESSAGE_BYTES: u32 = 64 << 20;
/// It is let in again a second after it was, and not while it is called itself.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub struct Attacker {
    key: ed25519::PrivateKey,
    namespace: Vec<u8>,
    nodes: Vec<[u8; 32]>,
}

type Line = (
    cups::Sender<ChaCha20Poly1305, SinkOf<tokio::Context>>,
    cups::Receiver<ChaCha20Poly1305, StreamOf<tokio::Context>>,
);

/// The key of the validator that has gone bad.
pub fn key() -> ed25519::PrivateKey {
    ed25519::PrivateKey::from_seed(4)
}

/// A message of a channel as the library frames it.
pub fn frame(channel: u64, message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0];
    UInt(channel).write(&mut bytes);
    UInt(u32::try_from(message.len()).unwrap()).write(&mut bytes);
    bytes.extend(message);
    bytes
}

/// Bytes of a public key.
pub fn public(key: &ed25519::PrivateKey) -> [u8; 32] {
    key.public_key().encode().as_ref().try_into().unwrap()
}

impl Attacker {
    /// The fourth validator of a network.
    pub fn of(network: &Network) -> Self {
        let namespace = [PROTOCOL.as_bytes(), &network.genesis().0].concat();
        Self { key: key(), namespace, nodes: network.engine_keys() }
    }

    pub fn with_key(&self, seed: u64) -> Self {
        Self { key: ed25519::PrivateKey::from_seed(seed), ..self.clone() }
    }

    /// A connection in this namespace, if its handshake holds.
    pub async fn dial(
        &self,
        context: &tokio::Context,
        network: &Network,
        node: usize,
        namespace: &[u8],
    ) -> Option<Line> {
        let handshake = Sake {
            signer: self.key.clone(),
            synchrony_bound: Duration::from_secs(5),
            max_handshake_age: Duration::from_secs(10),
            version: sake::Version::V1,
        };
        let secured = Cups::<_, ChaCha20Poly1305>::new(handshake, cups::Version::V1);
        let peer = EngineKey(self.nodes[node]).peer().unwrap();
        let (sink, stream) = context.dial(network.engine(node)).await.ok()?;
        let namespace = [namespace, CONNECTIONS].concat();
        secured.dial(context.child("dial"), &namespace, MESSAGE_BYTES, peer, stream, sink).await.ok()
    }

    /// A connection that the node keeps; what it says is heard and forgotten.
    pub async fn connect(
        &self,
        context: &tokio::Context,
        network: &Network,
        node: usize,
    ) -> cups::Sender<ChaCha20Poly1305, SinkOf<tokio::Context>> {
        let began = Instant::now();
        loop {
            if let Some((sender, mut receiver)) = self.dial(context, network, node, &self.namespace).await {
                // It is kept if the node says something: the engine is never silent for long.
                if receiver.recv().await.is_ok() {
                    context
                        .child("ear")
                        .spawn(move |_| async move { while receiver.recv().await.is_ok() {} });
                    return sender;
                }
            }
            assert!(began.elapsed() < PATIENCE, "node {node} lets nobody in: {}", network.log(node));
            context.sleep(Duration::from_millis(300)).await;
        }
    }

    /// Connect and say this.
    pub async fn tell(&self, context: &tokio::Context, network: &Network, node: usize, bytes: &[u8]) {
        let mut sender = self.connect(context, network, node).await;
        // It may be hung up on before it has said all.
        let _ = sender.send(bytes.to_vec()).await;
        // For what is on its way.
        context.sleep(Duration::from_millis(200)).await;
    }
}

/// Say something to a port without a handshake, and hang up.
pub fn say(address: SocketAddr, bytes: &[u8]) {
    // It may be hung up on at any time.
    let Ok(mut stream) = TcpStream::connect(address) else { return };
    let _ = stream.set_write_timeout(Some(Duration::from_secs(1)));
    let _ = stream.write_all(bytes);
}

//! The engine on disk, and on sockets if it has peers.

use super::alone::Nobody;
use super::committee::namespace;
use super::counters::Reading;
use super::door::Door;
use super::{
    Anchor, Channels, Config, Counters, EngineSecret, Member, Outbox, Peers, Running, Signal, Timing, Track,
    gossip, wiring,
};
use crate::{Application, CLOCKS_APART_MS, Clock};
use commonware_cryptography::{ChaCha20Poly1305, Signer as _, ed25519};
use commonware_p2p::authenticated::lookup;
use commonware_p2p::{Address, AddressableManager as _, AddressableTrackedPeers, Ingress};
use commonware_runtime::{Clock as Timer, Quota, Runner as _, Spawner, Supervisor as _, tokio};
use commonware_stream::cups::{self, Cups};
use commonware_stream::sake::{self, Sake};
use commonware_utils::ordered::Map;
use commonware_utils::{Hostname, NZU32, NZUsize};
use runtime_primitives::Hash;
use runtime_primitives::limits::VALIDATORS_MAX;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tracing::warn;

/// Peers at a time: members of an epoch and of the next one, as many followers, and this node.
const PEERS_MAX: NonZeroUsize = NZUsize!(3 * VALIDATORS_MAX as usize + 1);
/// Messages a second that a peer may send on each channel, in the order of their numbers: several times what the fastest chain
/// brings. The library holds room for a second of every peer's, so each costs memory whether it is used or not.
const MESSAGES_PER_SECOND: [NonZeroU32; 5] = [NZU32!(128), NZU32!(128), NZU32!(128), NZU32!(64), NZU32!(256)];
const GOSSIP_CHANNEL: u64 = Channels::<(), ()>::COUNT;
const GOSSIP_PER_SECOND: NonZeroU32 = NZU32!(2 * gossip::MESSAGES_PER_SECOND);
/// A connection on which nothing came for so long is given up and made anew: peers say something every 5 s. A link that was cut
/// for minutes would otherwise wait for minutes more, since the system tries again ever more rarely.
const SILENCE: Duration = Duration::from_secs(20);
/// How long actors may take to stop.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long to wait for the reason why the engine ended.
const LAST_WORD: Duration = Duration::from_secs(1);

/// What an engine is started with.
#[derive(Debug)]
pub struct SocketConfig {
    /// This node's key.
    pub secret: EngineSecret,
    /// Where to listen for peers; `None` where this node orders alone: no socket is opened then.
    pub listen: Option<SocketAddr>,
    /// Folder of the engine's own files.
    pub folder: PathBuf,
    /// Hash of the chain's genesis header.
    pub genesis: Hash,
    /// The block that the chain stands on here.
    pub anchor: Anchor,
    /// Blocks of an epoch, at least 2.
    pub epoch_blocks: NonZeroU64,
    /// Least time between two blocks, in ms.
    pub interval_ms: u64,
    /// How long to wait for others.
    pub timing: Timing,
    /// Stack of the thread that executes, in bytes.
    pub stack_bytes: usize,
    /// What strangers and peers do wrong is counted here.
    pub counters: Arc<Counters>,
}

/// Why an engine ended before it was told to.
#[derive(Debug, Error)]
pub enum SocketError<E: std::error::Error + 'static> {
    /// The application cannot go on.
    #[error("the application stopped: {0}")]
    Application(#[source] E),
    /// Nobody can be heard there.
    #[error("cannot listen for peers at {address}: {source}; choose another --listen")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A part of the engine panicked or ended; the log says which.
    #[error("the engine stopped by itself: see the log above")]
    Engine,
}

/// A member's address as the library dials it; `None` if it is no `host:port`.
fn address(member: &Member) -> Option<Address> {
    if let Ok(socket) = member.address.parse::<SocketAddr>() {
        return Some(Address::Symmetric(socket));
    }
    let (host, port) = member.address.rsplit_once(':')?;
    let ingress = Ingress::Dns { host: Hostname::new(host).ok()?, port: port.parse().ok()? };
    // Where it calls from is not checked: it proves who it is.
    Some(Address::Asymmetric { ingress, egress: (Ipv4Addr::UNSPECIFIED, 0).into() })
}

/// Peers prove their engine's key, then encrypt.
pub(super) type Secured = Cups<Sake<ed25519::PrivateKey>, ChaCha20Poly1305>;

/// How peers are called and heard: by who they are, wherever they call from.
fn p2p(config: &SocketConfig, listen: SocketAddr) -> lookup::Config<Door> {
    let namespace = namespace(&config.genesis);
    let secured = Secured::new(
        Sake {
            signer: config.secret.0.clone(),
            synchrony_bound: Duration::from_millis(CLOCKS_APART_MS),
            max_handshake_age: Duration::from_secs(10),
            version: sake::Version::V1,
        },
        cups::Version::V1,
    );
    let upgrade = Door::new(secured, config.counters.clone());
    let message_bytes = wiring::max_message_size(VALIDATORS_MAX);
    lookup::Config {
        bypass_ip_check: true,
        allow_private_ips: true,
        peer_connection_cooldown: Duration::from_secs(1),
        ping_frequency: Duration::from_secs(5),
        // Who is a peer in an epoch is said whole.
        tracked_peer_sets: NZUsize!(1),
        ..lookup::Config::local(upgrade, &namespace, listen, PEERS_MAX, message_bytes, NZUsize!(1_024))
    }
}

/// Have peers looked up whenever an epoch is entered.
fn tracker(oracle: lookup::Oracle<ed25519::PublicKey>, counters: Arc<Counters>) -> Track {
    let addresses = |members: &[Member]| {
        Map::from_iter_dedup(members.iter().filter_map(|member| {
            let known = member.key.peer().zip(address(member));
            if known.is_none() {
                warn!(?member, "a validator without a usable address: it cannot be called");
            }
            known
        }))
    };
    Arc::new(move |epoch: u64, peers: &Peers| {
        let (members, followers) = (addresses(&peers.members), addresses(&peers.followers));
        counters.set_peers(members.keys().iter().chain(followers.keys().iter()).cloned().collect());
        oracle.clone().track(epoch, AddressableTrackedPeers::new(members, followers));
    })
}

/// Threads, sockets and disk.
fn runtime(config: &SocketConfig) -> tokio::Config {
    tokio::Config::new()
        .with_worker_threads(2)
        .with_thread_stack_size(config.stack_bytes)
        .with_read_write_timeout(SILENCE)
        .with_storage_directory(&config.folder)
}

/// Order and execute with the validators of `application`'s committee, on this thread, until `stop` ends.
///
/// # Errors
/// [`SocketError`].
pub fn run<A, C>(
    config: SocketConfig,
    clock: C,
    application: Arc<A>,
    signal: Signal,
    outbox: Outbox,
    stop: impl Future<Output = ()>,
) -> Result<(), SocketError<A::Error>>
where
    A: Application + 'static,
    C: Clock + Clone + 'static,
{
    let counters = config.counters.clone();
    let runner = tokio::Runner::new(runtime(&config));
    let Some(address) = config.listen else {
        return runner.start(async |context| {
            let _reading = Reading::of(counters, context.child("counters"));
            let nobody = Nobody::but(config.secret.0.public_key());
            let (blocker, peers, channels) = (nobody.clone(), nobody.clone(), nobody.channels());
            let track: Track = Arc::new(move |epoch, peers| nobody.look_for(epoch, peers));
            let engine = engine(config, clock, signal, blocker, peers, track);
            let own = context.child("engine");
            let running = wiring::start(own, engine, application, channels, |own| own).await;
            // Nobody is told or heard.
            drop(outbox);
            conduct(context, running, std::future::pending(), stop).await
        });
    };
    // The library would panic.
    std::net::TcpListener::bind(address).map_err(|source| SocketError::Listen { address, source })?;
    let p2p = p2p(&config, address);
    runner.start(async |context| {
        let _reading = Reading::of(counters.clone(), context.child("counters"));
        let (mut network, oracle) = lookup::Network::new(context.child("network"), p2p);
        let channels = (0..).zip(MESSAGES_PER_SECOND);
        let channels: Vec<_> =
            channels.map(|(channel, quota)| network.register(channel, Quota::per_second(quota))).collect();
        let (tell, hear) = network.register(GOSSIP_CHANNEL, Quota::per_second(GOSSIP_PER_SECOND));
        let network = network.start();
        let (listener, heard, blocker) = (application.clone(), signal.clone(), oracle.clone());
        let engine =
            engine(config, clock, signal, oracle.clone(), oracle.clone(), tracker(oracle, counters.clone()));
        let channels = Channels::of(channels.into_iter()).ok_or(SocketError::Engine)?;
        let telling = context.child("tell").spawn(move |own| gossip::tell(own, outbox, tell));
        let hearing = context
            .child("hear")
            .spawn(move |own| gossip::hear(own, listener, heard, blocker, hear, counters));
        let own = context.child("engine");
        let running = wiring::start(own, engine, application, channels, |own| own).await;
        let parts = async move {
            commonware_macros::select! {
                _ = network => {},
                _ = telling => {},
                _ = hearing => {},
            }
        };
        conduct(context, running, parts, stop).await
    })
}

fn engine<B, P, C>(
    config: SocketConfig,
    clock: C,
    signal: Signal,
    blocker: B,
    peers: P,
    track: Track,
) -> Config<B, P, C> {
    Config {
        secret: config.secret,
        genesis: config.genesis,
        anchor: config.anchor,
        epoch_blocks: config.epoch_blocks,
        interval_ms: config.interval_ms,
        timing: config.timing,
        clock,
        signal,
        partition: "engine".into(),
        blocker,
        peers,
        track,
    }
}

/// Wait until the engine is to stop, and have all its actors stop at once; or until it or one of the `parts` beside it ends.
async fn conduct<E, A>(
    context: E,
    running: Running<A>,
    parts: impl Future<Output = ()>,
    stop: impl Future<Output = ()>,
) -> Result<(), SocketError<A>>
where
    E: Timer + Spawner,
    A: std::error::Error + Send + 'static,
{
    let Running { mut execution, ordering, .. } = running;
    commonware_macros::select! {
        () = stop => {
            // Whoever does not hear it in time is stopped by the runtime.
            let _ = context.child("stop").stop(0, Some(FAREWELL)).await;
            return Ok(());
        },
        end = &mut execution => return Err(reason(end)),
        _ = ordering => {},
        () = parts => {},
    }
    // It may have ended because execution did, whose reason is the one to tell.
    commonware_macros::select! {
        end = &mut execution => Err(reason(end)),
        () = context.sleep(LAST_WORD) => Err(SocketError::Engine),
    }
}

/// Why execution ended, which it does not by itself.
fn reason<E: std::error::Error + 'static, F>(end: Result<Result<(), E>, F>) -> SocketError<E> {
    match end {
        Ok(Err(reason)) => SocketError::Application(reason),
        _ => SocketError::Engine,
    }
}

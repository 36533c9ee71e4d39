//! Puts the library's actors together, on any of its runtimes.

use super::anchor::Anchor;
use super::block::Carried;
use super::bridge::Bridge;
use super::committee::Committees;
use super::epochs::{Epochs, Marshal, Track};
use super::executor::Executor;
use super::{EngineSecret, Signal, Timing, settings};
use crate::{Application, Clock};
use commonware_broadcast::buffered;
use commonware_codec::RangeCfg;
use commonware_consensus::marshal;
use commonware_consensus::marshal::core::Actor;
use commonware_consensus::marshal::resolver::p2p as resolver;
use commonware_consensus::marshal::standard::{Inline, Standard};
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::types::FixedEpocher;
use commonware_consensus::{Reporter, simplex};
use commonware_cryptography::certificate::Verifier as _;
use commonware_cryptography::{Digested, Signer as _, ed25519};
use commonware_p2p::utils::mux::prefixed;
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_runtime::{Clock as Timer, Handle, Metrics, Spawner, Storage};
use commonware_storage::archive::immutable;
use rand_core::CryptoRng;
use runtime_primitives::Hash;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

/// What an engine is started with.
pub struct Config<B, P, C> {
    /// This node's key.
    pub secret: EngineSecret,
    /// Hash of the chain's genesis header: engines of other chains are strangers.
    pub genesis: Hash,
    /// The block that the chain stands on here.
    pub anchor: Anchor,
    /// Blocks of an epoch, at least 2.
    pub epoch_blocks: NonZeroU64,
    /// Least time between two blocks, in ms.
    pub interval_ms: u64,
    /// How long to wait for others.
    pub timing: Timing,
    /// The time of day.
    pub clock: C,
    /// What the application raises when there is something to order.
    pub signal: Signal,
    /// Prefix of the names of all that is stored.
    pub partition: String,
    /// Shuts out peers that break the protocol.
    pub blocker: B,
    /// Knows the peers.
    pub peers: P,
    /// Called with each epoch's number and peers before its engine starts.
    pub track: Track,
}

/// A network's channels, each a sender and a receiver.
pub struct Channels<S, R> {
    /// Votes.
    pub vote: (S, R),
    /// Certificates.
    pub certificate: (S, R),
    /// Requests for certificates.
    pub resolver: (S, R),
    /// New blocks.
    pub broadcast: (S, R),
    /// Requests for final blocks.
    pub backfill: (S, R),
}

impl<S, R> Channels<S, R> {
    /// How many there are.
    pub const COUNT: u64 = 5;

    /// In the order of their numbers, from 0; `None` if there are too few.
    pub fn of(mut channels: impl Iterator<Item = (S, R)>) -> Option<Self> {
        Some(Self {
            vote: channels.next()?,
            certificate: channels.next()?,
            resolver: channels.next()?,
            broadcast: channels.next()?,
            backfill: channels.next()?,
        })
    }
}

/// An engine at work.
pub struct Running<E: Send + 'static> {
    /// Ends when the runtime stops, or with the application's error.
    pub execution: Handle<Result<(), E>>,
    /// Orders; ends only with the runtime or a fault.
    pub ordering: Handle<()>,
    /// How far it is.
    pub progress: Progress,
}

/// How far an engine is.
#[derive(Clone)]
pub struct Progress(Marshal);

impl Progress {
    /// Height of the last block that was executed, made durable and acknowledged.
    pub async fn processed(&self) -> u64 {
        self.0.get_processed().await.map_or(0, |done| done.height().get())
    }
}

/// The largest message among `validators`, in bytes.
pub fn max_message_size(validators: u32) -> u32 {
    let votes = simplex::max_payload_size::<Scheme, super::Digest>(validators);
    commonware_p2p::max_message_size(&[
        prefixed(votes),
        marshal::max_payload_size::<Standard<Carried>, Scheme>(validators, &Carried::limits()),
    ])
}

/// Where all final blocks are kept, or their certificates: on a handful of files, however many there are, with an index
/// that is not in memory.
fn archive<L>(prefix: &str, name: &str, page_cache: CacheRef, codec_config: L) -> immutable::Config<L> {
    let partition = |part: &str| format!("{prefix}-{name}-{part}");
    immutable::Config {
        metadata_partition: partition("metadata"),
        freezer_table_partition: partition("table"),
        freezer_table_initial_size: settings::TABLE_ENTRIES,
        freezer_table_resize_frequency: settings::TABLE_ITEMS_PER_ENTRY,
        freezer_table_resize_chunk_size: settings::TABLE_ENTRIES,
        freezer_key_partition: partition("key"),
        freezer_key_page_cache: page_cache,
        freezer_value_partition: partition("value"),
        freezer_value_target_size: settings::VALUE_FILE_BYTES,
        freezer_value_compression: None,
        ordinal_partition: partition("height"),
        items_per_section: settings::ARCHIVE_ITEMS_PER_FILE,
        freezer_key_write_buffer: settings::KEY_WRITE_BUFFER,
        freezer_value_write_buffer: settings::WRITE_BUFFER,
        ordinal_write_buffer: settings::KEY_WRITE_BUFFER,
        replay_buffer: settings::REPLAY_BUFFER,
        codec_config,
    }
}

/// How missing final blocks are asked for.
fn fetching<B, P, C>(config: &Config<B, P, C>) -> resolver::Config<ed25519::PublicKey, P, B>
where
    B: Blocker<PublicKey = ed25519::PublicKey>,
    P: Provider<PublicKey = ed25519::PublicKey>,
{
    resolver::Config {
        public_key: config.secret.0.public_key(),
        peer_provider: config.peers.clone(),
        blocker: config.blocker.clone(),
        mailbox_size: settings::MAILBOX,
        fetch_timeout: settings::fetch_timeout(),
        fetch_retry_delay: Duration::from_millis(100),
        priority_requests: false,
        priority_responses: false,
    }
}

/// How proposals are spread and kept until their votes.
fn spreading<B, P, C>(
    config: &Config<B, P, C>,
) -> buffered::Config<ed25519::PublicKey, RangeCfg<usize>, P, Sequential>
where
    P: Provider<PublicKey = ed25519::PublicKey>,
{
    buffered::Config {
        public_key: config.secret.0.public_key(),
        mailbox_size: settings::MAILBOX,
        deque_size: settings::PROPOSALS_PER_PEER,
        priority: false,
        codec_config: Carried::limits(),
        peer_provider: config.peers.clone(),
        strategy: Sequential,
    }
}

/// How final blocks are put in order and handed over.
fn delivering<B, P, C>(
    config: &Config<B, P, C>,
    provider: Committees,
    epocher: FixedEpocher,
    page_cache: CacheRef,
) -> marshal::Config<Committees, FixedEpocher, Sequential, Carried, Digested<Carried>> {
    marshal::Config {
        provider,
        epocher,
        start: config.anchor.start(),
        partition_prefix: config.partition.clone(),
        mailbox_size: settings::MAILBOX,
        view_retention: settings::VIEW_RETENTION,
        prunable_items_per_section: settings::ITEMS_PER_SECTION,
        page_cache,
        replay_buffer: settings::REPLAY_BUFFER,
        key_write_buffer: settings::KEY_WRITE_BUFFER,
        value_write_buffer: settings::WRITE_BUFFER,
        block_codec_config: Carried::limits(),
        max_repair: settings::REPAIRS,
        max_pending_acks: settings::UNEXECUTED_MAX,
        strategy: Sequential,
    }
}

/// Start an engine for `application`.
///
/// `watch` may stand between the library and the executor, to observe what is delivered; most give it back as it is.
///
/// # Panics
/// If the engine's own storage is damaged, or the anchor is not final.
pub async fn start<E, B, P, C, A, S, R, W>(
    context: E,
    config: Config<B, P, C>,
    application: Arc<A>,
    channels: Channels<S, R>,
    watch: impl FnOnce(super::Deliveries) -> W,
) -> Running<A::Error>
where
    E: Timer + CryptoRng + Spawner + Storage + Metrics,
    B: Blocker<PublicKey = ed25519::PublicKey>,
    P: Provider<PublicKey = ed25519::PublicKey>,
    C: Clock + Clone + 'static,
    A: Application + 'static,
    S: Sender<PublicKey = ed25519::PublicKey>,
    R: Receiver<PublicKey = ed25519::PublicKey>,
    W: Reporter<Activity = marshal::Update<Carried>>,
{
    let page_cache = CacheRef::new(settings::PAGE_BYTES, settings::PAGES);
    let epocher = FixedEpocher::new(config.epoch_blocks);
    let committees = Committees::new(application.clone(), config.secret.clone(), &config.genesis);
    let backfill = resolver::init(context.child("backfill"), fetching(&config), channels.backfill);
    let (buffer, proposals) = buffered::Engine::new(context.child("proposals"), spreading(&config));
    buffer.start(channels.broadcast);
    let prefix = &config.partition;
    let certificates = Scheme::certificate_codec_config_unbounded();
    let finalizations = immutable::Archive::init(
        context.child("finalizations"),
        archive(prefix, "finalizations", page_cache.clone(), certificates),
    );
    let blocks = immutable::Archive::init(
        context.child("blocks"),
        archive::<RangeCfg<usize>>(prefix, "blocks", page_cache.clone(), Carried::limits()),
    );
    let blocks = config.anchor.store(blocks.await.expect("the engine's blocks are readable")).await;
    let (actor, marshal, _) = Actor::<_, Standard<Carried>, _, _, _, _, _>::init(
        context.child("marshal"),
        finalizations.await.expect("the engine's certificates are readable"),
        blocks,
        delivering(&config, committees.clone(), epocher.clone(), page_cache.clone()),
    )
    .await;
    let bridge = Bridge {
        application: application.clone(),
        clock: config.clock,
        signal: config.signal.clone(),
        interval_ms: config.interval_ms,
    };
    let automaton = Inline::new(context.child("automaton"), bridge, marshal.clone(), epocher.clone());
    let (executor, deliveries, boundaries) =
        Executor::new(application, config.signal, epocher.clone(), marshal.clone());
    // Its own thread: contracts need its stack, and the others must not wait for them.
    let execution = context.child("executor").dedicated().spawn(move |_| executor.run());
    actor.start(watch(deliveries), proposals, backfill);
    let epochs = Epochs {
        context: context.child("epochs"),
        automaton,
        marshal: marshal.clone(),
        committees,
        epocher,
        blocker: config.blocker,
        page_cache,
        anchor: config.anchor.height(),
        partition: config.partition,
        track: config.track,
        boundaries,
        timing: config.timing,
    };
    let ordering = context.spawn(move |_| epochs.run(channels.vote, channels.certificate, channels.resolver));
    Running { execution, ordering, progress: Progress(marshal) }
}

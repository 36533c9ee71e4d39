//! One engine per epoch: the next starts when the last block of the one before is executed.

use super::block::{Carried, Digest};
use super::bridge::Bridge;
use super::committee::{Committees, Peers};
use super::executor::Boundary;
use super::settings;
use crate::{Application, Clock};
use commonware_consensus::marshal::core::Mailbox;
use commonware_consensus::marshal::standard::{Inline, Standard};
use commonware_consensus::simplex::elector::RoundRobin;
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::simplex::{self, Floor, ForwardPolicy, SkipBudget, SkipPolicy};
use commonware_consensus::types::{Epoch, Epocher as _, FixedEpocher, Height};
use commonware_cryptography::certificate::Scheme as _;
use commonware_cryptography::{Digestible as _, Sha256, ed25519};
use commonware_macros::select;
use commonware_p2p::utils::mux::{Builder as _, MuxHandle, Muxer};
use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_runtime::{Clock as Timer, Handle, Metrics, Spawner, Storage};
use commonware_utils::channel::mpsc;
use commonware_utils::vec::NonEmptyVec;
use rand_core::CryptoRng;
use std::sync::Arc;
use std::time::Duration;
use tracing::{error, info};

pub(super) type Marshal = Mailbox<Scheme, Standard<Carried>>;
pub(super) type Automaton<E, A, C> = Inline<E, Scheme, Bridge<A, C>, Carried, FixedEpocher>;

/// Called with each epoch's number and peers before its engine starts.
pub type Track = Arc<dyn Fn(u64, &Peers) + Send + Sync>;

/// Starts and stops the engines.
pub(super) struct Epochs<E, A, C, B>
where
    E: Timer + Spawner + Metrics,
    A: Application + 'static,
    C: Clock + Clone + 'static,
{
    pub context: E,
    pub automaton: Automaton<E, A, C>,
    pub marshal: Marshal,
    pub committees: Committees,
    pub epocher: FixedEpocher,
    pub blocker: B,
    pub page_cache: CacheRef,
    /// Height of the block that the chain stands on here.
    pub anchor: Height,
    pub partition: String,
    pub track: Track,
    pub boundaries: mpsc::UnboundedReceiver<Boundary>,
    pub timing: settings::Timing,
}

/// An engine at work; it stops when this is dropped.
struct Active {
    epoch: Epoch,
    engine: Option<Handle<()>>,
}

impl Drop for Active {
    fn drop(&mut self) {
        if let Some(engine) = &self.engine {
            engine.abort();
        }
    }
}

struct Muxes<S: Sender> {
    vote: MuxHandle<S>,
    certificate: MuxHandle<S>,
    resolver: MuxHandle<S>,
}

impl<E, A, C, B> Epochs<E, A, C, B>
where
    E: Timer + CryptoRng + Spawner + Storage + Metrics,
    A: Application + 'static,
    C: Clock + Clone + 'static,
    B: Blocker<PublicKey = ed25519::PublicKey>,
{
    /// Run epoch after epoch until the runtime stops.
    pub async fn run<S, R>(mut self, vote: (S, R), certificate: (S, R), resolver: (S, R))
    where
        S: Sender<PublicKey = ed25519::PublicKey>,
        R: Receiver<PublicKey = ed25519::PublicKey>,
    {
        let (mux, vote, mut ahead) =
            Muxer::builder(self.context.child("vote_mux"), vote.0, vote.1).with_backup().build();
        mux.start();
        let (mux, certificate, mut certified_ahead) =
            Muxer::builder(self.context.child("certificate_mux"), certificate.0, certificate.1)
                .with_backup()
                .build();
        mux.start();
        let (mux, resolver) = Muxer::new(self.context.child("resolver_mux"), resolver.0, resolver.1);
        mux.start();
        let mut muxes = Muxes { vote, certificate, resolver };

        let Some((epoch, digest)) = self.start_point().await else { return };
        let Some(mut active) = self.enter(epoch, digest, &mut muxes).await else { return };
        loop {
            select! {
                boundary = self.boundaries.recv() => {
                    let Some(Boundary { next, digest, entered }) = boundary else { return };
                    // A last block that is delivered again was crossed before.
                    if next > active.epoch {
                        let Some(engine) = self.enter(next, digest, &mut muxes).await else { return };
                        active = engine;
                    }
                    let _ = entered.send(());
                },
                message = ahead.recv() => {
                    let Some((epoch, (from, _))) = message else { return };
                    self.hint(&active, epoch, from);
                },
                message = certified_ahead.recv() => {
                    let Some((epoch, (from, _))) = message else { return };
                    self.hint(&active, epoch, from);
                },
            }
        }
    }

    /// A peer speaks of a later epoch: ask it for the end of ours.
    fn hint(&self, active: &Active, epoch: u64, from: ed25519::PublicKey) {
        if epoch > active.epoch.get()
            && let Some(last) = self.epocher.last(active.epoch)
        {
            self.marshal.hint_finalized(last, NonEmptyVec::new(from));
        }
    }

    /// The epoch of the first block that is not done with, and the block it stands on. An anchor was done with before it
    /// came here: its epoch is over.
    async fn start_point(&mut self) -> Option<(Epoch, Digest)> {
        let done = self.marshal.get_processed().await.map(|done| done.height().next());
        let begun = if self.anchor == Height::zero() { self.anchor } else { self.anchor.next() };
        let next = done.map_or(begun, |next| next.max(begun));
        let epoch = self.epocher.containing(next)?.epoch();
        let floor = epoch.previous().and_then(|before| self.epocher.last(before)).unwrap_or(Height::zero());
        let Some(block) = self.marshal.get_block(floor).await else {
            error!(%epoch, height = %floor, "the block that the epoch stands on is not in the engine's archive");
            return None;
        };
        Some((epoch, block.digest()))
    }

    fn journal(&self, epoch: Epoch) -> String {
        format!("{}-epoch-{epoch}", self.partition)
    }

    /// Drop the journal of the epoch before the last: nobody votes there any more.
    async fn forget_before(&mut self, epoch: Epoch) {
        if let Some(past) = epoch.previous().and_then(Epoch::previous) {
            // It may be gone already: a node that was down enters epochs anew.
            let _ = self.context.remove(&self.journal(past), None).await;
        }
    }

    async fn enter<S>(&mut self, epoch: Epoch, floor: Digest, muxes: &mut Muxes<S>) -> Option<Active>
    where
        S: Sender<PublicKey = ed25519::PublicKey>,
    {
        let Some((members, scheme)) = self.committees.voting(epoch) else {
            error!(%epoch, "the application does not know the epoch's validators");
            return None;
        };
        (self.track)(epoch.get(), &self.committees.peers(epoch));
        self.forget_before(epoch).await;
        let context = self.context.child("engine").with_attribute("epoch", epoch);
        let timing = &self.timing;
        let config = simplex::Config {
            scheme: scheme.clone(),
            elector: RoundRobin::<Sha256>::default(),
            blocker: self.blocker.clone(),
            automaton: self.automaton.clone(),
            relay: self.automaton.clone(),
            reporter: self.automaton.clone(),
            strategy: Sequential,
            partition: self.journal(epoch),
            mailbox_size: settings::MAILBOX,
            epoch,
            floor: Floor::Genesis(floor),
            replay_buffer: settings::REPLAY_BUFFER,
            write_buffer: settings::WRITE_BUFFER,
            page_cache: self.page_cache.clone(),
            leader_timeout: timing.leader,
            certification_timeout: timing.certification,
            timeout_retry: timing.retry,
            view_retention: settings::VIEW_RETENTION,
            skip: SkipPolicy::Enabled { timeout: timing.skip, budget: SkipBudget::Participants },
            fetch_timeout: settings::fetch_timeout(),
            fetch_retry_delay: Duration::from_millis(100),
            forward: ForwardPolicy::SilentVoters,
            track_historical_votes: false,
        };
        let engine = simplex::Engine::new(context, config);
        let vote = muxes.vote.register(epoch.get()).await.ok()?;
        let certificate = muxes.certificate.register(epoch.get()).await.ok()?;
        let resolver = muxes.resolver.register(epoch.get()).await.ok()?;
        let engine = Some(engine.start(vote, certificate, resolver));
        let votes = scheme.me().is_some_and(|own| own.signer().is_some());
        info!(epoch = epoch.get(), validators = members.len(), votes, "epoch entered");
        Some(Active { epoch, engine })
    }
}

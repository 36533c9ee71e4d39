//! Between the port and the library: proposals, votes, and finalized blocks in order.
//!
//! The rule: no verdict for a reason that may pass. A vote that must wait stays unanswered, and the library gives the
//! view up in its own time.

use super::block::{Carried, Digest};
use super::committee::EngineKey;
use super::settings;
use super::signal::Signal;
use crate::{
    Application, Clock, FINALITY_PATIENCE_MS, Parent, Proposal, Report, Timeliness, Verdict, check_envelope,
    check_report, check_time,
};
use commonware_consensus::marshal::ancestry::Ancestry;
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::simplex::types::Context;
use commonware_cryptography::{Digested, ed25519};
use commonware_runtime::{Clock as Timer, Metrics, Spawner};
use futures::StreamExt;
use runtime_primitives::limits::{BLOCK_TIME_STEP_MAX_MS, EXECUTED_LAG_MAX};
use runtime_primitives::{Executed, Height, OrderedBlock, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tracing::{error, warn};

/// Longest wait without another look: clocks are set and signals may come from outside the runtime.
const PATIENCE: Duration = Duration::from_millis(250);

/// The application as the library sees it.
pub(super) struct Bridge<A, C> {
    pub application: Arc<A>,
    pub clock: C,
    pub signal: Signal,
    pub interval_ms: u64,
}

impl<A, C: Clone> Clone for Bridge<A, C> {
    fn clone(&self) -> Self {
        Self {
            application: self.application.clone(),
            clock: self.clock.clone(),
            signal: self.signal.clone(),
            interval_ms: self.interval_ms,
        }
    }
}

fn parent_of(block: &OrderedBlock) -> Parent {
    Parent { height: block.height, timestamp: block.timestamp }
}

impl<A: Application + 'static, C: Clock + Clone + 'static> Bridge<A, C> {
    /// Wait until the clock shows `time`.
    async fn sleep_until<E: Timer>(&self, timer: &E, time: Timestamp) {
        while self.clock.now() < time {
            timer.sleep(self.clock.until(time).clamp(Duration::from_millis(1), PATIENCE)).await;
        }
    }

    /// Wait for a signal, not for ever.
    async fn pause<E: Timer>(timer: &E, watch: &mut super::signal::Watch) {
        let next = std::pin::pin!(watch.next());
        let patience = std::pin::pin!(timer.sleep(PATIENCE));
        futures::future::select(next, patience).await;
    }

    /// A block on `parent` as soon as there is something to order, and at once if it is a `heartbeat`.
    async fn build<E: Timer>(
        &self,
        timer: &E,
        heartbeat: bool,
        parent: Digested<Carried>,
        mut older: impl Ancestry<Carried>,
    ) -> Option<Carried> {
        let before = parent.inner().block().clone();
        let on = parent_of(&before);
        if let Some(block) = self.application.ordered(on.height.next()) {
            return Some(Carried::new(digest_of(&parent), block));
        }
        self.sleep_until(timer, on.timestamp.plus_ms(self.interval_ms)).await;
        // Not executed here yet, newest first.
        let mut pending = vec![before.clone()];
        let mut watch = self.signal.watch();
        loop {
            let tip = self.application.tip().height;
            let timestamp = self.clock.now().max(on.timestamp.plus_ms(1));
            let proposal = if on.height.number() < tip.number() + EXECUTED_LAG_MAX {
                while let Some(last) = pending.last()
                    && last.height.number() > tip.number() + 1
                {
                    pending.push(older.next().await?.inner().block().clone());
                }
                let unexecuted: Vec<&OrderedBlock> =
                    pending.iter().filter(|block| block.height > tip).map(AsRef::as_ref).collect();
                let wanted = self.application.propose(&on, &unexecuted, timestamp);
                let wanted =
                    wanted.inspect_err(|reason| error!(height = %on.height.next(), %reason, "no proposal"));
                wanted.ok()?.or_else(|| heartbeat.then(|| self.nothing_on(tip)).flatten())
            } else {
                let is_stuck = timestamp >= on.timestamp.plus_ms(FINALITY_PATIENCE_MS);
                is_stuck.then(|| Proposal { executed: before.executed, extrinsics: Vec::new() })
            };
            if let Some(Proposal { executed, extrinsics }) = proposal {
                let block = OrderedBlock { height: on.height.next(), executed, timestamp, extrinsics };
                let checked =
                    check_envelope(&on, &block).and_then(|()| check_report(Some(&before.executed), &block));
                return match checked {
                    Ok(_) => Some(Carried::new(digest_of(&parent), block)),
                    Err(fault) => {
                        error!(height = %block.height, %fault, "own proposal breaks a block rule");
                        None
                    }
                };
            }
            Self::pause(timer, &mut watch).await;
        }
    }

    /// What a block says that orders nothing, where `tip` is executed.
    fn nothing_on(&self, tip: Height) -> Option<Proposal> {
        let header_hash = self.application.executed(tip)?;
        Some(Proposal { executed: Executed { height: tip, header_hash }, extrinsics: Vec::new() })
    }

    /// Whether `block` may follow `on`; it takes as long as it takes.
    async fn judge<E: Timer + Spawner>(
        &self,
        runtime: E,
        leader: EngineKey,
        before: &OrderedBlock,
        block: &Arc<OrderedBlock>,
    ) -> bool {
        let on = &parent_of(before);
        let report =
            match check_envelope(on, block).and_then(|()| check_report(Some(&before.executed), block)) {
                Ok(report) => report,
                Err(fault) => {
                    warn!(height = %block.height, %fault, "a proposal breaks a block rule");
                    return false;
                }
            };
        if block.timestamp <= on.timestamp {
            warn!(height = %block.height, time = %block.timestamp, "a proposal's time does not advance");
            return false;
        }
        loop {
            match check_time(on, block.timestamp, self.clock.now()) {
                Ok(Timeliness::Now) => break,
                Ok(Timeliness::WaitUntil(time)) => self.sleep_until(&runtime, time).await,
                // A leap ahead of this clock: it may be this clock that is wrong.
                Err(_) => self.sleep_until(&runtime, block.timestamp.minus_ms(BLOCK_TIME_STEP_MAX_MS)).await,
            }
        }
        // A quorum agreed on what is said again.
        if report == Report::Own {
            self.agree_on(&runtime, &block.executed, leader).await;
        }
        let (application, judged) = (self.application.clone(), block.clone());
        let verdict = runtime.shared(true).spawn(move |_| async move { application.verify(&judged) }).await;
        match verdict {
            Ok(Verdict::Valid) => true,
            Ok(Verdict::Invalid { reason }) => {
                warn!(height = %block.height, reason, "a proposal is invalid");
                false
            }
            Err(_) => std::future::pending().await,
        }
    }

    /// Returns when this node has executed the same block to the same header. Never, if to another one: it then
    /// alarms and does not vote.
    async fn agree_on<E: Timer>(&self, timer: &E, executed: &Executed, leader: EngineKey) {
        let mut watch = self.signal.watch();
        loop {
            match self.application.executed(executed.height) {
                Some(own) if own == executed.header_hash => return,
                Some(own) => {
                    self.application.diverged(executed, &own, leader);
                    std::future::pending::<()>().await;
                }
                None => Self::pause(timer, &mut watch).await,
            }
        }
    }
}

fn digest_of(block: &Digested<Carried>) -> Digest {
    use commonware_cryptography::Digestible as _;
    block.digest()
}

impl<E, A, C> commonware_consensus::Application<E> for Bridge<A, C>
where
    E: Timer + Spawner + Metrics,
    A: Application + 'static,
    C: Clock + Clone + 'static,
{
    type SigningScheme = Scheme;
    type Context = Context<Digest, ed25519::PublicKey>;
    type Block = Carried;
    type Input = ();

    async fn propose(
        &mut self,
        (runtime, context): (E, Self::Context),
        mut ancestry: impl Ancestry<Carried>,
        (): (),
    ) -> Option<Digested<Carried>> {
        let parent = ancestry.next().await?;
        let (parent_view, _) = context.parent;
        let heartbeat = context.round.view().get() >= parent_view.get() + settings::HEARTBEAT_VIEWS;
        self.build(&runtime, heartbeat, parent, ancestry).await.map(Carried::digested)
    }

    async fn verify(
        &mut self,
        (runtime, context): (E, Self::Context),
        mut ancestry: impl Ancestry<Carried>,
    ) -> bool {
        let (Some(block), Some(parent)) = (ancestry.next().await, ancestry.next().await) else {
            return std::future::pending().await;
        };
        let leader = EngineKey::of(&context.leader);
        self.judge(runtime, leader, parent.inner().block(), block.inner().block()).await
    }
}

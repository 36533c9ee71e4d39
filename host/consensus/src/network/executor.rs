//! Hands finalized blocks to the application, in order, and acknowledges them once they are durable.

use super::block::{Carried, Digest};
use super::epochs::Marshal;
use super::finality;
use super::signal::Signal;
use crate::Application;
use commonware_actor::Feedback;
use commonware_consensus::marshal::Update;
use commonware_consensus::types::{Epoch, Epocher as _, FixedEpocher};
use commonware_consensus::{Heightable as _, Reporter};
use commonware_cryptography::Digestible as _;
use commonware_utils::Acknowledgement as _;
use commonware_utils::acknowledgement::Exact;
use commonware_utils::channel::{mpsc, oneshot};
use std::sync::Arc;
use tracing::error;

type Delivery = (commonware_cryptography::Digested<Carried>, Exact);

/// Where the library reports finalized blocks.
#[derive(Clone, Debug)]
pub struct Deliveries(mpsc::UnboundedSender<Delivery>);

impl Reporter for Deliveries {
    type Activity = Update<Carried>;

    fn report(&mut self, update: Update<Carried>) -> Feedback {
        if let Update::Block(block, acknowledgement) = update {
            // If nobody executes any more the node is stopping: the block comes again after the next start.
            let _ = self.0.send((block, acknowledgement));
        }
        Feedback::Ok
    }
}

/// The last block of an epoch is executed: what the next one starts from, and who to tell when it has started.
pub(super) struct Boundary {
    pub next: Epoch,
    pub digest: Digest,
    pub entered: oneshot::Sender<()>,
}

/// Executes what is delivered.
pub(super) struct Executor<A> {
    application: Arc<A>,
    signal: Signal,
    epocher: FixedEpocher,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
    marshal: Marshal,
    boundaries: mpsc::UnboundedSender<Boundary>,
}

impl<A: Application> Executor<A> {
    pub fn new(
        application: Arc<A>,
        signal: Signal,
        epocher: FixedEpocher,
        marshal: Marshal,
    ) -> (Self, Deliveries, mpsc::UnboundedReceiver<Boundary>) {
        let (send, deliveries) = mpsc::unbounded_channel();
        let (boundaries, entered) = mpsc::unbounded_channel();
        (Self { application, signal, epocher, deliveries, marshal, boundaries }, Deliveries(send), entered)
    }

    /// Execute until the library stops delivering or the application fails.
    pub async fn run(mut self) -> Result<(), A::Error> {
        let mut unsettled = Vec::new();
        while let Some(delivery) = self.deliveries.recv().await {
            self.execute(delivery, &mut unsettled).await?;
            while let Ok(next) = self.deliveries.try_recv() {
                self.execute(next, &mut unsettled).await?;
            }
            self.application.settle()?;
            for (block, acknowledgement) in unsettled.drain(..) {
                self.cross(&block).await;
                acknowledgement.acknowledge();
            }
        }
        Ok(())
    }

    async fn execute(&self, delivery: Delivery, unsettled: &mut Vec<Delivery>) -> Result<(), A::Error> {
        let block = delivery.0.inner().block();
        // Genesis is delivered too; every application begins with it.
        if block.height > self.application.tip().height {
            let proof = self.marshal.get_finalization(delivery.0.height()).await;
            let certificate = finality::certificate(&delivery.0.digest(), proof.as_ref());
            self.application.finalized((**block).clone(), certificate).inspect_err(
                |reason| error!(height = %block.height, %reason, "a final block cannot be executed"),
            )?;
            self.signal.raise();
        }
        unsettled.push(delivery);
        Ok(())
    }

    /// At the end of an epoch, wait until the next one's engine runs: only then is the block done with.
    async fn cross(&self, block: &commonware_cryptography::Digested<Carried>) {
        let Some(info) = self.epocher.containing(block.height()) else { return };
        if info.last() != block.height() {
            return;
        }
        let (entered, wait) = oneshot::channel();
        let boundary = Boundary { next: info.epoch().next(), digest: block.digest(), entered };
        if self.boundaries.send(boundary).is_ok() {
            let _ = wait.await;
        }
    }
}

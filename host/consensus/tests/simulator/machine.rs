//! The simulator's runtime with power that fails: an engine's writes pass through here, all else goes to the runtime.

use super::Power;
use commonware_runtime::signal::Signal;
use commonware_runtime::telemetry::metrics::{Metric, Registered};
use commonware_runtime::{
    Blob, BlobVersion, Clock, Error, Handle, IoBufs, IoBufsMut, Metrics, Name, ReadOptions, Spawner, Storage,
    Supervisor, WriteOptions, deterministic,
};
use governor::clock::{Clock as GovernorClock, ReasonablyRealtime};
use rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A validator's runtime.
pub struct Machine {
    inner: deterministic::Context,
    power: Power,
    unsynced: Unsynced,
}

/// Writes since the last sync of their blob, in order.
type Unsynced = Arc<Mutex<Vec<Write>>>;

struct Write {
    blob: Arc<<deterministic::Context as Storage>::Blob>,
    offset: u64,
    bytes: Vec<u8>,
}

impl Machine {
    pub fn new(inner: deterministic::Context, power: Power) -> Self {
        Self { inner, power, unsynced: Unsynced::default() }
    }

    fn with(&self, inner: deterministic::Context) -> Self {
        Self { inner, power: self.power.clone(), unsynced: self.unsynced.clone() }
    }
}

impl Supervisor for Machine {
    fn name(&self) -> Name {
        self.inner.name()
    }

    fn child(&self, label: &'static str) -> Self {
        self.with(self.inner.child(label))
    }

    fn with_attribute(self, key: &'static str, value: impl std::fmt::Display) -> Self {
        Self { inner: self.inner.with_attribute(key, value), ..self }
    }
}

impl Spawner for Machine {
    fn shared(self, blocking: bool) -> Self {
        Self { inner: self.inner.shared(blocking), ..self }
    }

    fn dedicated(self) -> Self {
        Self { inner: self.inner.dedicated(), ..self }
    }

    fn spawn<F, Fut, T>(self, work: F) -> Handle<T>
    where
        F: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let Self { inner, power, unsynced } = self;
        inner.spawn(move |inner| work(Self { inner, power, unsynced }))
    }

    async fn stop(self, value: i32, timeout: Option<Duration>) -> Result<(), Error> {
        self.inner.stop(value, timeout).await
    }

    fn stopped(&self) -> Signal {
        self.inner.stopped()
    }
}

impl Metrics for Machine {
    fn register<N: Into<String>, H: Into<String>, M: Metric>(
        &self,
        name: N,
        help: H,
        metric: M,
    ) -> Registered<M> {
        self.inner.register(name, help, metric)
    }

    fn encode(&self) -> String {
        self.inner.encode()
    }
}

impl GovernorClock for Machine {
    type Instant = SystemTime;

    fn now(&self) -> SystemTime {
        self.inner.current()
    }
}

impl ReasonablyRealtime for Machine {}

impl Clock for Machine {
    fn current(&self) -> SystemTime {
        self.inner.current()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.inner.sleep(duration)
    }

    fn sleep_until(&self, deadline: SystemTime) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.inner.sleep_until(deadline)
    }
}

impl TryRng for Machine {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.inner.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.inner.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.inner.try_fill_bytes(bytes)
    }
}

impl TryCryptoRng for Machine {}

impl Storage for Machine {
    type Blob = Platter;

    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(Platter, u64, BlobVersion), Error> {
        self.power.needed().await;
        let (inner, bytes, version) = self.inner.open_versioned(partition, name, versions).await?;
        let platter = Platter {
            inner: Arc::new(inner),
            runtime: self.inner.child("disk"),
            power: self.power.clone(),
            unsynced: self.unsynced.clone(),
        };
        Ok((platter, bytes, version))
    }

    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        self.power.needed().await;
        self.inner.remove(partition, name).await
    }

    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        self.power.needed().await;
        self.inner.scan(partition).await
    }
}

/// A blob on a disk that has power, or not.
pub struct Platter {
    inner: Arc<<deterministic::Context as Storage>::Blob>,
    runtime: deterministic::Context,
    power: Power,
    unsynced: Unsynced,
}

impl Platter {
    fn forget(&self) {
        let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        unsynced.retain(|write| !Arc::ptr_eq(&write.blob, &self.inner));
    }

    /// What was written there is no longer in doubt, nor may it come back.
    fn forget_within(&self, from: u64, until: u64) {
        let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        unsynced.retain(|write| {
            let end = write.offset + write.bytes.len() as u64;
            !Arc::ptr_eq(&write.blob, &self.inner) || write.offset >= until || end <= from
        });
    }

    fn remember(&self, offset: u64, bytes: Vec<u8>) {
        let write = Write { blob: self.inner.clone(), offset, bytes };
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner).push(write);
    }

    /// If the power fails with this operation: of what was not synced some is kept, and nothing follows.
    async fn risk(&self) {
        self.power.needed().await;
        if !self.power.fails_now(&self.runtime) {
            return;
        }
        let unsynced = std::mem::take(&mut *self.unsynced.lock().unwrap_or_else(PoisonError::into_inner));
        for Write { blob, offset, mut bytes } in unsynced {
            bytes.truncate(self.power.kept(bytes.len()));
            if !bytes.is_empty() {
                let _ = blob.write_at(offset, bytes, WriteOptions::SYNC).await;
            }
        }
        self.power.is_gone();
        std::future::pending::<()>().await;
    }
}

impl Blob for Platter {
    async fn read_at(&self, offset: u64, bytes: usize, options: ReadOptions) -> Result<IoBufsMut, Error> {
        self.power.needed().await;
        self.inner.read_at(offset, bytes, options).await
    }

    async fn read_at_buf(
        &self,
        offset: u64,
        bytes: usize,
        buffers: impl Into<IoBufsMut> + Send,
        options: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        let buffers = buffers.into();
        self.power.needed().await;
        self.inner.read_at_buf(offset, bytes, buffers, options).await
    }

    async fn write_at(
        &self,
        offset: u64,
        buffers: impl Into<IoBufs> + Send,
        options: WriteOptions,
    ) -> Result<(), Error> {
        let buffers = buffers.into().coalesce();
        let bytes: Vec<u8> = buffers.as_ref().to_vec();
        let end = offset + bytes.len() as u64;
        self.remember(offset, bytes);
        self.risk().await;
        self.inner.write_at(offset, buffers, options).await?;
        if options.contains(WriteOptions::SYNC) {
            self.forget_within(offset, end);
        }
        Ok(())
    }

    async fn resize(&self, bytes: u64) -> Result<(), Error> {
        self.risk().await;
        // What was written before is not told apart from what the new length cuts off: the next sync decides.
        self.forget();
        self.inner.resize(bytes).await
    }

    async fn sync(&self) -> Result<(), Error> {
        self.risk().await;
        self.inner.sync().await?;
        self.forget();
        Ok(())
    }

    async fn start_sync(&self) -> Handle<()> {
        self.risk().await;
        let done = self.inner.start_sync().await;
        self.forget();
        done
    }
}

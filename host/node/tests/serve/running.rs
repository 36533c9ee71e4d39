//! A node at work in this process, on a clock that the test has.

use host_consensus::network::Signal;
use host_consensus::{Application as _, Clock};
use host_node::node::Chain;
use host_node::service::{Service, ServiceConfig};
use runtime_primitives::Height;
use runtime_vm::VM_THREAD_STACK_BYTES;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle, sleep};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(1);

/// It stops when this is dropped.
pub struct Running {
    chain: Arc<Chain>,
    address: Option<SocketAddr>,
    signal: Signal,
    stop: Signal,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub fn start<C: Clock + Clone + 'static>(config: ServiceConfig, clock: C) -> Self {
        let service = Service::start(config, clock).unwrap();
        let (chain, address, signal) = (service.chain().clone(), service.address(), service.signal().clone());
        let stop = Signal::default();
        let stopping = stop.watch();
        let thread = Builder::new().stack_size(VM_THREAD_STACK_BYTES);
        let thread = Some(thread.spawn(move || service.run(stopping).unwrap()).unwrap());
        Self { chain, address, signal, stop, thread }
    }

    pub const fn chain(&self) -> &Arc<Chain> {
        &self.chain
    }

    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Wait until the best block is one of `height` or more, everybody sees it, and the sessions have voted on it.
    pub fn reach(&self, height: Height) {
        let began = Instant::now();
        loop {
            let best = self.chain.snapshot();
            if best.height() >= height && self.chain.health().findings().attested == Some(best.hash()) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "it stands at {} and not at {height}", best.height());
            self.signal.raise();
            sleep(LOOK);
        }
    }

    /// Whether there is something to order at the time that `clock` shows.
    pub fn has_work(&self, clock: &impl Clock) -> bool {
        self.chain.propose(&self.chain.tip(), &[], clock.now()).unwrap().is_some()
    }

    /// Stop it, and see that it ends well.
    pub fn stop(mut self) {
        self.end().unwrap();
    }

    fn end(&mut self) -> std::thread::Result<()> {
        self.stop.raise();
        self.thread.take().map_or(Ok(()), JoinHandle::join)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let ended = self.end();
        assert!(ended.is_ok() || std::thread::panicking(), "the node did not end well");
    }
}

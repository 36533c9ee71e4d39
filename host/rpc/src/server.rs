//! The server: HTTP and WebSocket on one port, with limits on everything a stranger can send.
//!
//! It runs on threads of its own; calls that read the store run beside them and never block the sockets.

use crate::door::Door;
use crate::error::RpcError;
use crate::limits::{
    BATCH_MAX, CONNECTIONS_MAX, MESSAGES_WAITING_MAX, REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX,
    SUBSCRIPTIONS_PER_CONNECTION_MAX,
};
use crate::view::NodeView;
use crate::{methods, watched};
use jsonrpsee::server::{BatchRequestConfig, RandomStringIdProvider, Server, ServerConfig, ServerHandle};
use runtime_execution::api::THREAD_STACK_BYTES;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Threads for sockets.
const SOCKET_THREADS: usize = 2;
/// Calls that may read the store at a time.
const CALL_THREADS_MAX: usize = 16;

/// Calls in work when the server stops get this long.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// A running server. Dropping it closes all connections and lets go of the view.
#[derive(Debug)]
pub struct RpcServer {
    address: SocketAddr,
    handle: ServerHandle,
    runtime: Option<Runtime>,
}

impl RpcServer {
    /// Serve `view` at `address`; port 0 takes any free one.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn start(address: SocketAddr, view: impl NodeView) -> Result<Self, RpcError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(SOCKET_THREADS)
            .max_blocking_threads(CALL_THREADS_MAX)
            .thread_stack_size(THREAD_STACK_BYTES)
            .thread_name("rpc")
            .enable_all()
            .build()
            .map_err(RpcError::Threads)?;
        let config = ServerConfig::builder()
            .max_request_body_size(REQUEST_BYTES_MAX)
            .max_response_body_size(RESPONSE_BYTES_MAX)
            .max_connections(CONNECTIONS_MAX)
            .max_subscriptions_per_connection(SUBSCRIPTIONS_PER_CONNECTION_MAX)
            .set_message_buffer_capacity(MESSAGES_WAITING_MAX)
            .set_batch_request_config(BatchRequestConfig::Limit(BATCH_MAX))
            .set_id_provider(RandomStringIdProvider::new(16))
            .build();
        let listen = |source| RpcError::Listen { address, source };
        let build = Server::builder().set_config(config).build(address);
        let server = runtime.block_on(build).map_err(listen)?;
        let address = server.local_addr().map_err(listen)?;
        let handle = runtime.block_on(async {
            let door = Arc::new(Door::new(view));
            tokio::spawn(watched::follow(door.clone()));
            server.start(methods::module(door))
        });
        Ok(Self { address, handle, runtime: Some(runtime) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for RpcServer {
    fn drop(&mut self) {
        // An error means that it has stopped already.
        _ = self.handle.stop();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(STOP_PATIENCE);
        }
    }
}

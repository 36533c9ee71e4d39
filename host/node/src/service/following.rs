//! A node that follows: blocks come from other nodes over RPC, this executes, publishes, and serves.
//!
//! One thread asks and executes, one tells of extrinsics taken in here, and RPC has its own. Whoever has a session key but
//! no engine attests here, once it is level with those it follows.

use super::attesting::Attesting;
use super::bell::Bell;
use super::config::ServiceConfig;
use super::error::ServiceError;
use super::files;
use super::hand::Hand;
use super::room::Room;
use super::view::{Role, View};
use crate::checkpoint::Keeper;
use crate::follow::{Follower, Outbox, Relay, Source, Step};
use crate::node::Chain;
use host_rpc::{RemoteNode, RpcServer};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tracing::info;

/// Bytes of waiting extrinsics that are told again at a time.
const RETELL_BYTES: usize = 256 << 10;
/// How often sources are asked that have no more blocks, at least and at most.
const LOOK_MS: (u64, u64) = (50, 500);

/// A node that follows others, ready to run.
pub struct Following {
    chain: Arc<Chain>,
    follower: Follower,
    attesting: Attesting,
    bell: Arc<Bell>,
    view: View,
    outbox: Outbox,
    relay: Relay,
    server: Option<RpcServer>,
    folder: PathBuf,
    room: Room,
    look: Duration,
}

impl Following {
    /// Open or start the chain that the nodes at `urls` have, and the RPC server.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn start(config: ServiceConfig, urls: &[String]) -> Result<Self, ServiceError> {
        files::allow_many();
        let (chain, room) = config.open()?;
        let ServiceConfig { data, genesis, interval_ms, rpc, sessions, .. } = config;
        let checkpoints = Arc::new(Keeper::open(&data, &chain, Vec::new())?);
        let attesting = Attesting::new(&chain, sessions, &data)?;
        let nodes = || urls.iter().map(|url| RemoteNode::at(url)).collect::<Result<Vec<_>, _>>();
        let (relay, outbox) = Relay::new(nodes()?);
        let sources = nodes()?.into_iter().map(|node| Box::new(node) as Box<dyn Source>).collect();
        let follower = Follower::new(chain.clone(), checkpoints.clone(), sources).map_err(Box::new)?;
        let sessions = attesting.sessions();
        let role = Role { is_networked: true, is_voter: false, sessions, network: Arc::default() };
        let telling = outbox.clone();
        let submitted = move |extrinsic: &[u8]| telling.tell(extrinsic);
        let view = View::new(&genesis.chain, chain.clone(), role, checkpoints, Arc::new(submitted));
        let server = rpc.map(|address| RpcServer::start(address, view.clone())).transpose()?;
        let snapshot = chain.snapshot();
        info!(genesis = %chain.genesis(), height = %snapshot.height(), best = %snapshot.hash(), "chain opened");
        let look = Duration::from_millis((interval_ms / 2).clamp(LOOK_MS.0, LOOK_MS.1));
        let bell = Arc::default();
        Ok(Self { chain, follower, attesting, bell, view, outbox, relay, server, folder: data, room, look })
    }

    /// The chain.
    pub const fn chain(&self) -> &Arc<Chain> {
        &self.chain
    }

    /// How to stop.
    pub const fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// Where RPC is served.
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(RpcServer::address)
    }

    /// Follow and serve until the bell says stop. What is committed then is durable. Runs contracts: call it on a thread
    /// with `VM_THREAD_STACK_BYTES` of stack.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn run(self) -> Result<(), ServiceError> {
        let Self {
            chain,
            mut follower,
            mut attesting,
            bell,
            view,
            outbox,
            relay,
            server,
            folder,
            room,
            look,
        } = self;
        let waiting = {
            let chain = chain.clone();
            move || chain.own_waiting(RETELL_BYTES)
        };
        // It ends when the last outbox is gone, and may be waiting for a node until then: nobody waits for it.
        let telling = {
            let bell = bell.clone();
            Hand::start("relay", move || bell.stop(), move || relay.run(waiting))?
        };
        let followed = (|| {
            while !bell.is_stopped() {
                room.look()?;
                let step = follower.step().map_err(Box::new)?;
                // Also if the source failed after it gave some blocks.
                if chain.snapshot().height() > view.published().height() {
                    view.publish();
                }
                match step {
                    Step::Executed(_) => {}
                    Step::Failed => bell.pause(look),
                    Step::Level => {
                        attesting.attest(&chain, &view.published(), |vote| outbox.tell(vote));
                        bell.pause(look);
                    }
                }
            }
            Ok(chain.settle()?)
        })();
        if telling.is_done() {
            telling.join()?;
        }
        drop(server);
        followed.map_err(|reason: ServiceError| reason.or_no_room(&folder))?;
        info!(height = %chain.snapshot().height(), "stopped");
        Ok(())
    }
}

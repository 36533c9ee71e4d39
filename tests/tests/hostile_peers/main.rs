//! Nodes as processes under real attack, over sockets: strangers who knock, and a validator that has gone bad and sends what
//! no honest one does, behind a handshake that holds. Each is refused by name and counted, blocks go on, and memory is bounded.
#![allow(clippy::unwrap_used, reason = "tests")]

mod attacker;
mod nodes;

use attacker::{Attacker, frame, say};
use commonware_codec::Encode as _;
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_runtime::{Clock as _, Runner as _, Spawner as _, Supervisor as _, tokio};
use host_consensus::network::{Carried, PROTOCOL};
use host_rpc::NodeStatus;
use nodes::{HONEST, Network};
use runtime_primitives::{Executed, Height, OrderedBlock, Timestamp};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);
/// Larger than any message.
const OVERSIZED: usize = 8 << 20;
/// Channels by their numbers.
const VOTES: u64 = 0;
const CERTIFICATES: u64 = 1;
const REQUESTS: u64 = 2;
const PROPOSALS: u64 = 3;
const BACKFILL: u64 = 4;
const GOSSIP: u64 = 5;

/// Wait until a node's status is as it should be.
async fn until(
    context: &tokio::Context,
    network: &Network,
    node: usize,
    what: &str,
    holds: impl Fn(&NodeStatus) -> bool,
) {
    let began = Instant::now();
    loop {
        let status = network.status(node);
        if holds(&status) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: {:#?}\n{}", status.network, network.log(node));
        context.sleep(Duration::from_millis(50)).await;
    }
}

fn count(counts: &BTreeMap<String, u64>, name: &str) -> u64 {
    counts.get(name).copied().unwrap_or_default()
}

fn on_sockets<F: Future<Output = ()>>(play: impl FnOnce(tokio::Context) -> F) {
    if !nodes::is_node() {
        tokio::Runner::default().start(play);
    }
}

#[test]
fn who_has_no_business_here_is_refused_by_name() {
    on_sockets(|context| async move {
        // One of four runs: it waits for the others, and answers who calls.
        let mut network = Network::prepare();
        network.run(0);
        let attacker = Attacker::of(&network);
        let other_chain = [PROTOCOL.as_bytes(), &[7; 32]].concat();
        let other_protocol = [b"busbar/engine/v0".as_slice(), &network.genesis().0].concat();
        let own = [PROTOCOL.as_bytes(), &network.genesis().0].concat();
        let rows = [
            ("an unknown key", attacker.with_key(1_000), own, "unknown key", "its key is no validator's"),
            ("another chain", attacker.clone(), other_chain, "another chain or protocol", PROTOCOL),
            ("another protocol", attacker.clone(), other_protocol, "another chain or protocol", PROTOCOL),
        ];
        for (what, attacker, namespace, reason, words) in rows {
            let before = count(&network.status(0).network.refused, reason);
            // It may have been calling at that moment, and lets nobody in who calls back.
            let began = Instant::now();
            while count(&network.status(0).network.refused, reason) == before {
                assert!(began.elapsed() < PATIENCE, "{what}: {:?}", network.status(0).network);
                assert!(attacker.dial(&context, &network, 0, &namespace).await.is_none(), "{what}");
                context.sleep(Duration::from_millis(200)).await;
            }
            assert!(network.log(0).contains(words), "{what}: {}", network.log(0));
        }
        say(network.engine(0), &[0xff; 4_096]);
        until(&context, &network, 0, "noise", |status| count(&status.network.refused, "no handshake") == 1)
            .await;
        say(network.engine(0), &[]);
        until(&context, &network, 0, "silence", |status| count(&status.network.refused, "unfinished") > 0)
            .await;
        let status = network.status(0);
        assert_eq!((status.network.connected, status.network.known), (0, 3), "{:?}", status.network);
        assert_eq!(network.health(0), (0, false, true));
        network.stop();
    });
}

#[test]
fn a_peer_that_breaks_the_protocol_is_counted_or_shut_out_and_blocks_go_on() {
    on_sockets(|context| async move {
        let mut network = Network::prepare();
        (0..HONEST).for_each(|number| network.run(number));
        let attacker = Attacker::of(&network);
        until(&context, &network, 0, "connected", |status| status.network.connected == 2).await;
        network.order(0);
        // The epoch's number, and nothing that follows it.
        let garbage = [vec![0], vec![0xab; 1_024]].concat();
        let extrinsics = gossip(&[b"no extrinsic".to_vec()]);
        // (what, node, bytes, what is counted); whom a node shuts out it hears no more, so that row is the node's last.
        type Of = fn(&NodeStatus) -> u64;
        let malformed: [(&str, usize, Vec<u8>, Of); 10] = [
            ("an oversized frame", 0, vec![0; OVERSIZED], |status| of(status, "oversized frame")),
            ("an unknown kind", 0, vec![9, 1, 2], |status| of(status, "undecodable frame")),
            ("an unknown channel", 0, frame(77, &garbage), |status| of(status, "undecodable frame")),
            ("a frame cut short", 0, frame(GOSSIP, &garbage)[..9].to_vec(), |status| {
                of(status, "undecodable frame")
            }),
            ("no proposal", 0, frame(PROPOSALS, &garbage), |status| of(status, "proposals")),
            ("a peer's bad extrinsic", 0, frame(GOSSIP, &extrinsics), |status| {
                count(&status.refused_extrinsics, "Invalid.Undecodable")
            }),
            ("no vote", 0, frame(VOTES, &garbage), |status| status.network.shut_out),
            ("no certificate", 1, frame(CERTIFICATES, &garbage), |status| status.network.shut_out),
            ("gossip that is none", 2, frame(GOSSIP, &garbage), |status| of(status, "gossip")),
            ("its sender", 2, Vec::new(), |status| status.network.shut_out),
        ];
        // What the library drops without a word costs nothing either.
        for channel in [REQUESTS, BACKFILL] {
            attacker.tell(&context, &network, 0, &frame(channel, &garbage)).await;
            network.order(0);
        }
        for (what, node, bytes, counted) in malformed {
            let before = if bytes.is_empty() { 0 } else { counted(&network.status(node)) };
            if !bytes.is_empty() {
                attacker.tell(&context, &network, node, &bytes).await;
            }
            until(&context, &network, node, what, |status| counted(status) == before + 1).await;
            network.order(node);
        }
        for node in 0..HONEST {
            assert_eq!(network.health(node), (2, false, true), "{:?}", network.status(node).network);
            assert!(!network.log(node).contains("panicked"), "{}", network.log(node));
        }
        network.stop();
    });
}

/// Extrinsics as peers tell them.
fn gossip(extrinsics: &[Vec<u8>]) -> Vec<u8> {
    parity_scale_codec::Encode::encode(&(0u8, extrinsics))
}

fn of(status: &NodeStatus, kind: &str) -> u64 {
    count(&status.network.malformed, kind)
}

/// So long is a node flooded.
const FLOOD: Duration = Duration::from_secs(20);
/// What that may cost, in KiB: the shares of gossip and of proposals that a peer has, what the library holds of its frames, and
/// what the allocator keeps. Seven times what was seen.
const FLOOD_KIB_MAX: u64 = 128 << 10;
/// What a node takes before that, most of it room that the library reserves for messages of every peer there may be.
const CALM_KIB_MAX: u64 = 400 << 10;

#[test]
fn a_flood_of_a_peer_and_of_strangers_takes_bounded_memory_and_blocks_go_on() {
    on_sockets(|context| async move {
        let mut network = Network::prepare();
        (0..HONEST).for_each(|number| network.run(number));
        let attacker = Attacker::of(&network);
        network.order(0);
        let before = network.memory_kib(0);
        // The most of an extrinsic is its remark: its bytes are none of a call.
        let junk = |byte: u8| vec![byte; 64 << 10];
        let gossip = frame(GOSSIP, &gossip(&[junk(1), junk(2)]));
        let proposal = frame(PROPOSALS, &proposal());
        let mut peer = attacker.connect(&context, &network, 0).await;
        let address = network.engine(0);
        let flooding = context.child("flood").spawn(async move |context| {
            let (began, mut told) = (Instant::now(), 0_u64);
            while began.elapsed() < FLOOD {
                // Each is a flood of its own: on one connection, what is slowed slows what comes after it.
                let frame = if began.elapsed().as_secs().is_multiple_of(2) { &gossip } else { &proposal };
                peer.send(frame.clone()).await.unwrap();
                told += frame.len() as u64;
                context.sleep(Duration::ZERO).await;
            }
            told
        });
        let strangers = std::thread::spawn(move || {
            let (began, mut calls) = (Instant::now(), 0);
            while began.elapsed() < FLOOD {
                say(address, &[0xab; 1 << 16]);
                calls += 1;
                std::thread::sleep(Duration::from_millis(2));
            }
            calls
        });
        let (began, mut most, mut blocks) = (Instant::now(), before, 0);
        while began.elapsed() < FLOOD {
            network.order(0);
            blocks += 1;
            most = most.max(network.memory_kib(0));
            context.sleep(Duration::from_millis(250)).await;
        }
        let (told, calls) = (flooding.await.unwrap(), strangers.join().unwrap());
        let (seen, told_mib) = (network.status(0).network, told >> 20);
        println!(
            "{told_mib} MiB by a peer, {calls} calls by strangers, {blocks} blocks meanwhile: {before} KiB before, {most} \
             KiB at most; {seen:?}"
        );
        for channel in ["gossip", "proposals"] {
            assert!(count(&seen.slowed, channel) > 0, "the peer's {channel} were not slowed: {seen:?}");
        }
        assert!(count(&seen.refused, "too many callers") > 0, "{seen:?}");
        assert!(told > 64 << 20 && calls > 100 && blocks > 3, "{told} bytes, {calls} calls, {blocks} blocks");
        assert!(before < CALM_KIB_MAX, "{before} KiB before");
        assert!(most < before + FLOOD_KIB_MAX, "{before} KiB before, {most} KiB at most");
        assert!(!network.log(0).contains("panicked"), "{}", network.log(0));
        network.stop();
    });
}

/// A block that any node can read and nobody asked for.
fn proposal() -> Vec<u8> {
    let block = OrderedBlock {
        height: Height::from_number(1_000),
        executed: Executed::default(),
        timestamp: Timestamp::from_ms(1),
        extrinsics: vec![vec![7; 200 << 10]; 4],
    };
    Carried::new(Sha256::hash(&[b"nobody's"]), block).encode().to_vec()
}

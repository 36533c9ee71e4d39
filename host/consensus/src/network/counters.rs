//! What strangers and peers did wrong, counted: by this crate where it sees it, by the library where that does.
//!
//! The rule: nothing is counted twice, and no count has a name that somebody outside can choose.

use commonware_cryptography::ed25519;
use commonware_runtime::Metrics;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something wrong that this crate sees itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A caller whose key is nobody's.
    Stranger,
    /// A caller who signs for another chain or protocol, or with another key than he says.
    OtherChain,
    /// A caller whose clock is elsewhere.
    Clock,
    /// A caller who says something else than a handshake.
    NoHandshake,
    /// A caller who hung up or said nothing.
    Unfinished,
    /// A peer's frame that is larger than any message.
    Oversized,
    /// A frame that the peer's key did not encrypt.
    Forged,
    /// Gossip that is none.
    Gossip,
    /// Gossip of a peer that tells more than this node can judge.
    Crowded,
}

impl Wrong {
    const ALL: [Self; 9] = [
        Self::Stranger,
        Self::OtherChain,
        Self::Clock,
        Self::NoHandshake,
        Self::Unfinished,
        Self::Oversized,
        Self::Forged,
        Self::Gossip,
        Self::Crowded,
    ];
}

/// Gives the library's own counts, as Prometheus would read them.
type Library = Box<dyn Fn() -> String + Send + Sync>;

/// Counts since the node started.
#[derive(Default)]
pub struct Counters {
    seen: [AtomicU64; Wrong::ALL.len()],
    library: Mutex<Option<Library>>,
    peers: Mutex<BTreeSet<ed25519::PublicKey>>,
}

impl std::fmt::Debug for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counters").field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// What a node has seen of its network since it started. Counts that are zero are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkCounts {
    /// Other nodes that may be connected with.
    pub known: u64,
    /// Of these, connected.
    pub connected: u64,
    /// Of these, shut out for an hour for breaking the protocol.
    pub shut_out: u64,
    /// Final blocks that are known of and not executed here.
    pub behind: u64,
    /// Connections refused, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Messages of peers that were none, too large or too many, by kind.
    pub malformed: BTreeMap<&'static str, u64>,
    /// Messages of peers that had to wait, because he sends too many a second, by channel.
    pub slowed: BTreeMap<&'static str, u64>,
}

impl Counters {
    /// Count; gives the count.
    pub(super) fn note(&self, wrong: Wrong) -> u64 {
        self.seen[wrong as usize].fetch_add(1, Ordering::Relaxed) + 1
    }

    fn of(&self, wrong: Wrong) -> u64 {
        self.seen[wrong as usize].load(Ordering::Relaxed)
    }

    /// Take the library's counts from here on from `library`; from nowhere, if `None`.
    fn ask(&self, library: Option<Library>) {
        *locked(&self.library) = library;
    }

    pub(super) fn set_peers(&self, peers: BTreeSet<ed25519::PublicKey>) {
        *locked(&self.peers) = peers;
    }

    /// Whether a key is nobody's. Before the first epoch is entered here, nobody's is.
    pub(super) fn is_stranger(&self, key: &ed25519::PublicKey) -> bool {
        let peers = locked(&self.peers);
        !peers.is_empty() && !peers.contains(key)
    }

    /// All counts.
    pub fn counts(&self) -> NetworkCounts {
        let library = locked(&self.library).as_ref().map(|encode| encode()).unwrap_or_default();
        let mut counts = of_library(&library);
        for wrong in Wrong::ALL {
            let (group, name) = match wrong {
                Wrong::Stranger => (&mut counts.refused, "unknown key"),
                Wrong::OtherChain => (&mut counts.refused, "another chain or protocol"),
                Wrong::Clock => (&mut counts.refused, "another time"),
                Wrong::NoHandshake => (&mut counts.refused, "no handshake"),
                Wrong::Unfinished => (&mut counts.refused, "unfinished"),
                Wrong::Oversized => (&mut counts.malformed, "oversized frame"),
                Wrong::Forged => (&mut counts.malformed, "forged frame"),
                Wrong::Gossip => (&mut counts.malformed, "gossip"),
                Wrong::Crowded => (&mut counts.malformed, "gossip beyond a peer's share"),
            };
            add(group, name, self.of(wrong));
        }
        counts
    }
}

/// Has the library's counts read as long as it lives.
pub(super) struct Reading(Arc<Counters>);

impl Reading {
    /// Of a runtime's metrics.
    pub fn of(counters: Arc<Counters>, runtime: impl Metrics) -> Self {
        counters.ask(Some(Box::new(move || runtime.encode())));
        Self(counters)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.ask(None);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn add(group: &mut BTreeMap<&'static str, u64>, name: &'static str, count: u64) {
    if count > 0 {
        *group.entry(name).or_default() += count;
    }
}

/// Channels by the library's labels of their messages.
const CHANNELS: [(&str, &str); 7] = [
    ("data_0", "votes"),
    ("data_1", "certificates"),
    ("data_2", "requests for certificates"),
    ("data_3", "proposals"),
    ("data_4", "missing blocks"),
    ("data_5", "gossip"),
    ("ping", "pings"),
];

/// What the library has counted, a series a line: `name{label="value",…} number`.
fn of_library(text: &str) -> NetworkCounts {
    let mut counts = NetworkCounts::default();
    let (mut last, mut executed, mut often) = (0, 0, 0);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let Ok(value) = value.parse::<u64>() else { continue };
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let is = |label: &str, value: &str| labels.contains(&format!("{label}=\"{value}\""));
        match name {
            "network_tracker_directory_tracked" => counts.known = value,
            "network_tracker_directory_connected" => counts.connected += 1,
            "network_tracker_directory_blocked" => counts.shut_out += 1,
            "engine_marshal_finalized_height" => last = value,
            "engine_marshal_processed_height" => executed = value,
            "network_listener_handshakes_blocked_total" => add(&mut counts.refused, "unknown address", value),
            "network_listener_handshake_concurrent_rate_limited_total" => {
                add(&mut counts.refused, "too many callers", value);
            }
            // One call may exceed both.
            "network_listener_handshake_ip_rate_limited_total"
            | "network_listener_handshake_subnet_rate_limited_total" => often = often.max(value),
            "network_spawner_messages_received_total" if is("message", "invalid") => {
                add(&mut counts.malformed, "undecodable frame", value);
            }
            "engine_proposals_receive_total" if is("status", "Invalid") => {
                add(&mut counts.malformed, "proposals", value);
            }
            "network_spawner_messages_rate_limited_total" => {
                let channel = CHANNELS.iter().find(|(label, _)| is("message", label));
                add(&mut counts.slowed, channel.map_or("others", |(_, channel)| channel), value);
            }
            _ => {}
        }
    }
    add(&mut counts.refused, "too many callers", often);
    counts.behind = last.saturating_sub(executed);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_librarys_counts_are_read_and_each_thing_counts_once() {
        let text = "\
# HELP network_tracker_directory_tracked Peers.
network_tracker_directory_tracked 3
network_tracker_directory_connected{peer=\"aa\"} 1700000000000
network_tracker_directory_connected{peer=\"bb\"} 1700000000001
network_tracker_directory_blocked{peer=\"cc\"} 1700003600000
engine_marshal_finalized_height 20
engine_marshal_processed_height 9
network_listener_handshake_concurrent_rate_limited_total 1
network_listener_handshake_ip_rate_limited_total 7
network_listener_handshake_subnet_rate_limited_total 5
network_spawner_messages_received_total{peer=\"aa\",message=\"invalid\"} 2
network_spawner_messages_received_total{peer=\"bb\",message=\"invalid\"} 1
network_spawner_messages_received_total{peer=\"bb\",message=\"data_0\"} 50
network_spawner_messages_rate_limited_total{peer=\"aa\",message=\"data_3\"} 4
network_spawner_messages_rate_limited_total{peer=\"aa\",message=\"data_4\"} 0
engine_proposals_receive_total{status=\"Invalid\"} 6
engine_proposals_receive_total{status=\"Success\"} 9
no number
";
        let counters = Counters::default();
        counters.ask(Some(Box::new(|| text.to_owned())));
        assert_eq!((counters.note(Wrong::Gossip), counters.note(Wrong::Gossip)), (1, 2));
        counters.note(Wrong::Stranger);
        let expected = NetworkCounts {
            known: 3,
            connected: 2,
            shut_out: 1,
            behind: 11,
            refused: BTreeMap::from([("too many callers", 8), ("unknown key", 1)]),
            malformed: BTreeMap::from([("gossip", 2), ("proposals", 6), ("undecodable frame", 3)]),
            slowed: BTreeMap::from([("proposals", 4)]),
        };
        assert_eq!(counters.counts(), expected);
        counters.ask(None);
        assert_eq!(counters.counts().connected, 0, "an engine that has stopped has no peers");
    }
}

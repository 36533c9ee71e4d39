//! A server on a real socket over a small store, asked by our own client and by a plain one.
#![allow(clippy::unwrap_used, reason = "tests")]

mod subscriptions;

use host_rpc::{
    ClientError, Heads, KEYS_PER_PAGE_MAX, NodeStatus, NodeView, RECENT_BLOCKS_MAX, Refusal, RemoteNode,
    RpcServer,
};
use host_storage::{Commit, Finality, Snapshot, Store, Stretch};
use jsonrpsee::core::client::{ClientT, Error};
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee_http_client::HttpClientBuilder;
use parity_scale_codec::Encode;
use runtime_execution::api::ApiError;
use runtime_execution::{Invalid, Outcome, Receipt};
use runtime_primitives::{
    Digest, Executed, Hash, Header, Height, OrderedBlock, Timestamp, blake2_256, merkle_root,
};
use runtime_state::{ArchiveRow, Backend, ChangeSet, MemoryState, Overlay, State};
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;

/// Blocks of the test's chain.
const BLOCKS: u64 = RECENT_BLOCKS_MAX + 3;
const EXTRINSIC: &[u8] = b"\x04\x04";

struct Node {
    store: Store,
    heads: Heads,
    _folder: TempDir,
}

/// Block `number` sets `n` to its number and adds a key; key `k5` is deleted in block 30.
fn changes(number: u64) -> ChangeSet {
    let mut changes = ChangeSet::new();
    changes.insert(b"n".to_vec(), Some(vec![u8::try_from(number).unwrap()]));
    changes.insert(key(number), Some(number.to_le_bytes().to_vec()));
    if number == 30 {
        changes.insert(key(5), None);
    }
    changes
}

fn key(number: u64) -> Vec<u8> {
    [b"k/".to_vec(), number.to_be_bytes().to_vec()].concat()
}

fn commit(parent: &Header, number: u64, state: &impl State) -> Commit {
    let changes = changes(number);
    let trie = state.update_trie(&changes);
    let parent_hash = if number == 0 { Hash::ZERO } else { parent.hash() };
    let body = vec![EXTRINSIC.to_vec()];
    let header = Header {
        parent_hash,
        number,
        state_root: trie.root(),
        extrinsics_root: merkle_root(&body),
        digest: Digest::default(),
    };
    let block = OrderedBlock {
        height: Height::from_number(number),
        executed: Executed::default(),
        timestamp: Timestamp::from_ms(number),
        extrinsics: Vec::new(),
    };
    let receipts = vec![receipt(number)].encode();
    let row = |table, value: &[u8]| ArchiveRow { table, key: key(number), value: value.to_vec() };
    let archive = vec![row(1, b"row"), row(2, &vec![0; 1 << 20])];
    let proof = number.is_multiple_of(4).then(|| vec![1, 2, 3]);
    let finality = (number > 8).then_some(Finality { digest: Hash([9; 32]), proof });
    Commit { header, block, body, receipts, changes, trie, archive, finality }
}

/// A block of the first ones skipped an extrinsic, a later one applied the one that may be submitted.
fn receipt(number: u64) -> Receipt {
    if number > BLOCKS {
        return Receipt { extrinsic: blake2_256(EXTRINSIC), outcome: Outcome::Applied { index: 0 } };
    }
    let reason = Invalid::Expired { birth: 0, current: number };
    Receipt { extrinsic: Hash::ZERO, outcome: Outcome::Skipped { reason } }
}

impl Node {
    fn new() -> Arc<Self> {
        let folder = TempDir::new().unwrap();
        let nobody = Header {
            parent_hash: Hash::ZERO,
            number: 0,
            state_root: Hash::ZERO,
            extrinsics_root: Hash::ZERO,
            digest: Digest::default(),
        };
        let genesis = commit(&nobody, 0, &MemoryState::new());
        let store = Store::create(&folder.path().join("chain"), genesis).unwrap();
        for number in 1..=BLOCKS {
            let snapshot = store.snapshot();
            let next = commit(snapshot.best_header(), number, &snapshot);
            drop(snapshot);
            store.commit(next).unwrap();
        }
        Arc::new(Self { store, heads: Heads::new(Height::from_number(BLOCKS)), _folder: folder })
    }

    /// Commit another block, and tell those who listen.
    fn grow(&self) -> u64 {
        let snapshot = self.store.snapshot();
        let number = snapshot.height().next().number();
        let next = commit(snapshot.best_header(), number, &snapshot);
        drop(snapshot);
        self.store.commit(next).unwrap();
        self.heads.ring(Height::from_number(number));
        number
    }

    fn hash(&self, number: u64) -> String {
        self.store.snapshot().header(Height::from_number(number)).unwrap().unwrap().hash().to_string()
    }
}

#[derive(Clone)]
struct View(Arc<Node>);

impl NodeView for View {
    fn snapshot(&self) -> Snapshot {
        self.0.store.snapshot()
    }

    fn submit(&self, extrinsic: Vec<u8>) -> Result<Hash, Refusal> {
        let zero = || Refusal::Invalid("energy is zero".to_owned());
        if extrinsic == EXTRINSIC { Ok(blake2_256(&extrinsic)) } else { Err(zero()) }
    }

    fn waits(&self, _: &Hash) -> bool {
        false
    }

    fn pending(&self, _: usize) -> Vec<Vec<u8>> {
        vec![EXTRINSIC.to_vec()]
    }

    fn heads(&self) -> &Heads {
        &self.0.heads
    }

    fn call(&self, state: &dyn Backend, _: Hash, name: &str, input: &[u8]) -> Result<Vec<u8>, ApiError> {
        let known = (name == "n").then(|| [state.get(b"n").unwrap(), input.to_vec()].concat());
        known.ok_or_else(|| ApiError::NotFound(name.to_owned()))
    }

    fn next_nonce(&self, address: &str) -> Result<u32, String> {
        if address == "Eve" { Ok(7) } else { Err("no address".to_owned()) }
    }

    fn certificates(&self, after: u64) -> Result<Vec<Vec<u8>>, String> {
        (after < 64).then(|| vec![vec![6, 4]]).ok_or_else(|| "the disk is gone".to_owned())
    }

    fn status(&self) -> NodeStatus {
        NodeStatus { chain: self.chain(), height: BLOCKS, alarms: 1, ..NodeStatus::default() }
    }

    fn chain(&self) -> String {
        "busbar test".to_owned()
    }
}

fn serve(node: &Arc<Node>) -> (RpcServer, String) {
    let server = RpcServer::start("127.0.0.1:0".parse().unwrap(), View(node.clone())).unwrap();
    let url = format!("http://{}", server.address());
    (server, url)
}

/// Ask as any client would: the answer, or code and message of the refusal.
fn ask(url: &str, method: &str, params: Value) -> Result<Value, (i32, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = HttpClientBuilder::default().max_request_size(8 << 20).build(url).unwrap();
    let mut list = ArrayParams::new();
    params.as_array().unwrap().iter().for_each(|value| list.insert(value).unwrap());
    runtime.block_on(client.request(method, list)).map_err(|error| match error {
        Error::Call(refusal) => (refusal.code(), refusal.message().to_owned()),
        other => (0, other.to_string()),
    })
}

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

#[test]
fn every_method_answers() {
    let node = Node::new();
    let (_server, url) = serve(&node);
    let ask = |method, params| ask(&url, method, params).unwrap();
    let best = node.hash(BLOCKS);
    let header = ask("chain_getHeader", json!([]));
    assert_eq!(header["number"], format!("{BLOCKS:#x}"));
    assert_eq!(header["parentHash"], node.hash(BLOCKS - 1));
    let recent = node.hash(BLOCKS - 1);
    let (first, last) = (hex(&key(6)), hex(&key(7)));
    let rows = [
        ("system_accountNextIndex", json!(["Eve"]), json!(7)),
        ("system_chain", json!([]), json!("busbar test")),
        ("busbar_getCheckpoints", json!([]), json!(["0x0604"])),
        ("busbar_getStatus", json!([]), json!(View(node.clone()).status())),
        ("system_health", json!([]), json!({ "peers": 0, "isSyncing": false, "shouldHavePeers": false })),
        (
            "system_properties",
            json!([]),
            json!({ "ss58Format": 42, "tokenDecimals": 7, "tokenSymbol": "CNY" }),
        ),
        ("chain_getFinalizedHead", json!([]), json!(best)),
        ("chain_getBlockHash", json!([]), json!(best)),
        ("chain_getBlockHash", json!([3]), json!(node.hash(3))),
        ("chain_getBlockHash", json!(["0x3"]), json!(node.hash(3))),
        ("chain_getBlockHash", json!([BLOCKS + 1]), Value::Null),
        ("chain_getHeader", json!([best]), header.clone()),
        ("chain_getHeader", json!([Hash::ZERO.to_string()]), Value::Null),
        (
            "chain_getBlock",
            json!([best]),
            json!({
                "block": { "header": header, "extrinsics": [hex(EXTRINSIC)] }, "justifications": null,
            }),
        ),
        ("state_getStorage", json!([hex(b"n")]), json!(hex(&[u8::try_from(BLOCKS).unwrap()]))),
        ("state_getStorage", json!([hex(b"n"), recent]), json!(hex(&[u8::try_from(BLOCKS - 1).unwrap()]))),
        ("state_getStorage", json!([hex(b"none")]), Value::Null),
        ("state_getKeysPaged", json!([hex(b"k/"), 2, hex(&key(4))]), json!([first, last])),
        ("state_getKeysPaged", json!([hex(b"n"), 10]), json!([hex(b"n")])),
        ("state_getKeysPaged", json!([hex(b"z"), 10]), json!([])),
        ("busbar_getReceipts", json!([node.hash(3)]), json!(hex(&vec![receipt(3)].encode()))),
        ("busbar_getReceipts", json!([Hash::ZERO.to_string()]), Value::Null),
        ("busbar_getArchive", json!([1, hex(&key(4)), 2]), json!([[hex(&key(4)), hex(b"row")]])),
        (
            "busbar_getArchive",
            json!([1, "0x", 2, hex(&key(4))]),
            json!([[hex(&key(5)), hex(b"row")], [hex(&key(6)), hex(b"row")]]),
        ),
        ("busbar_getArchive", json!([9, "0x", 2]), json!([])),
        ("author_pendingExtrinsics", json!([]), json!([hex(EXTRINSIC)])),
        ("state_call", json!(["n", "0x07", recent]), json!(hex(&[u8::try_from(BLOCKS - 1).unwrap(), 7]))),
        ("state_getStorageSize", json!([hex(&key(6))]), json!(8)),
        ("state_getStorageHash", json!([hex(b"none")]), Value::Null),
        ("state_getKeys", json!([hex(b"n")]), json!([hex(b"n")])),
        (
            "state_queryStorageAt",
            json!([[hex(b"none"), hex(b"n")], recent]),
            json!([{
                "block": recent,
                "changes": [[hex(b"none"), null], [hex(b"n"), hex(&[u8::try_from(BLOCKS - 1).unwrap()])]],
            }]),
        ),
        (
            "state_queryStorage",
            json!([[hex(b"none"), hex(b"n")], recent]),
            json!([
                {
                    "block": recent,
                    "changes": [[hex(b"none"), null], [hex(b"n"), hex(&[u8::try_from(BLOCKS - 1).unwrap()])]],
                },
                { "block": best, "changes": [[hex(b"n"), hex(&[u8::try_from(BLOCKS).unwrap()])]] },
            ]),
        ),
        ("author_submitExtrinsic", json!([hex(EXTRINSIC)]), json!(blake2_256(EXTRINSIC).to_string())),
    ];
    for (method, params, expected) in rows {
        assert_eq!(ask(method, params.clone()), expected, "{method} {params}");
    }
    let methods = ask("rpc_methods", json!([]))["methods"].as_array().unwrap().len();
    assert_eq!(methods, 63);
}

#[test]
fn a_follower_gets_final_blocks_and_what_proves_them() {
    let node = Node::new();
    let (_server, url) = serve(&node);
    let (remote, snapshot) = (RemoteNode::at(&url).unwrap(), node.store.snapshot());
    let at = Height::from_number;
    let block = |number| snapshot.block(at(number)).unwrap().unwrap();
    // Nothing of an engine up to block 8, every fourth from there on: the last one proves all.
    let payloads: Vec<Hash> = (11..=32).map(|number| block(number).payload_hash()).collect();
    assert_eq!(remote.finality(at(10)).unwrap(), Some(Stretch { payloads, proof: vec![1, 2, 3] }));
    assert_eq!(remote.finality(at(BLOCKS)).unwrap(), None);
    assert_eq!(remote.finality(at(u64::MAX)).unwrap(), None);
    assert_eq!(remote.finality(at(32)).unwrap(), None, "the proof is due");
    let unproven = remote.finality(at(2)).unwrap_err().to_string();
    assert!(unproven.contains("nothing here proves the blocks after 2 final"), "{unproven}");
    let page: Vec<Vec<u8>> = (4..=BLOCKS).map(|number| block(number).encode()).collect();
    assert_eq!(remote.ordered_blocks(at(3)).unwrap(), page);
    assert_eq!(remote.ordered_blocks(at(BLOCKS)).unwrap(), Vec::<Vec<u8>>::new());
}

#[test]
fn refusals_name_the_rule() {
    let node = Node::new();
    let (_server, url) = serve(&node);
    let old = node.hash(1);
    let rows = [
        ("author_submitExtrinsic", json!(["0x00"]), 1_010, "Invalid Transaction"),
        ("state_call", json!(["Core_nothing", "0x"]), 4_003, "the runtime has no function Core_nothing"),
        ("state_queryStorageAt", json!([vec!["0x00"; 1_001]]), 4_002, "at most 1000 keys, not 1001"),
        ("author_submitExtrinsic", json!([]), -32_602, "parameter 0 (extrinsic): is missing"),
        ("author_submitExtrinsic", json!(["zz"]), -32_602, "write 0x"),
        ("author_submitExtrinsic", json!([hex(&vec![0; (256 << 10) + 1])]), -32_602, "at most 262144 bytes"),
        ("author_submitExtrinsic", json!([hex(&vec![0; 600 << 10])]), 0, ""),
        ("state_getStorage", json!(["0x123"]), -32_602, "parameter 0 (key)"),
        ("state_getStorage", json!([hex(&[0; 513])]), -32_602, "at most 512 bytes"),
        ("state_getStorage", json!([hex(b"n"), "0x12"]), -32_602, "a hash has 32 bytes"),
        (
            "state_getStorage",
            json!([hex(b"n"), Hash::ZERO.to_string()]),
            4_003,
            "Client error: UnknownBlock: 0x00",
        ),
        (
            "state_getStorage",
            json!([hex(b"n"), old]),
            4_003,
            "State already discarded: the state of block 1 is gone",
        ),
        ("state_getKeysPaged", json!(["0x", KEYS_PER_PAGE_MAX + 1]), 4_002, "1 to 1000 keys, not 1001"),
        ("state_getKeysPaged", json!(["0x"]), 4_002, "1 to 1000 keys, not 0"),
        ("busbar_getArchive", json!([1, "0x", 257]), -32_602, "1 to 256 rows, not 257"),
        ("busbar_getArchive", json!([256, "0x", 1]), -32_602, "no archive table 256"),
        ("chain_getBlockHash", json!(["five"]), -32_602, "is no number"),
        ("state_setStorage", json!([]), -32_601, "not found"),
    ];
    for (method, params, code, words) in rows {
        let (found, message) = ask(&url, method, params).unwrap_err();
        assert!(found == code && message.contains(words), "{method}: {found} {message}");
    }
}

#[test]
fn a_remote_state_is_the_local_one() {
    let node = Node::new();
    let (_server, url) = serve(&node);
    let remote = RemoteNode::at(&url.replace("http", "ws")).unwrap();
    let snapshot = node.store.snapshot();
    assert_eq!(remote.best().unwrap(), snapshot.hash());
    for height in [BLOCKS, BLOCKS - 3, BLOCKS - RECENT_BLOCKS_MAX] {
        let height = Height::from_number(height);
        let at = remote.block_hash(height).unwrap().unwrap();
        let (local, far) = (snapshot.at(height).unwrap(), remote.state(at));
        let walk = |state: &dyn Backend| Overlay::new(state).keys_with_prefix(b"", usize::MAX);
        let keys = walk(&local);
        assert_eq!(walk(&far), keys);
        assert_eq!(keys.len() as u64, height.number() + 2 - u64::from(height.number() >= 30));
        for key in &keys {
            assert_eq!((far.get(key), far.next_key(key)), (local.get(key), local.next_key(key)));
        }
        assert_eq!((far.get(b"none"), far.next_key(b"zz")), (None, None));
    }
    assert_eq!(remote.submit(EXTRINSIC).unwrap(), blake2_256(EXTRINSIC));
}

#[test]
fn receipts_and_archive_come_whole_however_large() {
    let node = Node::new();
    let (_server, url) = serve(&node);
    let remote = RemoteNode::at(&url).unwrap();
    let at = remote.block_hash(Height::from_number(7)).unwrap().unwrap();
    assert_eq!(remote.height(at).unwrap(), Some(Height::from_number(7)));
    assert_eq!(remote.height(Hash::ZERO).unwrap(), None);
    assert_eq!(remote.receipts(at).unwrap(), [receipt(7)]);
    assert!(remote.receipts(Hash::ZERO).is_err());
    for table in [1, 2] {
        let local = node.store.snapshot().archive_scan(table, b"k/", usize::MAX).unwrap();
        assert_eq!(remote.archive(table, b"k/").unwrap(), local);
        assert_eq!(local.len() as u64, BLOCKS + 1);
    }
    let pages = ask(&url, "busbar_getArchive", json!([2, "0x", 256])).unwrap();
    assert_eq!(pages.as_array().unwrap().len(), 2, "a page is bounded by its bytes");
}

#[test]
fn a_node_that_fails_is_an_error_and_never_an_empty_state() {
    let node = Node::new();
    let (server, url) = serve(&node);
    let remote = RemoteNode::at(&url).unwrap();
    let refused = remote.submit(b"?").unwrap_err();
    assert_eq!(refused.to_string(), "author_submitExtrinsic: Invalid Transaction: energy is zero");
    let gone = RemoteNode::reading(|| remote.state(Hash::ZERO).get(b"n")).unwrap_err();
    assert!(matches!(gone, ClientError::Refused { .. }));
    let state = remote.state(remote.best().unwrap());
    assert!(RemoteNode::reading(|| state.get(b"n")).unwrap().is_some());
    drop(server);
    let lost = RemoteNode::reading(|| state.next_key(b"n")).unwrap_err();
    assert!(matches!(lost, ClientError::Transport { method: "state_getKeysPaged", .. }));
    assert!(remote.best().is_err());
    for url in ["ftp://host", "127.0.0.1:9944", "http://"] {
        assert!(matches!(RemoteNode::at(url), Err(ClientError::Url { .. })), "{url}");
    }
    let other = RemoteNode::reading(|| -> () { panic!("of {}", "another shape") }).unwrap_err();
    assert!(matches!(other, ClientError::Foreign { reason } if reason == "of another shape"));
    assert!(!RemoteNode::is_reading());
}

#[test]
fn a_taken_port_is_named() {
    let node = Node::new();
    let (server, _) = serve(&node);
    let error = RpcServer::start(server.address(), View(node)).unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot listen on {}", server.address())));
}

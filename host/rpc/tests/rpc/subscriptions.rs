//! Subscriptions of a client that is connected by WebSocket, while blocks come.

use super::{BLOCKS, EXTRINSIC, Node, hex, key, serve};
use jsonrpsee::core::client::{Error, Subscription, SubscriptionClientT};
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::runtime::Runtime;

struct Client {
    runtime: Runtime,
    client: WsClient,
}

impl Client {
    fn of(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let url = url.replace("http", "ws");
        let client = runtime.block_on(WsClientBuilder::default().build(url)).unwrap();
        Self { runtime, client }
    }

    fn subscribe(
        &self,
        [method, end]: [&'static str; 2],
        params: Value,
    ) -> Result<Subscription<Value>, Error> {
        let mut list = ArrayParams::new();
        params.as_array().unwrap().iter().for_each(|value| list.insert(value).unwrap());
        self.runtime.block_on(self.client.subscribe(method, list, end))
    }

    fn next(&self, subscription: &mut Subscription<Value>) -> Value {
        let next = async { tokio::time::timeout(Duration::from_secs(20), subscription.next()).await };
        self.runtime.block_on(next).expect("a message comes in time").unwrap().unwrap()
    }
}

const HEADS: [[&str; 2]; 3] = [
    ["chain_subscribeAllHeads", "chain_unsubscribeAllHeads"],
    ["chain_subscribeFinalizedHeads", "chain_unsubscribeFinalizedHeads"],
    ["chain_subscribeNewHead", "chain_unsubscribeNewHeads"],
];
const STORAGE: [&str; 2] = ["state_subscribeStorage", "state_unsubscribeStorage"];
const WATCH: [&str; 2] = ["author_submitAndWatchExtrinsic", "author_unwatchExtrinsic"];
const VERSION: [&str; 2] = ["state_subscribeRuntimeVersion", "state_unsubscribeRuntimeVersion"];

#[test]
fn every_head_is_told_in_order_however_fast_blocks_come() {
    let node = Node::new();
    let (_server, url) = serve(&node);
    let client = Client::of(&url);
    let mut all: Vec<_> = HEADS.iter().map(|names| client.subscribe(*names, json!([])).unwrap()).collect();
    let number = |value: &Value| u64::from_str_radix(&value["number"].as_str().unwrap()[2..], 16).unwrap();
    for heads in &mut all {
        assert_eq!(number(&client.next(heads)), BLOCKS, "the best one first");
    }
    // More than wait for a connection, before anybody reads.
    let last = (0..150).fold(BLOCKS, |_, _| node.grow());
    for heads in &mut all {
        let told: Vec<u64> = (BLOCKS..last).map(|_| number(&client.next(heads))).collect();
        assert_eq!(told, (BLOCKS + 1..=last).collect::<Vec<_>>());
    }
}

#[test]
fn values_are_told_when_they_change_and_an_extrinsic_when_it_is_in_a_block() {
    let node = Node::new();
    let (_server, url) = serve(&node);
    let client = Client::of(&url);
    let mut values = client.subscribe(STORAGE, json!([[hex(b"n"), hex(&key(7))]])).unwrap();
    let first = client.next(&mut values);
    let n = |number: u64| hex(&[u8::try_from(number).unwrap()]);
    assert_eq!(first["block"], node.hash(BLOCKS));
    assert_eq!(first["changes"], json!([[hex(b"n"), n(BLOCKS)], [hex(&key(7)), hex(&7u64.to_le_bytes())]]));
    let mut fate = client.subscribe(WATCH, json!([hex(EXTRINSIC)])).unwrap();
    assert_eq!(client.next(&mut fate), json!("ready"));
    let grown = node.grow();
    assert_eq!(client.next(&mut fate), json!({ "inBlock": node.hash(grown) }));
    assert_eq!(client.next(&mut fate), json!({ "finalized": node.hash(grown) }));
    assert_eq!(
        client.next(&mut values),
        json!({ "block": node.hash(grown), "changes": [[hex(b"n"), n(grown)]] })
    );
    let mut version = client.subscribe(VERSION, json!([])).unwrap();
    assert_eq!(client.next(&mut version)["specName"], "busbar");
}

#[test]
fn a_subscription_that_cannot_be_is_refused_and_the_node_goes_on() {
    let node = Node::new();
    let (server, url) = serve(&node);
    let client = Client::of(&url);
    let refused = |names, params: Value| match client.subscribe(names, params).unwrap_err() {
        Error::Call(refusal) => (refusal.code(), refusal.data().map(|data| data.get().to_owned())),
        other => panic!("{other}"),
    };
    assert_eq!(refused(WATCH, json!(["0x00"])), (1_010, Some("\"energy is zero\"".to_owned())));
    assert_eq!(refused(WATCH, json!([])).0, -32_602);
    assert_eq!(refused(STORAGE, json!([])).0, -32_602, "not everything that is stored");
    assert_eq!(refused(STORAGE, json!([vec!["0x00"; 257]])).0, 4_002);
    let mut fate = client.subscribe(WATCH, json!([hex(EXTRINSIC)])).unwrap();
    assert_eq!(client.next(&mut fate), json!("ready"));
    drop(server);
    assert!(client.subscribe(HEADS[0], json!([])).is_err(), "the server is gone");
}

//! A node that answers anything: its clients end with an error that says what to do, and never panic or hang.

use crate::node_process::busbar;
use host_node::client::{Session, SessionError};
use host_rpc::{ClientError, RemoteNode};
use runtime_primitives::{Hash, blake2_256};
use runtime_state::{Backend, Overlay};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Serve `answer(method, params)` for as long as the test runs; gives the address.
fn node(answer: fn(&str, &Value) -> Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || serve(&stream.unwrap(), answer));
        }
    });
    url
}

/// The requests of one connection.
fn serve(mut stream: &TcpStream, answer: fn(&str, &Value) -> Value) {
    let mut lines = BufReader::new(stream);
    loop {
        let mut bytes = 0;
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim().to_lowercase();
            if let Some(count) = line.strip_prefix("content-length:") {
                bytes = count.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; bytes];
        lines.read_exact(&mut body).unwrap();
        let call: Value = serde_json::from_slice(&body).unwrap();
        let result = answer(call["method"].as_str().unwrap(), &call["params"]);
        let text = json!({ "jsonrpc": "2.0", "id": call["id"], "result": result }).to_string();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length";
        // A client that has gone reads nothing.
        let _ = write!(stream, "{head}: {}\r\n\r\n{text}", text.len());
    }
}

fn zero() -> Value {
    Hash::ZERO.to_string().into()
}

/// Every value is 0xff; every page of keys starts again.
fn garbage(method: &str, params: &Value) -> Value {
    match method {
        "state_getStorage" => "0xff".into(),
        "state_getKeysPaged" => json!([params[2], params[2]]),
        _ => zero(),
    }
}

/// A market with an empty schedule, and everything else as empty.
fn nothing(method: &str, _: &Value) -> Value {
    match method {
        "state_getStorage" => format!("0x{}", "00".repeat(400)).into(),
        "state_getKeysPaged" => json!([]),
        _ => zero(),
    }
}

/// One more key and one more block, always; no block has what is waited for.
fn endless(method: &str, params: &Value) -> Value {
    match method {
        "state_getKeysPaged" => {
            let after = params[2].as_str().unwrap();
            (1..=250).map(|more| Value::from(format!("{after}{}", "ff".repeat(more)))).collect()
        }
        "chain_getHeader" => json!({ "number": "0x1" }),
        "busbar_getReceipts" => "0x00".into(),
        "author_submitExtrinsic" => blake2_256(b"x").to_string().into(),
        _ => zero(),
    }
}

#[test]
fn commands_tell_what_is_wrong_with_a_strange_node() {
    for answer in [garbage, nothing] {
        let url = node(answer);
        for command in [&["market", "status"][..], &["market", "status", "--slot", "3"]] {
            let output = busbar(&[command, &["--rpc", &url]].concat()).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{command:?}: {said}");
            assert!(said.contains("check that --rpc") && !said.contains("panicked"), "{command:?}: {said}");
        }
    }
}

#[test]
fn a_walk_ends() {
    let walk = |answer| {
        let remote = RemoteNode::at(&node(answer)).unwrap();
        let state = remote.state(Hash::ZERO);
        RemoteNode::reading(|| Overlay::new(&state).keys_with_prefix(b"", usize::MAX)).unwrap_err()
    };
    assert!(matches!(walk(garbage), ClientError::Answer { method: "state_getKeysPaged" }));
    let remote = RemoteNode::at(&node(garbage)).unwrap();
    assert!(RemoteNode::reading(|| remote.state(Hash::ZERO).next_key(b"n")).is_err());
}

#[test]
fn patience_ends_while_blocks_come() {
    let session = Session::connect(&node(endless)).unwrap();
    let (began, patience) = (Instant::now(), Duration::from_millis(200));
    let ended = session.send(b"x", patience);
    assert!(matches!(ended, Err(SessionError::Timeout { .. })), "{ended:?}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

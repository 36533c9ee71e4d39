//! A node signs checkpoints of what it executed, and whoever has the chain's spec can check them.

use crate::node_process::{busbar, json};
use crate::running::Running;
use crate::theatre::config;
use host_consensus::SystemClock;
use host_node::chain_spec::{ChainSpec, Preset};
use host_node::keys::{Signer, SigningPolicy};
use host_node::wallet::Wallet;
use host_rpc::RemoteNode;
use runtime_execution::Call;
use runtime_execution::modules::system;
use std::fs;
use std::time::{Duration, Instant};
use tempfile::TempDir;

#[test]
fn a_spec_alone_tells_which_block_is_certified() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (data, spec, file) = (path("data"), path("spec.json"), path("checkpoints.json"));
    let mut config = config(Preset::Dev, folder.path().join("data").as_path(), 1);
    config.interval_ms = 50;
    config.genesis.epoch_blocks = 8;
    fs::write(&spec, ChainSpec::of_config(&config.genesis, config.interval_ms).to_json()).unwrap();
    let node = Running::start(config, SystemClock);
    let (address, genesis) = (node.address().unwrap(), node.chain().genesis());
    let url = format!("http://{address}");
    let remote = RemoteNode::at(&url).unwrap();
    let alice = Signer::new("//Alice".parse().unwrap(), SigningPolicy::Production);
    let mut alice = Wallet::new(alice, genesis);
    let began = Instant::now();
    while remote.status().unwrap().height < 16 {
        assert!(began.elapsed() < Duration::from_secs(20), "no blocks came");
        let remark = system::Call::Remark { remark: b"go on".to_vec() };
        let _ = remote.submit(&alice.sign(&Call::System(remark)));
        std::thread::sleep(Duration::from_millis(30));
    }
    let verify = |more: &[&str]| {
        let answer = busbar(&[&["verify", "--spec", &spec, "--json"], more].concat()).output().unwrap();
        (answer.status.code(), json(&answer))
    };
    let (code, told) = verify(&["--rpc", &url, "--write", &file]);
    assert_eq!((code, &told["number"], &told["epoch"]), (Some(0), &15.into(), &1.into()), "{told}");
    assert_eq!(told["certificates"], 2);
    node.stop();
    let (code, again) = verify(&["--checkpoints", &file, "--data", &data]);
    assert_eq!((code, &again["header"]), (Some(0), &told["header"]), "{again}");

    // A digit of the last signature is changed; then the spec is another chain's.
    let text = fs::read_to_string(&file).unwrap();
    let at = text.find("\n  ]").unwrap() - 2;
    let digit = if text.as_bytes()[at] == b'0' { "1" } else { "0" };
    let forged = [&text[..at], digit, &text[at + 1..]].concat();
    fs::write(&file, forged).unwrap();
    let (code, refused) = verify(&["--checkpoints", &file]);
    assert_eq!((code, &refused["verified"]), (Some(1), &false.into()), "{refused}");
    assert!(refused["error"].as_str().unwrap().contains("is not over this checkpoint"), "{refused}");
}

//! Exit codes of commands against a node: one path for all of them.

use crate::node_process::{Node, busbar};
use tempfile::TempDir;

#[test]
fn exit_codes_tell_refusals_from_wrong_use() {
    let folder = TempDir::new().unwrap();
    let node = Node::start(&folder.path().join("chain"), &["--scenario", "bare", "--dev-validator", "1"]);
    let floats = folder.path().join("floats.wat");
    std::fs::write(&floats, "(module (func (drop (f64.const 1))))").unwrap();
    let floats = floats.to_str().unwrap();
    let nobody = "http://127.0.0.1:1";
    for (arguments, url, code, words) in [
        // //Bob is bound to no entity, //Alice is no author: both are rules of the chain.
        (&["contract", "deploy", "high-low", "--key", "//Bob"][..], &*node.url, 3, "no registered key"),
        (&["contract", "deploy", "high-low", "--key", "//Alice"], &node.url, 3, "role"),
        (&["contract", "deploy", floats, "--key", "//Alice"], &node.url, 3, "contract check says more"),
        (&["contract", "deploy", "nosuch", "--key", "//Alice"], &node.url, 64, "cannot read nosuch"),
        (&["contract", "deploy", "high-low"], &node.url, 64, "<--key <URI>|--key-name <NAME>>"),
        (&["market", "agree", "0x1234", "--key", "//Bob"], &node.url, 64, "64 hexadecimal digits"),
        (
            &["contract", "deploy", "high-low", "--key", "//Alice"],
            nobody,
            1,
            "no node answers at http://127.0.0.1:1",
        ),
        (&["market", "top-up", "1", "--key", "//Alice"], &node.url, 3, "unknown market 0"),
        (&["market", "top-up", "one", "--key", "//Alice"], &node.url, 64, "amount of money"),
        (&["market", "top-up", "1", "--key", "//Alice"], nobody, 1, "no node answers at http://127.0.0.1:1"),
    ] {
        let output = busbar(&[arguments, &["--rpc", url]].concat()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    assert!(node.stop("-TERM"));
}

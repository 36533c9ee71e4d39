//! A state snapshot of a chain of four: a follower and a validator without a disk begin with it, and no bit of it can be
//! another.

use crate::network::Alice;
use crate::node_process::{Node, busbar, json};
use crate::validators::{PATIENCE, Validators, reaches};
use host_node::chain_spec::ChainSpec;
use host_node::checkpoint::Trusted;
use host_node::snapshot::{SnapshotError, check, inspect};
use host_rpc::RemoteNode;
use runtime_primitives::{Hash, Height};
use runtime_state::MemoryState;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const EPOCH_BLOCKS: u64 = 8;
/// A chain with short epochs, so that a few blocks lead through some.
const SPEC: [&str; 4] = ["--interval-ms", "50", "--epoch-blocks", "8"];
/// So long without a block means that none comes.
const STANDSTILL: Duration = Duration::from_secs(3);
/// A validator without a memory waits so long before it votes, and an epoch more.
const SILENCE: Duration = Duration::from_millis(5_600);

/// Order remarks until a height is reached.
fn order_to(network: &Validators, alice: &mut Alice, at: usize, height: u64) {
    while height_of(network, at) < height {
        alice.order(network, at);
    }
}

fn height_of(network: &Validators, number: usize) -> u64 {
    let node = network.remote(number);
    node.height(node.best().unwrap()).unwrap().unwrap().number()
}

/// Wait until the node has a certificate of a block.
fn certified(network: &Validators, number: usize, height: u64) {
    let began = Instant::now();
    while network.remote(number).status().unwrap().certified < height {
        assert!(began.elapsed() < PATIENCE, "{:?}", network.remote(number).status());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a command says that ends well.
fn done(line: &[&str]) -> Value {
    let output = busbar(line).output().unwrap();
    assert!(output.status.success(), "{line:?}: {output:?}");
    json(&output)
}

/// What a command says that does not.
fn refused(line: &[&str]) -> String {
    let output = busbar(line).output().unwrap();
    assert!(!output.status.success(), "{line:?}: {output:?}");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A network that has ordered up to two blocks into an epoch, and the snapshot that its last validator, which is stopped, wrote
/// of the epoch's beginning.
fn exported(folder: &Path, epochs: u64) -> (Validators, Alice, PathBuf) {
    let mut network = Validators::start(&SPEC, &[]);
    let mut alice = Alice::on(network.best(0));
    order_to(&network, &mut alice, 0, epochs * EPOCH_BLOCKS + 1);
    certified(&network, 3, epochs * EPOCH_BLOCKS - 1);
    assert!(network.take(3).stop("-INT"));
    let file = folder.join("state.snapshot");
    let (data, out) = (text(&network.data(3)), text(&file));
    let written = done(&["snapshot", "export", "--data", &data, "--out", &out, "--json"]);
    assert_eq!(written["height"], epochs * EPOCH_BLOCKS - 1, "{written}");
    (network, alice, file)
}

/// Whether a remark that the node takes in is ordered.
fn orders(network: &Validators, alice: &mut Alice, at: usize) -> bool {
    let before = network.best(at);
    network.remote(at).submit(&alice.remark(b"hello")).unwrap();
    let began = Instant::now();
    while began.elapsed() < STANDSTILL {
        if network.best(at) != before {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

fn same_headers(one: &RemoteNode, other: &RemoteNode, from: u64, to: u64) {
    for number in from..=to {
        let at = Height::from_number(number);
        assert_eq!(one.block_hash(at).unwrap(), other.block_hash(at).unwrap(), "block {number}");
    }
}

#[test]
fn a_follower_begins_with_a_snapshot_and_says_where_its_history_begins() {
    let folder = TempDir::new().unwrap();
    let (mut network, mut alice, file) = exported(folder.path(), 3);
    let (spec, file, base) = (text(&network.spec()), text(&file), 3 * EPOCH_BLOCKS - 1);
    let said = done(&["snapshot", "inspect", &file, "--json"]);
    let verified = done(&["snapshot", "verify", "--spec", &spec, &file, "--json"]);
    for field in ["height", "epoch", "header", "state_root", "entries"] {
        assert_eq!(said[field], verified[field], "{field}");
    }
    assert_eq!(
        (&said["height"], &said["epoch"], &said["certificates"]),
        (&base.into(), &2.into(), &3.into())
    );
    assert_eq!(said["bytes"], std::fs::metadata(&file).unwrap().len());

    // What cannot be exported, each with the next step.
    let (data, out) = (text(&network.data(3)), text(&folder.path().join("other")));
    let export = |more: &[&str]| {
        refused(&[&["snapshot", "export", "--data", &data, "--out", &out][..], more].concat())
    };
    for (height, fault) in
        [("9", "the nearest last ones are 7 and 15"), ("31", "height 31 is above the best block")]
    {
        assert!(export(&["--height", height]).contains(fault), "{height}");
    }
    let again = refused(&["snapshot", "export", "--data", &data, "--out", &file]);
    assert!(again.contains("is there"), "{again}");
    let running = text(&network.data(0));
    let said = refused(&["snapshot", "export", "--data", &running, "--out", &out]);
    assert!(said.contains("stop it first"), "{said}");

    // An empty folder, and nothing but the spec.
    let own = text(&folder.path().join("follower"));
    let begun = done(&["snapshot", "import", "--spec", &spec, "--data", &own, &file, "--json"]);
    assert_eq!(begun["header"], verified["header"]);
    let again = refused(&["snapshot", "import", "--spec", &spec, "--data", &own, &file]);
    assert!(again.contains("chain.redb is there"), "{again}");
    let alone = refused(&[
        "node",
        "--data",
        &own,
        "--no-rpc",
        "--dev-validator",
        "1",
        "--dev-validator",
        "2",
        "--dev-validator",
        "3",
        "--dev-validator",
        "4",
    ]);
    assert!(alone.contains(&format!("began with a snapshot of block {base}")), "{alone}");
    let replayed = refused(&["replay", &own]);
    assert!(replayed.contains(&format!("begins with block {}", base + 1)), "{replayed}");

    let url = network.node(0).url.clone();
    let follow = |data: &str| Node::start(Path::new(data), &["--follow", &url]);
    network.run(3);
    alice.order(&network, 3);
    let node = follow(&own);
    reaches(&node.url, network.agree_on(|_| true));
    drop(node);
    (0..EPOCH_BLOCKS).for_each(|_| alice.order(&network, 1));
    let node = follow(&own);
    let best = network.agree_on(|_| true);
    reaches(&node.url, best);
    let (remote, whole) = (RemoteNode::at(&node.url).unwrap(), network.remote(1));
    let height = whole.height(best).unwrap().unwrap().number();
    same_headers(&remote, &whole, base - 8, height);
    same_headers(&remote, &whole, 0, 0);
    let early = remote.block_hash(Height::from_number(1)).unwrap_err().to_string();
    assert!(
        early.contains("block 1 is before") && early.contains(&format!("begins with block {}", base + 1)),
        "{early}"
    );
    let early = remote.ordered_blocks(Height::ZERO).unwrap_err().to_string();
    assert!(early.contains("block 1 is before"), "{early}");
    let status = remote.status().unwrap();
    assert_eq!((status.silent_until_ms, status.first_block), (None, base + 1), "it never votes");
    let checked = done(&["verify", "--spec", &spec, "--rpc", &node.url, "--json"]);
    assert!(checked["number"].as_u64().unwrap() >= base, "{checked}");
    remote.submit(&alice.remark(b"from afar")).unwrap();
    reaches(&node.url, network.agree_on(|hash| hash != best));

    // It has a snapshot to give itself, of what came since.
    certified(&network, 0, 4 * EPOCH_BLOCKS - 1);
    while remote.status().unwrap().certified < 4 * EPOCH_BLOCKS - 1 {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(node.stop("-TERM"));
    let written = done(&["snapshot", "export", "--data", &own, "--out", &out, "--json"]);
    assert!(written["height"].as_u64().unwrap() > base, "{written}");
    done(&["snapshot", "verify", "--spec", &spec, &out, "--json"]);
}

#[test]
fn a_validator_without_a_disk_begins_with_a_snapshot_and_votes_once_it_cannot_contradict_itself() {
    let folder = TempDir::new().unwrap();
    let (mut network, mut alice, file) = exported(folder.path(), 2);
    let (spec, data) = (text(&network.spec()), network.data(3));
    let import = ["snapshot", "import", "--spec", &spec, "--data", &text(&data), &text(&file), "--json"];
    std::fs::remove_file(data.join("chain.redb")).unwrap();
    let kept = refused(&import);
    assert!(kept.contains("engine is there"), "what an engine has signed is not lost by mistake: {kept}");
    std::fs::remove_dir_all(&data).unwrap();
    done(&import);
    // Its former life may have gone on meanwhile, and voted in the next epoch: that is over when the new one first starts.
    std::thread::sleep(SILENCE);
    order_to(&network, &mut alice, 0, 3 * EPOCH_BLOCKS + 1);
    let woke = Instant::now();
    network.run(3);
    alice.order(&network, 0);
    let status = network.remote(3).status().unwrap();
    assert!(status.silent_until_ms.is_some(), "{status:?}");
    let shown = busbar(&["status", "--rpc", &network.node(3).url]).output().unwrap();
    assert!(String::from_utf8_lossy(&shown.stdout).contains("without a vote"), "{shown:?}");

    // Three of four decide. It has caught up, and is none of them: not in this epoch, whenever it is started.
    network.kill(2);
    assert!(!orders(&network, &mut alice, 0), "it votes in an epoch in which it may have voted before");
    network.kill(3);
    network.run(3);
    assert!(!orders(&network, &mut alice, 1), "it votes after another start");
    network.run(2);
    network.agree_on(|_| true);

    // The epoch after its silence is one in which nobody of that name can have voted.
    std::thread::sleep(SILENCE.saturating_sub(woke.elapsed()));
    let next = (height_of(&network, 0) / EPOCH_BLOCKS + 1) * EPOCH_BLOCKS;
    order_to(&network, &mut alice, 0, next + 1);
    let began = Instant::now();
    while network.remote(3).status().unwrap().silent_until_ms.is_some() {
        assert!(began.elapsed() < PATIENCE, "{:?}", network.remote(3).status());
        std::thread::sleep(Duration::from_millis(20));
    }
    network.kill(2);
    alice.order(&network, 3);
    network.kill(3);
    network.run(3);
    alice.order(&network, 0);
    order_to(&network, &mut alice, 1, next + 2 * EPOCH_BLOCKS + 1);
    network.run(2);
    alice.order(&network, 2);
    let best = network.agree_on(|_| true);
    let height = network.remote(0).height(best).unwrap().unwrap().number();
    for number in 1..4 {
        same_headers(&network.remote(number), &network.remote(0), 2 * EPOCH_BLOCKS - 1, height);
        assert_eq!(network.remote(number).status().unwrap().alarms, 0);
    }
}

#[test]
fn no_bit_of_a_snapshot_can_be_another() {
    let folder = TempDir::new().unwrap();
    let (network, _, file) = exported(folder.path(), 1);
    let (_, config) = ChainSpec::load(&network.spec()).unwrap();
    drop(network);
    let (trusted, good) = (Trusted::new(&config).unwrap(), std::fs::read(&file).unwrap());
    let verdict = |bytes: &[u8]| {
        check(bytes, &trusted, &mut MemoryState::new(), &mut |_| {}).map(|whole| whole.entries)
    };
    let whole = verdict(&good).unwrap();
    let content = inspect(&good[..], &mut |_| {}).unwrap();
    assert_eq!((content.entries, content.bytes), (whole, good.len() as u64));

    // The state begins with the first key of all that it has.
    let mut state = MemoryState::new();
    check(&good[..], &trusted, &mut state, &mut |_| {}).unwrap();
    let (key, value) = state.iter().next().unwrap();
    let first = [
        &u16::try_from(key.len()).unwrap().to_le_bytes()[..],
        &u32::try_from(value.len()).unwrap().to_le_bytes(),
        key,
    ]
    .concat();
    let head = good.windows(first.len()).position(|window| window == first).unwrap();
    let flipped = |bit: usize| {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let fault = verdict(&bad).expect_err(&format!("bit {bit}"));
        assert!(!matches!(fault, SnapshotError::Read { .. } | SnapshotError::Store(_)), "bit {bit}: {fault}");
        // Its form alone may stay.
        let _ = inspect(&bad[..], &mut |_| {});
    };
    (0..head * 8).for_each(flipped);
    let (mut random, state_bits) = (12_345_u64, (good.len() - head) * 8);
    for _ in 0..10_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        flipped(head * 8 + usize::try_from(random >> 33).unwrap() % state_bits);
    }
    // The tail: the end of the entries and their number.
    ((good.len() - 10) * 8..good.len() * 8).for_each(flipped);

    // It ends where it ends.
    let cuts = (0..head + 200).chain((head..good.len()).step_by(997)).chain(good.len() - 40..good.len());
    for cut in cuts {
        let fault = verdict(&good[..cut]).expect_err(&format!("cut at {cut}"));
        let named = matches!(fault, SnapshotError::Short { .. } | SnapshotError::NoSnapshot);
        assert!(named, "cut at {cut}: {fault}");
    }
    for more in [&[0][..], &[0, 0], &good[..]] {
        let fault = verdict(&[&good[..], more].concat()).unwrap_err();
        assert!(matches!(fault, SnapshotError::Trailing { .. }), "{fault}");
    }
    let mut stranger = trusted.clone();
    stranger.genesis = Hash::ZERO;
    let other = check(&good[..], &stranger, &mut MemoryState::new(), &mut |_| {}).unwrap_err();
    assert!(matches!(other, SnapshotError::OtherChain { .. }), "{other}");
}

//! A node on the system clock: it wakes on submission, rests otherwise, and stops with its block durable.

use crate::node_process::{busbar, json};
use crate::running::Running;
use crate::theatre::{A, B, SLOT, Theatre, config, on_a_vm_thread, signer};
use contract_interface::Stage;
use host_consensus::{Clock, SystemClock};
use host_node::agent::Desk;
use host_node::chain_spec::Preset;
use host_node::keys::{Signer, SigningPolicy};
use host_node::node::Alarm;
use host_node::scenario::MARKET;
use host_node::service::{Attesting, is_awaited};
use host_node::wallet::Wallet;
use host_rpc::RemoteNode;
use host_storage::Store;
use runtime_execution::Call;
use runtime_execution::modules::attestation::{self, BALLOTS};
use runtime_execution::modules::markets::SlotState;
use runtime_execution::modules::{system, timestamp};
use runtime_primitives::{Hash, Height, Timestamp};
use runtime_state::Overlay;
use std::time::{Duration, Instant};
use tempfile::TempDir;

#[test]
fn a_node_wakes_on_submission_rests_otherwise_and_stops_with_its_block_durable() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_owned();
    let mut config = config(Preset::Dev, &path, 1);
    config.interval_ms = 50;
    let node = Running::start(config, SystemClock);
    let (address, chain) = (node.address().unwrap(), node.chain().clone());
    let genesis = chain.genesis();
    let remote = RemoteNode::at(&format!("http://{address}")).unwrap();
    assert_eq!(remote.best().unwrap(), genesis);
    let alice = Signer::new("//Alice".parse().unwrap(), SigningPolicy::Production);
    let mut alice = Wallet::new(alice, genesis);
    let remark = |wallet: &mut Wallet, note: &[u8]| {
        wallet.sign(&Call::System(system::Call::Remark { remark: note.to_vec() }))
    };
    let first = remark(&mut alice, b"one");
    remote.submit(&first).unwrap();
    let began = Instant::now();
    while remote.best().unwrap() == genesis {
        assert!(began.elapsed() < Duration::from_secs(10), "no block came");
        std::thread::sleep(Duration::from_millis(5));
    }
    let again = remote.submit(&first).unwrap_err().to_string();
    assert!(again.contains("nonce 0 is used; the next is 1"), "{again}");
    let one = remote.best().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(remote.best().unwrap(), one, "a block without anything to do");
    let now = remote.state(one);
    let now: Timestamp = timestamp::NOW.get(&Overlay::new(&now)).unwrap();
    assert!(now.ms().abs_diff(SystemClock.now().ms()) < 60_000);
    remote.submit(&remark(&mut alice, b"two")).unwrap();
    while remote.best().unwrap() == one {
        std::thread::sleep(Duration::from_millis(5));
    }
    let url = format!("http://{address}");
    let status = || busbar(&["status", "--rpc", &url, "--json"]).output().unwrap();
    let calm = status();
    assert_eq!(calm.status.code(), Some(0), "{calm:?}");
    let told = json(&calm);
    assert_eq!(
        (&told["height"], &told["best"], &told["committee"], &told["extrinsics"], &told["alarms"]),
        (&2.into(), &remote.best().unwrap().to_string().into(), &0.into(), &2.into(), &0.into())
    );
    assert_eq!(told["attests_for"], serde_json::json!([4]), "the first validator of this chain");
    let own = chain.snapshot().hash();
    // One proposer's word is no alarm, a quorum's is.
    let height = Height::from_number(2);
    let by = Signer::new(Preset::Dev.session_key(3), SigningPolicy::Production).engine_secret().public();
    chain.health().raise(Alarm::Header { height, own, proposed: genesis, by });
    let warned = status();
    assert_eq!((warned.status.code(), &json(&warned)["warnings"]), (Some(0), &1.into()), "{warned:?}");
    let said = json(&warned)["latest_warnings"][0].as_str().unwrap().to_owned();
    assert!(said.contains(&genesis.to_string()) && said.contains(&Hash(by.0).to_string()), "{said}");
    chain.health().raise(Alarm::Final { height: height.next(), executed: height, own, ordered: genesis });
    let alarmed = status();
    assert_eq!((alarmed.status.code(), &json(&alarmed)["alarms"]), (Some(1), &1.into()), "{alarmed:?}");
    assert!(json(&alarmed)["latest_alarms"][0].as_str().unwrap().contains("busbar replay"));
    drop(chain);
    node.stop();
    let store = Store::open(&path.join("chain.redb")).unwrap();
    assert_eq!((store.best().0, store.best().1), (Height::from_number(2), own));
}

#[test]
fn a_session_that_is_nobodys_yet_serves_and_waits() {
    let folder = TempDir::new().unwrap();
    let mut config = config(Preset::Dev, folder.path(), 0);
    config.interval_ms = 50;
    config.sessions.push(signer("nobody", "session"));
    let node = Running::start(config, SystemClock);
    node.reach(Height::ZERO);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(node.chain().snapshot().height(), Height::ZERO, "a block without anything to do");
    assert_eq!(node.chain().waiting(), 0, "it votes on nothing");
    node.stop();
}

#[test]
fn a_vote_is_awaited_until_it_is_counted() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut theatre = Theatre::open(&folder.path().join("chain"));
        theatre.set_up();
        theatre.play_until(SlotState::Confirmed, &[A, B]);
        let chain = theatre.service.chain();
        let session = Signer::new(Preset::Paper.session_key(1), SigningPolicy::Production);
        let mut attesting = Attesting::new(chain, vec![session], folder.path()).unwrap();
        let open = chain.snapshot();
        let votes = attesting.votes(&open);
        assert_eq!(votes.len(), 1);
        assert!(is_awaited(&open, &votes[0]));
        theatre.pass();
        assert!(!is_awaited(&theatre.service.chain().snapshot(), &votes[0]), "it voted for itself");
        theatre.play_until(SlotState::Metering, &[A, B]);
        let closed = theatre.service.chain().snapshot();
        let (state, at) = (Overlay::new(&closed), (MARKET, SLOT));
        let stage = Stage::Authentication;
        assert!(BALLOTS.get(&state, &attestation::key(at, stage, 0)).is_some(), "its ballot is still there");
        assert!(Desk::open(&state, at).unwrap().ballot(stage).is_none(), "and takes no votes");
    });
}

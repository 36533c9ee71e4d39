//! A household far from the node: its trade settles, and it opposes what its meter denies.

use crate::theatre::{SLOT, Theatre, identity, on_a_vm_thread, plan_of_a, remote, signer};
use host_node::agent::{Deed, Desk, Done, RemoteError, RemoteHousehold};
use host_node::chain_spec::ChainSpec;
use host_node::replay::replay;
use host_node::scenario::{MARKET, paper};
use host_node::trade::Life;
use host_node::wallet::Wallet;
use host_storage::Store;
use runtime_execution::Call;
use runtime_execution::modules::markets::SlotState;
use runtime_execution::modules::registry::{self, ENTITIES};
use runtime_state::Overlay;
use runtime_vm::{EngineKind, Vm};
use tempfile::TempDir;

#[test]
fn the_papers_trade_settles_with_a_played_over_rpc() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut theatre = Theatre::open(folder.path());
        theatre.set_up();
        let connect = |identity| {
            let vm = Vm::new(EngineKind::Wasmtime).unwrap();
            RemoteHousehold::connect(remote(&theatre.service), identity, MARKET, plan_of_a(), vm).map(drop)
        };
        let (delegate, meter_key) = (|| signer("A", "delegate"), || signer("A", "meter"));
        let stranger = connect(identity(signer("B", "delegate"), meter_key(), 0)).unwrap_err();
        assert!(matches!(stranger, RemoteError::NotADelegate { .. }));
        let foreign = connect(identity(delegate(), meter_key(), 1)).unwrap_err();
        assert!(matches!(foreign, RemoteError::NotItsMeter { .. }));
        let forged = connect(identity(delegate(), signer("B", "meter"), 0)).unwrap_err();
        assert!(matches!(forged, RemoteError::OtherMeterKey { .. }));

        let vm = Vm::new(EngineKind::Wasmtime).unwrap();
        let identity = identity(delegate(), meter_key(), 0);
        let node = remote(&theatre.service);
        let mut a = RemoteHousehold::connect(node, identity, MARKET, plan_of_a(), vm).unwrap();
        let mut done: Vec<Done> = Vec::new();
        loop {
            let round = a.round().unwrap();
            done.extend(round.done);
            if round.over {
                break;
            }
            assert!(a.round().unwrap().done.is_empty(), "one look at a block is enough");
            theatre.act();
        }
        let outcomes: Vec<_> = done.iter().map(|done| done.outcome.is_ok()).collect();
        assert_eq!(outcomes, [true; 4], "{done:?}");
        let [bid, confirm, read, vote] = [0, 1, 2, 3].map(|index| &done[index].deed);
        assert!(matches!(bid, Deed::Bid(intent) if intent.energy.wh() == 10_000));
        assert_eq!(*confirm, Deed::Confirm(vec![0]));
        assert!(matches!(read, Deed::Read((_, export)) if export.wh() == 10_000));
        assert!(matches!(vote, Deed::Vote { agrees: true, report: Some(_), .. }));
        drop((a, theatre));

        let path = folder.path().join("chain.redb");
        let store = Store::open(&path).unwrap();
        let snapshot = store.snapshot();
        let life = Life::read(&snapshot, "500/0".parse().unwrap()).unwrap();
        assert_eq!(life.faults, Vec::<String>::new());
        let paid: Vec<u128> = life.payouts.iter().map(|payout| payout.amount.units()).collect();
        assert_eq!(paid, [67_000_000, 2_000_000]);
        let config = ChainSpec::find(&path, &snapshot).unwrap();
        assert_eq!(replay(&snapshot, &config, |_| {}).unwrap().last, snapshot.hash());
    });
}

#[test]
fn a_household_opposes_what_its_meter_denies() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut theatre = Theatre::open(folder.path());
        theatre.set_up();
        let mut plan = plan_of_a();
        let vm = Vm::new(EngineKind::Wasmtime).unwrap();
        let identity = identity(signer("A", "delegate"), signer("A", "meter"), 0);
        let mut a =
            RemoteHousehold::connect(remote(&theatre.service), identity, MARKET, plan.clone(), vm).unwrap();
        // Play until A's reading is in; then look with the eyes of a household whose meter says something else.
        while theatre.state_of_slot() != Some(SlotState::Voting) {
            a.round().unwrap();
            theatre.act();
        }
        plan.registers.entry(SLOT).and_modify(|own| own.1 = own.1.saturating_add(own.1));
        let vm = Vm::new(EngineKind::Wasmtime).unwrap();
        let identity = self::identity(signer("A", "delegate"), signer("A", "meter"), 0);
        let mut denies =
            RemoteHousehold::connect(remote(&theatre.service), identity, MARKET, plan, vm).unwrap();
        let mut votes = Vec::new();
        while votes.is_empty() && theatre.state_of_slot() == Some(SlotState::Voting) {
            votes.extend(denies.round().unwrap().done);
            let snapshot = theatre.service.chain().snapshot();
            let state = Overlay::new(&snapshot);
            let desk = Desk::open(&state, (MARKET, SLOT)).unwrap();
            let posted = theatre.cast.operator.post_list(&desk);
            theatre.submit(posted.into_iter().collect());
            theatre.pass();
        }
        assert!(matches!(votes[0].deed, Deed::Vote { agrees: false, .. }), "{votes:?}");
        assert!(votes[0].outcome.is_ok() && votes[0].deed.to_string().starts_with("ALERT"));
    });
}

#[test]
fn a_household_killed_after_its_commitment_reveals_and_trades() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut script = paper().unwrap();
        script.windows.reveal_s = 60;
        let mut theatre = Theatre::playing(script, folder.path());
        theatre.set_up();
        let a = |theatre: &Theatre| {
            let vm = Vm::new(EngineKind::Wasmtime).unwrap();
            let identity = identity(signer("A", "delegate"), signer("A", "meter"), 0);
            RemoteHousehold::connect(remote(&theatre.service), identity, MARKET, plan_of_a(), vm).unwrap()
        };
        let mut first = a(&theatre);
        let bid = first.round().unwrap().done;
        assert!(matches!(bid[0].deed, Deed::Bid(_)) && bid[0].outcome.is_ok(), "{bid:?}");
        drop(first);
        let mut second = a(&theatre);
        let mut deeds: Vec<Done> = Vec::new();
        loop {
            theatre.act();
            let round = second.round().unwrap();
            deeds.extend(round.done);
            if round.over {
                break;
            }
        }
        assert!(deeds.iter().all(|done| done.outcome.is_ok()), "{deeds:?}");
        assert!(matches!(deeds[0].deed, Deed::Reveal(intent) if intent.energy.wh() == 10_000), "{deeds:?}");
        assert_eq!(deeds.len(), 4, "reveal, confirm, read, vote: {deeds:?}");
        drop((second, theatre));

        let path = folder.path().join("chain.redb");
        let store = Store::open(&path).unwrap();
        let snapshot = store.snapshot();
        let life = Life::read(&snapshot, "500/0".parse().unwrap()).unwrap();
        assert_eq!(life.faults, Vec::<String>::new());
        let paid: Vec<u128> = life.payouts.iter().map(|payout| payout.amount.units()).collect();
        assert_eq!(paid, [67_000_000, 2_000_000]);
    });
}

#[test]
fn a_household_votes_for_those_it_is_proxy_for() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut theatre = Theatre::open(folder.path());
        let b = theatre.cast.households[1].entity;
        let voting_key = |theatre: &Theatre| {
            let snapshot = theatre.service.chain().snapshot();
            ENTITIES.get(&Overlay::new(&snapshot), &b).and_then(|entity| entity.voting_key)
        };
        while voting_key(&theatre).is_none() {
            theatre.act();
        }
        let mut owner = Wallet::new(signer("B", "owner"), theatre.service.chain().genesis());
        owner.refresh(&Overlay::new(&theatre.service.chain().snapshot()));
        let proxy = theatre.cast.households[0].entity;
        theatre.submit(vec![owner.sign(&Call::Registry(registry::Call::SetProxy { proxy: Some(proxy) }))]);
        theatre.set_up();
        let vm = Vm::new(EngineKind::Wasmtime).unwrap();
        let identity = identity(signer("A", "delegate"), signer("A", "meter"), 0);
        let mut a =
            RemoteHousehold::connect(remote(&theatre.service), identity, MARKET, plan_of_a(), vm).unwrap();
        let mut voters = Vec::new();
        loop {
            let round = a.round().unwrap();
            voters.extend(round.done.iter().filter_map(|done| match done.deed {
                Deed::Vote { voter, agrees: true, .. } if done.outcome.is_ok() => Some(voter),
                _ => None,
            }));
            if round.over {
                break;
            }
            theatre.act();
        }
        voters.sort_unstable();
        voters.dedup();
        assert_eq!(voters, [proxy, b]);
    });
}

//! Nodes that never were validators follow a chain of four: late, from one another, past liars, and whoever stops.

use crate::network::Alice;
use crate::node_process::{Node, busbar, json};
use crate::theatre::on_a_vm_thread;
use crate::validators::{PATIENCE, Validators, reaches};
use host_node::chain_spec::ChainSpec;
use host_node::checkpoint::Keeper;
use host_node::follow::{Follower, NoSource, Source, Step};
use host_node::node::Chain;
use host_rpc::{ClientError, RemoteNode};
use host_storage::Stretch;
use runtime_primitives::{Hash, Height};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A chain with short epochs, so that a few blocks lead through some.
const SPEC: [&str; 4] = ["--interval-ms", "50", "--epoch-blocks", "8"];

/// Run a follower of the nodes at `urls`.
fn follower(spec: &Path, data: &Path, urls: &[&str]) -> Node {
    let spec = spec.display().to_string();
    let line: Vec<&str> =
        ["--spec", &spec].into_iter().chain(urls.iter().flat_map(|url| ["--follow", url])).collect();
    Node::start(data, &line)
}

#[test]
fn whoever_has_the_spec_follows_and_serves() {
    let mut network = Validators::start(&SPEC, &[]);
    let mut alice = Alice::on(network.best(0));
    // One that is away for long catches up backwards from the end: it has few proofs.
    network.kill(3);
    (0..20).for_each(|number| alice.order(&network, number % 3));
    network.run(3);
    let best = network.agree_on(|_| true);

    let folder = TempDir::new().unwrap();
    let urls: Vec<String> = (0..4).map(|number| network.node(number).url.clone()).collect();
    let data = folder.path().join("follower");
    let first = follower(&network.spec(), &data, &[&urls[3], &urls[0]]);
    reaches(&first.url, best);
    let (validator, remote) = (network.remote(1), RemoteNode::at(&first.url).unwrap());
    let height = remote.height(best).unwrap().unwrap();
    for number in 0..=height.number() {
        let at = Height::from_number(number);
        assert_eq!(remote.block_hash(at).unwrap(), validator.block_hash(at).unwrap(), "block {number}");
    }
    let status = remote.status().unwrap();
    assert_eq!((status.committee, status.alarms, status.attests_for.len()), (4, 0, 0));
    assert!(!remote.health().unwrap().should_have_peers, "it asks, and nobody is connected with it");
    assert!(validator.health().unwrap().should_have_peers);

    // What it takes in lands in a block; whoever follows it learns of that, and can check its checkpoints.
    remote.submit(&alice.remark(b"from afar")).unwrap();
    let best = network.agree_on(|hash| hash != best);
    reaches(&first.url, best);
    let second = follower(&network.spec(), &folder.path().join("second"), &[&first.url]);
    reaches(&second.url, best);
    let spec = network.spec().display().to_string();
    let verified =
        || json(&busbar(&["verify", "--spec", &spec, "--rpc", &second.url, "--json"]).output().unwrap());
    let began = Instant::now();
    while verified()["epoch"] != 1 {
        assert!(began.elapsed() < PATIENCE, "{}", verified());
        std::thread::sleep(Duration::from_millis(50));
    }

    // It goes on when those it follows stop, but for one; and from where it was.
    network.kill(3);
    alice.order(&network, 1);
    assert!(first.stop("-INT"));
    alice.order(&network, 2);
    let first = follower(&network.spec(), &data, &[&urls[3], &urls[0]]);
    let best = network.agree_on(|_| true);
    reaches(&first.url, best);
    let replayed = {
        assert!(first.stop("-TERM"));
        busbar(&["replay", &data.display().to_string(), "--json"]).output().unwrap()
    };
    let replayed = json(&replayed);
    let last = Height::from_number(replayed["blocks"].as_u64().unwrap());
    assert!(last >= network.remote(0).height(best).unwrap().unwrap());
    let theirs = network.remote(0).block_hash(last).unwrap().unwrap();
    assert_eq!(replayed["final_header_hash"], theirs.to_string());
}

/// What a liar does to an honest node's answers.
#[derive(Clone, Copy)]
struct Lie {
    finality: fn(&mut Stretch),
    blocks: fn(&mut Vec<Vec<u8>>),
    genesis: fn(&mut Hash),
    certificates: fn(&mut Vec<Vec<u8>>),
    /// What it is told; nothing, where its answer cannot be read and it is asked again later.
    fault: &'static str,
}

const HONEST: Lie =
    Lie { finality: |_| {}, blocks: |_| {}, genesis: |_| {}, certificates: |_| {}, fault: "" };

/// An honest node, but for what it lies about.
struct Liar {
    node: RemoteNode,
    lie: Lie,
}

impl Source for Liar {
    fn name(&self) -> &str {
        "liar"
    }

    fn genesis(&self) -> Result<Option<Hash>, ClientError> {
        let mut genesis = Source::genesis(&self.node)?.unwrap();
        (self.lie.genesis)(&mut genesis);
        Ok(Some(genesis))
    }

    fn height(&self) -> Result<u64, ClientError> {
        Source::height(&self.node)
    }

    fn finality(&self, height: Height) -> Result<Option<Stretch>, ClientError> {
        let mut claim = self.node.finality(height)?;
        claim.iter_mut().for_each(self.lie.finality);
        Ok(claim)
    }

    fn blocks(&self, height: Height) -> Result<Vec<Vec<u8>>, ClientError> {
        let mut blocks = self.node.ordered_blocks(height)?;
        (self.lie.blocks)(&mut blocks);
        Ok(blocks)
    }

    fn certificates(&self, height: u64) -> Result<Vec<Vec<u8>>, ClientError> {
        let mut page = self.node.certificates(height)?;
        (self.lie.certificates)(&mut page);
        Ok(page)
    }
}

const LIES: [Lie; 12] = [
    Lie { genesis: |genesis| genesis.0[0] ^= 1, fault: "it is a node of chain", ..HONEST },
    Lie { finality: |claim| claim.payloads.clear(), ..HONEST },
    Lie { finality: |claim| claim.payloads.resize(20_000, Hash::ZERO), ..HONEST },
    Lie { finality: |claim| claim.payloads.resize(8, Hash::ZERO), ..HONEST },
    Lie { finality: |claim| claim.payloads[0].0[5] ^= 4, fault: "the blocks lead to", ..HONEST },
    Lie {
        finality: |claim| claim.payloads.truncate(claim.payloads.len() - 1),
        fault: "the blocks lead to",
        ..HONEST
    },
    Lie {
        finality: |claim| *claim.proof.last_mut().unwrap() ^= 1,
        fault: "not signed by a quorum",
        ..HONEST
    },
    Lie { finality: |claim| claim.proof.truncate(40), ..HONEST },
    Lie {
        blocks: |blocks| *blocks[1].last_mut().unwrap() ^= 1,
        fault: "block 2: what it gives hashes to",
        ..HONEST
    },
    Lie { blocks: |blocks| blocks.swap(0, 1), fault: "block 1: what it gives hashes to", ..HONEST },
    Lie { certificates: |page| page.insert(0, vec![1, 2]), ..HONEST },
    Lie {
        certificates: |page| *page[0].last_mut().unwrap() ^= 1,
        fault: "a certificate of a checkpoint proves nothing",
        ..HONEST
    },
];

#[test]
fn a_source_that_lies_is_refused_by_name_and_the_next_is_followed() {
    let network = Validators::start(&SPEC, &[]);
    let mut alice = Alice::on(network.best(0));
    (0..10).for_each(|number| alice.order(&network, number % 4));
    let best = network.agree_on(|_| true);
    let (spec, url) = (network.spec(), network.node(0).url.clone());
    on_a_vm_thread(move || {
        let (_, config) = ChainSpec::load(&spec).unwrap();
        let source = |lie| Box::new(Liar { node: RemoteNode::at(&url).unwrap(), lie }) as Box<dyn Source>;
        let open = |sources: Vec<Box<dyn Source>>| {
            let folder = TempDir::new().unwrap();
            let chain = Arc::new(Chain::open(&folder.path().join("chain.redb"), &config).unwrap());
            let checkpoints = Arc::new(Keeper::open(folder.path(), &chain, Vec::new()).unwrap());
            (Follower::new(chain.clone(), checkpoints, sources).unwrap(), chain, folder)
        };
        for lie in LIES {
            let (mut follower, chain, _folder) = open(vec![source(lie)]);
            if lie.fault.is_empty() {
                while follower.step().unwrap() != Step::Failed {}
                assert_eq!(follower.step().unwrap(), Step::Failed, "it rests and is not refused");
                continue;
            }
            let refused = loop {
                match follower.step() {
                    Ok(_) => {}
                    Err(refused) => break refused,
                }
            };
            assert!(matches!(refused, NoSource::AllLie(_)), "{refused}");
            let said = refused.to_string();
            assert!(
                said.contains("Refused: liar: ") && said.contains(lie.fault),
                "{said}: not {:?}",
                lie.fault
            );
            let may_execute = lie.fault.contains("certificate");
            assert!(may_execute || chain.snapshot().height().number() <= 1, "{said}");
        }
        let mut sources: Vec<Box<dyn Source>> = LIES.into_iter().map(source).collect();
        sources.push(source(HONEST));
        let (mut follower, chain, _folder) = open(sources);
        while follower.step().unwrap() != Step::Level {}
        assert_eq!(chain.snapshot().hash(), best);
    });
}

#[test]
fn a_chain_without_engines_is_not_followed() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().display().to_string();
    let line = [&Node::line(&data)[..], &["--scenario", "dev", "--follow", "http://127.0.0.1:9"]].concat();
    let refused = busbar(&line).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("no engines"), "{said}");
}

//! Whole nodes in a simulated network: the real chain, pool, contracts, store, attestors and wiring, from one seed.
//!
//! `BUSBAR_SEEDS=A..B` runs other seeds; a failure names its seed. What a run must keep is in `audit`, and nowhere else.
#![allow(clippy::unwrap_used, reason = "tests")]

mod audit;
mod body;
mod broken;
mod byzantine;
mod clients;
mod network;
mod node;
mod scene;
mod set_changes;
#[path = "../../../host/consensus/tests/simulator/mod.rs"]
mod simulator;
mod weather;

use audit::{Findings, audit};
use body::{Body, state_of};
use busbar_tests::machine::on_vm_thread;
use byzantine::{Conduct, LIARS};
use commonware_glue::simulate::action::Crash;
use commonware_glue::simulate::engine::EngineDefinition as _;
use commonware_glue::simulate::plan::PlanBuilder;
use cpu_time::ThreadTime;
use host_consensus::{Application as _, Parent, Proposal};
use host_node::node::Alarm;
use network::{AllSettled, Network};
use runtime_primitives::{Executed, OrderedBlock};
use runtime_vm::VM_THREAD_STACK_BYTES;
use scene::Scene;
use simulator::{Polled, each, seeds};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use weather::Weather;

/// A run that is not over by then has lost its liveness: it takes a third of this.
const PATIENCE: Duration = Duration::from_secs(180);

/// Names its seed if the test fails.
struct Seed(u64);

/// Says where all stand if a run does not end.
struct Standing<'a>(&'a Scene, &'a [Arc<Body>], &'a Weather);

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:?}", self.2);
            for body in self.1 {
                let chain = body.chain();
                let slots: Vec<_> = self.0.slots().map(|slot| state_of(&chain, slot)).collect();
                let (height, waiting) = (chain.snapshot().height(), chain.waiting());
                eprintln!(
                    "node {}: block {height}, {waiting} waiting, {slots:?}, restarts {:?}",
                    body.index,
                    body.crashes()
                );
            }
        }
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with BUSBAR_SEEDS={}..{}", self.0, self.0 + 1);
        }
    }
}

/// What a run gave: the simulator's fingerprint, what the audit says, how many restarts and failed disks there were, and
/// alarms of honest nodes over what a validator signed as a checkpoint.
struct Run {
    fingerprint: String,
    findings: Findings,
    crashes: (u32, u32),
    /// How often power failed under an engine's own files.
    engine_failures: u64,
    alarms: usize,
}

/// Play a market day in this weather until every honest validator has it settled; the validators from 0 on behave so, all
/// others as the weather says.
fn play(seed: u64, weather: &Weather, conducts: &[Conduct]) -> Run {
    play_until(seed, weather, conducts, |body| body.conduct.is_honest)
}

/// The same, until those have it settled that are `awaited`.
fn play_until(seed: u64, weather: &Weather, conducts: &[Conduct], awaited: fn(&Body) -> bool) -> Run {
    play_in(Scene::of(weather.validators), seed, weather, conducts, awaited)
}

/// The same in a scene.
fn play_in(
    scene: &'static Scene,
    seed: u64,
    weather: &Weather,
    conducts: &[Conduct],
    awaited: fn(&Body) -> bool,
) -> Run {
    let body = |index: usize| {
        let drawn = weather.liars.get(&index).map_or(Conduct::HONEST, |(_, conduct)| *conduct);
        let conduct = conducts.get(index).copied().unwrap_or(drawn);
        Arc::new(Body::new(scene, index, conduct, seed, weather.failures[index].clone()))
    };
    let bodies: Arc<Vec<_>> = Arc::new((0..weather.validators).map(body).collect());
    for (node, times, operations) in &weather.engine_failures {
        bodies[*node].power.fail_within(times.clone(), *operations);
    }
    let network = Network { scene, bodies: bodies.clone(), ahead_ms: weather.ahead_ms.clone() };
    let who = network.participants();
    let last = scene.slots().last().unwrap();
    let plan = PlanBuilder::new(network)
        .seed(seed)
        .link(weather.lines.link())
        .timeout(PATIENCE)
        .exit_condition(Polled(AllSettled { bodies: bodies.clone(), awaited, slot: last }))
        .crash(Crash::Schedule(weather.schedule(&who)));
    let _told = Standing(scene, &bodies, weather);
    let fingerprint = plan.run().unwrap()[0].state.clone();
    let crashes = bodies.iter().map(|body| body.crashes());
    let crashes = crashes.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    let honest = bodies.iter().filter(|body| body.conduct.is_honest);
    let raised = honest.flat_map(|body| body.chain().health().findings().latest);
    let alarms = raised.filter(|alarm| matches!(alarm, Alarm::Checkpoint { .. })).count();
    let engine_failures = bodies.iter().map(|body| body.power.failures()).sum();
    Run { fingerprint, findings: audit(scene, &bodies), crashes, engine_failures, alarms }
}

/// What all seeds of one number of validators came to.
#[derive(Debug, Default)]
struct Sum {
    days: usize,
    traded: usize,
    restarts: u32,
    failed_disks: u32,
    engine_failures: u64,
    checkpoints: usize,
    liars: BTreeMap<&'static str, usize>,
}

#[test]
fn through_loss_cuts_crashes_failing_disks_and_lies_a_day_is_settled_once_and_alike() {
    let runs = each(seeds(0..52), VM_THREAD_STACK_BYTES, |seed| {
        let _named = Seed(seed);
        let (weather, began) = (Weather::of(seed), ThreadTime::now());
        let run = play(seed, &weather, &[]);
        assert_eq!(run.findings.violations, []);
        assert!(run.findings.checkpoints > 0);
        let liars: Vec<_> = weather.liars.values().map(|(name, _)| *name).collect();
        let (settled, ms) = (&run.findings.settled, began.elapsed().as_millis());
        eprintln!(
            "seed {seed}: {} validators, {liars:?}, {settled:?}, restarts and failed disks {:?}, {ms} ms of a core",
            weather.validators, run.crashes
        );
        (weather, run)
    });
    let mut sums: BTreeMap<usize, Sum> = BTreeMap::new();
    for (weather, run) in &runs {
        let sum = sums.entry(weather.validators).or_default();
        sum.days += 1;
        sum.traded += usize::from(run.findings.settled.values().any(|trades| *trades > 0));
        sum.restarts += run.crashes.0;
        sum.failed_disks += run.crashes.1;
        sum.engine_failures += run.engine_failures;
        sum.checkpoints += run.findings.checkpoints;
        weather.liars.values().for_each(|(name, _)| *sum.liars.entry(name).or_default() += 1);
    }
    println!("{} seeds, by number of validators: {sums:#?}", runs.len());
    let of_all = |count: fn(&Sum) -> usize| sums.values().map(count).sum::<usize>();
    let (restarts, failed) = (of_all(|sum| sum.restarts as usize), of_all(|sum| sum.failed_disks as usize));
    let (days, traded) = (of_all(|sum| sum.days), of_all(|sum| sum.traded));
    if days >= 8 {
        assert!(restarts * 2 >= days && failed * 4 >= days, "the weather was too fair: {restarts}, {failed}");
        assert!(sums.values().any(|sum| sum.engine_failures > 0), "{sums:?}");
        assert!(traded * 4 >= days * 3, "trades were settled on {traded} of {days} days only");
        assert!(sums.len() == 4 && sums.values().all(|sum| sum.traded > 0), "{sums:?}");
    }
}

#[test]
fn one_liar_among_four_changes_nothing() {
    for (name, liar) in LIARS {
        let runs = each(seeds(100..101), VM_THREAD_STACK_BYTES, |seed| {
            let _named = Seed(seed);
            play(seed, &Weather::fair(4), &[liar])
        });
        for Run { findings, alarms, .. } in runs {
            assert_eq!(findings.violations, [], "{name}");
            let Findings { settled, votes: (right, ordered), forks, checkpoints, .. } = findings;
            // One that executes differently falls out while the first slot is traded.
            let last = Scene::of(4).slots().last().unwrap();
            assert!(settled[&last] > 0 && checkpoints > 0, "{name}: {settled:?}");
            // The lie was told.
            match name {
                "wrong executor" => assert_eq!(forks, 1),
                "checkpoint forger" => assert!(alarms > 0),
                _ => assert!(ordered > right, "{name}: {ordered} votes"),
            }
        }
    }
}

#[test]
fn a_seed_tells_everything() {
    on_vm_thread(|| {
        let fingerprint = |seed| play(seed, &Weather::of(seed), &[]).fingerprint;
        assert_eq!(fingerprint(3), fingerprint(3));
    });
}

/// Seed 10 found a chain that stood still: a block had lost its votes for good, and nobody had anything else to order.
#[test]
fn a_block_that_orders_something_and_is_not_final_is_followed_by_an_empty_one() {
    on_vm_thread(|| {
        let scene = Scene::of(4);
        let (chain, _keeper) = Body::new(scene, 0, Conduct::HONEST, 0, Vec::new()).wake();
        let (height, timestamp) = (chain.snapshot().height().next(), scene.begins());
        let executed = Executed { height: chain.snapshot().height(), header_hash: chain.genesis() };
        let block = |extrinsics| OrderedBlock { height, executed, timestamp, extrinsics };
        let something = block(vec![scene.stages[0][0].bytes.clone()]);
        let rows = [(&something, 1_999, false), (&something, 2_000, true), (&block(vec![]), 60_000, false)];
        for (above, after_ms, is_proposed) in rows {
            let parent = Parent { height, timestamp };
            let proposal = chain.propose(&parent, &[above], timestamp.plus_ms(after_ms)).unwrap();
            let wanted = is_proposed.then(|| Proposal { executed, extrinsics: Vec::new() });
            assert_eq!(proposal, wanted, "{after_ms} ms after {} extrinsics", above.extrinsics.len());
        }
    });
}

//! Whole nodes in a simulated network: the real chain, pool, contracts, store, attestors and wiring, from one seed.
//!
//! `BUSBAR_SEEDS=A..B` runs other seeds; a failure names its seed. What a run must keep is in `audit`, and nowhere else.
#![allow(clippy::unwrap_used, reason = "tests")]

mod audit;
mod byzantine;
mod clients;
mod network;
mod node;
mod random;
mod scene;
mod weather;

use audit::{Findings, Violation, audit};
use busbar_tests::machine::on_vm_thread;
use byzantine::{Conduct, blind_signer, double_attester, replayed_attestations, wrong_result_signer};
use commonware_glue::simulate::action::Crash;
use commonware_glue::simulate::engine::EngineDefinition as _;
use commonware_glue::simulate::plan::PlanBuilder;
use network::{AllSettled, Network};
use node::{Body, state_of};
use scene::Scene;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use weather::{GOOD, Weather};

/// A run that is not over by then has lost its liveness: it takes a third of this.
const PATIENCE: Duration = Duration::from_secs(180);

/// Names its seed if the test fails.
struct Seed(u64);

/// Says where all stand if a run does not end.
struct Standing<'a>(&'a Scene, &'a [Arc<Body>]);

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
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

/// `BUSBAR_SEEDS=A..B` runs others than `usual`.
fn seeds(usual: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("BUSBAR_SEEDS") else { return usual };
    let (from, to) = text.split_once("..").expect("BUSBAR_SEEDS=A..B");
    from.parse().unwrap()..to.parse().unwrap()
}

/// What a run gave: the simulator's fingerprint, what the audit says, and how many restarts and failed disks there were.
struct Run {
    fingerprint: String,
    findings: Findings,
    crashes: (u32, u32),
}

/// Play a market day in this weather until every honest validator has it settled; the validators from 0 on behave so, all
/// others are honest.
fn play(seed: u64, weather: Option<&Weather>, conducts: &[Conduct]) -> Run {
    play_until(seed, weather, conducts, |body| body.conduct.is_honest)
}

/// The same, until those have it settled that are `awaited`.
fn play_until(seed: u64, weather: Option<&Weather>, conducts: &[Conduct], awaited: fn(&Body) -> bool) -> Run {
    let validators = weather.map_or(4, |weather| weather.validators);
    let scene = Scene::of(validators);
    let body = |index: usize| {
        let conduct = conducts.get(index).copied().unwrap_or(Conduct::HONEST);
        let failures = weather.map_or_else(Vec::new, |weather| weather.failures[index].clone());
        Arc::new(Body::new(scene, index, conduct, seed, failures))
    };
    let bodies: Arc<Vec<_>> = Arc::new((0..validators).map(body).collect());
    let ahead_ms = weather.map_or_else(|| vec![0; validators], |weather| weather.ahead_ms.clone());
    let network = Network { scene, bodies: bodies.clone(), ahead_ms };
    let who = network.participants();
    let last = scene.slots().last().unwrap();
    let mut plan = PlanBuilder::new(network)
        .seed(seed)
        .link(weather.map_or(GOOD, |weather| weather.link.clone()))
        .timeout(PATIENCE)
        .exit_condition(AllSettled { bodies: bodies.clone(), awaited, slot: last });
    if let Some(weather) = weather {
        plan = plan.crash(Crash::Schedule(weather.schedule(&who)));
    }
    let _told = Standing(scene, &bodies);
    let fingerprint = plan.run().unwrap()[0].state.clone();
    let crashes = bodies.iter().map(|body| body.crashes());
    let crashes = crashes.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    Run { fingerprint, findings: audit(scene, &bodies), crashes }
}

#[test]
fn through_loss_cuts_crashes_and_failing_disks_a_day_is_settled_once_and_alike() {
    on_vm_thread(|| {
        let (mut crashes, mut traded, mut days) = ((0, 0), 0, 0);
        for seed in seeds(0..10) {
            let _named = Seed(seed);
            let weather = Weather::of(seed);
            let run = play(seed, Some(&weather), &[]);
            assert_eq!(run.findings.violations, []);
            crashes = (crashes.0 + run.crashes.0, crashes.1 + run.crashes.1);
            days += 1;
            traded += u32::from(run.findings.settled.values().any(|trades| *trades > 0));
            eprintln!("seed {seed}: {:?}, restarts and failed disks {:?}", run.findings.settled, run.crashes);
        }
        assert!(crashes.0 * 2 >= days && crashes.1 * 4 >= days, "the weather was too fair: {crashes:?}");
        assert!(traded * 4 >= days * 3, "trades were settled on {traded} of {days} days only");
    });
}

/// Where a lie shows.
#[derive(Clone, Copy, Debug)]
enum Lie {
    Vote,
    Header,
}

#[test]
fn one_liar_among_four_changes_nothing() {
    on_vm_thread(|| {
        let liars = [
            (double_attester::CONDUCT, Lie::Vote),
            (wrong_result_signer::SIGNS, Lie::Vote),
            (wrong_result_signer::EXECUTES, Lie::Header),
            (replayed_attestations::CONDUCT, Lie::Vote),
        ];
        for (liar, lies) in liars {
            for seed in seeds(100..101) {
                let _named = Seed(seed);
                let run = play(seed, None, &[liar]);
                assert_eq!(run.findings.violations, [], "{lies:?}");
                let Findings { settled, votes: (right, ordered), forks, .. } = run.findings;
                // One that executes differently falls out while the first slot is traded.
                let last = Scene::of(4).slots().last().unwrap();
                assert!(settled[&last] > 0, "{lies:?}: {settled:?}");
                // The lie was told.
                match lies {
                    Lie::Vote => assert!(ordered > right, "{ordered} votes"),
                    Lie::Header => assert_eq!(forks, 1),
                }
            }
        }
    });
}

#[test]
fn validators_that_sign_without_executing_are_caught() {
    on_vm_thread(|| {
        let broken = [wrong_result_signer::EXECUTES, blind_signer::CONDUCT, blind_signer::CONDUCT];
        // Three of four order without the one that is right.
        let run = play_until(7, None, &broken, |body| body.index < 3);
        let found = run.findings.violations;
        let has = |kind: fn(&Violation) -> bool| found.iter().any(kind);
        assert!(has(|found| matches!(found, Violation::Header { .. })), "{found:?}");
        assert!(has(|found| matches!(found, Violation::Reported { .. })), "{found:?}");
        assert!(has(|found| matches!(found, Violation::Unsigned { node: 1 | 2, .. })), "{found:?}");
    });
}

#[test]
fn a_seed_tells_everything() {
    on_vm_thread(|| {
        let fingerprint = |seed| play(seed, Some(&Weather::of(seed)), &[]).fingerprint;
        assert_eq!(fingerprint(3), fingerprint(3));
    });
}

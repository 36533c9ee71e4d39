//! Taking turns: every subject does the work for a moment, round after round, and the median round counts.
//!
//! What disturbs the machine for a while then disturbs all of them alike, and not the one that was on.

use crate::subjects::Subject;
use crate::works::Work;
use cpu_time::ThreadTime;
use std::hint::black_box;
use std::time::Duration;

/// How long to measure.
pub struct Plan {
    /// Rounds, an odd number: the median is one of them.
    pub rounds: usize,
    /// CPU time of one subject in one round, at least.
    pub turn: Duration,
    /// Wall time of one turn of the threads, about.
    pub threads_turn: Duration,
    /// Rounds of the threads.
    pub threads_rounds: usize,
}

impl Plan {
    /// What results are published from.
    pub const FULL: Self = Self {
        rounds: 101,
        turn: Duration::from_millis(2),
        threads_turn: Duration::from_millis(250),
        threads_rounds: 15,
    };
    /// To see whether it works.
    pub const QUICK: Self = Self {
        rounds: 9,
        turn: Duration::from_micros(500),
        threads_turn: Duration::from_millis(60),
        threads_rounds: 5,
    };
}

/// CPU time of one run in µs, per subject; `None` where a subject cannot do the work.
pub type Figures = Vec<Option<f64>>;

/// Measures all `subjects` on `work`.
///
/// # Panics
/// If two of them answer differently.
pub fn side_by_side(work: &Work, subjects: &[Box<dyn Subject>], plan: &Plan) -> Figures {
    let mut tasks: Vec<_> = subjects.iter().map(|subject| subject.prepare(work)).collect();
    let mut expected: Option<Vec<u8>> = None;
    let mut batches = vec![0; tasks.len()];
    for (at, task) in tasks.iter_mut().enumerate() {
        let Some(task) = task else { continue };
        let answer = task();
        let expected = expected.get_or_insert_with(|| answer.clone());
        assert!(*expected == answer, "{} answers otherwise on {}", subjects[at].name(), work.name);
        batches[at] = batch(task, plan.turn);
    }
    let mut samples = vec![Vec::with_capacity(plan.rounds); tasks.len()];
    for _ in 0..plan.rounds {
        for (at, task) in tasks.iter_mut().enumerate() {
            if let Some(task) = task {
                samples[at].push(micros(turn(task, batches[at])) / f64::from(batches[at]));
            }
        }
    }
    samples.into_iter().map(median).collect()
}

/// Runs that fill a turn. The first runs of a machine touch its memory, so they are not counted.
fn batch(task: &mut dyn FnMut() -> Vec<u8>, least: Duration) -> u32 {
    turn(task, 2);
    let mut runs = 1;
    while turn(task, runs) < least {
        runs *= 2;
    }
    runs
}

fn turn(task: &mut dyn FnMut() -> Vec<u8>, runs: u32) -> Duration {
    let began = ThreadTime::now();
    for _ in 0..runs {
        black_box(task());
    }
    began.elapsed()
}

/// A duration in µs.
pub fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// The middle sample.
pub fn median(mut samples: Vec<f64>) -> Option<f64> {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied()
}

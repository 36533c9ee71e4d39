//! One run: the faults of a seed, then calm, and what must hold at the end.

use crate::audit::Audit;
use crate::byzantine::Kind;
use crate::faults::Faults;
use crate::simulator::{Goal, Polled};
use crate::validators::{Build, EPOCH_BLOCKS, State, Validators};
use commonware_cryptography::ed25519::PublicKey;
use commonware_glue::simulate::action::Crash;
use commonware_glue::simulate::engine::EngineDefinition as _;
use commonware_glue::simulate::plan::PlanBuilder;
use runtime_primitives::Hash;
use std::collections::BTreeMap;

/// How long that may take, in ms. A crash may leave a fetch of two seconds and several views of two to be given up.
const RECOVERY_MS: u64 = 40_000;

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Of everything that happened.
    pub fingerprint: String,
    /// Headers that all honest validators have.
    pub headers: Vec<Hash>,
    pub height: u64,
    /// Height when all faults were over.
    pub healed_at: u64,
    /// From then until all honest validators had gone on, in ms.
    pub recovery_ms: u64,
    pub power_failures: u64,
    /// Of these, under the engine's own files.
    pub engine_failures: u64,
    /// Honest validators that saw another header than their own.
    pub alarms: u64,
    /// Pairs of an honest validator and a liar that it shut out.
    pub shut_out: u64,
    /// Messages on the blocks' channel that were refused and counted.
    pub invalid_blocks: u64,
    /// Blocks that were heard there and kept for their votes, a while at least.
    pub heard_blocks: u64,
    pub lies: BTreeMap<&'static str, u64>,
    /// Files in which the first validator's engine keeps the votes of an epoch at the end, at most.
    pub journal_files: usize,
    /// Height of the block that a validator's new disk began with.
    pub base: u64,
}

/// Ends a run when all honest validators have gone on after the faults, or something does not hold.
#[derive(Clone)]
struct Recovered {
    validators: Validators,
    keys: Vec<PublicKey>,
}

impl Recovered {
    fn healed_ms(&self) -> u64 {
        self.validators.faults.healed_ms
    }

    fn audit(&self) -> &Audit {
        &self.validators.audit
    }

    fn honest_heights(&self) -> impl Iterator<Item = u64> {
        self.validators.tapes.iter().filter(|tape| tape.is_honest()).map(|tape| tape.durable())
    }

    /// Note what can only be asked while the validators run.
    async fn end(&self, states: &[&State]) -> Result<(), String> {
        for state in states.iter().filter(|state| state.tape.is_honest()) {
            // In this order: the engine may only be behind what is durable.
            let processed = state.progress.processed().await;
            let durable = state.tape.durable();
            if processed > durable {
                return Err(format!("the engine is done with {processed}, durable is {durable}"));
            }
        }
        let Some(state) = states.first() else { return Err("nobody runs".into()) };
        let index = |key: &PublicKey| self.keys.iter().position(|one| one == key).unwrap();
        let blocked = state.oracle.blocked().await.map_err(|reason| reason.to_string())?;
        let last = self.honest_heights().max().unwrap_or(0) / EPOCH_BLOCKS;
        let mut files = 0;
        for epoch in 0..=last {
            files = files.max(state.journal_files(0, epoch).await);
        }
        let mut book = self.audit().book();
        book.journal_files = files;
        book.blocked = blocked.iter().map(|(who, whom)| (index(who), index(whom))).collect();
        book.counters = state.counters();
        Ok(())
    }
}

impl Goal<State> for Recovered {
    async fn is_reached(&self, states: &[&State], _: usize) -> Result<bool, String> {
        let Some(state) = states.first() else { return Ok(false) };
        let now = self.audit().look_at(&state.context);
        if let Some(violation) = self.audit().first_violation() {
            return Err(violation);
        }
        if now < Audit::true_ms(self.healed_ms()) {
            return Ok(false);
        }
        let most = self.honest_heights().max().unwrap_or(0);
        let healed_at = *self.audit().book().healed_at.get_or_insert(most);
        let least = self.honest_heights().min().unwrap_or(0);
        if least < healed_at + self.validators.growth {
            if now > Audit::true_ms(self.healed_ms() + RECOVERY_MS) {
                let heights: Vec<_> = self.honest_heights().collect();
                return Err(format!("no progress after healing at {healed_at}: heights {heights:?}"));
            }
            return Ok(false);
        }
        self.end(states).await?;
        Ok(true)
    }
}

/// Run the validators of `build` through `faults`.
///
/// # Errors
/// What did not hold.
pub fn run(seed: u64, faults: &Faults, build: Build) -> Result<Report, String> {
    let validators = Validators::new(seed, faults, build);
    let keys = validators.participants();
    let result = PlanBuilder::new(validators.clone())
        .seed(seed)
        .link(faults.line.link())
        .exit_condition(Polled(Recovered { validators: validators.clone(), keys: keys.clone() }))
        .crash(Crash::Schedule(faults.schedule(&keys)))
        .run();
    let fingerprint = result?[0].state.clone();
    judge(fingerprint, faults, &validators)
}

/// What must hold of a run that came to its end.
fn judge(fingerprint: String, faults: &Faults, validators: &Validators) -> Result<Report, String> {
    let honest: Vec<usize> =
        (0..validators.tapes.len()).filter(|who| validators.tapes[*who].is_honest()).collect();
    let chains: Vec<_> = honest.iter().map(|who| validators.tapes[*who].headers()).collect();
    let common = chains.iter().map(Vec::len).min().unwrap_or(0);
    if let Some(chain) = chains.iter().find(|chain| chain[..common] != chains[0][..common]) {
        return Err(format!("two chains: {chain:?} and {:?}", chains[0]));
    }
    let book = validators.audit.book();
    let among_honest = book.blocked.iter().find(|(who, whom)| honest.contains(who) && honest.contains(whom));
    if let Some((who, whom)) = among_honest {
        return Err(format!("validator {who} shut out {whom}, which is honest"));
    }
    let liar_executes_wrongly = faults.liars.values().any(|kind| *kind == Kind::WrongExecuted);
    if !book.alarms.is_empty() && !liar_executes_wrongly {
        return Err(format!("validators {:?} raise an alarm without a cause", book.alarms));
    }
    if book.accused.is_empty() != book.alarms.is_empty()
        || book.accused.iter().any(|whom| honest.contains(whom))
    {
        return Err(format!(
            "validators {:?} accuse {:?} of what others proposed",
            book.alarms, book.accused
        ));
    }
    let engine_failures = validators.powers.iter().map(|power| power.failures()).sum::<u64>();
    let shut_out = book.blocked.iter().filter(|(who, whom)| honest.contains(who) && !honest.contains(whom));
    Ok(Report {
        fingerprint,
        headers: chains[0][..common].to_vec(),
        height: common as u64 - 1,
        healed_at: book.healed_at.unwrap_or(0),
        recovery_ms: validators.audit.now_ms() - Audit::true_ms(faults.healed_ms),
        power_failures: book.power_failures + engine_failures,
        engine_failures,
        alarms: book.alarms.len() as u64,
        shut_out: shut_out.count() as u64,
        invalid_blocks: counted(&book.counters, "Invalid"),
        heard_blocks: counted(&book.counters, "Success"),
        lies: book.lies.clone(),
        journal_files: book.journal_files,
        base: validators.tapes.iter().map(|tape| tape.base()).max().unwrap_or(0),
    })
}

/// What all validators counted with this status on the blocks' channel.
fn counted(counters: &str, status: &str) -> u64 {
    let status = format!("status=\"{status}\"");
    let lines = counters.lines().filter(|line| line.contains("proposals_receive") && line.contains(&status));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

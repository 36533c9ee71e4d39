//! `busbar market check`: a rule against generated inputs, as a table of properties.
//!
//! A property that fails is shown with the smallest input found, so that an author can try it by hand.

use super::ending::{EXIT_CODES, Ending};
use crate::cli::contract::{CodeFile, escaped, table};
use crate::report::Progress;
use crate::rules::{Finding, Plan, Rule, RuleKind, Verdict, check};
use clap::{Args, ValueEnum};
use runtime_vm::Kind;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Cases unless told otherwise: some seconds.
const CASES: u32 = 300;

pub(super) fn help() -> String {
    format!(
        "Claims: `names`: ids of entities and meters, and gaps between seqs, change no trade. `arrival`: among orders of
different prices the order of arrival changes no fill (auctions). The other properties follow from what the rule
says of itself. Gas may grow 150-fold from n to 10 n orders at most: quadratic, and half as much again. Books in which a
bid reaches another entity's ask, minimums apart, are counted, and those with trades: none is no violation, unless the
rule says `no_residual_cross`, but has an exit code of its own. Of few cases it may be chance.

{EXIT_CODES}"
    )
}

/// Check a rule on generated inputs.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The rule: WebAssembly or WAT.
    #[arg(long, value_name = "FILE")]
    rule: PathBuf,
    /// Generated inputs, at least 1.
    #[arg(long, value_name = "N", default_value_t = CASES, value_parser = clap::value_parser!(u32).range(1..))]
    cases: u32,
    /// What they follow from: the same seed gives the same inputs.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Take it for this kind [default: whichever message it understands].
    #[arg(long, value_enum)]
    kind: Option<KindName>,
    /// What the rule claims beyond what it says of itself.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "names")]
    claim: Vec<Claim>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KindName {
    /// Clears books.
    Matching,
    /// Admits orders.
    Bid,
    /// Settles slots.
    Settlement,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Claim {
    /// Nothing.
    None,
    /// Ids change nothing.
    Names,
    /// Arrival changes nothing.
    Arrival,
}

impl From<KindName> for RuleKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Matching => Self::Matching,
            KindName::Bid => Self::Bid,
            KindName::Settlement => Self::Settlement,
        }
    }
}

impl CheckArgs {
    /// Check and print.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) fn run(self) -> anyhow::Result<Ending> {
        let file = match CodeFile::read(&self.rule)?.and_then(|file| file.judge(Kind::Pure).map(|()| file)) {
            Ok(file) => file,
            Err(verdict) => {
                self.say_error("Code", &verdict.words());
                return Ok(Ending::Forbidden);
            }
        };
        let rule = Rule::load(&file.code)?;
        let descriptor = match rule.describe() {
            Ok(descriptor) => descriptor,
            Err(fault) => {
                self.say_error(&fault.rule, &fault.reason);
                return Ok(Ending::Stopped);
            }
        };
        // What answers nothing valid is checked as what most rules are, and told so by its first property.
        let kind = self.kind.map(RuleKind::from).or_else(|| rule.kinds().first().copied());
        let kind = kind.unwrap_or(RuleKind::Matching);
        let plan = Plan {
            cases: self.cases,
            seed: self.seed,
            claims_names: self.claim.contains(&Claim::Names),
            claims_arrival: self.claim.contains(&Claim::Arrival),
        };
        let progress = Progress::start("checking", u64::from(plan.cases), self.json);
        let findings = check(&rule, kind, &descriptor, &plan, |what| {
            progress.note(what.to_owned());
            progress.advance(u64::from(what == "cases"));
        });
        drop(progress);
        let holds = !findings.iter().any(Finding::failed);
        let never_trades = findings.iter().any(Finding::never_trades);
        let name = escaped(String::from_utf8_lossy(&descriptor.name).trim_end_matches('\0'));
        if self.json {
            let properties: Vec<Value> = findings.iter().map(row).collect();
            let all = json!({
                "rule": name,
                "code_hash": rule.hash().to_string(),
                "kind": kind.name(),
                "cases": plan.cases,
                "seed": plan.seed,
                "holds": holds,
                "never_trades": never_trades,
                "properties": properties,
            });
            println!("{all}");
        } else {
            println!("{name}, a {} rule: {} cases of seed {}", kind.name(), plan.cases, plan.seed);
            print(&findings);
        }
        Ok(match (holds, never_trades) {
            (false, _) => Ending::Broken,
            (true, true) => Ending::Idle,
            (true, false) => Ending::Passed,
        })
    }

    fn say_error(&self, rule: &str, reason: &str) {
        if self.json {
            println!("{}", json!({ "holds": false, "error": { "rule": rule, "reason": reason } }));
        } else {
            println!("{}: not checked: {}", self.rule.display(), escaped(reason));
        }
    }
}

const fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::NotClaimed => "not claimed",
        Verdict::NeverTrades => "NEVER TRADES",
        Verdict::NotReached => "not reached",
        Verdict::Fails { .. } => "FAILS",
    }
}

fn row(finding: &Finding) -> Value {
    let mut row = json!({
        "property": finding.property,
        "cases": finding.cases,
        "verdict": word(&finding.verdict).to_lowercase(),
        "note": finding.note,
    });
    if let Verdict::Fails { reason, example } = &finding.verdict {
        row["reason"] = reason.as_str().into();
        row["counter_example"] = example.clone();
    }
    row
}

fn print(findings: &[Finding]) {
    let mut shown = table();
    shown.set_header(["Property", "Cases", "", ""]);
    for finding in findings {
        shown.add_row([
            finding.property.to_owned(),
            finding.cases.to_string(),
            word(&finding.verdict).to_owned(),
            escaped(&finding.note),
        ]);
    }
    println!("{shown}");
    for finding in findings {
        if let Verdict::Fails { reason, example } = &finding.verdict {
            println!(
                "\n{} FAILS: {}\nThe smallest input found:\n{example}",
                finding.property,
                escaped(reason)
            );
        }
    }
}

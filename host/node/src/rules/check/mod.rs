//! The property checker: what every rule of a kind must keep, on generated inputs, with the smallest that breaks it.
//!
//! A property that fails is not looked at again, the others go on; without answers there is nothing to go on with.

mod bid;
mod matching;
mod names;
mod promises;
mod scale;
mod settlement;
mod trading;

use super::generate::Random;
use super::rule::{Rule, RuleKind};
use super::{Fault, shrink};
use contract_interface::Descriptor;
use serde_json::Value;

/// How much is checked.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Generated inputs.
    pub cases: u32,
    /// Everything follows from it.
    pub seed: u64,
    /// The rule claims that ids of entities and meters and gaps between seqs change nothing.
    pub claims_names: bool,
    /// The rule claims that among orders of different prices the order of arrival changes no fill.
    pub claims_arrival: bool,
}

/// What a property came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// No case broke it.
    Holds,
    /// The rule does not promise it.
    NotClaimed,
    /// No case broke it, and that says little: the rule has traded in none, though orders crossed.
    NeverTrades,
    /// Nothing could be said, because the rule stopped answering or no case was of that sort.
    NotReached,
    /// A case broke it.
    Fails {
        /// What disagreed.
        reason: String,
        /// The smallest input found: a book reads as one of `busbar market try`.
        example: Value,
    },
}

/// A property after the check.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Its name.
    pub property: &'static str,
    /// Cases that could have broken it.
    pub cases: u32,
    /// What it came to.
    pub verdict: Verdict,
    /// What was measured beside it.
    pub note: String,
}

/// Check `rule` as one of `kind`; `step` is told of every case.
pub fn check(
    rule: &Rule,
    kind: RuleKind,
    descriptor: &Descriptor,
    plan: &Plan,
    mut step: impl FnMut(&str),
) -> Vec<Finding> {
    match kind {
        RuleKind::Matching => {
            let subject = matching::Subject::new(rule, descriptor, *plan);
            let mut findings = run(&subject, plan, &mut step);
            let answers = findings.iter().all(|finding| finding.property != ANSWERS || !finding.failed());
            findings.extend(scale::of_matching(rule, descriptor, answers, &mut step));
            findings
        }
        RuleKind::Bid => run(&bid::Subject::new(rule), plan, &mut step),
        RuleKind::Settlement => {
            let mut findings = run(&settlement::Subject::new(rule), plan, &mut step);
            let answers = findings.iter().all(|finding| finding.property != ANSWERS || !finding.failed());
            findings.extend(scale::of_settlement(rule, answers, &mut step));
            findings
        }
    }
}

impl Finding {
    /// Whether a case broke the property.
    pub const fn failed(&self) -> bool {
        matches!(self.verdict, Verdict::Fails { .. })
    }

    /// Whether the rule never traded, though orders crossed.
    pub const fn never_trades(&self) -> bool {
        matches!(self.verdict, Verdict::NeverTrades)
    }
}

/// The property without which no other can be checked.
const ANSWERS: &str = "answers every valid input";

/// What a case says of a property.
enum Tested {
    Holds,
    DoesNotApply,
    Fails(String),
}

impl From<Result<(), String>> for Tested {
    fn from(result: Result<(), String>) -> Self {
        result.map_or_else(Self::Fails, |()| Self::Holds)
    }
}

impl From<Result<(), Fault>> for Tested {
    fn from(result: Result<(), Fault>) -> Self {
        result.map_err(|fault| fault.to_string()).into()
    }
}

/// One property of a kind of rule.
struct Property<S: Subjected + ?Sized> {
    name: &'static str,
    is_claimed: fn(&S) -> bool,
    test: fn(&S, &S::Input) -> Tested,
}

/// A rule with the inputs of its kind.
trait Subjected {
    type Input: Clone;

    fn generate(&self, random: &mut Random, number: u32) -> Self::Input;
    fn simpler(&self, input: &Self::Input) -> Vec<Self::Input>;
    fn shown(&self, input: &Self::Input) -> Value;
    fn properties(&self) -> Vec<Property<Self>>;
    /// Gas used so far: patience is counted in it, so that a slow rule is not shrunk for hours.
    fn spent(&self) -> u64;
    /// What the cases together say of a property, and what was measured beside it.
    fn conclude(&self, _finding: &mut Finding) {}
}

/// Gas for the search of one smallest counter-example: some seconds.
const SHRINKING_GAS_MAX: u64 = 4_000_000_000_000;

fn run<S: Subjected>(subject: &S, plan: &Plan, step: &mut impl FnMut(&str)) -> Vec<Finding> {
    let properties = subject.properties();
    let mut findings: Vec<Finding> = properties
        .iter()
        .map(|property| {
            let claimed = (property.is_claimed)(subject);
            let verdict = if claimed { Verdict::NotReached } else { Verdict::NotClaimed };
            Finding { property: property.name, cases: 0, verdict, note: String::new() }
        })
        .collect();
    'cases: for number in 0..plan.cases {
        let input = subject.generate(&mut Random::of_case(plan.seed, number), number);
        step("cases");
        for (property, finding) in properties.iter().zip(&mut findings) {
            if finding.failed() || finding.verdict == Verdict::NotClaimed {
                continue;
            }
            match (property.test)(subject, &input) {
                Tested::DoesNotApply => {}
                Tested::Holds => {
                    finding.cases += 1;
                    finding.verdict = Verdict::Holds;
                }
                Tested::Fails(reason) => {
                    finding.cases += 1;
                    step("looking for the smallest counter-example");
                    finding.verdict = counter_example(subject, property, input.clone(), reason);
                    if property.name == ANSWERS {
                        break 'cases;
                    }
                }
            }
        }
    }
    findings.iter_mut().for_each(|finding| subject.conclude(finding));
    findings
}

fn counter_example<S: Subjected>(
    subject: &S,
    property: &Property<S>,
    input: S::Input,
    reason: String,
) -> Verdict {
    let from = subject.spent();
    let reason_of = |input: &S::Input| match (property.test)(subject, input) {
        Tested::Fails(reason) => Some(reason),
        _ => None,
    };
    let smallest = shrink::smallest(
        input,
        |input| subject.simpler(input),
        |input| reason_of(input).is_some(),
        || subject.spent() - from < SHRINKING_GAS_MAX,
    );
    let reason = reason_of(&smallest).unwrap_or(reason);
    Verdict::Fails { reason, example: subject.shown(&smallest) }
}

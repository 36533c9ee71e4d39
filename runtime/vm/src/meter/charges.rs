//! Where a function body is charged, and how much: in advance, at as few places as exactness allows.
//!
//! *Rule.* At every point the counter has paid for all that was executed, and besides for what every way on from there
//! to the next place of account costs at least. Places of account are the heads of loops, the end of the function and
//! calls that may lead to the host: there nothing is paid in advance. So where ways part, only what one costs more
//! than the cheapest is charged, at its start; where they meet again, usually nothing; a body without branches pays
//! once. Whatever the way, the sum is the price of what was executed, operator by operator, and the counter never
//! rises.
//!
//! *A trap ends a call whose gas is spent anyway.* Ways that can only trap are therefore no reason to pay less in
//! advance; one pays what it costs at its start, and the advance for the others is lost.
//!
//! *Placing.* A charge can stand where control arrives by one way only (after `br_if`, in an arm, after a call) or
//! after an `end`, but not on the jump of a branch. So an `end` is reached with the same advance from everywhere: the
//! smallest that any branch to it can pay. Lowering one may lower others, hence the repetition.

use crate::{CodeError, gas};
use wasmparser::Operator as O;

/// Passes over a body before all advances are given up. A handful suffices for what compilers emit; code written to
/// need more pays at every `end` instead.
const PASSES_MAX: u32 = 8;

/// Charged before each operator, 0 for most. The first includes `entry`, what entering the function costs.
///
/// `to_host` says whether a call may lead to the host.
///
/// # Errors
/// If an instruction has no price; validation lets none through.
pub(super) fn place(
    operators: &[O<'_>],
    entry: u64,
    to_host: impl Fn(&O<'_>) -> bool,
) -> Result<Vec<u64>, CodeError> {
    let priced = |operator: &O<'_>| {
        gas::instruction(operator).ok_or_else(|| CodeError::Invalid(format!("{operator:?} has no price")))
    };
    let prices = operators.iter().map(priced).collect::<Result<_, _>>()?;
    let mut body = Body {
        operators,
        prices,
        to_host: operators.iter().map(to_host).collect(),
        loops: loop_ends(operators),
        advance_max: vec![u64::MAX; operators.len()],
        settled: true,
        charges: vec![0; operators.len()],
        labels: Vec::new(),
    };
    for _ in 0..PASSES_MAX {
        body.walk(entry);
        if body.settled {
            return Ok(body.charges);
        }
    }
    body.advance_max.fill(0);
    body.walk(entry);
    Ok(body.charges)
}

/// What lies ahead of a point.
#[derive(Clone, Copy)]
struct Ahead {
    /// The least that any way on costs; of a way that can only trap, what it costs.
    gas: u64,
    /// Whether some way on does not trap for sure.
    live: bool,
}

impl Ahead {
    const ACCOUNT: Self = Self { gas: 0, live: true };

    const fn after(self, price: u64) -> Self {
        Self { gas: self.gas + price, ..self }
    }
}

/// A label, met at its `end` because the walk goes backwards.
struct Label {
    /// Position of the `end`.
    end: usize,
    /// What is paid in advance when control arrives here.
    arrival: Ahead,
    /// The `else` of an `if`, and what lies ahead of its arm.
    other: Option<(usize, Ahead)>,
}

struct Body<'a> {
    operators: &'a [O<'a>],
    prices: Vec<u64>,
    /// Calls that may lead to the host.
    to_host: Vec<bool>,
    /// Whether an `end` is a loop's.
    loops: Vec<bool>,
    /// For each `end`: the largest advance with which all branches can arrive, as far as is known.
    advance_max: Vec<u64>,
    /// Whether this pass lowered none of them.
    settled: bool,
    charges: Vec<u64>,
    labels: Vec<Label>,
}

impl Body<'_> {
    /// Walks the body from its end to its start and sets the charges.
    fn walk(&mut self, entry: u64) {
        self.settled = true;
        self.charges.fill(0);
        let last = self.operators.len() - 1;
        self.labels = vec![Label { end: last, arrival: Ahead::ACCOUNT, other: None }];
        let mut ahead = Ahead::ACCOUNT;
        for at in (0..last).rev() {
            ahead = self.step(at, ahead).after(self.prices[at]);
        }
        self.charges[0] = ahead.gas + entry;
    }

    /// What lies ahead of the operator at `at` besides its own price, given what lies ahead of the next one.
    fn step(&mut self, at: usize, next: Ahead) -> Ahead {
        match &self.operators[at] {
            O::End => self.open(at, next),
            O::Else => {
                let label = self.labels.last_mut().expect("an `else` is inside an `if`");
                label.other = Some((at, next));
                label.arrival
            }
            O::Block { .. } => {
                self.labels.pop();
                next
            }
            O::Loop { .. } => {
                self.labels.pop();
                self.charges[at + 1] = next.gas;
                Ahead::ACCOUNT
            }
            O::If { .. } => self.part_at_if(at, next),
            O::Br { relative_depth } => self.label(*relative_depth).arrival,
            O::BrIf { relative_depth } => self.part(&[(at + 1, next)], &[*relative_depth]),
            O::BrTable { targets } => {
                let listed = targets.targets().map(|target| target.expect("the body is valid"));
                let depths: Vec<u32> = listed.chain([targets.default()]).collect();
                self.part(&[], &depths)
            }
            O::Return => Ahead::ACCOUNT,
            O::Unreachable => Ahead { gas: 0, live: false },
            _ if self.to_host[at] => {
                self.charges[at + 1] = next.gas;
                Ahead::ACCOUNT
            }
            _ => next,
        }
    }

    /// The label that ends at `at`.
    fn open(&mut self, at: usize, next: Ahead) -> Ahead {
        if self.loops[at] {
            // Branches lead to the loop's head; its end is reached from within only.
            self.labels.push(Label { end: at, arrival: Ahead::ACCOUNT, other: None });
            return next;
        }
        let advance = if next.live { next.gas.min(self.advance_max[at]) } else { 0 };
        self.charges[at + 1] = next.gas - advance;
        let arrival = Ahead { gas: advance, ..next };
        self.labels.push(Label { end: at, arrival, other: None });
        arrival
    }

    fn part_at_if(&mut self, at: usize, next: Ahead) -> Ahead {
        let other = self.labels.last().and_then(|label| label.other);
        let ahead = match other {
            Some((place, other)) => self.part(&[(at + 1, next), (place + 1, other)], &[]),
            // Without an `else`, the way past the `if` is a jump to its end.
            None => self.part(&[(at + 1, next)], &[0]),
        };
        self.labels.pop();
        ahead
    }

    /// Ways part: some begin at a place that can be charged, others are jumps to labels.
    fn part(&mut self, ways: &[(usize, Ahead)], jumps: &[u32]) -> Ahead {
        let arrivals = jumps.iter().map(|depth| self.label(*depth).arrival);
        let least = ways.iter().map(|(_, ahead)| *ahead).chain(arrivals).filter(|ahead| ahead.live);
        let least = least.map(|ahead| ahead.gas).min();
        let advance = least.unwrap_or(0);
        for (place, ahead) in ways {
            self.charges[*place] = ahead.gas.saturating_sub(advance);
        }
        for depth in jumps {
            let Label { end, arrival, .. } = *self.label(*depth);
            if arrival.live && arrival.gas > advance {
                self.advance_max[end] = self.advance_max[end].min(advance);
                self.settled = false;
            }
        }
        Ahead { gas: advance, live: least.is_some() }
    }

    fn label(&self, depth: u32) -> &Label {
        &self.labels[self.labels.len() - 1 - depth as usize]
    }
}

/// Which `end`s are loops'.
fn loop_ends(operators: &[O<'_>]) -> Vec<bool> {
    let mut loops = vec![false; operators.len()];
    let mut open = Vec::new();
    for (at, operator) in operators.iter().enumerate() {
        match operator {
            O::Block { .. } | O::If { .. } => open.push(false),
            O::Loop { .. } => open.push(true),
            O::End => loops[at] = open.pop().unwrap_or(false),
            _ => {}
        }
    }
    loops
}

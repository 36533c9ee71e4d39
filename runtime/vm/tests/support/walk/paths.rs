//! The longest way through a function that passes no check twice: what a call may overdraw.

use super::Function;
use runtime_vm::gas;
use wasmparser::Operator as O;

/// The price of the dearest way from a function's entry or one of its loop heads to the next loop head or its end.
pub fn longest(function: &Function<'_>) -> u64 {
    let body = &function.body;
    let targets = targets(function);
    // The dearest way on from each operator, itself included.
    let mut ahead = vec![0; body.len() + 1];
    let mut longest = 0;
    for at in (0..body.len()).rev() {
        let jumps = targets[at].iter().map(|target| target.map_or(0, |target| ahead[target])).max();
        let on = match &body[at] {
            O::Br { .. } | O::BrTable { .. } => jumps.unwrap(),
            O::BrIf { .. } => jumps.unwrap().max(ahead[at + 1]),
            O::If { .. } => {
                let other = function.elses[at].unwrap_or(function.ends[at]);
                ahead[at + 1].max(ahead[other + 1])
            }
            O::Else => ahead[function.ends[at] + 1],
            O::Return | O::Unreachable => 0,
            _ => ahead[at + 1],
        };
        if matches!(body[at], O::Loop { .. }) {
            longest = longest.max(on);
        } else {
            ahead[at] = on + function.prices[at];
        }
    }
    longest.max(ahead[0] + gas::FUNCTION + gas::LOCAL * u64::from(function.declared))
}

/// Where each branch leads; `None` is a loop's head.
fn targets(function: &Function<'_>) -> Vec<Vec<Option<usize>>> {
    let end = function.body.len();
    let mut open = vec![Some(end)];
    let resolve = |open: &[Option<usize>], depth: u32| open[open.len() - 1 - depth as usize];
    let step = |(at, operator): (usize, &O<'_>)| {
        match operator {
            O::Block { .. } | O::If { .. } => open.push(Some(function.ends[at] + 1)),
            O::Loop { .. } => open.push(None),
            O::End => drop(open.pop()),
            O::Br { relative_depth } | O::BrIf { relative_depth } => {
                return vec![resolve(&open, *relative_depth)];
            }
            O::BrTable { targets } => {
                let listed = targets.targets().map(Result::unwrap).chain([targets.default()]);
                return listed.map(|depth| resolve(&open, depth)).collect();
            }
            _ => {}
        }
        Vec::new()
    };
    function.body.iter().enumerate().map(step).collect()
}

//! Basic blocks of a function body and what each costs.
//!
//! A block is charged at its start and in full: control enters only there and leaves only at its end or by a trap.

use crate::{CodeError, gas};
use wasmparser::Operator;

/// Cost charged before each operator: the sum over the basic block that starts there, 0 elsewhere. The block at
/// index 0 includes `first`.
pub(super) fn costs(operators: &[Operator<'_>], first: u64) -> Result<Vec<u64>, CodeError> {
    let mut costs = vec![0; operators.len()];
    let mut start = 0;
    let mut sum = first;
    for (index, operator) in operators.iter().enumerate() {
        sum += gas::instruction(operator)
            .ok_or_else(|| CodeError::Invalid(format!("{operator:?} has no price")))?;
        if ends_block(operator) {
            costs[start] = sum;
            start = index + 1;
            sum = 0;
        }
    }
    // The last operator is the function's `end`, which ends a block; nothing is left over.
    Ok(costs)
}

/// Whether the operator after this one can be entered without this one, or not entered after it.
pub(crate) fn ends_block(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::Return
            | Operator::Unreachable
    )
}

//! Where basic blocks end: what the time of compilation depends on.

use wasmparser::Operator;

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

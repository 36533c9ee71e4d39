//! Integer arithmetic as the specification defines it, on 64-bit cells; an `i32` is kept zero-extended.
#![allow(clippy::cast_possible_truncation, reason = "wrapping to 32 bits is what these instructions do")]

use runtime_vm::Trap;
use wasmparser::Operator as O;

/// The result of an instruction of two operands, if it is one.
pub fn binary(operator: &O<'_>, left: u64, right: u64) -> Option<Result<u64, Trap>> {
    small(operator, left as u32, right as u32)
        .map(|result| result.map(u64::from))
        .or_else(|| large(operator, left, right))
}

#[rustfmt::skip]
fn small(operator: &O<'_>, a: u32, b: u32) -> Option<Result<u32, Trap>> {
    let (signed_a, signed_b) = (a.cast_signed(), b.cast_signed());
    Some(Ok(match operator {
        O::I32Eq => u32::from(a == b), O::I32Ne => u32::from(a != b),
        O::I32LtS => u32::from(signed_a < signed_b), O::I32LtU => u32::from(a < b),
        O::I32GtS => u32::from(signed_a > signed_b), O::I32GtU => u32::from(a > b),
        O::I32LeS => u32::from(signed_a <= signed_b), O::I32LeU => u32::from(a <= b),
        O::I32GeS => u32::from(signed_a >= signed_b), O::I32GeU => u32::from(a >= b),
        O::I32Add => a.wrapping_add(b), O::I32Sub => a.wrapping_sub(b), O::I32Mul => a.wrapping_mul(b),
        O::I32And => a & b, O::I32Or => a | b, O::I32Xor => a ^ b,
        O::I32Shl => a << (b % 32), O::I32ShrU => a >> (b % 32),
        O::I32ShrS => (signed_a >> (b % 32)).cast_unsigned(),
        O::I32Rotl => a.rotate_left(b % 32), O::I32Rotr => a.rotate_right(b % 32),
        O::I32DivS | O::I32DivU | O::I32RemS | O::I32RemU if b == 0 => return Some(Err(Trap::DivisionByZero)),
        O::I32DivS => return Some(signed_a.checked_div(signed_b).map(i32::cast_unsigned).ok_or(Trap::IntegerOverflow)),
        O::I32RemS => signed_a.wrapping_rem(signed_b).cast_unsigned(),
        O::I32DivU => a / b, O::I32RemU => a % b,
        _ => return None,
    }))
}

#[rustfmt::skip]
fn large(operator: &O<'_>, a: u64, b: u64) -> Option<Result<u64, Trap>> {
    let (signed_a, signed_b) = (a.cast_signed(), b.cast_signed());
    let shift = (b % 64) as u32;
    Some(Ok(match operator {
        O::I64Eq => u64::from(a == b), O::I64Ne => u64::from(a != b),
        O::I64LtS => u64::from(signed_a < signed_b), O::I64LtU => u64::from(a < b),
        O::I64GtS => u64::from(signed_a > signed_b), O::I64GtU => u64::from(a > b),
        O::I64LeS => u64::from(signed_a <= signed_b), O::I64LeU => u64::from(a <= b),
        O::I64GeS => u64::from(signed_a >= signed_b), O::I64GeU => u64::from(a >= b),
        O::I64Add => a.wrapping_add(b), O::I64Sub => a.wrapping_sub(b), O::I64Mul => a.wrapping_mul(b),
        O::I64And => a & b, O::I64Or => a | b, O::I64Xor => a ^ b,
        O::I64Shl => a << shift, O::I64ShrU => a >> shift, O::I64ShrS => (signed_a >> shift).cast_unsigned(),
        O::I64Rotl => a.rotate_left(shift), O::I64Rotr => a.rotate_right(shift),
        O::I64DivS | O::I64DivU | O::I64RemS | O::I64RemU if b == 0 => return Some(Err(Trap::DivisionByZero)),
        O::I64DivS => return Some(signed_a.checked_div(signed_b).map(i64::cast_unsigned).ok_or(Trap::IntegerOverflow)),
        O::I64RemS => signed_a.wrapping_rem(signed_b).cast_unsigned(),
        O::I64DivU => a / b, O::I64RemU => a % b,
        _ => return None,
    }))
}

/// The result of an instruction of one operand, if it is one.
#[rustfmt::skip]
pub fn unary(operator: &O<'_>, a: u64) -> Option<u64> {
    let low = a as u32;
    let signed = |value: i64| value.cast_unsigned();
    let signed_low = |value: i32| u64::from(value.cast_unsigned());
    Some(match operator {
        O::I32Eqz => u64::from(low == 0), O::I64Eqz => u64::from(a == 0),
        O::I32Clz => u64::from(low.leading_zeros()), O::I64Clz => u64::from(a.leading_zeros()),
        O::I32Ctz => u64::from(low.trailing_zeros()), O::I64Ctz => u64::from(a.trailing_zeros()),
        O::I32Popcnt => u64::from(low.count_ones()), O::I64Popcnt => u64::from(a.count_ones()),
        O::I32WrapI64 | O::I64ExtendI32U => u64::from(low),
        O::I64ExtendI32S | O::I64Extend32S => signed(i64::from(low.cast_signed())),
        O::I32Extend8S => signed_low(i32::from(a as i8)), O::I32Extend16S => signed_low(i32::from(a as i16)),
        O::I64Extend8S => signed(i64::from(a as i8)), O::I64Extend16S => signed(i64::from(a as i16)),
        _ => return None,
    })
}

/// What a load reads.
pub struct Load {
    pub offset: u64,
    pub bytes: usize,
    /// What becomes of the bytes, zero-extended.
    pub extend: fn(u64) -> u64,
}

/// What the instruction reads, if it is a load.
pub fn load(operator: &O<'_>) -> Option<Load> {
    let low = |value: u64| u64::from(value as u32);
    fn narrow(value: i64) -> u64 {
        u64::from((value as i32).cast_unsigned())
    }
    let (memory, bytes, extend): (_, _, fn(u64) -> u64) = match operator {
        O::I32Load { memarg } | O::I64Load32U { memarg } => (memarg, 4, low),
        O::I64Load { memarg } => (memarg, 8, |value| value),
        O::I32Load8U { memarg } | O::I64Load8U { memarg } => (memarg, 1, |value| value),
        O::I32Load16U { memarg } | O::I64Load16U { memarg } => (memarg, 2, |value| value),
        O::I32Load8S { memarg } => (memarg, 1, |value| narrow(i64::from(value as i8))),
        O::I32Load16S { memarg } => (memarg, 2, |value| narrow(i64::from(value as i16))),
        O::I64Load8S { memarg } => (memarg, 1, |value| i64::from(value as i8).cast_unsigned()),
        O::I64Load16S { memarg } => (memarg, 2, |value| i64::from(value as i16).cast_unsigned()),
        O::I64Load32S { memarg } => (memarg, 4, |value| i64::from(value as i32).cast_unsigned()),
        _ => return None,
    };
    Some(Load { offset: memory.offset, bytes, extend })
}

/// Offset and bytes written, if the instruction is a store.
pub fn store(operator: &O<'_>) -> Option<(u64, usize)> {
    let (memory, bytes) = match operator {
        O::I32Store { memarg } | O::I64Store32 { memarg } => (memarg, 4),
        O::I64Store { memarg } => (memarg, 8),
        O::I32Store8 { memarg } | O::I64Store8 { memarg } => (memarg, 1),
        O::I32Store16 { memarg } | O::I64Store16 { memarg } => (memarg, 2),
        _ => return None,
    };
    Some((memory.offset, bytes))
}

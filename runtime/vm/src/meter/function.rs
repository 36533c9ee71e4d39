//! One function body, rewritten.
//!
//! ```text
//!   take stack ── charge + check ── block (results)          ; gas counter in local g
//!                                     … charge: g -= cost …
//!                                     … loop:   g -= cost, check …
//!                                     … call:   gas = g; call; g = gas …
//!                                     … return → br to the block's end …
//!                                   end
//!   check ── gas = g ── give stack back ── end
//! ```
//! The check at the end is left out where the one at the start covers it: in functions without calls, and in those
//! that charge nothing in between. It keeps a tower of returning calls from adding up what each may overdraw.
//!
//! The inserted instructions leave the operands beneath them alone, so they are valid at any height.

use super::reach::HostReach;
use super::{Counters, Types, charges, invalid, reencoding};
use crate::check::{Body, Facts};
use crate::limits::FRAME_SLOTS_BASE;
use crate::{CodeError, gas};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{BlockType, Function, Instruction as I, ValType};
use wasmparser::Operator;

/// Rewrites `body`, a function of type `type_index`, in a module whose memory may grow to `pages_max`.
pub(super) fn rewrite(
    facts: &Facts<'_>,
    type_index: u32,
    body: &Body<'_>,
    counters: Counters,
    pages_max: u32,
    to_host: &HostReach,
    types: &mut Types,
) -> Result<Function, CodeError> {
    let operators: Vec<Operator<'_>> = body
        .body
        .get_operators_reader()
        .map_err(invalid)?
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(invalid)?;
    let ty = facts.types.get(type_index as usize).expect("a valid module's functions have types");
    let parameters = u32::try_from(ty.params().len()).expect("the number of parameters is limited");
    let declared = body.locals - parameters;
    let entry = gas::FUNCTION + gas::LOCAL * u64::from(declared);
    let charges = charges::place(&operators, entry, |operator| to_host.by(operator))?;

    let mut locals = Vec::new();
    for group in body.body.get_locals_reader().map_err(invalid)? {
        let (count, ty) = group.map_err(invalid)?;
        locals.push((count, RoundtripReencoder.val_type(ty).map_err(reencoding)?));
    }
    // The gas counter, and the operand of a sized instruction while it is charged.
    locals.extend([(1, ValType::I64), (1, ValType::I32)]);
    let mut writer = Writer {
        function: Function::new(locals),
        counters,
        gas: body.locals,
        size: body.locals + 1,
        pages_max,
        slots: i32::try_from(FRAME_SLOTS_BASE + body.locals + body.operands_max)
            .expect("locals and operands are limited by the body's size"),
        calls: operators.iter().any(|op| matches!(op, Operator::Call { .. } | Operator::CallIndirect { .. })),
        overdraws: operators.iter().zip(&charges[1..]).any(|(before, cost)| *cost > 0 && !is_loop(before)),
    };
    let results = match ty.results() {
        [] => BlockType::Empty,
        [single] => BlockType::Result(RoundtripReencoder.val_type(*single).map_err(reencoding)?),
        several => BlockType::FunctionType(types.block(several)?),
    };
    writer.enter(charges[0]);
    writer.emit(I::Block(results));
    writer.body(&operators, &charges)?;
    writer.leave();
    Ok(writer.function)
}

struct Writer {
    function: Function,
    counters: Counters,
    /// Local of the gas counter.
    gas: u32,
    /// Local of a bulk operand.
    size: u32,
    pages_max: u32,
    /// Stack slots of this function.
    slots: i32,
    /// Whether it calls anything.
    calls: bool,
    /// Whether some charge is not checked at once.
    overdraws: bool,
}

const fn is_loop(operator: &Operator<'_>) -> bool {
    matches!(operator, Operator::Loop { .. })
}

impl Writer {
    fn emit(&mut self, instruction: I<'_>) {
        self.function.instruction(&instruction);
    }

    fn emit_all<const N: usize>(&mut self, instructions: [I<'_>; N]) {
        for instruction in &instructions {
            self.function.instruction(instruction);
        }
    }

    fn enter(&mut self, cost: u64) {
        let stack = self.counters.stack;
        self.emit(I::GlobalGet(stack));
        self.emit(I::I32Const(self.slots));
        if self.calls {
            self.emit_all([I::I32Sub, I::GlobalSet(stack), I::GlobalGet(stack), I::I32Const(0)]);
        }
        self.emit_all([I::I32LtS, I::If(BlockType::Empty)]);
        // The negative counter tells the VM what happened.
        self.emit_all([I::I32Const(-1), I::GlobalSet(stack), I::Unreachable, I::End]);
        self.emit(I::GlobalGet(self.counters.gas));
        self.subtract(cost);
        self.store_checked();
    }

    fn leave(&mut self) {
        if self.calls && self.overdraws {
            self.emit(I::LocalGet(self.gas));
            self.store_checked();
        }
        self.spill();
        if self.calls {
            let stack = self.counters.stack;
            self.emit_all([I::GlobalGet(stack), I::I32Const(self.slots), I::I32Add, I::GlobalSet(stack)]);
        }
        self.emit(I::End);
    }

    fn body(&mut self, operators: &[Operator<'_>], charges: &[u64]) -> Result<(), CodeError> {
        let last = operators.len() - 1;
        let mut depth = 0u32;
        for (index, operator) in operators.iter().enumerate() {
            if index > 0 {
                self.charge(charges[index], is_loop(&operators[index - 1]));
            }
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => depth += 1,
                Operator::End if index < last => depth -= 1,
                _ => {}
            }
            let original = RoundtripReencoder.instruction(operator.clone()).map_err(reencoding)?;
            match operator {
                Operator::Return => self.emit(I::Br(depth)),
                Operator::Call { .. } | Operator::CallIndirect { .. } => {
                    self.spill();
                    self.emit(original);
                    self.emit_all([I::GlobalGet(self.counters.gas), I::LocalSet(self.gas)]);
                }
                Operator::MemoryGrow { .. } => {
                    self.charge_size(gas::PAGE, Some(self.pages_max));
                    self.emit(original);
                }
                Operator::MemoryCopy { .. } | Operator::MemoryFill { .. } => {
                    self.charge_size(gas::BULK_BYTE, None);
                    self.emit(original);
                }
                _ => self.emit(original),
            }
        }
        Ok(())
    }

    /// Charges what follows; a loop's head is checked even if it costs nothing itself.
    fn charge(&mut self, cost: u64, check: bool) {
        if cost > 0 || check {
            self.emit(I::LocalGet(self.gas));
            self.subtract(cost);
            if check { self.store_checked() } else { self.emit(I::LocalSet(self.gas)) }
        }
    }

    /// Charges `price` for each unit of the size on top of the operands, which stays there. A size above `clamp` fails
    /// at no more than the clamp's price.
    fn charge_size(&mut self, price: u64, clamp: Option<u32>) {
        self.emit_all([I::LocalTee(self.size), I::LocalGet(self.gas), I::LocalGet(self.size)]);
        if let Some(max) = clamp {
            let max = I::I32Const(max.cast_signed());
            self.emit_all([max.clone(), I::LocalGet(self.size), max, I::I32LtU, I::Select]);
        }
        self.emit_all([I::I64ExtendI32U, I::I64Const(price.cast_signed()), I::I64Mul, I::I64Sub]);
        self.store_checked();
    }

    fn subtract(&mut self, cost: u64) {
        self.emit_all([I::I64Const(cost.cast_signed()), I::I64Sub]);
    }

    /// Stores the counter on top of the operands and traps if it is negative, leaving the global negative too.
    fn store_checked(&mut self) {
        self.emit_all([I::LocalTee(self.gas), I::I64Const(0), I::I64LtS, I::If(BlockType::Empty)]);
        self.spill();
        self.emit_all([I::Unreachable, I::End]);
    }

    fn spill(&mut self) {
        self.emit_all([I::LocalGet(self.gas), I::GlobalSet(self.counters.gas)]);
    }
}

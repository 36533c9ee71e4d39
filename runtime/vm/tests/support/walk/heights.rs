//! How high a function's operands may pile up, by the types of its operators alone.

use super::{Function, Program, numbers};
use wasmparser::Operator as O;

/// The operands of one function, as far as code was read.
struct Pile {
    height: usize,
    open: Vec<Block>,
}

/// An open block.
struct Block {
    /// The height beneath it.
    beneath: usize,
    takes: usize,
    leaves: usize,
    is_loop: bool,
}

/// The highest operand stack between any two operators, code that is never reached included: there, an operator finds
/// what it takes, and leaves what it leaves.
pub fn highest(program: &Program<'_>, function: &Function<'_>) -> usize {
    let results = program.types[function.ty as usize].results().len();
    let whole = Block { beneath: 0, takes: 0, leaves: results, is_loop: false };
    let mut pile = Pile { height: 0, open: vec![whole] };
    let mut highest = 0;
    for operator in &function.body {
        pile.step(program, operator);
        highest = highest.max(pile.height);
    }
    highest
}

impl Pile {
    fn step(&mut self, program: &Program<'_>, operator: &O<'_>) {
        match operator {
            O::Block { blockty } => self.open(program.arities(*blockty), false),
            O::Loop { blockty } => self.open(program.arities(*blockty), true),
            O::If { blockty } => {
                self.exchange(1, 0);
                self.open(program.arities(*blockty), false);
            }
            O::Else => self.height = self.innermost().beneath + self.innermost().takes,
            O::End => {
                self.height = self.innermost().beneath + self.innermost().leaves;
                self.open.pop();
            }
            O::Br { .. } | O::BrTable { .. } | O::Return | O::Unreachable => {
                self.height = self.innermost().beneath;
            }
            O::BrIf { relative_depth } => {
                self.exchange(1, 0);
                let target = &self.open[self.open.len() - 1 - *relative_depth as usize];
                let carried = if target.is_loop { target.takes } else { target.leaves };
                self.exchange(carried, carried);
            }
            O::Call { function_index } => {
                let ty = program.type_of(*function_index);
                self.exchange(ty.params().len(), ty.results().len());
            }
            O::CallIndirect { type_index, .. } => {
                let ty = &program.types[*type_index as usize];
                self.exchange(ty.params().len() + 1, ty.results().len());
            }
            O::LocalGet { .. }
            | O::GlobalGet { .. }
            | O::I32Const { .. }
            | O::I64Const { .. }
            | O::MemorySize { .. } => self.exchange(0, 1),
            O::LocalSet { .. } | O::GlobalSet { .. } | O::Drop => self.exchange(1, 0),
            O::LocalTee { .. } | O::MemoryGrow { .. } => self.exchange(1, 1),
            O::MemoryFill { .. } | O::MemoryCopy { .. } => self.exchange(3, 0),
            O::Select => self.exchange(3, 1),
            O::Nop => {}
            other if numbers::load(other).is_some() || numbers::unary(other, 0).is_some() => {
                self.exchange(1, 1)
            }
            other if numbers::store(other).is_some() => self.exchange(2, 0),
            _ => self.exchange(2, 1),
        }
    }

    fn innermost(&self) -> &Block {
        self.open.last().unwrap()
    }

    fn open(&mut self, (takes, leaves): (usize, usize), is_loop: bool) {
        self.exchange(takes, 0);
        self.open.push(Block { beneath: self.height, takes, leaves, is_loop });
        self.height += takes;
    }

    /// Takes and leaves so many operands; nothing is taken from beneath the block.
    fn exchange(&mut self, takes: usize, leaves: usize) {
        let beneath = self.open.last().map_or(0, |block| block.beneath);
        self.height = self.height.saturating_sub(takes).max(beneath) + leaves;
    }
}

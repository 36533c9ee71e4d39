//! A slow WebAssembly interpreter that counts gas by the documented rules: what the metering pass is held against.
//!
//! Written from the specification, integers only; it executes the module as it came and knows nothing of the pass.
//! Of the virtual machine it uses the price list alone.

mod heights;
mod numbers;
mod paths;
mod program;

#[allow(unused_imports, reason = "each test uses what it needs")]
pub use heights::highest;
pub use paths::longest;
pub use program::{Function, Program};

use runtime_abi::CostClass;
use runtime_vm::{Kind, Trap, gas};
use wasmparser::Operator as O;

const PAGE_BYTES: usize = 64 << 10;

/// How a walk ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The entry point returned.
    Finished,
    /// The contract returned this.
    Returned(Vec<u8>),
    Trapped(Trap),
    /// More gas was used than the walk was given.
    Spent,
}

/// What one execution left and what it cost.
pub struct Walk<'p> {
    program: &'p Program<'p>,
    input: &'p [u8],
    /// Gas after which the walk stops.
    gas_max: u64,
    /// The price of everything executed so far, unit by unit.
    pub gas: u64,
    /// The same when a function or the host was last called or came back.
    pub gas_at_handover: u64,
    pub memory: Vec<u8>,
    pub globals: Vec<u64>,
    /// For each function: the highest operand stack seen between two instructions.
    pub heights: Vec<usize>,
    stack: Vec<u64>,
}

/// Where a branch goes.
struct Label {
    target: usize,
    height: usize,
    arity: usize,
}

/// One running function.
struct Frame<'f> {
    function: &'f Function<'f>,
    index: usize,
    locals: Vec<u64>,
    labels: Vec<Label>,
}

impl<'p> Walk<'p> {
    /// Runs the start function, if there is one, and `call`.
    pub fn run(program: &'p Program<'p>, input: &'p [u8], gas_max: u64) -> (Self, End) {
        let mut memory = vec![0; program.pages.0 as usize * PAGE_BYTES];
        for (start, bytes) in &program.data {
            memory[*start..][..bytes.len()].copy_from_slice(bytes);
        }
        let mut walk = Self {
            program,
            input,
            gas_max,
            gas: gas::entry(program.pages.0),
            gas_at_handover: gas::entry(program.pages.0),
            memory,
            globals: program.globals.clone(),
            heights: vec![0; program.functions.len()],
            stack: Vec::new(),
        };
        let entries = program.start.into_iter().chain([program.export("call")]);
        let end = entries.map(|entry| walk.call(entry)).find_map(Result::err).unwrap_or(End::Finished);
        (walk, end)
    }

    /// The dearest way through any function of the program between two checks.
    pub fn programs_longest(&self) -> u64 {
        self.program.functions.iter().map(longest).max().unwrap_or(0)
    }

    fn spend(&mut self, gas: u64) -> Result<(), End> {
        self.gas += gas;
        if self.gas > self.gas_max { Err(End::Spent) } else { Ok(()) }
    }

    fn call(&mut self, index: u32) -> Result<(), End> {
        self.gas_at_handover = self.gas;
        self.callee(index)?;
        self.gas_at_handover = self.gas;
        Ok(())
    }

    fn callee(&mut self, index: u32) -> Result<(), End> {
        let Some(index) = (index as usize).checked_sub(self.program.imports.len()) else {
            return self.host(self.program.imports[index as usize].0);
        };
        let function = &self.program.functions[index];
        let ty = &self.program.types[function.ty as usize];
        self.spend(gas::FUNCTION + gas::LOCAL * u64::from(function.declared))?;
        let base = self.stack.len() - ty.params().len();
        let mut locals = self.stack.split_off(base);
        locals.resize(locals.len() + function.declared as usize, 0);
        let whole = Label { target: function.body.len(), height: base, arity: ty.results().len() };
        let mut frame = Frame { function, index, locals, labels: vec![whole] };
        let mut at = 0;
        while at < function.body.len() {
            self.spend(function.prices[at])?;
            at = self.step(&mut frame, at)?;
            self.heights[index] = self.heights[index].max(self.stack.len().saturating_sub(base));
        }
        Ok(())
    }

    /// Executes the operator at `at`; where to go on.
    fn step(&mut self, frame: &mut Frame<'_>, at: usize) -> Result<usize, End> {
        match &frame.function.body[at] {
            O::Nop => {}
            O::Unreachable => return Err(End::Trapped(Trap::Unreachable)),
            O::Block { blockty } => {
                let (parameters, results) = self.program.arities(*blockty);
                let target = frame.function.ends[at] + 1;
                let height = self.stack.len() - parameters;
                frame.labels.push(Label { target, height, arity: results });
            }
            O::Loop { blockty } => {
                let (parameters, _) = self.program.arities(*blockty);
                let height = self.stack.len() - parameters;
                frame.labels.push(Label { target: at, height, arity: parameters });
            }
            O::If { blockty } => {
                let condition = self.pop_small();
                let (parameters, results) = self.program.arities(*blockty);
                let end = frame.function.ends[at];
                let label = Label { target: end + 1, height: self.stack.len() - parameters, arity: results };
                if condition == 0 && frame.function.elses[at].is_none() {
                    return Ok(end + 1);
                }
                frame.labels.push(label);
                if condition == 0 {
                    return Ok(frame.function.elses[at].unwrap() + 1);
                }
            }
            // The first arm is done.
            O::Else => {
                frame.labels.pop();
                return Ok(frame.function.ends[at] + 1);
            }
            O::End => drop(frame.labels.pop()),
            O::Br { relative_depth } => return Ok(self.branch(frame, *relative_depth)),
            O::BrIf { relative_depth } => {
                if self.pop_small() != 0 {
                    return Ok(self.branch(frame, *relative_depth));
                }
            }
            O::BrTable { targets } => {
                let selected = self.pop_small();
                let depth = targets.targets().nth(selected as usize).map(Result::unwrap);
                return Ok(self.branch(frame, depth.unwrap_or(targets.default())));
            }
            O::Return => {
                let depth = u32::try_from(frame.labels.len() - 1).unwrap();
                return Ok(self.branch(frame, depth));
            }
            O::Call { function_index } => self.call(*function_index)?,
            O::CallIndirect { type_index, .. } => self.call_indirect(*type_index)?,
            O::LocalGet { local_index } => self.stack.push(frame.locals[*local_index as usize]),
            O::LocalSet { local_index } => frame.locals[*local_index as usize] = self.pop(),
            O::LocalTee { local_index } => {
                frame.locals[*local_index as usize] = *self.stack.last().unwrap();
            }
            other => self.plain(other)?,
        }
        Ok(at + 1)
    }

    /// Executes what neither branches nor calls nor touches locals.
    fn plain(&mut self, operator: &O<'_>) -> Result<(), End> {
        match operator {
            O::Drop => drop(self.pop()),
            O::Select => {
                let condition = self.pop_small();
                let other = self.pop();
                if condition == 0 {
                    *self.stack.last_mut().unwrap() = other;
                }
            }
            O::I32Const { value } => self.stack.push(u64::from(value.cast_unsigned())),
            O::I64Const { value } => self.stack.push(value.cast_unsigned()),
            O::GlobalGet { global_index } => self.stack.push(self.globals[*global_index as usize]),
            O::GlobalSet { global_index } => self.globals[*global_index as usize] = self.pop(),
            O::MemorySize { .. } => self.stack.push((self.memory.len() / PAGE_BYTES) as u64),
            O::MemoryGrow { .. } => self.grow()?,
            O::MemoryFill { .. } => {
                let (bytes, value, to) = (self.pop(), self.pop(), self.pop());
                self.spend(gas::BULK_BYTE * bytes)?;
                let to = self.range(to, bytes)?;
                self.memory[to].fill(value.to_le_bytes()[0]);
            }
            O::MemoryCopy { .. } => {
                let (bytes, from, to) = (self.pop(), self.pop(), self.pop());
                self.spend(gas::BULK_BYTE * bytes)?;
                let (from, to) = (self.range(from, bytes)?, self.range(to, bytes)?);
                self.memory.copy_within(from, to.start);
            }
            other => self.number(other)?,
        }
        Ok(())
    }

    fn number(&mut self, operator: &O<'_>) -> Result<(), End> {
        if let Some(numbers::Load { offset, bytes, extend }) = numbers::load(operator) {
            let address = self.pop() + offset;
            let range = self.range(address, bytes as u64)?;
            let mut cell = [0; 8];
            cell[..bytes].copy_from_slice(&self.memory[range]);
            self.stack.push(extend(u64::from_le_bytes(cell)));
        } else if let Some((offset, bytes)) = numbers::store(operator) {
            let value = self.pop();
            let address = self.pop() + offset;
            let range = self.range(address, bytes as u64)?;
            self.memory[range].copy_from_slice(&value.to_le_bytes()[..bytes]);
        } else {
            let right = self.pop();
            if let Some(result) = numbers::unary(operator, right) {
                self.stack.push(result);
            } else {
                let left = self.pop();
                let result = numbers::binary(operator, left, right);
                self.stack.push(result.unwrap_or_else(|| panic!("{operator:?}")).map_err(End::Trapped)?);
            }
        }
        Ok(())
    }

    /// A growth is charged by the page wanted, but no more than the largest that could succeed.
    fn grow(&mut self) -> Result<(), End> {
        let wanted = self.pop();
        let max = u64::from(self.program.pages.1);
        self.spend(gas::PAGE * wanted.min(max))?;
        let pages = (self.memory.len() / PAGE_BYTES) as u64;
        if pages + wanted > max {
            self.stack.push(u64::from(u32::MAX));
        } else {
            self.memory.resize(usize::try_from(pages + wanted).unwrap() * PAGE_BYTES, 0);
            self.stack.push(pages);
        }
        Ok(())
    }

    fn call_indirect(&mut self, ty: u32) -> Result<(), End> {
        let entry = self.pop_small() as usize;
        let Some(entry) = self.program.table.get(entry) else {
            return Err(End::Trapped(Trap::TableOutOfBounds));
        };
        let Some(function) = entry else { return Err(End::Trapped(Trap::IndirectCallToNull)) };
        if self.program.type_of(*function) != &self.program.types[ty as usize] {
            return Err(End::Trapped(Trap::BadSignature));
        }
        self.call(*function)
    }

    /// The two functions that pure programs of these tests import.
    fn host(&mut self, name: &str) -> Result<(), End> {
        let class = if name.ends_with("input") { CostClass::Input } else { CostClass::Return };
        let cost = gas::host(class);
        self.spend(cost.base)?;
        if class == CostClass::Return {
            let (bytes, from, _flags) = (self.pop(), self.pop(), self.pop());
            self.spend(cost.per_byte_taken * bytes)?;
            let range = self.range(from, bytes)?;
            return Err(End::Returned(self.memory[range].to_vec()));
        }
        let (length_at, to) = (self.pop(), self.pop());
        let input = self.input;
        self.spend(cost.per_byte_given * input.len() as u64)?;
        let length_at = self.range(length_at, 4)?;
        let to = self.range(to, input.len() as u64)?;
        self.memory[to].copy_from_slice(input);
        self.memory[length_at].copy_from_slice(&u32::try_from(input.len()).unwrap().to_le_bytes());
        Ok(())
    }

    /// Carries the values of a branch down to its label.
    fn branch(&mut self, frame: &mut Frame<'_>, depth: u32) -> usize {
        let label = frame.labels.len() - 1 - depth as usize;
        let Label { target, height, arity } = frame.labels[label];
        let values = self.stack.len() - arity;
        self.stack.drain(height..values);
        // A loop opens its label again; what is left by going to its end is closed.
        frame.labels.truncate(label);
        target
    }

    fn range(&self, start: u64, bytes: u64) -> Result<std::ops::Range<usize>, End> {
        let end = start + bytes;
        if end > self.memory.len() as u64 {
            return Err(End::Trapped(Trap::MemoryOutOfBounds));
        }
        Ok(usize::try_from(start).unwrap()..usize::try_from(end).unwrap())
    }

    fn pop(&mut self) -> u64 {
        self.stack.pop().unwrap()
    }

    fn pop_small(&mut self) -> u32 {
        u32::try_from(self.pop()).unwrap()
    }
}

/// Pages that a pure contract may have.
pub const PAGES_MAX: u32 = Kind::Pure.memory_pages_max();

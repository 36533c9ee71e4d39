//! Modules that are hard to compile, each shape in its own way, built to a size from a seed.

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, ImportSection, Instruction as I, MemArg, MemArgTarget, MemorySection,
    MemoryType, Module, RefType, TableSection, TableType, TypeSection, ValType,
};

/// How many shapes there are.
pub const SHAPES: u32 = 10;

/// What a shape is made of.
pub const fn shape_name(shape: u32) -> &'static str {
    match shape {
        0 => "straight lines over 256 locals",
        1 => "branches over 256 locals",
        2 => "nested loops over many locals",
        3 => "branch tables",
        4 => "operands that stay alive",
        5 => "deep blocks with early exits",
        6 => "wide values through blocks",
        7 => "memory in every way",
        8 => "calls with 64 arguments",
        _ => "thousands of small functions",
    }
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) % u64::from(bound)).expect("below a u32")
    }
}

/// A module of a shape with at most `bytes` bytes, a little fewer. Bodies are as large as `body_max` or their
/// complexity allow.
pub fn bomb(shape: u32, seed: u64, bytes: usize, body_max: usize) -> Vec<u8> {
    let mut random = Random(seed << 8 | u64::from(shape));
    let mut bodies = Vec::new();
    // What is around the bodies: types, exports, a table.
    let mut left = bytes.saturating_sub(600);
    while bodies.len() < 4_000 {
        let limit = body_limit(shape, &mut random);
        let body = body(shape, &mut random, limit.min(body_max).min(left.saturating_sub(12)));
        if body.byte_len() + 12 > left || left < 200 {
            break;
        }
        left -= body.byte_len() + 12;
        bodies.push(body);
    }
    module(shape, &bodies)
}

/// Bytes of one body: the largest, or fewer where complexity would refuse it.
fn body_limit(shape: u32, random: &mut Random) -> usize {
    let most: u32 = match shape {
        1 => 4_400,
        2 => 5_000,
        3 => 30_000,
        9 => 60,
        _ => 32_000,
    };
    (most - random.below(most / 8)) as usize
}

fn body(shape: u32, random: &mut Random, bytes: usize) -> Function {
    let locals = match shape {
        4..=6 => 8,
        7 | 8 => 16,
        9 => 3,
        2 => 120 + random.below(130),
        _ => 250,
    };
    let mut body = Function::new([(locals, ValType::I64), (1, ValType::I32)]);
    let mut writer = Writer { body: &mut body, random, locals, bytes, shape };
    writer.fill();
    body.instruction(&I::End);
    body
}

struct Writer<'a> {
    body: &'a mut Function,
    random: &'a mut Random,
    locals: u32,
    bytes: usize,
    shape: u32,
}

impl Writer<'_> {
    fn emit(&mut self, instruction: &I<'_>) {
        self.body.instruction(instruction);
    }

    /// Whether so many bytes are left.
    fn room(&self, bytes: usize) -> bool {
        self.body.byte_len() + bytes + 8 < self.bytes
    }

    fn local(&mut self) -> u32 {
        self.random.below(self.locals)
    }

    /// A local combined with another one, left on the stack.
    fn value(&mut self) {
        let (a, b, constant) = (self.local(), self.local(), i64::from(self.random.below(60)));
        self.emit(&I::LocalGet(a));
        self.emit(&I::LocalGet(b));
        self.emit(&I::I64Const(constant));
        let operations = [I::I64Add, I::I64Mul, I::I64Xor, I::I64Rotl, I::I64Sub, I::I64And];
        let operation = operations[self.random.below(6) as usize].clone();
        self.emit(&operation);
        self.emit(&I::I64Xor);
    }

    fn step(&mut self) {
        self.value();
        let to = self.local();
        self.emit(&I::LocalSet(to));
    }

    fn condition(&mut self) {
        let local = self.local();
        self.emit(&I::LocalGet(local));
        self.emit(&I::I32WrapI64);
    }

    fn fill(&mut self) {
        match self.shape {
            0 | 9 => {
                while self.room(12) {
                    self.step();
                }
            }
            1 => self.branches(),
            2 => self.loops(),
            3 => self.tables(),
            4 => self.operands(),
            5 => self.blocks(),
            6 => self.wide(),
            7 => self.memory(),
            _ => self.calls(),
        }
    }

    fn branches(&mut self) {
        self.emit(&I::Block(BlockType::Empty));
        self.emit(&I::Loop(BlockType::Empty));
        while self.room(24) {
            self.step();
            self.condition();
            let depth = self.random.below(2);
            self.emit(&I::BrIf(depth));
        }
        self.emit(&I::End);
        self.emit(&I::End);
    }

    fn loops(&mut self) {
        let mut open = 0;
        while self.room(2 * open + 40) && open < 200 {
            self.emit(&I::Loop(BlockType::Empty));
            open += 1;
            self.step();
        }
        while open > 0 {
            if self.room(8 * open + 10) {
                self.condition();
                let depth = self.random.below(u32::try_from(open).expect("few loops"));
                self.emit(&I::BrIf(depth));
            }
            self.emit(&I::End);
            open -= 1;
        }
    }

    fn tables(&mut self) {
        const DEPTH: u32 = 100;
        for _ in 0..DEPTH {
            self.emit(&I::Block(BlockType::Empty));
        }
        while self.room(560 + DEPTH as usize * 2) {
            self.step();
            self.emit(&I::Block(BlockType::Empty));
            self.condition();
            let targets: Vec<u32> = (0..500).map(|_| self.random.below(DEPTH)).collect();
            self.emit(&I::BrTable(targets.into(), 0));
            self.emit(&I::End);
        }
        for _ in 0..DEPTH {
            if self.room(DEPTH as usize + 20) {
                self.step();
            }
            self.emit(&I::End);
        }
    }

    fn operands(&mut self) {
        let mut height = 0;
        while self.room(height + 20) {
            self.value();
            height += 1;
        }
        for _ in 1..height {
            self.emit(&I::I64Xor);
        }
        self.emit(&I::LocalSet(0));
    }

    fn blocks(&mut self) {
        while self.room(700 + 24 * 20) {
            let depth = 20 + self.random.below(20);
            for _ in 0..depth {
                self.emit(&I::Block(BlockType::Empty));
            }
            for open in (1..=depth).rev() {
                self.step();
                self.condition();
                let target = self.random.below(open);
                self.emit(&I::BrIf(target));
                self.emit(&I::End);
                if self.random.below(4) == 0 {
                    self.condition();
                    self.emit(&I::If(BlockType::Empty));
                    self.step();
                    self.emit(&I::Else);
                    self.step();
                    self.emit(&I::End);
                }
            }
        }
    }

    /// Blocks of type 2 leave sixteen values.
    fn wide(&mut self) {
        while self.room(420) {
            self.emit(&I::Block(BlockType::FunctionType(2)));
            for _ in 0..16 {
                let local = self.local();
                self.emit(&I::LocalGet(local));
            }
            for _ in 0..8 {
                self.condition();
                self.emit(&I::BrIf(0));
            }
            self.emit(&I::End);
            for _ in 0..16 {
                let local = self.local();
                self.emit(&I::LocalSet(local));
            }
        }
    }

    fn memory(&mut self) {
        let at = |offset| MemArg { offset, align: 0, target: MemArgTarget::Memory(0), ordering: None };
        while self.room(40) {
            self.condition();
            self.value();
            let offset = u64::from(self.random.below(60_000));
            match self.random.below(6) {
                0 => self.emit(&I::I64Store(at(offset))),
                1 => self.emit(&I::I64Store8(at(offset))),
                2 => {
                    self.emit(&I::I32WrapI64);
                    self.condition();
                    self.emit(&I::MemoryFill(0));
                }
                3 => {
                    self.emit(&I::I32WrapI64);
                    self.condition();
                    self.emit(&I::MemoryCopy { src_mem: 0, dst_mem: 0 });
                }
                4 => {
                    self.emit(&I::I32WrapI64);
                    self.emit(&I::I64Load16S(at(offset)));
                    self.emit(&I::I64Store32(at(offset)));
                }
                _ => {
                    self.emit(&I::I32WrapI64);
                    self.emit(&I::MemoryGrow(0));
                    self.emit(&I::I32DivS);
                    self.emit(&I::LocalSet(self.locals));
                }
            }
        }
    }

    /// Calls of functions of type 1, through the table.
    fn calls(&mut self) {
        while self.room(220) {
            for _ in 0..64 {
                let local = self.local();
                self.emit(&I::LocalGet(local));
            }
            self.emit(&I::I32Const(0));
            self.emit(&I::CallIndirect { type_index: 1, table_index: 0 });
            for _ in 0..16 {
                let local = self.local();
                self.emit(&I::LocalSet(local));
            }
        }
    }
}

/// Types: 0 nothing, 1 sixty-four arguments and sixteen results, 2 sixteen results.
fn module(shape: u32, bodies: &[Function]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types.ty().function([ValType::I64; 64], [ValType::I64; 16]);
    types.ty().function([], [ValType::I64; 16]);
    types.ty().function([ValType::I32; 3], []);
    let mut imports = ImportSection::new();
    imports.import("seal0", "seal_return", EntityType::Function(3));
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    let mut entry = Function::new([]);
    entry.instruction(&I::End);
    for body in std::iter::once(&entry).chain(bodies) {
        functions.function(0);
        code.function(body);
    }
    let mut tables = TableSection::new();
    let minimum: u32 = if shape == 9 { 4_096 } else { 16 };
    let element_type = RefType::FUNCREF;
    tables.table(TableType {
        element_type,
        minimum: minimum.into(),
        maximum: None,
        table64: false,
        shared: false,
    });
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    exports.export("call", ExportKind::Func, 1);
    let mut elements = ElementSection::new();
    elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(vec![1; minimum as usize].into()));
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&tables).section(&memories);
    module.section(&exports).section(&elements).section(&code);
    module.finish()
}

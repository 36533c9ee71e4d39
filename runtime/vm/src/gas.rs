//! The cost table: what everything costs, in gas (1 gas = nominally 1 ps of a 3 GHz core running compiled code).
//!
//! These numbers are consensus: a chain that runs cannot change one. Golden numbers in `tests/gas.rs` freeze them.
//!
//! How they were chosen: `examples/calibrate.rs` measures every operator in a chain of itself, on both engines, and
//! writes `GAS.md` beside this crate; it fails if compiled code needs more than four times a price. Most prices have a
//! margin: it belongs to slower machines, to a faster but worse compiler, and to the second engine, an interpreter.
//! One thing is known to break the rule: a chain of loads that miss every cache, which needs more memory than
//! a stateful contract may have (1 MiB) but not more than a pure one (16 MiB). A price that covers it would make every
//! other access absurdly dear, so it is bounded by who may schedule a rule and by the market steps' own gas.

use runtime_abi::CostClass;
use wasmparser::Operator;

/// Constants, locals, stack shuffling: mostly gone after register allocation.
const MOVE: u64 = 100;
/// Additions, shifts, comparisons, bit counts, conversions between integers: one cycle or less.
const SIMPLE: u64 = 300;
/// Multiplication: three cycles of latency, partly hidden.
const MULTIPLY: u64 = 600;
/// Division and remainder: 10–20 cycles that cannot be hidden, and two checks.
const DIVIDE: u64 = 5_000;
/// Loads and stores: 1.6 ns when near. A chain of loads all over 1 MiB took 9–11 ns each.
const MEMORY: u64 = 2_500;
/// Globals live in the instance's memory.
const GLOBAL: u64 = 500;
/// Branches, predicted most of the time.
const BRANCH: u64 = 400;
/// A jump through a table, often mispredicted.
const TABLE_BRANCH: u64 = 2_000;
/// A call and its return, spilling and reloading the gas counter included.
const CALL: u64 = 2_000;
/// A call through the table: bounds, null and signature checks.
const INDIRECT_CALL: u64 = 4_000;
/// `memory.grow`: leaves compiled code for the engine, which asks the system to change its map of the memory.
const GROW: u64 = 2_000_000;
/// `memory.copy` and `memory.fill`: the call into the engine. A fill of nothing on a page never touched was seen to
/// take 190–370 ns; on a page in use it takes 4 ns.
const BULK: u64 = 100_000;

/// Entering a function: prologue, stack and gas checks.
pub const FUNCTION: u64 = 1_500;
/// A declared local is zeroed at entry.
pub const LOCAL: u64 = 100;
/// One more page (64 KiB) of memory: sixteen first touches of 4 KiB, and wiping them after the call.
pub const PAGE: u64 = 3_000_000;
/// One byte of `memory.copy` or `memory.fill`: 10 GB/s.
pub const BULK_BYTE: u64 = 100;

/// Starting a call: a fresh instance and its disposal (4.7 µs measured on wasmtime).
const ENTRY: u64 = 5_000_000;

/// What a call costs before its first instruction. Bytes of data segments are free: they are mapped, not copied.
pub const fn entry(memory_pages: u32) -> u64 {
    ENTRY + PAGE * memory_pages as u64
}

/// The static cost of an instruction; `None` if contracts may not use it. Bytes and pages of bulk operations and
/// `memory.grow` are charged on top.
pub fn instruction(operator: &Operator<'_>) -> Option<u64> {
    use Operator as O;
    Some(match operator {
        O::Nop | O::Block { .. } | O::Loop { .. } | O::Else | O::End | O::Unreachable | O::Return => 0,
        O::Drop | O::I32Const { .. } | O::I64Const { .. } => MOVE,
        O::LocalGet { .. } | O::LocalSet { .. } | O::LocalTee { .. } => MOVE,
        O::Select => SIMPLE,
        O::If { .. } | O::Br { .. } | O::BrIf { .. } => BRANCH,
        O::BrTable { .. } => TABLE_BRANCH,
        O::Call { .. } => CALL,
        O::CallIndirect { .. } => INDIRECT_CALL,
        O::GlobalGet { .. } | O::GlobalSet { .. } => GLOBAL,
        O::MemorySize { .. } => GLOBAL,
        O::MemoryGrow { .. } => GROW,
        O::MemoryCopy { .. } | O::MemoryFill { .. } => BULK,
        other => arithmetic(other).or_else(|| access(other))?,
    })
}

fn access(operator: &Operator<'_>) -> Option<u64> {
    use Operator as O;
    matches!(
        operator,
        O::I32Load { .. }
            | O::I64Load { .. }
            | O::I32Load8S { .. }
            | O::I32Load8U { .. }
            | O::I32Load16S { .. }
            | O::I32Load16U { .. }
            | O::I64Load8S { .. }
            | O::I64Load8U { .. }
            | O::I64Load16S { .. }
            | O::I64Load16U { .. }
            | O::I64Load32S { .. }
            | O::I64Load32U { .. }
            | O::I32Store { .. }
            | O::I64Store { .. }
            | O::I32Store8 { .. }
            | O::I32Store16 { .. }
            | O::I64Store8 { .. }
            | O::I64Store16 { .. }
            | O::I64Store32 { .. }
    )
    .then_some(MEMORY)
}

#[rustfmt::skip]
fn arithmetic(operator: &Operator<'_>) -> Option<u64> {
    use Operator as O;
    Some(match operator {
        O::I32Eqz | O::I32Eq | O::I32Ne | O::I32LtS | O::I32LtU | O::I32GtS | O::I32GtU | O::I32LeS | O::I32LeU
        | O::I32GeS | O::I32GeU | O::I64Eqz | O::I64Eq | O::I64Ne | O::I64LtS | O::I64LtU | O::I64GtS | O::I64GtU
        | O::I64LeS | O::I64LeU | O::I64GeS | O::I64GeU => SIMPLE,
        O::I32Clz | O::I32Ctz | O::I32Popcnt | O::I64Clz | O::I64Ctz | O::I64Popcnt => SIMPLE,
        O::I32Add | O::I32Sub | O::I32And | O::I32Or | O::I32Xor | O::I32Shl | O::I32ShrS | O::I32ShrU
        | O::I32Rotl | O::I32Rotr | O::I64Add | O::I64Sub | O::I64And | O::I64Or | O::I64Xor | O::I64Shl
        | O::I64ShrS | O::I64ShrU | O::I64Rotl | O::I64Rotr => SIMPLE,
        O::I32WrapI64 | O::I64ExtendI32S | O::I64ExtendI32U | O::I32Extend8S | O::I32Extend16S | O::I64Extend8S
        | O::I64Extend16S | O::I64Extend32S => SIMPLE,
        O::I32Mul | O::I64Mul => MULTIPLY,
        O::I32DivS | O::I32DivU | O::I32RemS | O::I32RemU | O::I64DivS | O::I64DivU | O::I64RemS
        | O::I64RemU => DIVIDE,
        _ => return None,
    })
}

/// What a host function costs: a base, and so much for every byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostCost {
    /// Charged before anything else.
    pub base: u64,
    /// Charged for each byte that the contract gives: to be hashed, stored, recorded or returned.
    pub per_byte_taken: u64,
    /// Charged for each byte that the contract gets.
    pub per_byte_given: u64,
}

/// Recovering a secp256k1 key.
const RECOVERY: u64 = 300_000_000;

/// Leaving wasm, finding the memory, returning: measured at 20–50 ns.
const TRANSITION: u64 = 50_000;
/// One byte copied between contract and host: 10 GB/s.
const COPY: u64 = 100;

/// The cost of a host function, by its class. Exhaustive: a new class asks for its price here.
pub const fn host(class: CostClass) -> HostCost {
    let (base, per_byte_taken) = match class {
        CostClass::Fact | CostClass::Input | CostClass::Return | CostClass::Stub => (TRANSITION, COPY),
        CostClass::Debug => (TRANSITION, 2 * COPY),
        // One or two lookups in the state.
        CostClass::Account | CostClass::StorageRead => (5_000_000, COPY),
        // A changed key costs 12-14 µs in the commit, and its bytes go to the disk two or three times.
        CostClass::StorageWrite => (20_000_000, 2_000),
        // Encoded, hashed into the digest, stored with the block.
        CostClass::Event => (2_000_000, 2_000),
        // Two accounts change.
        CostClass::Transfer => (40_000_000, COPY),
        // One block, and 0.8 GB/s beyond.
        CostClass::Blake2 => (300_000, 1_200),
        CostClass::Keccak => (600_000, 3_000),
        CostClass::Sha2 => (400_000, 4_000),
        // A verification on a curve (37-53 µs measured for sr25519), and the hash of the message.
        CostClass::Signature => (60_000_000, 4_000),
        // Recovers a point and verifies with it.
        CostClass::Recovery => (RECOVERY, COPY),
        CostClass::Call => (ENTRY, COPY),
        // Looks at a few records, or reads a page of trades.
        CostClass::Extension => (30_000_000, COPY),
        CostClass::Instantiate => (ENTRY + 100_000_000, COPY),
    };
    HostCost { base, per_byte_taken, per_byte_given: COPY }
}

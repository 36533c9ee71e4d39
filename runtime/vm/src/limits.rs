//! Every limit on a contract's code, with unit and reason. Code size and memory come from `runtime_primitives`.
//!
//! They bound the time and memory of validation, compilation and instantiation. They are consensus rules: a looser
//! or tighter value accepts other contracts.

/// Function types of a module.
pub const TYPES_MAX: u32 = 1_024;
/// Parameters of one function: each costs an argument slot in every native frame.
pub const PARAMETERS_MAX: usize = 64;
/// Results of one function or block.
pub const RESULTS_MAX: usize = 16;
/// Functions defined in a module.
pub const FUNCTIONS_MAX: u32 = 4_096;
/// Imports of a module: all names and aliases of the interface fit.
pub const IMPORTS_MAX: u32 = 256;
/// Globals of a module.
pub const GLOBALS_MAX: u32 = 256;
/// Exports of a module; all but the entry points are dropped.
pub const EXPORTS_MAX: u32 = 1_024;
/// Data segments of a module: each is one copy at instantiation.
pub const DATA_SEGMENTS_MAX: u32 = 1_024;
/// Element segments of a module.
pub const ELEMENT_SEGMENTS_MAX: u32 = 1_024;
/// Entries of the table. They are reset for every call.
pub const TABLE_ELEMENTS_MAX: u32 = 4_096;
/// Bytes of one function's body: optimised compilation grows faster than linearly with it (150 KB took 3.9 s).
pub const FUNCTION_BODY_BYTES_MAX: usize = 32 << 10;
/// Locals of one function, parameters included: what a compiler keeps alive at once in every block.
pub const FUNCTION_LOCALS_MAX: u32 = 256;
/// Targets of one `br_table`, its default included: a byte-sized `match` has 257.
pub const BRANCH_TABLE_TARGETS_MAX: u32 = 512;
/// Blocks nested in one function: a `match` nests one for each of its arms.
pub const NESTING_DEPTH_MAX: u32 = 512;
/// Basic blocks × (locals + 1) of one function: register allocation visits each local in each block, and more than
/// once where many blocks branch to one. Without this limit one full-size function compiled for a second.
pub const FUNCTION_COMPLEXITY_MAX: u64 = 128 << 10;
/// The same, summed over the functions of a module.
pub const COMPLEXITY_MAX: u64 = 512 << 10;

/// Slots (8 bytes, nominal) of the logical stack, shared by a whole call stack of contracts.
///
/// At most 8,192 frames fit (see [`FRAME_SLOTS_BASE`]). Compiled code was seen to need up to 1.5 times the nominal
/// 1 MiB; `tests/stack.rs` holds it below a quarter of [`NATIVE_STACK_BYTES`].
pub const STACK_SLOTS: u32 = 128 << 10;
/// Slots of a frame besides its locals and operands: return address, saved registers, spilled gas.
pub const FRAME_SLOTS_BASE: u32 = 16;
/// Native bytes that wasm frames of one contract call may use; the logical stack ends first.
pub const NATIVE_STACK_BYTES: usize = 8 << 20;
/// Native stack that a thread must have to run contracts: nested calls of the deepest call stack, and the host.
pub const VM_THREAD_STACK_BYTES: usize = 128 << 20;
/// Bytes of the interpreter's value stack, which is on the heap.
pub const INTERPRETER_STACK_BYTES: usize = 64 << 20;
/// Frames of the interpreter; far above what the logical stack admits.
pub const INTERPRETER_FRAMES_MAX: usize = 1_000_000;

/// Bytes of a function's body up to which the optimising compiler is waited for. No rule: above, the one-pass compiler's
/// code runs until the optimised one is ready.
///
/// `examples/bombs.rs` measured, for 128 KiB of the worst code: up to 192 ms where these limits on bodies and complexity
/// hold, up to 820 ms beyond, and at most 43 ms on the one-pass compiler whatever the code.
pub const OPTIMISED_AT_ONCE_BODY_BYTES_MAX: usize = 16 << 10;
/// Bytes of all bodies up to which the optimising compiler is waited for: the largest shipped rule fits.
pub const OPTIMISED_AT_ONCE_CODE_BYTES_MAX: usize = 40 << 10;
/// Functions up to which the optimising compiler is waited for: 4,000 empty ones took 0.4 s.
pub const OPTIMISED_AT_ONCE_FUNCTIONS_MAX: usize = 512;
/// Basic blocks × (locals + 1), summed over the functions, up to which the optimising compiler is waited for.
pub const OPTIMISED_AT_ONCE_COMPLEXITY_MAX: u64 = 64 << 10;
/// Compiled modules kept in memory.
pub const CACHED_MODULES_MAX: usize = 512;
/// Outermost calls that run at once; more wait. Each may hold one instance per level of nesting.
pub const CONCURRENT_CALLS_MAX: usize = 16;
/// Instances that exist at once, so that a call never fails for lack of one.
pub const INSTANCES_MAX: u32 = 16 * 6;

const _: () = assert!(
    INSTANCES_MAX as usize == CONCURRENT_CALLS_MAX * (runtime_primitives::limits::CALL_DEPTH_MAX + 1)
);
const _: () = assert!(STACK_SLOTS as usize * 8 * 4 <= NATIVE_STACK_BYTES);
const _: () =
    assert!(NATIVE_STACK_BYTES * (runtime_primitives::limits::CALL_DEPTH_MAX + 2) <= VM_THREAD_STACK_BYTES);
const _: () = assert!(STACK_SLOTS as usize * 16 <= INTERPRETER_STACK_BYTES);
const _: () = assert!((STACK_SLOTS / FRAME_SLOTS_BASE) as usize * 16 <= INTERPRETER_FRAMES_MAX);

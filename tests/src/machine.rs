//! The contract machine of a test process: one for all its tests, so that each artifact is compiled once.
//!
//! Whatever runs contracts does so inside [`on_vm_thread`].

use runtime_vm::{EngineKind, VM_THREAD_STACK_BYTES, Vm};
use std::sync::LazyLock;

/// The machine that executes blocks.
///
/// # Panics
/// If this computer cannot run it.
pub fn vm() -> &'static Vm {
    static MACHINE: LazyLock<Vm> =
        LazyLock::new(|| Vm::new(EngineKind::Wasmtime).expect("the engine starts"));
    &MACHINE
}

/// Run `body` on a thread with the stack that contracts may need.
///
/// # Panics
/// If `body` does.
pub fn on_vm_thread<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
        let thread = thread.spawn_scoped(scope, body).expect("the system starts a thread");
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

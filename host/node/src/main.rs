//! The `busbar` binary: arguments in, exit code out. Everything runs on a thread with the stack contracts need.

use clap::Parser;
use host_node::cli::Cli;
use runtime_vm::VM_THREAD_STACK_BYTES;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let work = move || match cli.run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("busbar: {error:#}");
            ExitCode::FAILURE
        }
    };
    let thread = std::thread::Builder::new().name("main".to_owned()).stack_size(VM_THREAD_STACK_BYTES);
    match thread.spawn(work).map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(_)) => ExitCode::from(101),
        Err(error) => {
            eprintln!("busbar: no thread with {} MiB of stack: {error}", VM_THREAD_STACK_BYTES >> 20);
            ExitCode::FAILURE
        }
    }
}

//! The `busbar` binary: arguments in, exit code out. Everything runs on a thread with the stack contracts need.

use host_node::cli::{Cli, told};
use host_rpc::RemoteNode;
use runtime_vm::VM_THREAD_STACK_BYTES;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    quiet_panics();
    let failures = cli.failures();
    let work = move || match cli.run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{}", told(&error));
            failures.code(&error)
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

/// `busbar … | head` ends without a word when `head` has seen enough, and a node's answer that makes no sense is told
/// as an error.
fn quiet_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let text = info.payload().downcast_ref::<String>();
        if text.is_some_and(|text| text.starts_with("failed printing to stdout")) {
            std::process::exit(141);
        }
        if !RemoteNode::is_reading() {
            usual(info);
        }
    }));
}

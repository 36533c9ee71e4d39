//! The virtual machine beside its rivals:
//! `cargo bench --manifest-path tests/benches/Cargo.toml --bench vm [-- [--quick] [--write FILE]]`.
//!
//! All of them do the same work on the same bytes in one run, in turns, and must answer the same bytes. Figures are
//! medians of the thread's CPU time; only the scaling of two threads is wall time. Read them on a quiet machine.

mod measure;
mod report;
mod shape;
mod subjects;
mod threads;
mod works;

use measure::Plan;
use runtime_vm::VM_THREAD_STACK_BYTES;
use std::path::PathBuf;

/// What the command line asks for.
struct Options {
    plan: Plan,
    /// Where the report goes besides the standard output.
    file: Option<PathBuf>,
}

impl Options {
    fn read() -> Result<Self, String> {
        let mut options = Self { plan: Plan::FULL, file: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                // `cargo bench` passes it.
                "--bench" => {}
                "--quick" => options.plan = Plan::QUICK,
                "--write" => {
                    let file = arguments.next().ok_or("--write needs the name of a file")?;
                    options.file = Some(file.into());
                }
                other => return Err(format!("unknown argument {other}; known are --quick and --write FILE")),
            }
        }
        Ok(options)
    }
}

/// The figures of other benchmarks stand from this heading on, and stay.
const OTHERS: &str = "\n# Clearing a slot\n";

fn run(options: &Options) {
    let works = works::all();
    let subjects = subjects::all();
    let figures: Vec<_> = works
        .iter()
        .map(|work| {
            eprintln!("{} …", work.name);
            measure::side_by_side(work, &subjects, &options.plan)
        })
        .collect();
    eprintln!("two threads …");
    let scaling = threads::measure(&options.plan);
    let report = report::markdown(&works, &subjects, &figures, &scaling, &options.plan);
    print!("{report}");
    if let Some(file) = &options.file {
        let before = std::fs::read_to_string(file).unwrap_or_default();
        let others = before.find(OTHERS).map_or("", |at| &before[at..]);
        std::fs::write(file, report + others).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

fn main() {
    let options = Options::read().unwrap_or_else(|message| {
        eprintln!("{message}");
        std::process::exit(2);
    });
    let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
    let bench = thread.spawn(move || run(&options)).expect("the system can start a thread");
    if bench.join().is_err() {
        std::process::exit(101);
    }
}

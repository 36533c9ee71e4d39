//! The figures as a Markdown document: medians, ratios, and whether the targets are met.

use crate::measure::{Figures, Plan};
use crate::subjects::{COSMWASM, NATIVE, OURS, Subject, UNMETERED, WASMI_0_32};
use crate::threads::Scaling;
use crate::works::{self, HIGH_LOW, MIN_SPREAD, Work};
use std::fmt::Write;

/// Writes the whole document.
pub fn markdown(
    works: &[Work],
    subjects: &[Box<dyn Subject>],
    figures: &[Figures],
    scaling: &Scaling,
    plan: &Plan,
) -> String {
    let names: Vec<&str> = subjects.iter().map(|subject| subject.name()).collect();
    let rows = |cell: &dyn Fn(&Figures, usize) -> Option<String>| {
        let row = |(work, figures): (&Work, &Figures)| {
            let cells = (0..names.len()).map(|at| cell(figures, at).unwrap_or_else(|| "–".to_owned()));
            format!("| {} | {} |\n", work.name, cells.collect::<Vec<_>>().join(" | "))
        };
        let head = format!("| | {} |\n|---|{}\n", names.join(" | "), "--:|".repeat(names.len()));
        head + &works.iter().zip(figures).map(row).collect::<String>()
    };
    format!(
        "# The virtual machine beside its rivals\n\n\
        Written by `cargo bench --manifest-path tests/benches/Cargo.toml --bench vm`, which says in its sources what is\n\
        measured and how. One run, all subjects in turns, {} rounds, every call in a fresh instance, equal answers.\n\
        Machine: {}.\n\n\
        ## CPU time of a call, median, µs\n\n{}\n\
        – : nothing to do natively, or no such host function. Rivals are built with their default features; native Rust\n\
        without optimisation across crates, which the contracts have. `min-spread` takes at most 2,000 orders.\n\n\
        ## Times as long as Busbar\n\n{}\n\
        ## Targets\n\n{}\n\
        One call of `high-low` with 1,000 orders took {} µs of CPU with one thread and {} µs with two. Two threads\n\
        of native Rust get {} times as much done as one here.\n",
        plan.rounds,
        machine(),
        rows(&|figures, at| figures[at].map(digits)),
        rows(&|figures, at| Some(format!("{:.2}", figures[at]? / figures[OURS]?))),
        targets(works, figures, scaling),
        digits(scaling.alone),
        digits(scaling.together),
        digits(scaling.native),
    )
}

/// Three significant digits, or all before the point.
fn digits(value: f64) -> String {
    match value {
        value if value < 10.0 => format!("{value:.2}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

fn targets(works: &[Work], figures: &[Figures], scaling: &Scaling) -> String {
    let at = |name: &str, subject: usize| {
        let row = works.iter().position(|work| work.name == name).expect("the work is in the table");
        figures[row][subject].expect("the subject does this work")
    };
    let slower = |name: &str, subject: usize| at(name, subject) / at(name, OURS);
    let mut text = "| target | measured | bound | |\n|---|--:|--:|---|\n".to_owned();
    let mut line = |name: String, value: f64, bound: Bound| {
        let (holds, bound) = match bound {
            Bound::AtMost(bound) => (value <= bound, format!("≤ {bound}")),
            Bound::AtLeast(bound) => (value >= bound, format!("≥ {bound}")),
        };
        let verdict = if holds { "PASS" } else { "FAIL" };
        writeln!(text, "| {name} | {value:.2} | {bound} | {verdict} |").expect("a string can be written");
    };
    line("nop, µs of CPU".to_owned(), at(works::NOP, OURS), Bound::AtMost(6.0));
    line("nop, times faster than cosmwasm-vm".to_owned(), slower(works::NOP, COSMWASM), Bound::AtLeast(7.0));
    for orders in HIGH_LOW.sizes {
        let name = works::clearing_name(HIGH_LOW.name, orders);
        line(format!("{name}, times native"), 1.0 / slower(&name, NATIVE), Bound::AtMost(2.5));
        line(format!("{name}, times faster than cosmwasm-vm"), slower(&name, COSMWASM), Bound::AtLeast(4.0));
        line(
            format!("{name}, times faster than wasmi 0.32"),
            slower(&name, WASMI_0_32),
            Bound::AtLeast(20.0),
        );
    }
    for rule in [&HIGH_LOW, &MIN_SPREAD] {
        for orders in rule.sizes {
            let name = works::clearing_name(rule.name, orders);
            let overhead = 100.0 * (1.0 / slower(&name, UNMETERED) - 1.0);
            line(format!("{name}, metering, %"), overhead, Bound::AtMost(15.0));
        }
    }
    line("two threads, throughput of one".to_owned(), scaling.throughput, Bound::AtLeast(1.7));
    text
}

/// Processor and system, as far as they tell.
fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let release = read("/proc/sys/kernel/osrelease");
    let release = release.split('-').next().unwrap_or_default().trim();
    format!("{model}, {cores} threads, {} {release}", std::env::consts::OS)
}

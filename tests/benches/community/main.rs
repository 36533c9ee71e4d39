//! A community of thousands on a real node: `cargo bench -p busbar-tests --bench community [-- OPTIONS]`, see [`HELP`].
//!
//! A benchmark, never a test: wall time of this machine with all its cores, signing by the households included.

mod city;
#[path = "../verdicts.rs"]
mod verdicts;

use city::City;
use host_node::report::peak_memory_bytes;
use runtime_vm::VM_THREAD_STACK_BYTES;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use verdicts::Verdict;

/// Entities and slots whose day is bounded, and how long it may take.
const BOUNDED: (u32, u32) = (10_000, 96);
const WALL_MAX: Duration = Duration::from_secs(600);
/// Slots of a day.
const DAY: u32 = 96;
/// The first slot of less than a day.
const NOON: u32 = 48;

/// What `--help` prints.
const HELP: &str = "\
How long a node takes for a day of many households. Ends with 1 if 10,000 of them with 96 slots take over 600 s.

  [ENTITIES [SLOTS [FIRST]]]  10000 and 96 if not given; less than a day begins at noon, slot 48
  --json                      the figures as JSON";

/// What the command line asks for.
struct Options {
    entities: u32,
    slots: u32,
    first: u32,
    json: bool,
}

impl Options {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let (mut numbers, mut json) = (Vec::new(), false);
        for argument in arguments {
            match argument.as_str() {
                // `cargo bench` passes it.
                "--bench" => {}
                "--json" => json = true,
                "--help" => return Ok(None),
                other => {
                    let number: u32 =
                        other.parse().map_err(|_| format!("{other} is no option and no number"))?;
                    numbers.push(number);
                }
            }
        }
        let number = |index: usize, default| numbers.get(index).copied().unwrap_or(default);
        let (entities, slots) = (number(0, BOUNDED.0), number(1, BOUNDED.1));
        let first = number(2, if slots < DAY { NOON } else { 0 });
        if entities == 0 || slots == 0 || numbers.len() > 3 {
            return Err("at least one entity and one slot, and at most three numbers".to_owned());
        }
        Ok(Some(Self { entities, slots, first, json }))
    }
}

/// What the day came to.
struct Figures {
    entities: u32,
    slots: u32,
    wall: Duration,
    node: Duration,
    others: Duration,
    blocks: u64,
    extrinsics: u64,
    signatures: Duration,
    execution: Duration,
    commits: Duration,
    database_bytes: u64,
    peak_memory_bytes: Option<u64>,
}

fn measure(options: &Options, folder: &Path) -> Figures {
    let began = Instant::now();
    let mut city = City::found(options.entities, options.first, options.slots, folder);
    eprintln!("set up in {:.1?}", began.elapsed());
    let (began, before) = (Instant::now(), city.chain.statistics());
    (city.node, city.others) = (Duration::ZERO, Duration::ZERO);
    city.play(|slot, city| {
        let blocks = city.chain.statistics().blocks - before.blocks;
        eprintln!("slot {slot} settled after {:.1?} and {blocks} blocks", began.elapsed());
    });
    let (wall, done) = (began.elapsed(), city.chain.statistics());
    assert_eq!((done.failed, done.skipped), (0, 0), "everything sent counts");
    Figures {
        entities: options.entities,
        slots: options.slots,
        wall,
        node: city.node,
        others: city.others,
        blocks: done.blocks - before.blocks,
        extrinsics: done.extrinsics - before.extrinsics,
        signatures: done.verifying - before.verifying,
        execution: done.executing - before.executing,
        commits: done.committing - before.committing,
        database_bytes: std::fs::metadata(folder.join("chain.redb")).map_or(0, |file| file.len()),
        peak_memory_bytes: peak_memory_bytes(),
    }
}

fn judge(day: &Figures) -> Vec<Verdict> {
    if (day.entities, day.slots) != BOUNDED {
        return Vec::new();
    }
    vec![Verdict {
        what: format!("{} entities, {} slots: seconds", day.entities, day.slots),
        measured: format!("{:.1}", day.wall.as_secs_f64()),
        bound: WALL_MAX.as_secs().to_string(),
        holds: day.wall <= WALL_MAX,
    }]
}

impl Figures {
    fn extrinsics_per_second(&self) -> u128 {
        u128::from(self.extrinsics) * 1_000 / self.wall.as_millis().max(1)
    }

    fn print(&self) {
        let columns = [
            ("entities", self.entities.to_string()),
            ("slots", self.slots.to_string()),
            ("wall", format!("{:.1?}", self.wall)),
            ("node", format!("{:.1?}", self.node)),
            ("others", format!("{:.1?}", self.others)),
            ("blocks", self.blocks.to_string()),
            ("extrinsics", self.extrinsics.to_string()),
            ("extrinsics/s", self.extrinsics_per_second().to_string()),
            ("signatures", format!("{:.1?}", self.signatures)),
            ("execution", format!("{:.1?}", self.execution)),
            ("commits", format!("{:.1?}", self.commits)),
            ("database MiB", (self.database_bytes >> 20).to_string()),
            (
                "peak memory MiB",
                self.peak_memory_bytes.map_or("–".to_owned(), |peak| (peak >> 20).to_string()),
            ),
        ];
        let (names, cells): (Vec<&str>, Vec<String>) = columns.into_iter().unzip();
        println!("| {} |\n|{}\n| {} |", names.join(" | "), "--:|".repeat(names.len()), cells.join(" | "));
    }

    fn json(&self, verdicts: &[Verdict]) -> serde_json::Value {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        json!({
            "day": {
                "entities": self.entities,
                "slots": self.slots,
                "wall_ms": ms(self.wall),
                "node_ms": ms(self.node),
                "others_ms": ms(self.others),
                "blocks": self.blocks,
                "extrinsics": self.extrinsics,
                "signatures_ms": ms(self.signatures),
                "execution_ms": ms(self.execution),
                "commits_ms": ms(self.commits),
                "database_bytes": self.database_bytes,
                "peak_memory_bytes": self.peak_memory_bytes,
            },
            "bounds": verdicts::json(verdicts),
        })
    }
}

fn run(options: &Options) -> ExitCode {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let day = measure(options, folder.path());
    let verdicts = judge(&day);
    if options.json {
        println!("{:#}", day.json(&verdicts));
    } else {
        day.print();
        verdicts::print(&verdicts);
    }
    verdicts::exit_code(&verdicts)
}

fn main() -> ExitCode {
    let options = match verdicts::asked(Options::read, HELP) {
        Ok(options) => options,
        Err(ended) => return ended,
    };
    let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
    let bench = thread.spawn(move || run(&options)).expect("the system can start a thread");
    bench.join().unwrap_or(ExitCode::from(101))
}

//! Market stories: text files that an engineer of the field can read and write, played on the real chain.
//!
//! Every sentence that does something is a signed extrinsic in an ordered block; nothing is set behind the chain's back.
//! Whatever a story says, at its end money is conserved, the accountant agrees with every block, and the promises of
//! [`crate::invariants`] hold.

mod acts;
mod expects;
mod metering;
mod orders;
mod payments;
mod sealed;
pub mod settings;
mod stage;
mod votes;
pub mod words;

use crate::invariants;
use crate::ledger::{self, Ledger};
use crate::world::Plan;
use stage::Stage;
pub use stage::variant;
use words::{Fit, Value};

/// A sentence of the language.
pub struct Sentence {
    /// As it is written, with gaps.
    pub text: &'static str,
    /// What it does or demands.
    pub meaning: &'static str,
    run: fn(&mut Stage, &[Value]) -> Result<(), String>,
}

/// Groups of sentences, as documented.
pub fn groups() -> [(&'static str, &'static [Sentence]); 7] {
    [
        ("Time and people", acts::SENTENCES),
        ("Orders and consent", orders::SENTENCES),
        ("Sealed and standing orders, keys and proxies", sealed::SENTENCES),
        ("Meters", metering::SENTENCES),
        ("Votes", votes::SENTENCES),
        ("Expectations of slots and trades", expects::SENTENCES),
        ("Expectations of money", payments::SENTENCES),
    ]
}

/// A market of a story.
struct Cast {
    plan: Plan,
    households: Vec<String>,
}

/// A story, read but not played.
pub struct Story {
    /// Its title.
    pub title: String,
    markets: Vec<Cast>,
    lines: Vec<(usize, String)>,
}

/// What came of a story.
pub struct Played {
    /// Blocks executed.
    pub blocks: usize,
    /// Slots settled.
    pub settled: usize,
}

impl Story {
    /// Read a story. `file` is its name in complaints.
    ///
    /// # Errors
    /// File, line, and what was expected there.
    pub fn read(file: &str, text: &str) -> Result<Self, String> {
        let numbered = (1usize..).zip(text.lines());
        let mut lines = numbered
            .map(|(number, line)| (number, line.split('#').next().unwrap_or_default().trim().to_owned()))
            .filter(|(_, line)| !line.is_empty());
        let mut head = Head::default();
        let mut ended = false;
        for (number, line) in lines.by_ref() {
            if line == "---" {
                ended = true;
                break;
            }
            head.line(&line).map_err(|why| format!("{file}:{number}: {why}"))?;
        }
        if !ended {
            return Err(format!("{file}: a line `---` parts what is given from what happens"));
        }
        let (title, markets) = head.finish().map_err(|why| format!("{file}: {why}"))?;
        Ok(Self { title, markets, lines: lines.collect() })
    }

    /// Play it and check what must hold at the end.
    ///
    /// # Errors
    /// File, line, and what was expected there.
    ///
    /// # Panics
    /// If a sentence that stands for many steps finds one of them refused.
    pub fn play(&self, file: &str) -> Result<Played, String> {
        let mut stage = Stage::new(&self.markets);
        for (number, line) in &self.lines {
            let place = Place { file, number: *number };
            stage.line(line).map_err(|why| format!("{place}: {why}"))?;
            std::mem::forget(place);
        }
        stage.end().map_err(|why| format!("{file}: {why}"))?;
        Ledger::audit(&stage.world, ledger::native_rules());
        let settled = invariants::check(&stage.world).map_err(|why| format!("{file}: {why}"))?;
        Ok(Played { blocks: stage.world.chain.past.len(), settled })
    }
}

/// Where a story stands: told when a step below panics.
struct Place<'story> {
    file: &'story str,
    number: usize,
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}", self.file, self.number)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{self}: this line was being played");
        }
    }
}

#[derive(Default)]
struct Head {
    title: Option<String>,
    shows: Option<String>,
    markets: Vec<Cast>,
}

impl Head {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let (key, value) = line.split_once(": ").ok_or("expected `key: value` above the line `---`")?;
        match key {
            "title" => self.title = Some(value.into()),
            "shows" => self.shows = Some(value.into()),
            "households" | "second market" => {
                let first = key == "households";
                if first != self.markets.is_empty() {
                    return Err("`households` come once, before `second market`".into());
                }
                let plan = self.markets.first().map_or_else(Plan::default, |cast| cast.plan.clone());
                let households: Vec<String> = value.split(", ").map(String::from).collect();
                let homes = u32::try_from(households.len()).map_err(|_| "too many households")?;
                self.markets.push(Cast { plan: Plan { homes, ..plan }, households });
            }
            _ => {
                let cast = self.markets.last_mut().ok_or("expected `households: A, B` before terms")?;
                settings::set(&mut cast.plan, key, value)?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(String, Vec<Cast>), String> {
        let title = self.title.ok_or("a story has a line `title: …`")?;
        self.shows.ok_or("a story says what it shows: a line `shows: …`")?;
        if self.markets.is_empty() {
            return Err("a story has a line `households: A, B`".into());
        }
        Ok((title, self.markets))
    }
}

/// Whether a story says a sentence.
pub fn says(story: &str, sentence: &str) -> bool {
    let households = story.lines().filter_map(|line| line.split_once(": "));
    let households = households.filter(|(key, _)| matches!(*key, "households" | "second market"));
    let names: Vec<String> = households.flat_map(|(_, names)| names.split(", ")).map(String::from).collect();
    let body = story.lines().skip_while(|line| *line != "---");
    body.map(|line| line.split('#').next().unwrap_or_default()).any(|line| {
        let found = understand(line, &names);
        found.is_ok_and(|(understood, _)| understood.text == sentence)
    })
}

/// Find the sentence that a line is.
fn understand(line: &str, households: &[String]) -> Result<(&'static Sentence, Vec<Value>), String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (mut furthest, mut expected) = (0, Vec::new());
    for sentence in groups().into_iter().flat_map(|(_, sentences)| sentences) {
        match words::fit(sentence.text, &words, households) {
            Fit::Whole(values) => return Ok((sentence, values)),
            Fit::Part(length, next) if length >= furthest => {
                if length > furthest {
                    expected.clear();
                }
                furthest = length;
                if !expected.contains(&next) {
                    expected.push(next);
                }
            }
            Fit::Part(..) => {}
        }
    }
    let found = words.get(furthest).map_or_else(|| "the line ends".into(), |word| format!("found `{word}`"));
    let after = words[..furthest].join(" ");
    Err(format!("after `{after}` {found}; expected {}", expected.join(" or ")))
}

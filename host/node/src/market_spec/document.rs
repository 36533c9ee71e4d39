//! A TOML document read key by key: every value with its place, and all problems, not only the first.
//!
//! The rule: a key that nobody asks for is a problem, so a misspelt one cannot pass for its default.

use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Problems of one document: who has put so many right looks again.
const PROBLEMS_MAX: usize = 100;
/// Characters of a value in a problem.
const VALUE_CHARS_MAX: usize = 200;

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The key, with its section: `rates.retail`. Empty if the document is no TOML there.
    pub key: String,
    /// What the document says, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The rule that it breaks, or what is wrong with it.
    pub rule: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        match (self.key.as_str(), &self.value) {
            ("", _) => {}
            (key, Some(value)) => write!(f, "{key} = {value}: ")?,
            (key, None) => write!(f, "{key}: ")?,
        }
        write!(f, "{}; {}", self.rule, self.remedy)
    }
}

/// A document with what was found wrong so far.
pub struct Document<'a> {
    text: &'a str,
    /// Where lines begin, ascending.
    lines: Vec<usize>,
    root: Spanned<DeTable<'a>>,
    asked: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl<'a> Document<'a> {
    /// Read `text`. What is no TOML is a problem and left out.
    pub fn parse(text: &'a str) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(newlines).collect();
        let mut document = Self { text, lines, root, asked: BTreeSet::new(), problems: Vec::new() };
        for error in errors {
            let at = error.span().unwrap_or_default();
            document.wrong_at(at, "", None, error.message(), "write it as the default spec does");
        }
        document
    }

    /// The text at `key`: a string, or a bare number as it is written. A key that is missing is a problem.
    pub fn text(&mut self, key: &str) -> Option<String> {
        self.asked.insert(key.to_owned());
        match self.find(key) {
            None => {
                self.wrong(key, "the key is missing", "add it; `busbar market spec new` explains each key");
                None
            }
            Some(found) => {
                let text = written(found.get_ref());
                if text.is_none() {
                    self.wrong(
                        key,
                        "a text or a number is expected",
                        "write one, in quotes if it has a unit",
                    );
                }
                text
            }
        }
    }

    /// The value at `key`, as `read` reads its text; what it refuses is a problem.
    pub fn value<T, E: fmt::Display>(
        &mut self,
        key: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(key)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(refusal) => {
                // A refusal ends with what to do, behind a semicolon.
                let refusal = refusal.to_string();
                let (rule, remedy) = refusal.rsplit_once("; ").unwrap_or((&refusal, "change it"));
                self.wrong(key, rule, remedy);
                None
            }
        }
    }

    /// Note that the value at `key` breaks `rule`.
    pub fn wrong(&mut self, key: &str, rule: &str, remedy: &str) {
        let found = self.find(key).map(|found| (found.span(), written(found.get_ref())));
        // What is missing is missing from its section.
        let section = key.rsplit_once('.').and_then(|(section, _)| self.find(section));
        let (at, value) = found.unwrap_or((section.map(Spanned::span).unwrap_or_default(), None));
        self.wrong_at(at, key, value, rule, remedy);
    }

    fn wrong_at(&mut self, at: Range<usize>, key: &str, value: Option<String>, rule: &str, remedy: &str) {
        if self.problems.len() > PROBLEMS_MAX {
            return;
        }
        let line = self.lines.partition_point(|start| *start <= at.start).max(1);
        let before = self.text.get(self.lines[line - 1]..at.start).unwrap_or_default();
        let value = value.map(|value| value.chars().take(VALUE_CHARS_MAX).collect::<String>());
        let problem = Problem {
            line,
            column: before.chars().count() + 1,
            key: key.to_owned(),
            value: value.map(|value| format!("{value:?}")),
            rule: rule.to_owned(),
            remedy: remedy.to_owned(),
        };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// The problems, by place; keys that nobody asked for are among them. Of very many only the first, and a word that
    /// there are more.
    pub fn finish(mut self) -> Vec<Problem> {
        let mut unknown = Vec::new();
        strangers("", self.root.get_ref(), &self.asked, &mut unknown);
        for (key, at) in unknown {
            self.wrong_at(
                at,
                &key,
                None,
                "no key of a market spec",
                "remove it, or see `busbar market spec new`",
            );
        }
        if self.problems.iter().any(|problem| problem.key.is_empty()) {
            // Where the document is no TOML, what seems missing may be there.
            self.problems.retain(|problem| problem.key.is_empty());
        }
        self.problems.sort_by_key(|problem| (problem.line, problem.column));
        if self.problems.len() > PROBLEMS_MAX {
            self.problems.truncate(PROBLEMS_MAX);
            if let Some(last) = self.problems.last().cloned() {
                let (key, rule) = (String::new(), "there are more problems than are listed".to_owned());
                let remedy = "put these right and check again".to_owned();
                self.problems.push(Problem { key, value: None, rule, remedy, ..last });
            }
        }
        self.problems
    }

    /// The value at a dotted path; a number steps into a list.
    fn find(&self, key: &str) -> Option<&Spanned<DeValue<'a>>> {
        let mut parts = key.split('.');
        let mut found = self.root.get_ref().get(parts.next()?)?;
        for part in parts {
            found = match found.get_ref() {
                DeValue::Table(table) => table.get(part)?,
                DeValue::Array(list) => list.get(part.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(found)
    }
}

/// A scalar as it is written, without quotes.
fn written(value: &DeValue) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        _ => None,
    }
}

/// Keys in `table` that are not in `asked`.
fn strangers(path: &str, table: &DeTable, asked: &BTreeSet<String>, found: &mut Vec<(String, Range<usize>)>) {
    for (name, value) in table {
        let key =
            if path.is_empty() { name.get_ref().to_string() } else { format!("{path}.{}", name.get_ref()) };
        let below = |asked: &&String| asked.strip_prefix(&key).is_some_and(|rest| rest.starts_with('.'));
        match value.get_ref() {
            DeValue::Table(inner) if asked.iter().any(|asked| below(&asked)) => {
                strangers(&key, inner, asked, found);
            }
            DeValue::Array(list) if asked.contains(&key) => {
                for (index, entry) in list.iter().enumerate() {
                    if let DeValue::Table(inner) = entry.get_ref() {
                        strangers(&format!("{key}.{index}"), inner, asked, found);
                    }
                }
            }
            _ if asked.contains(&key) => {}
            _ => found.push((key, name.span())),
        }
    }
}

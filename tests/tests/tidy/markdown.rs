//! Documents: a title, links that lead somewhere, names of files that exist, commands that are executed.
//!
//! A document that states a path or a command is checked here, or it drifts.

use crate::tree::flattened;
use std::collections::BTreeSet;
use std::path::Path;

/// The two commands of the README, in order.
pub const README_COMMANDS: [&str; 2] = ["cargo run --release -- demo", "cargo test --workspace"];

/// The first line of a document is its title.
pub fn title(path: &str, text: &str) -> Vec<String> {
    match text.lines().next().and_then(|line| line.strip_prefix("# ")) {
        Some(title) if !title.trim().is_empty() => Vec::new(),
        _ => vec![format!("{path}:1: no title: the first line is `# ` and a name")],
    }
}

/// Relative links and names of files in backticks lead to a file or folder of the repository.
///
/// A name counts as a path if it contains `/` and begins with one of the repository's top folders.
pub fn paths(path: &str, text: &str, files: &BTreeSet<String>) -> Vec<String> {
    let known = |target: &str| {
        let target = target.trim_end_matches('/');
        files.iter().any(|file| {
            file.strip_prefix(target).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    let tops: BTreeSet<&str> =
        files.iter().filter_map(|file| file.split_once('/')).map(|(top, _)| top).collect();
    let folder = Path::new(path).parent().expect("a file lies in a folder");
    let mut wrong = Vec::new();
    for (number, line) in prose(text) {
        for target in links(line).filter(|target| !target.contains("://") && !target.starts_with('#')) {
            let file = target.split('#').next().unwrap_or_default();
            if !known(&flattened(&folder.join(file))) {
                wrong.push(format!("{path}:{number}: the link `{target}` leads nowhere"));
            }
        }
        for span in spans(line).filter(|span| span.split_once('/').is_some_and(|(top, _)| tops.contains(top)))
        {
            if span.bytes().all(|byte| !b" *{<$".contains(&byte)) && !known(span) {
                wrong.push(format!("{path}:{number}: `{span}` does not exist"));
            }
        }
    }
    wrong
}

/// The commands in the fenced `sh` blocks of a document.
pub fn commands(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        match line.trim() {
            "```sh" => inside = true,
            "```" => inside = false,
            command if inside && !command.is_empty() => commands.push(command.to_owned()),
            _ => {}
        }
    }
    commands
}

/// Commands that begin with a file of the repository begin with one that exists.
pub fn scripts(path: &str, text: &str, files: &BTreeSet<String>) -> Vec<String> {
    let programs =
        commands(text).into_iter().filter_map(|line| Some(line.split_whitespace().next()?.to_owned()));
    programs
        .filter(|program| program.contains('/') && !files.contains(program))
        .map(|program| format!("{path}: the command `{program}` does not exist"))
        .collect()
}

/// Lines outside fenced blocks, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((at + 1, line))
    })
}

/// Targets of `[text](target)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

/// What stands between backticks.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn each_rule_catches_its_bad_sample() {
    let files: BTreeSet<String> =
        ["README.md", "host/node/src/main.rs", "docs/a.md", "scripts/replay"].map(str::to_owned).into();

    for (text, wrong) in [("# A\n", 0), ("A\n", 1), ("", 1), ("## A\n", 1), ("# \n", 1)] {
        assert_eq!(title("a.md", text).len(), wrong, "{text:?}");
    }
    let rows = [
        ("docs/a.md", "[x](../README.md) and [y](https://example.org/z)", 0),
        ("docs/a.md", "[x](README.md)", 1),
        ("README.md", "[x](docs/a.md#part) `host/node` `host/node/` `u128/u64` `docs/*.md`", 0),
        ("README.md", "`host/nodes`", 1),
        ("README.md", "`host/no`", 1),
        ("README.md", "```text\n`host/nodes`\n```", 0),
    ];
    for (path, text, wrong) in rows {
        assert_eq!(paths(path, text, &files).len(), wrong, "{text:?}");
    }
    assert_eq!(scripts("a.md", "```sh\nscripts/replay x\ncargo test\n```", &files), [""; 0]);
    assert_eq!(scripts("a.md", "```sh\nscripts/gone\n```", &files).len(), 1);
    assert_eq!(commands("a\n```sh\nb c\n\nd\n```\ne\n```text\nf\n```\n"), ["b c", "d"]);
}

//! Headers and sizes: every file says what it owns, and none is too long to be read at once.
//!
//! Sizes count shipped code: lines before a trailing test module, no test files. `LONG_FUNCTIONS` may only shrink.

use crate::source::Source;

/// Median of lines a file.
const MEDIAN_MAX: usize = 200;
/// 95th percentile of lines a file.
const P95_MAX: usize = 700;
/// Lines of the longest file.
const FILE_MAX: usize = 1000;
/// Lines of the longest function.
const FUNCTION_MAX: usize = 70;
/// Functions that were longer before the rule: path and name. An entry that no longer breaks the rule is an error.
const LONG_FUNCTIONS: &[(&str, &str)] = &[];

/// Every file opens with `//!`, so that a reader knows what it owns before the first line of code.
pub fn headers(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| {
            format!("{}:1: opens without `//!`: say what it owns and the rule not to break", source.path)
        })
        .collect()
}

/// Files are short: most of them very.
pub fn files(sources: &[Source]) -> Vec<String> {
    let mut lines: Vec<(usize, &str)> = sources
        .iter()
        .filter(|source| !source.is_test)
        .map(|source| (source.shipped().lines().count(), source.path.as_str()))
        .collect();
    lines.sort_unstable();
    let Some((longest, path)) = lines.last().copied() else { return Vec::new() };
    let at = |percent: usize| lines[(lines.len() - 1) * percent / 100].0;
    let measures = [
        ("median".to_owned(), at(50), MEDIAN_MAX),
        ("95th percentile".to_owned(), at(95), P95_MAX),
        (path.to_owned(), longest, FILE_MAX),
    ];
    measures
        .iter()
        .filter(|(_, lines, max)| lines > max)
        .map(|(what, lines, max)| format!("{what}: {lines} lines, at most {max}"))
        .collect()
}

/// Functions fit a screen.
pub fn functions(sources: &[Source]) -> Vec<String> {
    functions_but(sources, LONG_FUNCTIONS)
}

fn functions_but(sources: &[Source], excused: &[(&str, &str)]) -> Vec<String> {
    let mut used = vec![false; excused.len()];
    let mut wrong = Vec::new();
    for source in sources {
        for function in source.functions().iter().filter(|function| function.lines > FUNCTION_MAX) {
            match excused.iter().position(|&(path, name)| path == source.path && name == function.name) {
                Some(entry) => used[entry] = true,
                None => wrong.push(format!(
                    "{}:{}: `{}` has {} lines, at most {FUNCTION_MAX}",
                    source.path, function.line, function.name, function.lines
                )),
            }
        }
    }
    let stale = excused.iter().zip(used).filter(|(_, used)| !used);
    wrong.extend(
        stale.map(|((path, name), _)| format!("{path}: `{name}` is short now: strike it from the list")),
    );
    wrong
}

#[test]
fn each_rule_catches_its_bad_sample() {
    let long = |lines: usize| format!("//! Long.\n{}", "const A: u8 = 0;\n".repeat(lines - 1));
    let of = |lines: &[usize]| -> Vec<Source> {
        lines.iter().map(|&lines| Source::new("a.rs", &long(lines))).collect()
    };
    let body =
        |lines: usize| Source::new("a.rs", &format!("//! A.\nfn f() {{\n{}}}\n", "g();\n".repeat(lines - 2)));

    assert_eq!(headers(&[Source::new("a.rs", "// A comment is no header.\n")]).len(), 1);
    assert_eq!(headers(&of(&[5])), [""; 0]);

    assert_eq!(files(&of(&[1, MEDIAN_MAX, FILE_MAX])), [""; 0]);
    assert_eq!(files(&of(&[1, MEDIAN_MAX + 1, FILE_MAX])).len(), 1, "median");
    assert_eq!(files(&of(&[1, 2, FILE_MAX + 1])).len(), 1, "longest");
    let mut many = vec![1; 90];
    many.extend([P95_MAX + 1; 10]);
    assert_eq!(files(&of(&many)).len(), 1, "95th percentile");

    assert_eq!(functions(&[body(FUNCTION_MAX)]), [""; 0]);
    assert_eq!(functions(&[body(FUNCTION_MAX + 1)]).len(), 1);
    assert_eq!(functions_but(&[body(FUNCTION_MAX + 1)], &[("a.rs", "f")]), [""; 0]);
    assert_eq!(functions_but(&[body(FUNCTION_MAX)], &[("a.rs", "f")]).len(), 1, "a stale excuse");
}

//! One Rust file as the rules read it: its text, its code, and where its tests begin.
//!
//! `code` is the text with comments and the insides of literals blanked byte for byte, so an offset or a line
//! number is valid in both. A rule that looks for code must look there, or it bans its own description.

/// One Rust file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path relative to the repository, with `/`.
    pub path: String,
    /// The file as it is.
    pub text: String,
    /// The text without comments and insides of literals; same length, same lines.
    pub code: String,
    /// Offset of the trailing `#[cfg(test)] mod … { … }`, or the length.
    pub tests_at: usize,
    /// Whether the whole file is test code (or an example, or a benchmark): it does not ship.
    pub is_test: bool,
}

/// One function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of `fn`, from 1.
    pub line: usize,
    /// Lines from `fn` to the closing brace, both counted.
    pub lines: usize,
}

impl Source {
    /// Read `text`. `is_test` only marks files that never ship by their place; a module that is declared
    /// under `#[cfg(test)]` is marked later, by who declares it.
    pub fn new(path: &str, text: &str) -> Self {
        let code = blank_literals(text);
        let tests_at = trailing_tests(&code).unwrap_or(text.len());
        let is_test = path.split('/').any(|part| ["tests", "benches", "examples", "fuzz"].contains(&part));
        Self { path: path.to_owned(), text: text.to_owned(), code, tests_at, is_test }
    }

    /// The code that ships: empty for a test file.
    pub fn shipped(&self) -> &str {
        if self.is_test { "" } else { &self.code[..self.tests_at] }
    }

    /// The line of an offset, from 1.
    pub fn line_of(&self, offset: usize) -> usize {
        line_of(&self.code, offset)
    }

    /// The functions with bodies in the code that ships.
    pub fn functions(&self) -> Vec<Function> {
        functions(self.shipped())
    }
}

/// Whether a byte can be part of an identifier.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Offsets of `pattern` in `text`. Where the pattern begins or ends like an identifier, so must the occurrence.
pub fn occurrences(text: &str, pattern: &str) -> Vec<usize> {
    let (bytes, wanted) = (text.as_bytes(), pattern.as_bytes());
    let (Some(&first), Some(&last)) = (wanted.first(), wanted.last()) else { return Vec::new() };
    text.match_indices(pattern)
        .map(|(at, _)| at)
        .filter(|&at| !(is_word(first) && at > 0 && is_word(bytes[at - 1])))
        .filter(|&at| !(is_word(last) && bytes.get(at + wanted.len()).copied().is_some_and(is_word)))
        .collect()
}

/// The identifier that starts at or after `from`, skipping blanks, and the offset behind it.
pub fn next_word(code: &str, from: usize) -> Option<(&str, usize)> {
    let bytes = code.as_bytes();
    let start = from + bytes[from..].iter().position(|byte| !byte.is_ascii_whitespace())?;
    let length = bytes[start..].iter().position(|&byte| !is_word(byte)).unwrap_or(bytes.len() - start);
    (length > 0).then(|| (&code[start..start + length], start + length))
}

fn line_of(code: &str, offset: usize) -> usize {
    1 + code.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count()
}

/// Replace comments and the insides of string and character literals by blanks.
fn blank_literals(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let (from, to, next) = literal_at(bytes, at).unwrap_or((at, at, at + 1));
        for byte in &mut code[from..to] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = next;
    }
    String::from_utf8(code).expect("whole literals and comments became ASCII")
}

/// The comment or literal that begins at `at`: what to blank, from and to, and where to go on.
fn literal_at(bytes: &[u8], at: usize) -> Option<(usize, usize, usize)> {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        let end = at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        return Some((at, end, end));
    }
    if rest.starts_with(b"/*") {
        let end = at + block_comment(rest);
        return Some((at, end, end));
    }
    match rest[0] {
        b'"' => {
            let end = at + quoted(rest, b'"');
            Some((at + 1, end - 1, end))
        }
        b'r' if at == 0 || !is_word(bytes[at - 1]) || is_string_prefix(bytes, at) => {
            let (open, end) = raw_string(rest)?;
            Some((at + open, at + end - open + 1, at + end))
        }
        b'\'' => {
            let end = at + character(rest)?;
            Some((at + 1, end - 1, end))
        }
        _ => None,
    }
}

/// Whether the `r` at `at` is the second letter of `br"` or `cr"`.
fn is_string_prefix(bytes: &[u8], at: usize) -> bool {
    matches!(bytes[at - 1], b'b' | b'c') && (at < 2 || !is_word(bytes[at - 2]))
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// Length of a quoted literal with its quotes.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// Length of `r##"` and of the whole raw string, if there is one.
fn raw_string(rest: &[u8]) -> Option<(usize, usize)> {
    let hashes = rest[1..].iter().take_while(|&&byte| byte == b'#').count();
    let open = hashes + 2;
    if rest.get(open - 1) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let inside = rest[open..].windows(close.len()).position(|window| window == close)?;
    Some((open, open + inside + close.len()))
}

/// Length of a character literal; `None` for a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        return Some(quoted(rest, b'\''));
    }
    let width = match rest.get(1)? {
        0..=0x7f => 1,
        0x80..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0.. => 4,
    };
    (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
}

/// Offset of the attribute of a test module that nothing follows.
fn trailing_tests(code: &str) -> Option<usize> {
    let mut at = 0;
    for line in code.split_inclusive('\n') {
        if is_test_gate(line)
            && let Some(open) = opens_module(&code[at..])
            && code[closing_brace(code, at + open)? + 1..].trim().is_empty()
        {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// Whether an attribute (or a line that begins with one) admits tests only.
pub fn is_test_gate(attribute: &str) -> bool {
    attribute.starts_with("#[cfg(")
        && !occurrences(attribute, "test").is_empty()
        && !attribute.contains("not(test")
        && !attribute.contains("any(")
}

/// Offset of the brace that opens a module, if only attributes and its name stand before it.
fn opens_module(code: &str) -> Option<usize> {
    let open = code.find('{')?;
    let head = &code[..open];
    (!head.contains(';') && !occurrences(head, "mod").is_empty()).then_some(open)
}

/// Offset of the brace that closes the one at `open`.
fn closing_brace(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(offset);
        }
    }
    None
}

fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for at in occurrences(code, "fn") {
        let Some((name, behind)) = next_word(code, at + 2) else { continue };
        let Some(open) = body(code, behind) else { continue };
        let Some(close) = closing_brace(code, open) else { continue };
        let line = line_of(code, at);
        found.push(Function { name: name.to_owned(), line, lines: line_of(code, close) - line + 1 });
    }
    found
}

/// Offset of the brace that opens a function's body; `None` for a signature alone.
fn body(code: &str, from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b'{' if depth == 0 => return Some(offset),
            b';' | b'}' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn comments_and_literals_are_blanked() {
    let rows = [
        ("let a = \"x { y\"; // end {", "let a = \"     \";         "),
        ("/* a /* b */ c */ d", "                  d"),
        ("r#\"a\"b\"# c", "r#\"   \"# c"),
        ("br\"a\\\" c", "br\"  \" c"),
        ("'{' 'a '\\'' b", "' ' 'a '  ' b"),
        ("\"\\\"{\" {", "\"   \" {"),
        ("r#type {", "r#type {"),
        ("'é' {", "'  ' {"),
    ];
    for (text, code) in rows {
        assert_eq!(blank_literals(text), code, "{text}");
    }
}

#[test]
fn functions_are_measured() {
    let text = "fn a() { b(); }\ntrait T {\n    fn signature(&self) -> [u8; 2];\n    fn two(\n        x: u8,\n    ) {\n        \"}\";\n    }\n}\n";
    let function = |name: &str, line, lines| Function { name: name.to_owned(), line, lines };
    assert_eq!(Source::new("a.rs", text).functions(), [function("a", 1, 1), function("two", 4, 5)]);
}

#[test]
fn only_trailing_tests_are_left_out() {
    let rows = [
        ("fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n", "fn a() {}\n"),
        ("fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod rows { }", "fn a() {}\n"),
        ("#[cfg(test)]\nmod tests {}\nfn a() {}\n", "#[cfg(test)]\nmod tests {}\nfn a() {}\n"),
        ("#[cfg(test)]\nmod tests;\nfn a() {}\n", "#[cfg(test)]\nmod tests;\nfn a() {}\n"),
        ("#[cfg(not(test))]\nmod real {}\n", "#[cfg(not(test))]\nmod real {}\n"),
    ];
    for (text, shipped) in rows {
        assert_eq!(Source::new("a.rs", text).shipped(), shipped);
    }
    assert_eq!(Source::new("tests/src/a.rs", "fn a() {}").shipped(), "");
}

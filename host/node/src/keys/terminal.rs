//! Secrets typed by people or piped by scripts. Nothing read here is echoed.

use super::error::KeyError;
use crate::files::{KEY_BYTES_MAX, text_at_most};
use std::io::{self, BufRead, IsTerminal};
use std::path::Path;
use zeroize::Zeroizing;

/// One line: asked for at a terminal, otherwise the next line of standard input.
///
/// # Errors
/// [`KeyError::Terminal`].
pub(super) fn secret_line(prompt: &str) -> Result<Zeroizing<String>, KeyError> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(KeyError::Terminal);
    }
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut line).map_err(KeyError::Terminal)?;
    Ok(first_line(&line))
}

/// The passphrase for a new key: from the file's first line, or asked for twice.
///
/// # Errors
/// [`KeyError::Io`], [`KeyError::Terminal`], [`KeyError::PassphraseMismatch`].
pub(super) fn new_passphrase(file: Option<&Path>) -> Result<Zeroizing<String>, KeyError> {
    if file.is_some() {
        return passphrase(file);
    }
    let ask = |prompt| rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(KeyError::Terminal);
    let (first, second) = (ask("Passphrase for the new key: ")?, ask("The same again: ")?);
    if first == second { Ok(first) } else { Err(KeyError::PassphraseMismatch) }
}

/// The passphrase of a key that is kept: from the file's first line, or asked for.
///
/// # Errors
/// [`KeyError::Io`], [`KeyError::Terminal`].
pub(super) fn passphrase(file: Option<&Path>) -> Result<Zeroizing<String>, KeyError> {
    match file {
        Some(path) => {
            let text = text_at_most(path, KEY_BYTES_MAX).map(Zeroizing::new).map_err(KeyError::io(path))?;
            Ok(first_line(&text))
        }
        None => secret_line("Passphrase: "),
    }
}

fn first_line(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())
}

//! A progress bar for people; silence for scripts.
//!
//! It draws on standard error and only at a terminal, so that standard output stays clean either way.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal};

const TEMPLATE: &str = "{prefix} {bar:32} {pos}/{len} {elapsed} {msg}";

/// Progress of one long piece of work. Disappears when dropped.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Begin `total` steps called `label`; `quiet` (as under `--json`) never draws.
    pub fn start(label: &'static str, total: u64, quiet: bool) -> Self {
        if !is_visible(quiet, io::stderr().is_terminal()) {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template(TEMPLATE).expect("the template is a constant");
        Self(ProgressBar::new(total).with_style(style).with_prefix(label))
    }

    /// `steps` more are done.
    pub fn advance(&self, steps: u64) {
        self.0.inc(steps);
    }

    /// Say what is being done.
    pub fn note(&self, message: impl Into<String>) {
        self.0.set_message(message.into());
    }

    /// Print a line above the bar, or nothing if there is no bar.
    pub fn line(&self, text: &str) {
        self.0.println(text);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

const fn is_visible(quiet: bool, terminal: bool) -> bool {
    terminal && !quiet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_people_at_a_terminal_see_it() {
        let rows = [(false, true, true), (true, true, false), (false, false, false), (true, false, false)];
        for (quiet, terminal, visible) in rows {
            assert_eq!(is_visible(quiet, terminal), visible);
        }
        let progress = Progress::start("slots", 96, true);
        assert!(progress.0.is_hidden());
        progress.advance(1);
        progress.note("matching");
        progress.line("slot 48 settled");
    }

    #[test]
    fn the_template_is_valid() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}

//! The paper's case: A sells, B buys 10 kWh at 0.67 yuan/kWh in slot 500 of 10 minutes.

use super::script::{Script, ScriptError};

/// The scenario file, which is also the first of the test suite.
pub const PAPER: &str = include_str!("../../../../tests/scenarios/paper.toml");

/// The paper's case as a script.
///
/// # Errors
/// [`ScriptError`], if the file was damaged before the build.
pub fn paper() -> Result<Script, ScriptError> {
    Script::from_toml(PAPER)
}

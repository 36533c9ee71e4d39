//! The same rules, called as Rust: what a machine costs is measured from here.

use super::{Subject, Task};
use crate::works::{self, Work};

/// No machine.
pub struct Native;

impl Subject for Native {
    fn name(&self) -> &'static str {
        "native Rust"
    }

    fn prepare<'a>(&'a self, work: &'a Work) -> Option<Task<'a>> {
        let native = work.native.as_ref()?;
        let mut storage = works::storage();
        Some(Box::new(move || native(&mut storage, &work.input)))
    }
}

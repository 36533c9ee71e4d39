//! Where compiled code is kept between runs of a node.

/// A place for compiled modules that outlives the process: a folder, a table.
///
/// It may lose anything and need not report failures: what is missing is compiled again. It must not be shared with
/// other machines, and need not be trusted either: what comes back is used only if it carries the code of
/// authentication that [`Vm::with_cache`](crate::Vm::with_cache) made under the node's key.
pub trait Shelf: Send + Sync {
    /// What was put there last under `name`: at most 80 of the characters `0-9a-z.`, fit for a file's name.
    fn get(&self, name: &str) -> Option<Vec<u8>>;
    /// Keeps `artifact` in the place of what was there under `name`.
    fn put(&self, name: &str, artifact: &[u8]);
}

//! What one node may choose about its store; none of it changes a root.

/// Bounds of memory and of history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Bytes of file pages kept in memory.
    pub cache_bytes: usize,
    /// Bytes of trie pages kept in memory between blocks, roughly.
    pub trie_bytes: usize,
    /// Bytes of trie changes logged before whole pages are written in their place: a longer log writes
    /// fewer pages and takes longer to open. The default holds some hundred small blocks and is read
    /// back within 0.1 s.
    pub log_bytes: usize,
    /// Blocks that can be rolled back.
    pub undo_blocks: u64,
    /// Bytes of undo records kept; the oldest go first.
    pub undo_bytes: u64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 64 << 20,
            trie_bytes: 48 << 20,
            log_bytes: 4 << 20,
            undo_blocks: 4096,
            undo_bytes: 256 << 20,
        }
    }
}

//! Layered overlay, change set, trie root and proofs; forbids knowing what a key means.

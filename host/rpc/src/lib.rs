//! JSON-RPC over read-only views; forbids writing state.

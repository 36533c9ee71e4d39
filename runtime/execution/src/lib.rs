//! Blocks in; header, receipts, changes and archive out; forbids clock, socket, file and random number.

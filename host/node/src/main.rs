//! The `busbar` command line.

fn main() {}

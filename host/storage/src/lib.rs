//! Tables, drawn: the only crate that names redb; one write path, one transaction a block.

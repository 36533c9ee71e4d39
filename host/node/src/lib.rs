//! One node: wiring, mempool, importer, keystore, attestor and the busbar command line.

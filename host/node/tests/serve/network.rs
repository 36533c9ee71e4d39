//! Four validators as processes on loopback: they order together, one may be killed at any time, and whoever comes back
//! catches up to the same headers.

use crate::validators::{VALIDATORS, Validators, reaches};
use host_node::keys::{Signer, SigningPolicy};
use host_node::wallet::Wallet;
use runtime_execution::Call;
use runtime_execution::modules::system;
use runtime_primitives::{Hash, Height};

/// A signer of remarks, which are blocks' content that means nothing.
pub struct Alice(Wallet);

impl Alice {
    pub fn on(genesis: Hash) -> Self {
        let alice = Signer::new("//Alice".parse().unwrap(), SigningPolicy::Production);
        Self(Wallet::new(alice, genesis))
    }

    /// Take a remark in at one validator, and wait until all that run have the same new best block.
    pub fn order(&mut self, validators: &Validators, at: usize) {
        self.order_much(validators, at, 5);
    }

    /// The same with a remark of so many bytes.
    pub fn order_much(&mut self, validators: &Validators, at: usize, bytes: usize) {
        let before = validators.best(at);
        validators.remote(at).submit(&self.remark(&vec![b'b'; bytes])).unwrap();
        validators.agree_on(|best| best != before);
    }

    /// A signed remark.
    pub fn remark(&mut self, remark: &[u8]) -> Vec<u8> {
        self.0.sign(&Call::System(system::Call::Remark { remark: remark.to_vec() }))
    }
}

#[test]
fn validators_order_together_whoever_is_killed() {
    let mut network = Validators::start(&["--interval-ms", "100"], &[]);
    let mut alice = Alice::on(network.best(0));
    alice.order(&network, 0);
    alice.order(&network, 3);
    network.kill(1);
    alice.order(&network, 2);
    alice.order(&network, 0);
    network.run(1);
    alice.order(&network, 1);
    network.kill(0);
    alice.order(&network, 1);
    network.run(0);
    let best = network.agree_on(|_| true);

    // All stop and start again: nothing that was final is lost.
    network.stop();
    (0..VALIDATORS).for_each(|number| network.run(number));
    (0..VALIDATORS).for_each(|number| reaches(&network.node(number).url, best));
    alice.order(&network, 2);

    // One chain, block by block.
    let best = network.agree_on(|_| true);
    let last = network.remote(0).height(best).unwrap().unwrap().number();
    for height in (0..=last).map(Height::from_number) {
        let headers: Vec<_> =
            (0..VALIDATORS).map(|number| network.remote(number).block_hash(height).unwrap()).collect();
        assert!(headers[0].is_some() && headers.iter().all(|header| *header == headers[0]), "{headers:?}");
    }
}

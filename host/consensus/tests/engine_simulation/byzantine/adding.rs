//! A validator that says what its engine says and adds messages of its own, so many in a run and no more.

use super::{Identity, Kind, Liar, Said};
use commonware_p2p::Recipients;
use std::sync::Mutex;

/// Makes messages at the sight of one.
type Make = Box<dyn FnMut(&Identity, &Said) -> Vec<Said> + Send>;

pub struct Adding {
    identity: Identity,
    kind: Kind,
    /// Messages that are added in a run, at least; the last time may bring more.
    most: u64,
    /// The channel on which the engine itself is not heard meanwhile.
    instead: Option<usize>,
    made: Mutex<(u64, Make)>,
}

impl Adding {
    pub fn new(
        identity: Identity,
        kind: Kind,
        most: u64,
        make: impl FnMut(&Identity, &Said) -> Vec<Said> + Send + 'static,
    ) -> Self {
        Self { identity, kind, most, instead: None, made: Mutex::new((0, Box::new(make))) }
    }

    /// What the engine says on a channel is not sent while messages are added.
    pub fn instead_of(self, channel: usize) -> Self {
        Self { instead: Some(channel), ..self }
    }
}

/// A message to all.
pub const fn to_all(channel: usize, bytes: Vec<u8>) -> Said {
    Said { channel, to: Recipients::All, bytes }
}

impl Liar for Adding {
    fn say(&self, said: Said) -> Vec<Said> {
        let mut made = self.made.lock().unwrap();
        let (sent, make) = &mut *made;
        if *sent >= self.most {
            return vec![said];
        }
        let mut all = make(&self.identity, &said);
        *sent += all.len() as u64;
        self.identity.audit.lie(self.kind.name());
        if self.instead != Some(said.channel) {
            all.push(said);
        }
        all
    }
}

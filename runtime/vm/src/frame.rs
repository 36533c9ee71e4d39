//! One running call, as host functions find it.
//!
//! Engines keep their host data `'static`, a call only borrows its host. So the frame is lent to the thread for as
//! long as the engine runs, and host functions ask the thread for it; calls nest, and each sees its own.

use crate::{Host, HostTrap, Kind, Output};
use std::borrow::Cow;

/// One running call.
pub(crate) struct Frame<'a> {
    pub(crate) kind: Kind,
    /// What the caller handed over; `None` once it was forwarded.
    pub(crate) input: Option<Cow<'a, [u8]>>,
    /// The chain; pure calls have none.
    host: Option<&'a mut dyn Host>,
    /// Why a host function ended the call, if one did.
    pub(crate) stop: Option<Stop>,
}

/// Why a host function ended the call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The contract is done.
    Returned(Output),
    /// The gas does not suffice.
    OutOfGas,
    /// The arguments are not acceptable.
    Refused(HostTrap),
}

impl From<HostTrap> for Stop {
    fn from(trap: HostTrap) -> Self {
        Self::Refused(trap)
    }
}

impl<'a> Frame<'a> {
    pub(crate) fn pure(input: &'a [u8]) -> Self {
        Self { kind: Kind::Pure, input: Some(Cow::Borrowed(input)), host: None, stop: None }
    }

    pub(crate) fn stateful(input: Vec<u8>, host: &'a mut dyn Host) -> Self {
        Self { kind: Kind::Stateful, input: Some(Cow::Owned(input)), host: Some(host), stop: None }
    }

    /// The chain.
    ///
    /// # Panics
    /// In a pure call; the import check refuses pure contracts that could ask.
    pub(crate) fn host(&mut self) -> &mut (dyn Host + 'a) {
        self.host.as_deref_mut().expect("the import check keeps pure contracts from the host")
    }

    /// Lends this frame to host functions called on this thread until `run` returns.
    pub(crate) fn lend<R>(&mut self, run: impl FnOnce() -> R) -> R {
        current::using(self, run)
    }
}

/// What the thread holds: a frame whose lifetime only its lender knows.
trait Current {
    fn visit(&mut self, visitor: &mut dyn FnMut(&mut Frame<'_>));
}

impl Current for Frame<'_> {
    fn visit(&mut self, visitor: &mut dyn FnMut(&mut Frame<'_>)) {
        visitor(self);
    }
}

environmental::environmental!(current: trait Current);

/// Runs `visitor` on the frame of the innermost running call of this thread.
///
/// # Panics
/// Outside of [`Frame::lend`].
pub(crate) fn with_current<R>(visitor: impl FnOnce(&mut Frame<'_>) -> R) -> R {
    let mut visitor = Some(visitor);
    let mut result = None;
    let found = current::with(|frame| {
        frame.visit(&mut |frame| result = visitor.take().map(|visitor| visitor(frame)));
    });
    found.and(result).expect("host functions run only while a frame is lent")
}

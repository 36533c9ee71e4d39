//! The electorate of a claim and who of it has voted, in pages by entity.
//!
//! A vote costs one page, however many may vote: whatever looks at all of them is for views, or done once for both rounds of
//! a vote.

use super::BallotKey;
use crate::modules::markets::lists::DISPUTE_ROUND;
use crate::modules::markets::{At, Elector};
use crate::storage::{Map, storage};
use contract_interface::Stage;
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{EntityId, MarketId, Slot};
use runtime_state::Overlay;
use scale_info::TypeInfo;

/// Entities in one page: a vote reads and writes 2.7 KB at most, and an agent far away asks for few pages.
const ENTITIES_PER_PAGE: u32 = 64;

/// A ballot (of the first round, for a second one), and the number of a page.
type PageKey = (MarketId, Slot, Stage, u8, u32);

/// An elector and the rounds in which it has voted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Seat {
    /// Who.
    pub elector: Elector,
    /// A bit for each round.
    voted: u8,
}

impl Seat {
    /// Whether it has voted in a round.
    pub const fn has_voted(&self, round: u8) -> bool {
        self.voted & (1 << round) != 0
    }
}

storage! {
    "Attestation":
    /// Ascending by entity.
    static SEATS: Map<PageKey, Vec<Seat>> = "Seats";
}

const fn page_of(entity: EntityId) -> u32 {
    entity.number() / ENTITIES_PER_PAGE
}

const fn page_key(key: BallotKey, page: u32) -> PageKey {
    let (market, slot, stage, round) = seats_of(key);
    (market, slot, stage, round, page)
}

/// Who votes again is who voted first; a dispute is the validators'.
const fn seats_of(key: BallotKey) -> BallotKey {
    (key.0, key.1, key.2, if key.3 == DISPUTE_ROUND { DISPUTE_ROUND } else { 0 })
}

/// Seat an electorate, ascending by entity.
pub(super) fn seat(state: &mut Overlay, key: BallotKey, electorate: &[Elector]) {
    let page = |elector: &Elector| page_of(elector.entity);
    for electors in electorate.chunk_by(|a, b| page(a) == page(b)) {
        let seats = electors.iter().map(|elector| Seat { elector: *elector, voted: 0 });
        SEATS.put(state, &page_key(key, page(&electors[0])), &seats.collect());
    }
}

/// The seat of an elector.
pub(super) fn find(state: &Overlay, key: BallotKey, voter: EntityId) -> Option<Seat> {
    let seats = SEATS.get(state, &page_key(key, page_of(voter)))?;
    seats.into_iter().find(|seat| seat.elector.entity == voter)
}

/// Note that an elector has voted.
pub(super) fn mark(state: &mut Overlay, key: BallotKey, voter: EntityId) {
    let page = page_key(key, page_of(voter));
    let mut seats = SEATS.get_or_default(state, &page);
    let own = seats.iter_mut().find(|seat| seat.elector.entity == voter);
    own.expect("an elector has a seat").voted |= 1 << key.3;
    SEATS.put(state, &page, &seats);
}

/// All seats, ascending by entity.
pub(super) fn all(state: &Overlay, key: BallotKey) -> Vec<Seat> {
    SEATS.entries_under(state, &seats_of(key)).into_values().flatten().collect()
}

/// Drop the electorates of a slot.
pub(super) fn forget(state: &mut Overlay, at: At) {
    SEATS.clear_under(state, &at, usize::MAX);
}

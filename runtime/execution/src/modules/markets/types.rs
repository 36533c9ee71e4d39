//! What the market keeps in state while a slot is alive. Leaves go to the archive; this is the working set.

use crate::modules::registry::roll::Edition;
use crate::storage::FixedSize;
use contract_interface::{Order, Side, Terms, Trade};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{
    AccountId, Energy, EntityId, Gas, Hash, MarketId, MerkleAccumulator, MeterId, Money, Seq, Slot, Timestamp,
};
use scale_info::TypeInfo;

/// A market and a slot of it.
pub type At = (MarketId, Slot);

/// A registered market.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Market {
    /// The trading centre that runs it: pays for market steps, posts the platform's list.
    pub operator: EntityId,
    /// Backstop supplier.
    pub retailer: EntityId,
    /// Gets the network fee, may interrupt.
    pub grid: EntityId,
    /// Signs substitutes for silent meters.
    pub meter_operator: EntityId,
    /// Module account of two-price surpluses.
    pub pool: AccountId,
    /// What is left of the operator's deposit for market steps.
    pub deposit: Money,
    /// Settlement code used when a slot's own fails.
    pub default_settlement: Hash,
    /// First slot ever opened; as asked for until all parties have agreed.
    pub first_slot: Slot,
    /// Next slot to open.
    pub next_slot: Slot,
    /// Terms by the first slot they govern, ascending. Those of the past are agreed; a market that
    /// does not run yet has one.
    pub schedule: Vec<Scheduled>,
    /// Stage-1 record of the slot recorded last.
    pub last_declaration: Hash,
}

/// Terms in a market's schedule.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Scheduled {
    /// First slot they govern.
    pub from: Slot,
    /// Their hash.
    pub terms: Hash,
    /// What each party says to them, ascending by party; they govern nothing until all agree. Nobody is asked about terms
    /// that bind it as those before them.
    pub consents: Vec<Consent>,
}

/// A party's answer to terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Consent {
    /// Whose.
    pub party: EntityId,
    /// When it agreed; `None` while it has not answered.
    pub agreed_at: Option<Timestamp>,
}

/// Where a slot stands (MARKET section 2). `Scheduled` is the absence of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum SlotState {
    /// Orders are taken.
    Open = 1,
    /// The gate has closed and sealed orders are revealed.
    Revealing = 2,
    /// The book is closed and waits for its clearing.
    Clearing = 3,
    /// Trades wait for both parties.
    Proposed = 4,
    /// Trade orders wait for the validators.
    Confirmed = 5,
    /// Trade orders are certified and published.
    Certified = 6,
    /// Energy flows.
    Delivering = 7,
    /// Readings are awaited.
    Metering = 8,
    /// An execution list is voted on.
    Voting = 9,
    /// A list won; objections are awaited.
    Payable = 10,
    /// Validators choose a list.
    Disputed = 11,
    /// Paid.
    Settled = 12,
    /// No trades; meters still run until the slot's end.
    Void = 13,
}

/// Why a slot's trades are void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum VoidReason {
    /// The rule and its fallback both failed.
    NoClearing = 0,
    /// Validators did not certify in time.
    NotCertified = 1,
    /// The operator's deposit ran out.
    NoDeposit = 2,
    /// An outage pushed the gate past delivery.
    TooLate = 3,
}

/// A slot's record: small, and kept for ever.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SlotRecord {
    /// Where it stands.
    pub state: SlotState,
    /// Hash of the terms pinned when it opened.
    pub terms: Hash,
    /// Its entry in the agenda.
    pub due: Option<Timestamp>,
    /// When it came into this state.
    pub entered_at: Timestamp,
    /// At which block.
    pub entered_height: u64,
    /// Why its trades are void, if they are.
    pub void: Option<VoidReason>,
    /// Seq of the next order.
    pub next_seq: Seq,
    /// Orders that are not cancelled, sealed ones included.
    pub orders: u32,
    /// Of these, sealed.
    pub sealed: u32,
    /// Of these, with a minimum fill.
    pub minimums: u32,
    /// Places before this one hold no sealed order whose time to be revealed is over.
    pub swept: Seq,
    /// Trades of the clearing.
    pub trades: u32,
    /// Consents still missing.
    pub pending: u32,
    /// Trades before this one are confirmed, or cancelled because they were not in time.
    pub closed: u32,
    /// Code that cleared; the fallback's if `fallback`.
    pub cleared_by: Hash,
    /// Gas that the clearing used.
    pub clear_gas: Gas,
    /// Whether the pinned rule failed and the fallback is due or was used.
    pub fallback: bool,
    /// Meters that settle in it: the first of the market's list.
    pub meters: u32,
    /// Of these, without a reading.
    pub unread: u32,
    /// Readings posted, as leaves.
    pub readings: MerkleAccumulator,
    /// Voting round: 0, 1 after a correction, 2 in a dispute.
    pub round: u8,
    /// Hash of the execution list that counts.
    pub chosen: Option<Hash>,
    /// It is payable but an earlier slot is not settled.
    pub waiting: bool,
}

/// An order in the book with its authority; cancelled if its energy is zero.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BookEntry {
    /// The order.
    pub order: Order,
    /// Extrinsic that placed it.
    pub authorised_by: Hash,
    /// Hash of its hold record.
    pub hold: Hash,
}

impl BookEntry {
    /// The order of an encoded entry, which begins with it.
    ///
    /// # Panics
    /// If the entry was not written by this program.
    pub fn order_of(mut entry: &[u8]) -> Order {
        Order::decode(&mut entry).expect("an entry begins with its order")
    }
}

impl FixedSize for BookEntry {
    const BYTES: usize = Order::BYTES + 64;
}

/// What became of a sealed order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum SealState {
    /// Nobody knows it yet.
    Sealed = 0,
    /// It is in the book.
    Revealed = 1,
    /// Withdrawn before the gate.
    Withdrawn = 2,
    /// Its deposit went to the pool.
    Forfeited = 3,
}

/// A commitment to an order. It takes a place in the book, where an order of no energy stands until it is revealed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SealedEntry {
    /// Who committed.
    pub entity: EntityId,
    /// The connection whose capacity the deposit is for.
    pub meter: MeterId,
    /// See [`contract_interface::seal`].
    pub commitment: Hash,
    /// Money held until it is revealed.
    pub deposit: Money,
    /// Extrinsic that committed.
    pub authorised_by: Hash,
    /// Hash of its commit record.
    pub record: Hash,
    /// What became of it.
    pub state: SealState,
}

impl FixedSize for SealedEntry {
    const BYTES: usize = 4 + 4 + 32 + 16 + 32 + 32 + 1;
}

/// Whether a party agreed to a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Agreed {
    /// Not yet.
    Pending = 0,
    /// Signed the trade order.
    Signed = 1,
    /// By a flag in the order.
    Auto = 2,
    /// Refused, or never answered.
    Refused = 3,
}

impl Agreed {
    /// Whether this is a yes.
    pub const fn is_yes(self) -> bool {
        matches!(self, Self::Signed | Self::Auto)
    }
}

/// A trade with its consents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct TradeEntry {
    /// The trade.
    pub trade: Trade,
    /// The buyer's consent.
    pub buyer: Agreed,
    /// The seller's consent.
    pub seller: Agreed,
}

impl TradeEntry {
    /// Whether both parties agreed.
    pub const fn is_confirmed(&self) -> bool {
        self.buyer.is_yes() && self.seller.is_yes()
    }
}

impl FixedSize for TradeEntry {
    const BYTES: usize = 24 + 2;
}

/// What an entity has going in one slot.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct EntitySlot {
    /// The side it trades on.
    pub side: Side,
    /// Its live orders.
    pub orders: u32,
    /// Places in the book it has used, cancelled orders included.
    pub places: u32,
    /// Energy of its live orders, by meter.
    pub energy: Vec<(MeterId, Energy)>,
    /// Money held for them.
    pub held: Money,
}

/// An entity that may vote, with the key it votes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Elector {
    /// Who.
    pub entity: EntityId,
    /// Whose signature counts.
    pub key: AccountId,
    /// The entity whose key that is, if it votes as this one's proxy.
    pub proxy: Option<EntityId>,
}

/// What is pinned when a slot opens.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Pinned {
    /// Epoch of the validator set.
    pub epoch: u32,
    /// Validators: the electorate of stage 3 and of disputes.
    pub validators: Vec<Elector>,
    /// The electoral roll, held: stage 5 draws from it, with the keys of that edition.
    pub roll: Edition,
}

/// A posted reading of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Posted {
    /// Hash of the reading.
    pub hash: Hash,
    /// Revision.
    pub revision: u16,
    /// Import register.
    pub import_wh: Energy,
    /// Export register.
    pub export_wh: Energy,
    /// Whether it stands for what the meter did not say, by rule or by a meter operator.
    pub substituted: bool,
}

/// Registers of a meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Registers {
    /// Import and export that settled slots have used up.
    pub certified: (Energy, Energy),
    /// The last reading that settled and was no substitute; at first the registers when the meter joined, then its base.
    pub read: (Energy, Energy),
    /// The first slot after that reading: what the meter has moved since then, it has moved in this slot and later ones.
    pub read_to: Slot,
    /// Highest measured so far, corrections apart: later readings are not lower.
    pub measured: (Energy, Energy),
    /// The last slot that the meter has posted a reading of its own for.
    pub measured_in: Option<Slot>,
    /// Highest measured or substituted so far, corrections apart: what a substitute builds on.
    pub assumed: (Energy, Energy),
    /// The first slot that the meter settles in.
    pub first: Slot,
    /// Revision of the meter operator's last estimate of what the meter showed when that slot began; 0 is no estimate.
    pub base: u16,
}

/// An execution list as the state keeps it: which reading of each meter, by revision.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct PostedList {
    /// Hash of the full list.
    pub hash: Hash,
    /// Who posted it.
    pub poster: EntityId,
    /// Revision chosen for each meter of the slot, in order.
    pub revisions: Vec<u16>,
}

/// What an entity owes to everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Owing {
    /// The sum.
    pub total: Money,
    /// Number of the oldest debt that is open.
    pub first: u32,
    /// Number of the next debt.
    pub next: u32,
}

/// How far the refund of a market's pool has come, page by page of entities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Refund {
    /// Pages of entities when the period ended.
    pub pages: u32,
    /// The page that is next.
    pub next: u32,
    /// How many have got something.
    pub entities: u32,
    /// What they got together.
    pub amount: Money,
}

/// Money that a debtor could not pay when it was due.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Receivable {
    /// Who is owed.
    pub creditor: AccountId,
    /// How much is still open.
    pub amount: Money,
    /// Hash of the record of stage 7 of the settlement that its oldest part is from. Later parts are what later settlements'
    /// reports asked for and their leaves of stage 7 lack.
    pub origin: Hash,
}

/// The terms of a slot with the record they govern.
#[derive(Clone, Debug)]
pub struct Live {
    /// Market and slot.
    pub at: At,
    /// The slot.
    pub slot: SlotRecord,
    /// Its terms.
    pub terms: Terms,
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime_primitives::Price;

    #[test]
    fn paged_items_have_the_size_they_claim() {
        let order = Order {
            seq: Seq::ZERO,
            entity: EntityId::ZERO,
            meter: MeterId::ZERO,
            side: Side::Buy,
            energy: Energy::ZERO,
            min_energy: Energy::ZERO,
            price: Price::ZERO,
            flags: 0,
            partner: EntityId::ZERO,
        };
        assert_eq!(order.encode().len(), Order::BYTES);
        let entry = BookEntry { order, authorised_by: Hash::ZERO, hold: Hash::ZERO };
        assert_eq!(entry.encode().len(), BookEntry::BYTES);
        assert_eq!(BookEntry::order_of(&entry.encode()), entry.order);
        let sealed = SealedEntry {
            entity: EntityId::ZERO,
            meter: MeterId::ZERO,
            commitment: Hash::ZERO,
            deposit: Money::ZERO,
            authorised_by: Hash::ZERO,
            record: Hash::ZERO,
            state: SealState::Sealed,
        };
        assert_eq!(sealed.encode().len(), SealedEntry::BYTES);
        let trade = Trade {
            buy: Seq::ZERO,
            sell: Seq::ZERO,
            energy: Energy::ZERO,
            buy_price: Price::ZERO,
            sell_price: Price::ZERO,
        };
        let entry = TradeEntry { trade, buyer: Agreed::Pending, seller: Agreed::Pending };
        assert_eq!(entry.encode().len(), TradeEntry::BYTES);
    }
}

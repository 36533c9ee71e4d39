//! Why a market call fails: one variant per rule, with the values that disagreed.

use super::SlotState;
use super::standing::BadTemplate;
use crate::modules::registry::RoleNames;
use contract_interface::RuleError;
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{
    AccountId, Energy, EntityId, Hash, MarketId, MeterId, Money, Price, Seq, Slot, Timestamp,
};
use scale_info::TypeInfo;
use thiserror::Error as ThisError;

/// Errors of the `Markets` module.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, ThisError)]
pub enum Error {
    /// The entity's supply deposit in the market is not full, and it cannot fill it.
    #[error(
        "the supply deposit for the entity's connections in this market is {needed} yuan, {held} are held and {free} free; \
         fund the account"
    )]
    SupplyDeposit {
        /// For all its connections in the market.
        needed: Money,
        /// Of it.
        held: Money,
        /// Free.
        free: Money,
    },
    /// The retailer cannot pre-fund the meter.
    #[error(
        "with this meter retailer {retailer} pre-funds {needed} yuan, {held} are held and {free} free; fund the retailer"
    )]
    RetailerFunding {
        /// Of the market.
        retailer: EntityId,
        /// For all connections of the market.
        needed: Money,
        /// Of it.
        held: Money,
        /// Free.
        free: Money,
    },
    /// Nothing is held beyond what is needed.
    #[error(
        "{held} yuan are held for connections in this market and {needed} are needed: nothing can be released"
    )]
    NothingToRelease {
        /// Held.
        held: Money,
        /// Needed by the dearest terms of a slot that is not settled.
        needed: Money,
    },
    /// No such market.
    #[error(
        "unknown market {0}; busbar market list shows those that exist, busbar market create makes one from a spec"
    )]
    UnknownMarket(MarketId),
    /// The slot has not opened.
    #[error(
        "slot {slot} of market {market} has not opened; busbar market wait --market {market} --slot {slot} waits for it"
    )]
    UnknownSlot {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
    },
    /// The gate has closed.
    #[error("gate closed: slot {slot} is {state:?}; orders are taken while it is Open")]
    GateClosed {
        /// Slot.
        slot: Slot,
        /// Where it stands.
        state: SlotState,
    },
    /// The order was signed under other terms.
    #[error("terms changed: signed {signed}, in force {current}; read the new terms and sign again")]
    TermsChanged {
        /// In the order.
        signed: Hash,
        /// Of the slot.
        current: Hash,
    },
    /// The request is too old.
    #[error("the request was valid until {until}, it is {now}")]
    RequestExpired {
        /// Its last moment.
        until: Timestamp,
        /// Block time.
        now: Timestamp,
    },
    /// No such meter in this market, or it joined after the slot opened.
    #[error(
        "unknown meter {0} in this slot of the market; busbar meter list shows meters, each settles from the first slot on \
         that opened after it joined"
    )]
    UnknownMeter(MeterId),
    /// The meter is somebody else's.
    #[error("meter {meter} belongs to entity {owner}")]
    ForeignMeter {
        /// Meter.
        meter: MeterId,
        /// Its owner.
        owner: EntityId,
    },
    /// An order of no energy.
    #[error("an order is for at least 1 Wh")]
    ZeroEnergy,
    /// The price is no multiple of the tick.
    #[error("off tick: {price} is no multiple of {tick}; round it to one")]
    OffTick {
        /// Of the order.
        price: Price,
        /// Of the market.
        tick: Price,
    },
    /// The price is outside the market's bounds.
    #[error("price {price} is outside [{min}, {max}]; write one within the market's bounds")]
    PriceOutOfBounds {
        /// Of the order.
        price: Price,
        /// Lowest.
        min: Price,
        /// Highest.
        max: Price,
    },
    /// More energy than the connection can move.
    #[error(
        "with the meter's open orders in this slot {energy} Wh are ordered, the connection moves {capacity} Wh a slot; order \
         less, or cancel one: busbar order list shows them"
    )]
    AboveCapacity {
        /// Of this order and the meter's open ones.
        energy: Energy,
        /// Of the connection.
        capacity: Energy,
    },
    /// The least acceptable fill is more than the order.
    #[error("min_energy {min} is above energy {energy}; ask for at most the order itself")]
    MinAboveEnergy {
        /// Least fill.
        min: Energy,
        /// Energy.
        energy: Energy,
    },
    /// Flags or a minimum that the slot's matching rule does not honour.
    #[error("the matching rule does not honour flags {flags:#04x} with this minimum")]
    Unsupported {
        /// Of the order.
        flags: u8,
    },
    /// An entity trades on one side of a slot.
    #[error(
        "both sides: the entity already trades on the other side of this slot; cancel that first, or take another slot"
    )]
    BothSides,
    /// The account cannot cover the hold.
    #[error("insufficient funds: the hold is {hold}, {free} are free; fund the account")]
    InsufficientFunds {
        /// Needed.
        hold: Money,
        /// Free.
        free: Money,
    },
    /// The slot takes no more orders.
    #[error("order count limit: the slot has its {0} orders; take another slot")]
    SlotFull(u32),
    /// The entity may place no more orders in this slot.
    #[error("order count limit: the entity has its {0} orders in this slot; amend or cancel one")]
    EntityOrderLimit(u32),
    /// The bid rule refused.
    #[error("the bid rule refused the order: rule {rule}")]
    AdmissionRefused {
        /// Its own reason code.
        rule: u16,
    },
    /// The bid rule failed.
    #[error("the bid rule failed on this order (trap, error or garbage)")]
    AdmissionFailed,
    /// No such order, or it is cancelled.
    #[error("no live order {0} in this slot; busbar order list shows those that are")]
    UnknownOrder(Seq),
    /// The order is somebody else's.
    #[error("order {seq} belongs to entity {owner}")]
    ForeignOrder {
        /// Order.
        seq: Seq,
        /// Its owner.
        owner: EntityId,
    },
    /// The slot's trades do not wait for consent.
    #[error("slot {slot} is {state:?}; trades are confirmed while it is Proposed")]
    NotProposed {
        /// Slot.
        slot: Slot,
        /// Where it stands.
        state: SlotState,
    },
    /// No such trade.
    #[error("no trade {0} in this slot; busbar market status --slot N lists its trades")]
    UnknownTrade(u32),
    /// The signer is no party of the trade.
    #[error("not a party of trade {0}")]
    NotAParty(u32),
    /// The signed hash is of another trade order.
    #[error("trade order mismatch: signed {signed}, the chain has {current}")]
    TradeOrderMismatch {
        /// Signed.
        signed: Hash,
        /// On chain.
        current: Hash,
    },
    /// The party has already answered.
    #[error("trade {0} has this party's answer already")]
    AlreadyAnswered(u32),
    /// The confirmation's signature does not verify.
    #[error("bad confirmation signature on trade {0}")]
    BadConfirmation(u32),
    /// The slot takes no readings.
    #[error(
        "slot {slot} takes no readings now: they come while it is Metering or Voting, corrections until its objections end; \
         busbar market adjust puts right what is found out later"
    )]
    NotMetering {
        /// Slot.
        slot: Slot,
    },
    /// The reading is not signed by the meter's key.
    #[error("bad reading signature: not by the key of meter {0}")]
    WrongMeterKey(MeterId),
    /// The revision is not newer.
    #[error("stale revision {got}: the meter has {latest}")]
    StaleRevision {
        /// In the reading.
        got: u16,
        /// Posted.
        latest: u16,
    },
    /// Too many revisions.
    #[error("revision {0} is above the limit")]
    TooManyRevisions(u16),
    /// A cumulative register decreased.
    #[error("meter {0}: a cumulative register went back; busbar meter show {0} has what it showed")]
    RegisterWentBack(MeterId),
    /// The status does not fit the revision.
    #[error(
        "the reading's status does not fit; busbar meter read posts a meter's first reading, substitute one in its place, \
         correct one that follows it"
    )]
    WrongStatus,
    /// The slot takes no execution lists.
    #[error("slot {slot} is {state:?}; lists are posted while it is Voting")]
    NotVoting {
        /// Slot.
        slot: Slot,
        /// Where it stands.
        state: SlotState,
    },
    /// The poster is not in the electorate.
    #[error("entity {0} may not post an execution list for this slot")]
    NotAPoster(EntityId),
    /// The list names a reading that nobody posted.
    #[error("the list names a reading of meter {0} that is not posted")]
    UnpostedReading(MeterId),
    /// The list is not one entry per meter, ascending.
    #[error("an execution list has one entry per meter, ascending: {expected} of them; got {got}")]
    ListIncomplete {
        /// Meters of the slot.
        expected: u32,
        /// Entries given; those that fit, if they are as many.
        got: u32,
    },
    /// The list is posted already.
    #[error("this execution list is posted already")]
    ListPosted,
    /// Too many lists.
    #[error("the poster has its {0} execution lists in this slot")]
    TooManyLists(u32),
    /// Settlement before certification.
    #[error("settle before certification: slot {slot} is {state:?}")]
    NotCertified {
        /// Slot.
        slot: Slot,
        /// Where it stands.
        state: SlotState,
    },
    /// Settlement a second time.
    #[error("slot {0} is settled; a slot is settled exactly once")]
    AlreadySettled(Slot),
    /// Settlement while objections are possible, or before an earlier slot.
    #[error("slot {slot} is payable but not due: objections until {until}, earlier slots first")]
    NotDue {
        /// Slot.
        slot: Slot,
        /// End of the window.
        until: Timestamp,
    },
    /// The grid operator curtails before or while energy flows.
    #[error(
        "slot {slot} is {state:?}; a meter is curtailed until the slot's end, and not in one that is void"
    )]
    NotCurtailable {
        /// Slot.
        slot: Slot,
        /// Where it stands.
        state: SlotState,
    },
    /// No such code on chain.
    #[error("no code {0} on chain; its author uploads it by busbar contract deploy")]
    UnknownCode(Hash),
    /// The code is no rule of this kind or does not answer `describe`.
    #[error("code {0} does not describe itself as a rule of this interface")]
    NotARule(Hash),
    /// The rule answered `describe` with an error.
    #[error("code {code} refused to describe itself: {error:?}")]
    RuleRefused {
        /// Code.
        code: Hash,
        /// Its error.
        error: RuleError,
    },
    /// The terms contradict themselves.
    #[error("bad terms: {0}")]
    BadTerms(BadTerms),
    /// The market wants more orders than the rule clears.
    #[error("the market wants {wanted} orders a slot, the rule clears {max}")]
    TooManyForRule {
        /// Of the terms.
        wanted: u32,
        /// Of the descriptor.
        max: u32,
    },
    /// A full book does not clear inside the gas limit.
    #[error(
        "rule {1} does not clear a full book of {0} orders inside the gas limit as the referee wants it; \
         busbar market check says where it fails"
    )]
    WorstCase(u32, Hash),
    /// Terms are published at least 24 h before the slots they govern.
    #[error(
        "terms for slot {slot} come too late: they are published 24 h ahead; schedule them --from-slot earliest"
    )]
    TermsTooLate {
        /// First slot they would govern.
        slot: Slot,
    },
    /// The market's first slot has passed its opening.
    #[error("the first slot {0} would close before the market exists; name a later one, or \"next\"")]
    FirstSlotPassed(Slot),
    /// A confirmation of nothing.
    #[error("a confirmation names at least one trade")]
    NothingConfirmed,
    /// The entity has used up its places in this slot, cancelled orders included.
    #[error("order count limit: the entity has used its {0} places in this slot, cancelled orders included")]
    EntityPlaceLimit(u32),
    /// More energy than the connection could have moved.
    #[error(
        "meter {meter}: the registers moved more than the {most} Wh that the connection can since its last measured reading that settled"
    )]
    ImplausibleReading {
        /// The meter.
        meter: MeterId,
        /// Capacity of all slots since that reading.
        most: Energy,
    },
    /// Terms are scheduled, not hoarded: every opening reads the list.
    #[error("the market has its {0} changes of terms scheduled; replace one")]
    ScheduleFull(u32),
    /// Who owes pays before its money goes elsewhere.
    #[error("{owed} are owed; fund the account, or pay first: busbar bank pay")]
    OpenReceivables {
        /// What is open.
        owed: Money,
    },
    /// A party of the market lacks its role.
    #[error("entity {entity} has no role {}; the registrar registers one that has", RoleNames(*needed))]
    PartyRole {
        /// Who.
        entity: EntityId,
        /// Needed.
        needed: u16,
    },
    /// A batch without readings.
    #[error("a batch holds at least one reading")]
    NothingRead,
    /// A batch with too many readings.
    #[error("a batch holds at most {0} readings; send the others in another one")]
    TooManyReadings(u32),
    /// No more orders with a minimum fill: a rule may have to clear once more for each.
    #[error("the slot has its {0} orders with a minimum fill; place this one without, or in another slot")]
    TooManyMinimums(u32),
    /// A curtailment that withdraws too much at once.
    #[error(
        "this withdraws {orders} orders, a call at most {most}; curtail some of the meters in another one"
    )]
    TooManyWithdrawn {
        /// That stand beyond the caps.
        orders: u32,
        /// Of one call.
        most: u32,
    },
    /// Trades that nobody answered in time are being cancelled.
    #[error(
        "the time to answer trades of slot {0} is over: those that are not confirmed are being cancelled"
    )]
    ConsentOver(Slot),
    /// Orders of a sealed slot are committed to.
    #[error("slot {0} is sealed; commit to an order now and reveal it after the gate")]
    SealedSlot(Slot),
    /// Orders of an open book are placed.
    #[error("slot {0} has an open book; place the order, there is nothing to commit to")]
    OpenSlot(Slot),
    /// Sealed orders are revealed after the gate.
    #[error("slot {slot} is {state:?}; sealed orders are revealed while it is Revealing")]
    NotRevealing {
        /// Slot.
        slot: Slot,
        /// Where it stands.
        state: SlotState,
    },
    /// The sealed order is in the book.
    #[error("order {0} is revealed already")]
    AlreadyRevealed(Seq),
    /// The revealed order is another than the one committed to.
    #[error("seal mismatch: committed to {committed}, order and salt give {revealed}")]
    SealMismatch {
        /// On chain.
        committed: Hash,
        /// Of the order, the salt and the signer's entity.
        revealed: Hash,
    },
    /// The deposit is another meter's.
    #[error("the deposit is for meter {committed}, the order for meter {revealed}")]
    SealedMeter {
        /// Of the commitment.
        committed: MeterId,
        /// Of the order.
        revealed: MeterId,
    },
    /// Revisions that select another list than the call names.
    #[error("the revisions select list {selected}, not {named}: readings were posted since; select again")]
    SelectsAnother {
        /// Named in the call.
        named: Hash,
        /// Selected by its revisions.
        selected: Hash,
    },
    /// The key may not have so much held.
    #[error("the key's cap: {held} would be held in the slot, the owner allows {cap}")]
    AboveHeldCap {
        /// By the entity in this slot, with this order.
        held: Money,
        /// Of the key.
        cap: Money,
    },
    /// No market ever had these terms.
    #[error(
        "no market ever published terms {0}; busbar market status shows what is scheduled, busbar market spec show --terms \
         HASH prints it"
    )]
    UnknownTerms(Hash),
    /// A standing order contradicts itself.
    #[error("bad standing order: {0}")]
    BadTemplate(BadTemplate),
    /// No such standing order.
    #[error("no standing order {0} in this market; busbar order standing list shows them")]
    UnknownStanding(u32),
    /// The standing order is somebody else's.
    #[error("standing order {id} belongs to entity {owner}")]
    ForeignStanding {
        /// Its number.
        id: u32,
        /// Whose it is.
        owner: EntityId,
    },
    /// The entity has its standing orders.
    #[error("the entity has its {0} standing orders in this market; remove one")]
    TooManyStanding(u32),
    /// The market has its standing orders.
    #[error("the market has its {0} standing orders")]
    StandingFull(u32),
    /// The key may not order so much.
    #[error("the key's cap: an order of {energy} Wh, the owner allows {cap} Wh")]
    AboveEnergyCap {
        /// Of the order.
        energy: Energy,
        /// Of the key.
        cap: Energy,
    },
    /// The order's cancellation is queued already.
    #[error("order {0} is being cancelled; its cancellation is in the queue")]
    AlreadyLeaving(Seq),
    /// One of rule and fallback clears call auctions, the other a continuous book.
    #[error(
        "rule and fallback must both be continuous or both be auctions: the rule says continuous = {rule}"
    )]
    FallbackKind {
        /// What the matching rule says.
        rule: bool,
    },
    /// A continuous book has no minimum fills: an order meets others one by one.
    #[error("a continuous rule honours no minimum fills; choose one that does not say so")]
    ContinuousMinimum,
    /// The grid operator allows the connection less.
    #[error("{energy} Wh are above the {cap} Wh that the grid operator allows the connection in this slot")]
    AboveCurtailment {
        /// Of this order and the meter's others.
        energy: Energy,
        /// What is allowed.
        cap: Energy,
    },
    /// Another entity curtails.
    #[error(
        "entity {operator} is the market's grid operator, the key is entity {entity}'s; sign with the operator's"
    )]
    NotGridOperator {
        /// Of the market.
        operator: EntityId,
        /// Who signed.
        entity: EntityId,
    },
    /// A curtailment names meters.
    #[error("the curtailment names no meter")]
    NothingCurtailed,
    /// Too many meters in one curtailment.
    #[error("a curtailment names at most {0} meters; send the others in another")]
    TooManyCurtailed(u32),
    /// A curtailment gives each meter one cap.
    #[error("meter {0} has two caps in one curtailment")]
    CurtailedTwice(MeterId),
    /// A correction explains itself.
    #[error("a correction has a call of its own, PostCorrection, with the hash of its evidence")]
    NoEvidence,
    /// A substitute stands only for what a meter did not say.
    #[error("meter {0} has a reading of its own: it takes no substitute")]
    AlreadyRead(MeterId),
    /// Meters speak first.
    #[error(
        "slot {0} still awaits its meters: a substitute is posted while it is Voting; busbar market wait --market N --slot {0} \
         --state voting waits for it"
    )]
    SubstituteTooEarly(Slot),
    /// A base sets what a meter starts from.
    #[error(
        "a meter whose first slot is {slot} posts the registers that it starts from between {start} and the end of that slot's readings"
    )]
    NoTimeForBase {
        /// Its first slot.
        slot: Slot,
        /// When that begins.
        start: Timestamp,
    },
    /// A reading that comes late lies between its neighbours.
    #[error("meter {0}: a register is above what the meter itself has read for a later slot")]
    AboveLaterReading(MeterId),
    /// What is found out later is put right by an adjustment.
    #[error(
        "objections to slot {slot} were taken until {until}; busbar market adjust puts right what is found out later"
    )]
    ObjectionsOver {
        /// Slot.
        slot: Slot,
        /// When the time was over.
        until: Timestamp,
    },
    /// A substitute is signed by the market's meter operator.
    #[error("{0} is no owner key of the market's meter operator; busbar market status names it")]
    NoMeterOperator(AccountId),
    /// The substitute's signature does not verify.
    #[error("bad signature of the substitute for meter {0}: not by the operator's key that it names")]
    WrongOperatorKey(MeterId),
    /// Terms that bind the parties otherwise do not replace agreed ones while these are all that the slot has.
    #[error("the terms {terms} from slot {slot} on are agreed; schedule others from the slot after it")]
    SlotAgreed {
        /// Slot.
        slot: Slot,
        /// What is agreed for it.
        terms: Hash,
    },
    /// Who agrees to terms is a party of the market.
    #[error(
        "entity {entity} is no retailer, grid operator or meter operator that market {market} names; busbar market status shows them"
    )]
    NoMarketParty {
        /// Market.
        market: MarketId,
        /// Who signed.
        entity: EntityId,
    },
    /// Agreement is given once.
    #[error(
        "entity {entity} has agreed to terms {terms} of market {market} already; busbar market status --market {market} shows \
         whose answer is missing"
    )]
    AlreadyAgreed {
        /// Market.
        market: MarketId,
        /// Who signed.
        entity: EntityId,
        /// What it agreed to.
        terms: Hash,
        /// When it did before.
        at: Timestamp,
    },
    /// Terms that bind a party as those before them do not ask it.
    #[error(
        "terms {terms} of market {market} bind entity {entity} as those before them: they govern by notice alone, nothing is \
         to be done"
    )]
    AgreedUnasked {
        /// Market.
        market: MarketId,
        /// Who signed.
        entity: EntityId,
        /// What it agreed to.
        terms: Hash,
    },
    /// Only scheduled terms are agreed to.
    #[error(
        "terms {terms} are published, but market {market} has not scheduled them, or no longer: they were replaced, or lapsed, \
         or are another market's; busbar market status --market {market} shows what waits"
    )]
    NotScheduled {
        /// Market.
        market: MarketId,
        /// What was agreed to.
        terms: Hash,
    },
    /// Only its operator runs a market.
    #[error("market {market} is run by entity {operator}; sign with the key of its owner")]
    NotOperator {
        /// Market.
        market: MarketId,
        /// Who runs it.
        operator: EntityId,
    },
    /// What all parties have agreed to stands.
    #[error("all parties of market {market} have agreed to terms {terms}; schedule others for a later slot")]
    TermsStand {
        /// Market.
        market: MarketId,
        /// Their hash.
        terms: Hash,
    },
    /// A market that does not run has one offer.
    #[error(
        "market {0} has no other terms than these; schedule the ones that are meant, and they take their place"
    )]
    OnlyTerms(MarketId),
    /// A standing order is for slots to come.
    #[error(
        "the standing order is for no slot that is still to open: its last is {last}, or its mask names none; the next to open \
         is {next}"
    )]
    StandingPast {
        /// Its last slot.
        last: Slot,
        /// The first slot that it can be for.
        next: Slot,
    },
    /// The slot is of a time before the market.
    #[error("market {market} has no slot {slot}; its first is {first}")]
    BeforeFirstSlot {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// The first that the market has.
        first: Slot,
    },
    /// A slot is adjusted when its money has moved.
    #[error("slot {slot} is {state:?}, not Settled: until then its readings are corrected, not its payments")]
    NotSettled {
        /// The slot.
        slot: Slot,
        /// Its state.
        state: SlotState,
    },
    /// An adjustment pays something.
    #[error("the adjustment names no payment")]
    NothingAdjusted,
    /// Too many payments in one adjustment.
    #[error("an adjustment has at most {0} payments; send the others in another")]
    TooManyAdjustments(u32),
    /// Money goes to somebody else.
    #[error("entity {0} would pay itself: an adjustment pays others")]
    AdjustsItself(EntityId),
    /// A settlement's report is a rule's output, which has a limit.
    #[error(
        "orders_per_slot {wanted}: with these fees, a settlement can report the trades of at most {most} orders"
    )]
    ReportTooLong {
        /// Orders asked for.
        wanted: u32,
        /// Orders allowed.
        most: u32,
    },
    /// One payment of a call is one record.
    #[error("payment {0} of the adjustment is in it before; add the amounts up")]
    AdjustmentTwice(u32),
    /// A market that runs pays for its steps.
    #[error("market {0} runs: its deposit pays for its steps and stays")]
    DepositInUse(MarketId),
    /// Nothing is there, or it was taken back before.
    #[error("market {0} has no deposit to take back")]
    NoDeposit(MarketId),
}

/// What is wrong with terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, ThisError)]
pub enum BadTerms {
    /// A slot has a length.
    #[error("slot_minutes is 1 to 1440")]
    SlotMinutes,
    /// Windows are ordered and bounded.
    #[error("windows: {0}")]
    Windows(BadWindow),
    /// The tick is at least 1 and divides nothing by zero.
    #[error("tick_size is at least 1")]
    Tick,
    /// Bounds of prices.
    #[error(
        "price bounds must satisfy feed_in <= price_min <= price_max <= retail - the highest buyer's fee"
    )]
    PriceBounds,
    /// The deviation rate.
    #[error("the deviation rate is at most the retail rate")]
    Deviation,
    /// The lowest price covers the highest fee of a seller and what the retailer would pay.
    #[error("price_min is at least feed_in + the highest seller's fee")]
    SellerFee,
    /// Limits on counts.
    #[error("orders_per_slot is 1 to 100000, orders_per_entity 1 to 128")]
    Counts,
    /// Reveals come before consents.
    #[error(
        "reveal_s is 0 for an open book, or else below confirm_s: trades are confirmed after the reveals"
    )]
    Sealed,
    /// Slots keep their grid.
    #[error("a market keeps slot_minutes, slot_zero and billing_slots")]
    Grid,
    /// A continuous book trades while it is open.
    #[error("a continuous matching rule sees orders at once: reveal_s is 0")]
    SealedContinuous,
    /// Not revealing costs something.
    #[error("sealed orders need a deviation rate above 0: it prices the deposit of whoever does not reveal")]
    SealedFree,
    /// A billing period has a length.
    #[error("billing_slots is 1 to 44640")]
    BillingSlots,
    /// Deposits cover so many slots.
    #[error("deposit_slots is at most {max}", max = runtime_primitives::limits::DEPOSIT_SLOTS_MAX)]
    DepositSlots,
    /// More pairs of feeders than terms may price.
    #[error("fees lists at most 256 pairs of feeders")]
    TooManyFees,
    /// The list is searched by its order.
    #[error("fees ascend by seller's and buyer's feeder, each pair once")]
    FeeOrder,
}

/// Which windows contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, ThisError)]
pub enum BadWindow {
    /// A slot is open for some time.
    #[error("open_before_s is above gate_before_s")]
    OpenAfterGate,
    /// The gate leaves time for certification.
    #[error("gate_before_s is above certify_before_s")]
    GateAfterCertification,
    /// Consent is complete before certification ends.
    #[error("confirm_s is at most gate_before_s - certify_before_s")]
    ConfirmationTooLong,
    /// Readings are voted on.
    #[error("readings_s is below voting_s")]
    VotingBeforeReadings,
    /// Votes are objected to.
    #[error("voting_s is below objection_s")]
    ObjectionBeforeVoting,
    /// Disputes follow objections.
    #[error("objection_s is below dispute_s")]
    DisputeBeforeObjection,
    /// Holds do not last for ever.
    #[error("dispute_s is at most {max}", max = runtime_primitives::limits::DISPUTE_S_MAX)]
    DisputeTooLong,
    /// The state keeps every open slot.
    #[error(
        "open_before_s is at most {max} and at most {slots} slots",
        max = runtime_primitives::limits::OPEN_BEFORE_S_MAX,
        slots = runtime_primitives::limits::OPEN_SLOTS_MAX
    )]
    OpenTooEarly,
    /// A slot's readings are in before the next slot's.
    #[error("readings_s is at most a slot")]
    ReadingsTooLong,
}

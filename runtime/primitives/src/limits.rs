//! Every limit of the chain, with unit and reason. A limit that is not here does not exist.

/// Bytes of one ordered block: what a 1 s block can gossip on a home uplink.
pub const BLOCK_BYTES_MAX: usize = 2 << 20;
/// Bytes of one extrinsic: a full-size code upload with room for its envelope.
pub const EXTRINSIC_BYTES_MAX: usize = 256 << 10;
/// Bytes of one contract's code, as the contracts pallet allows.
pub const CODE_BYTES_MAX: usize = 128 << 10;
/// Bytes of encoded events in one block.
pub const EVENTS_BYTES_MAX: usize = 1 << 20;
/// Extrinsics in one block; bounds the decoding of an ordered block.
pub const BLOCK_EXTRINSICS_MAX: usize = 16_384;
/// Nesting depth of any decoded call.
pub const DECODE_DEPTH_MAX: u32 = 8;

/// Gas that the extrinsics of a block may declare together (0.4 s of reference time).
pub const BLOCK_GAS_MAX: u64 = 400_000_000_000;
/// Gas for the market steps that the runtime itself drives in a block.
pub const MARKET_STEPS_GAS_MAX: u64 = 2_000_000_000_000;
/// Gas of one `clear`: what the dearest books of the shipped rules need, and a little.
pub const CLEAR_GAS_MAX: u64 = 1_200_000_000_000;
/// Gas for the worst books of a matching rule and of its fallback together, of what a block has for market steps: terms are
/// checked when the steps that are due leave so much.
pub const RULES_CHECK_GAS_MAX: u64 = 1_600_000_000_000;
/// Gas of one `settle`.
pub const SETTLE_GAS_MAX: u64 = 1_000_000_000_000;
/// Gas of one `admit`: 50 µs nominal, several times what the shipped rule needs; every order declares it.
pub const ADMIT_GAS_MAX: u64 = 50_000_000;
/// Gas of one `describe`.
pub const DESCRIBE_GAS_MAX: u64 = 1_000_000_000;

/// Orders in one slot of one market.
pub const MAX_ORDERS_PER_SLOT: u32 = 100_000;
/// Orders of one entity in one slot.
pub const ORDERS_PER_ENTITY_MAX: u32 = 128;
/// Orders with a minimum fill in one clearing: a rule may run once more for each.
pub const MINIMUMS_PER_SLOT_MAX: u32 = 64;
/// Orders in one page of the open book.
pub const ORDERS_PER_PAGE: u32 = 400;
/// Pages of sealed orders that one market step looks through for deposits that are lost: 6,400 orders.
pub const SWEPT_PAGES_MAX: u32 = 16;
/// Pages of trades of which one market step cancels those that are not confirmed: 3,200 trades, whose events and payments
/// take two thirds of what a block has for events.
pub const CANCELLED_PAGES_MAX: u32 = 8;
/// Entities in one page of what they have going in a slot: an order rewrites a page, a settlement all of them.
pub const ENTITIES_PER_PAGE: u32 = 16;
/// Pages of the electoral roll that are dropped when a slot is settled; a change of the roll drops two.
pub const ROLL_PAGES_DROPPED_MAX: usize = 1_024;
/// Standing orders of one entity in one market.
pub const STANDING_PER_ENTITY_MAX: u32 = 64;
/// Standing orders in one market.
pub const STANDING_PER_MARKET_MAX: u32 = 20_000;
/// Slots in the period of a standing order's mask: a day of minutes.
pub const STANDING_PERIOD_MAX: u16 = 1_440;
/// Gas for standing orders in one block: some two thousand orders.
pub const STANDING_GAS_MAX: u64 = 200_000_000_000;
/// Places that an entity may use in one slot for each order it may have: amendments and second thoughts.
pub const PLACES_PER_ORDER: u32 = 8;
/// Steps of the agenda in one pass; what is left waits for the next one.
pub const AGENDA_STEPS_MAX: u32 = 4_096;
/// Longest time before delivery at which a slot opens: a week.
pub const OPEN_BEFORE_S_MAX: u32 = 7 * 24 * 3_600;
/// Slots of one market that may be open at once.
pub const OPEN_SLOTS_MAX: u32 = 2_048;
/// Slots that open in one block, of all markets; the others open in later ones.
pub const SLOTS_OPENED_PER_BLOCK_MAX: u32 = 256;
/// Longest dispute: a month.
pub const DISPUTE_S_MAX: u32 = 31 * 24 * 3_600;
/// Pairs of feeders that terms may price: every order reads them.
pub const FEEDER_FEES_MAX: usize = 256;
/// Changes of terms that a market may have scheduled.
pub const SCHEDULE_MAX: u32 = 64;
/// Slots of a billing period: a month of minutes.
pub const BILLING_SLOTS_MAX: u32 = 31 * 24 * 60;
/// Slots that supply deposits cover: a day of minutes.
pub const DEPOSIT_SLOTS_MAX: u16 = 24 * 60;
/// Markets in which an entity's supply deposit is restored when a bank credits it; in others, with its next order there.
pub const DEPOSITS_PER_CREDIT: usize = 4;
/// Pages of entities that one market step refunds the pool to: 256 entities.
pub const REFUNDED_PAGES_MAX: u32 = 16;
/// Creditors that a debtor pays on its own request, or when a bank credits it.
pub const RECEIVABLES_PER_PASS: u32 = 64;
/// Creditors that a debtor pays when the market credits it: a market step credits thousands.
pub const RECEIVABLES_PER_CREDIT: u32 = 16;
/// Bytes of the memo that a bid rule keeps per market and entity.
pub const MEMO_BYTES_MAX: usize = 256;
/// Execution lists of the platform for one slot; a voter has one a round.
pub const EXECUTION_LISTS_MAX: u32 = 4;
/// Revisions of one meter's reading for one slot.
pub const READING_REVISIONS_MAX: u16 = 8;
/// Meters of one market: with the trades of the largest slot, the report of their settlement is a rule's longest output.
pub const METERS_PER_MARKET_MAX: u32 = 11_000;
/// Payments in one adjustment of a settled slot: each payee may pay what it owes.
pub const ADJUSTMENTS_PER_CALL_MAX: usize = 100;
/// Meters in one curtailment: a feeder; each may have an order to withdraw.
pub const CURTAILED_PER_CALL_MAX: usize = 1_000;
/// Orders that one curtailment withdraws: a quarter of a block's gas.
pub const WITHDRAWN_PER_CALL_MAX: u32 = 2_000;
/// Readings in one batch: 109 KB with their signatures, and a fifth of a block's gas.
pub const READINGS_PER_BATCH_MAX: usize = 1_000;

/// Pages (64 KiB) of a pure contract's memory.
pub const PURE_MEMORY_PAGES_MAX: u32 = 256;
/// Pages (64 KiB) of a stateful contract's memory, as the contracts pallet allows.
pub const STATEFUL_MEMORY_PAGES_MAX: u32 = 16;
/// Bytes of a pure contract's input, and of its output.
pub const PURE_IO_BYTES_MAX: usize = 8 << 20;
/// Bytes of a stateful contract's storage value, event data or return data.
pub const PAYLOAD_BYTES_MAX: usize = 16 << 10;
/// Bytes of a stateful contract's storage key.
pub const STORAGE_KEY_BYTES_MAX: usize = 128;
/// Topics of one contract event.
pub const EVENT_TOPICS_MAX: usize = 4;
/// Nested contract calls below the first.
pub const CALL_DEPTH_MAX: usize = 5;

/// Blocks whose hashes the state remembers; bounds an extrinsic's mortality.
pub const BLOCK_HASH_COUNT: u64 = 4_096;
/// Bytes of the address at which a validator's engine is called: a host name of 253, a colon, a port.
pub const ENGINE_ADDRESS_BYTES_MAX: usize = 259;
/// Blocks of an epoch, at least: the set for the epoch after the next is known when one ends.
pub const EPOCH_BLOCKS_MIN: u64 = 8;
/// Validators of one epoch: with more, the certificates of blocks take longer than blocks should.
pub const VALIDATORS_MAX: u32 = 128;
/// Epochs before the present one whose validators the state still tells: who was one may follow the chain as long.
pub const PAST_SETS_MAX: u32 = 64;
/// How far the proposer's executed height may lie behind (DESIGN 4.4).
pub const EXECUTED_LAG_MAX: u64 = 8;
/// A block's time exceeds its parent's by at most this, unless the chain was idle longer.
pub const BLOCK_TIME_STEP_MAX_MS: u64 = 60_000;
/// A window for people contains at least this many blocks.
pub const PEOPLE_WINDOW_BLOCKS_MIN: u64 = 8;

const _: () = assert!(CODE_BYTES_MAX < EXTRINSIC_BYTES_MAX && EXTRINSIC_BYTES_MAX < BLOCK_BYTES_MAX);
const _: () = assert!(CLEAR_GAS_MAX <= RULES_CHECK_GAS_MAX && RULES_CHECK_GAS_MAX <= MARKET_STEPS_GAS_MAX);
const _: () = assert!(ORDERS_PER_ENTITY_MAX <= WITHDRAWN_PER_CALL_MAX);
const _: () = assert!(ADMIT_GAS_MAX < BLOCK_GAS_MAX && CLEAR_GAS_MAX <= MARKET_STEPS_GAS_MAX);

/// SS58 prefix of this chain's addresses.
pub const SS58_PREFIX: u16 = 42;

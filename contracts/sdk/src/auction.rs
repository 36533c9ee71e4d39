//! What all call auctions share: the check of the book and the minimum-fill loop (MARKET section 6).
//!
//! An order is addressed by its position in the book; positions ascend with seq, so they break ties alike.

use alloc::vec::Vec;
use contract_interface::{Book, ClearParams, Descriptor, Order, RuleError, Side};
use runtime_primitives::limits::MINIMUMS_PER_SLOT_MAX;
use runtime_primitives::{Energy, Seq};

/// Most orders with a minimum fill in one clearing: each may cost one more run. The runtime hands over no more.
pub const FLAGGED_MAX: usize = MINIMUMS_PER_SLOT_MAX as usize;

/// Bytes of a `clear` of at most `max_orders` orders: what a matching rule reserves for its input.
pub const fn input_bytes_max(max_orders: u32) -> usize {
    const HEAD_BYTES_MAX: usize = 64; // selector, parameters, kind of book, number of orders
    HEAD_BYTES_MAX + max_orders as usize * Order::BYTES
}

/// Why a book is refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The input is of an interface version the rule does not speak.
    Interface(u16),
    /// The book is a continuous one.
    Continuous,
    /// More orders than the rule accepts; carries the count.
    TooManyOrders(u32),
    /// An order carries a flag, or a minimum fill, that the rule does not honour; carries its seq.
    Unsupported(Seq),
    /// The seqs do not ascend.
    NotAscending,
    /// An order is for no energy.
    ZeroEnergy,
    /// The minimum fill of an order exceeds its energy.
    MinEnergyAboveEnergy,
    /// More than [`FLAGGED_MAX`] orders with a minimum fill.
    TooManyFlagged,
    /// The orders' energies do not add up in 64 bits of Wh.
    EnergyOverflow,
}

impl From<Fault> for RuleError {
    /// `BadInput` 1–5 and `Custom` 1 as numbered here.
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Interface(version) => Self::UnsupportedInterface(version),
            Fault::TooManyOrders(count) => Self::TooManyOrders(count),
            Fault::Unsupported(seq) => Self::UnsupportedFlag(seq.number()),
            Fault::Continuous => Self::BadInput(1),
            Fault::NotAscending => Self::BadInput(2),
            Fault::ZeroEnergy => Self::BadInput(3),
            Fault::MinEnergyAboveEnergy => Self::BadInput(4),
            Fault::EnergyOverflow => Self::BadInput(5),
            Fault::TooManyFlagged => Self::Custom(1),
        }
    }
}

/// The orders of a call auction's book, if they are what the rule's descriptor accepts.
///
/// # Errors
/// The first [`Fault`] found.
pub fn check(params: &ClearParams, book: Book, rule: &Descriptor) -> Result<Vec<Order>, Fault> {
    if params.interface != rule.interface {
        return Err(Fault::Interface(params.interface));
    }
    let Book::Auction(orders) = book else { return Err(Fault::Continuous) };
    let count = u32::try_from(orders.len()).unwrap_or(u32::MAX);
    if count > rule.max_orders {
        return Err(Fault::TooManyOrders(count));
    }
    let mut flagged = 0;
    for order in &orders {
        if order.energy.is_zero() {
            return Err(Fault::ZeroEnergy);
        }
        if order.min_energy > order.energy {
            return Err(Fault::MinEnergyAboveEnergy);
        }
        let has_minimum = !order.min_energy.is_zero();
        if order.flags & !rule.flags_supported != 0 || has_minimum && !rule.min_energy {
            return Err(Fault::Unsupported(order.seq));
        }
        flagged += usize::from(has_minimum);
    }
    if !orders.is_sorted_by(|a, b| a.seq < b.seq) {
        return Err(Fault::NotAscending);
    }
    if flagged > FLAGGED_MAX {
        return Err(Fault::TooManyFlagged);
    }
    Ok(orders)
}

/// The energy of all orders: what a rule checks that adds energies up, so that no sum of some of them overflows.
///
/// # Errors
/// [`Fault::EnergyOverflow`].
pub fn total_energy(orders: &[Order]) -> Result<Energy, Fault> {
    let mut energies = orders.iter().map(|order| order.energy);
    energies.try_fold(Energy::ZERO, Energy::checked_add).ok_or(Fault::EnergyOverflow)
}

/// Positions of one side's orders, best price first, then by seq.
pub fn merit_order(orders: &[Order], side: Side) -> Vec<u32> {
    let rank = |price: u32| if side == Side::Buy { !price } else { price };
    let keys: Vec<u64> = (0u32..)
        .zip(orders)
        .filter(|(_, order)| order.side == side)
        .map(|(position, order)| u64::from(rank(order.price.ticks())) << 32 | u64::from(position))
        .collect();
    #[allow(clippy::cast_possible_truncation, reason = "the position is the key's lower half")]
    sorted_by_upper_half(keys).into_iter().map(|key| key as u32).collect()
}

const DIGITS: usize = 4;

/// Sorts `keys` by their upper halves and leaves the order of equal ones: digit by digit, with a pass for each digit in
/// which keys differ. A comparison sort guesses wrong at every second comparison; here there is nothing to guess.
pub(crate) fn sorted_by_upper_half(keys: Vec<u64>) -> Vec<u64> {
    let digit = |key: u64, place: usize| (key >> (32 + 8 * place) & 0xff) as usize;
    let mut starts = [[0u32; 256]; DIGITS];
    for &key in &keys {
        for (place, counts) in starts.iter_mut().enumerate() {
            counts[digit(key, place)] += 1;
        }
    }
    let (mut from, mut to) = (keys, Vec::new());
    for (place, starts) in starts.iter_mut().enumerate() {
        let Some(&first) = from.first() else { break };
        if starts[digit(first, place)] as usize == from.len() {
            continue;
        }
        let mut before = 0;
        for start in starts.iter_mut() {
            before += core::mem::replace(start, before);
        }
        to.resize(from.len(), 0);
        for &key in &from {
            let start = &mut starts[digit(key, place)];
            to[*start as usize] = key;
            *start += 1;
        }
        core::mem::swap(&mut from, &mut to);
    }
    from
}

/// What a run of a rule leaves of a book, by position.
pub struct Cleared {
    /// Energy that each order traded.
    pub fills: Vec<Energy>,
    /// Energy that each order would still have traded; none of an order that was dropped.
    pub left: Vec<Energy>,
}

/// Runs `clear` until no order is filled above zero yet below its minimum.
///
/// `clear` gets the energy each order still has to fill (all of it, or nothing for an order that was dropped) and takes
/// away what it fills. After each run the largest seq among the violators is dropped, so the loop ends after at most
/// [`FLAGGED_MAX`] + 1 runs.
pub fn with_min_energy(orders: &[Order], mut clear: impl FnMut(&mut [Energy])) -> Cleared {
    let mut flagged: Vec<Flagged> = (0..)
        .zip(orders)
        .filter(|(_, order)| !order.min_energy.is_zero())
        .map(|(position, _)| Flagged { position, dropped: false })
        .collect();
    let mut left: Vec<Energy> = orders.iter().map(|order| order.energy).collect();
    loop {
        clear(&mut left);
        let violated = |order: &&mut Flagged| {
            let Order { energy, min_energy, .. } = orders[order.position];
            let filled = energy.saturating_sub(left[order.position]);
            !order.dropped && !filled.is_zero() && filled < min_energy
        };
        let Some(violator) = flagged.iter_mut().rev().find(violated) else { break };
        violator.dropped = true;
        for (left, order) in left.iter_mut().zip(orders) {
            *left = order.energy;
        }
        for order in flagged.iter().filter(|order| order.dropped) {
            left[order.position] = Energy::ZERO;
        }
    }
    let fill = |(order, left): (&Order, &Energy)| order.energy.saturating_sub(*left);
    let mut fills: Vec<Energy> = orders.iter().zip(&left).map(fill).collect();
    for order in flagged.iter().filter(|order| order.dropped) {
        fills[order.position] = Energy::ZERO;
    }
    Cleared { fills, left }
}

/// An order with a minimum fill; ascending by seq.
struct Flagged {
    position: usize,
    dropped: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use contract_interface::{INTERFACE, Pricing, flags};
    use runtime_primitives::{EntityId, MarketId, MeterId, Price, Slot};

    const RULE: Descriptor = Descriptor {
        interface: INTERFACE,
        name: [0; 16],
        version: 1,
        pricing: Pricing::Single,
        flags_supported: flags::AUTO_CONFIRM,
        min_energy: true,
        continuous: false,
        no_residual_cross: false,
        max_orders: 70,
    };

    const PARAMS: ClearParams = ClearParams {
        interface: INTERFACE,
        market: MarketId::ZERO,
        slot: Slot::ZERO,
        batch: 0,
        slot_minutes: 15,
        tick_size: Price::from_ticks(1),
        price_min: Price::ZERO,
        price_max: Price::MAX,
    };

    fn order(seq: u32, side: Side, price: u32) -> Order {
        Order {
            seq: Seq::from_number(seq),
            entity: EntityId::from_number(seq),
            meter: MeterId::ZERO,
            side,
            energy: Energy::from_wh(100),
            min_energy: Energy::ZERO,
            price: Price::from_ticks(price),
            flags: 0,
            partner: EntityId::ZERO,
        }
    }

    fn refuses(params: ClearParams, rule: Descriptor, orders: Vec<Order>, fault: Fault) {
        assert_eq!(check(&params, Book::Auction(orders), &rule), Err(fault));
    }

    #[test]
    fn books_the_rule_cannot_clear_are_refused() {
        let good = order(1, Side::Buy, 5);
        let minimum = Order { min_energy: Energy::from_wh(1), ..good };
        assert_eq!(check(&PARAMS, Book::Auction(vec![good]), &RULE), Ok(vec![good]));
        refuses(ClearParams { interface: 9, ..PARAMS }, RULE, vec![], Fault::Interface(9));
        refuses(PARAMS, RULE, (0..71).map(|s| order(s, Side::Buy, 1)).collect(), Fault::TooManyOrders(71));
        refuses(PARAMS, RULE, vec![Order { flags: flags::GREEN, ..good }], Fault::Unsupported(good.seq));
        refuses(
            PARAMS,
            Descriptor { min_energy: false, ..RULE },
            vec![minimum],
            Fault::Unsupported(good.seq),
        );
        refuses(PARAMS, RULE, vec![good, good], Fault::NotAscending);
        refuses(PARAMS, RULE, vec![Order { energy: Energy::ZERO, ..good }], Fault::ZeroEnergy);
        let above = Order { min_energy: Energy::from_wh(101), ..good };
        refuses(PARAMS, RULE, vec![above], Fault::MinEnergyAboveEnergy);
        let flagged =
            |count| (0..count).map(|s| Order { seq: Seq::from_number(s), ..minimum }).collect::<Vec<_>>();
        refuses(PARAMS, RULE, flagged(65), Fault::TooManyFlagged);
        assert_eq!(check(&PARAMS, Book::Auction(flagged(64)), &RULE), Ok(flagged(64)));
        let continuous = Book::Continuous { resting: vec![], ops: vec![] };
        assert_eq!(check(&PARAMS, continuous, &RULE), Err(Fault::Continuous));
    }

    #[test]
    fn merit_is_price_then_seq() {
        let book = [
            order(3, Side::Sell, 7),
            order(4, Side::Buy, 7),
            order(5, Side::Sell, 6),
            order(6, Side::Buy, 8),
            order(7, Side::Sell, 6),
            order(8, Side::Buy, 8),
        ];
        assert_eq!(merit_order(&book, Side::Sell), [2, 4, 0]);
        assert_eq!(merit_order(&book, Side::Buy), [3, 5, 1]);
    }

    #[test]
    fn sorting_by_digits_is_stable_sorting() {
        let mut random = 1u64;
        for (count, mask) in [
            (0, 0),
            (1, 1),
            (2, 0),
            (300, 0xff),
            (300, 0xff00),
            (1_000, 0xffff),
            (1_000, 0xf000_000f),
            (5_000, u64::MAX),
        ] {
            let keys: Vec<u64> = (0..count)
                .map(|position| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (random >> 32 & mask) << 32 | (count - position)
                })
                .collect();
            let mut expected = keys.clone();
            expected.sort_by_key(|key| key >> 32);
            assert_eq!(sorted_by_upper_half(keys), expected, "{count} {mask:x}");
        }
    }

    #[test]
    fn violators_are_dropped_from_the_largest_seq() {
        let with = |seq, least| Order { min_energy: Energy::from_wh(least), ..order(seq, Side::Buy, 5) };
        let book = [with(10, 60), with(20, 60), with(30, 60), order(40, Side::Buy, 5)];
        let mut runs = vec![];
        // 130 Wh are shared evenly among those not dropped: 43 each, then 65 each.
        let cleared = with_min_energy(&book, |left| {
            runs.push(left.iter().map(|left| left.wh()).collect::<Vec<_>>());
            let takers = left[..3].iter().filter(|left| !left.is_zero()).count();
            let share = Energy::from_wh(130 / u64::try_from(takers).unwrap_or(1));
            for left in left[..3].iter_mut().filter(|left| !left.is_zero()) {
                *left = left.saturating_sub(share);
            }
        });
        assert_eq!(runs, [[100, 100, 100, 100], [100, 100, 0, 100]]);
        assert_eq!(cleared.fills, [65, 65, 0, 0].map(Energy::from_wh));
        assert_eq!(cleared.left, [35, 35, 0, 100].map(Energy::from_wh));
    }
}

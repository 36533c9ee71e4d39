//! Random slots, several in a row, with everything mixed: the accountant must agree with each block.
//!
//! `BUSBAR_SEED` sets the seed; a failure prints it.

use super::audited;
use busbar_tests::days::{Day, Moved, Wish};
use busbar_tests::machine::on_vm_thread;
use busbar_tests::world::{FIRST, Plan, World};
use contract_interface::{Fee, FeederFee, Side, flags, kinds};
use runtime_primitives::{FeederId, Money, Price};

#[path = "../../../contracts/testing/books.rs"]
#[allow(dead_code, reason = "only the generator is used")]
mod books;
use books::Random;

const HOMES: u32 = 7;
const SLOTS: u32 = 4;

fn day(random: &mut Random) -> Day {
    let sides: Vec<Side> = (0..HOMES).map(|_| random.either(Side::Buy, Side::Sell)).collect();
    let mut wishes = Vec::new();
    for _ in 0..random.below(12) {
        let home = random.below(HOMES) as usize;
        if wishes.iter().filter(|wish: &&Wish| wish.home == home).count() >= 3 {
            continue;
        }
        let wh = u64::from(1 + random.below(3_600));
        let least = if random.once_in(5) { wh / 2 } else { 0 };
        let ticks = 3_200 + 10 * random.below(560);
        let flags = random.either(0, flags::AUTO_CONFIRM);
        wishes.push(Wish { home, side: sides[home], wh, ticks, flags, least });
    }
    let moved = sides.iter().map(|side| {
        let (main, other) = (u64::from(random.below(5_000)), u64::from(random.below(300)));
        let posted = !random.once_in(6);
        match side {
            Side::Buy => Moved { import: main, export: other, posted },
            Side::Sell => Moved { import: other, export: main, posted },
        }
    });
    let moved = moved.collect();
    Day { wishes, moved }
}

fn play(random: &mut Random, funds: Money) -> World {
    let mut plan = Plan { homes: HOMES, funds, ..Plan::default() };
    // Every other household is on another feeder; both sides pay, and not the same everywhere.
    plan.feeders = (0..HOMES).map(|home| home % 2).collect();
    let mut fee = || [0, 0].map(|_| Price::from_ticks(10 * random.below(21)));
    let mut pair = |seller, buyer| {
        let [seller, buyer] = [seller, buyer].map(FeederId::from_number);
        let [of_buyer, of_seller] = fee();
        FeederFee { seller, buyer, fee: Fee { buyer: of_buyer, seller: of_seller } }
    };
    plan.fees = vec![pair(0, 1), pair(1, 1)];
    plan.limits.price_min = Price::from_ticks(3_200);
    if random.once_in(2) {
        plan.rules.swap(1, 3);
    }
    let days: Vec<Day> = (0..SLOTS).map(|_| day(random)).collect();
    let mut world = World::new(&plan);
    let total: u64 = days.iter().flat_map(|day| &day.wishes).map(|wish| wish.wh).sum();
    assert!(total > 0);
    world.play(FIRST, &days);
    world
}

#[test]
fn the_accountant_agrees_with_random_slots() {
    let seed = std::env::var("BUSBAR_SEED").map_or(1, |seed| seed.parse().expect("BUSBAR_SEED is a number"));
    println!("BUSBAR_SEED={seed}");
    on_vm_thread(|| {
        let mut random = Random(seed);
        let mut seen = [0; 32];
        for round in 0..8 {
            // Every other world has little money: some run out of it before the retailer is paid.
            let funds = [60_000_000, 1_000_000_000][round % 2];
            let world = play(&mut random, Money::from_units(funds));
            let book = audited(&world);
            book.lines.iter().for_each(|line| seen[line.kind as usize] += 1);
            let owed: usize = book.owed.values().map(Vec::len).sum();
            seen[31] += owed;
        }
        for kind in [kinds::ENERGY, kinds::FEE, kinds::FEED_IN, kinds::RETAIL, kinds::DEVIATION] {
            assert!(seen[kind as usize] > 10, "kind {kind} is tried: {seen:?}");
        }
        assert!(seen[31] > 0, "somebody runs out of money: {seen:?}");
    });
}

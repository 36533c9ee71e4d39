//! Several slots in a row, overlapping as they do in life: while one is delivered the next is cleared and another opens.

use crate::world::World;
use contract_interface::{OrderRequest, ReadingStatus, Side};
use runtime_execution::modules::markets::{self, Error, SlotState};
use runtime_execution::modules::registry;
use runtime_execution::{DispatchError, Outcome};
use runtime_primitives::{Slot, Timestamp};

/// An order of a day: household, side, Wh, ticks, flags, least Wh.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// The household.
    pub home: usize,
    /// What it wants.
    pub side: Side,
    /// How much, in Wh.
    pub wh: u64,
    /// At which limit.
    pub ticks: u32,
    /// Flags of the order.
    pub flags: u8,
    /// Least fill, in Wh.
    pub least: u64,
}

/// What a meter moved in a slot.
#[derive(Clone, Copy, Debug)]
pub struct Moved {
    /// Wh taken.
    pub import: u64,
    /// Wh given.
    pub export: u64,
    /// Whether the meter posts its reading.
    pub posted: bool,
}

/// One slot: what is wished, and what happens.
#[derive(Clone, Debug)]
pub struct Day {
    /// Orders.
    pub wishes: Vec<Wish>,
    /// What each household's meter moves.
    pub moved: Vec<Moved>,
}

#[derive(Clone, Copy)]
enum Step {
    Order,
    Agree,
    Measure,
    Certify,
}

impl World {
    /// Play consecutive slots from `first` to their settlement; everybody agrees to everything.
    ///
    /// # Panics
    /// If a step fails.
    pub fn play(&mut self, first: Slot, days: &[Day]) {
        let last = self.play_to_lists(first, days);
        self.settle(last);
    }

    /// Play consecutive slots from `first` until all have chosen a list; gives the last.
    ///
    /// # Panics
    /// If a step fails.
    pub fn play_to_lists(&mut self, first: Slot, days: &[Day]) -> Slot {
        let windows = self.terms.windows;
        let mut steps: Vec<(Timestamp, Slot, Step, &Day)> = Vec::new();
        for (number, day) in (first.number()..).zip(days) {
            let slot = Slot::from_number(number);
            steps.push((self.before_start(slot, windows.open_before_s), slot, Step::Order, day));
            steps.push((self.before_start(slot, windows.gate_before_s), slot, Step::Agree, day));
            steps.push((self.after_end(slot, 0), slot, Step::Measure, day));
            steps.push((self.after_end(slot, windows.readings_s), slot, Step::Certify, day));
        }
        steps.sort_by_key(|(time, slot, ..)| (*time, *slot));
        let mut last = first;
        for (time, slot, step, day) in steps {
            if self.chain.now < time {
                self.chain.pass_to(time);
            }
            self.step(slot, step, day);
            last = last.max(slot);
        }
        last
    }

    /// Place an order, unless the household cannot afford it.
    fn wish(&mut self, home: usize, request: OrderRequest) {
        let delegate = self.homes[home].delegate.clone();
        let extrinsic = self.chain.submit(&delegate, markets::Call::Place { request });
        self.chain.block();
        match self.chain.outcome(&extrinsic) {
            Outcome::Applied { .. } => {}
            Outcome::Failed { error: DispatchError::Markets(Error::InsufficientFunds { .. }), .. }
            | Outcome::Failed { error: DispatchError::Registry(registry::Error::Suspended(_)), .. } => {}
            outcome => panic!("an order of {home}: {outcome:?}"),
        }
    }

    fn step(&mut self, slot: Slot, step: Step, day: &Day) {
        match step {
            Step::Order => {
                for wish in &day.wishes {
                    let request = self.request(wish.home, slot, wish.side, wish.wh, wish.ticks);
                    let min_energy = runtime_primitives::Energy::from_wh(wish.least);
                    self.wish(wish.home, OrderRequest { flags: wish.flags, min_energy, ..request });
                }
            }
            Step::Agree => {
                if self.state(slot) == SlotState::Proposed {
                    self.confirm_all(slot);
                }
                self.attest(slot);
            }
            Step::Measure => {
                for (home, moved) in day.moved.iter().enumerate() {
                    let registers = &mut self.homes[home].registers;
                    *registers = (registers.0 + moved.import, registers.1 + moved.export);
                    if moved.posted {
                        let reading = self.reading(home, slot, 0, ReadingStatus::Measured);
                        let call = self.sign_reading(home, reading);
                        self.chain.submit_bare(call);
                    }
                }
                self.chain.block_of_successes();
            }
            Step::Certify => self.certify(slot),
        }
    }
}

//! `busbar market wait`: until a slot is in a state, for scripts.

use crate::cli::remote::{Answer, NodeArgs};
use anyhow::bail;
use clap::{Args, ValueEnum};
use runtime_execution::modules::markets::{self, SLOTS, SlotState};
use runtime_primitives::{MarketId, Slot};
use runtime_state::Overlay;
use serde_json::json;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Time between two looks at the chain.
const POLL: Duration = Duration::from_millis(100);

/// Wait until a slot has come to a state, and print its number.
#[derive(Debug, Args)]
pub struct WaitArgs {
    /// The market.
    #[arg(long, value_name = "N", default_value_t = 0)]
    market: u32,
    /// The slot [default: the next one to open].
    #[arg(long, value_name = "N")]
    slot: Option<u32>,
    /// The state, or a later one.
    #[arg(long, value_enum, default_value_t = Moment::Open)]
    state: Moment,
    /// Longest wait, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    timeout: u64,
    #[command(flatten)]
    node: NodeArgs,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Moment {
    /// Orders are taken.
    Open,
    /// Trades are proposed.
    Proposed,
    /// Trades are certified.
    Certified,
    /// Energy flows.
    Delivering,
    /// Readings are awaited.
    Metering,
    /// Execution lists are voted on.
    Voting,
    /// It is paid.
    Settled,
}

impl Moment {
    const fn state(self) -> SlotState {
        match self {
            Self::Open => SlotState::Open,
            Self::Proposed => SlotState::Proposed,
            Self::Certified => SlotState::Certified,
            Self::Delivering => SlotState::Delivering,
            Self::Metering => SlotState::Metering,
            Self::Voting => SlotState::Voting,
            Self::Settled => SlotState::Settled,
        }
    }
}

impl WaitArgs {
    /// Wait.
    ///
    /// # Errors
    /// If the node does not answer, there is no such market, the slot's trades become void, or time is up.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let session = self.node.session()?;
        let market = MarketId::from_number(self.market);
        let found = session.read(|state| markets::market(state, market))??;
        if !found.is_agreed() {
            bail!(
                "market {market} does not run: entities {:?} have not agreed to its terms",
                found.missing()
            );
        }
        let slot = self.slot.map_or(found.next_slot, Slot::from_number);
        let began = Instant::now();
        while !session.read(|state| self.is_reached(state, market, slot))?? {
            if began.elapsed() > Duration::from_secs(self.timeout) {
                bail!(
                    "slot {slot} is not {:?} after {} s; busbar market status --slot {slot} shows why",
                    self.state,
                    self.timeout
                );
            }
            sleep(POLL);
        }
        let answer = Answer::new(slot.to_string(), json!({ "market": self.market, "slot": slot.number() }));
        self.node.print(&answer);
        Ok(ExitCode::SUCCESS)
    }

    fn is_reached(&self, state: &Overlay, market: MarketId, slot: Slot) -> anyhow::Result<bool> {
        let Some(record) = SLOTS.get(state, &(market, slot)) else { return Ok(false) };
        if let Some(reason) = record.void {
            bail!("slot {slot} is void: {reason:?}; busbar market status --slot {slot} shows more");
        }
        // Slots pass through their states in the order of the numbers, but for disputes.
        Ok(record.state as u8 >= self.state.state() as u8)
    }
}

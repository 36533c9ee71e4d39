//! `busbar market wait`: until a slot is in a state, for scripts.

use super::scheduled;
use crate::cli::remote::{Answer, NodeArgs};
use anyhow::bail;
use clap::{Args, ValueEnum};
use runtime_execution::modules::markets::{self, At, Live, SlotRecord, SlotState};
use runtime_primitives::{MarketId, Slot};
use runtime_state::Overlay;
use serde_json::json;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};
use thiserror::Error;

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
    /// The state.
    #[arg(long, value_enum, default_value_t = Moment::Open)]
    state: Moment,
    /// Longest wait, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    timeout: u64,
    #[command(flatten)]
    node: NodeArgs,
}

/// A state that will not come any more.
#[derive(Clone, Copy, Debug, Error)]
#[error("slot {slot} is {now:?}: it is beyond {wanted:?}; wait for a later state, or for another slot")]
pub struct Passed {
    slot: Slot,
    wanted: SlotState,
    now: SlotState,
}

impl Passed {
    /// What the program exits with.
    pub const EXIT_CODE: u8 = 4;
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
    /// If the node does not answer, there is no such market, the slot is beyond the state or its trades are void, or time
    /// is up.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let session = self.node.session()?;
        let market = MarketId::from_number(self.market);
        let found = session.read(|state| markets::market(state, market))??;
        if !found.is_agreed() {
            bail!(scheduled::not_running(market, &found));
        }
        let slot = self.slot.map_or(found.next_slot, Slot::from_number);
        let began = Instant::now();
        let mut is_first = true;
        loop {
            let (wanted, now) = (self.state.state(), session.read(|state| stands(state, (market, slot)))??);
            match now {
                Some(now) if now == wanted => break,
                // A state may last for less than a look at the chain: who waited for it has not missed it.
                Some(now) if now as u8 > wanted as u8 && !is_first => break,
                Some(now) if now as u8 > wanted as u8 => return Err(Passed { slot, wanted, now }.into()),
                _ => {}
            }
            is_first = false;
            if began.elapsed() > Duration::from_secs(self.timeout) {
                let now = now.map_or_else(|| "not open yet".to_owned(), |now| format!("{now:?}"));
                bail!(
                    "slot {slot} is {now}, not {wanted:?}, after {} s; busbar market status --market {market} shows why",
                    self.timeout
                );
            }
            sleep(POLL);
        }
        let answer = Answer::new(slot.to_string(), json!({ "market": self.market, "slot": slot.number() }));
        self.node.print(&answer);
        Ok(ExitCode::SUCCESS)
    }
}

/// Where a slot stands; `None` before it opens.
fn stands(state: &Overlay, at: At) -> anyhow::Result<Option<SlotState>> {
    let (market, slot) = at;
    match markets::live(state, at) {
        Ok(Live { slot: SlotRecord { void: Some(reason), .. }, .. }) => bail!(
            "slot {slot} is void: {reason:?}; busbar market status --market {market} --slot {slot} shows more"
        ),
        Ok(live) => Ok(Some(live.slot.state)),
        Err(markets::Error::UnknownSlot { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

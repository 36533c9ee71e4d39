//! `busbar market operate`: what an operator does for its market while it runs: posts execution lists, votes on them.

use crate::agent::{Desk, Operator};
use crate::cli::refusals::told;
use crate::cli::remote::SignArgs;
use crate::client::{Party, Session};
use crate::wallet::Wallet;
use clap::Args;
use runtime_execution::modules::markets::{self, At, SLOTS, SlotState};
use runtime_primitives::{EntityId, Hash, MarketId, Slot};
use runtime_state::Overlay;
use serde_json::json;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

/// Post execution lists and vote on them, until interrupted. Signed by the market's operator, or by the grid operator,
/// which only votes.
#[derive(Debug, Args)]
pub struct OperateArgs {
    /// The market.
    #[arg(long, value_name = "N", default_value_t = 0)]
    market: u32,
    /// Time between two looks at the chain, in ms.
    #[arg(long, default_value_t = 500)]
    poll_ms: u64,
    /// Look once, act, and end.
    #[arg(long)]
    once: bool,
    /// Act for this slot until it is settled, and end.
    #[arg(long, value_name = "N", conflicts_with = "once")]
    until_settled: Option<u32>,
    #[command(flatten)]
    sign: SignArgs,
}

impl OperateArgs {
    /// Operate.
    ///
    /// # Errors
    /// If the node does not answer at the start, or with `--once`.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let session = self.sign.session()?;
        let signer = self.sign.signer()?;
        let key = signer.account();
        let (entity, _) = session.read(|state| Party::Key(key).find(state))??;
        let mut desk = Platform {
            operator: Operator::new(entity, Wallet::new(signer, *session.genesis())),
            entity,
            market: MarketId::from_number(self.market),
            looked_at: None,
        };
        loop {
            match desk.round(&session) {
                Ok(deeds) => deeds.iter().for_each(|deed| self.show(deed)),
                Err(error) if self.once => return Err(error),
                Err(error) => eprintln!("{}", told(&error)),
            }
            if self.once || self.is_over(&session)? {
                return Ok(ExitCode::SUCCESS);
            }
            sleep(Duration::from_millis(self.poll_ms));
        }
    }

    fn is_over(&self, session: &Session) -> anyhow::Result<bool> {
        let Some(slot) = self.until_settled else { return Ok(false) };
        let at = (MarketId::from_number(self.market), Slot::from_number(slot));
        match session.read(|state| markets::live(state, at))? {
            Ok(live) => Ok(live.slot.state == SlotState::Settled),
            Err(markets::Error::UnknownSlot { .. }) => Ok(false),
            Err(never) => Err(never.into()),
        }
    }

    fn show(&self, (slot, what, outcome): &Deed) {
        if self.sign.node().is_json() {
            let (hash, refused) = (outcome.as_ref().ok(), outcome.as_ref().err());
            println!(
                "{}",
                json!({
                    "slot": slot.number(),
                    "deed": what,
                    "extrinsic": hash.map(ToString::to_string),
                    "refused": refused,
                })
            );
        } else {
            match outcome {
                Ok(hash) => println!("slot {slot}: {what} ({hash})"),
                Err(rule) => println!("slot {slot}: {what}: REFUSED: {rule}"),
            }
        }
    }
}

/// What was done in which slot, and what the node said to it.
type Deed = (Slot, &'static str, Result<Hash, String>);

struct Platform {
    operator: Operator,
    entity: EntityId,
    market: MarketId,
    looked_at: Option<Hash>,
}

impl Platform {
    /// Look at the best block once and do what it calls for.
    fn round(&mut self, session: &Session) -> anyhow::Result<Vec<Deed>> {
        let best = session.node().best()?;
        if self.looked_at == Some(best) {
            return Ok(Vec::new());
        }
        let acts = session.read(|state| self.acts(state))?;
        let mut deeds = Vec::new();
        for (slot, what, extrinsic) in acts {
            let outcome = session.node().submit(&extrinsic).map_err(|refusal| refusal.to_string());
            deeds.push((slot, what, outcome));
        }
        self.looked_at = Some(best);
        Ok(deeds)
    }

    /// One signed extrinsic a round: the next one's nonce follows from a later block. Votes carry none.
    fn acts(&mut self, state: &Overlay) -> Vec<(Slot, &'static str, Vec<u8>)> {
        let (mut acts, mut signed) = (Vec::new(), false);
        for at in voting(state, self.market) {
            let Some(desk) = Desk::open(state, at) else { continue };
            let own = desk.operator() == self.entity;
            if own
                && !signed
                && let Some(list) = self.operator.post_list(&desk)
            {
                signed = true;
                acts.push((at.1, "list posted", list));
            }
            let is_posted = desk.lists().iter().any(|list| list.hash == desk.latest_list().hash());
            if is_posted {
                acts.extend(self.operator.vote(&desk).into_iter().map(|vote| (at.1, "vote", vote)));
            }
        }
        acts
    }
}

/// Slots of the market whose execution list is voted on.
fn voting(state: &Overlay, market: MarketId) -> Vec<At> {
    use runtime_execution::modules::attestation::BALLOTS;
    let ballots = BALLOTS.entries(state).into_keys().map(|key| (key.0, key.1));
    let slots = ballots.filter(|(of, _)| *of == market);
    let mut slots: Vec<At> =
        slots.filter(|at| SLOTS.get(state, at).is_some_and(|slot| slot.state == SlotState::Voting)).collect();
    slots.dedup();
    slots
}

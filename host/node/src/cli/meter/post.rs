//! `busbar meter read | substitute | correct`: what somebody vouches for by a signature of its own, for a slot of a meter.
//!
//! The revision is the next one on the node's state, so that nobody counts them by hand.

use crate::cli::remote::{Answer, SignArgs};
use crate::client::Session;
use crate::files;
use crate::quantity::{self, energy_text};
use anyhow::Context as _;
use clap::Args;
use contract_interface::{Reading, ReadingStatus, correction_message, reading_message};
use runtime_execution::Call;
use runtime_execution::modules::markets::meters::{all_posted, load_registers, meters_of};
use runtime_execution::modules::markets::{self, METERS_OF};
use runtime_execution::modules::registry::METERS;
use runtime_execution::modules::timestamp;
use runtime_primitives::{Energy, MarketId, MeterId, Slot, SlotCount};
use runtime_state::Overlay;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// What a meter shows at the end of a slot.
#[derive(Debug, Args)]
pub(super) struct PostArgs {
    /// The meter's number.
    meter: u32,
    /// The slot at whose end it was read. The slot before the meter's first sets what it starts from.
    #[arg(long, value_name = "N")]
    slot: u32,
    /// The import register then, such as 1250kWh: what it has counted since it was made, not in the slot.
    #[arg(long, value_name = "ENERGY", value_parser = quantity::energy, allow_hyphen_values = true)]
    import: Energy,
    /// The export register then.
    #[arg(long, value_name = "ENERGY", value_parser = quantity::energy, allow_hyphen_values = true)]
    export: Energy,
    #[command(flatten)]
    sign: SignArgs,
}

/// A correction, with what explains it.
#[derive(Debug, Args)]
pub(super) struct CorrectArgs {
    #[command(flatten)]
    post: PostArgs,
    /// The document that explains it: its hash is recorded, it stays with you.
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,
}

/// The revision after the last one that is posted. Before a meter's first slot there is the meter's own, 0, and the meter
/// operator's after it.
fn revision(state: &Overlay, market: MarketId, meter: MeterId, slot: Slot, status: ReadingStatus) -> u16 {
    if let Ok(live) = markets::live(state, (market, slot))
        && let Ok(place) = meters_of(state, &live).binary_search(&meter)
    {
        let posted = all_posted(state, &live).into_iter().nth(place).unwrap_or_default();
        return posted.last().map_or(0, |last| last.revision.saturating_add(1));
    }
    if status != ReadingStatus::Substituted {
        return 0;
    }
    let place = METERS_OF.get_or_default(state, &market).binary_search(&meter).ok();
    let own = place.and_then(|place| load_registers(state, market).into_iter().nth(place));
    let is_base = |first: Slot| slot.checked_add(SlotCount::from_count(1)) == Some(first);
    own.filter(|own| is_base(own.first)).map_or(0, |own| own.base.saturating_add(1))
}

impl PostArgs {
    fn reading(&self, session: &Session, status: ReadingStatus) -> anyhow::Result<Reading> {
        let (meter, slot) = (MeterId::from_number(self.meter), Slot::from_number(self.slot));
        let found = session.read(|state| {
            let market = METERS.get(state, &meter)?.market;
            Some((market, revision(state, market, meter, slot, status), timestamp::NOW.get(state)))
        })?;
        let (market, revision, now) =
            found.with_context(|| format!("there is no meter {meter}; busbar meter list shows them"))?;
        Ok(Reading {
            market,
            meter,
            slot,
            revision,
            import_wh: self.import,
            export_wh: self.export,
            voltage_dv: None,
            frequency_mhz: None,
            measured_at: now.unwrap_or_default(),
            status,
        })
    }

    fn send(
        &self,
        session: &Session,
        reading: &Reading,
        call: markets::Call,
        what: &str,
    ) -> anyhow::Result<ExitCode> {
        let (meter, slot, revision) = (reading.meter, reading.slot, reading.revision);
        self.sign.send_bare(session, &Call::Markets(call.clone()), |_| {
            let (import, export) = (energy_text(reading.import_wh), energy_text(reading.export_wh));
            let mut json = json!({
                "meter": meter.number(),
                "slot": slot.number(),
                "revision": revision,
                "import_wh": reading.import_wh.wh(),
                "export_wh": reading.export_wh.wh(),
                "reading": reading.hash().to_string(),
            });
            let mut text = format!(
                "meter {meter} {what} for slot {slot}: import {import}, export {export}, revision {revision}"
            );
            if let markets::Call::PostCorrection { evidence, .. } = &call {
                text += &format!(", evidence {evidence}");
                json["evidence"] = evidence.to_string().into();
            }
            Some(Answer::new(text, json))
        })
    }

    /// Post what the meter measured, signed by its own key.
    pub(super) fn read(&self) -> anyhow::Result<ExitCode> {
        let session = self.sign.session()?;
        let reading = self.reading(&session, ReadingStatus::Measured)?;
        let signature = self.sign.signer()?.sign(&reading_message(session.genesis(), &reading));
        self.send(&session, &reading, markets::Call::PostReading { reading, signature }, "read")
    }

    /// Post a substitute, signed by the meter operator's owner key.
    pub(super) fn substitute(&self) -> anyhow::Result<ExitCode> {
        let (session, signer) = (self.sign.session()?, self.sign.signer()?);
        let reading = self.reading(&session, ReadingStatus::Substituted)?;
        let signature = signer.sign(&reading_message(session.genesis(), &reading));
        let call = markets::Call::PostSubstitute { reading, key: signer.account(), signature };
        self.send(&session, &reading, call, "has a substitute")
    }
}

impl CorrectArgs {
    /// Post a correction with its evidence, signed by the meter's own key.
    pub(super) fn correct(&self) -> anyhow::Result<ExitCode> {
        let evidence = files::hash(&self.evidence)
            .with_context(|| format!("cannot read the evidence {}", self.evidence.display()))?;
        let session = self.post.sign.session()?;
        let reading = self.post.reading(&session, ReadingStatus::Corrected)?;
        let message = correction_message(session.genesis(), &reading, &evidence);
        let signature = self.post.sign.signer()?.sign(&message);
        let call = markets::Call::PostCorrection { reading, evidence, signature };
        self.post.send(&session, &reading, call, "is corrected")
    }
}

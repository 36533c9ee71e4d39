//! The third act: a malicious matching rule meets the referee, and a lying validator signs its own exposure.
//!
//! Both happen on one real chain that plays the paper's case with another matching rule and one validator that signs
//! what it did not compute. The case still settles: the fallback rule clears, two honest validators certify.

use super::cast::{Casting, MARKET, pair};
use super::paper::paper;
use super::play::{Play, PlayError};
use contract_interface::{
    Book, CLEAR, ClearParams, Clearing, Descriptor, INTERFACE, LangError, Pricing, RuleError, Stage, Trade,
    Vote, attest_message,
};
use parity_scale_codec::{DecodeAll, Encode};
use runtime_execution::archive::{ClearingRecord, clearing_key, stage_key, tables};
use runtime_execution::leaves;
use runtime_execution::modules::contracts;
use runtime_execution::modules::markets::{ClearFailure, RECORDS, live, rules};
use runtime_execution::referee;
use runtime_primitives::crypto::{Signature, Statement};
use runtime_primitives::limits::CLEAR_GAS_MAX;
use runtime_primitives::{Energy, EntityId, Gas, Hash, Price, Seq};
use runtime_state::Overlay;
use std::path::Path;

/// What became of the malice.
#[derive(Clone, Debug)]
pub struct Malice {
    /// What the referee said of the malicious clearing.
    pub refusal: Option<ClearFailure>,
    /// Trades that the fallback cleared and that were settled.
    pub settled: u64,
    /// The validator that signed a wrong result, with its signed result and the chain's.
    pub liar: Option<Lie>,
}

/// A signed lie.
#[derive(Clone, Copy, Debug)]
pub struct Lie {
    /// Who.
    pub validator: EntityId,
    /// What it signed.
    pub signed: Hash,
    /// What the chain and the other validators have.
    pub chain: Hash,
    /// Whether the signature is really the validator's.
    pub signature_valid: bool,
}

/// Which validator lies: the last.
const LIAR: u32 = 2;

/// Play the third act in `folder`.
///
/// # Errors
/// [`PlayError`].
pub fn expose(folder: &Path) -> Result<Malice, PlayError> {
    let mut script = paper().map_err(PlayError::Script)?;
    script.name = "malice".to_owned();
    let casting = Casting { matching: Some(greedy_rule()), liar: Some(LIAR), ..Casting::default() };
    let mut play = Play::open(script, casting, folder)?;
    play.run(|_| {})?;
    let outcome = super::outcome(&play, true)?;
    Ok(Malice { refusal: refusal(&play)?, settled: outcome.trades, liar: lie(&play)? })
}

/// Why the pinned rule's clearing did not count, as anyone finds out from the archive: if the fallback cleared, run the
/// pinned rule on the same book again and ask the referee.
fn refusal(play: &Play) -> Result<Option<ClearFailure>, PlayError> {
    let snapshot = play.chain().snapshot();
    let state = Overlay::new(&snapshot);
    let at = (MARKET, play.script().slots.0);
    let bytes = snapshot.archive_get(tables::CLEARING, &clearing_key(at, 0))?.unwrap_or_default();
    let record = ClearingRecord::decode_all(&mut &bytes[..]).ok().filter(|record| record.fallback);
    let (Some(record), Ok(live)) = (record, live(&state, at)) else { return Ok(None) };
    let code = live.terms.matching;
    let (limit, on_chain) = (Gas::from_units(CLEAR_GAS_MAX), || contracts::code(&state, &code));
    let run = rules::run::<Clearing>(play.chain().vm(), &code, on_chain, CLEAR, &record.input, limit);
    let book = <(ClearParams, Book)>::decode_all(&mut &record.input[..]);
    let (Ok((_, Book::Auction(orders))), Some(rule)) = (book, rules::DESCRIPTORS.get(&state, &code)) else {
        return Ok(None);
    };
    let checked = run.answer.map_err(ClearFailure::from);
    let refused = checked.and_then(|clearing| {
        referee::check_clearing(&rule, &orders, &clearing).map_err(ClearFailure::Refused)
    });
    Ok(refused.err())
}

/// The dissenting vote among the slot's attestations.
fn lie(play: &Play) -> Result<Option<Lie>, PlayError> {
    let snapshot = play.chain().snapshot();
    let state = Overlay::new(&snapshot);
    let at = (MARKET, play.script().slots.0);
    let record = RECORDS.get(&state, &(at.0, at.1, Stage::Matching));
    let chain = record.map_or(Hash::ZERO, |record| record.merkle_root);
    let rows = snapshot.archive_scan(tables::STAGE, &stage_key(at, Stage::Authentication), usize::MAX)?;
    let leaves = leaves::read(&rows).unwrap_or_default();
    let votes = leaves.iter().filter_map(|leaf| Vote::decode_all(&mut &leaf[..]).ok());
    Ok(votes.filter(|vote| vote.claim.result_hash != chain).map(|vote| judge(&vote, chain, play)).next())
}

fn judge(vote: &Vote, chain: Hash, play: &Play) -> Lie {
    let session = pair(&play.script().name, &format!("validator {}", LIAR + 1), "session").account();
    let statement = Statement {
        signer: session,
        message: attest_message(&play.chain().genesis(), &vote.claim),
        signature: Signature(vote.signature),
    };
    Lie {
        validator: vote.voter,
        signed: vote.claim.result_hash,
        chain,
        signature_valid: vote.key == session && statement.verify(),
    }
}

/// A matching rule that describes itself modestly, clears large books with nothing, and small ones (such as the
/// paper's) above the buyer's limit.
fn greedy_rule() -> Vec<u8> {
    type Answer<T> = Result<Result<T, RuleError>, LangError>;
    let descriptor = Descriptor {
        interface: INTERFACE,
        name: *b"greedy\0\0\0\0\0\0\0\0\0\0",
        version: 1,
        pricing: Pricing::Single,
        flags_supported: 0,
        min_energy: false,
        continuous: false,
        no_residual_cross: false,
        max_orders: 100_000,
    };
    let price = Price::from_ticks(7_800);
    let robbery = Trade {
        buy: Seq::from_number(1),
        sell: Seq::from_number(0),
        energy: Energy::from_wh(10_000),
        buy_price: price,
        sell_price: price,
    };
    let describe: Answer<Descriptor> = Ok(Ok(descriptor));
    let nothing: Answer<Clearing> = Ok(Ok(Clearing::default()));
    let greed: Answer<Clearing> = Ok(Ok(Clearing { trades: vec![robbery], ..Clearing::default() }));
    let [describe, nothing, greed] = [describe.encode(), nothing.encode(), greed.encode()];
    let text = include_str!("greedy.wat")
        .replace("$DESCRIBE_LENGTH", &describe.len().to_string())
        .replace("$NOTHING_LENGTH", &nothing.len().to_string())
        .replace("$GREED_LENGTH", &greed.len().to_string())
        .replace("$DESCRIBE", &escaped(&describe))
        .replace("$NOTHING", &escaped(&nothing))
        .replace("$GREED", &escaped(&greed));
    wat::parse_str(text).expect("the rule's text is a constant")
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

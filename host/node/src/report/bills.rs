//! Bills: one line a payment, as CSV and as JSON.
//!
//! ```text
//! entity,name,time,kind,counterparty,market,slot,trade,outcome,reason,party,meter,energy_wh,reading,
//! adjustment,evidence,amount_units,amount_yuan,record
//! ```
//! `outcome` is what became of the trade, `reason` and `party` say why it came to less than agreed and on whose side.
//! `reading` is the hash of the meter reading that counted, `adjustment` and `evidence` the payer's reason code and the hash of
//! its document where a settled slot was put right, `record` that of the ledger's record.
//! `amount_units` is exact in 10⁻⁷ yuan, positive for money received; `amount_yuan` says the same with a point.
//! JSON is an array with one object a line and the same names; what does not apply is empty, in JSON `null`.

use super::amount::Amount;
use super::instant::utc_date_time;
use super::outcomes::OutcomeWords;
use contract_interface::kinds;
use runtime_execution::modules::markets::TradeOutcome;
use runtime_execution::modules::markets::adjustments::Grounds;
use runtime_primitives::{Energy, EntityId, Hash, MarketId, MeterId, Slot, Timestamp};
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};

/// One line of an entity's bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillLine {
    /// Whose bill.
    pub entity: EntityId,
    /// The name by which the bill's reader knows the entity.
    pub name: String,
    /// Time of the block that booked it.
    pub time: Timestamp,
    /// One of [`kinds`].
    pub kind: u8,
    /// The other side.
    pub counterparty: String,
    /// Market, if it belongs to one.
    pub market: Option<MarketId>,
    /// Slot, if it belongs to one.
    pub slot: Option<Slot>,
    /// Trade paid for, if any.
    pub trade: Option<u32>,
    /// What became of the trade.
    pub outcome: Option<TradeOutcome>,
    /// Meter billed, if any.
    pub meter: Option<MeterId>,
    /// Energy paid for, if any.
    pub energy: Option<Energy>,
    /// Hash of the reading that the energy follows from, if any.
    pub reading: Option<Hash>,
    /// Why a settled slot was put right, if this did.
    pub grounds: Option<Grounds>,
    /// Money received (+) or paid (−).
    pub amount: Amount,
    /// Hash of the transfer record behind it.
    pub record: Hash,
}

#[derive(Serialize)]
struct Row<'a> {
    entity: u32,
    name: &'a str,
    time: String,
    kind: Cow<'static, str>,
    counterparty: &'a str,
    market: Option<u32>,
    slot: Option<u32>,
    trade: Option<u32>,
    outcome: Option<&'static str>,
    reason: Option<&'static str>,
    party: Option<&'static str>,
    meter: Option<u32>,
    energy_wh: Option<u64>,
    reading: Option<String>,
    adjustment: Option<u8>,
    evidence: Option<String>,
    amount_units: String,
    amount_yuan: Amount,
    record: String,
}

impl<'a> From<&'a BillLine> for Row<'a> {
    fn from(line: &'a BillLine) -> Self {
        let OutcomeWords { outcome, reason, party } = OutcomeWords::of(line.outcome);
        Self {
            entity: line.entity.number(),
            name: &line.name,
            time: utc_date_time(line.time),
            kind: kind_name(line.kind),
            counterparty: &line.counterparty,
            market: line.market.map(MarketId::number),
            slot: line.slot.map(Slot::number),
            trade: line.trade,
            outcome,
            reason,
            party,
            meter: line.meter.map(MeterId::number),
            energy_wh: line.energy.map(Energy::wh),
            reading: line.reading.map(|reading| reading.to_string()),
            adjustment: line.grounds.map(|grounds| grounds.reason),
            evidence: line.grounds.map(|grounds| grounds.evidence.to_string()),
            amount_units: line.amount.units().to_string(),
            amount_yuan: line.amount,
            record: line.record.to_string(),
        }
    }
}

/// What the lines add up to; `None` beyond 2¹²⁷ units.
pub fn bill_total(lines: &[BillLine]) -> Option<Amount> {
    lines.iter().try_fold(Amount::ZERO, |sum, line| sum.checked_add(line.amount))
}

/// Write `lines` as CSV with a header line.
///
/// # Errors
/// If `to` cannot be written.
pub fn write_bills_csv(lines: &[BillLine], to: impl Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(to);
    // Written by hand: an empty bill has a header too.
    writer.write_record(COLUMNS)?;
    for line in lines {
        writer.serialize(Row::from(line))?;
    }
    writer.flush()
}

/// Write `lines` as a JSON array, one object a line of text.
///
/// # Errors
/// If `to` cannot be written.
pub fn write_bills_json(lines: &[BillLine], mut to: impl Write) -> io::Result<()> {
    to.write_all(b"[")?;
    for (at, line) in lines.iter().enumerate() {
        to.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut to, &Row::from(line))?;
    }
    to.write_all(b"\n]\n")?;
    to.flush()
}

const COLUMNS: [&str; 19] = [
    "entity",
    "name",
    "time",
    "kind",
    "counterparty",
    "market",
    "slot",
    "trade",
    "outcome",
    "reason",
    "party",
    "meter",
    "energy_wh",
    "reading",
    "adjustment",
    "evidence",
    "amount_units",
    "amount_yuan",
    "record",
];

/// The word for a transfer's kind: on bills, in reports and in the life of a trade.
pub fn kind_name(kind: u8) -> Cow<'static, str> {
    Cow::Borrowed(match kind {
        kinds::ENERGY => "energy",
        kinds::FEE => "network fee",
        kinds::SURPLUS => "surplus",
        kinds::FEED_IN => "feed-in",
        kinds::RETAIL => "retail",
        kinds::DEVIATION => "deviation",
        kinds::POOL_REFUND => "pool refund",
        kinds::RECEIVABLE => "receivable",
        kinds::FUNDING => "funding",
        kinds::REFUSAL => "refusal",
        kinds::STEP_FEE => "step fee",
        kinds::BALANCE => "balance",
        kinds::WITHDRAWAL => "withdrawal",
        kinds::FORFEIT => "forfeited deposit",
        kinds::ADJUSTMENT => "adjustment",
        kinds::WEIGHT_FEE => "weight fee",
        unknown => return Cow::Owned(format!("kind {unknown}")),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::{Value, json};

    /// The paper's case from B's side: 6.7 yuan to A, 0.2 yuan to C; then a deposit that names no market.
    fn bill() -> Vec<BillLine> {
        let energy = BillLine {
            entity: EntityId::from_number(2),
            name: "B, the buyer".into(),
            time: Timestamp::from_ms(1_464_264_000_000),
            kind: kinds::ENERGY,
            counterparty: "A".into(),
            market: Some(MarketId::from_number(1)),
            slot: Some(Slot::from_number(500)),
            trade: Some(0),
            outcome: Some(TradeOutcome::Delivered),
            meter: Some(MeterId::from_number(7)),
            energy: Some(Energy::from_wh(10_000)),
            reading: Some(Hash([0xcd; 32])),
            grounds: None,
            amount: Amount::from_units(-67_000_000),
            record: Hash([0xab; 32]),
        };
        let fee = BillLine {
            kind: kinds::FEE,
            counterparty: "C".into(),
            amount: Amount::from_units(-2_000_000),
            ..energy.clone()
        };
        let deposit = BillLine {
            kind: kinds::FUNDING,
            counterparty: "bank".into(),
            market: None,
            slot: None,
            trade: None,
            outcome: None,
            meter: None,
            energy: None,
            reading: None,
            grounds: Some(Grounds { evidence: Hash([0xef; 32]), reason: 3 }),
            amount: Amount::from_units(i128::from(u64::MAX) * 4),
            ..energy.clone()
        };
        vec![energy, fee, deposit]
    }

    fn written(write: impl Fn(&[BillLine], &mut Vec<u8>) -> io::Result<()>, lines: &[BillLine]) -> String {
        let mut bytes = Vec::new();
        write(lines, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn csv_is_one_line_a_payment() {
        let text = written(|lines, to| write_bills_csv(lines, to), &bill());
        let [hash, reading, evidence] = ["ab", "cd", "ef"].map(|byte| byte.repeat(32));
        let expected = [
            COLUMNS.join(","),
            format!(
                "2,\"B, the buyer\",2016-05-26 12:00:00,energy,A,1,500,0,delivered,,,7,10000,0x{reading},,,-67000000,-6.7000000,0x{hash}"
            ),
            format!(
                "2,\"B, the buyer\",2016-05-26 12:00:00,network fee,C,1,500,0,delivered,,,7,10000,0x{reading},,,-2000000,-0.2000000,0x{hash}"
            ),
            format!(
                "2,\"B, the buyer\",2016-05-26 12:00:00,funding,bank,,,,,,,,,,3,0x{evidence},73786976294838206460,7378697629483.8206460,0x{hash}"
            ),
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        assert_eq!(written(|lines, to| write_bills_csv(lines, to), &[]), format!("{}\n", COLUMNS.join(",")));
    }

    #[test]
    fn json_has_the_same_columns_and_figures_as_csv() {
        let json: Vec<Value> =
            serde_json::from_str(&written(|lines, to| write_bills_json(lines, to), &bill())).unwrap();
        let csv = written(|lines, to| write_bills_csv(lines, to), &bill());
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        for (object, record) in json.iter().zip(reader.records().map(Result::unwrap)) {
            assert_eq!(object.as_object().unwrap().len(), COLUMNS.len());
            for (column, field) in COLUMNS.iter().zip(&record) {
                let text = match &object[column] {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    number => number.to_string(),
                };
                assert_eq!(text, field, "{column}");
            }
        }
        assert_eq!(
            (json.len(), &json[2]["slot"], &json[2]["amount_units"]),
            (3, &Value::Null, &json!("73786976294838206460"))
        );
        assert_eq!(written(|lines, to| write_bills_json(lines, to), &[]), "[\n]\n");
    }

    #[test]
    fn totals_are_exact_or_absent() {
        assert_eq!(bill_total(&bill()[..2]), Some(Amount::from_units(-69_000_000)));
        let mut huge = bill();
        huge[0].amount = Amount::from_units(i128::MAX);
        assert_eq!(bill_total(&[huge[0].clone(), huge[2].clone()]), None);
    }

    #[test]
    fn every_kind_has_its_own_word() {
        let known = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 24, 25, 28];
        let words: std::collections::BTreeSet<_> = known.into_iter().map(kind_name).collect();
        assert_eq!(words.len(), known.len());
        assert!(words.iter().all(|word| !word.starts_with("kind")));
        assert_eq!(kind_name(99), "kind 99");
    }
}

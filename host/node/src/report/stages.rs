//! A trade's life as the paper's Table 2 shows it: one row a stage, header beside body.
//!
//! The table shortens hashes; the JSON never does.

use super::instant::{utc_clock, utc_date_time};
use super::table;
use contract_interface::{Stage, StageRecord};
use runtime_primitives::{Hash, Timestamp};
use serde::{Serialize, Serializer};

/// One stage of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageRow {
    /// The stage's header: the record on chain.
    pub record: StageRecord,
    /// When the stage began.
    pub from: Timestamp,
    /// When it ended.
    pub until: Timestamp,
    /// Whether its Merkle root follows from the archived leaves.
    pub root_holds: bool,
    /// What its body says, in a few words; may have several lines.
    pub body: String,
    /// Valid signatures that it carries.
    pub signatures: u32,
}

impl StageRow {
    /// The rows as a table.
    pub fn table(rows: &[Self]) -> String {
        let mut table = table();
        table.set_header(["Stage", "Interval (UTC)", "Header", "Body", "Signatures"]);
        for row in rows {
            table.add_row([
                format!("{} {}", number(row.record.stage), name(row.record.stage)),
                format!("{} –\n{}", utc_date_time(row.from), utc_date_time(row.until)),
                row.header(),
                row.body.clone(),
                row.signatures.to_string(),
            ]);
        }
        table.to_string()
    }

    fn header(&self) -> String {
        let StageRecord { version, timestamp, nonce, bits, prev_hash, merkle_root, .. } = &self.record;
        format!(
            "version {version}, {time}, nonce {nonce}, bits {bits}\nprev {prev}  root {root} {verdict}",
            time = utc_clock(*timestamp),
            prev = short(prev_hash),
            root = short(merkle_root),
            verdict = if self.root_holds { "ok" } else { "BAD" },
        )
    }
}

impl Serialize for StageRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = &self.record;
        let row = Row {
            stage: number(record.stage),
            name: name(record.stage),
            from_ms: self.from.ms(),
            until_ms: self.until.ms(),
            version: record.version,
            timestamp_ms: record.timestamp.ms(),
            nonce: record.nonce,
            bits: record.bits,
            prev_hash: record.prev_hash.to_string(),
            merkle_root: record.merkle_root.to_string(),
            record_hash: record.hash().to_string(),
            root_holds: self.root_holds,
            body: &self.body,
            signatures: self.signatures,
        };
        row.serialize(serializer)
    }
}

#[derive(Serialize)]
struct Row<'a> {
    stage: u8,
    name: &'static str,
    from_ms: u64,
    until_ms: u64,
    version: u16,
    timestamp_ms: u64,
    nonce: u64,
    bits: u32,
    prev_hash: String,
    merkle_root: String,
    record_hash: String,
    root_holds: bool,
    body: &'a str,
    signatures: u32,
}

/// The paper's number of a stage.
const fn number(stage: Stage) -> u8 {
    stage as u8
}

/// The paper's name of a stage.
const fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Declaration => "declaration",
        Stage::Matching => "matching",
        Stage::Authentication => "authentication",
        Stage::Execution => "execution",
        Stage::Certification => "result certification",
        Stage::Clearing => "clearing",
        Stage::Settlement => "settlement",
    }
}

/// `0x0123…cdef`: enough to compare two rows by eye.
fn short(hash: &Hash) -> String {
    let text = hash.to_string();
    format!("{}…{}", &text[..6], &text[text.len() - 4..])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use runtime_primitives::blake2_256;

    const NOON_MS: u64 = 1_464_264_000_000;

    fn rows() -> Vec<StageRow> {
        let mut prev_hash = Hash::ZERO;
        let row = |(stage, at): (Stage, u64)| {
            let timestamp = Timestamp::from_ms(NOON_MS + at * 60_000);
            let merkle_root = blake2_256(&[number(stage)]);
            let record =
                StageRecord { version: 1, stage, prev_hash, timestamp, nonce: 2, bits: 0, merkle_root };
            prev_hash = record.hash();
            let from = timestamp.minus_ms(60_000);
            StageRow {
                record,
                from,
                until: timestamp,
                root_holds: at != 6,
                body: format!("body {at}"),
                signatures: 3,
            }
        };
        Stage::ALL.into_iter().zip(0..).map(row).collect()
    }

    #[test]
    fn the_table_has_a_row_for_each_stage() {
        let table = StageRow::table(&rows());
        for stage in Stage::ALL {
            assert!(table.contains(&format!("{} {}", number(stage), name(stage))), "{table}");
        }
        let head = [
            "┌────────────────────────┬───────────────────────┬────────────────────────────────────────┬────────┬────────────┐",
            "│ Stage                  ┆ Interval (UTC)        ┆ Header                                 ┆ Body   ┆ Signatures │",
            "╞════════════════════════╪═══════════════════════╪════════════════════════════════════════╪════════╪════════════╡",
            "│ 1 declaration          ┆ 2016-05-26 11:59:00 – ┆ version 1, 12:00:00, nonce 2, bits 0   ┆ body 0 ┆ 3          │",
            "│                        ┆ 2016-05-26 12:00:00   ┆ prev 0x0000…0000  root 0xee15…3e25 ok  ┆        ┆            │",
        ];
        assert_eq!((table.matches(" ok ").count(), table.matches(" BAD ").count()), (6, 1));
        assert_eq!(table.lines().take(head.len()).collect::<Vec<_>>(), head);
    }

    #[test]
    fn json_links_the_records_by_full_hashes() {
        let json = serde_json::to_value(rows()).unwrap();
        for pair in json.as_array().unwrap().windows(2) {
            assert_eq!(pair[0]["record_hash"], pair[1]["prev_hash"]);
        }
        assert_eq!(json[0]["prev_hash"], Hash::ZERO.to_string());
        assert_eq!((&json[6]["stage"], &json[6]["name"]), (&7.into(), &"settlement".into()));
        assert_eq!(json[1]["timestamp_ms"], NOON_MS + 60_000);
    }
}

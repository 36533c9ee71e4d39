//! The data files, read strictly: every row in its place or an error with file and line.
//!
//! ```text
//! prosumers.csv                          prosumer,simbench_node,load_profiles,p_load_kw,pv_profiles,pv_kwp
//! simbench_lv3_100x96_<season>_<date>.csv   prosumer,slot,load_wh,pv_wh      sorted by prosumer, then slot
//! ```
//! All days are read even if one is wanted: a connection's capacity covers every day of the data.

use super::error::CommunityError;
use super::model::{Community, Prosumer, SLOTS, Season, SlotEnergy};
use csv::{ReaderBuilder, StringRecord};
use runtime_primitives::Energy;
use std::path::Path;

/// Whose data this is; shown wherever the data is shown.
pub const ATTRIBUTION: &str = "Community data derived from SimBench 1.6.3 (LV3.101), \
    © University of Kassel, TU Dortmund, RWTH Aachen, Fraunhofer IEE, under the Open Database License 1.0";

const PROSUMERS: &str = "prosumers.csv";
const PROSUMER_COLUMNS: [&str; 6] =
    ["prosumer", "simbench_node", "load_profiles", "p_load_kw", "pv_profiles", "pv_kwp"];
const DAY_COLUMNS: [&str; 4] = ["prosumer", "slot", "load_wh", "pv_wh"];

/// The files as they were when the binary was built, so that a demo needs none.
const EMBEDDED: [(&str, &[u8]); 4] = [
    (PROSUMERS, include_bytes!("../../../../tests/data/simbench/prosumers.csv")),
    (
        "simbench_lv3_100x96_summer_2016-05-26.csv",
        include_bytes!("../../../../tests/data/simbench/simbench_lv3_100x96_summer_2016-05-26.csv"),
    ),
    (
        "simbench_lv3_100x96_shoulder_2016-09-21.csv",
        include_bytes!("../../../../tests/data/simbench/simbench_lv3_100x96_shoulder_2016-09-21.csv"),
    ),
    (
        "simbench_lv3_100x96_winter_2016-01-18.csv",
        include_bytes!("../../../../tests/data/simbench/simbench_lv3_100x96_winter_2016-01-18.csv"),
    ),
];

impl Community {
    /// The community on `season`'s day, from the files in `folder`.
    ///
    /// # Errors
    /// Any [`CommunityError`] except [`CommunityError::Tariff`].
    pub fn load(folder: &Path, season: Season) -> Result<Self, CommunityError> {
        assemble(season, |name| {
            let path = folder.join(name);
            let file = path.display().to_string();
            match std::fs::read(&path) {
                Ok(bytes) => Ok((file, bytes)),
                Err(source) => Err(CommunityError::Read { file, source }),
            }
        })
    }

    /// The community on `season`'s day, from the data inside the binary.
    ///
    /// # Panics
    /// Never: the embedded files are read by a test.
    pub fn embedded(season: Season) -> Self {
        assemble(season, |name| {
            let (_, bytes) = EMBEDDED.iter().find(|(file, _)| *file == name).expect("all files are embedded");
            Ok((name.to_owned(), *bytes))
        })
        .expect("the embedded files are read by a test")
    }
}

/// Read all files through `open`, which gives a file's shown name and bytes.
fn assemble<B: AsRef<[u8]>>(
    season: Season,
    open: impl Fn(&str) -> Result<(String, B), CommunityError>,
) -> Result<Community, CommunityError> {
    let (file, bytes) = open(PROSUMERS)?;
    let ratings = read_ratings(&file, bytes.as_ref())?;
    let mut net_max = vec![Energy::ZERO; ratings.len()];
    let mut series = Vec::new();
    for day in Season::ALL {
        let (file, bytes) = open(&format!("simbench_lv3_100x96_{}_{}.csv", day.name(), day.date()))?;
        let read = read_day(&file, bytes.as_ref(), ratings.len())?;
        for (most, slots) in net_max.iter_mut().zip(&read) {
            *most = slots.iter().map(|energy| energy.metered().net()).fold(*most, Energy::max);
        }
        if day == season {
            series = read;
        }
    }
    let mut prosumers = Vec::with_capacity(ratings.len());
    for (rating, net_max) in ratings.into_iter().zip(net_max) {
        let Rating { line, load_w, pv_w } = rating;
        let capacity_w =
            Prosumer::capacity_w(load_w, pv_w, net_max).ok_or_else(|| CommunityError::Field {
                file: file.clone(),
                line,
                column: "p_load_kw",
                found: load_w.to_string(),
                expected: "a connection below 3 GW",
            })?;
        let index = u32::try_from(prosumers.len()).expect("a prosumer's number was read as u32");
        prosumers.push(Prosumer { index, load_rated_w: load_w, pv_peak_w: pv_w, capacity_w });
    }
    Ok(Community { season, prosumers, series })
}

struct Rating {
    line: u64,
    load_w: u32,
    pv_w: u32,
}

fn read_ratings(file: &str, bytes: &[u8]) -> Result<Vec<Rating>, CommunityError> {
    let mut ratings: Vec<Rating> = Vec::new();
    for row in rows(file, bytes, &PROSUMER_COLUMNS)? {
        let row = row?;
        let index = row.number(0, "prosumer")?;
        if usize::try_from(index).ok() != Some(ratings.len()) {
            return Err(row.out_of_order(format!("prosumer {index}"), format!("prosumer {}", ratings.len())));
        }
        let (load_w, pv_w) = (row.watts(3, "p_load_kw")?, row.watts(5, "pv_kwp")?);
        ratings.push(Rating { line: row.line, load_w, pv_w });
    }
    if ratings.is_empty() {
        return Err(CommunityError::Rows { file: file.to_owned(), found: 0, expected: 1 });
    }
    Ok(ratings)
}

fn read_day(file: &str, bytes: &[u8], prosumers: usize) -> Result<Vec<[SlotEnergy; SLOTS]>, CommunityError> {
    let mut series = vec![[SlotEnergy::default(); SLOTS]; prosumers];
    let mut read = 0;
    for row in rows(file, bytes, &DAY_COLUMNS)? {
        let row = row?;
        let found = format!("prosumer {}, slot {}", row.number(0, "prosumer")?, row.number(1, "slot")?);
        let (prosumer, slot) = (read / SLOTS, read % SLOTS);
        let expected = match series.get(prosumer) {
            Some(_) => format!("prosumer {prosumer}, slot {slot}"),
            None => "the end of the file".to_owned(),
        };
        if found != expected {
            return Err(row.out_of_order(found, expected));
        }
        series[prosumer][slot] = SlotEnergy { load: row.energy(2, "load_wh")?, pv: row.energy(3, "pv_wh")? };
        read += 1;
    }
    match prosumers * SLOTS {
        expected if expected == read => Ok(series),
        expected => Err(CommunityError::Rows { file: file.to_owned(), found: read, expected }),
    }
}

/// The rows below a header that must be `columns`.
fn rows<'a>(
    file: &'a str,
    bytes: &'a [u8],
    columns: &[&str],
) -> Result<impl Iterator<Item = Result<Row<'a>, CommunityError>>, CommunityError> {
    let broken = move |error: csv::Error| CommunityError::Csv {
        file: file.to_owned(),
        line: error.position().map_or(1, csv::Position::line),
        reason: match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("{len} fields, expected {expected_len}")
            }
            csv::ErrorKind::Utf8 { .. } => "not UTF-8".to_owned(),
            _ => error.to_string(),
        },
    };
    let mut reader = ReaderBuilder::new().from_reader(bytes);
    let found = reader.headers().map_err(broken)?;
    if found != columns {
        let (found, expected) = (found.iter().collect::<Vec<_>>().join(","), columns.join(","));
        return Err(CommunityError::Columns { file: file.to_owned(), found, expected });
    }
    Ok(reader.into_records().map(move |record| {
        let record = record.map_err(broken)?;
        let line = record.position().map_or(0, csv::Position::line);
        Ok(Row { file, line, record })
    }))
}

struct Row<'a> {
    file: &'a str,
    line: u64,
    record: StringRecord,
}

impl Row<'_> {
    fn number(&self, at: usize, column: &'static str) -> Result<u32, CommunityError> {
        let text = &self.record[at];
        // `parse` alone would take "+1".
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        plain.ok_or_else(|| self.refuse(at, column, "a whole number below 2³²"))
    }

    fn energy(&self, at: usize, column: &'static str) -> Result<Energy, CommunityError> {
        self.number(at, column).map(|wh| Energy::from_wh(u64::from(wh)))
    }

    /// Kilowatts with at most three decimals, as exact watts.
    fn watts(&self, at: usize, column: &'static str) -> Result<u32, CommunityError> {
        watts(&self.record[at]).ok_or_else(|| self.refuse(at, column, "kilowatts with at most 3 decimals"))
    }

    fn refuse(&self, at: usize, column: &'static str, expected: &'static str) -> CommunityError {
        let (file, found) = (self.file.to_owned(), self.record[at].to_owned());
        CommunityError::Field { file, line: self.line, column, found, expected }
    }

    fn out_of_order(&self, found: String, expected: String) -> CommunityError {
        CommunityError::Order { file: self.file.to_owned(), line: self.line, found, expected }
    }
}

fn watts(kilowatts: &str) -> Option<u32> {
    let (whole, decimals) = kilowatts.split_once('.').unwrap_or((kilowatts, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 3 {
        return None;
    }
    format!("{whole}{decimals:0<3}").parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::fs;

    #[test]
    fn the_embedded_days_have_the_published_totals() {
        // Totals in Wh; slots with a seller and most sellers in one slot, from the data's notes.
        let rows = [
            (Season::Summer, 530_108, 983_124),
            (Season::Shoulder, 693_566, 498_560),
            (Season::Winter, 1_628_132, 331_298),
        ];
        for (season, load, pv) in rows {
            let community = Community::embedded(season);
            assert_eq!((community.prosumers.len(), community.series.len()), (100, 100));
            let energies = || community.series.iter().flatten();
            assert_eq!(energies().map(|e| e.load.wh()).sum::<u64>(), load);
            assert_eq!(energies().map(|e| e.pv.wh()).sum::<u64>(), pv);
        }
        let summer = Community::embedded(Season::Summer);
        let sellers =
            |slot: u32| (0..100).filter(|p| summer.metered(*p, slot).unwrap().export.wh() >= 10).count();
        assert_eq!((0..96).filter(|slot| sellers(*slot) > 0).count(), 55);
        assert_eq!((0..96).map(sellers).max(), Some(25));
        assert_eq!((summer.metered(100, 0), summer.metered(0, 96)), (None, None));
    }

    #[test]
    fn capacities_cover_every_day_and_are_the_same_on_each() {
        let prosumers = Community::embedded(Season::Summer).prosumers;
        assert_eq!(
            prosumers[0],
            Prosumer { index: 0, load_rated_w: 3_000, pv_peak_w: 27_000, capacity_w: 36_000 }
        );
        for season in Season::ALL {
            let community = Community::embedded(season);
            assert_eq!(community.prosumers, prosumers);
            for (prosumer, day) in prosumers.iter().zip(&community.series) {
                let most = day.iter().map(|energy| energy.metered().net().wh()).max().unwrap();
                assert!(most * 4 <= u64::from(prosumer.capacity_w), "{prosumer:?} moved {most} Wh in a slot");
            }
        }
    }

    #[test]
    fn a_folder_reads_like_the_embedded_files() {
        let folder = tempfile::TempDir::new().unwrap();
        for (name, bytes) in EMBEDDED {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let loaded = Community::load(folder.path(), Season::Winter).unwrap();
        assert_eq!(loaded, Community::embedded(Season::Winter));
        fs::remove_file(folder.path().join(EMBEDDED[2].0)).unwrap();
        let error = Community::load(folder.path(), Season::Winter).unwrap_err().to_string();
        assert!(error.starts_with("cannot read") && error.contains("shoulder"), "{error}");
    }

    #[test]
    fn ratings_are_strict() {
        let head = PROSUMER_COLUMNS.join(",");
        let rows = [
            ("prosumer,node\n", "line 1: the columns are"),
            ("", "line 1: the columns are"),
            ("@\n", "f has 0 rows, expected 1"),
            ("@\n1,n,H0,3.0,,0.0\n", "line 2: row is for prosumer 1, expected prosumer 0"),
            ("@\n0,n,H0,3.0,,0.0\n0,n,H0,3.0,,0.0\n", "line 3: row is for prosumer 0, expected prosumer 1"),
            ("@\n0,n,H0,3.0,\n", "line 2: 5 fields, expected 6"),
            ("@\n+0,n,H0,3.0,,0.0\n", "line 2: prosumer is \"+0\""),
            ("@\n0,n,H0,-3.0,,0.0\n", "line 2: p_load_kw is \"-3.0\", expected kilowatts"),
            ("@\n0,n,H0,3.0,,1.2345\n", "line 2: pv_kwp is \"1.2345\""),
            ("@\n0,n,H0,3.0,,\n", "line 2: pv_kwp is \"\""),
        ];
        for (text, expected) in rows {
            let error = read_ratings("f", text.replace('@', &head).as_bytes()).err().unwrap().to_string();
            assert!(error.contains(expected), "{error} lacks {expected}");
        }
    }

    #[test]
    fn days_are_strict() {
        let day = |change: &dyn Fn(&mut Vec<String>)| {
            let mut lines = vec![DAY_COLUMNS.join(",")];
            lines.extend((0..SLOTS).map(|slot| format!("0,{slot},{},0", slot + 1)));
            change(&mut lines);
            read_day("f", lines.join("\n").as_bytes(), 1)
        };
        assert_eq!(day(&|_| ()).unwrap()[0][95].load.wh(), 96);
        type Change<'a> = &'a dyn Fn(&mut Vec<String>);
        let rows: [(&str, Change<'_>); 8] = [
            ("line 4: row is for prosumer 0, slot 3, expected prosumer 0, slot 2", &|l| drop(l.remove(3))),
            ("line 4: row is for prosumer 0, slot 1, expected prosumer 0, slot 2", &|l| {
                l.insert(3, l[2].clone())
            }),
            ("line 98: row is for prosumer 1, slot 0, expected the end of the file", &|l| {
                l.push("1,0,1,1".into())
            }),
            ("f has 95 rows, expected 96", &|l| drop(l.pop())),
            ("line 7: load_wh is \"1.5\", expected a whole number", &|l| l[6] = "0,5,1.5,0".into()),
            ("line 7: pv_wh is \"4294967296\"", &|l| l[6] = "0,5,1,4294967296".into()),
            ("line 7: 3 fields, expected 4", &|l| l[6] = "0,5,1".into()),
            ("line 1: the columns are \"prosumer,slot,pv_wh,load_wh\"", &|l| {
                l[0] = "prosumer,slot,pv_wh,load_wh".into()
            }),
        ];
        for (expected, change) in rows {
            let error = day(change).unwrap_err().to_string();
            assert!(error.contains(expected), "{error} lacks {expected}");
        }
    }

    #[test]
    fn kilowatts_become_exact_watts() {
        let rows = [
            ("3.0", Some(3_000)),
            ("31.9", Some(31_900)),
            ("0.125", Some(125)),
            ("7", Some(7_000)),
            ("4294967.295", Some(u32::MAX)),
            ("4294967.296", None),
            ("1.", None),
            (".5", None),
            ("1e3", None),
            ("1.2.3", None),
            (" 1", None),
        ];
        for (text, expected) in rows {
            assert_eq!(watts(text), expected, "{text}");
        }
    }
}

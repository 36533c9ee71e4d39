//! Meters and the grid operator. Energies are what moved in the slot; meters show cumulative registers.

use super::Sentence;
use super::stage::{Gaps, Stage};
use super::words::Value;
use crate::world::entities;
use contract_interface::{Reading, ReadingStatus, reading_message};
use parity_scale_codec::Decode;
use runtime_execution::archive::{SignedReading, slot_key, tables};
use runtime_execution::modules::markets::{self, READINGS};
use runtime_primitives::Energy;
use std::sync::Arc;

/// The sentences of this file.
pub const SENTENCES: &[Sentence] = &[
    Sentence {
        text: "meter <household> reads import <energy>",
        meaning: "the household's meter moved so much in the slot and posts its signed reading",
        run: |stage, values| read(stage, values, (Some(1), None)),
    },
    Sentence {
        text: "meter <household> reads export <energy>",
        meaning: "so much was given",
        run: |stage, values| read(stage, values, (None, Some(1))),
    },
    Sentence {
        text: "meter <household> reads import <energy> and export <energy>",
        meaning: "both",
        run: |stage, values| read(stage, values, (Some(1), Some(2))),
    },
    Sentence {
        text: "meter <household> reads nothing",
        meaning: "it posts that nothing moved",
        run: |stage, values| read(stage, values, (None, None)),
    },
    Sentence {
        text: "the other meters read nothing",
        meaning: "every meter of the market that has posted no reading does",
        run: read_others,
    },
    Sentence {
        text: "a concentrator brings the last readings",
        meaning: "of all meters again, in one extrinsic that the meter operator signs; what is known already is left out",
        run: concentrate,
    },
    Sentence {
        text: "meter <household> is silent but imports <energy>",
        meaning: "the registers move, no reading is posted",
        run: |stage, values| silent(stage, values, true),
    },
    Sentence {
        text: "meter <household> is silent but exports <energy>",
        meaning: "the registers move, no reading is posted",
        run: |stage, values| silent(stage, values, false),
    },
    Sentence {
        text: "meter <household> corrects its import to <energy>",
        meaning: "a signed correction: the next revision of its reading of the slot",
        run: |stage, values| correct(stage, values, true),
    },
    Sentence {
        text: "meter <household> corrects its export to <energy>",
        meaning: "a signed correction: the next revision of its reading of the slot",
        run: |stage, values| correct(stage, values, false),
    },
    Sentence {
        text: "meter <household> gave evidence of its correction",
        meaning: "its latest reading of the slot names a document, and its signature covers that",
        run: gave_evidence,
    },
    Sentence {
        text: "meter operator substitutes import <energy> and export <energy> for <household>",
        meaning: "a reading that the meter operator signs in the place of a silent meter",
        run: substitute,
    },
    Sentence {
        text: "the last reading of <household> is replayed",
        meaning: "the very bytes that its meter sent",
        run: replay,
    },
    Sentence {
        text: "meter <household> signs import <energy> and export <energy>",
        meaning: "a reading that it does not post: a concentrator may bring it",
        run: sign,
    },
    Sentence {
        text: "a stranger signs that meter <household> exports <energy>",
        meaning: "a reading by a key that is not the meter's",
        run: forge,
    },
    Sentence {
        text: "grid curtails <household> to <energy> because <number>",
        meaning: "the grid operator limits what a meter moves in the slot, with a reason code; 0 kWh interrupts it",
        run: curtail,
    },
];

type Done = Result<(), String>;

/// The registers advance by what moved in the slot.
fn advance(stage: &mut Stage, home: usize, import: u64, export: u64) {
    let registers = &mut stage.world.homes[home].registers;
    stage.starts.entry((home, stage.slot)).or_insert(*registers);
    *registers = (registers.0 + import, registers.1 + export);
}

fn post(stage: &mut Stage, home: usize, reading: Reading) {
    let call = stage.world.sign_reading(home, reading);
    stage.readings.insert(home, call.clone());
    stage.submit_bare(call);
}

fn read(stage: &mut Stage, values: &[Value], (import, export): (Option<usize>, Option<usize>)) -> Done {
    let gaps = Gaps(values);
    let home = stage.home(&gaps.name(0));
    let energy = |gap: Option<usize>| gap.map_or(0, |gap| gaps.energy(gap));
    advance(stage, home, energy(import), energy(export));
    let reading = stage.world.reading(home, stage.slot, 0, ReadingStatus::Measured);
    post(stage, home, reading);
    Ok(())
}

/// Revisions that a household's meter has posted for the slot.
fn posted(stage: &Stage, home: usize) -> usize {
    let at = stage.at();
    let view = stage.world.chain.view();
    let meter = stage.world.homes[home].meter;
    let Ok(live) = markets::live(&view, at) else { return 0 };
    let Ok(place) = markets::meters::meters_of(&view, &live).binary_search(&meter) else { return 0 };
    let page = u32::try_from(place).expect("few meters") / markets::meters::METERS_PER_PAGE;
    let readings = READINGS.get_or_default(&view, &(at.0, at.1, page));
    readings.get(place % markets::meters::METERS_PER_PAGE as usize).map_or(0, Vec::len)
}

fn read_others(stage: &mut Stage, _: &[Value]) -> Done {
    for home in 0..stage.world.homes.len() {
        if stage.world.homes[home].market != stage.world.market || posted(stage, home) > 0 {
            continue;
        }
        advance(stage, home, 0, 0);
        let reading = stage.world.reading(home, stage.slot, 0, ReadingStatus::Measured);
        let call = stage.world.sign_reading(home, reading);
        stage.readings.insert(home, call.clone());
        stage.world.chain.submit_bare(call);
    }
    stage.world.chain.block_of_successes();
    Ok(())
}

fn sign(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let home = stage.home(&gaps.name(0));
    advance(stage, home, gaps.energy(1), gaps.energy(2));
    let reading = stage.world.reading(home, stage.slot, 0, ReadingStatus::Measured);
    let call = stage.world.sign_reading(home, reading);
    stage.readings.insert(home, call);
    Ok(())
}

/// Readings that meters have signed, whether they posted them or not.
fn concentrate(stage: &mut Stage, _: &[Value]) -> Done {
    let signed = stage.readings.values().filter_map(|call| match call {
        markets::Call::PostReading { reading, signature } => Some((*reading, *signature)),
        _ => None,
    });
    let readings = signed.collect();
    let key = Arc::clone(&stage.world.owners[entities::METER_OPERATOR as usize]);
    stage.submit(&key, markets::Call::PostReadings { readings });
    Ok(())
}

fn silent(stage: &mut Stage, values: &[Value], imports: bool) -> Done {
    let gaps = Gaps(values);
    let (home, energy) = (stage.home(&gaps.name(0)), gaps.energy(1));
    advance(stage, home, if imports { energy } else { 0 }, if imports { 0 } else { energy });
    Ok(())
}

fn correct(stage: &mut Stage, values: &[Value], import: bool) -> Done {
    let gaps = Gaps(values);
    let (home, energy) = (stage.home(&gaps.name(0)), gaps.energy(1));
    let start = *stage.starts.get(&(home, stage.slot)).ok_or("there is no reading to correct")?;
    let revision = u16::try_from(posted(stage, home)).expect("few revisions");
    // The meter goes on from the true value, unless a later slot has moved it.
    let is_last = !stage.starts.keys().any(|(other, slot)| *other == home && *slot > stage.slot);
    let mut registers =
        match stage.readings.get(&home) {
            Some(
                markets::Call::PostReading { reading, .. } | markets::Call::PostCorrection { reading, .. },
            ) if reading.slot == stage.slot => (reading.import_wh.wh(), reading.export_wh.wh()),
            _ => stage.world.homes[home].registers,
        };
    let changed = if import { &mut registers.0 } else { &mut registers.1 };
    *changed = energy + if import { start.0 } else { start.1 };
    let plain = stage.world.reading(home, stage.slot, revision, ReadingStatus::Corrected);
    let (import_wh, export_wh) = (Energy::from_wh(registers.0), Energy::from_wh(registers.1));
    if is_last {
        stage.world.homes[home].registers = registers;
    }
    post(stage, home, Reading { import_wh, export_wh, ..plain });
    Ok(())
}

fn substitute(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let (import, export, home) = (gaps.energy(0), gaps.energy(1), stage.home(&gaps.name(2)));
    let start = stage.starts.get(&(home, stage.slot)).copied();
    let start = start.unwrap_or(stage.world.homes[home].registers);
    let revision = u16::try_from(posted(stage, home)).expect("few revisions");
    let plain = stage.world.reading(home, stage.slot, revision, ReadingStatus::Substituted);
    let (import_wh, export_wh) = (Energy::from_wh(start.0 + import), Energy::from_wh(start.1 + export));
    let call = stage.world.sign_substitute(Reading { import_wh, export_wh, ..plain });
    stage.submit_bare(call);
    Ok(())
}

fn gave_evidence(stage: &mut Stage, values: &[Value]) -> Done {
    let meter = stage.world.homes[stage.home(&Gaps(values).name(0))].meter;
    let key = [&slot_key(stage.at())[..], &meter.number().to_be_bytes()].concat();
    let chain = &stage.world.chain;
    let rows = chain.archived(tables::READING).filter(|row| row.key.starts_with(&key));
    let latest = rows.max_by(|a, b| a.key.cmp(&b.key)).ok_or("it has read nothing")?;
    let signed = SignedReading::decode(&mut &latest.value[..]).expect("a reading");
    match (signed.evidence, signed.statement(&chain.genesis).verify()) {
        (Some(_), true) => Ok(()),
        (evidence, holds) => Err(format!("its evidence is {evidence:?}, its signature holds: {holds}")),
    }
}

fn replay(stage: &mut Stage, values: &[Value]) -> Done {
    let home = stage.home(&Gaps(values).name(0));
    let call = stage.readings.get(&home).ok_or("its meter has posted no reading")?.clone();
    stage.submit_bare(call);
    Ok(())
}

fn forge(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let home = stage.home(&gaps.name(0));
    let honest = stage.world.reading(home, stage.slot, 0, ReadingStatus::Measured);
    let export_wh = honest.export_wh.saturating_add(Energy::from_wh(gaps.energy(1)));
    let reading = Reading { export_wh, ..honest };
    let message = reading_message(&stage.world.chain.genesis, &reading);
    let signature = stage.world.sudo.sign(&message);
    stage.submit_bare(markets::Call::PostReading { reading, signature });
    Ok(())
}

fn curtail(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let (market, slot) = stage.at();
    let meter = stage.world.homes[stage.home(&gaps.name(0))].meter;
    let items = vec![(meter, Energy::from_wh(gaps.energy(1)))];
    let reason = u8::try_from(gaps.number(2)).map_err(|_| "a reason is a number below 256")?;
    let grid = Arc::clone(&stage.world.owners[entities::GRID as usize]);
    stage.submit(&grid, markets::Call::Curtail { market, slot, items, reason });
    Ok(())
}

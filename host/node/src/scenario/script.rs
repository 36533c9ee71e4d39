//! The script of a scenario: market terms, households, their intents and their meters' truth.
//!
//! A script is data. It is built from the community's measurements, or read from a TOML file such as the paper's
//! case in `tests/scenarios`.

use crate::agent::{Intent, Registers};
use crate::community::{Community, SLOT_MINUTES, Tariff};
use contract_interface::{Fee, FeederFee, Limits, Rates, Side, Windows};
use runtime_primitives::{Energy, FeederId, Money, Price, Slot, Timestamp};
use serde::Deserialize;
use std::collections::BTreeMap;
use thiserror::Error;

/// A scenario as data.
#[derive(Clone, Debug)]
pub struct Script {
    /// Its name.
    pub name: String,
    /// Length of a slot.
    pub slot_minutes: u16,
    /// Delivery start of slot 0.
    pub slot_zero: Timestamp,
    /// First and last slot played.
    pub slots: (Slot, Slot),
    /// Moments of a slot.
    pub windows: Windows,
    /// Limits on orders.
    pub limits: Limits,
    /// Rates of settlement.
    pub rates: Rates,
    /// Network fees between feeders; pairs that are not listed pay the rates' own.
    pub fees: Vec<FeederFee>,
    /// Unsettled slots that supply deposits and the retailer's pre-funding cover.
    pub deposit_slots: u16,
    /// Name of the grid operator in reports.
    pub grid_name: String,
    /// Who takes part.
    pub households: Vec<HouseholdScript>,
}

/// A household's part.
#[derive(Clone, Debug)]
pub struct HouseholdScript {
    /// Its name in reports; never on chain.
    pub name: String,
    /// Capacity of its connection in watts.
    pub p_max_w: u32,
    /// The feeder it is on.
    pub feeder: FeederId,
    /// What the bank credits it with.
    pub funds: Money,
    /// What it wants to trade, by slot.
    pub intents: BTreeMap<Slot, Intent>,
    /// Registers of its meter at the end of each slot.
    pub registers: BTreeMap<Slot, Registers>,
}

impl HouseholdScript {
    /// Read the plan of one household: its name, and `[[order]]` and `[[reading]]` as in a scenario file.
    ///
    /// # Errors
    /// [`ScriptError`].
    pub fn from_plan(text: &str) -> Result<Self, ScriptError> {
        let FilePlan { name, order, reading } = toml::from_str(text)?;
        FileHousehold { name, p_max_w: 0, feeder: 0, funds: 0, order, reading }.into_script()
    }
}

/// Why a scenario file is no script.
#[derive(Debug, Error)]
pub enum ScriptError {
    /// It is no TOML of this shape.
    #[error("scenario file: {0}")]
    Toml(#[from] toml::de::Error),
    /// A register decreases.
    #[error("scenario file: {household}: slot {slot}: registers are cumulative and never decrease")]
    Register {
        /// Whose.
        household: String,
        /// Where.
        slot: u32,
    },
    /// Nothing happens.
    #[error("scenario file: first_slot {first} is after last_slot {last}")]
    Slots {
        /// First slot.
        first: u32,
        /// Last slot.
        last: u32,
    },
}

/// The moments of MARKET section 2 for slots of 15 minutes; they fit shorter slots too.
pub const WINDOWS: Windows = Windows {
    open_before_s: 24 * 3_600,
    gate_before_s: 300,
    reveal_s: 0,
    confirm_s: 150,
    certify_before_s: 10,
    readings_s: 300,
    voting_s: 1_200,
    objection_s: 3_600,
    dispute_s: 24 * 3_600,
};

/// Slots of a day that are not settled at once: from the start of delivery to the end of objections, 15 min + 1 h.
const DAY_DEPOSIT_SLOTS: u16 = 5;
/// Money a household of the day starts with: 500 yuan, above any day's bill and holds, winter's too.
const DAY_FUNDS: Money = Money::from_units(5_000_000_000);
/// Orders of one entity in one slot.
const ORDERS_PER_ENTITY: u32 = 4;
/// Deviation rate of the example: 0.10 yuan/kWh.
const DEVIATION: Price = Price::from_ticks(1_000);

impl Script {
    /// A day of the community: persistence forecasts are traded, the measurements are delivered.
    pub fn of_day(community: &Community, tariff: &Tariff, seed: u64) -> Self {
        let last = u32::try_from(crate::community::SLOTS - 1).expect("96 slots");
        let intents: Vec<_> = (0..=last).flat_map(|slot| community.intents(slot, tariff, seed)).collect();
        let households = community
            .prosumers
            .iter()
            .map(|prosumer| HouseholdScript {
                name: format!("household {}", prosumer.index),
                p_max_w: prosumer.capacity_w,
                feeder: FeederId::ZERO,
                funds: DAY_FUNDS,
                intents: intents
                    .iter()
                    .filter(|intent| intent.prosumer == prosumer.index)
                    .map(|intent| {
                        let (side, energy, price) = (intent.side, intent.energy, intent.price);
                        (Slot::from_number(intent.slot), Intent { side, energy, price })
                    })
                    .collect(),
                registers: cumulative(community, prosumer.index, last),
            })
            .collect();
        Self {
            name: community.season.name().to_owned(),
            slot_minutes: SLOT_MINUTES,
            slot_zero: community.season.midnight(),
            slots: (Slot::ZERO, Slot::from_number(last)),
            windows: WINDOWS,
            limits: Limits {
                tick_size: Price::from_ticks(1),
                price_min: tariff.feed_in(),
                price_max: tariff.ceiling(),
                orders_per_slot: 1_000,
                orders_per_entity: ORDERS_PER_ENTITY,
            },
            rates: Rates {
                feed_in: tariff.feed_in(),
                retail: tariff.retail(),
                fee: Fee { buyer: tariff.network_fee(), seller: Price::ZERO },
                deviation: DEVIATION,
                tol_wh: Energy::from_wh(20),
                tol_bp: 500,
            },
            fees: Vec::new(),
            deposit_slots: DAY_DEPOSIT_SLOTS,
            grid_name: "grid operator".to_owned(),
            households,
        }
    }

    /// Read a scenario file.
    ///
    /// # Errors
    /// [`ScriptError`].
    pub fn from_toml(text: &str) -> Result<Self, ScriptError> {
        toml::from_str::<File>(text)?.into_script()
    }
}

fn cumulative(community: &Community, prosumer: u32, last: u32) -> BTreeMap<Slot, Registers> {
    let mut sum = (Energy::ZERO, Energy::ZERO);
    (0..=last)
        .map(|slot| {
            let metered = community.metered(prosumer, slot).unwrap_or_default();
            sum = (sum.0.saturating_add(metered.import), sum.1.saturating_add(metered.export));
            (Slot::from_number(slot), sum)
        })
        .collect()
}

/// A scenario file; prices in 10⁻⁴ yuan/kWh, energies in Wh, money in units of 10⁻⁷ yuan.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    slot_minutes: u16,
    slot_zero_ms: u64,
    first_slot: u32,
    last_slot: u32,
    rates: FileRates,
    #[serde(default)]
    feeder_fee: Vec<FileFeederFee>,
    #[serde(default)]
    deposit_slots: u16,
    price_min: u32,
    price_max: u32,
    grid_name: String,
    household: Vec<FileHousehold>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRates {
    feed_in: u32,
    retail: u32,
    fee: FileFee,
    deviation: u32,
    tol_wh: u64,
    tol_bp: u16,
}

/// What buyer and seller pay for the network, per traded kWh.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileFee {
    buyer: u32,
    seller: u32,
}

impl From<FileFee> for Fee {
    fn from(fee: FileFee) -> Self {
        Self { buyer: Price::from_ticks(fee.buyer), seller: Price::from_ticks(fee.seller) }
    }
}

/// The same between two feeders.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileFeederFee {
    seller: u32,
    buyer: u32,
    fee: FileFee,
}

impl From<FileFeederFee> for FeederFee {
    fn from(pair: FileFeederFee) -> Self {
        let [seller, buyer] = [pair.seller, pair.buyer].map(FeederId::from_number);
        Self { seller, buyer, fee: pair.fee.into() }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileSide {
    Buy,
    Sell,
}

impl From<FileSide> for Side {
    fn from(side: FileSide) -> Self {
        match side {
            FileSide::Buy => Self::Buy,
            FileSide::Sell => Self::Sell,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileHousehold {
    name: String,
    p_max_w: u32,
    #[serde(default)]
    feeder: u32,
    funds: u64,
    #[serde(default)]
    order: Vec<FileOrder>,
    #[serde(default)]
    reading: Vec<FileReading>,
}

/// A household's plan: the orders and readings of a scenario's household, and nothing that a bank decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePlan {
    name: String,
    #[serde(default)]
    order: Vec<FileOrder>,
    #[serde(default)]
    reading: Vec<FileReading>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOrder {
    slot: u32,
    side: FileSide,
    energy_wh: u64,
    price: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileReading {
    slot: u32,
    import_wh: u64,
    export_wh: u64,
}

impl File {
    fn into_script(self) -> Result<Script, ScriptError> {
        let (first, last) = (self.first_slot, self.last_slot);
        if first > last {
            return Err(ScriptError::Slots { first, last });
        }
        let rates = Rates {
            feed_in: Price::from_ticks(self.rates.feed_in),
            retail: Price::from_ticks(self.rates.retail),
            fee: self.rates.fee.into(),
            deviation: Price::from_ticks(self.rates.deviation),
            tol_wh: Energy::from_wh(self.rates.tol_wh),
            tol_bp: self.rates.tol_bp,
        };
        let limits = Limits {
            tick_size: Price::from_ticks(1),
            price_min: Price::from_ticks(self.price_min),
            price_max: Price::from_ticks(self.price_max),
            orders_per_slot: 1_000,
            orders_per_entity: ORDERS_PER_ENTITY,
        };
        let households: Result<_, _> = self.household.into_iter().map(FileHousehold::into_script).collect();
        Ok(Script {
            name: self.name,
            slot_minutes: self.slot_minutes,
            slot_zero: Timestamp::from_ms(self.slot_zero_ms),
            slots: (Slot::from_number(first), Slot::from_number(last)),
            windows: WINDOWS,
            limits,
            rates,
            fees: self.feeder_fee.into_iter().map(FeederFee::from).collect(),
            deposit_slots: self.deposit_slots,
            grid_name: self.grid_name,
            households: households?,
        })
    }
}

impl FileHousehold {
    fn into_script(self) -> Result<HouseholdScript, ScriptError> {
        let mut registers: BTreeMap<Slot, Registers> = BTreeMap::new();
        for reading in self.reading {
            let now = (Energy::from_wh(reading.import_wh), Energy::from_wh(reading.export_wh));
            let before = registers.values().next_back().copied().unwrap_or_default();
            if now.0 < before.0 || now.1 < before.1 {
                return Err(ScriptError::Register { household: self.name, slot: reading.slot });
            }
            registers.insert(Slot::from_number(reading.slot), now);
        }
        let intent = |order: FileOrder| {
            let intent = Intent {
                side: order.side.into(),
                energy: Energy::from_wh(order.energy_wh),
                price: Price::from_ticks(order.price),
            };
            (Slot::from_number(order.slot), intent)
        };
        Ok(HouseholdScript {
            name: self.name,
            p_max_w: self.p_max_w,
            feeder: FeederId::from_number(self.feeder),
            funds: Money::from_units(u128::from(self.funds)),
            intents: self.order.into_iter().map(intent).collect(),
            registers,
        })
    }
}

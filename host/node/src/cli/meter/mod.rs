//! `busbar meter …`: admit meters, post what they read, show them.

mod post;

use super::remote::{Answer, NodeArgs, SignArgs, account, address, table};
use crate::client::Party;
use crate::quantity::{self, energy_text};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use runtime_execution::modules::markets;
use runtime_execution::modules::markets::{METERS_OF, Registers};
use runtime_execution::modules::registry::{self, Event as Registered, METERS, Meter};
use runtime_execution::{Call, Event};
use runtime_primitives::{AccountId, Energy, EntityId, FeederId, MarketId, MeterId, blake2_256};
use runtime_state::Overlay;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

/// Admit meters, post what they read, show them.
#[derive(Debug, Args)]
pub struct MeterArgs {
    #[command(subcommand)]
    command: MeterCommand,
}

#[derive(Debug, Subcommand)]
enum MeterCommand {
    /// Admit a meter. Signed by a registrar.
    Add(AddArgs),
    /// Post a meter's reading of a slot that has ended. Signed by the meter's own key.
    Read(post::PostArgs),
    /// Post a reading for a meter that was silent, while lists are voted on. Signed by the market's meter operator.
    Substitute(post::PostArgs),
    /// Correct a meter's reading until objections end, with evidence. Signed by the meter's own key.
    Correct(post::CorrectArgs),
    /// Show a meter with its registers.
    Show {
        /// Its number.
        meter: u32,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// List meters.
    List {
        /// Only this market's.
        #[arg(long, value_name = "N")]
        market: Option<u32>,
        /// Only this entity's.
        #[arg(long)]
        entity: Option<Party>,
        #[command(flatten)]
        node: NodeArgs,
    },
}

#[derive(Debug, Args)]
struct AddArgs {
    /// Its owner: a number, or an address of one of its keys.
    #[arg(long)]
    entity: Party,
    /// Address of the meter's own key.
    #[arg(long, value_name = "ADDRESS", value_parser = account)]
    meter_key: AccountId,
    /// The market it settles in.
    #[arg(long, value_name = "N", default_value_t = 0)]
    market: u32,
    /// Capacity of the connection, such as 10kW.
    #[arg(long, value_name = "POWER", value_parser = quantity::watts)]
    p_max: u32,
    /// The feeder it is on, by the grid operator's number.
    #[arg(long, default_value_t = 0)]
    feeder: u32,
    /// What the connection point is called off chain; the chain gets a hash of it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    connection: String,
    /// The import register now.
    #[arg(long, value_name = "ENERGY", value_parser = quantity::energy, allow_hyphen_values = true, default_value = "0 Wh")]
    import: Energy,
    /// The export register now.
    #[arg(long, value_name = "ENERGY", value_parser = quantity::energy, allow_hyphen_values = true, default_value = "0 Wh")]
    export: Energy,
    #[command(flatten)]
    sign: SignArgs,
}

impl MeterArgs {
    /// Do it and print the answer.
    ///
    /// # Errors
    /// What stopped it, in words for people.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            MeterCommand::Add(args) => args.run(),
            MeterCommand::Read(args) => args.read(),
            MeterCommand::Substitute(args) => args.substitute(),
            MeterCommand::Correct(args) => args.correct(),
            MeterCommand::Show { meter, node } => {
                let id = MeterId::from_number(meter);
                let answer = node
                    .session()?
                    .read(|state| METERS.get(state, &id).map(|found| listed(state, &[(id, found)])))?;
                let answer = answer
                    .with_context(|| format!("there is no meter {id}; busbar meter list shows them"))?;
                node.print(&Answer::new(answer.text, answer.json[0].clone()));
                Ok(ExitCode::SUCCESS)
            }
            MeterCommand::List { market, entity, node } => {
                let answer = node.session()?.read(|state| {
                    let entity = entity.map(|entity| entity.find(state).map(|(id, _)| id)).transpose()?;
                    let market = market.map(MarketId::from_number);
                    anyhow::Ok(listed(state, &meters(state, market, entity)))
                })??;
                node.print(&answer);
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// Meters of a market and of an entity, if they are named.
pub fn meters(state: &Overlay, market: Option<MarketId>, entity: Option<EntityId>) -> Vec<(MeterId, Meter)> {
    let all = METERS.entries(state).into_iter();
    let fits = |meter: &Meter| {
        market.is_none_or(|market| market == meter.market)
            && entity.is_none_or(|entity| entity == meter.entity)
    };
    all.filter(|(_, meter)| fits(meter)).collect()
}

/// Registers of the meters of these markets.
fn registers(state: &Overlay, markets: BTreeSet<MarketId>) -> BTreeMap<MeterId, Registers> {
    let of = |market| {
        let meters = METERS_OF.get_or_default(state, &market);
        meters.into_iter().zip(markets::meters::load_registers(state, market))
    };
    markets.into_iter().flat_map(of).collect()
}

fn listed(state: &Overlay, meters: &[(MeterId, Meter)]) -> Answer {
    let registers = registers(state, meters.iter().map(|(_, meter)| meter.market).collect());
    let mut rows = table(["Meter", "Entity", "Market", "P_max, W", "Import", "Export", "Key"]);
    let mut all: Vec<Value> = Vec::new();
    for (id, meter) in meters {
        let registers = registers.get(id).copied().unwrap_or_default().measured;
        let numbers =
            [id.to_string(), meter.entity.to_string(), meter.market.to_string(), meter.p_max_w.to_string()];
        let shown = [energy_text(registers.0), energy_text(registers.1), address(meter.key)];
        rows.add_row(numbers.into_iter().chain(shown));
        all.push(json!({
            "meter": id.number(),
            "entity": meter.entity.number(),
            "market": meter.market.number(),
            "p_max_w": meter.p_max_w,
            "feeder": meter.feeder.number(),
            "import_wh": registers.0.wh(),
            "export_wh": registers.1.wh(),
            "key": address(meter.key),
        }));
    }
    Answer::new(rows.to_string(), all.into())
}

impl AddArgs {
    fn run(self) -> anyhow::Result<ExitCode> {
        let session = self.sign.session()?;
        let (entity, _) = session.read(|state| self.entity.find(state))??;
        let call = registry::Call::RegisterMeter {
            entity,
            key: self.meter_key,
            market: MarketId::from_number(self.market),
            p_max_w: self.p_max,
            connection: blake2_256(self.connection.as_bytes()),
            feeder: FeederId::from_number(self.feeder),
            import_wh: self.import,
            export_wh: self.export,
        };
        self.sign.send(&session, &Call::Registry(call), |events| {
            events.iter().find_map(|event| match event {
                Event::Registry(Registered::MeterRegistered { meter, entity, market }) => Some(Answer::new(
                    format!("meter {meter} of entity {entity} settles in market {market}, from the next slot that opens"),
                    json!({ "meter": meter.number() }),
                )),
                _ => None,
            })
        })
    }
}

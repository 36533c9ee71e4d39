//! A slot's book and its trades, as every command lists them.
//!
//! The rule: an order has one shape for scripts, and a trade has one, whichever command is asked.

use super::remote::table;
use crate::agent::{Desk, Match};
use crate::quantity::energy_text;
use comfy_table::Table;
use contract_interface::Side;
use runtime_execution::modules::markets::{Agreed, BOOK, SlotState};
use runtime_primitives::EntityId;
use serde_json::{Value, json};

/// Rows for people and for scripts.
pub struct Listed {
    /// For people.
    pub rows: Table,
    /// For scripts.
    pub all: Vec<Value>,
}

/// The open orders of the slot, of `entity` alone if it is named; `None` once they are in the archive.
pub fn orders(desk: &Desk, entity: Option<EntityId>) -> Option<Listed> {
    let live = desk.live();
    let places = BOOK.find(desk.state(), live.at, live.slot.next_seq.number())?;
    let mut rows = table(["Seq", "Entity", "Meter", "Side", "Energy", "At least", "Price"]);
    let mut all = Vec::new();
    for entry in places {
        let order = entry.order;
        if order.energy.is_zero() || entity.is_some_and(|entity| entity != order.entity) {
            continue;
        }
        let side = side_text(order.side);
        rows.add_row([
            order.seq.to_string(),
            order.entity.to_string(),
            order.meter.to_string(),
            side.clone(),
            energy_text(order.energy),
            energy_text(order.min_energy),
            order.price.to_string(),
        ]);
        all.push(json!({
            "seq": order.seq.number(),
            "entity": order.entity.number(),
            "meter": order.meter.number(),
            "side": side,
            "energy_wh": order.energy.wh(),
            "min_energy_wh": order.min_energy.wh(),
            "price": order.price.to_string(),
            "flags": order.flags,
        }));
    }
    Some(Listed { rows, all })
}

/// The trades of the slot on which `entity` has not answered, or all that wait if none is named; none once answers are
/// not taken.
pub fn waiting(desk: &Desk, entity: Option<EntityId>) -> Vec<Match> {
    if desk.live().slot.state != SlotState::Proposed {
        return Vec::new();
    }
    let mut trades = desk.matches();
    trades.retain(|found| {
        [(found.buyer, &found.buy), (found.seller, &found.sell)].iter().any(|(agreed, side)| {
            *agreed == Agreed::Pending && entity.is_none_or(|entity| entity == side.order.entity)
        })
    });
    trades
}

/// These trades.
pub fn trades(found: &[Match]) -> Listed {
    let mut rows = table([
        "Trade",
        "Buy",
        "Sell",
        "Buyer",
        "Seller",
        "Energy",
        "Buyer pays",
        "Seller gets",
        "Buyer says",
        "Seller says",
    ]);
    let mut all = Vec::new();
    for found in found {
        let (trade, buy, sell) = (&found.trade, &found.buy.order, &found.sell.order);
        rows.add_row([
            found.index.to_string(),
            trade.buy.to_string(),
            trade.sell.to_string(),
            buy.entity.to_string(),
            sell.entity.to_string(),
            energy_text(trade.energy),
            trade.buy_price.to_string(),
            trade.sell_price.to_string(),
            answer(found.buyer).to_owned(),
            answer(found.seller).to_owned(),
        ]);
        all.push(json!({
            "trade": found.index,
            "buy_seq": trade.buy.number(),
            "sell_seq": trade.sell.number(),
            "buyer": buy.entity.number(),
            "seller": sell.entity.number(),
            "energy_wh": trade.energy.wh(),
            "buy_price": trade.buy_price.to_string(),
            "sell_price": trade.sell_price.to_string(),
            "buyer_answer": answer(found.buyer),
            "seller_answer": answer(found.seller),
            "trade_order_hash": found.hash.to_string(),
        }));
    }
    Listed { rows, all }
}

/// `buy` or `sell`.
pub fn side_text(side: Side) -> String {
    format!("{side:?}").to_lowercase()
}

/// What a party says to a trade.
const fn answer(agreed: Agreed) -> &'static str {
    match agreed {
        Agreed::Pending => "none yet",
        Agreed::Signed => "signed",
        Agreed::Auto => "in advance",
        Agreed::Refused => "refused",
    }
}

//! The referee's rules once more, from MARKET sections 4 and 5: slow, short, and without a line of the referee.

use contract_interface::{
    Clearing, Descriptor, MeterSlot, Op, Order, Party, Pricing, SettleInput, SettlementReport, Side, kinds,
};

/// Whether `clearing` is one of `book`.
pub fn clears(rule: &Descriptor, book: &[Order], clearing: &Clearing) -> bool {
    let trades = &clearing.trades;
    let distinct = trades.iter().enumerate().all(|(index, trade)| {
        trades[..index].iter().all(|other| (other.buy, other.sell) != (trade.buy, trade.sell))
    });
    let sound = trades.iter().all(|trade| {
        let find = |seq, side| book.iter().find(|order| order.seq == seq && order.side == side);
        let (Some(bid), Some(ask)) = (find(trade.buy, Side::Buy), find(trade.sell, Side::Sell)) else {
            return false;
        };
        let one = trade.buy_price == trade.sell_price;
        let priced = match rule.pricing {
            Pricing::Single => one,
            Pricing::Uniform => one && clearing.uniform_price == Some(trade.buy_price),
            Pricing::TwoPrice => true,
        };
        bid.entity != ask.entity
            && trade.energy.wh() > 0
            && ask.price <= trade.sell_price
            && trade.sell_price <= trade.buy_price
            && trade.buy_price <= bid.price
            && priced
    });
    let fill = |order: &Order| -> u128 {
        let own = trades.iter().filter(|trade| trade.buy == order.seq || trade.sell == order.seq);
        own.map(|trade| u128::from(trade.energy.wh())).sum()
    };
    let filled = book.iter().all(|order| {
        let fill = fill(order);
        fill == 0 || (u128::from(order.min_energy.wh())..=u128::from(order.energy.wh())).contains(&fill)
    });
    let open = |order: &&Order| order.min_energy.is_zero() && fill(order) < u128::from(order.energy.wh());
    let reaches =
        |bid: &Order, ask: &Order| bid.side == Side::Buy && ask.side == Side::Sell && ask.price <= bid.price;
    let reaches_itself = |order: &Order| {
        let own = || book.iter().filter(|other| other.entity == order.entity);
        own().any(|bid| own().any(|ask| reaches(bid, ask)))
    };
    let crosses = book.iter().filter(open).any(|bid| {
        book.iter().filter(open).any(|ask| {
            let judged_at_the_price =
                rule.pricing == Pricing::Uniform && (reaches_itself(bid) || reaches_itself(ask));
            let both_would_trade = trades
                .first()
                .is_none_or(|trade| ask.price <= trade.buy_price && trade.buy_price <= bid.price);
            reaches(bid, ask) && ask.entity != bid.entity && (!judged_at_the_price || both_would_trade)
        })
    });
    clearing.cancelled.is_empty()
        && trades.len() <= book.len()
        && distinct
        && sound
        && filled
        && !(rule.no_residual_cross && crosses)
}

/// Whether `clearing` is one of `ops` on a continuous book of `resting` orders.
pub fn clears_batch(resting: &[Order], ops: &[Op], clearing: &Clearing) -> bool {
    let (trades, withdrawn) = (&clearing.trades, &clearing.cancelled);
    let mut new: Vec<Order> = Vec::new();
    new.extend(ops.iter().filter_map(|op| if let Op::New(order) = op { Some(*order) } else { None }));
    let book: Vec<Order> = resting.iter().chain(&new).copied().collect();
    let find = |seq| book.iter().find(|order| order.seq == seq);
    // Whether the order is still in the book when the order at `seq` arrives, fills apart.
    let stays = |order: &Order, seq| {
        let cancelled = |op: &Op| matches!(op, Op::Cancel { seq: at, target } if *target == order.seq && order.seq < *at && *at < seq);
        !ops.iter().any(cancelled) && !withdrawn.contains(&order.seq)
    };
    // Wh filled by trades whose later order is before `seq`, or at it.
    let filled = |order: &Order, before: &dyn Fn(runtime_primitives::Seq) -> bool| -> u128 {
        let own = trades.iter().filter(|trade| trade.buy == order.seq || trade.sell == order.seq);
        let own = own.filter(|trade| before(trade.buy.max(trade.sell)));
        own.map(|trade| u128::from(trade.energy.wh())).sum()
    };
    let crosses = |a: &Order, b: &Order| {
        let (bid, ask) = if a.side == Side::Buy { (a, b) } else { (b, a) };
        a.side != b.side && bid.price >= ask.price
    };
    let sound = trades.iter().enumerate().all(|(index, trade)| {
        let (Some(bid), Some(ask)) = (find(trade.buy), find(trade.sell)) else { return false };
        let (first, later) = if bid.seq < ask.seq { (bid, ask) } else { (ask, bid) };
        bid.side == Side::Buy
            && ask.side == Side::Sell
            && bid.entity != ask.entity
            && bid.price >= ask.price
            && trade.energy.wh() > 0
            && trade.buy_price == first.price
            && trade.sell_price == first.price
            && new.iter().any(|order| order.seq == later.seq)
            && stays(first, later.seq)
            && trades[..index].iter().all(|other| {
                other.buy.max(other.sell) <= later.seq && (other.buy, other.sell) != (trade.buy, trade.sell)
            })
    });
    let within = book.iter().all(|order| filled(order, &|_| true) <= u128::from(order.energy.wh()));
    let justified = withdrawn.iter().enumerate().all(|(index, seq)| {
        let Some(order) = new.iter().find(|order| order.seq == *seq) else { return false };
        let met_own = book.iter().any(|other| {
            other.entity == order.entity
                && other.seq < order.seq
                && crosses(other, order)
                && stays(other, order.seq)
                && filled(other, &|later| later < order.seq) < u128::from(other.energy.wh())
        });
        let unfilled = filled(order, &|_| true) < u128::from(order.energy.wh());
        met_own && unfilled && !withdrawn[..index].contains(seq)
    });
    let open: Vec<&Order> = book
        .iter()
        .filter(|order| {
            stays(order, runtime_primitives::Seq::MAX)
                && filled(order, &|_| true) < u128::from(order.energy.wh())
        })
        .collect();
    let crossed = open.iter().any(|a| open.iter().any(|b| a.entity != b.entity && crosses(a, b)));
    trades.len() <= book.len() && sound && within && justified && !crossed
}

/// A payment as it is compared: payer, payee, kind, trade, meter, amount.
type Line = (Party, Party, u8, Option<u32>, Option<u32>, u128);

/// Whether `report` pays what the formulas give for `input`, deviations aside, and no deviation beyond its bound.
pub fn settles(input: &SettleInput, report: &SettlementReport) -> bool {
    let find = |number| input.meters.iter().position(|meter| meter.meter == number).unwrap();
    let owner = |meter: usize| Party::Entity(input.meters[meter].entity);
    let mut export: Vec<u64> = input.meters.iter().map(|meter| meter.export_wh.wh()).collect();
    let mut import: Vec<u64> = input.meters.iter().map(|meter| meter.import_wh.wh()).collect();
    let (mut settled, mut due) = (Vec::new(), Vec::<Line>::new());
    let rates = &input.rates;
    let mut pay = |from, to, kind, trade, meter: Option<usize>, price: u32, energy: u64| {
        let meter = meter.map(|meter| input.meters[meter].meter.number());
        let amount = u128::from(price) * u128::from(energy);
        if amount > 0 {
            due.push((from, to, kind, trade, meter, amount));
        }
    };
    for trade in &input.trades {
        let (buyer, seller, id) = (find(trade.buy_meter), find(trade.sell_meter), Some(trade.id));
        let s = trade.energy.wh().min(export[seller]).min(import[buyer]);
        export[seller] -= s;
        import[buyer] -= s;
        settled.push(s);
        let (high, low) = (trade.buy_price.ticks(), trade.sell_price.ticks());
        pay(owner(buyer), owner(seller), kinds::ENERGY, id, None, low, s);
        pay(owner(buyer), Party::Pool, kinds::SURPLUS, id, None, high - low, s);
        pay(owner(buyer), Party::Grid, kinds::FEE, id, None, trade.fee.buyer.ticks(), s);
        pay(owner(seller), Party::Grid, kinds::FEE, id, None, trade.fee.seller.ticks(), s);
    }
    for meter in 0..input.meters.len() {
        let line = Some(meter);
        pay(Party::Retailer, owner(meter), kinds::FEED_IN, None, line, rates.feed_in.ticks(), export[meter]);
        pay(owner(meter), Party::Retailer, kinds::RETAIL, None, line, rates.retail.ticks(), import[meter]);
    }
    let lines = report.transfers.iter().map(|line| {
        let meter = line.meter.map(|meter| meter.number());
        (line.from, line.to, line.kind, line.trade, meter, line.amount.units())
    });
    let (deviations, mut exact): (Vec<Line>, Vec<Line>) = lines.partition(|line| line.2 == kinds::DEVIATION);
    exact.sort_unstable();
    due.sort_unstable();
    let reported: Vec<u64> = report.settled.iter().map(|energy| energy.wh()).collect();
    reported == settled && exact == due && deviations_fit(input, &deviations)
}

/// Each deviation names its meter and its owner; a meter's charges fit its bounds as seller and buyer, one to one.
fn deviations_fit(input: &SettleInput, lines: &[Line]) -> bool {
    let rate = u128::from(input.rates.deviation.ticks());
    let own = |slot: &MeterSlot| -> Vec<u128> {
        let named = (Party::Entity(slot.entity), Party::Retailer, None, Some(slot.meter.number()));
        let own = lines.iter().filter(|line| (line.0, line.1, line.3, line.4) == named);
        own.map(|line| line.5).collect()
    };
    let total: usize = input.meters.iter().map(|slot| own(slot).len()).sum();
    total == lines.len()
        && lines.iter().all(|line| line.5 > 0)
        && input.meters.iter().all(|slot| {
            let confirmed = |sells: bool| -> u64 {
                let at = |trade: &&contract_interface::CertifiedTrade| {
                    (if sells { trade.sell_meter } else { trade.buy_meter }) == slot.meter
                };
                input.trades.iter().filter(at).map(|trade| trade.energy.wh()).sum()
            };
            let bound = |confirmed: u64, moved: u64| match slot.curtailed {
                true => 0,
                false => rate * u128::from(confirmed.saturating_sub(moved)),
            };
            let bounds =
                [bound(confirmed(true), slot.export_wh.wh()), bound(confirmed(false), slot.import_wh.wh())];
            match own(slot)[..] {
                [] => true,
                [one] => bounds.iter().any(|bound| one <= *bound),
                [one, two] => {
                    (one <= bounds[0] && two <= bounds[1]) || (one <= bounds[1] && two <= bounds[0])
                }
                _ => false,
            }
        })
}

//! Sealed and standing orders, and what keys and proxies may do.

use super::Sentence;
use super::orders::request;
use super::stage::{Gaps, Stage};
use super::words::Value;
use crate::keyring;
use contract_interface::Side;
use runtime_execution::modules::markets::{self, standing::Template};
use runtime_execution::modules::registry::{self, Caps, scopes};
use runtime_primitives::{Energy, Money, Seq, Slot};
use std::sync::Arc;

/// The sentences of this file.
pub const SENTENCES: &[Sentence] = &[
    Sentence {
        text: "<household> seals a bid for <energy> at <price>",
        meaning: "it commits to an order that nobody can read yet, with a flat deposit",
        run: |stage, values| seal(stage, values, Side::Buy),
    },
    Sentence {
        text: "<household> seals an offer of <energy> at <price>",
        meaning: "the same for a sale",
        run: |stage, values| seal(stage, values, Side::Sell),
    },
    Sentence {
        text: "<household> reveals order <number>",
        meaning: "the order and its salt, after the gate",
        run: reveal,
    },
    Sentence {
        text: "<household> reveals order <number> as a bid for <energy> at <price>",
        meaning: "another order than the one it sealed",
        run: reveal_another,
    },
    Sentence {
        text: "<household> keeps buying <energy> at <price> until slot <number>",
        meaning: "a standing order: a bid in every slot that opens, from the slot in focus on",
        run: |stage, values| keep(stage, values, Side::Buy),
    },
    Sentence {
        text: "<household> keeps selling <energy> at <price> until slot <number>",
        meaning: "a standing order for sales",
        run: |stage, values| keep(stage, values, Side::Sell),
    },
    Sentence {
        text: "<household> lets <household> vote for it",
        meaning: "a proxy casts its vote, in slots that open from now on",
        run: proxy,
    },
    Sentence {
        text: "<household> gives its delegate at most <energy> an order and <money> a slot",
        meaning: "its delegate key is bound anew, with caps",
        run: cap,
    },
];

type Done = Result<(), String>;

fn seal(stage: &mut Stage, values: &[Value], side: Side) -> Done {
    let (home, request) = request(stage, &Gaps(values), 1, side)?;
    let place = stage.world.slot(stage.slot).next_seq.number();
    let commit = stage.world.commitment(home, &request);
    let delegate = Arc::clone(&stage.world.homes[home].delegate);
    stage.submit(&delegate, markets::Call::Commit { commit });
    stage.sealed.insert((stage.at(), place), (home, request));
    Ok(())
}

fn reveal(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let sealed = stage.sealed.get(&(stage.at(), gaps.number(1))).cloned();
    let (owner, request) = sealed.ok_or("nothing was sealed at that place")?;
    let salt = stage.world.salt(owner, &request);
    let delegate = Arc::clone(&stage.world.homes[stage.home(&gaps.name(0))].delegate);
    stage.submit(&delegate, markets::Call::Reveal { seq: Seq::from_number(gaps.number(1)), request, salt });
    Ok(())
}

fn reveal_another(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let (home, request) = request(stage, &gaps, 2, Side::Buy)?;
    let salt = stage.world.salt(home, &request);
    let delegate = Arc::clone(&stage.world.homes[home].delegate);
    stage.submit(&delegate, markets::Call::Reveal { seq: Seq::from_number(gaps.number(1)), request, salt });
    Ok(())
}

fn keep(stage: &mut Stage, values: &[Value], side: Side) -> Done {
    let gaps = Gaps(values);
    let (home, request) = request(stage, &gaps, 1, side)?;
    let template = Template {
        market: request.market,
        terms: request.terms,
        accept_within: None,
        first: stage.slot,
        last: Slot::from_number(gaps.number(3)),
        mask: None,
        meter: request.meter,
        side,
        energy: request.energy,
        min_energy: request.min_energy,
        price: request.price,
        flags: request.flags,
        partner: request.partner,
    };
    let delegate = Arc::clone(&stage.world.homes[home].delegate);
    stage.submit(&delegate, markets::Call::SetStanding { template: Box::new(template) });
    Ok(())
}

fn proxy(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let proxy = Some(stage.entity(&gaps.name(1))?);
    let owner = stage.owner(&gaps.name(0))?;
    stage.submit(&owner, registry::Call::SetProxy { proxy });
    Ok(())
}

fn cap(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let home = stage.home(&gaps.name(0));
    let owner = Arc::clone(&stage.world.homes[home].owner);
    let caps =
        Caps { energy: Some(Energy::from_wh(gaps.energy(1))), held: Some(Money::from_units(gaps.money(2))) };
    let delegate = keyring::key(&format!("{} with caps", gaps.name(0)));
    let scopes = scopes::BID | scopes::CONFIRM;
    let call = registry::Call::AddDelegate { key: delegate.account(), scopes, expires: None, caps };
    stage.world.homes[home].delegate = delegate;
    stage.submit(&owner, call);
    Ok(())
}

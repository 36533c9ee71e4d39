//! What keys may do in an entity's name, in the accountant's book: caps on their orders, and orders that stand.

use super::{At, Ledger};
use contract_interface::Terms;
use runtime_execution::modules::markets::Call;
use runtime_execution::modules::markets::standing::{Mask, Template, Within};
use runtime_execution::modules::registry::Caps;
use runtime_primitives::{AccountId, Hash, Slot};
use std::collections::BTreeMap;

/// Mandates given.
#[derive(Clone, Default)]
pub struct Mandates {
    caps: BTreeMap<AccountId, Caps>,
    standing: BTreeMap<(u32, u32), Standing>,
}

/// A standing order.
#[derive(Clone)]
struct Standing {
    entity: u32,
    key: AccountId,
    template: Template,
    /// The last slot that it became an order in.
    placed: Option<Slot>,
    is_removed: bool,
}

impl Mandates {
    /// A key's orders may come to so much.
    pub(super) fn limit(&mut self, key: AccountId, caps: Caps) {
        self.caps.insert(key, caps);
    }

    /// `entity` signs a standing order by this key.
    pub(super) fn stand(&mut self, entity: u32, key: AccountId, template: &Template) {
        let market = template.market.number();
        let id = self.standing.keys().filter(|(of, _)| *of == market).count();
        let id = u32::try_from(id).expect("few templates");
        let standing = Standing { entity, key, template: template.clone(), placed: None, is_removed: false };
        self.standing.insert((market, id), standing);
    }

    /// The chain says that a standing order is no more.
    pub(super) fn remove(&mut self, market: u32, id: u32) {
        self.standing.get_mut(&(market, id)).expect("it was set").is_removed = true;
    }
}

impl Ledger {
    /// An order has come of `call`: it and all that is held now are within the caps of the key that signed.
    pub(super) fn check_caps(&self, key: AccountId, entity: u32, call: &Call) {
        let (at, energy) = match call {
            Call::Place { request } | Call::Amend { request, .. } => {
                ((request.market, request.slot), Some(request.energy))
            }
            Call::Reveal { request, seq, .. } => {
                let at = (request.market, request.slot);
                let entered = self.slots[&at].orders.contains_key(&seq.number());
                (at, entered.then_some(request.energy))
            }
            Call::Commit { commit } => ((commit.market, commit.slot), None),
            _ => return,
        };
        self.within_caps(key, entity, at, energy.map_or(0, |energy| energy.wh()));
    }

    fn within_caps(&self, key: AccountId, entity: u32, at: At, energy: u64) {
        let Some(caps) = self.mandates.caps.get(&key) else { return };
        let held = self.slots[&at].held.get(&entity).copied().unwrap_or_default();
        assert!(caps.held.is_none_or(|cap| held <= cap.units()), "{key} holds {held} in {at:?}: {caps:?}");
        assert!(caps.energy.is_none_or(|cap| energy <= cap.wh()), "{key} orders {energy} Wh: {caps:?}");
    }

    /// A standing order became an order: once a slot, in a slot it is for, under terms it accepts, by a key that may.
    pub(super) fn place_standing(&mut self, at: At, id: u32) {
        let key = (at.0.number(), id);
        let standing = self.mandates.standing[&key].clone();
        let template = &standing.template;
        assert!(!standing.is_removed, "standing order {id} was removed");
        assert!(standing.placed.is_none_or(|last| last < at.1), "standing order {id} again in slot {}", at.1);
        assert!(is_for(template, at.1), "standing order {id} is for slot {}", at.1);
        assert_eq!(self.keys.get(&standing.key), Some(&standing.entity), "the key of standing order {id}");
        assert!(self.accepts(template, at), "standing order {id} under the terms of slot {}", at.1);
        self.mandates.standing.get_mut(&key).expect("it is there").placed = Some(at.1);
        self.place(standing.entity, &template.request(at.1, Hash::ZERO));
        self.within_caps(standing.key, standing.entity, at, template.energy.wh());
    }

    fn accepts(&self, template: &Template, at: At) -> bool {
        let new = &self.slots[&at].terms;
        if new.hash() == template.terms {
            return true;
        }
        let mut published = self.market(at).schedule.values();
        let agreed =
            published.find(|terms| terms.hash() == template.terms).expect("terms that were published");
        template.accept_within.is_some_and(|within| is_within(&within, agreed, new))
    }
}

fn is_for(template: &Template, slot: Slot) -> bool {
    let has = |mask: &Mask| {
        let place = slot.number() as usize % usize::from(mask.period);
        mask.bits[place / 8] >> (place % 8) & 1 == 1
    };
    (template.first..=template.last).contains(&slot) && template.mask.as_ref().is_none_or(has)
}

/// Neither a higher fee or deviation rate than was accepted, nor a smaller tolerance, nor sealed, nor other rules.
fn is_within(within: &Within, agreed: &Terms, new: &Terms) -> bool {
    let fees = || new.fees.iter().map(|listed| listed.fee).chain([new.rates.fee]);
    let rules = |terms: &Terms| (terms.bid, terms.matching, terms.settlement, terms.fallback);
    fees().all(|fee| fee.buyer <= within.fee.buyer && fee.seller <= within.fee.seller)
        && new.rates.deviation <= within.deviation
        && new.rates.tol_wh >= within.tol_wh
        && new.rates.tol_bp >= within.tol_bp
        && new.windows.reveal_s == 0
        && (within.other_rules || rules(new) == rules(agreed))
}

//! A market's parties agree to its terms: the retailer, the grid operator and the meter operator that its operator names.
//!
//! They agree to a hash, so to every figure. The rule: no slot opens under terms that bind a party by anything it has not
//! signed; terms that change only how orders are admitted and matched, or what limits traders, bind it as before.

use super::{
    AGENDA, At, Consent, Error, Event, MARKETS, Market, Scheduled, TERMS, market, registration, slots, terms,
};
use crate::context::Context;
use crate::modules::registry;
use crate::origin::Origin;
use contract_interface::Terms;
use runtime_primitives::{EntityId, Hash, MarketId, Slot};

impl Market {
    /// Who agrees to terms, ascending: the parties that the operator names, but for itself.
    pub fn parties(&self) -> Vec<EntityId> {
        let mut parties = vec![self.retailer, self.grid, self.meter_operator];
        parties.sort_unstable();
        parties.dedup();
        parties.retain(|party| *party != self.operator);
        parties
    }

    /// Whether it runs: its parties have agreed to its first terms.
    pub fn is_agreed(&self) -> bool {
        self.schedule.iter().any(Scheduled::is_agreed)
    }

    /// The agreed terms that govern `slot`; `None` before the first slot.
    pub fn governing(&self, slot: Slot) -> Option<&Scheduled> {
        self.schedule.iter().rev().find(|scheduled| scheduled.from <= slot && scheduled.is_agreed())
    }

    /// Whose agreement to its first terms is missing, so that it does not run yet; nobody's once it does.
    pub fn missing(&self) -> Vec<EntityId> {
        match self.schedule.first() {
            Some(offer) if !self.is_agreed() => offer.missing(),
            _ => Vec::new(),
        }
    }
}

impl Scheduled {
    /// Terms from a slot on that `parties` are asked about.
    pub fn asking(from: Slot, terms: Hash, parties: &[EntityId]) -> Self {
        let asked = |party: &EntityId| Consent { party: *party, agreed_at: None };
        Self { from, terms, consents: parties.iter().map(asked).collect() }
    }

    /// Whether no party's agreement is missing.
    pub fn is_agreed(&self) -> bool {
        self.consents.iter().all(|consent| consent.agreed_at.is_some())
    }

    /// Whose agreement is missing, ascending.
    pub fn missing(&self) -> Vec<EntityId> {
        self.parties(|consent| consent.agreed_at.is_none())
    }

    /// Who has agreed, ascending.
    pub fn agreed(&self) -> Vec<EntityId> {
        self.parties(|consent| consent.agreed_at.is_some())
    }

    fn parties(&self, holds: impl Fn(&Consent) -> bool) -> Vec<EntityId> {
        self.consents.iter().filter(|consent| holds(consent)).map(|consent| consent.party).collect()
    }
}

/// Whether `new` binds a market's parties as `agreed` does. Bid and matching rules move none of their money, and limits are
/// the traders'. A settlement rule may: of a deviation charge the referee knows the most only.
pub(super) fn binds_alike(agreed: &Terms, new: &Terms) -> bool {
    let (limits, bid, matching) = (new.limits, new.bid, new.matching);
    Terms { limits, bid, matching, fallback: new.fallback, ..agreed.clone() } == *new
}

/// A party agrees to terms of the market. Once nobody is missing they govern from their slot on; the first terms of a
/// market set it going.
///
/// # Errors
/// Unknown market, another key than an owner's, no party, terms that nobody published, that are not scheduled, that it has
/// agreed to or is not asked about, a first slot that no number reaches.
pub fn agree(
    ctx: &mut Context,
    origin: &Origin,
    id: MarketId,
    hash: Hash,
) -> Result<(), crate::DispatchError> {
    let mut market = market(&ctx.state, id)?;
    registry::ensure_scope(origin, registry::scopes::OWNER)?;
    let entity = origin.entity()?;
    if !market.parties().contains(&entity) {
        return Err(Error::NoMarketParty { market: id, entity }.into());
    }
    let was_agreed = market.is_agreed();
    let of_terms = market.schedule.iter_mut().filter(|scheduled| scheduled.terms == hash);
    let asked = of_terms.flat_map(|scheduled| scheduled.consents.iter_mut());
    let mut waiting =
        asked.filter(|consent| consent.party == entity && consent.agreed_at.is_none()).peekable();
    if waiting.peek().is_none() {
        return Err(nothing_to_agree(ctx, &market, (id, entity, hash)).into());
    }
    waiting.for_each(|consent| consent.agreed_at = Some(ctx.env.now));
    ctx.emit(Event::TermsAgreed { market: id, terms: hash, entity });
    if !was_agreed && market.is_agreed() {
        begin(ctx, id, &mut market)?;
    }
    MARKETS.put(&mut ctx.state, &id, &market);
    Ok(())
}

/// Why terms of a market do not wait for a party.
fn nothing_to_agree(
    ctx: &Context,
    of: &Market,
    (market, entity, terms): (MarketId, EntityId, Hash),
) -> Error {
    let scheduled: Vec<_> = of.schedule.iter().filter(|scheduled| scheduled.terms == terms).collect();
    let answers = scheduled.iter().flat_map(|scheduled| &scheduled.consents);
    if let Some(at) = answers.filter(|consent| consent.party == entity).find_map(|consent| consent.agreed_at)
    {
        return Error::AlreadyAgreed { market, entity, terms, at };
    }
    if !scheduled.is_empty() {
        return Error::AgreedUnasked { market, entity, terms };
    }
    if TERMS.contains(&ctx.state, &terms) {
        return Error::NotScheduled { market, terms };
    }
    Error::UnknownTerms(terms)
}

/// All parties have agreed: the first slot is scheduled, as asked for or, if that has passed, the first whose gate is ahead.
///
/// # Errors
/// [`Error::FirstSlotPassed`] if no slot number reaches that far.
pub(super) fn begin(ctx: &mut Context, id: MarketId, market: &mut Market) -> Result<(), Error> {
    let first = &mut market.schedule[0];
    let terms = terms(&ctx.state, &first.terms);
    let next = registration::next_gate(&terms, ctx.env.now).ok_or(Error::FirstSlotPassed(first.from))?;
    let slot = first.from.max(next);
    first.from = slot;
    (market.first_slot, market.next_slot) = (slot, slot);
    AGENDA.insert(&mut ctx.state, slots::opening(&terms, (id, slot)));
    ctx.emit(Event::MarketAgreed { market: id, slot });
    Ok(())
}

/// A slot opens: terms for it that are not agreed lapse, so that nobody waits for what may come at any time.
pub(super) fn lapse(ctx: &mut Context, market: &mut Market, at: At) {
    let due = |scheduled: &Scheduled| scheduled.from <= at.1 && !scheduled.is_agreed();
    for lapsed in market.schedule.extract_if(.., |scheduled| due(scheduled)) {
        ctx.emit(Event::TermsLapsed { market: at.0, slot: lapsed.from, terms: lapsed.terms });
    }
}

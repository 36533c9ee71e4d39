//! Sealed orders in the accountant's book: deposits that become holds, or are lost.

use super::{At, Ledger, Line, formulas};
use contract_interface::{OrderRequest, kinds};
use runtime_execution::modules::markets::sealed::Commitment;
use runtime_primitives::AccountId;

impl Ledger {
    /// δ for what the connection can move in the slot.
    pub(super) fn commit(&mut self, entity: u32, commit: &Commitment) {
        self.full_deposit((commit.market, commit.slot), entity);
        let capacity = u64::from(self.meters[commit.meter.number() as usize].p_max_w);
        let slot = self.slots.get_mut(&(commit.market, commit.slot)).expect("commitments are for open slots");
        let most = capacity * u64::from(slot.terms.slot_minutes) / 60;
        let deposit = formulas::price(slot.terms.rates.deviation.ticks(), most);
        slot.sealed.insert(slot.next_seq, (entity, commit.meter.number(), deposit));
        slot.next_seq += 1;
        *slot.held.entry(entity).or_default() += deposit;
        self.hold(self.owner(entity), deposit);
    }

    /// The deposit becomes the order's hold, or is lost if there is too little money for it.
    pub(super) fn reveal(&mut self, seq: u32, request: &OrderRequest) {
        let at = (request.market, request.slot);
        let book = self.slots.get_mut(&at).expect("reveals are for open slots");
        let (entity, _, deposit) = book.sealed[&seq];
        let price = formulas::hold_price(&book.terms, request.side, request.price.ticks());
        let hold = u128::from(price) * u128::from(request.energy.wh());
        let terms = book.terms.clone();
        let lacks = self.missing(&terms, (at.0, Some(entity)));
        if self.purse(self.owner(entity)).free + deposit < hold + lacks {
            self.forfeit(at, seq);
            return;
        }
        self.slots.get_mut(&at).expect("it is there").sealed.remove(&seq);
        self.release(at, entity, deposit);
        self.enter_order(entity, request, seq);
    }

    /// A sealed order's deposit goes to the pool.
    pub(super) fn forfeit(&mut self, slot: At, seq: u32) {
        let book = self.slots.get_mut(&slot).expect("sealed orders are in open slots");
        let (entity, meter, amount) = book.sealed.remove(&seq).expect("it was sealed");
        self.release(slot, entity, amount);
        let (payer, payee) = (self.owner(entity), AccountId::of_module(b"bb/pool", slot.0.number()));
        let (kind, trade, meter) = (kinds::FORFEIT, None, Some(meter));
        if amount > 0 {
            self.pay(Line { slot: Some(slot), payer, payee, amount, kind, trade, meter }, 0);
        }
    }
}

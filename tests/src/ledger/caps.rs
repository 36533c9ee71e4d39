//! Curtailment in the accountant's book: what stands beyond a cap leaves it, newest first.

use super::Ledger;
use runtime_execution::modules::markets::At;

impl Ledger {
    /// The grid operator allows a meter `cap` Wh in the slot.
    pub(super) fn curtail(&mut self, slot: At, meter: u32, cap: u64) {
        let book = self.book(slot);
        if !book.is_open {
            let least = book.curtailed.entry(meter).or_insert(cap);
            *least = cap.min(*least);
            return;
        }
        book.caps.insert(meter, cap);
        let own = book.sealed.iter().filter(|(_, (_, sealed, _))| *sealed == meter);
        let sealed: Vec<u32> = own.map(|(seq, _)| *seq).collect();
        for seq in sealed {
            self.cancel(slot, seq);
        }
        let mut kept = 0;
        let mut leaving = Vec::new();
        for (seq, filled, open) in self.pieces(slot, meter) {
            kept += filled;
            if open > 0 {
                leaving.push((seq, open));
            }
        }
        // What is traded stays; of the rest the oldest, as far as they fit whole.
        let mut all: u64 = kept + leaving.iter().map(|(_, open)| open).sum::<u64>();
        while all > cap
            && let Some((seq, open)) = leaving.pop()
        {
            self.cancel(slot, seq);
            all -= open;
        }
    }

    /// Orders of the meter that do not leave yet: place, Wh traded and Wh open. Those of which all is traded or leaves
    /// have nothing open.
    fn pieces(&self, slot: At, meter: u32) -> Vec<(u32, u64, u64)> {
        let is_continuous = self.is_continuous(slot);
        let book = &self.slots[&slot];
        let own = book.orders.iter().filter(|(_, order)| order.meter.number() == meter);
        own.map(|(seq, order)| {
            if is_continuous {
                let (filled, open) = book.queue.parts(order, &book.trades);
                (*seq, filled, open)
            } else {
                (*seq, 0, order.energy.wh())
            }
        })
        .collect()
    }
}

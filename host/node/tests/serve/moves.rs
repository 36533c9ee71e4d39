//! What the institutions and households of a cast do in a slot, by its state and nothing else.

use contract_interface::Stage;
use host_node::agent::{Case, Desk, Household, Match, seats};
use host_node::scenario::{Cast, HouseholdScript, Script};
use runtime_execution::modules::attestation::Ballot;
use runtime_execution::modules::markets::{Elector, PostedList, SealedEntry, SlotState};
use runtime_primitives::{MeterId, Seq};
use runtime_vm::Vm;

/// What they do on the desk's state; `households` by their places in the script.
pub fn moves(
    cast: &mut Cast,
    script: &Script,
    vm: &Vm,
    desk: &Desk,
    households: impl IntoIterator<Item = usize>,
) -> Vec<Vec<u8>> {
    let mut batch = Vec::new();
    if desk.live().slot.state == SlotState::Voting {
        batch.extend(cast.operator.post_list(desk));
        if !batch.is_empty() {
            return batch;
        }
        batch.extend(cast.operator.vote(desk));
        batch.extend(cast.grid.vote(desk));
    }
    let sight = Sight::of(desk);
    for place in households {
        batch.extend(own_moves(&mut cast.households[place], &script.households[place], vm, desk, &sight));
    }
    batch
}

/// What is there to act on, read once for all households.
enum Sight {
    Orders,
    Sealed(Vec<(Seq, SealedEntry)>),
    Trades(Vec<Match>),
    Unread(Vec<MeterId>),
    List(Box<(Ballot, Vec<Elector>, PostedList, Case)>),
    Nothing,
}

impl Sight {
    fn of(desk: &Desk) -> Self {
        match desk.live().slot.state {
            SlotState::Open => Self::Orders,
            SlotState::Revealing => Self::Sealed(desk.sealed()),
            SlotState::Proposed => Self::Trades(desk.matches()),
            SlotState::Metering => Self::Unread(desk.unread()),
            SlotState::Voting => {
                let (ballot, waiting) = desk.ballot(Stage::Certification).unwrap();
                let posted = desk.lists().pop().unwrap();
                let case = Case::new(desk, desk.full_list(&posted), &posted);
                Self::List(Box::new((ballot, waiting, posted, case)))
            }
            _ => Self::Nothing,
        }
    }
}

fn own_moves(
    own: &mut Household,
    script: &HouseholdScript,
    vm: &Vm,
    desk: &Desk,
    sight: &Sight,
) -> Vec<Vec<u8>> {
    let (at, terms) = (desk.live().at, &desk.live().terms);
    let intent = script.intents.get(&at.1);
    match sight {
        Sight::Orders => {
            let wanted = intent.filter(|_| !own.has_order(desk));
            wanted.map(|intent| own.bid(desk, *intent, terms.delivery_start(at.1))).into_iter().collect()
        }
        Sight::Sealed(sealed) => {
            intent.and_then(|intent| own.reveal(desk, *intent, sealed)).into_iter().collect()
        }
        Sight::Trades(all) => own.confirm(desk, &all.iter().collect::<Vec<_>>()).into_iter().collect(),
        Sight::Unread(unread) => {
            let registers = script.registers.get(&at.1).filter(|_| unread.contains(&own.meter));
            let measured_at = terms.delivery_end(at.1);
            registers.map(|registers| own.read(at, *registers, measured_at)).into_iter().collect()
        }
        Sight::List(list) => {
            let (ballot, waiting, posted, case) = &**list;
            let seats = seats(own.entity, waiting);
            if seats.is_empty() {
                return Vec::new();
            }
            let registers = script.registers.get(&at.1).copied();
            own.vote(desk, (ballot, &seats), posted, case, registers, vm).0
        }
        Sight::Nothing => Vec::new(),
    }
}

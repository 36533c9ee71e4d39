//! The electoral roll: who is enrolled, in pages by entity.
//!
//! A slot holds the roll as it stands when the slot opens, and that copies nothing. A page that changes later is first kept
//! as it was, once, and dropped when nobody holds that edition of the roll or an earlier one.

use super::Enrolled;
use crate::storage::{Ordered, Value, storage};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::EntityId;
use runtime_primitives::limits::{ENTITIES_PER_PAGE, ROLL_PAGES_DROPPED_MAX};
use runtime_state::Overlay;
use scale_info::TypeInfo;

/// An edition of the roll: a change begins the next one if somebody holds this one.
pub type Edition = u64;

/// The last edition of a page that may still change; also what reads the roll as it is.
pub const CURRENT: Edition = Edition::MAX;

#[derive(Default, Encode, Decode, TypeInfo)]
struct Page {
    /// The edition that it was changed in last.
    since: Edition,
    /// Ascending by entity.
    enrolled: Vec<Enrolled>,
}

storage! {
    "Registry":
    /// Pages by their number and the last edition that they belong to. One that has become empty stays: it knows since when.
    static PAGES: Ordered<Page> = "Roll";
    /// Kept pages by that edition and their number.
    static KEPT: Ordered<()> = "RollKept";
    /// How many hold an edition.
    static HOLDERS: Ordered<u32> = "RollHolders";
    /// The edition that changes go to, unless it is held.
    static EDITION: Value<Edition> = "RollEdition";
}

/// Hold the roll as it stands.
pub fn hold(state: &mut Overlay) -> Edition {
    let edition = EDITION.get(state).unwrap_or_default();
    let holders = HOLDERS.get(state, (edition, 0)).unwrap_or_default();
    HOLDERS.put(state, (edition, 0), &(holders + 1));
    edition
}

/// End a hold.
pub fn release(state: &mut Overlay, edition: Edition) {
    match HOLDERS.get(state, (edition, 0)) {
        Some(holders) if holders > 1 => HOLDERS.put(state, (edition, 0), &(holders - 1)),
        _ => HOLDERS.remove(state, (edition, 0)),
    }
    drop_kept(state, ROLL_PAGES_DROPPED_MAX);
}

/// Everybody on the roll in an edition that is held, or in [`CURRENT`], ascending by entity.
pub fn enrolled(state: &Overlay, edition: Edition) -> Vec<Enrolled> {
    let mut found = Vec::new();
    let mut from = (0, edition);
    while let Some(key) = PAGES.first(state, from) {
        if key.1 < edition {
            from = (key.0, edition);
            continue;
        }
        found.extend(PAGES.get(state, key).unwrap_or_default().enrolled);
        from = (key.0 + 1, edition);
    }
    found
}

/// Set an entity's entry, or strike it off. Costs one page, however long the roll.
pub fn change(state: &mut Overlay, entity: EntityId, entry: Option<Enrolled>) {
    let number = u64::from(entity.number() / ENTITIES_PER_PAGE);
    let mut page = PAGES.get(state, (number, CURRENT)).unwrap_or_default();
    let edition = open_edition(state);
    let holder = HOLDERS.first(state, (page.since, 0));
    if holder.is_some_and(|(held, _)| held < edition) {
        PAGES.put(state, (number, edition - 1), &page);
        KEPT.put(state, (edition - 1, number), &());
        // Two for the one kept, so that changes leave ever fewer behind.
        drop_kept(state, 2);
    }
    page.since = edition;
    page.enrolled.retain(|other| other.entity != entity);
    page.enrolled.extend(entry);
    page.enrolled.sort_unstable_by_key(|other| other.entity);
    PAGES.put(state, (number, CURRENT), &page);
}

/// The edition to change: nobody holds it.
fn open_edition(state: &mut Overlay) -> Edition {
    let edition = EDITION.get(state).unwrap_or_default();
    if HOLDERS.get(state, (edition, 0)).is_none() {
        return edition;
    }
    EDITION.put(state, &(edition + 1));
    edition + 1
}

/// Drop up to `most` pages whose editions nobody holds any more.
fn drop_kept(state: &mut Overlay, most: usize) {
    let oldest = HOLDERS.first(state, (0, 0)).map_or(CURRENT, |(edition, _)| edition);
    for _ in 0..most {
        match KEPT.first(state, (0, 0)) {
            Some((edition, number)) if edition < oldest => {
                KEPT.remove(state, (edition, number));
                PAGES.remove(state, (number, edition));
            }
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime_state::MemoryState;
    use std::collections::BTreeMap;

    fn roll(state: &Overlay, edition: Edition) -> BTreeMap<u32, u16> {
        enrolled(state, edition).iter().map(|one| (one.entity.number(), one.roles)).collect()
    }

    #[test]
    fn a_held_roll_stays_as_it_was_and_leaves_nothing_behind() {
        let empty = MemoryState::new();
        let mut state = Overlay::new(&empty);
        let (mut now, mut held) = (BTreeMap::new(), Vec::new());
        // A multiplicative walk over three pages: entries come, change and go; every seventh step holds the roll, and holds
        // end in another order than they began.
        for step in 0..600u16 {
            let (number, roles) = (u32::from(step) * 29 % (3 * ENTITIES_PER_PAGE), step);
            let id = EntityId::from_number(number);
            let entry = (step % 4 != 3).then_some(Enrolled { entity: id, roles, key: None, proxy: None });
            change(&mut state, id, entry);
            match entry {
                Some(_) => _ = now.insert(number, roles),
                None => _ = now.remove(&number),
            }
            if step % 7 == 0 {
                let edition = hold(&mut state);
                held.push((edition, now.clone()));
            }
            if step % 11 == 0 && held.len() > 3 {
                let (edition, _) = held.remove(usize::from(step) % held.len());
                release(&mut state, edition);
            }
            assert_eq!(roll(&state, CURRENT), now, "{step}");
            for (edition, then) in &held {
                assert_eq!(roll(&state, *edition), *then, "{step}: edition {edition}");
            }
        }
        assert!(KEPT.first(&state, (0, 0)).is_some(), "pages were kept");
        held.into_iter().for_each(|(edition, _)| release(&mut state, edition));
        assert_eq!(KEPT.first(&state, (0, 0)), None);
        assert_eq!(HOLDERS.first(&state, (0, 0)), None);
        let after = |(number, edition): (u64, Edition)| {
            edition.checked_add(1).map_or((number + 1, 0), |edition| (number, edition))
        };
        let first = PAGES.first(&state, (0, 0));
        let pages = std::iter::successors(first, |key| PAGES.first(&state, after(*key)));
        assert_eq!(pages.collect::<Vec<_>>(), [(0, CURRENT), (1, CURRENT), (2, CURRENT)]);
    }
}

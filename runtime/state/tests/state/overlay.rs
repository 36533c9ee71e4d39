//! The overlay against a model that copies the whole map for every layer.

use crate::random::Random;
use runtime_state::{Backend, ChangeSet, MemoryState, Overlay};
use std::collections::BTreeMap;

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

fn committed(random: &mut Random) -> (MemoryState, Map) {
    let map: Map = (0..random.below(40)).map(|_| (random.key(4), random.value())).collect();
    let mut state = MemoryState::new();
    state.commit(&map.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect());
    (state, map)
}

/// One random operation on both.
fn step(random: &mut Random, overlay: &mut Overlay<'_>, layers: &mut Vec<Map>) {
    let key = random.key(4);
    let top = layers.last_mut().unwrap();
    match random.below(12) {
        0..3 => {
            let value = random.value();
            top.insert(key.clone(), value.clone());
            overlay.put(key, value);
        }
        3..6 => {
            let tail = random.value();
            top.entry(key.clone()).or_default().extend(&tail);
            overlay.append(key, &tail);
        }
        6 => {
            top.remove(&key);
            overlay.delete(&key);
        }
        7 => {
            let limit = random.below(5);
            let doomed: Vec<_> = top.keys().filter(|k| k.starts_with(&key)).take(limit).cloned().collect();
            doomed.iter().for_each(|key| drop(top.remove(key)));
            assert_eq!(overlay.clear_prefix(&key, limit), doomed.len());
        }
        8 | 9 => {
            let copy = top.clone();
            layers.push(copy);
            overlay.begin();
        }
        10 if layers.len() > 1 => {
            let top = layers.pop().unwrap();
            *layers.last_mut().unwrap() = top;
            overlay.commit();
        }
        11 if layers.len() > 1 => {
            layers.pop();
            overlay.rollback();
        }
        _ => {}
    }
}

fn compare(random: &mut Random, overlay: &Overlay<'_>, model: &Map, at: &str) {
    let key = random.key(4);
    assert_eq!(overlay.get(&key).as_ref(), model.get(&key), "{at}: get {key:?}");
    assert_eq!(overlay.exists(&key), model.contains_key(&key), "{at}");
    assert_eq!(overlay.read(&key, |value| value.map(<[u8]>::len)), model.get(&key).map(Vec::len), "{at}");
    let next = model.range(key.clone()..).map(|(next, _)| next).find(|next| **next > key);
    assert_eq!(overlay.next_key(&key).as_ref(), next, "{at}: after {key:?}");
    let limit = random.below(20);
    let listed: Vec<_> = model.keys().filter(|k| k.starts_with(&key)).take(limit).cloned().collect();
    assert_eq!(overlay.keys_with_prefix(&key, limit), listed, "{at}: prefix {key:?}");
}

#[test]
fn random_operations_agree_with_copied_maps() {
    for seed in 0..300 {
        let mut random = Random(seed);
        let (state, map) = committed(&mut random);
        let mut overlay = Overlay::new(&state);
        let mut layers = vec![map.clone()];
        for number in 0..120 {
            step(&mut random, &mut overlay, &mut layers);
            assert_eq!(overlay.depth() + 1, layers.len());
            compare(&mut random, &overlay, layers.last().unwrap(), &format!("seed {seed}, step {number}"));
        }
        while overlay.depth() > 0 {
            if random.below(2) == 0 {
                overlay.commit();
                layers.swap_remove(layers.len() - 2);
            } else {
                overlay.rollback();
                layers.pop();
            }
        }
        let model = layers.pop().unwrap();
        let mut wanted: ChangeSet = map.keys().map(|key| (key.clone(), None)).collect();
        wanted.extend(model.iter().map(|(key, value)| (key.clone(), Some(value.clone()))));
        wanted.retain(|key, value| map.get(key) != value.as_ref());
        assert_eq!(overlay.into_changes(), wanted, "seed {seed}: writes that change nothing are dropped");
    }
}

/// A backend that counts what is asked of it.
struct Counting {
    asked: std::cell::Cell<u32>,
}

impl Backend for Counting {
    fn get(&self, _: &[u8]) -> Option<Vec<u8>> {
        self.asked.set(self.asked.get() + 1);
        Some(vec![1])
    }

    fn next_key(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

#[test]
fn a_committed_value_is_asked_for_once() {
    let backend = Counting { asked: 0.into() };
    let mut overlay = Overlay::new(&backend);
    for _ in 0..10 {
        assert_eq!(overlay.get(b"key"), Some(vec![1]));
        assert!(overlay.exists(b"key"));
    }
    overlay.put(b"key".to_vec(), vec![1]);
    assert!(overlay.into_changes().is_empty());
    assert_eq!(backend.asked.get(), 1);
}

#[test]
fn what_was_read_ahead_is_not_asked_for_again_and_hides_no_write() {
    let backend = Counting { asked: 0.into() };
    let mut overlay = Overlay::new(&backend);
    overlay.put(b"written".to_vec(), vec![2]);
    overlay.warm([&b"written"[..], b"read", b"read"].map(<[u8]>::to_vec).into());
    assert_eq!(backend.asked.get(), 2);
    assert_eq!(overlay.get(b"written"), Some(vec![2]));
    assert_eq!(overlay.get(b"read"), Some(vec![1]));
    assert_eq!(overlay.into_changes().len(), 1);
    assert_eq!(backend.asked.get(), 2);
}

#[test]
fn appending_in_many_layers_copies_nothing() {
    // 20,000 layers over a growing value: copying it for each would move 20 GB.
    let state = MemoryState::new();
    let mut overlay = Overlay::new(&state);
    overlay.put(b"events".to_vec(), Vec::new());
    for layer in 0..20_000_u32 {
        overlay.begin();
        overlay.append(b"events".to_vec(), &[7; 100]);
        if layer % 3 == 0 { overlay.rollback() } else { overlay.commit() }
    }
    assert_eq!(overlay.read(b"events", |value| value.unwrap().len()), 13_333 * 100);
}

//! Typed storage items under Substrate's storage keys.
//!
//! ```text
//! value   twox128(pallet) ++ twox128(item)
//! map     twox128(pallet) ++ twox128(item) ++ part …
//! part    chain-chosen numbers: twox64(SCALE) ++ SCALE     accounts and hashes: blake2_128(SCALE) ++ SCALE
//! ```
//! The hasher follows from the key's type, so that a number that an outsider can choose never meets `twox64`.
//! A stored value that does not decode is our own bug or a damaged disk: it panics, it is never an answer.

use crate::metadata::StorageEntry;
use contract_interface::Stage;
use frame_metadata::v14::{StorageEntryModifier, StorageEntryType, StorageHasher};
use parity_scale_codec::{Compact, CompactLen, Decode, Encode};
use runtime_primitives::limits::{ENTITIES_PER_PAGE, ORDERS_PER_PAGE};
use runtime_primitives::{AccountId, EntityId, Hash, MarketId, MeterId, Slot, blake2_128, twox_64, twox_128};
use runtime_state::Overlay;
use scale_info::build::Fields;
use scale_info::{MetaType, Path, Type, TypeInfo, TypeParameter, meta_type};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::OnceLock;

/// Declare the storage items of a module or of a part of it, and a function `storage` that describes them for metadata, with
/// what is written above each. An item that clients need not find set says `or default`.
macro_rules! storage {
    ($module:literal: $($(#[doc = $doc:literal])* $vis:vis static $name:ident: $item:ty = $title:literal $(or $default:ident)?;)*) => {
        $($(#[doc = $doc])* $vis static $name: $item = <$item>::new($module, $title);)*

        /// Descriptions of the storage items.
        pub(crate) fn storage() -> Vec<crate::metadata::StorageEntry> {
            vec![$($crate::storage::storage!(@describe $name $($default)?)(&$name, &[$($doc),*])),*]
        }
    };
    (@describe $name:ident) => { $crate::storage::Describe::describe };
    (@describe $name:ident default) => { $crate::storage::Describe::describe_or_default };
}
pub(crate) use storage;

/// An item that metadata can describe.
pub(crate) trait Describe {
    /// The type of the stored value.
    type Stored: Encode;

    /// Its name, how its keys are made, and the types of keys and value.
    fn shape(&self) -> (&'static str, StorageEntryType);

    /// The item with its documentation.
    fn describe(&self, docs: &[&'static str]) -> StorageEntry {
        let (name, ty) = self.shape();
        let docs = docs.iter().map(|line| line.trim_start()).collect();
        StorageEntry { name, modifier: StorageEntryModifier::Optional, ty, default: vec![0], docs }
    }

    /// As [`Self::describe`], of one that has its type's default where nothing is stored.
    fn describe_or_default(&self, docs: &[&'static str]) -> StorageEntry
    where
        Self::Stored: Default,
    {
        let default = Self::Stored::default().encode();
        StorageEntry { modifier: StorageEntryModifier::Default, default, ..self.describe(docs) }
    }
}

fn map_type(hashers: Vec<StorageHasher>, key: MetaType, value: MetaType) -> StorageEntryType {
    StorageEntryType::Map { hashers, key, value }
}

/// Pallet and item name with their hashed prefix.
struct Prefix {
    pallet: &'static str,
    item: &'static str,
    hashed: OnceLock<[u8; 32]>,
}

impl Prefix {
    const fn new(pallet: &'static str, item: &'static str) -> Self {
        Self { pallet, item, hashed: OnceLock::new() }
    }

    fn bytes(&self) -> &[u8; 32] {
        self.hashed.get_or_init(|| {
            let mut key = [0; 32];
            key[..16].copy_from_slice(&twox_128(self.pallet.as_bytes()));
            key[16..].copy_from_slice(&twox_128(self.item.as_bytes()));
            key
        })
    }

    /// A stored value is not what it must be.
    fn damaged(&self, why: &dyn Display) -> ! {
        panic!("state is damaged: {}.{}: {why}", self.pallet, self.item)
    }
}

fn decode<T: Decode>(prefix: &Prefix, bytes: &[u8]) -> T {
    decode_part(prefix, &mut &bytes[..])
}

/// Decode a value and leave what follows it.
fn decode_part<T: Decode>(prefix: &Prefix, bytes: &mut &[u8]) -> T {
    T::decode(bytes).unwrap_or_else(|error| prefix.damaged(&error))
}

/// A single value.
pub struct Value<T> {
    prefix: Prefix,
    of: PhantomData<fn() -> T>,
}

impl<T: Encode + Decode> Value<T> {
    /// Declare the item.
    pub const fn new(pallet: &'static str, item: &'static str) -> Self {
        Self { prefix: Prefix::new(pallet, item), of: PhantomData }
    }

    /// The storage key.
    pub fn key(&self) -> Vec<u8> {
        self.prefix.bytes().to_vec()
    }

    /// The value, if set.
    pub fn get(&self, state: &Overlay) -> Option<T> {
        state.read(self.prefix.bytes(), |bytes| bytes.map(|bytes| decode(&self.prefix, bytes)))
    }

    /// Set the value.
    pub fn put(&self, state: &mut Overlay, value: &T) {
        state.put(self.key(), value.encode());
    }
}

impl<T: Encode + Decode + TypeInfo + 'static> Describe for Value<T> {
    type Stored = T;

    fn shape(&self) -> (&'static str, StorageEntryType) {
        (self.prefix.item, StorageEntryType::Plain(meta_type::<T>()))
    }
}

/// A key of a [`Map`]: hashes its parts.
pub trait StorageKey {
    /// How each part is hashed, for metadata.
    fn hashers() -> Vec<StorageHasher>;

    /// Append the hashed key.
    fn hash_into(&self, out: &mut Vec<u8>);
}

/// A key part that can be read back from a storage key.
pub trait ReadableKey: StorageKey + Sized {
    /// Read the key that `bytes` (after the map's prefix) end in, or `None` if they are something else.
    fn read(bytes: &mut &[u8]) -> Option<Self>;
}

macro_rules! key_part {
    ($hash:ident, $width:literal, $hasher:ident: $($name:ty),*) => {$(
        impl StorageKey for $name {
            fn hashers() -> Vec<StorageHasher> {
                vec![StorageHasher::$hasher]
            }

            fn hash_into(&self, out: &mut Vec<u8>) {
                let at = out.len();
                out.extend_from_slice(&[0; $width]);
                self.encode_to(out);
                let hash = $hash(&out[at + $width..]);
                out[at..at + $width].copy_from_slice(&hash);
            }
        }
        impl ReadableKey for $name {
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                *bytes = bytes.get($width..)?;
                Self::decode(bytes).ok()
            }
        }
    )*};
}
key_part!(twox_64, 8, Twox64Concat: u8, u32, MarketId, EntityId, MeterId, Slot, Stage);
key_part!(blake2_128, 16, Blake2_128Concat: AccountId, Hash);

macro_rules! key_tuple {
    ($($part:ident),*) => {
        impl<$($part: StorageKey),*> StorageKey for ($($part,)*) {
            fn hashers() -> Vec<StorageHasher> {
                [$($part::hashers()),*].concat()
            }

            fn hash_into(&self, out: &mut Vec<u8>) {
                #[allow(non_snake_case, reason = "one name for the type and its value")]
                let ($($part,)*) = self;
                $($part.hash_into(out);)*
            }
        }
        impl<$($part: ReadableKey),*> ReadableKey for ($($part,)*) {
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                Some(($($part::read(bytes)?,)*))
            }
        }
    };
}
key_tuple!(A, B);
key_tuple!(A, B, C);
key_tuple!(A, B, C, D);
key_tuple!(A, B, C, D, E);

/// A map.
pub struct Map<K, T> {
    prefix: Prefix,
    of: PhantomData<fn(K) -> T>,
}

impl<K: StorageKey, T: Encode + Decode> Map<K, T> {
    /// Declare the item.
    pub const fn new(pallet: &'static str, item: &'static str) -> Self {
        Self { prefix: Prefix::new(pallet, item), of: PhantomData }
    }

    /// The storage key of `key`.
    pub fn key(&self, key: &K) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96);
        bytes.extend_from_slice(self.prefix.bytes());
        key.hash_into(&mut bytes);
        bytes
    }

    /// What the storage keys of all keys that begin with `part` begin with.
    pub fn prefix_of(&self, part: &impl StorageKey) -> Vec<u8> {
        let mut bytes = self.prefix.bytes().to_vec();
        part.hash_into(&mut bytes);
        bytes
    }

    /// The value, if set.
    pub fn get(&self, state: &Overlay, key: &K) -> Option<T> {
        state.read(&self.key(key), |bytes| bytes.map(|bytes| decode(&self.prefix, bytes)))
    }

    /// The value, or the type's default.
    pub fn get_or_default(&self, state: &Overlay, key: &K) -> T
    where
        T: Default,
    {
        self.get(state, key).unwrap_or_default()
    }

    /// Whether a value is set.
    pub fn contains(&self, state: &Overlay, key: &K) -> bool {
        state.exists(&self.key(key))
    }

    /// Read the values of `keys` ahead, for a step that wants all of them: cheaper than one by one.
    pub fn warm<'k>(&self, state: &Overlay, keys: impl IntoIterator<Item = &'k K>)
    where
        K: 'k,
    {
        state.warm(keys.into_iter().map(|key| self.key(key)).collect());
    }

    /// Set a value.
    pub fn put(&self, state: &mut Overlay, key: &K, value: &T) {
        state.put(self.key(key), value.encode());
    }

    /// Remove a value.
    pub fn remove(&self, state: &mut Overlay, key: &K) {
        state.delete(&self.key(key));
    }

    /// Remove the first `limit` entries whose keys begin with `part`; how many there were.
    pub fn clear_under(&self, state: &mut Overlay, part: &impl StorageKey, limit: usize) -> usize {
        state.clear_prefix(&self.prefix_of(part), limit)
    }

    /// All entries, ascending by key. Cost grows with the map: for views and genesis, not for the block path.
    pub fn entries(&self, state: &Overlay) -> BTreeMap<K, T>
    where
        K: ReadableKey + Ord,
    {
        self.entries_with(state, self.prefix.bytes())
    }

    /// As [`Self::entries`], of those whose keys begin with `part`. Cost grows with them.
    pub fn entries_under(&self, state: &Overlay, part: &impl StorageKey) -> BTreeMap<K, T>
    where
        K: ReadableKey + Ord,
    {
        self.entries_with(state, &self.prefix_of(part))
    }

    fn entries_with(&self, state: &Overlay, prefix: &[u8]) -> BTreeMap<K, T>
    where
        K: ReadableKey + Ord,
    {
        let mut found = BTreeMap::new();
        for key in state.keys_with_prefix(prefix, usize::MAX) {
            let value = state.get(&key).expect("a listed key has a value");
            let read = K::read(&mut &key[self.prefix.bytes().len()..]);
            let read = read.unwrap_or_else(|| self.prefix.damaged(&"a key"));
            found.insert(read, decode(&self.prefix, &value));
        }
        found
    }
}

impl<K: StorageKey + TypeInfo + 'static, T: Encode + Decode + TypeInfo + 'static> Describe for Map<K, T> {
    type Stored = T;

    fn shape(&self) -> (&'static str, StorageEntryType) {
        (self.prefix.item, map_type(K::hashers(), meta_type::<K>(), meta_type::<T>()))
    }
}

/// A value whose encoding always has the same size.
pub trait FixedSize: Encode + Decode {
    /// That size in bytes.
    const BYTES: usize;
}

/// A long list of fixed-size items per market and slot, in pages of [`ORDERS_PER_PAGE`]; each page is a SCALE `Vec`.
///
/// Appending and replacing touch one page and decode nothing else. The caller keeps the length.
pub struct Paged<T> {
    prefix: Prefix,
    of: PhantomData<fn() -> T>,
}

impl<T: FixedSize> Paged<T> {
    /// Declare the item.
    pub const fn new(pallet: &'static str, item: &'static str) -> Self {
        Self { prefix: Prefix::new(pallet, item), of: PhantomData }
    }

    fn page_key(&self, at: (MarketId, Slot), page: u32) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96);
        bytes.extend_from_slice(self.prefix.bytes());
        (at.0, at.1, page).hash_into(&mut bytes);
        bytes
    }

    /// Append `item` as number `len`.
    pub fn push(&self, state: &mut Overlay, at: (MarketId, Slot), len: u32, item: &T) {
        let key = self.page_key(at, len / ORDERS_PER_PAGE);
        let mut page = state.get(&key).unwrap_or_else(|| vec![0]);
        let in_page = len % ORDERS_PER_PAGE;
        let (before, after) = (Compact(in_page), Compact(in_page + 1));
        let width = Compact::<u32>::compact_len(&in_page);
        assert_eq!(page.get(..width), Some(&before.encode()[..]), "the caller keeps the length");
        page.splice(..width, after.encode());
        item.encode_to(&mut page);
        state.put(key, page);
    }

    /// Append `items` after the first `len`, each page written once.
    pub fn extend(&self, state: &mut Overlay, at: (MarketId, Slot), len: u32, items: &[T])
    where
        T: Clone,
    {
        let mut page = self.rest_of_page(state, at, len - len % ORDERS_PER_PAGE);
        assert_eq!(page.len(), (len % ORDERS_PER_PAGE) as usize, "the caller keeps the length");
        let (fill, more) = items.split_at(items.len().min(ORDERS_PER_PAGE as usize - page.len()));
        if fill.is_empty() {
            return;
        }
        page.extend_from_slice(fill);
        let number = len / ORDERS_PER_PAGE;
        state.put(self.page_key(at, number), page.encode());
        for (number, chunk) in (number + 1..).zip(more.chunks(ORDERS_PER_PAGE as usize)) {
            state.put(self.page_key(at, number), chunk.encode());
        }
    }

    /// Replace the page that begins with item number `first`; it keeps its length.
    pub fn put_page(&self, state: &mut Overlay, at: (MarketId, Slot), first: u32, items: &[T]) {
        state.put(self.page_key(at, first / ORDERS_PER_PAGE), items.encode());
    }

    /// Item number `index`, if its page holds it.
    pub fn get(&self, state: &Overlay, at: (MarketId, Slot), index: u32) -> Option<T> {
        state.read(&self.page_key(at, index / ORDERS_PER_PAGE), |page| {
            let page = page?;
            Some(decode(&self.prefix, &page[Self::range(page, index)?]))
        })
    }

    /// The items from number `index` to the end of its page: one read of the state.
    pub fn rest_of_page(&self, state: &Overlay, at: (MarketId, Slot), index: u32) -> Vec<T> {
        let Some(page) = state.get(&self.page_key(at, index / ORDERS_PER_PAGE)) else { return Vec::new() };
        let mut items = decode::<Vec<T>>(&self.prefix, &page);
        items.split_off(items.len().min((index % ORDERS_PER_PAGE) as usize))
    }

    /// What `look` makes of the encoded items of the page that begins with number `first`: for those who need a part
    /// of each, and no copy of the page.
    pub fn look_at_page<U>(
        &self,
        state: &Overlay,
        at: (MarketId, Slot),
        first: u32,
        look: impl FnMut(&[u8]) -> U,
    ) -> Vec<U> {
        state.read(&self.page_key(at, first / ORDERS_PER_PAGE), |page| {
            let mut items = page.unwrap_or(&[0]);
            let Compact(count): Compact<u32> = decode_part(&self.prefix, &mut items);
            if items.len() / T::BYTES != count as usize || !items.len().is_multiple_of(T::BYTES) {
                self.prefix.damaged(&"a page of another length");
            }
            items.chunks_exact(T::BYTES).map(look).collect()
        })
    }

    /// As [`Self::look_at_page`], of the first `len` items.
    pub fn look_at<U>(
        &self,
        state: &Overlay,
        at: (MarketId, Slot),
        len: u32,
        mut look: impl FnMut(&[u8]) -> U,
    ) -> Vec<U> {
        let mut items = Vec::with_capacity(len as usize);
        for page in 0..len.div_ceil(ORDERS_PER_PAGE) {
            items.append(&mut self.look_at_page(state, at, page * ORDERS_PER_PAGE, &mut look));
        }
        assert_eq!(items.len(), len as usize, "the caller keeps the length");
        items
    }

    /// Replace item number `index`.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn set(&self, state: &mut Overlay, at: (MarketId, Slot), index: u32, item: &T) {
        let key = self.page_key(at, index / ORDERS_PER_PAGE);
        let mut page = state.get(&key).expect("only existing items are replaced");
        let range = Self::range(&page, index).expect("only existing items are replaced");
        page[range].copy_from_slice(&item.encode());
        state.put(key, page);
    }

    /// The first `len` items of a list that is alive.
    ///
    /// # Panics
    /// If the list is shorter or gone: the runtime keeps the length, and asks no settled slot.
    pub fn load(&self, state: &Overlay, at: (MarketId, Slot), len: u32) -> Vec<T> {
        self.find(state, at, len).expect("the caller keeps the length")
    }

    /// The first `len` items, or `None` if they are not there: for readers, who may ask for a slot that is settled.
    pub fn find(&self, state: &Overlay, at: (MarketId, Slot), len: u32) -> Option<Vec<T>> {
        let mut items = Vec::new();
        for page in 0..len.div_ceil(ORDERS_PER_PAGE) {
            let page = self.page_key(at, page);
            items.append(
                &mut state.read(&page, |page| page.map(|page| decode::<Vec<T>>(&self.prefix, page)))?,
            );
        }
        (items.len() == len as usize).then_some(items)
    }

    /// Remove all pages of a list of `len` items.
    pub fn clear(&self, state: &mut Overlay, at: (MarketId, Slot), len: u32) {
        for page in 0..len.div_ceil(ORDERS_PER_PAGE) {
            state.delete(&self.page_key(at, page));
        }
    }

    fn range(page: &[u8], index: u32) -> Option<std::ops::Range<usize>> {
        let count = Compact::<u32>::decode(&mut &page[..]).ok()?.0;
        let in_page = index % ORDERS_PER_PAGE;
        if in_page >= count {
            return None;
        }
        let start = Compact::<u32>::compact_len(&count) + in_page as usize * T::BYTES;
        Some(start..start + T::BYTES)
    }
}

impl<T: FixedSize + TypeInfo + 'static> Describe for Paged<T> {
    type Stored = Vec<T>;

    fn shape(&self) -> (&'static str, StorageEntryType) {
        type Key = (MarketId, Slot, u32);
        (self.prefix.item, map_type(Key::hashers(), meta_type::<Key>(), meta_type::<Vec<T>>()))
    }
}

/// A value per market, slot and entity, [`ENTITIES_PER_PAGE`] entities under one key, so that a step that concerns
/// everybody writes few keys.
///
/// ```text
/// page   compact count | entity u32 little-endian | compact length | SCALE(T)   …, ascending by entity
/// ```
/// Reading and replacing one entity's value decodes no other's. A page without entities has no key.
pub struct PerEntity<T> {
    prefix: Prefix,
    of: PhantomData<fn() -> T>,
}

/// Where an entity's value stands in its page: its entry, and the value in it.
struct Entry {
    entry: Range<usize>,
    value: Range<usize>,
}

impl<T: Encode + Decode> PerEntity<T> {
    /// Declare the item.
    pub const fn new(pallet: &'static str, item: &'static str) -> Self {
        Self { prefix: Prefix::new(pallet, item), of: PhantomData }
    }

    fn page_key(&self, (market, slot, entity): &(MarketId, Slot, EntityId)) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96);
        bytes.extend_from_slice(self.prefix.bytes());
        (*market, *slot, entity.number() / ENTITIES_PER_PAGE).hash_into(&mut bytes);
        bytes
    }

    /// The entries of a page in order, with their entities.
    fn entries_of<'a>(&'a self, page: &'a [u8]) -> impl Iterator<Item = (EntityId, Entry)> + 'a {
        let mut rest = &page[Self::front(page).1..];
        std::iter::from_fn(move || {
            let start = page.len() - rest.len();
            let entity = (!rest.is_empty()).then(|| decode_part(&self.prefix, &mut rest))?;
            let length: Compact<u32> = decode_part(&self.prefix, &mut rest);
            let from = page.len() - rest.len();
            let value = from..from + length.0 as usize;
            rest = page.get(value.end..).unwrap_or_else(|| self.prefix.damaged(&"a page that is cut"));
            Some((entity, Entry { entry: start..value.end, value }))
        })
    }

    /// How many entries a page has, and in how many bytes it says so; an empty page says nothing.
    fn front(page: &[u8]) -> (u32, usize) {
        let count = Compact::<u32>::decode(&mut &page[..]).map_or(0, |count| count.0);
        (count, if page.is_empty() { 0 } else { Compact::<u32>::compact_len(&count) })
    }

    /// Replace the range `place` of a page, which then has `count` entries.
    fn splice(page: &mut Vec<u8>, place: Range<usize>, with: Vec<u8>, count: u32) {
        page.splice(place, with);
        let (_, width) = Self::front(page);
        page.splice(..width, Compact(count).encode());
    }

    /// The entity's entry, or the place to insert it.
    fn find(&self, page: &[u8], entity: EntityId) -> Result<Entry, usize> {
        let mut end = Self::front(page).1;
        for (other, entry) in self.entries_of(page) {
            match other.cmp(&entity) {
                Ordering::Less => end = entry.entry.end,
                Ordering::Equal => return Ok(entry),
                Ordering::Greater => break,
            }
        }
        Err(end)
    }

    /// The value, if set.
    pub fn get(&self, state: &Overlay, key: &(MarketId, Slot, EntityId)) -> Option<T> {
        state.read(&self.page_key(key), |page| {
            let page = page?;
            let found = self.find(page, key.2).ok()?;
            Some(decode(&self.prefix, &page[found.value]))
        })
    }

    /// Whether a value is set.
    pub fn contains(&self, state: &Overlay, key: &(MarketId, Slot, EntityId)) -> bool {
        state.read(&self.page_key(key), |page| page.is_some_and(|page| self.find(page, key.2).is_ok()))
    }

    /// Set a value.
    pub fn put(&self, state: &mut Overlay, key: &(MarketId, Slot, EntityId), value: &T) {
        let page_key = self.page_key(key);
        let mut page = state.get(&page_key).unwrap_or_else(|| vec![0]);
        let (count, _) = Self::front(&page);
        let (place, count) = match self.find(&page, key.2) {
            Ok(found) => (found.entry, count),
            Err(at) => (at..at, count + 1),
        };
        Self::splice(&mut page, place, (key.2, value.encode()).encode(), count);
        state.put(page_key, page);
    }

    /// Change the values of `entities`, which ascend. Each page is read and written once.
    ///
    /// # Panics
    /// If one has no value.
    pub fn change_each(
        &self,
        state: &mut Overlay,
        at: (MarketId, Slot),
        entities: &[EntityId],
        mut change: impl FnMut(EntityId, &mut T),
    ) {
        let page_of = |entity: &EntityId| entity.number() / ENTITIES_PER_PAGE;
        for own in entities.chunk_by(|a, b| page_of(a) == page_of(b)) {
            let key = self.page_key(&(at.0, at.1, own[0]));
            let mut page = state.get(&key).unwrap_or_default();
            for entity in own {
                let Ok(found) = self.find(&page, *entity) else { panic!("entity {entity} has no value") };
                let mut value = decode(&self.prefix, &page[found.value]);
                change(*entity, &mut value);
                page.splice(found.entry, (*entity, value.encode()).encode());
            }
            state.put(key, page);
        }
    }

    /// Remove a value.
    pub fn remove(&self, state: &mut Overlay, key: &(MarketId, Slot, EntityId)) {
        let page_key = self.page_key(key);
        let Some(mut page) = state.get(&page_key) else { return };
        let Ok(found) = self.find(&page, key.2) else { return };
        let (count, _) = Self::front(&page);
        if count == 1 {
            state.delete(&page_key);
        } else {
            Self::splice(&mut page, found.entry, Vec::new(), count - 1);
            state.put(page_key, page);
        }
    }

    /// Remove a page of a slot and give its values, ascending by entity.
    pub fn take_page(&self, state: &mut Overlay, at: (MarketId, Slot), page: u32) -> Vec<(EntityId, T)> {
        let first = EntityId::from_number(page * ENTITIES_PER_PAGE);
        let key = self.page_key(&(at.0, at.1, first));
        let Some(page) = state.get(&key) else { return Vec::new() };
        state.delete(&key);
        let values = self.entries_of(&page);
        values.map(|(entity, entry)| (entity, decode(&self.prefix, &page[entry.value]))).collect()
    }

    /// All values, ascending by key. Cost grows with the item: for views, not for the block path.
    pub fn entries(&self, state: &Overlay) -> BTreeMap<(MarketId, Slot, EntityId), T> {
        let prefix = self.prefix.bytes();
        let mut found = BTreeMap::new();
        for key in state.keys_with_prefix(prefix, usize::MAX) {
            let page = state.get(&key).expect("a listed key has a value");
            let read = <(MarketId, Slot, u32)>::read(&mut &key[prefix.len()..]);
            let (market, slot, _) = read.unwrap_or_else(|| self.prefix.damaged(&"a key"));
            let values = self.entries_of(&page);
            found.extend(
                values.map(|(entity, entry)| {
                    ((market, slot, entity), decode(&self.prefix, &page[entry.value]))
                }),
            );
        }
        found
    }
}

/// A value behind its length, as pages of [`PerEntity`] hold it: `frame_support::traits::WrapperOpaque`.
struct Opaque<T>(PhantomData<fn() -> T>);

impl<T: TypeInfo + 'static> TypeInfo for Opaque<T> {
    type Identity = Self;

    fn type_info() -> Type {
        Type::builder()
            .path(Path::new("WrapperOpaque", "frame_support::traits::misc"))
            .type_params(vec![TypeParameter::new("T", Some(meta_type::<T>()))])
            .composite(Fields::unnamed().field(|f| f.compact::<u32>()).field(|f| f.ty::<T>().type_name("T")))
    }
}

impl<T: Encode + Decode + TypeInfo + 'static> Describe for PerEntity<T> {
    type Stored = Vec<(EntityId, Vec<u8>)>;

    fn shape(&self) -> (&'static str, StorageEntryType) {
        type Key = (MarketId, Slot, u32);
        let page = meta_type::<Vec<(EntityId, Opaque<T>)>>();
        (self.prefix.item, map_type(Key::hashers(), meta_type::<Key>(), page))
    }
}

/// A value per pair of numbers, in their order: for those who look for the first one from somewhere on.
///
/// Layout of a key: prefix ++ u64 big-endian ++ u64 big-endian. Only for numbers that the chain chooses.
pub struct Ordered<T> {
    prefix: Prefix,
    of: PhantomData<fn() -> T>,
}

impl<T: Encode + Decode> Ordered<T> {
    /// Declare the item.
    pub const fn new(pallet: &'static str, item: &'static str) -> Self {
        Self { prefix: Prefix::new(pallet, item), of: PhantomData }
    }

    fn key(&self, key: (u64, u64)) -> Vec<u8> {
        let mut bytes = self.prefix.bytes().to_vec();
        bytes.extend_from_slice(&key.0.to_be_bytes());
        bytes.extend_from_slice(&key.1.to_be_bytes());
        bytes
    }

    /// The value, if set.
    pub fn get(&self, state: &Overlay, key: (u64, u64)) -> Option<T> {
        state.get(&self.key(key)).map(|bytes| decode(&self.prefix, &bytes))
    }

    /// Set a value.
    pub fn put(&self, state: &mut Overlay, key: (u64, u64), value: &T) {
        state.put(self.key(key), value.encode());
    }

    /// Remove a value.
    pub fn remove(&self, state: &mut Overlay, key: (u64, u64)) {
        state.delete(&self.key(key));
    }

    /// The first key that has a value and is not before `from`.
    pub fn first(&self, state: &Overlay, from: (u64, u64)) -> Option<(u64, u64)> {
        let from_key = self.key(from);
        if state.exists(&from_key) {
            return Some(from);
        }
        let key = state.next_key(&from_key)?;
        let rest: &[u8; 16] = key.strip_prefix(self.prefix.bytes())?.try_into().ok()?;
        let (first, second) = rest.split_at(8);
        let number = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().expect("eight bytes"));
        Some((number(first), number(second)))
    }
}

impl<T: Encode + Decode + TypeInfo + 'static> Describe for Ordered<T> {
    type Stored = T;

    fn shape(&self) -> (&'static str, StorageEntryType) {
        let key = meta_type::<([u8; 8], [u8; 8])>();
        (self.prefix.item, map_type(vec![StorageHasher::Identity; 2], key, meta_type::<T>()))
    }
}

/// The queue of things to do at a time: keys sort by (time, market, slot), values are empty.
///
/// Layout of a key: prefix ++ time u64 big-endian ++ market u32 big-endian ++ slot u32 big-endian.
pub struct Agenda {
    prefix: Prefix,
}

/// One entry of the agenda: at or after `time`, something is due for this market and slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// Milliseconds since the epoch.
    pub time_ms: u64,
    /// Market.
    pub market: MarketId,
    /// Slot.
    pub slot: Slot,
}

impl Agenda {
    /// Declare the item.
    pub const fn new(pallet: &'static str, item: &'static str) -> Self {
        Self { prefix: Prefix::new(pallet, item) }
    }

    fn key(&self, due: Due) -> Vec<u8> {
        let mut key = self.prefix.bytes().to_vec();
        key.extend_from_slice(&due.time_ms.to_be_bytes());
        key.extend_from_slice(&due.market.number().to_be_bytes());
        key.extend_from_slice(&due.slot.number().to_be_bytes());
        key
    }

    /// Add an entry.
    pub fn insert(&self, state: &mut Overlay, due: Due) {
        state.put(self.key(due), Vec::new());
    }

    /// Remove an entry.
    pub fn remove(&self, state: &mut Overlay, due: Due) {
        state.delete(&self.key(due));
    }

    /// The earliest entry that is not before `from`.
    pub fn first(&self, state: &Overlay, from: Due) -> Option<Due> {
        if state.exists(&self.key(from)) { Some(from) } else { self.next(state, Some(from)) }
    }

    /// The earliest entry after `after`, or the earliest of all.
    pub fn next(&self, state: &Overlay, after: Option<Due>) -> Option<Due> {
        let prefix = self.prefix.bytes();
        let from = after.map_or_else(|| prefix.to_vec(), |due| self.key(due));
        let key = state.next_key(&from)?;
        let rest: &[u8; 16] = key.strip_prefix(prefix)?.try_into().ok()?;
        let (time, ids) = rest.split_at(8);
        let (market, slot) = ids.split_at(4);
        let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().expect("four bytes"));
        Some(Due {
            time_ms: u64::from_be_bytes(time.try_into().expect("eight bytes")),
            market: MarketId::from_number(number(market)),
            slot: Slot::from_number(number(slot)),
        })
    }
}

impl Describe for Agenda {
    type Stored = ();

    fn shape(&self) -> (&'static str, StorageEntryType) {
        let key = meta_type::<([u8; 8], [u8; 4], [u8; 4])>();
        (self.prefix.item, map_type(vec![StorageHasher::Identity; 3], key, meta_type::<()>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime_state::MemoryState;

    impl FixedSize for u32 {
        const BYTES: usize = 4;
    }

    #[test]
    fn entities_of_a_page_do_not_disturb_each_other() {
        static PAGES: PerEntity<Vec<u8>> = PerEntity::new("Test", "Pages");
        let empty = MemoryState::new();
        let mut state = Overlay::new(&empty);
        let mut expected = BTreeMap::new();
        let key =
            |slot, entity| (MarketId::from_number(1), Slot::from_number(slot), EntityId::from_number(entity));
        // A multiplicative walk: three pages of two slots, in no order, values of several lengths; every third goes.
        let walk = |step: u32| (step * 7 % 2, step * 29 % (2 * ENTITIES_PER_PAGE + 5));
        for step in 0..200u32 {
            let (slot, entity) = walk(step);
            let key = key(slot, entity);
            assert_eq!(PAGES.contains(&state, &key), expected.contains_key(&key));
            if step % 3 == 2 {
                PAGES.remove(&mut state, &key);
                expected.remove(&key);
            } else {
                let value = vec![0; (step % 80) as usize];
                PAGES.put(&mut state, &key, &value);
                expected.insert(key, value);
            }
            assert_eq!(PAGES.get(&state, &key), expected.get(&key).cloned());
            assert_eq!(PAGES.entries(&state), expected);
        }
        assert!(state.keys_with_prefix(PAGES.prefix.bytes(), usize::MAX).len() <= 6);
        let keys: Vec<_> = expected.keys().copied().collect();
        keys.iter().for_each(|key| PAGES.remove(&mut state, key));
        assert_eq!(state.keys_with_prefix(PAGES.prefix.bytes(), usize::MAX), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn the_rest_of_a_page_ends_where_the_page_does() {
        static LIST: Paged<u32> = Paged::new("Test", "List");
        let empty = MemoryState::new();
        let mut state = Overlay::new(&empty);
        let at = (MarketId::from_number(1), Slot::from_number(2));
        assert_eq!(LIST.rest_of_page(&state, at, 0), []);
        let len = ORDERS_PER_PAGE + 1;
        (0..len).for_each(|item| LIST.push(&mut state, at, item, &item));
        for (from, expected) in [
            (0, 0..ORDERS_PER_PAGE),
            (7, 7..ORDERS_PER_PAGE),
            (ORDERS_PER_PAGE - 1, ORDERS_PER_PAGE - 1..ORDERS_PER_PAGE),
        ] {
            assert_eq!(LIST.rest_of_page(&state, at, from), expected.collect::<Vec<_>>(), "{from}");
        }
        assert_eq!(LIST.rest_of_page(&state, at, ORDERS_PER_PAGE), [ORDERS_PER_PAGE]);
        for beyond in [len, 2 * ORDERS_PER_PAGE, u32::MAX] {
            assert_eq!(LIST.rest_of_page(&state, at, beyond), [], "{beyond}");
        }
    }
}

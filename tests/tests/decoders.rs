//! Bytes that are no message, at every decoder: each says no, none panics, none allocates more than its input warrants.
//!
//! Samples are what a real slot left behind. A changed sample that still decodes must encode to the very same bytes: one
//! value has one encoding. `BUSBAR_SEED` sets the seed; a failure prints it.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../contracts/testing/books.rs"]
#[allow(dead_code, reason = "only the generator is used")]
mod books;

use books::Random;
use busbar_tests::machine::on_vm_thread;
use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use commonware_codec::{Decode as _, Encode as _};
use commonware_runtime::IoBuf;
use contract_interface::{
    Admission, AdmitInput, Book, ClearParams, Clearing, Descriptor, ExecutionList, INTERFACE, LangError,
    NetPosition, Op, Order, OrderRequest, Reading, RuleError, RuleResult, SettleInput, SettlementReport,
    Side, Stage, StageRecord, Terms, TradeOrder, TransferRecord, Vote,
};
use host_consensus::network::{Carried, Kind, Told};
use host_node::checkpoint::{Certificate, Checkpoint, SetMember};
use host_node::snapshot::inspect;
use meter::{Peak, allocated};
use parity_scale_codec::{Decode, DecodeAll, Encode};
use runtime_execution::archive::{
    AdjustmentRecord, ClearingRecord, Consent, CurtailRecord, HoldRecord, SettleRecord, SignedReading, tables,
};
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::markets::adjustments::{Adjustment, Grounds};
use runtime_execution::modules::markets::{self, RECORDS};
use runtime_execution::{Call, EventRecord, GenesisConfig, Outcome, Receipt};
use runtime_primitives::crypto::Signature;
use runtime_primitives::{
    AccountId, Energy, EntityId, Hash, Header, MerkleProof, MerkleTree, Money, OrderedBlock, Seq,
};
use runtime_state::{State, StateProof, verify_proof};

/// Counts what a thread has allocated.
mod meter {
    #![allow(
        unsafe_code,
        reason = "an allocator that counts is the only way to see what a decoder allocates"
    )]

    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;

    /// The system's allocator with a counter.
    pub struct Peak;

    thread_local! {
        static LIVE: Cell<usize> = const { Cell::new(0) };
        static MOST: Cell<usize> = const { Cell::new(0) };
    }

    fn grown(bytes: usize) {
        let live = LIVE.get().saturating_add(bytes);
        LIVE.set(live);
        MOST.set(MOST.get().max(live));
    }

    // SAFETY: every call is handed to the system's allocator unchanged; the counters allocate nothing.
    unsafe impl GlobalAlloc for Peak {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            grown(layout.size());
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
            LIVE.set(LIVE.get().saturating_sub(layout.size()));
            unsafe { System.dealloc(at, layout) }
        }
    }

    /// What `body` allocates at most at one time, in bytes.
    pub fn allocated<T>(body: impl FnOnce() -> T) -> (T, usize) {
        let before = LIVE.get();
        MOST.set(before);
        let result = body();
        (result, MOST.get() - before)
    }
}

#[global_allocator]
static ALLOCATOR: Peak = Peak;

/// Bytes that a decoder may allocate whatever its input: the codec reserves in steps of this size.
const STEP: usize = 64 << 10;
/// Bytes that it may allocate for each byte of input: an empty list in a list is one byte and 24 in memory, and lists
/// grow by doubling.
const BYTES_PER_BYTE: usize = 96;

struct Decoder {
    name: &'static str,
    samples: Vec<Vec<u8>>,
    /// Decodes all of the input and encodes it again.
    decode: fn(&[u8]) -> Option<Vec<u8>>,
}

fn decoder<T: DecodeAll + Encode>(name: &'static str, samples: Vec<Vec<u8>>) -> Decoder {
    assert!(!samples.is_empty(), "{name} has a sample");
    let decode = |bytes: &[u8]| Some(T::decode_all(&mut &bytes[..]).ok()?.encode());
    Decoder { name, samples, decode }
}

fn of<T: DecodeAll + Encode>(name: &'static str, values: impl IntoIterator<Item = T>) -> Decoder {
    decoder::<T>(name, values.into_iter().map(|value| value.encode()).collect())
}

impl Decoder {
    fn check(&self, bytes: &[u8], seed: u64) {
        let (again, most) = allocated(|| (self.decode)(bytes));
        if let Some(again) = again {
            assert_eq!(again, bytes, "{}: one value has one encoding; seed {seed}", self.name);
        }
        let limit = STEP + BYTES_PER_BYTE * bytes.len();
        assert!(most <= limit, "{}: {most} bytes for an input of {}; seed {seed}", self.name, bytes.len());
    }
}

/// A world with a settled slot and a second open one.
fn settled() -> World {
    let mut world = World::new(&Plan { homes: 3, ..Plan::default() });
    world.open(FIRST);
    let grid = world.owners[entities::GRID as usize].clone();
    let items = vec![(world.homes[2].meter, Energy::from_wh(500))];
    world.chain.must(&grid, markets::Call::Curtail { market: MARKET, slot: FIRST, items, reason: 1 });
    world.place(0, FIRST, Side::Sell, 4_000, 6_000);
    world.place(1, FIRST, Side::Buy, 4_000, 6_700);
    world.finish(FIRST, &[(0, 4_000), (3_000, 0), (100, 0)]);
    let (payee, amount) = (world.homes[1].entity, Money::from_units(7));
    let items = vec![Adjustment { payee, amount, trade: Some(0), meter: Some(world.homes[0].meter) }];
    let grounds = Grounds { evidence: Hash([1; 32]), reason: 2 };
    let owner = world.homes[0].owner.clone();
    world.chain.must(&owner, markets::Call::Adjust { market: MARKET, slot: FIRST, items, grounds });
    world
}

fn archive(world: &World, table: u8) -> Vec<Vec<u8>> {
    world.chain.archived(table).take(20).map(|row| row.value.clone()).collect()
}

fn leaves(world: &World, stage: Stage) -> Vec<Vec<u8>> {
    world.chain.leaves((MARKET, FIRST), stage)
}

fn of_the_chain(world: &World) -> Vec<Decoder> {
    let past = &world.chain.past;
    let key = RECORDS.key(&(MARKET, FIRST, Stage::Settlement));
    let absent = world.chain.state.prove(b"nothing");
    let trades = leaves(world, Stage::Declaration);
    let proofs = (0..2).map(|index| MerkleTree::new(&trades).prove(index).unwrap());
    vec![
        of("OrderedBlock", past.iter().map(|past| past.ordered.clone())),
        of::<Header>("Header", past.iter().map(|past| past.header.clone())),
        of::<Vec<EventRecord>>("events", past.iter().map(|past| past.events.clone())),
        of::<Vec<Receipt>>("receipts", past.iter().map(|past| past.receipts.clone())),
        of::<GenesisConfig>("GenesisConfig", [world.genesis.clone()]),
        of::<Call>("Call", calls(world)),
        of::<StateProof>("StateProof", [world.chain.state.prove(&key), absent]),
        of::<MerkleProof>("MerkleProof", proofs),
    ]
}

/// What peers send that this program decodes itself.
fn of_the_network(world: &World) -> Vec<Decoder> {
    let blocks = world.chain.past.iter().map(|past| past.ordered.clone());
    let carried = blocks.map(|block| Carried::genesis(block).encode_mut().to_vec()).collect();
    let decode = |bytes: &[u8]| {
        let carried = Carried::decode_cfg(IoBuf::from(bytes.to_vec()), &Carried::limits()).ok()?;
        Some(carried.encode_mut().to_vec())
    };
    let extrinsics = world.chain.past.iter().map(|past| past.ordered.extrinsics.clone());
    let told = extrinsics.map(|items| Told { kind: Kind::Extrinsics, items }.encode()).collect();
    let hear = |bytes: &[u8]| Some(Told::from_bytes(bytes)?.encode());
    vec![
        Decoder { name: "Carried", samples: carried, decode },
        Decoder { name: "Told", samples: told, decode: hear },
        Decoder { name: "snapshot", samples: vec![snapshot(world)], decode: form_of_snapshot },
    ]
}

/// A snapshot by its form: what it says is not so.
fn snapshot(world: &World) -> Vec<u8> {
    let part = |bytes: Vec<u8>| [&u32::try_from(bytes.len()).unwrap().to_le_bytes()[..], &bytes].concat();
    let header = world.chain.past[0].header.clone();
    let member = SetMember { entity: EntityId::from_number(1), session_key: AccountId([7; 32]) };
    let checkpoint =
        Checkpoint { epoch: 0, number: 1, header: header.hash(), set: Hash::ZERO, next: Some(vec![member]) };
    let signatures = vec![(AccountId([7; 32]), Signature([9; 64]))];
    let entry = |key: &[u8], value: &[u8]| {
        let (key_bytes, value_bytes) =
            (u16::try_from(key.len()).unwrap(), u32::try_from(value.len()).unwrap());
        [&key_bytes.to_le_bytes()[..], &value_bytes.to_le_bytes(), key, value].concat()
    };
    [
        &b"busbar-snapshot\n"[..],
        &1u32.to_le_bytes(),
        &[3; 32],
        &1u32.to_le_bytes(),
        &part(Certificate { checkpoint, signatures }.encode()),
        &2u32.to_le_bytes(),
        &part(header.encode()),
        &part(header.encode()),
        &[4; 32],
        &part(world.chain.past[0].ordered.encode()),
        &part(vec![5; 200]),
        &entry(b"a key", &[1; 300]),
        &entry(b"b", &[]),
        &[0, 0],
        &2u64.to_le_bytes(),
    ]
    .concat()
}

/// What has the form of a snapshot is read to its last byte.
fn form_of_snapshot(bytes: &[u8]) -> Option<Vec<u8>> {
    let content = inspect(bytes, &mut |_| {}).ok()?;
    Some(bytes[..usize::try_from(content.bytes).ok()?].to_vec())
}

fn calls(world: &World) -> Vec<Call> {
    let extrinsics = world.chain.past.iter().flat_map(|past| &past.ordered.extrinsics);
    extrinsics.map(|bytes| UncheckedExtrinsic::from_bytes(bytes).unwrap().call).collect()
}

fn of_the_archive(world: &World) -> Vec<Decoder> {
    vec![
        decoder::<TransferRecord>("TransferRecord", archive(world, tables::LEDGER)),
        decoder::<Consent>("Consent", archive(world, tables::CONSENT)),
        decoder::<ExecutionList>("ExecutionList", archive(world, tables::LIST)),
        decoder::<ClearingRecord>("ClearingRecord", archive(world, tables::CLEARING)),
        decoder::<SettleRecord>("SettleRecord", archive(world, tables::SETTLE)),
        decoder::<SignedReading>("SignedReading", archive(world, tables::READING)),
        decoder::<HoldRecord>("HoldRecord", archive(world, tables::HOLD)),
        decoder::<AdjustmentRecord>("AdjustmentRecord", archive(world, tables::ADJUSTMENT)),
        decoder::<CurtailRecord>("CurtailRecord", archive(world, tables::CURTAIL)),
        decoder::<Order>("Order", leaves(world, Stage::Declaration)),
        decoder::<TradeOrder>("TradeOrder", leaves(world, Stage::Matching)),
        decoder::<Vote>("Vote", leaves(world, Stage::Certification)),
        decoder::<NetPosition>("NetPosition", leaves(world, Stage::Clearing)),
    ]
}

fn of_the_interface(world: &World) -> Vec<Decoder> {
    let settle = SettleRecord::decode(&mut &archive(world, tables::SETTLE)[0][..]).unwrap();
    let clear = ClearingRecord::decode(&mut &archive(world, tables::CLEARING)[0][..]).unwrap();
    let (params, book) = <(ClearParams, Book)>::decode(&mut &clear.input[..]).unwrap();
    let clearing = Clearing::decode(&mut &clear.output[..]).unwrap();
    let Book::Auction(orders) = &book else { unreachable!() };
    let ops = vec![Op::New(orders[0]), Op::Cancel { seq: Seq::from_number(3), target: Seq::ZERO }];
    let continuous = Book::Continuous { resting: orders.clone(), ops };
    let request: OrderRequest = world.request(0, FIRST, Side::Sell, 100, 6_000);
    let admit = AdmitInput {
        interface: INTERFACE,
        request: request.clone(),
        entity: world.homes[0].entity,
        roles: 1,
        params,
        orders_in_slot: 2,
        orders_of_entity: 1,
        p_max_w: 66_000,
        memo: vec![7; 30],
    };
    let reading = SignedReading::decode(&mut &archive(world, tables::READING)[0][..]).unwrap().reading;
    let record = RECORDS.get(&world.chain.view(), &(MARKET, FIRST, Stage::Settlement)).unwrap();
    let answers: Vec<RuleResult<Clearing>> =
        vec![Ok(Ok(clearing.clone())), Ok(Err(RuleError::Custom(7))), Err(LangError::CouldNotReadInput)];
    vec![
        of::<Terms>("Terms", [world.terms.clone()]),
        of::<Descriptor>("Descriptor", [contract_high_low::DESCRIPTOR]),
        of::<(ClearParams, Book)>("clear input", [(params, book), (params, continuous)]),
        of::<Clearing>("Clearing", [clearing]),
        of::<RuleResult<Clearing>>("clear answer", answers),
        of::<SettleInput>("SettleInput", [settle.input]),
        of::<SettlementReport>("SettlementReport", [settle.report]),
        of::<OrderRequest>("OrderRequest", [request]),
        of::<AdmitInput>("AdmitInput", [admit]),
        of::<Admission>("Admission", [Admission::Accept { memo: vec![1, 2] }, Admission::Refuse { rule: 3 }]),
        of::<Reading>("Reading", [reading]),
        of::<StageRecord>("StageRecord", [record]),
    ]
}

fn seed() -> u64 {
    let seed = std::env::var("BUSBAR_SEED").map_or(1, |seed| seed.parse().expect("BUSBAR_SEED is a number"));
    println!("BUSBAR_SEED={seed}");
    seed
}

fn byte(random: &mut Random) -> u8 {
    random.bits().to_le_bytes()[0]
}

fn index(random: &mut Random, length: usize) -> usize {
    random.below(u32::try_from(length).unwrap()) as usize
}

/// The sample with some bytes cut, added, changed or made enormous (a compact length of almost 4 GiB).
fn spoiled(random: &mut Random, sample: &[u8]) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for _ in 0..=random.below(3) {
        if bytes.is_empty() {
            break;
        }
        let at = index(random, bytes.len());
        let end = (at + 4).min(bytes.len());
        match random.below(5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, byte(random)),
            2 => drop(bytes.splice(at..end, [0xfe, 0xff, 0xff, 0xff])),
            3 => drop(bytes.remove(at)),
            _ => bytes[at] = byte(random),
        }
    }
    bytes
}

#[test]
fn no_decoder_panics_or_hoards() {
    let seed = seed();
    let mut random = Random(seed);
    on_vm_thread(|| {
        let world = settled();
        let network = of_the_network(&world);
        let decoders = [of_the_chain(&world), of_the_archive(&world), of_the_interface(&world), network];
        for decoder in decoders.iter().flatten() {
            for sample in &decoder.samples {
                assert_eq!(
                    (decoder.decode)(sample).as_ref(),
                    Some(sample),
                    "{}: the sample itself",
                    decoder.name
                );
            }
            for _ in 0..400 {
                let sample = &decoder.samples[index(&mut random, decoder.samples.len())];
                decoder.check(&spoiled(&mut random, sample), seed);
                decoder.check(&sample[..index(&mut random, sample.len().max(1))], seed);
                let noise: Vec<u8> = (0..random.below(300)).map(|_| byte(&mut random)).collect();
                decoder.check(&noise, seed);
            }
        }
    });
}

#[test]
fn spoiled_proofs_prove_nothing_else() {
    let seed = seed();
    let mut random = Random(seed);
    on_vm_thread(|| {
        let world = settled();
        let root = world.chain.state.root();
        let rows: Vec<(Vec<u8>, Vec<u8>)> = world.chain.rows().into_iter().collect();
        let orders = leaves(&world, Stage::Declaration);
        let tree = MerkleTree::new(&orders);
        for _ in 0..1_500 {
            let (key, value) = &rows[index(&mut random, rows.len())];
            let spoilt = spoiled(&mut random, &world.chain.state.prove(key).encode());
            if let Ok(proof) = StateProof::decode_all(&mut &spoilt[..])
                && let Ok(shown) = verify_proof(&root, key, &proof)
            {
                assert_eq!(shown, Some(runtime_primitives::blake2_256(value)), "seed {seed}");
            }
            let leaf = random.below(2);
            let spoilt = spoiled(&mut random, &tree.prove(leaf).unwrap().encode());
            if let Ok(proof) = MerkleProof::decode_all(&mut &spoilt[..])
                && proof.verify(&orders[leaf as usize], &tree.root())
            {
                assert_eq!(proof.index, leaf, "seed {seed}");
            }
        }
    });
}

#[test]
fn blocks_of_spoiled_extrinsics_execute() {
    let seed = seed();
    let mut random = Random(seed);
    on_vm_thread(|| {
        let world = settled();
        let valid: Vec<Vec<u8>> =
            world.chain.past.iter().flat_map(|past| past.ordered.extrinsics.clone()).collect();
        let mut fork = world.clone();
        for _ in 0..8 {
            for _ in 0..150 {
                let bytes = &valid[index(&mut random, valid.len())];
                let spoilt = spoiled(&mut random, bytes);
                let (_, most) = allocated(|| UncheckedExtrinsic::from_bytes(&spoilt).is_ok());
                assert!(most <= STEP + BYTES_PER_BYTE * spoilt.len(), "{most} bytes; seed {seed}");
                fork.chain.submit_bytes(spoilt);
            }
            let receipts = &fork.chain.block().receipts;
            let skipped =
                receipts.iter().filter(|receipt| matches!(receipt.outcome, Outcome::Skipped { .. }));
            assert_eq!(
                skipped.count(),
                receipts.len(),
                "nothing spoilt or repeated is included; seed {seed}"
            );
        }
    });
}

#[test]
fn enormous_promises_are_not_believed() {
    let four_gib = [0xfe, 0xff, 0xff, 0xff];
    type Decoding = fn(&[u8]) -> bool;
    let rows: [(&str, Vec<u8>, Decoding); 5] = [
        ("an order list of 2^30", four_gib.to_vec(), |bytes| Vec::<Order>::decode(&mut &bytes[..]).is_ok()),
        ("a block of 2^30 extrinsics", [&[0; 56][..], &four_gib].concat(), |bytes| {
            OrderedBlock::decode(&mut &bytes[..]).is_ok()
        }),
        ("an extrinsic of 2^30 bytes", four_gib.to_vec(), |bytes| {
            UncheckedExtrinsic::from_bytes(bytes).is_ok()
        }),
        ("a proof of 2^30 siblings", [&[0][..], &four_gib].concat(), |bytes| {
            StateProof::decode(&mut &bytes[..]).is_ok()
        }),
        ("a book of 2^30 orders", [&[0][..], &four_gib].concat(), |bytes| {
            Book::decode(&mut &bytes[..]).is_ok()
        }),
    ];
    for (name, bytes, decode) in rows {
        let padded = [&bytes[..], &[1; 1_000]].concat();
        for bytes in [bytes, padded] {
            let (decoded, most) = allocated(|| decode(&bytes));
            assert!(!decoded, "{name}");
            assert!(most <= STEP + BYTES_PER_BYTE * bytes.len(), "{name}: {most} bytes");
        }
    }
}

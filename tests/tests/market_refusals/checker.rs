//! What the checker refuses: signatures, nonces, eras, chains, keys, bytes.

use super::scenes::{BUYER, BYSTANDER, SELLER, Scene};
use super::{Attempt, Row, Wrong, row};
use busbar_tests::keyring;
use busbar_tests::world::{FIRST, MARKET, World};
use contract_interface::{ReadingStatus, Side};
use parity_scale_codec::{Compact, Encode};
use runtime_execution::extrinsic::{Era, Extra, MultiAddress, UncheckedExtrinsic};
use runtime_execution::modules::markets::ConfirmItem;
use runtime_execution::modules::system::Weight;
use runtime_execution::modules::{balances, contracts, markets, payment, registry, system};
use runtime_execution::{Call, Invalid};
use runtime_primitives::crypto::Signature;
use runtime_primitives::limits::{BLOCK_GAS_MAX, EXTRINSIC_BYTES_MAX};
use runtime_primitives::{AccountId, Gas, Hash, Money};

fn note() -> Call {
    Call::System(system::Call::Remark { remark: b"note".to_vec() })
}

const fn extra(nonce: u32) -> Extra {
    Extra { era: Era::Immortal, nonce, tip: 0, metadata_hash_mode: 0 }
}

/// A note of the seller's owner, with something wrong about it.
fn odd(world: &World, extra: Extra, genesis: &Hash, birth: &Hash) -> Vec<u8> {
    let owner = &world.homes[SELLER].owner;
    UncheckedExtrinsic::signed(&note(), owner.account(), extra, genesis, birth, |message| owner.sign(message))
}

fn own_nonce(world: &World) -> u32 {
    world.chain.next_nonce(&world.homes[SELLER].account())
}

fn bad_signature(world: &World) -> Wrong {
    Invalid::BadSignature { signer: world.homes[SELLER].account() }.into()
}

pub fn rows() -> Vec<Row> {
    let mut rows = signatures();
    rows.extend(eras());
    rows.extend(bytes());
    rows
}

fn signatures() -> Vec<Row> {
    vec![
        row("bad signature: another key's", Scene::Open, |world| {
            let (signer, other) = (world.homes[SELLER].account(), &world.homes[BUYER].owner);
            let genesis = world.chain.genesis;
            let sign = |message: &[u8]| other.sign(message);
            let extra = extra(own_nonce(world));
            let bytes = UncheckedExtrinsic::signed(&note(), signer, extra, &genesis, &genesis, sign);
            (bytes, bad_signature(world))
        }),
        row("bad signature: of another call", Scene::Open, |world| {
            let mut bytes = world.chain.signed(&world.homes[SELLER].owner, &note());
            *bytes.last_mut().unwrap() ^= 1;
            (bytes, bad_signature(world))
        }),
        row("other chain's genesis", Scene::Open, |world| {
            let other = Hash([9; 32]);
            (odd(world, extra(own_nonce(world)), &other, &other), bad_signature(world))
        }),
        row("all-zero key", Scene::Open, |world| {
            let genesis = world.chain.genesis;
            // A signature that holds for this key whatever the message: R and s are zero.
            let mut forged = [0; 64];
            forged[63] = 128;
            let sign = |_: &[u8]| Signature(forged);
            let (zero, extra) = (AccountId::ZERO, extra(0));
            let bytes = UncheckedExtrinsic::signed(&note(), zero, extra, &genesis, &genesis, sign);
            (bytes, Invalid::ZeroKey.into())
        }),
        row("unregistered account", Scene::Open, |world| {
            let stranger = keyring::key("stranger");
            let bytes = world.chain.signed(&stranger, &note());
            (bytes, Invalid::Unregistered { signer: stranger.account() }.into())
        }),
        row("expired delegate", Scene::Open, |world| {
            let key = keyring::key("guest");
            let expires = Some(world.chain.now.plus_ms(1_000));
            let call = registry::Call::AddDelegate {
                key: key.account(),
                scopes: 2,
                expires,
                caps: registry::Caps::default(),
            };
            let owner = world.homes[SELLER].owner.clone();
            world.chain.must(&owner, call);
            (world.chain.signed(&key, &note()), Invalid::Unregistered { signer: key.account() }.into())
        }),
        row("stale nonce", Scene::Open, |world| {
            let genesis = world.chain.genesis;
            let next = own_nonce(world);
            (
                odd(world, extra(next - 1), &genesis, &genesis),
                Invalid::StaleNonce { got: next - 1, next }.into(),
            )
        }),
        row("future nonce", Scene::Open, |world| {
            let genesis = world.chain.genesis;
            let next = own_nonce(world);
            (
                odd(world, extra(next + 1), &genesis, &genesis),
                Invalid::FutureNonce { got: next + 1, next }.into(),
            )
        }),
        row("metadata hash", Scene::Open, |world| {
            let genesis = world.chain.genesis;
            let extra = Extra { metadata_hash_mode: 1, ..extra(own_nonce(world)) };
            (odd(world, extra, &genesis, &genesis), Invalid::MetadataHashMode(1).into())
        }),
        row("replayed extrinsic", Scene::Open, |world| {
            let owner = world.homes[SELLER].owner.clone();
            let next = own_nonce(world);
            let bytes = world.chain.signed(&owner, &note());
            world.chain.submit_bytes(bytes.clone());
            world.chain.block_of_successes();
            (bytes, Invalid::StaleNonce { got: next, next: next + 1 }.into())
        }),
    ]
}

fn eras() -> Vec<Row> {
    vec![
        row("expired era", Scene::Open, |world| {
            let birth = world.chain.header.number / 4 * 4;
            let era = Era::mortal(4, birth);
            let hash = system::BLOCK_HASH.get(&world.chain.view(), &u32::try_from(birth).unwrap()).unwrap();
            let owner = world.homes[SELLER].owner.clone();
            let bytes = world.chain.signed_with(&owner, &note(), own_nonce(world), era, &hash);
            for _ in 0..4 {
                world.chain.block();
            }
            let current = world.chain.header.number;
            (bytes, Invalid::Expired { birth, current }.into())
        }),
        row("era that has not begun", Scene::Before, |world| {
            let current = world.chain.header.number;
            let era = Era::Mortal { period: 64, phase: 60 };
            let extra = Extra { era, ..extra(own_nonce(world)) };
            let genesis = world.chain.genesis;
            assert!(current < 60);
            (odd(world, extra, &genesis, &genesis), Invalid::Expired { birth: 60, current }.into())
        }),
        row("era with another fork's birth block", Scene::Open, |world| {
            let era = Era::mortal(64, world.chain.header.number);
            let extra = Extra { era, ..extra(own_nonce(world)) };
            let genesis = world.chain.genesis;
            (odd(world, extra, &genesis, &Hash([3; 32])), bad_signature(world))
        }),
        row("block gas", Scene::Open, |world| {
            // Each declares a third of a block's gas; the fourth finds too little left.
            let item = ConfirmItem { trade: 0, order_hash: Hash::ZERO, signature: Signature([0; 64]) };
            let call = |count| markets::Call::Confirm {
                market: MARKET,
                slot: FIRST,
                items: vec![item.clone(); count],
            };
            for home in [SELLER, BUYER, BYSTANDER] {
                let delegate = world.homes[home].delegate.clone();
                world.chain.submit(&delegate, call(2_600));
            }
            let call = Call::Markets(call(2_000));
            let left = Gas::from_units(400_000_000_000 - 3 * 130_050_000_000);
            let wrong = Invalid::BlockGas { declared: call.gas(), left };
            (world.chain.signed(&world.homes[SELLER].owner, &call), wrong.into())
        }),
        row("fee beyond the quota that nobody can pay", Scene::Open, |world| {
            let delegate = world.homes[BYSTANDER].delegate.clone();
            let full = Weight { ref_time: BLOCK_GAS_MAX - 1_000_000_000, proof_size: 0 };
            let call = Call::Contracts(contracts::Call::Call {
                dest: MultiAddress::Id(AccountId::ZERO),
                value: Compact(0),
                gas_limit: full,
                storage_deposit_limit: None,
                data: Vec::new(),
            });
            let rates = world.genesis.weight;
            let used = |world: &World| {
                let (entity, next) = (world.homes[BYSTANDER].entity, world.chain.now.plus_ms(1_000));
                payment::usage(&world.chain.view(), entity, next).gas
            };
            while rates.fee(used(world), call.gas()).is_zero() {
                world.chain.submit(&delegate, call.clone());
                world.chain.block();
            }
            let owner = world.homes[BYSTANDER].owner.clone();
            let (free, left) = (world.chain.money(&owner.account()).0, Money::from_units(10));
            let (dest, value) =
                (MultiAddress::Id(world.bank().account()), Compact(free.units() - left.units()));
            world.chain.must(&owner, balances::Call::TransferAllowDeath { dest, value });
            let needed = rates.fee(used(world), call.gas());
            (world.chain.signed(&delegate, &call), Invalid::Payment { needed, free: left }.into())
        }),
        row("call that must be signed", Scene::Open, |world| {
            let request = world.request(SELLER, FIRST, Side::Sell, 100, 6_000);
            let call = Call::Markets(markets::Call::Place { request });
            (UncheckedExtrinsic::bare(&call), Invalid::NotSigned.into())
        }),
        row("call that must be bare", Scene::Metering, |world| {
            let reading = world.reading(SELLER, FIRST, 0, ReadingStatus::Measured);
            let call = Call::Markets(world.sign_reading(SELLER, reading));
            (world.chain.signed(&world.homes[SELLER].owner, &call), Invalid::NotBare.into())
        }),
    ]
}

fn bytes() -> Vec<Row> {
    fn valid(world: &World) -> Vec<u8> {
        world.chain.signed(&world.homes[SELLER].owner, &note())
    }
    fn framed(body: &[u8]) -> Attempt {
        let length = Compact(u32::try_from(body.len()).unwrap());
        ([length.encode(), body.to_vec()].concat(), Wrong::Undecodable)
    }
    vec![
        row("no bytes", Scene::Open, |_| (Vec::new(), Wrong::Undecodable)),
        row("truncated extrinsic", Scene::Open, |world| {
            let bytes = valid(world);
            (bytes[..bytes.len() - 1].to_vec(), Wrong::Undecodable)
        }),
        row("truncated body in a whole frame", Scene::Open, |world| {
            let bytes = valid(world);
            framed(&bytes[2..bytes.len() - 1])
        }),
        row("bytes left over", Scene::Open, |world| framed(&[&valid(world)[2..], &[0]].concat())),
        row("random bytes", Scene::Open, |_| framed(&[0x5a; 200])),
        row("another extrinsic format", Scene::Open, |world| framed(&[&[0x85], &valid(world)[3..]].concat())),
        row("another address kind", Scene::Open, |world| framed(&[&[0x84, 1], &valid(world)[4..]].concat())),
        row("another signature kind", Scene::Open, |world| {
            let mut body = valid(world)[2..].to_vec();
            body[34] = 0;
            framed(&body)
        }),
        row("unknown module", Scene::Open, |_| framed(&[4, 200, 0])),
        row("longer than an extrinsic may be", Scene::Open, |_| framed(&[4; EXTRINSIC_BYTES_MAX])),
        row("calls nested too deep", Scene::Open, |_| framed(&[&[4][..], &[3, 0].repeat(200)].concat())),
    ]
}

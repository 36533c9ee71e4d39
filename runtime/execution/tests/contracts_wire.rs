//! What clients encode and decode: calls, events, errors and storage in the contracts pallet's shape, to the byte.
#![allow(clippy::unwrap_used, reason = "tests")]

use parity_scale_codec::{Decode, Encode};
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::contracts::{
    Call, Caller, CodeInfo, ContractInfo, Determinism, Error, Event,
};
use runtime_execution::modules::system::Weight;
use runtime_execution::{DispatchError, ModuleError, SubstrateError};
use runtime_primitives::{AccountId, Hash, Money, blake2_256};

const WHO: AccountId = AccountId([0xaa; 32]);
const HASH: Hash = Hash([0xcc; 32]);

/// Bytes written out: `parts` of hexadecimal digits, `A` for the account and `C` for the hash.
fn bytes(parts: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts.split_whitespace() {
        match part {
            "A" => out.extend(WHO.0),
            "C" => out.extend(HASH.0),
            hex => out.extend(
                (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()),
            ),
        }
    }
    out
}

#[test]
fn calls_are_the_pallets() {
    let gas_limit = Weight { ref_time: 1 << 20, proof_size: 64 };
    let (value, storage_deposit_limit) = (5u128.into(), Some(16_384u128.into()));
    let weight = "02004000 0101";
    let limit = "01 02000100";
    for (call, expected) in [
        (
            Call::UploadCode {
                code: vec![1, 2],
                storage_deposit_limit: None,
                determinism: Determinism::Enforced,
            },
            "03 08 0102 00 00".to_owned(),
        ),
        (
            Call::UploadCode {
                code: vec![1],
                storage_deposit_limit: None,
                determinism: Determinism::Relaxed,
            },
            "03 04 01 00 01".to_owned(),
        ),
        (Call::RemoveCode { code_hash: HASH }, "04 C".to_owned()),
        (Call::SetCode { dest: MultiAddress::Id(WHO), code_hash: HASH }, "05 00 A C".to_owned()),
        (
            Call::Call {
                dest: MultiAddress::Id(WHO),
                value,
                gas_limit,
                storage_deposit_limit,
                data: vec![9],
            },
            format!("06 00 A 14 {weight} {limit} 04 09"),
        ),
        (
            Call::InstantiateWithCode {
                value,
                gas_limit,
                storage_deposit_limit,
                code: vec![1, 2],
                data: vec![9],
                salt: vec![],
            },
            format!("07 14 {weight} {limit} 08 0102 04 09 00"),
        ),
        (
            Call::Instantiate {
                value,
                gas_limit,
                storage_deposit_limit,
                code_hash: HASH,
                data: vec![9],
                salt: vec![7],
            },
            format!("08 14 {weight} {limit} C 04 09 04 07"),
        ),
    ] {
        let expected = bytes(&expected);
        assert_eq!(call.encode(), expected, "{call:?}");
        assert_eq!(Call::decode(&mut &expected[..]).unwrap(), call);
    }
}

#[test]
fn events_and_records_are_the_pallets() {
    let money = "00000000000000000000000000000000";
    let zero = Money::ZERO;
    for (event, expected) in [
        (Event::Instantiated { deployer: WHO, contract: WHO }, "00 A A".to_owned()),
        (Event::CodeStored { code_hash: HASH, deposit_held: zero, uploader: WHO }, format!("02 C {money} A")),
        (Event::ContractEmitted { contract: WHO, data: vec![1] }, "03 A 04 01".to_owned()),
        (
            Event::CodeRemoved { code_hash: HASH, deposit_released: zero, remover: WHO },
            format!("04 C {money} A"),
        ),
        (Event::Terminated { contract: WHO, beneficiary: WHO }, "01 A A".to_owned()),
        (
            Event::ContractCodeUpdated { contract: WHO, new_code_hash: HASH, old_code_hash: Hash::ZERO },
            format!("05 A C {}", "00".repeat(32)),
        ),
        (Event::Called { caller: Caller::Signed(WHO), contract: WHO }, "06 01 A A".to_owned()),
        (Event::DelegateCalled { contract: WHO, code_hash: HASH }, "07 A C".to_owned()),
        (
            Event::StorageDepositTransferredAndHeld { from: WHO, to: WHO, amount: zero },
            format!("08 A A {money}"),
        ),
        (
            Event::StorageDepositTransferredAndReleased { from: WHO, to: WHO, amount: zero },
            format!("09 A A {money}"),
        ),
    ] {
        assert_eq!(event.encode(), bytes(&expected), "{event:?}");
    }
    let info = ContractInfo { storage_items: 1, storage_bytes: 2, ..ContractInfo::new(&WHO, 7, HASH) };
    let id = blake2_256(&(WHO, 7u64).encode()).to_string();
    let id = id.trim_start_matches("0x");
    assert_eq!(info.encode(), bytes(&format!("80 {id} C 02000000 01000000 {money} {money} {money} 00")));
    let info = CodeInfo { refcount: 3, ..CodeInfo::new(WHO, Money::from_units(1), 7) };
    assert_eq!(info.encode(), bytes("A 04 0c 00 07000000"));
}

#[test]
fn errors_are_numbered_as_the_pallet_numbers_them() {
    for (error, number) in [
        (Error::InvalidCallFlags, 1),
        (Error::OutOfGas, 2),
        (Error::OutputBufferTooSmall, 3),
        (Error::TransferFailed, 4),
        (Error::MaxCallDepthReached, 5),
        (Error::ContractNotFound(WHO), 6),
        (Error::CodeTooLarge, 7),
        (Error::CodeNotFound(HASH), 8),
        (Error::OutOfBounds, 10),
        (Error::DecodingFailed, 11),
        (Error::ContractTrapped, 12),
        (Error::ValueTooLarge, 13),
        (Error::TerminatedWhileReentrant, 14),
        (Error::InputForwarded, 15),
        (Error::TooManyTopics, 17),
        (Error::DuplicateContract(WHO), 20),
        (Error::TerminatedInConstructor, 21),
        (Error::ReentranceDenied, 22),
        (Error::StateChangeDenied, 23),
        (Error::StorageDepositNotEnoughFunds, 24),
        (Error::StorageDepositLimitExhausted, 25),
        (Error::CodeInUse { contracts: 1 }, 26),
        (Error::ContractReverted, 27),
        (Error::CodeRejected("why".into()), 28),
        (Error::Indeterministic, 29),
        (Error::MaxDelegateDependenciesReached, 32),
        (Error::DelegateDependencyNotFound, 33),
        (Error::DelegateDependencyAlreadyExists, 34),
        (Error::CannotAddSelfAsDelegateDependency, 35),
        (Error::EventSpaceExhausted, 64),
    ] {
        let seen = SubstrateError::from(&DispatchError::Contracts(error.clone()));
        assert_eq!(
            seen,
            SubstrateError::Module(ModuleError { index: 5, error: [number, 0, 0, 0] }),
            "{error}"
        );
    }
}

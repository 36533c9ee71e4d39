//! Events as scripts read them: an object with the event's name and its fields, by their own names.
//!
//! The rule: every event of every module is here, which the compiler checks, and no field is left out. An error in a field
//! is told as commands tell theirs, by its rule and its message, which has the values that disagree.

mod fields;

use fields::{Field, named};
use runtime_execution::Event;
use runtime_execution::modules::registry::{RoleNames, ScopeNames};
use runtime_execution::modules::{attestation, balances, contracts, markets, registry, sudo, system};
use runtime_primitives::{AccountId, EntityId, Hash};
use serde_json::{Map, Value};

/// An object for an event.
pub fn as_json(event: &Event) -> Value {
    match event {
        Event::System(event) => of_system(event),
        Event::Balances(event) => of_balances(event),
        Event::Sudo(event) => of_sudo(event),
        Event::Registry(event) => of_registry(event),
        Event::Contracts(event) => of_contracts(event),
        Event::Markets(event) => of_markets(event),
        Event::Attestation(event) => of_attestation(event),
    }
}

fn object<const N: usize>(name: &str, fields: [(&str, Value); N]) -> Value {
    let fields = fields.into_iter().map(|(field, value)| (field.to_owned(), value));
    std::iter::once(("event".to_owned(), name.into())).chain(fields).collect::<Map<_, _>>().into()
}

/// A module's events, each with its fields; one that is missing does not compile.
macro_rules! objects {
    ($function:ident, $module:ident, $prefix:literal: $($name:ident { $($field:ident),* })*) => {
        fn $function(event: &$module::Event) -> Value {
            match event {$(
                $module::Event::$name { $($field),* } => {
                    object(concat!($prefix, ".", stringify!($name)), [$((stringify!($field), $field.json())),*])
                }
            )*}
        }
    };
}

objects!(of_system, system, "System":
    ExtrinsicSuccess { dispatch_info }
    ExtrinsicFailed { dispatch_error, dispatch_info }
    Remarked { sender, hash }
);
objects!(of_balances, balances, "Balances":
    Transfer { from, to, amount }
    Reserved { who, amount }
    Unreserved { who, amount }
);
objects!(of_sudo, sudo, "Sudo":
    Sudid { sudo_result }
);
objects!(of_attestation, attestation, "Attestation":
    Voted { market, slot, stage, voter, result }
    Dissent { market, slot, voter, signed, expected }
);
objects!(of_contracts, contracts, "Contracts":
    Instantiated { deployer, contract }
    Terminated { contract, beneficiary }
    CodeStored { code_hash, deposit_held, uploader }
    ContractEmitted { contract, data }
    CodeRemoved { code_hash, deposit_released, remover }
    ContractCodeUpdated { contract, new_code_hash, old_code_hash }
    Called { caller, contract }
    DelegateCalled { contract, code_hash }
    StorageDepositTransferredAndHeld { from, to, amount }
    StorageDepositTransferredAndReleased { from, to, amount }
);
objects!(of_markets, markets, "Markets":
    MarketCreated { market, operator }
    TermsScheduled { market, slot, terms, awaits }
    SlotMoved { market, slot, state }
    OrderPlaced { market, slot, seq, entity, hold }
    OrderCancelled { market, slot, seq }
    Cleared { market, slot, code, trades, gas }
    ClearingFailed { market, slot, code, failure }
    TradeAnswered { market, slot, trade, entity, agreed }
    TradeCancelled { market, slot, trade, party, compensation }
    SlotVoid { market, slot, reason }
    ReadingPosted { market, slot, meter, revision }
    Curtailed { market, slot, items, reason }
    ListPosted { market, slot, list, poster }
    StageRecorded { market, slot, stage, record }
    Settled { market, slot, transfers, amount }
    SettlementFailed { market, slot, code, failure }
    Owed { debtor, amount }
    Funded { entity, amount, record }
    ReadingRefused { market, slot, meter, revision, error }
    OrderSealed { market, slot, seq, entity, deposit }
    OrderRevealed { market, slot, seq, hold }
    StandingSet { market, id, entity }
    StandingPlaced { market, slot, id, seq }
    StandingSkipped { market, slot, id, error }
    StandingRemoved { market, id, reason }
    StandingUnpaid { market, slot }
    SealForfeited { market, slot, seq, deposit, reason }
    CancellationQueued { market, slot, seq, order }
    SelfTradePrevented { market, slot, seq }
    OrderCurtailed { market, slot, seq, meter }
    TermsAgreed { market, terms, entity }
    TermsReplaced { market, slot, terms, agreed }
    TermsWithdrawn { market, slot, terms }
    MarketAgreed { market, slot }
    TermsLapsed { market, slot, terms }
    PoolRefunded { market, first, last, entities, amount }
    Adjusted { market, slot, entity, payments, amount, grounds }
    PrefundingShort { market, slot, needed, held }
    ReserveDrawn { market, slot, entity, amount }
    DepositReleased { market, entity, amount }
    Withdrawn { entity, amount, record }
    DepositTakenBack { market, amount }
);

/// Fields of who is in the set with which keys.
fn in_set(
    entity: EntityId,
    session_key: &AccountId,
    engine_key: &Hash,
    epoch: u32,
) -> [(&'static str, Value); 4] {
    [
        ("entity", entity.json()),
        ("session_key", session_key.json()),
        ("engine_key", engine_key.json()),
        ("epoch", epoch.json()),
    ]
}

/// Roles and scopes are told by name, as commands take them.
fn of_registry(event: &registry::Event) -> Value {
    use registry::Event as Done;
    match event {
        Done::EntityRegistered { entity, owner, roles } => object(
            "Registry.EntityRegistered",
            [("entity", entity.json()), ("owner", owner.json()), ("roles", named(RoleNames(*roles)))],
        ),
        Done::DelegateAdded { entity, key, scopes } => object(
            "Registry.DelegateAdded",
            [("entity", entity.json()), ("key", key.json()), ("scopes", named(ScopeNames(*scopes)))],
        ),
        Done::DelegateRemoved { entity, key } => {
            object("Registry.DelegateRemoved", [("entity", entity.json()), ("key", key.json())])
        }
        Done::VotingKeySet { entity, key } => {
            object("Registry.VotingKeySet", [("entity", entity.json()), ("key", key.json())])
        }
        Done::MeterRegistered { meter, entity, market } => object(
            "Registry.MeterRegistered",
            [("meter", meter.json()), ("entity", entity.json()), ("market", market.json())],
        ),
        Done::SuspensionSet { entity, suspended } => {
            object("Registry.SuspensionSet", [("entity", entity.json()), ("suspended", suspended.json())])
        }
        Done::ProxySet { entity, proxy } => {
            object("Registry.ProxySet", [("entity", entity.json()), ("proxy", proxy.json())])
        }
        Done::ValidatorJoins { entity, session_key, engine_key, epoch } => {
            object("Registry.ValidatorJoins", in_set(*entity, session_key, engine_key, *epoch))
        }
        Done::ValidatorLeaves { entity, epoch } => {
            object("Registry.ValidatorLeaves", [("entity", entity.json()), ("epoch", epoch.json())])
        }
        Done::ValidatorRotates { entity, session_key, engine_key, epoch } => {
            object("Registry.ValidatorRotates", in_set(*entity, session_key, engine_key, *epoch))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract_interface::roles;
    use runtime_execution::modules::system::DispatchInfo;
    use runtime_execution::modules::system::{DispatchClass, Pays, Weight};
    use runtime_execution::{ModuleError, SubstrateError};
    use runtime_primitives::{AccountId, EntityId, Hash, MarketId, Money, Seq, Slot};
    use serde_json::json;

    #[test]
    fn events_are_objects() {
        let (market, slot, entity) = (MarketId::ZERO, Slot::from_number(7), EntityId::from_number(3));
        let hold = Money::from_units(12_500_000);
        let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        let owner: AccountId = crate::client::account(alice).unwrap_or(AccountId([0; 32]));
        let placed = markets::Event::OrderPlaced { market, slot, seq: Seq::ZERO, entity, hold };
        let (terms, awaits) = (Hash::ZERO, vec![entity]);
        let error = markets::Error::SlotFull(40).into();
        let dispatch_error = SubstrateError::Module(ModuleError { index: 9, error: [5, 0, 1, 0] });
        let dispatch_info = DispatchInfo {
            weight: Weight { ref_time: 8, proof_size: 7 },
            class: DispatchClass::Mandatory,
            pays_fee: Pays::No,
        };
        let rows: [(Event, Value); 6] = [
            (
                placed.into(),
                json!({ "event": "Markets.OrderPlaced", "market": 0, "slot": 7, "seq": 0, "entity": 3, "hold": "1.2500000" }),
            ),
            (
                markets::Event::TermsScheduled { market, slot, terms, awaits }.into(),
                json!({ "event": "Markets.TermsScheduled", "market": 0, "slot": 7, "terms": terms.to_string(), "awaits": [3] }),
            ),
            (
                markets::Event::StandingSkipped { market, slot, id: 1, error }.into(),
                json!({
                    "event": "Markets.StandingSkipped", "market": 0, "slot": 7, "id": 1,
                    "error": { "rule": "Markets.SlotFull", "message": "order count limit: the slot has its 40 orders; take another slot" },
                }),
            ),
            (
                registry::Event::EntityRegistered { entity, owner, roles: roles::BANK | roles::TRADER }
                    .into(),
                json!({ "event": "Registry.EntityRegistered", "entity": 3, "owner": alice, "roles": ["trader", "bank"] }),
            ),
            (
                system::Event::ExtrinsicFailed { dispatch_error, dispatch_info }.into(),
                json!({
                    "event": "System.ExtrinsicFailed",
                    "dispatch_error": { "index": 9, "error": "0x05000100" },
                    "dispatch_info": { "ref_time": 8, "proof_size": 7, "class": "Mandatory", "pays_fee": false },
                }),
            ),
            (
                sudo::Event::Sudid { sudo_result: Ok(()) }.into(),
                json!({ "event": "Sudo.Sudid", "sudo_result": null }),
            ),
        ];
        for (event, expected) in rows {
            assert_eq!(as_json(&event), expected);
        }
    }
}

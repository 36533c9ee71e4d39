//! Events of the contracts module, numbered as `pallet_contracts` numbers them.

use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{AccountId, Hash, Money};
use scale_info::TypeInfo;

/// `pallet_contracts::Origin`; root never calls a contract here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Caller {
    /// An account.
    #[codec(index = 1)]
    Signed(AccountId),
}

/// Events.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Event {
    /// A contract was made; its constructor's own events come before.
    #[codec(index = 0)]
    Instantiated {
        /// Who made it.
        deployer: AccountId,
        /// Its address.
        contract: AccountId,
    },
    /// A contract ended.
    #[codec(index = 1)]
    Terminated {
        /// Which.
        contract: AccountId,
        /// Who gets what it had.
        beneficiary: AccountId,
    },
    /// Code was stored.
    #[codec(index = 2)]
    CodeStored {
        /// Its hash.
        code_hash: Hash,
        /// Reserved on the uploader.
        deposit_held: Money,
        /// Who may remove it.
        uploader: AccountId,
    },
    /// A contract's own event; its topics are the record's.
    #[codec(index = 3)]
    ContractEmitted {
        /// Which contract.
        contract: AccountId,
        /// What it says; the contract's metadata decodes it.
        data: Vec<u8>,
    },
    /// Code was removed.
    #[codec(index = 4)]
    CodeRemoved {
        /// Its hash.
        code_hash: Hash,
        /// No longer reserved.
        deposit_released: Money,
        /// Who removed it.
        remover: AccountId,
    },
    /// A contract runs other code from now on.
    #[codec(index = 5)]
    ContractCodeUpdated {
        /// Which contract.
        contract: AccountId,
        /// What it will run.
        new_code_hash: Hash,
        /// What it ran.
        old_code_hash: Hash,
    },
    /// A contract was called; its own events come before.
    #[codec(index = 6)]
    Called {
        /// By whom.
        caller: Caller,
        /// Which contract.
        contract: AccountId,
    },
    /// A contract ran another code on its own storage; the code's events come before.
    #[codec(index = 7)]
    DelegateCalled {
        /// Which contract.
        contract: AccountId,
        /// Which code.
        code_hash: Hash,
    },
    /// A deposit was paid to a contract and reserved there.
    #[codec(index = 8)]
    StorageDepositTransferredAndHeld {
        /// Who signed.
        from: AccountId,
        /// The contract.
        to: AccountId,
        /// How much.
        amount: Money,
    },
    /// A deposit was paid back.
    #[codec(index = 9)]
    StorageDepositTransferredAndReleased {
        /// The contract.
        from: AccountId,
        /// Who signed.
        to: AccountId,
        /// How much.
        amount: Money,
    },
}

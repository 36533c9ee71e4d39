//! A token with the messages, errors and events of ink!'s example `erc20`, written here because no package registry
//! has that example for ink! 5. `scripts/third-party-contracts --ink FOLDER` builds the example itself instead.
#![cfg_attr(not(feature = "std"), no_std, no_main)]

#[ink::contract]
mod erc20 {
    use ink::storage::Mapping;

    /// What every holder has, and who may spend how much of it.
    #[ink(storage)]
    pub struct Erc20 {
        total_supply: Balance,
        balances: Mapping<AccountId, Balance>,
        allowances: Mapping<(AccountId, AccountId), Balance>,
    }

    /// Tokens changed hands; without `from` they are new.
    #[ink(event)]
    pub struct Transfer {
        #[ink(topic)]
        from: Option<AccountId>,
        #[ink(topic)]
        to: Option<AccountId>,
        value: Balance,
    }

    /// An owner lets somebody spend.
    #[ink(event)]
    pub struct Approval {
        #[ink(topic)]
        owner: AccountId,
        #[ink(topic)]
        spender: AccountId,
        value: Balance,
    }

    /// Why nothing was transferred.
    #[derive(Debug, PartialEq, Eq)]
    #[ink::scale_derive(Encode, Decode, TypeInfo)]
    pub enum Error {
        /// The owner has less.
        InsufficientBalance,
        /// The owner lets the spender spend less.
        InsufficientAllowance,
    }

    impl Erc20 {
        /// The deployer gets all tokens.
        #[ink(constructor)]
        pub fn new(total_supply: Balance) -> Self {
            let deployer = Self::env().caller();
            let mut balances = Mapping::default();
            balances.insert(deployer, &total_supply);
            Self::env().emit_event(Transfer { from: None, to: Some(deployer), value: total_supply });
            Self { total_supply, balances, allowances: Mapping::default() }
        }

        /// Tokens that exist.
        #[ink(message)]
        pub fn total_supply(&self) -> Balance {
            self.total_supply
        }

        /// Tokens that `owner` has.
        #[ink(message)]
        pub fn balance_of(&self, owner: AccountId) -> Balance {
            self.balances.get(owner).unwrap_or_default()
        }

        /// Tokens of `owner` that `spender` may still spend.
        #[ink(message)]
        pub fn allowance(&self, owner: AccountId, spender: AccountId) -> Balance {
            self.allowances.get((owner, spender)).unwrap_or_default()
        }

        /// Give own tokens away.
        #[ink(message)]
        pub fn transfer(&mut self, to: AccountId, value: Balance) -> Result<(), Error> {
            self.hand_over(self.env().caller(), to, value)
        }

        /// Let `spender` spend own tokens.
        #[ink(message)]
        pub fn approve(&mut self, spender: AccountId, value: Balance) -> Result<(), Error> {
            let owner = self.env().caller();
            self.allowances.insert((owner, spender), &value);
            self.env().emit_event(Approval { owner, spender, value });
            Ok(())
        }

        /// Give somebody else's tokens away, as far as the owner lets the caller.
        #[ink(message)]
        pub fn transfer_from(&mut self, from: AccountId, to: AccountId, value: Balance) -> Result<(), Error> {
            let spender = self.env().caller();
            let left = self.allowance(from, spender).checked_sub(value).ok_or(Error::InsufficientAllowance)?;
            self.hand_over(from, to, value)?;
            self.allowances.insert((from, spender), &left);
            Ok(())
        }

        fn hand_over(&mut self, from: AccountId, to: AccountId, value: Balance) -> Result<(), Error> {
            let left = self.balance_of(from).checked_sub(value).ok_or(Error::InsufficientBalance)?;
            self.balances.insert(from, &left);
            // No sum exceeds the total supply.
            let sum = self.balance_of(to).saturating_add(value);
            self.balances.insert(to, &sum);
            self.env().emit_event(Transfer { from: Some(from), to: Some(to), value });
            Ok(())
        }
    }
}

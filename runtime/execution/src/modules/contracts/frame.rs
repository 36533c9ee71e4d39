//! The chain as one running contract sees it.

use super::contract::{CONTRACT_INFO, ContractInfo, NONCE, read, remove, write};
use super::deposit::{lockup, rates};
use super::extension;
use super::invocation::{Entering, Invoked, Undone, run, transfer};
use super::stack::{Level, Stack, Trace};
use super::{Caller, Error, Event, code};
use crate::context::Context;
use crate::modules::{balances, system};
use parity_scale_codec::Encode;
use runtime_primitives::limits::EVENTS_BYTES_MAX;
use runtime_primitives::{AccountId, Gas, Hash, Money};
use runtime_vm::{Answer, Budget, ContractCall, Host, HostError, HostTrap, NewContract, Output, ReturnCode};

/// Balance below which a payment is refused: one unit.
const MINIMUM_BALANCE: u128 = 1;
/// Bytes of debug messages that a dry run keeps: as many as a block's events may have.
const DEBUG_BYTES_MAX: usize = EVENTS_BYTES_MAX;
/// Codes that one contract may keep from being removed.
const DELEGATE_DEPENDENCIES_MAX: usize = 32;

/// The innermost running contract.
pub(super) struct Frame<'f, 'a, 'd> {
    /// The block.
    pub ctx: &'f mut Context<'a>,
    /// It, and those that wait for it.
    pub stack: &'f mut Stack<'d>,
}

impl Frame<'_, '_, '_> {
    fn top(&self) -> &Level {
        self.stack.top()
    }

    fn info(&self) -> ContractInfo {
        CONTRACT_INFO.get(&self.ctx.state, &self.top().contract).expect("a running contract exists")
    }

    /// Make the contract trap; whoever signed learns why.
    fn refuse(&mut self, error: Error) -> HostTrap {
        self.stack.refusal = Some(error);
        HostTrap::Refused
    }

    /// Change the contract's record, and count what that changes of its deposit.
    fn change_info<T>(&mut self, change: impl FnOnce(&mut ContractInfo) -> T) -> T {
        let mut info = self.info();
        let before = info.total_deposit();
        let changed = change(&mut info);
        let level = self.stack.top_mut();
        level.deposits.count(level.contract, before, info.total_deposit());
        CONTRACT_INFO.put(&mut self.ctx.state, &level.contract, &info);
        changed
    }

    /// Run a contract in a layer and a level of its own, and keep what it owes if it succeeds.
    fn nest(
        &mut self,
        budget: Budget,
        enter: impl FnOnce(&mut Context, &mut Stack) -> Result<(Entering, Event), Error>,
    ) -> Invoked {
        let (mut gas_used, stack) = (Gas::ZERO, &mut *self.stack);
        let result = self.ctx.transactional(|ctx| {
            let (entering, done) = enter(ctx, stack)?;
            let (output, deposits) = run(ctx, stack, entering, budget, &mut gas_used, done)?;
            stack.top_mut().deposits.absorb(deposits);
            Ok(output)
        });
        Invoked { result, gas_used }
    }

    /// What the contract learns of one that it called.
    fn answer<T>(&mut self, invoked: Invoked, with: impl FnOnce(Output) -> T) -> Answer<T> {
        let Invoked { result, gas_used } = invoked;
        let result = match result {
            Ok(output) | Err(Undone::Reverted(output)) => Ok(with(output)),
            Err(Undone::Trapped { .. }) => Err(ReturnCode::CalleeTrapped.into()),
            Err(Undone::Refused(error)) => Err(match error {
                Error::TransferFailed => ReturnCode::TransferFailed.into(),
                Error::CodeNotFound(_) => ReturnCode::CodeNotFound.into(),
                Error::ContractNotFound(_) => ReturnCode::NotCallable.into(),
                // Code without the entry points of a contract: elsewhere it would trap at its first step.
                Error::CodeRejected(_) => ReturnCode::CalleeTrapped.into(),
                error => self.refuse(error).into(),
            }),
        };
        Answer { result, gas_used }
    }
}

impl Host for Frame<'_, '_, '_> {
    fn caller(&self) -> [u8; 32] {
        self.top().caller.0
    }

    fn address(&self) -> [u8; 32] {
        self.top().contract.0
    }

    fn caller_is_origin(&self) -> bool {
        self.top().caller == self.stack.origin
    }

    fn is_read_only(&self) -> bool {
        self.top().read_only
    }

    fn value_transferred(&self) -> u128 {
        self.top().value.units()
    }

    fn balance(&self) -> u128 {
        balances::account(&self.ctx.state, &self.top().contract).data.free.units()
    }

    fn minimum_balance(&self) -> u128 {
        MINIMUM_BALANCE
    }

    fn block_number(&self) -> u32 {
        system::block_number(self.ctx.env.height.number())
    }

    fn now(&self) -> u64 {
        self.ctx.env.now.ms()
    }

    /// Registered entities pay no fees.
    fn weight_to_fee(&self, _gas: u64) -> u128 {
        0
    }

    fn get_storage(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        read(&self.ctx.state, self.top().trie_id, key)
    }

    fn set_storage(&mut self, key: &[u8], value: Option<&[u8]>) -> Option<u32> {
        let level = self.stack.top_mut();
        write(&mut self.ctx.state, (&level.contract, level.trie_id), key, value, &mut level.deposits)
    }

    fn deposit_event(&mut self, topics: Vec<[u8; 32]>, data: Vec<u8>) -> Result<(), HostTrap> {
        // Gas alone would let one call emit many times what a block may hold.
        let bytes = topics.encoded_size() + data.len();
        if self.ctx.events_bytes().saturating_add(bytes) > EVENTS_BYTES_MAX {
            return Err(self.refuse(Error::EventSpaceExhausted));
        }
        let event = Event::ContractEmitted { contract: self.top().contract, data };
        self.ctx.emit_with_topics(event, topics.into_iter().map(Hash).collect());
        Ok(())
    }

    fn debug_message(&mut self, text: &str) {
        if let Some(Trace { debug, .. }) = &mut self.stack.trace
            && debug.len() + text.len() <= DEBUG_BYTES_MAX
        {
            debug.push_str(text);
        }
    }

    fn transfer(&mut self, to: &[u8; 32], value: u128) -> Result<(), ReturnCode> {
        let from = self.top().contract;
        transfer(self.ctx, from, AccountId(*to), Money::from_units(value))
            .map_err(|_| ReturnCode::TransferFailed)
    }

    fn code_hash(&self, address: &[u8; 32]) -> Option<[u8; 32]> {
        let address = AccountId(*address);
        let info = CONTRACT_INFO.get(&self.ctx.state, &address);
        info.filter(|_| !self.stack.is_under_construction(&address)).map(|info| info.code_hash.0)
    }

    fn own_code_hash(&self) -> [u8; 32] {
        self.info().code_hash.0
    }

    fn call(&mut self, call: ContractCall, budget: Budget) -> Answer<Output> {
        let ContractCall { callee, value, input, deposit_limit, allow_reentry, read_only } = call;
        let (contract, value) = (AccountId(callee), Money::from_units(value));
        self.stack.top_mut().allows_reentry = allow_reentry;
        let invoked = self.nest(budget, |ctx, stack| {
            let (caller, read_only) = (stack.top().contract, read_only || stack.top().read_only);
            let mut entering = Entering::contract(ctx, stack, contract, (caller, value), input)?;
            entering.level.read_only = read_only;
            entering.level.deposits = stack.top().deposits.nested(deposit_limit);
            transfer(ctx, caller, contract, value)?;
            Ok((entering, Event::Called { caller: Caller::Signed(caller), contract }))
        });
        self.stack.top_mut().allows_reentry = true;
        self.answer(invoked, |output| output)
    }

    fn delegate_call(&mut self, code_hash: [u8; 32], input: Vec<u8>, budget: Budget) -> Answer<Output> {
        let code = Hash(code_hash);
        let invoked = self.nest(budget, |ctx, stack| {
            code::ensure_contract(&ctx.state, &code)?;
            if stack.is_full() {
                return Err(Error::MaxCallDepthReached);
            }
            let level = stack.top().delegate();
            let done = Event::DelegateCalled { contract: level.contract, code_hash: code };
            Ok((Entering { level, code, input }, done))
        });
        self.answer(invoked, |output| output)
    }

    fn instantiate(&mut self, new: NewContract, budget: Budget) -> Answer<(Output, [u8; 32])> {
        let NewContract { code_hash, value, input, salt, deposit_limit } = new;
        let (code, value) = (Hash(code_hash), Money::from_units(value));
        let deployer = self.top().contract;
        let address = super::address(&deployer, &code, &input, &salt);
        let invoked = self.nest(budget, |ctx, stack| {
            let deposits = stack.top().deposits.nested(deposit_limit);
            let who = (deployer, value);
            let entering = Entering::new_contract(ctx, stack, code, who, input, &salt, deposits)?;
            transfer(ctx, deployer, address, value)?;
            Ok((entering, Event::Instantiated { deployer, contract: address }))
        });
        self.answer(invoked, |output| (output, address.0))
    }

    fn instantiation_nonce(&self) -> u64 {
        NONCE.get(&self.ctx.state).unwrap_or(0)
    }

    fn terminate(&mut self, beneficiary: [u8; 32]) -> Result<(), HostTrap> {
        if self.stack.is_recursive() {
            return Err(self.refuse(Error::TerminatedWhileReentrant));
        }
        let (info, beneficiary) = (self.info(), AccountId(beneficiary));
        let level = self.stack.top_mut();
        level.deposits.count(level.contract, info.total_deposit(), Money::ZERO);
        let contract = level.contract;
        let left = balances::account(&self.ctx.state, &contract).data.free;
        level.deposits.end(contract, left, beneficiary);
        remove(&mut self.ctx.state, &contract, &info);
        for code in info.delegate_dependencies.keys().chain([&info.code_hash]) {
            code::remove_user(&mut self.ctx.state, code);
        }
        self.ctx.emit(Event::Terminated { contract, beneficiary });
        Ok(())
    }

    fn set_code_hash(&mut self, code_hash: [u8; 32]) -> Result<(), HostError> {
        let contract = self.top().contract;
        let new = Hash(code_hash);
        let (deposit, old) =
            code::replace(self.ctx, &self.info(), new).map_err(|_| ReturnCode::CodeNotFound)?;
        let rates = rates(&self.ctx.state);
        self.change_info(|info| {
            info.code_hash = new;
            info.set_base_deposit(rates, deposit);
        });
        self.ctx.emit(Event::ContractCodeUpdated { contract, new_code_hash: new, old_code_hash: old });
        Ok(())
    }

    fn delegate_dependencies(&self) -> u64 {
        self.info().delegate_dependencies.len() as u64
    }

    fn lock_delegate_dependency(&mut self, code_hash: [u8; 32]) -> Result<(), HostTrap> {
        let (code, info) = (Hash(code_hash), self.info());
        let refused = if code == info.code_hash {
            Some(Error::CannotAddSelfAsDelegateDependency)
        } else if !code::CODE_INFO.contains(&self.ctx.state, &code) {
            Some(Error::CodeNotFound(code))
        } else if info.delegate_dependencies.contains_key(&code) {
            Some(Error::DelegateDependencyAlreadyExists)
        } else if info.delegate_dependencies.len() >= DELEGATE_DEPENDENCIES_MAX {
            Some(Error::MaxDelegateDependenciesReached)
        } else {
            None
        };
        if let Some(error) = refused {
            return Err(self.refuse(error));
        }
        let deposit = code::add_user(&mut self.ctx.state, &code).expect("the code is there");
        self.change_info(|info| info.delegate_dependencies.insert(code, lockup(deposit)));
        Ok(())
    }

    fn unlock_delegate_dependency(&mut self, code_hash: [u8; 32]) -> Result<(), HostTrap> {
        let code = Hash(code_hash);
        if self.change_info(|info| info.delegate_dependencies.remove(&code)).is_none() {
            return Err(self.refuse(Error::DelegateDependencyNotFound));
        }
        code::remove_user(&mut self.ctx.state, &code);
        Ok(())
    }

    fn extension(&mut self, id: u32, input: &[u8]) -> Result<Vec<u8>, u32> {
        extension::answer(&self.ctx.state, id, input)
    }
}

//! What a stateful contract sees of the chain.
//!
//! The VM does not know what an account is: addresses are 32 bytes, values `u128`. It charges gas and checks sizes
//! before it calls; a host only answers.

use runtime_abi::ReturnCode;

/// The chain, as one contract call sees it.
pub trait Host {
    /// Address of whoever called this contract.
    fn caller(&self) -> [u8; 32];
    /// Address of this contract.
    fn address(&self) -> [u8; 32];
    /// Value sent with this call.
    fn value_transferred(&self) -> u128;
    /// Balance of this contract, the value sent included.
    fn balance(&self) -> u128;
    /// Balance below which an account ceases to exist.
    fn minimum_balance(&self) -> u128;
    /// Height of the block being executed.
    fn block_number(&self) -> u32;
    /// Time of the block being executed, in ms since the UNIX epoch.
    fn now(&self) -> u64;
    /// Fee of `gas`.
    fn weight_to_fee(&self, gas: u64) -> u128;
    /// The value under `key` (at most `STORAGE_KEY_BYTES_MAX` bytes) of this contract's storage.
    fn get_storage(&mut self, key: &[u8]) -> Option<Vec<u8>>;
    /// Replaces the value under `key` (at most `PAYLOAD_BYTES_MAX` bytes), or removes it; the old value's length.
    fn set_storage(&mut self, key: &[u8], value: Option<&[u8]>) -> Option<u32>;
    /// Records an event of this contract: at most `EVENT_TOPICS_MAX` topics, `PAYLOAD_BYTES_MAX` bytes.
    fn deposit_event(&mut self, topics: Vec<[u8; 32]>, data: Vec<u8>);
    /// Records a text for whoever dry-runs the call; it must not influence anything.
    fn debug_message(&mut self, text: &str);
    /// Sends `value` from this contract to `to`.
    ///
    /// # Errors
    /// [`ReturnCode::TransferFailed`] if the balance does not allow it; the contract goes on with the code.
    fn transfer(&mut self, to: &[u8; 32], value: u128) -> Result<(), ReturnCode>;
}

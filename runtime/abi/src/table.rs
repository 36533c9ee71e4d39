//! THE table: every function of `pallet-contracts` 51.0.0's seal interface, served or not.
//!
//! A row in `Served` makes the compiler ask for its implementation. Names, types and order of parameters are frozen by
//! the contracts that were compiled against them.

/// Expands `$callback! { Served { rows } Unstable { rows } Deprecated { rows } }`.
///
/// A row reads
/// `/// doc` `"module" "name" as rust_name [alias reach effect] CostClass (parameter: type, …) -> result;` with
/// alias `aliased` (also importable as `seal_` + name) or `plain`, reach `pure` (a pure contract may import it) or
/// `stateful`, effect `mutating` (refused in a read-only call) or `reading`.
#[macro_export]
macro_rules! for_each_host_function {
    ($callback:ident) => {
        $callback! {
            Served {
                /// Writes this contract's address.
                "seal0" "address" as seal0_address [aliased stateful reading] Fact
                    (out_ptr: u32, out_len_ptr: u32) -> ();
                /// Writes this contract's balance (u128).
                "seal0" "balance" as seal0_balance [aliased stateful reading] Account
                    (out_ptr: u32, out_len_ptr: u32) -> ();
                /// Writes the height of the block being executed (u32).
                "seal0" "block_number" as seal0_block_number [aliased stateful reading] Fact
                    (out_ptr: u32, out_len_ptr: u32) -> ();
                /// Calls another contract.
                "seal0" "call" as seal0_call [aliased stateful reading] Call
                    (callee_ptr: u32, callee_len: u32, gas: u64, value_ptr: u32, value_len: u32,
                    input_data_ptr: u32, input_data_len: u32, output_ptr: u32,
                    output_len_ptr: u32) -> $crate::ReturnCode;
                /// Calls another contract.
                "seal1" "call" as seal1_call [aliased stateful reading] Call
                    (flags: u32, callee_ptr: u32, gas: u64, value_ptr: u32, input_data_ptr: u32,
                    input_data_len: u32, output_ptr: u32, output_len_ptr: u32) -> $crate::ReturnCode;
                /// Calls another contract.
                "seal2" "call" as seal2_call [plain stateful reading] Call
                    (flags: u32, callee_ptr: u32, ref_time_limit: u64, proof_size_limit: u64,
                    deposit_ptr: u32, value_ptr: u32, input_data_ptr: u32, input_data_len: u32,
                    output_ptr: u32, output_len_ptr: u32) -> $crate::ReturnCode;
                /// Calls a function of the chain's own extension.
                "seal0" "call_chain_extension" as seal0_call_chain_extension [aliased stateful reading] Extension
                    (id: u32, input_ptr: u32, input_len: u32, output_ptr: u32, output_len_ptr: u32) -> u32;
                /// Dispatches a call of the chain's runtime; this chain answers with an error code.
                "seal0" "call_runtime" as seal0_call_runtime [plain stateful mutating] Stub
                    (call_ptr: u32, call_len: u32) -> $crate::ReturnCode;
                /// Writes the caller's address.
                "seal0" "caller" as seal0_caller [aliased stateful reading] Fact
                    (out_ptr: u32, out_len_ptr: u32) -> ();
                /// Whether the caller is the signer of the transaction.
                "seal0" "caller_is_origin" as seal0_caller_is_origin [aliased stateful reading] Fact
                    () -> u32;
                /// Whether the caller is the root origin.
                "seal0" "caller_is_root" as seal0_caller_is_root [plain stateful reading] Fact () -> u32;
                /// Removes the value under a 32-byte storage key.
                "seal0" "clear_storage" as seal0_clear_storage [aliased stateful mutating] StorageWrite
                    (key_ptr: u32) -> ();
                /// Removes the value under a storage key; the old length, or u32::MAX.
                "seal1" "clear_storage" as seal1_clear_storage [aliased stateful mutating] StorageWrite
                    (key_ptr: u32, key_len: u32) -> u32;
                /// Writes the code hash of the contract at an address.
                "seal0" "code_hash" as seal0_code_hash [aliased stateful reading] Account
                    (account_ptr: u32, out_ptr: u32, out_len_ptr: u32) -> $crate::ReturnCode;
                /// The length of the value under a 32-byte storage key, or u32::MAX.
                "seal0" "contains_storage" as seal0_contains_storage [aliased stateful reading] StorageRead
                    (key_ptr: u32) -> u32;
                /// The length of the value under a storage key, or u32::MAX.
                "seal1" "contains_storage" as seal1_contains_storage [aliased stateful reading] StorageRead
                    (key_ptr: u32, key_len: u32) -> u32;
                /// Records a text for whoever dry-runs the call; always succeeds.
                "seal0" "debug_message" as seal0_debug_message [aliased stateful reading] Debug
                    (str_ptr: u32, str_len: u32) -> $crate::ReturnCode;
                /// Runs another contract's code on this contract's storage.
                "seal0" "delegate_call" as seal0_delegate_call [aliased stateful reading] Call
                    (flags: u32, code_hash_ptr: u32, input_data_ptr: u32, input_data_len: u32,
                    output_ptr: u32, output_len_ptr: u32) -> $crate::ReturnCode;
                /// Records an event; topics are a SCALE list of 32-byte hashes, or nothing.
                "seal0" "deposit_event" as seal0_deposit_event [aliased stateful mutating] Event
                    (topics_ptr: u32, topics_len: u32, data_ptr: u32, data_len: u32) -> ();
                /// Writes the compressed secp256k1 key that signed a 32-byte hash.
                "seal0" "ecdsa_recover" as seal0_ecdsa_recover [aliased stateful reading] Recovery
                    (signature_ptr: u32, message_hash_ptr: u32, output_ptr: u32) -> $crate::ReturnCode;
                /// Writes the Ethereum address of a compressed secp256k1 key.
                "seal0" "ecdsa_to_eth_address" as seal0_ecdsa_to_eth_address [aliased stateful reading] Signature
                    (key_ptr: u32, out_ptr: u32) -> $crate::ReturnCode;
                /// Writes the gas left to this call (u64).
                "seal0" "gas_left" as seal0_gas_left [aliased stateful reading] Fact
                    (out_ptr: u32, out_len_ptr: u32) -> ();
                /// Writes the value under a 32-byte storage key.
                "seal0" "get_storage" as seal0_get_storage [aliased stateful reading] StorageRead
                    (key_ptr: u32, out_ptr: u32, out_len_ptr: u32) -> $crate::ReturnCode;
                /// Writes the value under a storage key.
                "seal1" "get_storage" as seal1_get_storage [aliased stateful reading] StorageRead
                    (key_ptr: u32, key_len: u32, out_ptr: u32, out_len_ptr: u32) -> $crate::ReturnCode;
                /// Writes the 16-byte BLAKE2b digest of the input.
                "seal0" "hash_blake2_128" as seal0_hash_blake2_128 [aliased pure reading] Blake2
                    (input_ptr: u32, input_len: u32, output_ptr: u32) -> ();
                /// Writes the 32-byte BLAKE2b digest of the input.
                "seal0" "hash_blake2_256" as seal0_hash_blake2_256 [aliased pure reading] Blake2
                    (input_ptr: u32, input_len: u32, output_ptr: u32) -> ();
                /// Writes the Keccak-256 digest of the input.
                "seal0" "hash_keccak_256" as seal0_hash_keccak_256 [aliased pure reading] Keccak
                    (input_ptr: u32, input_len: u32, output_ptr: u32) -> ();
                /// Writes the SHA-256 digest of the input.
                "seal0" "hash_sha2_256" as seal0_hash_sha2_256 [aliased pure reading] Sha2
                    (input_ptr: u32, input_len: u32, output_ptr: u32) -> ();
                /// Writes the input of this call; it may be read any number of times.
                "seal0" "input" as seal0_input [aliased pure reading] Input
                    (out_ptr: u32, out_len_ptr: u32) -> ();
                /// Creates a contract from stored code.
                "seal0" "instantiate" as seal0_instantiate [aliased stateful mutating] Instantiate
                    (code_hash_ptr: u32, code_hash_len: u32, gas: u64, value_ptr: u32, value_len: u32,
                    input_data_ptr: u32, input_data_len: u32, address_ptr: u32, address_len_ptr: u32,
                    output_ptr: u32, output_len_ptr: u32, salt_ptr: u32, salt_len: u32) -> $crate::ReturnCode;
                /// Creates a contract from stored code.
                "seal1" "instantiate" as seal1_instantiate [aliased stateful mutating] Instantiate
                    (code_hash_ptr: u32, gas: u64, value_ptr: u32, input_data_ptr: u32, input_data_len: u32,
                    address_ptr: u32, address_len_ptr: u32, output_ptr: u32, output_len_ptr: u32,
                    salt_ptr: u32, salt_len: u32) -> $crate::ReturnCode;
                /// Creates a contract from stored code.
                "seal2" "instantiate" as seal2_instantiate [plain stateful mutating] Instantiate
                    (code_hash_ptr: u32, ref_time_limit: u64, proof_size_limit: u64, deposit_ptr: u32,
                    value_ptr: u32, input_data_ptr: u32, input_data_len: u32, address_ptr: u32,
                    address_len_ptr: u32, output_ptr: u32, output_len_ptr: u32, salt_ptr: u32,
                    salt_len: u32) -> $crate::ReturnCode;
                /// A number that is different for every instantiation.
                "seal0" "instantiation_nonce" as seal0_instantiation_nonce [plain stateful reading] Account
                    () -> u64;
                /// Whether there is a contract at an address.
                "seal0" "is_contract" as seal0_is_contract [aliased stateful reading] Account
                    (account_ptr: u32) -> u32;
                /// Keeps a code that this contract delegates to from being removed.
                "seal0" "lock_delegate_dependency" as seal0_lock_delegate_dependency [plain stateful mutating] StorageWrite
                    (code_hash_ptr: u32) -> ();
                /// Writes the existential deposit (u128).
                "seal0" "minimum_balance" as seal0_minimum_balance [aliased stateful reading] Fact
                    (out_ptr: u32, out_len_ptr: u32) -> ();
                /// Writes the time of the block being executed, in ms since the UNIX epoch (u64).
                "seal0" "now" as seal0_now [aliased stateful reading] Fact
                    (out_ptr: u32, out_len_ptr: u32) -> ();
                /// Writes this contract's code hash.
                "seal0" "own_code_hash" as seal0_own_code_hash [aliased stateful reading] Account
                    (out_ptr: u32, out_len_ptr: u32) -> ();
                /// Ends the call with `data`; flag 1 undoes its changes. Does not return.
                "seal0" "seal_return" as seal0_seal_return [plain pure reading] Return
                    (flags: u32, data_ptr: u32, data_len: u32) -> ();
                /// Replaces this contract's code.
                "seal0" "set_code_hash" as seal0_set_code_hash [aliased stateful mutating] StorageWrite
                    (code_hash_ptr: u32) -> $crate::ReturnCode;
                /// Replaces the value under a 32-byte storage key.
                "seal0" "set_storage" as seal0_set_storage [aliased stateful mutating] StorageWrite
                    (key_ptr: u32, value_ptr: u32, value_len: u32) -> ();
                /// Replaces the value under a 32-byte storage key; the old length, or u32::MAX.
                "seal1" "set_storage" as seal1_set_storage [aliased stateful mutating] StorageWrite
                    (key_ptr: u32, value_ptr: u32, value_len: u32) -> u32;
                /// Replaces the value under a storage key; the old length, or u32::MAX.
                "seal2" "set_storage" as seal2_set_storage [aliased stateful mutating] StorageWrite
                    (key_ptr: u32, key_len: u32, value_ptr: u32, value_len: u32) -> u32;
                /// Whether an sr25519 signature over a message holds.
                "seal0" "sr25519_verify" as seal0_sr25519_verify [plain stateful reading] Signature
                    (signature_ptr: u32, pub_key_ptr: u32, message_len: u32,
                    message_ptr: u32) -> $crate::ReturnCode;
                /// Removes the value under a storage key and writes what it was.
                "seal0" "take_storage" as seal0_take_storage [aliased stateful mutating] StorageWrite
                    (key_ptr: u32, key_len: u32, out_ptr: u32, out_len_ptr: u32) -> $crate::ReturnCode;
                /// Removes this contract and sends its balance to a beneficiary. Does not return.
                "seal0" "terminate" as seal0_terminate [aliased stateful mutating] Transfer
                    (beneficiary_ptr: u32, beneficiary_len: u32) -> ();
                /// Removes this contract and sends its balance to a beneficiary. Does not return.
                "seal1" "terminate" as seal1_terminate [aliased stateful mutating] Transfer
                    (beneficiary_ptr: u32) -> ();
                /// Sends value from this contract to an account.
                "seal0" "transfer" as seal0_transfer [aliased stateful mutating] Transfer
                    (account_ptr: u32, account_len: u32, value_ptr: u32,
                    value_len: u32) -> $crate::ReturnCode;
                /// Releases a locked code.
                "seal0" "unlock_delegate_dependency" as seal0_unlock_delegate_dependency [plain stateful mutating] StorageWrite
                    (code_hash_ptr: u32) -> ();
                /// Writes the value sent with this call (u128).
                "seal0" "value_transferred" as seal0_value_transferred [aliased stateful reading] Fact
                    (out_ptr: u32, out_len_ptr: u32) -> ();
                /// Writes the fee of `gas` (u128).
                "seal0" "weight_to_fee" as seal0_weight_to_fee [aliased stateful reading] Fact
                    (gas: u64, out_ptr: u32, out_len_ptr: u32) -> ();
                /// Executes a cross-consensus message; this chain answers with an error code.
                "seal0" "xcm_execute" as seal0_xcm_execute [plain stateful mutating] Stub
                    (msg_ptr: u32, msg_len: u32) -> $crate::ReturnCode;
                /// Sends a cross-consensus message; this chain answers with an error code.
                "seal0" "xcm_send" as seal0_xcm_send [plain stateful mutating] Stub
                    (dest_ptr: u32, msg_ptr: u32, msg_len: u32, output_ptr: u32) -> $crate::ReturnCode;
            }
            Unstable {
                /// How many calls to an account are on the call stack.
                "seal0" "account_reentrance_count" as seal0_account_reentrance_count [plain stateful reading] Stub
                    (account_ptr: u32) -> u32;
                /// Removes a value that lives as long as the transaction.
                "seal0" "clear_transient_storage" as seal0_clear_transient_storage [plain stateful reading] Stub
                    (key_ptr: u32, key_len: u32) -> u32;
                /// The length of a value that lives as long as the transaction, or u32::MAX.
                "seal0" "contains_transient_storage" as seal0_contains_transient_storage [plain stateful reading] Stub
                    (key_ptr: u32, key_len: u32) -> u32;
                /// Writes the gas left to this call (u64).
                "seal1" "gas_left" as seal1_gas_left [plain stateful reading] Stub
                    (out_ptr: u32, out_len_ptr: u32) -> ();
                /// Writes a value that lives as long as the transaction.
                "seal0" "get_transient_storage" as seal0_get_transient_storage [plain stateful reading] Stub
                    (key_ptr: u32, key_len: u32, out_ptr: u32, out_len_ptr: u32) -> $crate::ReturnCode;
                /// Does nothing; the pallet benchmarks with it.
                "seal0" "noop" as seal0_noop [plain stateful reading] Stub () -> ();
                /// How many calls to this contract are on the call stack.
                "seal0" "reentrance_count" as seal0_reentrance_count [plain stateful reading] Stub () -> u32;
                /// Replaces a value that lives as long as the transaction.
                "seal0" "set_transient_storage" as seal0_set_transient_storage [plain stateful reading] Stub
                    (key_ptr: u32, key_len: u32, value_ptr: u32, value_len: u32) -> u32;
                /// Removes a value that lives as long as the transaction and writes what it was.
                "seal0" "take_transient_storage" as seal0_take_transient_storage [plain stateful reading] Stub
                    (key_ptr: u32, key_len: u32, out_ptr: u32, out_len_ptr: u32) -> $crate::ReturnCode;
                /// Writes the fee of `gas` (u128).
                "seal1" "weight_to_fee" as seal1_weight_to_fee [plain stateful reading] Stub
                    (ref_time_limit: u64, proof_size_limit: u64, out_ptr: u32, out_len_ptr: u32) -> ();
            }
            Deprecated {
                /// Wrote a random value.
                "seal0" "random" as seal0_random [aliased stateful reading] Stub
                    (subject_ptr: u32, subject_len: u32, out_ptr: u32, out_len_ptr: u32) -> ();
                /// Wrote a random value.
                "seal1" "random" as seal1_random [aliased stateful reading] Stub
                    (subject_ptr: u32, subject_len: u32, out_ptr: u32, out_len_ptr: u32) -> ();
                /// Wrote the rent allowance of removed storage rent.
                "seal0" "rent_allowance" as seal0_rent_allowance [aliased stateful reading] Stub
                    (out_ptr: u32, out_len_ptr: u32) -> ();
                /// Restored a tombstone of removed storage rent.
                "seal0" "restore_to" as seal0_restore_to [aliased stateful reading] Stub
                    (dest_ptr: u32, dest_len: u32, code_hash_ptr: u32, code_hash_len: u32,
                    rent_allowance_ptr: u32, rent_allowance_len: u32, delta_ptr: u32, delta_count: u32) -> ();
                /// Restored a tombstone of removed storage rent.
                "seal1" "restore_to" as seal1_restore_to [aliased stateful reading] Stub
                    (dest_ptr: u32, code_hash_ptr: u32, rent_allowance_ptr: u32, delta_ptr: u32,
                    delta_count: u32) -> ();
                /// Set the rent allowance of removed storage rent.
                "seal0" "set_rent_allowance" as seal0_set_rent_allowance [aliased stateful reading] Stub
                    (value_ptr: u32, value_len: u32) -> ();
                /// Set the rent allowance of removed storage rent.
                "seal1" "set_rent_allowance" as seal1_set_rent_allowance [aliased stateful reading] Stub
                    (value_ptr: u32) -> ();
                /// Wrote the tombstone deposit of removed storage rent.
                "seal0" "tombstone_deposit" as seal0_tombstone_deposit [aliased stateful reading] Stub
                    (out_ptr: u32, out_len_ptr: u32) -> ();
            }
        }
    };
}

// The functions of the chain that this example uses, as the contracts pallet names them, and what they mean.
//
// `length` points to the buffer's size on the way in and the value's on the way out; a longer value traps.

// @ts-ignore: decorator
@external("seal0", "input")
/** What the caller sent: a selector of four bytes and the arguments. */
export declare function input(out: usize, length: usize): void;

// @ts-ignore: decorator
@external("seal0", "seal_return")
/** Ends the call with an answer. Flag 1 undoes all that the call changed. */
export declare function seal_return(flags: u32, data: usize, length: u32): void;

// @ts-ignore: decorator
@external("seal0", "caller")
/** Who calls: 32 bytes. */
export declare function caller(out: usize, length: usize): void;

// @ts-ignore: decorator
@external("seal0", "value_transferred")
/** Money that came with the call: 16 bytes, little-endian. */
export declare function value_transferred(out: usize, length: usize): void;

// @ts-ignore: decorator
@external("seal1", "get_storage")
/** Reads a value of the contract's storage; 0 if there is one. */
export declare function get_storage(key: usize, keyLength: u32, out: usize, length: usize): u32;

// @ts-ignore: decorator
@external("seal2", "set_storage")
/** Writes one. */
export declare function set_storage(key: usize, keyLength: u32, value: usize, length: u32): u32;

// @ts-ignore: decorator
@external("seal0", "deposit_event")
/** Emits an event. Topics are a SCALE list of 32-byte words. */
export declare function deposit_event(topics: usize, topicsLength: u32, data: usize, length: u32): void;

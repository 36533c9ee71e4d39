// The functions of the chain that this example uses, as the contracts pallet names them, and what they mean.
//
// `*length` is the buffer's size on the way in and the value's on the way out; a value that is longer traps.
#pragma once

#include <stdint.h>

#define SEAL(version, name) __attribute__((import_module(#version), import_name(#name)))

// What the caller sent: a selector of four bytes and the arguments.
SEAL(seal0, input) void seal_input(void *out, uint32_t *length);
// Ends the call with an answer. Flag 1 undoes all that the call changed.
SEAL(seal0, seal_return) _Noreturn void seal_return(uint32_t flags, const void *data, uint32_t length);
// Who calls: 32 bytes.
SEAL(seal0, caller) void seal_caller(void *out, uint32_t *length);
// Money that came with the call: 16 bytes, little-endian.
SEAL(seal0, value_transferred) void seal_value_transferred(void *out, uint32_t *length);
// Pays from the contract's account; 0 if it could.
SEAL(seal0, transfer) uint32_t seal_transfer(const void *to, uint32_t to_length, const void *value, uint32_t value_length);
// Reads a value of the contract's storage; 0 if there is one.
SEAL(seal1, get_storage) uint32_t seal_get_storage(const void *key, uint32_t key_length, void *out, uint32_t *length);
// Writes one.
SEAL(seal2, set_storage) uint32_t seal_set_storage(const void *key, uint32_t key_length, const void *value, uint32_t length);
// Emits an event. Topics are a SCALE list of 32-byte words.
SEAL(seal0, deposit_event) void seal_deposit_event(const void *topics, uint32_t topics_length, const void *data, uint32_t length);

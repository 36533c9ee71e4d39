;; A flipper: one boolean under a key of 32 zero bytes.
;; deploy: u8. Messages: "flip", "get_" -> u8, "fail" flips and reverts, "trap" flips and traps, "spin" never ends.
(module
  (import "seal0" "input" (func $input (param i32 i32)))
  (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
  (import "seal0" "get_storage" (func $get (param i32 i32 i32) (result i32)))
  (import "seal1" "set_storage" (func $set (param i32 i32 i32) (result i32)))
  (import "env" "memory" (memory 1 1))
  ;; 0 length cell | 16 input | 64 the boolean | 128 key
  (func $take_input
    (i32.store (i32.const 0) (i32.const 32))
    (call $input (i32.const 16) (i32.const 0)))
  (func $load
    (i32.store (i32.const 0) (i32.const 1))
    (drop (call $get (i32.const 128) (i32.const 64) (i32.const 0))))
  (func $flip
    (call $load)
    (i32.store8 (i32.const 64) (i32.xor (i32.load8_u (i32.const 64)) (i32.const 1)))
    (drop (call $set (i32.const 128) (i32.const 64) (i32.const 1))))
  (func (export "deploy")
    (call $take_input)
    (if (i32.ne (i32.load (i32.const 0)) (i32.const 1))
      (then (call $return (i32.const 1) (i32.const 0) (i32.const 0))))
    (drop (call $set (i32.const 128) (i32.const 16) (i32.const 1))))
  (func (export "call") (local $selector i32)
    (call $take_input)
    (local.set $selector (i32.load (i32.const 16)))
    (if (i32.eq (local.get $selector) (i32.const 0x70696c66)) (then (call $flip) (return)))
    (if (i32.eq (local.get $selector) (i32.const 0x5f746567))
      (then (call $load) (call $return (i32.const 0) (i32.const 64) (i32.const 1))))
    (if (i32.eq (local.get $selector) (i32.const 0x70617274)) (then (call $flip) (unreachable)))
    (if (i32.eq (local.get $selector) (i32.const 0x6e697073)) (then (loop $again (br $again))))
    (if (i32.eq (local.get $selector) (i32.const 0x6c696166)) (then (call $flip)))
    (call $return (i32.const 1) (i32.const 64) (i32.const 1))))

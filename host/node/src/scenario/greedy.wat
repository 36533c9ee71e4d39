;; A pure contract that answers every message from constant bytes: `describe`, then by the size of the input.
(module
  (import "env" "memory" (memory 2 256))
  (import "seal0" "input" (func $input (param i32 i32)))
  (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
  (data (i32.const 1024) "$DESCRIBE")
  (data (i32.const 2048) "$NOTHING")
  (data (i32.const 3072) "$GREED")
  (func (export "deploy"))
  (func (export "call")
    ;; The capacity in, the length out.
    (i32.store (i32.const 0) (i32.const 65536))
    (call $input (i32.const 8192) (i32.const 0))
    ;; Selector of `describe`: 33 71 3e 62.
    (if (i32.eq (i32.load (i32.const 8192)) (i32.const 0x623e7133))
      (then (call $return (i32.const 0) (i32.const 1024) (i32.const $DESCRIBE_LENGTH))))
    (if (i32.gt_u (i32.load (i32.const 0)) (i32.const 256))
      (then (call $return (i32.const 0) (i32.const 2048) (i32.const $NOTHING_LENGTH))))
    (call $return (i32.const 0) (i32.const 3072) (i32.const $GREED_LENGTH))))

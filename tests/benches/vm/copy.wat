;; What a compiler calls where `memory.copy` is not to be had: lines of 32 bytes, then bytes.
(module
  (memory 1)
  (func (param $to i32) (param $from i32) (param $length i32)
    (block $lines (loop $again
      (br_if $lines (i32.lt_u (local.get $length) (i32.const 32)))
      (i64.store align=1 (local.get $to) (i64.load align=1 (local.get $from)))
      (i64.store offset=8 align=1 (local.get $to) (i64.load offset=8 align=1 (local.get $from)))
      (i64.store offset=16 align=1 (local.get $to) (i64.load offset=16 align=1 (local.get $from)))
      (i64.store offset=24 align=1 (local.get $to) (i64.load offset=24 align=1 (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 32)))
      (local.set $from (i32.add (local.get $from) (i32.const 32)))
      (local.set $length (i32.sub (local.get $length) (i32.const 32)))
      (br $again)))
    (block $bytes (loop $again
      (br_if $bytes (i32.eqz (local.get $length)))
      (i32.store8 (local.get $to) (i32.load8_u (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (local.set $length (i32.sub (local.get $length) (i32.const 1)))
      (br $again)))))

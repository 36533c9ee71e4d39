(module
  ;; A continuous book by price and time, searched from end to end for each order: slow, and nobody else's code.
  ;;
  ;; 16 description | 0x20000 input | 0x840000 orders in the book, as addresses of their 38 bytes in the input
  ;; 0x8c0000 trades, with room before them for what precedes them in the answer
  ;; 0xb20000 seqs of withdrawn orders
  (import "env" "memory" (memory 200 256))
  (import "seal0" "input" (func $input (param i32 i32)))
  (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
  (data (i32.const 16) "$DESCRIPTION")
  (global $at (mut i32) (i32.const 0))
  (global $book (mut i32) (i32.const 0x840000))
  (global $trades (mut i32) (i32.const 0x8c0000))
  (global $gone (mut i32) (i32.const 0xb20000))

  ;; Fields of an order: seq 0, entity 4, side 12, energy 13, price 29.
  (func $compact (result i32) (local $word i32) (local $mode i32)
    (local.set $word (i32.load (global.get $at)))
    (local.set $mode (i32.and (local.get $word) (i32.const 3)))
    (if (i32.eqz (local.get $mode)) (then
      (global.set $at (i32.add (global.get $at) (i32.const 1)))
      (return (i32.shr_u (i32.and (local.get $word) (i32.const 0xff)) (i32.const 2)))))
    (if (i32.eq (local.get $mode) (i32.const 1)) (then
      (global.set $at (i32.add (global.get $at) (i32.const 2)))
      (return (i32.shr_u (i32.and (local.get $word) (i32.const 0xffff)) (i32.const 2)))))
    (global.set $at (i32.add (global.get $at) (i32.const 4)))
    (i32.shr_u (local.get $word) (i32.const 2)))

  (func $compact_bytes (param $value i32) (result i32)
    (if (i32.lt_u (local.get $value) (i32.const 64)) (then (return (i32.const 1))))
    (if (i32.lt_u (local.get $value) (i32.const 16384)) (then (return (i32.const 2))))
    (i32.const 4))

  (func $put_compact (param $to i32) (param $value i32) (local $bytes i32)
    (local.set $bytes (call $compact_bytes (local.get $value)))
    (local.set $value (i32.or (i32.shl (local.get $value) (i32.const 2))
      (i32.shr_u (local.get $bytes) (i32.const 1))))
    (if (i32.eq (local.get $bytes) (i32.const 1)) (then (i32.store8 (local.get $to) (local.get $value)))
      (else (if (i32.eq (local.get $bytes) (i32.const 2))
        (then (i32.store16 (local.get $to) (local.get $value)))
        (else (i32.store (local.get $to) (local.get $value)))))))

  (func $rest (param $order i32)
    (i32.store (global.get $book) (local.get $order))
    (global.set $book (i32.add (global.get $book) (i32.const 4))))

  ;; Whether `old` is open, of the other side, and reached by `new`.
  (func $crosses (param $new i32) (param $old i32) (result i32)
    (if (i64.eqz (i64.load offset=13 (local.get $old))) (then (return (i32.const 0))))
    (if (i32.eq (i32.load8_u offset=12 (local.get $old)) (i32.load8_u offset=12 (local.get $new)))
      (then (return (i32.const 0))))
    (if (result i32) (i32.load8_u offset=12 (local.get $new))
      (then (i32.ge_u (i32.load offset=29 (local.get $old)) (i32.load offset=29 (local.get $new))))
      (else (i32.le_u (i32.load offset=29 (local.get $old)) (i32.load offset=29 (local.get $new))))))

  ;; Whether `a` is a better price for `new` than `b`.
  (func $better (param $new i32) (param $a i32) (param $b i32) (result i32)
    (if (result i32) (i32.load8_u offset=12 (local.get $new))
      (then (i32.gt_u (i32.load offset=29 (local.get $a)) (i32.load offset=29 (local.get $b))))
      (else (i32.lt_u (i32.load offset=29 (local.get $a)) (i32.load offset=29 (local.get $b))))))

  (func $best (param $new i32) (result i32) (local $next i32) (local $old i32) (local $best i32)
    (local.set $next (i32.const 0x840000))
    (block $done (loop $more
      (br_if $done (i32.ge_u (local.get $next) (global.get $book)))
      (local.set $old (i32.load (local.get $next)))
      (local.set $next (i32.add (local.get $next) (i32.const 4)))
      (br_if $more (i32.eqz (call $crosses (local.get $new) (local.get $old))))
      (if (i32.eqz (local.get $best)) (then (local.set $best (local.get $old)))
        (else (if (call $better (local.get $new) (local.get $old) (local.get $best))
          (then (local.set $best (local.get $old))))))
      (br $more)))
    (local.get $best))

  ;; At the older order's price.
  (func $trade (param $new i32) (param $old i32) (param $energy i64)
    (i64.store offset=13 (local.get $new) (i64.sub (i64.load offset=13 (local.get $new)) (local.get $energy)))
    (i64.store offset=13 (local.get $old) (i64.sub (i64.load offset=13 (local.get $old)) (local.get $energy)))
    (if (i32.load8_u offset=12 (local.get $new)) (then
      (i32.store (global.get $trades) (i32.load (local.get $old)))
      (i32.store offset=4 (global.get $trades) (i32.load (local.get $new))))
    (else
      (i32.store (global.get $trades) (i32.load (local.get $new)))
      (i32.store offset=4 (global.get $trades) (i32.load (local.get $old)))))
    (i64.store offset=8 (global.get $trades) (local.get $energy))
    (i32.store offset=16 (global.get $trades) (i32.load offset=29 (local.get $old)))
    (i32.store offset=20 (global.get $trades) (i32.load offset=29 (local.get $old)))
    (global.set $trades (i32.add (global.get $trades) (i32.const 24))))

  ;; One Wh of every order that `new` reaches, and the rest of the last: many trades that fill nobody.
  (func $crumble (param $new i32) (local $next i32) (local $old i32) (local $last i32) (local $energy i64)
    (local.set $next (global.get $book))
    (block $found (loop $more
      (br_if $found (i32.le_u (local.get $next) (i32.const 0x840000)))
      (local.set $next (i32.sub (local.get $next) (i32.const 4)))
      (local.set $last (i32.load (local.get $next)))
      (br_if $more (i32.eqz (call $crosses (local.get $new) (local.get $last))))))
    (local.set $next (i32.const 0x840000))
    (block $done (loop $more
      (br_if $done (i32.ge_u (local.get $next) (global.get $book)))
      (local.set $old (i32.load (local.get $next)))
      (local.set $next (i32.add (local.get $next) (i32.const 4)))
      (br_if $more (i32.eqz (call $crosses (local.get $new) (local.get $old))))
      (local.set $energy (i64.const 1))
      (if (i32.eq (local.get $old) (local.get $last))
        (then (local.set $energy (i64.load offset=13 (local.get $new)))))
      (call $trade (local.get $new) (local.get $old) (local.get $energy))
      (br $more)))
    (call $rest (local.get $new)))

  (func $arrive (param $new i32) (local $old i32) (local $energy i64)
    (if (i32.ge_u (i32.load (i32.const 0x2000e)) (i32.const $CRUMBLES_FROM)) (then (call $crumble (local.get $new)) (return)))
    (loop $more
      (if (i64.eqz (i64.load offset=13 (local.get $new))) (then (return)))
      (local.set $old (call $best (local.get $new)))
      (if (i32.eqz (local.get $old)) (then (call $rest (local.get $new)) (return)))
      (if (i32.eq (i32.load offset=4 (local.get $old)) (i32.load offset=4 (local.get $new))) (then
        (i32.store (global.get $gone) (i32.load (local.get $new)))
        (global.set $gone (i32.add (global.get $gone) (i32.const 4)))
        (return)))
      (local.set $energy (i64.load offset=13 (local.get $new)))
      (if (i64.gt_u (local.get $energy) (i64.load offset=13 (local.get $old)))
        (then (local.set $energy (i64.load offset=13 (local.get $old)))))
      (call $trade (local.get $new) (local.get $old) (local.get $energy))
      (br $more)))

  (func $cancel (param $target i32) (local $next i32) (local $old i32)
    (local.set $next (i32.const 0x840000))
    (block $done (loop $more
      (br_if $done (i32.ge_u (local.get $next) (global.get $book)))
      (local.set $old (i32.load (local.get $next)))
      (if (i32.eq (i32.load (local.get $old)) (local.get $target))
        (then (i64.store offset=13 (local.get $old) (i64.const 0))))
      (local.set $next (i32.add (local.get $next) (i32.const 4)))
      (br $more))))

  (func $answer (local $from i32) (local $count i32) (local $to i32)
    (local.set $count (i32.div_u (i32.sub (global.get $trades) (i32.const 0x8c0000)) (i32.const 24)))
    (local.set $from (i32.sub (i32.const 0x8c0000) (call $compact_bytes (local.get $count))))
    (call $put_compact (local.get $from) (local.get $count))
    (local.set $from (i32.sub (local.get $from) (i32.const 2)))
    (i32.store16 (local.get $from) (i32.const 0))
    (local.set $count (i32.div_u (i32.sub (global.get $gone) (i32.const 0xb20000)) (i32.const 4)))
    (local.set $to (global.get $trades))
    (call $put_compact (local.get $to) (local.get $count))
    (local.set $to (i32.add (local.get $to) (call $compact_bytes (local.get $count))))
    (global.set $at (i32.const 0xb20000))
    (block $done (loop $more
      (br_if $done (i32.ge_u (global.get $at) (global.get $gone)))
      (i32.store (local.get $to) (i32.load (global.get $at)))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (global.set $at (i32.add (global.get $at) (i32.const 4)))
      (br $more)))
    (i32.store8 (local.get $to) (i32.const 0))
    (call $return (i32.const 0) (local.get $from)
      (i32.sub (i32.add (local.get $to) (i32.const 1)) (local.get $from))))

  (func (export "deploy"))
  (func (export "call") (local $left i32)
    (i32.store (i32.const 0) (i32.const 8388608))
    (call $input (i32.const 0x20000) (i32.const 0))
    (if (i32.eq (i32.load (i32.const 0x20000)) (i32.const $DESCRIBE))
      (then (call $return (i32.const 0) (i32.const 16) (i32.const $LENGTH))))
    ;; selector, then interface, market and slot
    (if (i32.and
        (i32.ge_u (i32.load (i32.const 0x2000e)) (i32.const $FAILS_FROM))
        (i32.lt_u (i32.load (i32.const 0x2000e)) (i32.const $FAILS_TO)))
      (then unreachable))
    (if (i32.ne (i32.load8_u (i32.const 0x20020)) (i32.const 1)) (then unreachable))
    (global.set $at (i32.const 0x20021))
    (local.set $left (call $compact))
    (block $done (loop $more
      (br_if $done (i32.eqz (local.get $left)))
      (call $rest (global.get $at))
      (global.set $at (i32.add (global.get $at) (i32.const 38)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $more)))
    (local.set $left (call $compact))
    (block $done (loop $more
      (br_if $done (i32.eqz (local.get $left)))
      (if (i32.load8_u (global.get $at))
        (then
          (call $cancel (i32.load offset=5 (global.get $at)))
          (global.set $at (i32.add (global.get $at) (i32.const 9))))
        (else
          (call $arrive (i32.add (global.get $at) (i32.const 1)))
          (global.set $at (i32.add (global.get $at) (i32.const 39)))))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $more)))
    (call $answer)))

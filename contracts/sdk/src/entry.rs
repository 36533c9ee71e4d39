//! The macros that turn functions into a contract.
//!
//! A contract crate names its messages once; WASM exports and the native `dispatch` both follow from that list.

/// Makes a crate a pure market rule.
///
/// Emits `pub fn dispatch(&[u8]) -> (flags, data)` on every target and the exports `call` and `deploy` on wasm32.
/// `input_max` bounds the input in bytes: that much memory is reserved by every call, and a longer input traps.
///
/// ```ignore
/// contract_sdk::pure_rule! { input_max: 4096, DESCRIBE => describe, ADMIT => admit }
/// ```
#[macro_export]
macro_rules! pure_rule {
    (input_max: $max:expr, $($selector:expr => $handler:path),+ $(,)?) => {
        /// Most bytes of input that this rule's WASM reads; a longer input traps.
        pub const INPUT_BYTES_MAX: usize = $max;

        $crate::__dispatch!(dispatch, route: $($selector => $handler),+);

        #[cfg(target_arch = "wasm32")]
        mod wasm {
            #![allow(unsafe_code, reason = "an exported symbol has a fixed name")]

            #[unsafe(no_mangle)]
            extern "C" fn call() {
                let (flags, data) = super::route($crate::guest::read_input(super::INPUT_BYTES_MAX));
                $crate::guest::finish(flags, &data)
            }

            /// A pure rule has nothing to construct.
            #[unsafe(no_mangle)]
            extern "C" fn deploy() {}
        }
    };
}

/// Makes a crate a stateful contract: constructors are served by `deploy`, messages by `call`.
///
/// Emits `pub fn construct` and `pub fn dispatch` on every target and the exports on wasm32.
#[macro_export]
macro_rules! stateful_contract {
    (
        input_max: $max:expr,
        constructors: { $($new:expr => $constructor:path),+ $(,)? },
        messages: { $($selector:expr => $handler:path),+ $(,)? } $(,)?
    ) => {
        /// Most bytes of input that this contract's WASM reads; a longer input traps.
        pub const INPUT_BYTES_MAX: usize = $max;

        $crate::__dispatch!(construct, construct_route: $($new => $constructor),+);
        $crate::__dispatch!(dispatch, route: $($selector => $handler),+);

        #[cfg(target_arch = "wasm32")]
        mod wasm {
            #![allow(unsafe_code, reason = "an exported symbol has a fixed name")]

            #[unsafe(no_mangle)]
            extern "C" fn call() {
                let (flags, data) = super::route($crate::guest::read_input(super::INPUT_BYTES_MAX));
                $crate::guest::finish(flags, &data)
            }

            #[unsafe(no_mangle)]
            extern "C" fn deploy() {
                let (flags, data) = super::construct_route($crate::guest::read_input(super::INPUT_BYTES_MAX));
                $crate::guest::finish(flags, &data)
            }
        }
    };
}

/// One selector table as two functions: `$name` for borrowed bytes, `$route` for any bytes.
#[doc(hidden)]
#[macro_export]
macro_rules! __dispatch {
    ($name:ident, $route:ident: $($selector:expr => $handler:path),+) => {
        /// Answers one input exactly as the contract's WASM does: flags and data of `seal_return`.
        pub fn $name(input: &[u8]) -> $crate::Answer {
            $route(input)
        }

        fn $route(input: impl AsRef<[u8]>) -> $crate::Answer {
            $(
                if $crate::selects(input.as_ref(), $selector) {
                    return $crate::answer(input, $handler);
                }
            )+
            $crate::unreadable()
        }
    };
}

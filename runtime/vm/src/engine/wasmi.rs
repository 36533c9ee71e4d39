//! The second engine: wasmi, an interpreter that shares no compiler with the first.
//!
//! Validators re-run market rules on it before they sign. Its own limits lie far above those of the module.

use super::{End, Funds, Ran, Stopped, fault};
use crate::check::Checked;
use crate::limits::{INTERPRETER_FRAMES_MAX, INTERPRETER_STACK_BYTES};
use crate::{Entry, Trap, VmFault, meter, seal};
use runtime_abi::{CostClass, Lower, for_each_host_function};
use wasmi::{Caller, CompilationMode, Config, Global, Linker, Memory, Module, Store, TrapCode, Val};

pub(crate) struct Engine {
    engine: wasmi::Engine,
    linker: Linker<Handles>,
}

pub(crate) struct Compiled {
    module: Module,
    has_start: bool,
}

/// What host functions need of the instance that called them.
#[derive(Default)]
pub(crate) struct Handles(Option<(Memory, Counters)>);

/// The counters of an instance.
#[derive(Clone, Copy)]
struct Counters {
    gas: Global,
    stack: Global,
}

impl wasmi::errors::HostError for Stopped {}

impl Engine {
    pub(crate) fn new() -> Result<Self, VmFault> {
        let engine = wasmi::Engine::new(&config());
        let linker = linker(&engine).map_err(|error| VmFault(error.to_string()))?;
        Ok(Self { engine, linker })
    }

    pub(crate) fn compile(&self, checked: &Checked) -> Compiled {
        let module = Module::new(&self.engine, checked.instrumented())
            .unwrap_or_else(|error| fault(format_args!("a checked module does not translate: {error}")));
        Compiled { module, has_start: checked.has_start() }
    }

    pub(crate) fn run(&self, compiled: &Compiled, entry: Entry, funds: Funds) -> Ran {
        let mut store = Store::new(&self.engine, Handles::default());
        let instance = match self.linker.instantiate_and_start(&mut store, &compiled.module) {
            Ok(instance) => instance,
            Err(error) => fault(format_args!("no instance: {error}")),
        };
        let memory = instance.get_memory(&store, meter::MEMORY_EXPORT);
        let gas = instance.get_global(&store, meter::GAS_EXPORT);
        let stack = instance.get_global(&store, meter::STACK_EXPORT);
        let (Some(memory), Some(gas), Some(stack)) = (memory, gas, stack) else {
            fault("an instance lacks what its module exports")
        };
        *store.data_mut() = Handles(Some((memory, Counters { gas, stack })));
        let funded =
            gas.set(&mut store, Val::I64(funds.gas)).and(stack.set(&mut store, Val::I32(funds.stack)));
        funded.expect("the counters are mutable and of these types");

        let mut end = End::Finished;
        for name in compiled.has_start.then_some(meter::START_EXPORT).into_iter().chain([entry.name()]) {
            let function = instance.get_typed_func::<(), ()>(&store, name);
            let function = function.expect("the module was checked to have the entry point of its kind");
            if let Err(error) = function.call(&mut store, ()) {
                end = ended(&error);
                break;
            }
        }
        let gas_left = gas.get(&store).i64().expect("the gas counter is an i64");
        let stack_left = stack.get(&store).i32().expect("the stack counter is an i32");
        Ran { end, gas_left, stack_left }
    }
}

fn ended(error: &wasmi::Error) -> End {
    if error.downcast_ref::<Stopped>().is_some() {
        return End::Stopped;
    }
    End::Trapped(match error.as_trap_code() {
        Some(TrapCode::UnreachableCodeReached) => Trap::Unreachable,
        Some(TrapCode::MemoryOutOfBounds) => Trap::MemoryOutOfBounds,
        Some(TrapCode::TableOutOfBounds) => Trap::TableOutOfBounds,
        Some(TrapCode::IndirectCallToNull) => Trap::IndirectCallToNull,
        Some(TrapCode::BadSignature) => Trap::BadSignature,
        Some(TrapCode::IntegerOverflow) => Trap::IntegerOverflow,
        Some(TrapCode::IntegerDivisionByZero) => Trap::DivisionByZero,
        _ => fault(error),
    })
}

fn config() -> Config {
    let mut config = Config::default();
    config
        .set_max_recursion_depth(INTERPRETER_FRAMES_MAX)
        .set_max_stack_height(INTERPRETER_STACK_BYTES)
        .compilation_mode(CompilationMode::Eager)
        .consume_fuel(false)
        .ignore_custom_sections(true);
    // As on the other engine: validation has refused these already.
    config
        .floats(false)
        .wasm_bulk_memory(true)
        .wasm_multi_value(true)
        .wasm_reference_types(false)
        .wasm_saturating_float_to_int(false)
        .wasm_multi_memory(false)
        .wasm_tail_call(false)
        .wasm_extended_const(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false);
    config
}

/// Runs a host function for the instance that called it.
fn enter<R>(
    mut caller: Caller<'_, Handles>,
    work: seal::Work,
    body: impl FnOnce(&mut seal::Call<'_, '_>) -> Result<R, crate::frame::Stop>,
) -> Result<R, wasmi::Error> {
    let (memory, Counters { gas, stack }) = caller.data().0.expect("handles are set before a contract runs");
    let gas_left = gas.get(&caller).i64().expect("the gas counter is an i64");
    let stack_left = || stack.get(&caller).i32().expect("the stack counter is an i32");
    let funds = Funds { gas: gas_left, stack: if work.nests() { stack_left() } else { 0 } };
    let (gas_left, result) = seal::run(work, memory.data_mut(&mut caller), funds, body);
    gas.set(&mut caller, Val::I64(gas_left)).expect("the gas counter is a mutable i64");
    result.ok_or_else(|| wasmi::Error::host(Stopped))
}

macro_rules! define_linker {
    (
        Served {$(
            $(#[$doc:meta])+
            $module:literal $name:literal as $id:ident [$alias:ident $reach:ident $effect:ident] $cost:ident
            ($($parameter:ident: $type:ty),*) -> $result:ty;
        )*}
        $($not_served:tt)*
    ) => {
        fn linker(engine: &wasmi::Engine) -> Result<Linker<Handles>, wasmi::errors::LinkerError> {
            let mut linker = Linker::new(engine);
            $({
                let mut link = |name: &str| {
                    linker.func_wrap($module, name, |caller: Caller<'_, Handles>, $($parameter: $type),*| {
                        enter(caller, seal::Work { cost: CostClass::$cost, mutating: mutating!($effect) }, |call| seal::$id(call, $($parameter),*).map(<$result>::lower))
                    })
                    .map(drop)
                };
                link($name)?;
                alias!($alias, link, $name);
            })*
            Ok(linker)
        }
    };
}
for_each_host_function!(define_linker);

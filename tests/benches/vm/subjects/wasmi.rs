//! The interpreter in two generations, metering by its own fuel.
//!
//! Both have nearly one interface, so one macro writes both. The contracts pallet, which runs 0.32, also parses and
//! translates the code at every call; that is not measured here.

macro_rules! fuelled {
    ($version:ident, $name:literal, $wasmi:ident, |$linker:ident, $store:ident, $module:ident| $instantiate:expr) => {
        pub mod $version {
            use crate::shape;
            use crate::subjects::seal::{Call, OutOfBounds};
            use crate::subjects::{Subject, Task};
            use crate::works::{self, Work};
            use $wasmi::{Caller, Config, Engine, Error, Linker, Memory, Module, Store};

            /// Exit status by which a contract that has answered is ended.
            const ANSWERED: i32 = 7;

            type State = (Call, Option<Memory>);

            /// The interpreter.
            pub struct Fuelled {
                engine: Engine,
                linker: Linker<State>,
            }

            impl Fuelled {
                /// Starts it.
                pub fn new() -> Self {
                    let mut config = Config::default();
                    config.consume_fuel(true);
                    let engine = Engine::new(&config);
                    let linker = linker(&engine).expect("names are defined once");
                    Self { engine, linker }
                }
            }

            fn host<R>(
                mut caller: Caller<'_, State>,
                body: impl FnOnce(&mut Call, &mut [u8]) -> Result<R, OutOfBounds>,
            ) -> Result<R, Error> {
                let memory = caller.data().1.ok_or_else(|| Error::new("no memory"))?;
                let (bytes, (call, _)) = memory.data_and_store_mut(&mut caller);
                body(call, bytes).map_err(|OutOfBounds| Error::new("out of bounds"))
            }

            fn linker(engine: &Engine) -> Result<Linker<State>, Box<dyn std::error::Error>> {
                let mut linker = Linker::new(engine);
                linker.func_wrap(
                    "seal0",
                    "input",
                    |caller: Caller<'_, State>, at: u32, length_at: u32| {
                        host(caller, |call, memory| call.input(memory, at, length_at))
                    },
                )?;
                linker.func_wrap(
                    "seal0",
                    "seal_return",
                    |caller: Caller<'_, State>, _flags: u32, at: u32, length: u32| -> Result<(), Error> {
                        host(caller, |call, memory| call.seal_return(memory, at, length))?;
                        Err(Error::i32_exit(ANSWERED))
                    },
                )?;
                linker.func_wrap(
                    "seal0",
                    "get_storage",
                    |caller: Caller<'_, State>, key: u32, at: u32, length_at: u32| {
                        host(caller, |call, memory| call.get_storage(memory, key, at, length_at))
                    },
                )?;
                linker.func_wrap(
                    "seal0",
                    "set_storage",
                    |caller: Caller<'_, State>, key: u32, at: u32, length: u32| {
                        host(caller, |call, memory| call.set_storage(memory, key, at, length))
                    },
                )?;
                linker.func_wrap(
                    "seal0",
                    "hash_blake2_256",
                    |caller: Caller<'_, State>, at: u32, length: u32, hash_at: u32| {
                        host(caller, |call, memory| call.hash_blake2_256(memory, at, length, hash_at))
                    },
                )?;
                Ok(linker)
            }

            impl Subject for Fuelled {
                fn name(&self) -> &'static str {
                    $name
                }

                fn prepare<'a>(&'a self, work: &'a Work) -> Option<Task<'a>> {
                    let module = Module::new(&self.engine, &shape::self_contained(&work.code)[..])
                        .expect("the module is accepted");
                    let mut storage = works::storage();
                    Some(Box::new(move || {
                        let call = Call::new(&work.input, std::mem::take(&mut storage));
                        let mut store = Store::new(&self.engine, (call, None));
                        store.set_fuel(works::PLENTY.units()).expect("fuel is on");
                        let instance = {
                            let ($linker, $store, $module) = (&self.linker, &mut store, &module);
                            $instantiate.expect("the module is instantiated")
                        };
                        store.data_mut().1 = instance.get_memory(&store, "memory");
                        let function =
                            instance.get_typed_func::<(), ()>(&store, "call").expect("it is exported");
                        if let Err(error) = function.call(&mut store, ()) {
                            assert_eq!(error.i32_exit_status(), Some(ANSWERED), "{error}");
                        }
                        let (call, _) = store.into_data();
                        storage = call.storage;
                        call.output
                    }))
                }
            }
        }
    };
}

fuelled!(version_2_0, "wasmi 2.0", wasmi_2, |linker, store, module| linker
    .instantiate_and_start(&mut *store, module));
fuelled!(version_0_32, "wasmi 0.32", wasmi_0_32, |linker, store, module| linker
    .instantiate(&mut *store, module)
    .and_then(|instance| instance.start(&mut *store)));

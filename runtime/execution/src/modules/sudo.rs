//! `Sudo`: the permissioned chain's administration key. It may change the registry, give a stateful contract other code
//! and ask for what everybody may ask of a market,
//! never balances, contract storage or pinned slots; each use is an event.

use crate::call::Call as RuntimeCall;
use crate::context::Context;
use crate::error::SubstrateError;
use crate::metadata::Module;
use crate::modules::contracts;
use crate::origin::Origin;
use crate::storage::{Value, storage};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::AccountId;
use scale_info::TypeInfo;
use thiserror::Error as ThisError;

/// Calls.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Call {
    /// Run a call as root.
    #[codec(index = 0)]
    Sudo {
        /// The call.
        call: Box<RuntimeCall>,
    },
}

/// Events.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Event {
    /// A call was run as root.
    #[codec(index = 0)]
    Sudid {
        /// Its result.
        sudo_result: Result<(), SubstrateError>,
    },
}

/// Errors.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, ThisError)]
pub enum Error {
    /// The signer is not the sudo key.
    #[error("only the sudo key may do this")]
    #[codec(index = 0)]
    RequireSudo,
    /// The call is not administration.
    #[error("sudo may change the registry and a contract's code, nothing of balances or storage")]
    #[codec(index = 1)]
    NotAdministration,
}

storage! {
    "Sudo":
    /// The key.
    pub static KEY: Value<AccountId> = "Key";
}

/// Handle a call.
///
/// # Errors
/// As the call says. The inner call's failure is reported in the event.
pub fn dispatch(ctx: &mut Context, origin: &Origin, call: Call) -> Result<(), crate::DispatchError> {
    let Call::Sudo { call } = call;
    if KEY.get(&ctx.state) != Some(origin.signer()?) {
        return Err(Error::RequireSudo.into());
    }
    if !matches!(
        *call,
        RuntimeCall::Registry(_)
            | RuntimeCall::Markets(_)
            | RuntimeCall::Contracts(contracts::Call::SetCode { .. })
    ) {
        return Err(Error::NotAdministration.into());
    }
    let result = ctx.transactional(|ctx| crate::call::dispatch(ctx, &Origin::Root, *call));
    ctx.emit(Event::Sudid { sudo_result: result.map_err(|error| SubstrateError::from(&error)) });
    Ok(())
}

/// What clients see of the module.
pub(crate) fn describe() -> Module {
    Module::new("Sudo", 3).storage(storage()).calls::<Call>().events::<Event>().errors::<Error>()
}

//! A client of a running node: reads its state, signs calls, submits them and says what became of them.
//!
//! The rule: an answer is given for a block that is final and durable at the node, or it says that it is not.

mod error;
mod party;
mod sealed;
mod session;

pub use error::{SessionError, is_refusal};
pub use party::{Party, account};
pub use sealed::SealedOrder;
pub use session::{Included, Session};

//! The other end: a node asked over HTTP, and its state as a [`Backend`] pinned to one block.
//!
//! A [`Backend`] cannot return an error, and a guess would be worse: a failed read unwinds with its
//! [`ClientError`], which [`RemoteNode::reading`] catches. Read remote state only inside it. What the runtime takes for
//! granted of its own state it cannot of a stranger's, so there every panic is an answer that makes no sense.

use crate::error::ClientError;
use crate::json::hex;
use crate::limits::{RESPONSE_BYTES_MAX, ROWS_PER_PAGE_MAX, WALK_MAX};
use crate::{Health, NodeStatus};
use host_storage::Stretch;
use jsonrpsee::core::client::{ClientT, Error};
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee_http_client::{HttpClient, HttpClientBuilder};
use parity_scale_codec::DecodeAll;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::timestamp;
use runtime_execution::{Call, Receipt};
use runtime_primitives::{Hash, Height, Timestamp};
use runtime_state::{ArchiveRow, Backend};
use serde_json::Value;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;
use tokio::runtime::Runtime;

/// A call is given up after this.
const PATIENCE: Duration = Duration::from_secs(10);
/// Keys fetched ahead when the state is walked through.
const KEYS_AHEAD: u32 = 64;

/// A node reached over RPC. Calls block the thread.
#[derive(Debug)]
pub struct RemoteNode {
    url: String,
    client: HttpClient,
    runtime: Runtime,
}

impl RemoteNode {
    /// A node at `url`; nothing is sent yet. A node serves HTTP and WebSocket on one port, so `ws://` means the same.
    ///
    /// # Errors
    /// [`ClientError::Url`].
    pub fn at(url: &str) -> Result<Self, ClientError> {
        let wrong =
            |reason: &dyn ToString| ClientError::Url { url: url.to_owned(), reason: reason.to_string() };
        let http = match url.split_once("://") {
            Some(("ws" | "http", rest)) => format!("http://{rest}"),
            _ => return Err(wrong(&"no address this program can call")),
        };
        let client = HttpClientBuilder::default()
            .request_timeout(PATIENCE)
            .max_response_size(RESPONSE_BYTES_MAX)
            .build(http);
        let client = client.map_err(|error| wrong(&error))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self { url: url.to_owned(), client, runtime: runtime.map_err(|error| wrong(&error))? })
    }

    /// Where it is, as it was given.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn call(&self, method: &'static str, params: ArrayParams) -> Result<Value, ClientError> {
        self.runtime.block_on(self.client.request(method, params)).map_err(|error| match error {
            Error::Call(refusal) => {
                let rule = refusal.data().and_then(|data| serde_json::from_str::<String>(data.get()).ok());
                let title = refusal.message();
                let message = rule.map_or_else(|| title.to_owned(), |rule| format!("{title}: {rule}"));
                ClientError::Refused { method, message }
            }
            other => ClientError::Transport { url: self.url.clone(), method, reason: other.to_string() },
        })
    }

    /// Hash of the best block.
    ///
    /// # Errors
    /// [`ClientError`]; so for all calls.
    pub fn best(&self) -> Result<Hash, ClientError> {
        let method = "chain_getFinalizedHead";
        let answer = self.call(method, ArrayParams::new())?;
        hash(&answer).ok_or(ClientError::Answer { method })
    }

    /// Hash of the block at `height`, if there is one.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn block_hash(&self, height: Height) -> Result<Option<Hash>, ClientError> {
        let method = "chain_getBlockHash";
        let answer = self.call(method, params([height.number().into()]))?;
        match answer {
            Value::Null => Ok(None),
            found => hash(&found).map(Some).ok_or(ClientError::Answer { method }),
        }
    }

    /// Submit an extrinsic; gives its hash.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with the rule it breaks, or another [`ClientError`].
    pub fn submit(&self, extrinsic: &[u8]) -> Result<Hash, ClientError> {
        let method = "author_submitExtrinsic";
        let answer = self.call(method, params([hex(extrinsic).into()]))?;
        hash(&answer).ok_or(ClientError::Answer { method })
    }

    /// Certificates of checkpoints above `height`, ascending: a page of them, each encoded.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn certificates(&self, height: u64) -> Result<Vec<Vec<u8>>, ClientError> {
        self.list("busbar_getCheckpoints", height)
    }

    /// A page of what comes after `height`.
    fn list(&self, method: &'static str, height: u64) -> Result<Vec<Vec<u8>>, ClientError> {
        let answer = self.call(method, params([height.into()]))?;
        let page = answer.as_array().map(|page| page.iter().map(bytes).collect::<Option<Vec<_>>>());
        page.flatten().ok_or(ClientError::Answer { method })
    }

    /// What Substrate's tools ask a node about itself.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn health(&self) -> Result<Health, ClientError> {
        let method = "system_health";
        let answer = self.call(method, ArrayParams::new())?;
        serde_json::from_value(answer).map_err(|_| ClientError::Answer { method })
    }

    /// What proves blocks after `height` final; `None` if there are none.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn finality(&self, height: Height) -> Result<Option<Stretch>, ClientError> {
        let method = "busbar_getFinality";
        let answer = self.call(method, params([height.number().into()]))?;
        if answer.is_null() {
            return Ok(None);
        }
        let found = (|| {
            let (payloads, proof) = (bytes(&answer["payloads"])?, bytes(&answer["proof"])?);
            let (hashes, rest) = payloads.as_chunks::<32>();
            let payloads = hashes.iter().copied().map(Hash).collect();
            rest.is_empty().then_some(Stretch { payloads, proof })
        })();
        found.map(Some).ok_or(ClientError::Answer { method })
    }

    /// Ordered blocks after `height`, ascending: a page of them, each encoded.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn ordered_blocks(&self, height: Height) -> Result<Vec<Vec<u8>>, ClientError> {
        self.list("busbar_getOrderedBlocks", height.number())
    }

    /// What the node says of itself.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn status(&self) -> Result<NodeStatus, ClientError> {
        let method = "busbar_getStatus";
        let answer = self.call(method, ArrayParams::new())?;
        serde_json::from_value(answer).map_err(|_| ClientError::Answer { method })
    }

    /// The nonce that the account with this SS58 address signs with next, what waits in the node's pool counted.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn next_nonce(&self, address: &str) -> Result<u32, ClientError> {
        let method = "system_accountNextIndex";
        let answer = self.call(method, params([address.into()]))?;
        let number = answer.as_u64().and_then(|number| u32::try_from(number).ok());
        number.ok_or(ClientError::Answer { method })
    }

    /// Height of `block`, if there is such a block.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn height(&self, block: Hash) -> Result<Option<Height>, ClientError> {
        let method = "chain_getHeader";
        let answer = self.call(method, params([block.to_string().into()]))?;
        if answer.is_null() {
            return Ok(None);
        }
        let digits = answer["number"].as_str().and_then(|text| text.strip_prefix("0x"));
        let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        number.map(|number| Some(Height::from_number(number))).ok_or(ClientError::Answer { method })
    }

    /// What became of the extrinsics that were ordered in `block`.
    ///
    /// # Errors
    /// [`ClientError`]; so if there is no such block.
    pub fn receipts(&self, block: Hash) -> Result<Vec<Receipt>, ClientError> {
        let method = "busbar_getReceipts";
        let answer = self.call(method, params([block.to_string().into()]))?;
        let receipts = bytes(&answer).and_then(|bytes| Vec::decode_all(&mut &bytes[..]).ok());
        receipts.ok_or(ClientError::Answer { method })
    }

    /// All archive rows of `table` whose key starts with `prefix`, in order of their keys.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn archive(&self, table: u8, prefix: &[u8]) -> Result<Vec<ArchiveRow>, ClientError> {
        let mut rows: Vec<ArchiveRow> = Vec::new();
        loop {
            let page = self.archive_page(table, prefix, rows.last().map(|row| &row.key[..]))?;
            if page.is_empty() {
                return Ok(rows);
            }
            rows.extend(page);
            if rows.len() > WALK_MAX {
                return Err(ClientError::Endless { method: "busbar_getArchive" });
            }
        }
    }

    /// The next of these rows after the key `after`; none if there are no more.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn archive_page(
        &self,
        table: u8,
        prefix: &[u8],
        after: Option<&[u8]>,
    ) -> Result<Vec<ArchiveRow>, ClientError> {
        let method = "busbar_getArchive";
        let from = after.map_or(Value::Null, |key| hex(key).into());
        let page = [table.into(), hex(prefix).into(), ROWS_PER_PAGE_MAX.into(), from];
        let answer = self.call(method, params(page))?;
        let found = answer.as_array().ok_or(ClientError::Answer { method })?;
        let mut rows: Vec<ArchiveRow> = Vec::with_capacity(found.len());
        for row in found {
            let row = (|| Some(ArchiveRow { table, key: bytes(row.get(0)?)?, value: bytes(row.get(1)?)? }))();
            let last = rows.last().map(|row| &row.key[..]).or(after);
            let row =
                row.filter(|row| row.key.starts_with(prefix) && last.is_none_or(|last| last < &row.key[..]));
            rows.push(row.ok_or(ClientError::Answer { method })?);
        }
        Ok(rows)
    }

    /// The extrinsics that `block` applied, the inherent first, if there is such a block.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn body(&self, block: Hash) -> Result<Option<Vec<Vec<u8>>>, ClientError> {
        let method = "chain_getBlock";
        let answer = self.call(method, params([block.to_string().into()]))?;
        if answer.is_null() {
            return Ok(None);
        }
        let found = answer["block"]["extrinsics"].as_array();
        let body = found.and_then(|found| found.iter().map(bytes).collect());
        body.map(Some).ok_or(ClientError::Answer { method })
    }

    /// Time of `block`, if there is such a block: its first extrinsic says it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn time(&self, block: Hash) -> Result<Option<Timestamp>, ClientError> {
        let Some(body) = self.body(block)? else { return Ok(None) };
        let inherent = body.first().and_then(|bytes| UncheckedExtrinsic::from_bytes(bytes).ok());
        match inherent.map(|inherent| inherent.call) {
            Some(Call::Timestamp(timestamp::Call::Set { now })) => Ok(Some(Timestamp::from_ms(now))),
            _ => Err(ClientError::Answer { method: "chain_getBlock" }),
        }
    }

    /// The state after block `at`, which must be a recent one.
    pub const fn state(&self, at: Hash) -> RemoteState<'_> {
        RemoteState { node: self, at, ahead: RefCell::new(Vec::new()), walked: Cell::new(0) }
    }

    /// Run `work`, which may read remote state.
    ///
    /// # Errors
    /// The [`ClientError`] of the first read that failed; [`ClientError::Foreign`] if `work` panics on what it read.
    pub fn reading<T>(work: impl FnOnce() -> T) -> Result<T, ClientError> {
        let outer = READING.replace(true);
        let done = catch_unwind(AssertUnwindSafe(work));
        READING.set(outer);
        done.map_err(|payload| match payload.downcast::<ClientError>() {
            Ok(error) => *error,
            Err(other) => ClientError::Foreign { reason: words(&*other) },
        })
    }

    /// Whether this thread is inside [`RemoteNode::reading`], where a panic is an error that the caller tells.
    pub fn is_reading() -> bool {
        READING.get()
    }
}

thread_local! {
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// The text of a panic.
fn words(payload: &(dyn Any + Send)) -> String {
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no reason").to_owned()
}

/// The state of a node after one block.
#[derive(Debug)]
pub struct RemoteState<'a> {
    node: &'a RemoteNode,
    at: Hash,
    /// A run of keys without a gap, ascending; the first is where it was asked from.
    ahead: RefCell<Vec<Vec<u8>>>,
    /// Keys fetched so far.
    walked: Cell<usize>,
}

impl RemoteState<'_> {
    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ClientError> {
        let method = "state_getStorage";
        match self.node.call(method, params([hex(key).into(), self.at.to_string().into()]))? {
            Value::Null => Ok(None),
            found => bytes(&found).map(Some).ok_or(ClientError::Answer { method }),
        }
    }

    /// The keys that follow `after`, ascending: whoever walks on from the last comes to an end.
    fn keys(&self, after: &[u8]) -> Result<Vec<Vec<u8>>, ClientError> {
        let method = "state_getKeysPaged";
        let (from, at) = (hex(after).into(), self.at.to_string().into());
        let answer = self.node.call(method, params(["0x".into(), KEYS_AHEAD.into(), from, at]))?;
        let keys = answer.as_array().map(|keys| keys.iter().map(bytes).collect::<Option<Vec<_>>>());
        let keys = keys.flatten().ok_or(ClientError::Answer { method })?;
        if keys.first().is_some_and(|key| key.as_slice() <= after)
            || !keys.is_sorted_by(|one, next| one < next)
        {
            return Err(ClientError::Answer { method });
        }
        self.walked.set(self.walked.get().saturating_add(keys.len()));
        if self.walked.get() > WALK_MAX {
            return Err(ClientError::Endless { method });
        }
        Ok(keys)
    }

    fn key_after(&self, after: &[u8]) -> Result<Option<Vec<u8>>, ClientError> {
        let known = |run: &[Vec<u8>]| {
            let next = run.partition_point(|key| key.as_slice() <= after);
            (next > 0).then(|| run.get(next).cloned()).flatten()
        };
        if let Some(key) = known(&self.ahead.borrow()) {
            return Ok(Some(key));
        }
        let mut run = vec![after.to_vec()];
        run.extend(self.keys(after)?);
        let next = run.get(1).cloned();
        self.ahead.replace(run);
        Ok(next)
    }
}

impl Backend for RemoteState<'_> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.value(key).unwrap_or_else(|error| resume_unwind(Box::new(error)))
    }

    fn next_key(&self, after: &[u8]) -> Option<Vec<u8>> {
        self.key_after(after).unwrap_or_else(|error| resume_unwind(Box::new(error)))
    }
}

fn params<const N: usize>(values: [Value; N]) -> ArrayParams {
    let mut params = ArrayParams::new();
    for value in values {
        params.insert(value).expect("a JSON value is JSON");
    }
    params
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    hex::decode(value.as_str()?.strip_prefix("0x")?).ok()
}

fn hash(value: &Value) -> Option<Hash> {
    bytes(value)?.try_into().ok().map(Hash)
}

//! A sealed order between its commitment and its reveal: kept in a file, because only its trader knows it.
//!
//! Written before the commitment is sent: a commitment without its order can only be lost.

use crate::files::{SEALED_ORDER_BYTES_MAX, text_at_most};
use anyhow::Context as _;
use contract_interface::{OrderRequest, seal};
use parity_scale_codec::{DecodeAll, Encode};
use rand_core::{OsRng, RngCore};
use runtime_primitives::{EntityId, Hash};
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// An order, its salt and who committed to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedOrder {
    /// Who committed.
    pub entity: EntityId,
    /// The order.
    pub request: OrderRequest,
    /// What hides it.
    pub salt: [u8; 32],
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    entity: u32,
    /// SCALE in hexadecimal digits.
    request: String,
    salt: String,
}

impl SealedOrder {
    /// Hide `request` with a fresh salt.
    pub fn new(entity: EntityId, request: OrderRequest) -> Self {
        let mut salt = [0; 32];
        OsRng.fill_bytes(&mut salt);
        Self { entity, request, salt }
    }

    /// What is committed to on the chain with this genesis hash.
    pub fn commitment(&self, genesis: &Hash) -> Hash {
        seal(genesis, &self.request, &self.salt, self.entity)
    }

    /// A name for its file that is not taken by another order.
    pub fn file_name(&self, genesis: &Hash) -> PathBuf {
        let (market, slot) = (self.request.market, self.request.slot);
        let hash = hex::encode(&self.commitment(genesis).as_bytes()[..4]);
        format!("order-{market}-{slot}-{hash}.json").into()
    }

    /// Keep it in a new file.
    ///
    /// # Errors
    /// If the file exists or cannot be written.
    pub fn keep(&self, path: &Path) -> anyhow::Result<()> {
        let file = File {
            entity: self.entity.number(),
            request: hex::encode(self.request.encode()),
            salt: hex::encode(self.salt),
        };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(path).and_then(|mut open| {
            open.write_all(serde_json::to_string(&file)?.as_bytes())?;
            open.sync_all()
        });
        written.with_context(|| format!("cannot keep the sealed order in {}", path.display()))
    }

    /// Read it back.
    ///
    /// # Errors
    /// If the file cannot be read or is no sealed order.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let failed = || format!("{} is no sealed order", path.display());
        let text = text_at_most(path, SEALED_ORDER_BYTES_MAX);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        let file: File = serde_json::from_str(&text).with_context(failed)?;
        let mut salt = [0; 32];
        let whole = hex::decode_to_slice(&file.salt, &mut salt);
        let request = hex::decode(&file.request).ok().filter(|_| whole.is_ok());
        let request = request.and_then(|bytes| OrderRequest::decode_all(&mut &bytes[..]).ok());
        Ok(Self { entity: EntityId::from_number(file.entity), request: request.with_context(failed)?, salt })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use contract_interface::Side;
    use runtime_primitives::{Energy, MarketId, MeterId, Price, Slot, Timestamp};

    #[test]
    fn an_order_is_kept_once_and_read_back() {
        let folder = tempfile::TempDir::new().unwrap();
        let request = OrderRequest {
            market: MarketId::ZERO,
            slot: Slot::from_number(7),
            terms: Hash([1; 32]),
            meter: MeterId::from_number(2),
            side: Side::Sell,
            energy: Energy::from_wh(10),
            min_energy: Energy::ZERO,
            price: Price::from_ticks(6_700),
            flags: 0,
            partner: EntityId::ZERO,
            valid_until: Timestamp::from_ms(9),
        };
        let order = SealedOrder::new(EntityId::from_number(3), request.clone());
        let other = SealedOrder::new(EntityId::from_number(3), request);
        assert_ne!(order.commitment(&Hash::ZERO), other.commitment(&Hash::ZERO), "salts are fresh");
        let path = folder.path().join(order.file_name(&Hash::ZERO));
        order.keep(&path).unwrap();
        assert_eq!(SealedOrder::load(&path).unwrap(), order);
        assert!(other.keep(&path).is_err(), "an order that is committed to is never overwritten");
        std::fs::write(&path, "{}").unwrap();
        assert!(SealedOrder::load(&path).unwrap_err().to_string().contains("is no sealed order"));
    }
}

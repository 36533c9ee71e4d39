//! Where final blocks come from. Answers are a stranger's: whoever asks checks them.

use host_rpc::{ClientError, RemoteNode};
use host_storage::Stretch;
use runtime_primitives::{Hash, Height};

/// A node that others follow.
pub trait Source: Send {
    /// How people know it.
    fn name(&self) -> &str;

    /// Hash of its chain's genesis header.
    ///
    /// # Errors
    /// [`ClientError`]; so for all questions.
    fn genesis(&self) -> Result<Option<Hash>, ClientError>;

    /// Height of its last block.
    ///
    /// # Errors
    /// [`ClientError`].
    fn height(&self) -> Result<u64, ClientError>;

    /// What proves blocks after `height` final; `None` if it has none.
    ///
    /// # Errors
    /// [`ClientError`].
    fn finality(&self, height: Height) -> Result<Option<Stretch>, ClientError>;

    /// Ordered blocks after `height`, ascending, each encoded.
    ///
    /// # Errors
    /// [`ClientError`].
    fn blocks(&self, height: Height) -> Result<Vec<Vec<u8>>, ClientError>;

    /// Certificates of checkpoints above `height`, ascending, each encoded.
    ///
    /// # Errors
    /// [`ClientError`].
    fn certificates(&self, height: u64) -> Result<Vec<Vec<u8>>, ClientError>;
}

impl Source for RemoteNode {
    fn name(&self) -> &str {
        self.url()
    }

    fn genesis(&self) -> Result<Option<Hash>, ClientError> {
        self.block_hash(Height::ZERO)
    }

    fn height(&self) -> Result<u64, ClientError> {
        Ok(self.status()?.height)
    }

    fn finality(&self, height: Height) -> Result<Option<Stretch>, ClientError> {
        Self::finality(self, height)
    }

    fn blocks(&self, height: Height) -> Result<Vec<Vec<u8>>, ClientError> {
        self.ordered_blocks(height)
    }

    fn certificates(&self, height: u64) -> Result<Vec<Vec<u8>>, ClientError> {
        Self::certificates(self, height)
    }
}

//! The owner's own way to the tables: the data protocol on the folder, without the network.
//!
//! Who is the owner is decided by the folder, not by a key that a visitor shows: who can write the
//! folder has the key and the database anyway. Rejected: letting the peer take its owner's
//! connection. A node can't dial itself, and a second node with the same key would make every
//! other peer take one for the other.

use std::path::Path;
use std::sync::Arc;

use super::{PeerError, open_config, own_caller};
use crate::data::{EmailDirectory, Handler};
use crate::peer_id::PeerId;
use crate::script::Caller;
use crate::store::Database;

/// Answers data requests as the owner of one peer folder. Works while the peer runs: SQLite lets
/// the two processes take turns.
pub struct OwnerData {
    handler: Handler,
    own: Caller,
}

/// The owner's e-mail, which is in the configuration: their rows carry it as those of visitors do.
struct OwnEmail(String);

impl EmailDirectory for OwnEmail {
    fn email_of(&self, _: &PeerId) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.clone())
    }
}

impl OwnerData {
    /// Opens the database of the peer folder `dir`. Blocking.
    ///
    /// # Errors
    /// When `dir` is no peer folder, or its configuration, key or database can't be used.
    pub fn open(dir: &Path) -> Result<Self, PeerError> {
        let config = open_config(dir)?;
        let own = own_caller(dir, &config)?;
        let database = Arc::new(Database::open(dir)?);
        let handler = Handler::new(Some(database), None, own.peer.clone())
            .with_emails(Arc::new(OwnEmail(config.profile.email)));
        Ok(Self { handler, own })
    }

    /// Answers one request line. Scripts do not run here, so data functions are refused.
    pub async fn respond(&self, line: &[u8]) -> Vec<u8> {
        self.handler.respond(&self.own, line).await
    }
}

//! Who is online, as peers say of themselves over GossipSub.
//!
//! An announcement counts only when it is signed by the peer it speaks of, so a label can't be put
//! on somebody else. What others may fill is bounded: bytes of a message, messages of a neighbour,
//! entries of the table and those that one neighbour brought.

mod announcement;
mod gossip;
mod table;

pub(super) use announcement::{Announcement, Kind};
pub use announcement::{MAX_EMAIL_BYTES, MAX_PRESENCE_LABEL_BYTES};
pub(super) use gossip::Gossip;
pub(super) use table::SharedPresence;
pub(super) use table::{Heard, PresenceTable};
pub use table::{MAX_PRESENCE_ENTRIES, PresenceEvent, PresentPeer};

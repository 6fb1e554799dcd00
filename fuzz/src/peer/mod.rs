//! What a peer offers to strangers, as they meet it: lines in, answers out.

pub mod bundles;
pub mod chat;
pub mod data;
pub mod site;

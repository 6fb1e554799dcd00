//! peer

#[cfg(test)]
mod store;

//! peer

#[cfg(test)]
mod data;
#[cfg(test)]
mod store;

//! Names to addresses, by the system's resolver.
//!
//! The system knows what a resolver of our own would not: hosts files, VPNs, split DNS, networks
//! with IPv6 alone. But its call blocks and can't be ended early, so it gets threads of its own
//! instead of a runtime's pool: a name that hangs must hold up neither SQLite nor a shutdown. At most
//! [`MAX_THREADS`] names are looked up at once, and of the threads each script has its share, because the
//! names of one may hang long after it was stopped. Whoever waits for a thread, waits within its own
//! deadline, and all who ask for a name that is being looked up share the answer.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::network::Network;
use crate::script::name::ScriptName;
use crate::script::shares::{Alone, NoShare, Shares};

/// The most names looked up at once, each on a thread.
const MAX_THREADS: usize = 32;

/// A lookup only calls into the system, whose plug-ins keep their packets on the stack.
const STACK_BYTES: usize = 512 * 1024;

/// What a name stands for, or the system's word on why not.
type Found = Result<Arc<[IpAddr]>, String>;

type Pending = watch::Receiver<Option<Found>>;

/// The lookups under way.
#[derive(Debug)]
pub(super) struct Lookups {
    under_way: Arc<Mutex<HashMap<String, Pending>>>,
    threads: Arc<Shares>,
}

impl Default for Lookups {
    fn default() -> Self {
        Self { under_way: Arc::default(), threads: Shares::new(MAX_THREADS, Alone::AQuarter) }
    }
}

impl Lookups {
    /// The addresses of `host`, a name that `script` asks for. Dropping the future leaves the lookup to itself.
    pub(super) async fn find(&self, host: &str, network: &Network, script: &ScriptName) -> Found {
        let joined = self.under_way.lock().get(host).cloned();
        let mut pending = match joined {
            Some(pending) => pending,
            None => self.begin(host, network, script).await?,
        };
        let found = pending.wait_for(Option::is_some).await;
        found.ok().and_then(|found| found.clone()).unwrap_or_else(|| Err("the lookup broke off".to_owned()))
    }

    async fn begin(&self, host: &str, network: &Network, script: &ScriptName) -> Result<Pending, String> {
        let turn = self.threads.take(script).await.map_err(|NoShare| "the peer is stopping".to_owned())?;
        let mut under_way = self.under_way.lock();
        // Somebody may have begun while this one waited for a thread.
        if let Some(pending) = under_way.get(host) {
            return Ok(pending.clone());
        }
        let (answer, pending) = watch::channel(None);
        let (name, registry, resolver) = (host.to_owned(), self.under_way.clone(), network.resolver());
        let look_up = move || {
            let found = match resolver {
                Some(resolver) => resolver(&name),
                None => look_up(&name),
            };
            registry.lock().remove(&name);
            // Nobody may be waiting any more.
            let _ = answer.send(Some(found.map(Into::into).map_err(|error| error.to_string())));
            drop(turn);
        };
        let thread = std::thread::Builder::new().name("lookup".to_owned()).stack_size(STACK_BYTES);
        thread.spawn(look_up).map_err(|error| error.to_string())?;
        under_way.insert(host.to_owned(), pending.clone());
        Ok(pending)
    }
}

fn look_up(host: &str) -> io::Result<Vec<IpAddr>> {
    let mut found: Vec<IpAddr> = Vec::new();
    for address in (host, 0).to_socket_addrs()? {
        if !found.contains(&address.ip()) {
            found.push(address.ip());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script() -> ScriptName {
        ScriptName::parse("s").unwrap()
    }

    #[tokio::test]
    async fn those_who_ask_for_the_same_name_share_one_lookup() {
        let (lookups, network, script) = (Lookups::default(), Network::public(), script());
        let (answer, pending) = watch::channel(None);
        lookups.under_way.lock().insert("shared.test".to_owned(), pending);
        let find = || lookups.find("shared.test", &network, &script);
        let both = async { tokio::join!(find(), find()) };
        let expected: Arc<[IpAddr]> = Arc::new([IpAddr::from([192, 0, 2, 7])]);
        let give = async { answer.send(Some(Ok(expected.clone()))).unwrap() };
        let ((one, two), ()) = tokio::join!(both, give);
        assert_eq!((one, two), (Ok(expected.clone()), Ok(expected)));
        assert_eq!(lookups.threads.in_use(), 0, "no thread was begun");
    }

    #[tokio::test]
    async fn a_lookup_gives_its_thread_back_and_is_forgotten() {
        let lookups = Lookups { threads: Shares::new(1, Alone::AQuarter), ..Lookups::default() };
        let found = lookups.find("localhost", &Network::public(), &script()).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
        // The one thread is free again when another script can have it.
        let turn = lookups.threads.take(&ScriptName::parse("other").unwrap()).await.unwrap();
        assert!(lookups.under_way.lock().is_empty());
        drop(turn);
    }
}

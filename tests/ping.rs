//! Pings of peers that answer none.

use futures::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::nodes::{PATIENCE, TestNode, listening};
use crate::stranger::{Stranger, accepted};

const PING: &str = "/ipfs/ping/1.0.0";

/// Peers on js-libp2p ping whether or not they answer pings, and give up a connection when no
/// answer comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_answers_no_pings_is_answered() {
    let host = TestNode::start(listening());
    let mut stranger = Stranger::connected_to(&host.address().await).await;
    timeout(PATIENCE, stranger.has_refused(PING)).await.expect("the host did not ping");
    for ping in [[1; 32], [2; 32]] {
        let exchange = async {
            let mut stream = stranger.propose(PING, &ping).await.unwrap();
            accepted(&mut stream, PING).await.unwrap();
            let mut pong = [0; 32];
            stream.read_exact(&mut pong).await.unwrap();
            assert_eq!(pong, ping);
            // And again on the same stream.
            stream.write_all(&[3; 32]).await.unwrap();
            stream.flush().await.unwrap();
            stream.read_exact(&mut pong).await.unwrap();
            assert_eq!(pong, [3; 32]);
        };
        timeout(PATIENCE, exchange).await.expect("a ping was not answered");
    }
}

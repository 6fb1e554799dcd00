//! A peer under the test's own control, from the multiplexer up: it has no protocol, refuses every stream
//! but one for gossip, to which it does not listen, and opens as many as it likes.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::task::Poll;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::Multiaddr;
use libp2p::core::Endpoint;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt, SubstreamBox};
use libp2p::core::transport::{DialOpts, PortUse, Transport};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{noise, tcp, yamux};
use tokio::sync::{mpsc, oneshot};

const MULTISTREAM: &str = "/multistream/1.0.0";

/// Who takes no gossip is not heard either.
pub(crate) const GOSSIP: &str = "/meshsub/1.1.0";

/// A connection of a fresh identity, with nothing above it.
pub(crate) async fn connect(address: &Multiaddr) -> StreamMuxerBox {
    connect_as(&Keypair::generate_ed25519(), address).await
}

async fn connect_as(keypair: &Keypair, address: &Multiaddr) -> StreamMuxerBox {
    let mut yamux = yamux::Config::default();
    // What is bounded is to be bounded by the other side.
    yamux.set_max_num_streams(4096);
    let mut transport = tcp::tokio::Transport::default()
        .upgrade(Version::V1)
        .authenticate(noise::Config::new(keypair).unwrap())
        .multiplex(yamux)
        .map(|(_, muxer), _| StreamMuxerBox::new(muxer))
        .boxed();
    let opts = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    transport.dial(address.clone(), opts).unwrap().await.unwrap()
}

/// A stranger that is connected.
pub(crate) struct Stranger {
    wishes: mpsc::UnboundedSender<oneshot::Sender<SubstreamBox>>,
    refused: mpsc::UnboundedReceiver<String>,
}

impl Stranger {
    pub(crate) async fn connected_to(address: &Multiaddr) -> Self {
        Self::connected_as(&Keypair::generate_ed25519(), address).await
    }

    pub(crate) async fn connected_as(keypair: &Keypair, address: &Multiaddr) -> Self {
        let muxer = connect_as(keypair, address).await;
        let (wishes, wished) = mpsc::unbounded_channel();
        let (refuse, refused) = mpsc::unbounded_channel();
        tokio::spawn(drive(muxer, wished, refuse));
        Self { wishes, refused }
    }

    /// Waits until the other side has closed the connection.
    pub(crate) async fn closed(&mut self) {
        while self.refused.recv().await.is_some() {}
    }

    /// A stream without a protocol yet; an error when the connection is closed.
    pub(crate) async fn stream(&self) -> io::Result<SubstreamBox> {
        let (reply, stream) = oneshot::channel();
        let closed = |_| io::Error::from(io::ErrorKind::NotConnected);
        self.wishes.send(reply).map_err(|_| io::Error::from(io::ErrorKind::NotConnected))?;
        stream.await.map_err(closed)
    }

    /// A stream on which `protocol` was proposed, and `request` written, before any answer.
    pub(crate) async fn propose(&self, protocol: &str, request: &[u8]) -> io::Result<SubstreamBox> {
        let mut stream = self.stream().await?;
        let sent = [&proposal(MULTISTREAM)[..], &proposal(protocol), request].concat();
        stream.write_all(&sent).await?;
        stream.flush().await?;
        Ok(stream)
    }

    /// Waits until the other side has heard that this stranger does not speak `protocol`.
    pub(crate) async fn has_refused(&mut self, protocol: &str) {
        while self.refused.recv().await.expect("the connection is closed") != protocol {}
    }
}

/// Reads that the other side takes `protocol`.
pub(crate) async fn accepted(stream: &mut SubstreamBox, protocol: &str) -> io::Result<()> {
    for expected in [MULTISTREAM, protocol] {
        let found = read_proposal(stream).await?;
        assert_eq!(found, expected);
    }
    Ok(())
}

/// The whole of one exchange that ends with the stream.
pub(crate) async fn answer(mut stream: SubstreamBox, protocol: &str) -> io::Result<String> {
    accepted(&mut stream, protocol).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    // A stream that was reset may look like one that ended.
    if text.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(text) }
}

fn proposal(protocol: &str) -> Vec<u8> {
    [&[u8::try_from(protocol.len() + 1).unwrap()][..], protocol.as_bytes(), b"\n"].concat()
}

async fn read_proposal(stream: &mut SubstreamBox) -> io::Result<String> {
    let mut length = [0];
    stream.read_exact(&mut length).await?;
    let mut line = vec![0; length[0].into()];
    stream.read_exact(&mut line).await?;
    Ok(String::from_utf8(line).unwrap().trim_end().to_owned())
}

/// Keeps the connection going until it is closed, or nobody wants a stream any more.
async fn drive(
    mut muxer: StreamMuxerBox,
    mut wished: mpsc::UnboundedReceiver<oneshot::Sender<SubstreamBox>>,
    refuse: mpsc::UnboundedSender<String>,
) {
    let mut waiting = VecDeque::new();
    poll_fn(|cx| {
        loop {
            match wished.poll_recv(cx) {
                Poll::Ready(Some(reply)) => waiting.push_back(reply),
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        loop {
            if let Poll::Ready(Err(_)) = muxer.poll_unpin(cx) {
                return Poll::Ready(());
            }
            match muxer.poll_inbound_unpin(cx) {
                Poll::Ready(Ok(stream)) => {
                    tokio::spawn(refuse_all(stream, refuse.clone()));
                    continue;
                }
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => {}
            }
            if waiting.is_empty() {
                return Poll::Pending;
            }
            match muxer.poll_outbound_unpin(cx) {
                Poll::Ready(Ok(stream)) => drop(waiting.pop_front().unwrap().send(stream)),
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}

/// Says of each protocol but gossip that it is not available, and tells of it when the other side gives up.
async fn refuse_all(mut stream: SubstreamBox, refuse: mpsc::UnboundedSender<String>) {
    let _ = stream.write_all(&proposal(MULTISTREAM)).await;
    let mut refused = Vec::new();
    while let Ok(protocol) = read_proposal(&mut stream).await {
        if protocol == GOSSIP {
            let _ = stream.write_all(&proposal(GOSSIP)).await;
            let _ = stream.flush().await;
            let _ = futures::io::copy(&mut stream, &mut futures::io::sink()).await;
            break;
        }
        if protocol != MULTISTREAM {
            refused.push(protocol);
            let _ = stream.write_all(&proposal("na")).await;
        }
        let _ = stream.flush().await;
    }
    for protocol in refused {
        let _ = refuse.send(protocol);
    }
}

//! Serves the streams that other peers open to us, each in a task of its own.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use libp2p::StreamProtocol;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::arrivals::{Arrivals, MAX_PER_ORIGIN};
use super::error::ProtocolError;
use super::intake::Inbound;
use super::node::Services;
use super::notices::Notices;
use super::origin::Origin;
use super::presence::SharedPresence;
use super::protocols::{CHAT, CONTENT, DATA, SITE, read_chat, serve_content, serve_data, serve_site};
use crate::chat::ChatError;
use crate::data::is_busy;
use crate::script::Caller;

/// How long exchanges in progress may go on once the node is told to stop: a small file or a
/// quick answer gets through, and a stalling peer does not keep the owner waiting.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// What [`DataService::respond`] returns: the answer's line, newline optional.
pub type RespondFuture<'a> = Pin<Box<dyn Future<Output = Vec<u8>> + Send + 'a>>;

/// Answers data requests; this layer only carries their lines.
pub trait DataService: Send + Sync {
    /// Answers one request line (at most 1 MiB, newline removed) of the authenticated `caller`.
    /// `origin` is where it comes from, the same text for all that are counted as one: an IPv4
    /// address, an IPv6 /64, or a relay.
    fn respond<'a>(&'a self, caller: &'a Caller, origin: &'a str, line: &'a [u8]) -> RespondFuture<'a>;
}

/// Serves until `stop` says so or the node is gone; then lets what is in progress end.
pub(super) async fn run(
    mut inbound: mpsc::UnboundedReceiver<Inbound>,
    context: Context,
    mut stop: watch::Receiver<bool>,
) {
    let context = Arc::new(context);
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            next = inbound.recv() => match next {
                Some(next) => {
                    tasks.spawn(serve(context.clone(), next));
                }
                None => break,
            },
            Some(ended) = tasks.join_next() => if let Err(error) = ended {
                tracing::error!(%error, "a stream's task failed; this is a bug in this program");
            },
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    let drained = async { while tasks.join_next().await.is_some() {} };
    if timeout(DRAIN_TIMEOUT, drained).await.is_err() {
        tasks.shutdown().await;
    }
}

/// What every exchange needs.
pub(super) struct Context {
    pub(super) services: Services,
    /// This peer's own.
    pub(super) label: String,
    pub(super) presence: SharedPresence,
    pub(super) notices: Notices,
    pub(super) chat_arrivals: Arrivals,
}

async fn serve(context: Arc<Context>, inbound: Inbound) {
    let Inbound { peer, protocol, mut stream, mut permit, busy } = inbound;
    let label = context.presence.lock().label_of(&peer);
    let caller = Caller { peer, label };
    let origin = permit.origin();
    let exchange = async {
        match &protocol {
            known if *known == CHAT => {
                receive_chat(&context, &caller, origin, &mut stream).await.map(|()| None)
            }
            known if *known == SITE => serve_site(&mut stream, context.services.site.as_deref()).await,
            known if *known == DATA => answer_data(&context, &caller, origin, &mut stream).await,
            known if *known == CONTENT => serve_content(&mut stream, &context.label).await.map(|()| None),
            _ => Ok(None),
        }
    };
    let served = tokio::select! {
        served = exchange => served,
        () = permit.evicted() => {
            context.notices.tell(
                "a request was ended for another",
                format_args!("{protocol} of {}, whose address has most requests", caller.peer),
            );
            Ok(None)
        }
    };
    match served {
        Ok(None) => {}
        Ok(Some(error)) => tell(&context.notices, &caller, &protocol, &error),
        Err(error) => {
            tracing::debug!(peer = %caller.peer, %protocol, %error, "the exchange failed");
            tell(&context.notices, &caller, &protocol, &error);
        }
    }
    drop((permit, busy));
}

/// Tells the owner of an exchange that met a bound. Streams that merely broke are everyday.
fn tell(notices: &Notices, caller: &Caller, protocol: &StreamProtocol, error: &ProtocolError) {
    let bound = match error {
        ProtocolError::TooLong { .. } => "a request was too long",
        ProtocolError::Timeout { .. } => "a request was given up",
        ProtocolError::Io { source, .. } if source.kind() == io::ErrorKind::TimedOut => {
            "a request was given up"
        }
        _ => return,
    };
    notices.tell(bound, format_args!("{protocol} of {}: {error}", caller.peer));
}

async fn receive_chat(
    context: &Context,
    caller: &Caller,
    origin: Origin,
    stream: &mut libp2p::Stream,
) -> Result<(), ProtocolError> {
    let Some(chat) = &context.services.chat else { return Ok(()) };
    let bytes = read_chat(stream).await?;
    if !context.chat_arrivals.admit(origin, Instant::now()) {
        let detail = format_args!("{MAX_PER_ORIGIN} messages a minute are taken from one address, {origin}");
        context.notices.tell("a chat message was dropped", detail);
        return Ok(());
    }
    match chat.receive(&caller.peer, &bytes).await {
        Ok(()) => {}
        Err(error @ ChatError::Busy { .. }) => {
            context.notices.tell("a command was not run", format_args!("{error}"));
        }
        Err(error @ ChatError::TooOften { .. }) => {
            context.notices.tell("a chat message was dropped", format_args!("{error}"));
        }
        Err(error) => tracing::debug!(peer = %caller.peer, %error, "a chat message was dropped"),
    }
    Ok(())
}

async fn answer_data(
    context: &Context,
    caller: &Caller,
    origin: Origin,
    stream: &mut libp2p::Stream,
) -> Result<Option<ProtocolError>, ProtocolError> {
    let Some(data) = &context.services.data else { return Ok(None) };
    let origin = origin.to_string();
    serve_data(stream, async |line| {
        let answer = data.respond(caller, &origin, &line).await;
        if is_busy(&answer) {
            let detail = format_args!("{} asks for more at once than one peer may", caller.peer);
            context.notices.tell("a data request was answered with `busy`", detail);
        }
        answer
    })
    .await
}

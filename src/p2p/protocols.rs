//! The four protocols of a Goop² peer, byte for byte, over any stream and in both directions.
//!
//! One stream is one exchange. Every read has a limit in bytes, and every exchange a limit in
//! time; both are constants here, each with its reason. Nothing is reserved for what a peer
//! announces, only for what has come.

use std::future::Future;
use std::io;
use std::time::Duration;

use futures::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy_buf,
};
use libp2p::StreamProtocol;
use serde_json::Value;
use tokio::time::timeout;

use super::error::ProtocolError;
use super::object_end::ObjectEnd;
use super::stall::Stalling;
use crate::chat::MAX_MESSAGE_BYTES;
use crate::site::{Answer, MAX_REQUEST_LINE_BYTES, Refusal, ServeError, SiteServer};

/// Chat messages.
pub const CHAT: StreamProtocol = StreamProtocol::new("/goop/chat/1.0.0");
/// Site files.
pub const SITE: StreamProtocol = StreamProtocol::new("/goop/site/1.0.0");
/// Data requests.
pub const DATA: StreamProtocol = StreamProtocol::new("/goop/data/1.0.0");
/// The peer's label.
pub const CONTENT: StreamProtocol = StreamProtocol::new("/goop/content/1.0.0");

/// The longest data request in bytes, newline not counted: a row's texts, not a file.
pub const MAX_DATA_REQUEST_BYTES: usize = 1024 * 1024;
/// The longest data answer in bytes: 1 MiB of rows, with room for JSON's escapes.
pub const MAX_DATA_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// The largest site file that is fetched, in bytes, as deployed fetchers have it.
pub const MAX_SITE_BYTES: u64 = crate::site::MAX_FILE_BYTES;
/// The longest label that is fetched, in bytes; `profile.label` has at most 200.
pub const MAX_LABEL_BYTES: usize = 1024;
/// The longest head line of a site answer: a media type and a size.
const MAX_HEAD_BYTES: usize = 1024;

/// To read a request line or a label: a few bytes that the peer has at hand.
const LINE_TIMEOUT: Duration = Duration::from_secs(10);
/// To read or write up to 1 MiB of chat or data request, on a line of some 50 KB/s.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a peer may neither take nor give a byte in the middle of a file.
const STALL_TIMEOUT: Duration = Duration::from_secs(20);
/// For a whole site file, however it trickles: 50 MiB at 85 KB/s.
const FILE_TIMEOUT: Duration = Duration::from_secs(600);
/// To compute a data answer: the longest script the owner may allow (60 s) and a queue.
const RESPOND_TIMEOUT: Duration = Duration::from_secs(75);
/// To wait for a data answer: the above, and the way back.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);
/// How long a chat sender waits to see that the receiver has read it all. A receiver that keeps
/// the stream open has the message nevertheless.
const CHAT_TAKEN_TIMEOUT: Duration = Duration::from_secs(2);

/// How much of a stranger's text goes into an error message, in characters.
const MAX_QUOTED_CHARS: usize = 200;

type Outcome<T> = Result<T, ProtocolError>;

/// Receives one chat message: one JSON object, or, of what is none, everything until the sender
/// half-closes. What follows the object is not looked at, and neither is its inside, beyond where it ends.
///
/// # Errors
/// When it is over 1 MiB, takes over 30 s, or the stream fails.
pub async fn read_chat<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> Outcome<Vec<u8>> {
    let doing = "reading a chat message";
    let too_long = ProtocolError::TooLong { what: "the chat message", limit: MAX_MESSAGE_BYTES as u64 };
    within(REQUEST_TIMEOUT, doing, async {
        let mut bytes = Vec::new();
        let mut object = ObjectEnd::default();
        let mut stream = BufReader::new(stream);
        loop {
            let piece = stream.fill_buf().await.map_err(failed(doing))?;
            let end = object.find(piece);
            let read = end.unwrap_or(piece.len());
            bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
            stream.consume_unpin(read);
            // One more is for the newline of what is no object.
            if bytes.len() > MAX_MESSAGE_BYTES + 1 {
                return Err(too_long);
            }
            if end.is_some() || read == 0 {
                break;
            }
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(too_long);
        }
        // A sender that waits to see its message taken need not wait longer.
        let _ = stream.close().await;
        Ok(bytes)
    })
    .await
}

/// Sends one encoded chat message, and waits a moment for the receiver to close, so that a sender
/// that exits at once does not take its message with it.
///
/// # Errors
/// When it takes over 30 s or the stream fails.
pub async fn write_chat<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, message: &[u8]) -> Outcome<()> {
    let doing = "sending a chat message";
    within(REQUEST_TIMEOUT, doing, async {
        stream.write_all(message).await.map_err(failed(doing))?;
        stream.close().await.map_err(failed(doing))
    })
    .await?;
    let mut byte = [0];
    match timeout(CHAT_TAKEN_TIMEOUT, stream.read(&mut byte)).await {
        Ok(Err(source)) => Err(ProtocolError::Io { doing, source }),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

/// Answers one site request; without a site, with `site disabled`.
///
/// # Errors
/// When the request does not come within 10 s, the visitor stalls for 20 s, or a file can't be
/// sent whole. A line that is no request is answered, not an error; one that was too long is given
/// back as what was wrong with it.
pub async fn serve_site<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    site: Option<&SiteServer>,
) -> Outcome<Option<ProtocolError>> {
    let doing = "sending a site file";
    let mut stream = BufReader::new(stream);
    let line = within(LINE_TIMEOUT, "reading a site request", async {
        read_line(&mut stream, "the site request", MAX_REQUEST_LINE_BYTES).await
    })
    .await;
    let mut too_long = None;
    let answer = match (line, site) {
        (Err(error @ ProtocolError::TooLong { .. }), _) => {
            too_long = Some(error);
            Answer::Refused(Refusal::BadRequest)
        }
        (Err(error), _) => return Err(error),
        (Ok(_), None) => Answer::Refused(Refusal::SiteDisabled),
        (Ok(line), Some(site)) => site.answer(&line).await,
    };
    let mut stream = Stalling::new(stream, STALL_TIMEOUT);
    within(FILE_TIMEOUT, doing, async {
        answer.write_to(&mut stream).await.map_err(|error| match error {
            ServeError::Write(source) => ProtocolError::Io { doing, source },
            ServeError::Read { source, .. } => ProtocolError::Io { doing: "reading a site file", source },
            ServeError::Shrunk { sent, size } => {
                ProtocolError::Truncated { what: "the site file", found: sent, announced: size }
            }
        })?;
        stream.close().await.map_err(failed(doing))
    })
    .await?;
    Ok(too_long)
}

/// Fetches a site file: its media type and bytes.
///
/// # Errors
/// When the path holds a line break, the peer refuses, answers something else, announces over
/// 50 MiB, sends fewer bytes than announced, or stalls.
pub async fn fetch_site<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    path: &str,
) -> Outcome<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let (mime, _) = fetch_site_into(stream, path, &mut bytes).await?;
    Ok((mime, bytes))
}

/// As [`fetch_site`], into `sink` piece by piece; gives the media type and how many bytes there were.
///
/// # Errors
/// As [`fetch_site`], and when `sink` fails. It has a part of the file then.
pub async fn fetch_site_into<S: AsyncRead + AsyncWrite + Unpin, W: AsyncWrite + Unpin>(
    stream: &mut S,
    path: &str,
    sink: &mut W,
) -> Outcome<(String, u64)> {
    let what = "the site answer";
    if path.contains(['\n', '\r']) {
        return Err(malformed("the path", path));
    }
    if path.len() + "GET ".len() > MAX_REQUEST_LINE_BYTES {
        return Err(ProtocolError::TooLong { what: "the path", limit: MAX_REQUEST_LINE_BYTES as u64 });
    }
    let doing = "fetching a site file";
    let mut stream = BufReader::new(Stalling::new(stream, STALL_TIMEOUT));
    within(FILE_TIMEOUT, doing, async {
        stream.write_all(format!("GET {path}\n").as_bytes()).await.map_err(failed(doing))?;
        stream.close().await.map_err(failed(doing))?;
        let head = read_line(&mut stream, what, MAX_HEAD_BYTES).await?;
        let (mime, announced) = parse_head(&head)?;
        let found = copy_buf((&mut stream).take(announced), sink).await.map_err(failed(doing))?;
        if found < announced {
            return Err(ProtocolError::Truncated { what: "the site file", found, announced });
        }
        Ok((mime, found))
    })
    .await
}

/// Reads `OK <mime> <size>` or `ERR <reason>`.
fn parse_head(head: &[u8]) -> Outcome<(String, u64)> {
    let text = String::from_utf8_lossy(head);
    if let Some(reason) = text.strip_prefix("ERR ") {
        return Err(ProtocolError::Refused { reason: quoted(reason) });
    }
    let parsed = text.strip_prefix("OK ").and_then(|rest| rest.rsplit_once(' '));
    let Some((mime, Ok(size))) = parsed.map(|(mime, size)| (mime, size.parse::<u64>())) else {
        return Err(malformed("the site answer", &text));
    };
    if size > MAX_SITE_BYTES {
        return Err(ProtocolError::TooLong { what: "the site file", limit: MAX_SITE_BYTES });
    }
    Ok((mime.to_owned(), size))
}

/// Answers one data request with the line that `respond` makes of it. A request that is too long
/// is answered with an error and not handed on; what was wrong with it is given back.
///
/// # Errors
/// When the request takes over 30 s, `respond` over 75 s, or the stream fails.
pub async fn serve_data<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    respond: impl AsyncFnOnce(Vec<u8>) -> Vec<u8>,
) -> Outcome<Option<ProtocolError>> {
    let mut stream = BufReader::new(stream);
    let line = within(REQUEST_TIMEOUT, "reading a data request", async {
        read_line(&mut stream, "the data request", MAX_DATA_REQUEST_BYTES).await
    })
    .await;
    let mut too_long = None;
    let mut answer = match line {
        Ok(line) => {
            within(RESPOND_TIMEOUT, "answering a data request", async { Ok(respond(line).await) }).await?
        }
        Err(error @ ProtocolError::TooLong { .. }) => refusal(&too_long.insert(error).to_string()),
        Err(error) => return Err(error),
    };
    if answer.len() > MAX_DATA_ANSWER_BYTES {
        answer = refusal("the answer is too long; ask for fewer rows");
    }
    if answer.last() != Some(&b'\n') {
        answer.push(b'\n');
    }
    let doing = "sending a data answer";
    within(REQUEST_TIMEOUT, doing, async {
        stream.write_all(&answer).await.map_err(failed(doing))?;
        stream.close().await.map_err(failed(doing))
    })
    .await?;
    Ok(too_long)
}

fn refusal(reason: &str) -> Vec<u8> {
    serde_json::json!({ "ok": false, "error": reason }).to_string().into_bytes()
}

/// Sends one data request and gives the peer's answer, which may be an error in the peer's words
/// (`{"ok": false, …}`).
///
/// # Errors
/// When the request is over 1 MiB, the answer over 4 MiB or not JSON, or it takes over 90 s.
pub async fn request_data<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    request: &Value,
) -> Outcome<Value> {
    let what = "the data answer";
    let mut line = request.to_string().into_bytes();
    if line.len() > MAX_DATA_REQUEST_BYTES {
        return Err(ProtocolError::TooLong {
            what: "the data request",
            limit: MAX_DATA_REQUEST_BYTES as u64,
        });
    }
    line.push(b'\n');
    let doing = "sending a data request";
    within(REQUEST_TIMEOUT, doing, async {
        stream.write_all(&line).await.map_err(failed(doing))?;
        stream.close().await.map_err(failed(doing))
    })
    .await?;
    let mut stream = BufReader::new(stream);
    let answer = within(ANSWER_TIMEOUT, "waiting for a data answer", async {
        read_line(&mut stream, what, MAX_DATA_ANSWER_BYTES).await
    })
    .await?;
    serde_json::from_slice(&answer)
        .map_err(|error| malformed(what, &format!("{error} in {}", String::from_utf8_lossy(&answer))))
}

/// Tells this peer's label. Line breaks in it, which would end it, become spaces.
///
/// # Errors
/// When it takes over 10 s or the stream fails.
pub async fn serve_content<S: AsyncWrite + Unpin>(stream: &mut S, label: &str) -> Outcome<()> {
    let doing = "sending the label";
    let line = format!("{}\n", label.replace(['\r', '\n'], " "));
    within(LINE_TIMEOUT, doing, async {
        stream.write_all(line.as_bytes()).await.map_err(failed(doing))?;
        stream.close().await.map_err(failed(doing))
    })
    .await
}

/// Fetches a peer's label.
///
/// # Errors
/// When it is over 1 KiB or not UTF-8, or takes over 10 s.
pub async fn fetch_content<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> Outcome<String> {
    let mut stream = BufReader::new(stream);
    let line = within(LINE_TIMEOUT, "waiting for the label", async {
        read_line(&mut stream, "the label", MAX_LABEL_BYTES).await
    })
    .await?;
    String::from_utf8(line).map_err(|error| malformed("the label", &error.to_string()))
}

/// Reads to a newline, which is not given back, or to the end of the stream: a half-close says
/// the same. `limit` is in bytes without the newline.
async fn read_line<S: AsyncBufRead + Unpin>(
    stream: &mut S,
    what: &'static str,
    limit: usize,
) -> Outcome<Vec<u8>> {
    let mut line = Vec::new();
    let allowed = limit as u64 + 1;
    stream.take(allowed).read_until(b'\n', &mut line).await.map_err(|source| match source.kind() {
        // Yamux tells a reset so, when it tells at all.
        io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => {
            ProtocolError::NoAnswer { missing: what }
        }
        _ => ProtocolError::Io { doing: "reading a line", source },
    })?;
    if line.is_empty() {
        return Err(ProtocolError::NoAnswer { missing: what });
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > limit {
        return Err(ProtocolError::TooLong { what, limit: limit as u64 });
    }
    Ok(line)
}

async fn within<T>(
    limit: Duration,
    doing: &'static str,
    work: impl Future<Output = Outcome<T>>,
) -> Outcome<T> {
    timeout(limit, work).await.unwrap_or(Err(ProtocolError::Timeout { doing, limit }))
}

fn failed(doing: &'static str) -> impl Fn(io::Error) -> ProtocolError {
    move |source| ProtocolError::Io { doing, source }
}

fn malformed(what: &'static str, found: &str) -> ProtocolError {
    ProtocolError::Malformed { what, found: quoted(found) }
}

/// A stranger's text for an error message: short, and without characters that move a cursor.
fn quoted(text: &str) -> String {
    text.chars().take(MAX_QUOTED_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

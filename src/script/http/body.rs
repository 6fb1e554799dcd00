//! Reads a response's body, at most so much of it, and no more of it at once than there is room for.
//!
//! What is compressed is taken in whole, bounded, and unpacked afterwards into a buffer that ends
//! at the limit: a bomb costs as much as an honest answer. Unpacking as it arrives was rejected
//! because a few bytes can become the whole megabyte before anybody asked for room.

use std::io::{self, Write};
use std::sync::Arc;

use flate2::write::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};

use crate::script::name::ScriptName;
use crate::script::shares::{NoShare, Share, Shares};

/// The largest body in bytes, after decompression.
pub(super) const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Up to here a body counts as a part of what any request costs.
const SMALL_BODY_BYTES: usize = 16 * 1024;

/// What is unpacked before others get their turn.
const UNPACK_BYTES: usize = 8 * 1024;

/// The room for bodies over [`SMALL_BODY_BYTES`], so many at once. All scripts share it, because a server can
/// be as slow as it likes with what is left of a body.
pub(super) const MAX_LARGE_BODIES: usize = 64;

/// A body, and the room it takes.
#[derive(Debug, Default)]
pub(crate) struct ResponseBody {
    pub(crate) bytes: Vec<u8>,
    _room: Option<Share>,
}

/// Why a body can't be had.
#[derive(Debug)]
pub(super) enum BodyError {
    TooLarge,
    Broken(String),
}

/// Reads `body` to its end, and unpacks it if it is gzip.
pub(super) async fn read(body: Incoming, is_gzip: bool, room: Room<'_>) -> Result<ResponseBody, BodyError> {
    if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
        return Err(BodyError::TooLarge);
    }
    let mut held = None;
    let packed = receive(body, room, &mut held).await?;
    if !is_gzip || packed.is_empty() {
        return Ok(ResponseBody { bytes: packed, _room: held });
    }
    room.make(&mut held).await?;
    let bytes = unpack(&packed).await?;
    if bytes.len() <= SMALL_BODY_BYTES {
        held = None;
    }
    Ok(ResponseBody { bytes, _room: held })
}

async fn receive(mut body: Incoming, room: Room<'_>, held: &mut Option<Share>) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| BodyError::Broken(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = bytes.len() + data.len();
        if length > MAX_BODY_BYTES {
            return Err(BodyError::TooLarge);
        }
        if length > SMALL_BODY_BYTES {
            room.make(held).await?;
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// The room for large bodies, and whose share of it is used.
#[derive(Clone, Copy)]
pub(super) struct Room<'a> {
    pub(super) large: &'a Arc<Shares>,
    pub(super) script: &'a ScriptName,
}

impl Room<'_> {
    /// Waits until there is room, unless some is held already.
    async fn make(self, held: &mut Option<Share>) -> Result<(), BodyError> {
        if held.is_none() {
            let share = self.large.take(self.script).await;
            *held = Some(share.map_err(|NoShare| BodyError::Broken("the peer is stopping".to_owned()))?);
        }
        Ok(())
    }
}

async fn unpack(packed: &[u8]) -> Result<Vec<u8>, BodyError> {
    let mut decoder = MultiGzDecoder::new(Bounded::default());
    let problem = |decoder: &MultiGzDecoder<Bounded>, error: &io::Error| {
        if decoder.get_ref().is_full { BodyError::TooLarge } else { BodyError::Broken(error.to_string()) }
    };
    for piece in packed.chunks(UNPACK_BYTES) {
        decoder.write_all(piece).map_err(|error| problem(&decoder, &error))?;
        tokio::task::yield_now().await;
    }
    decoder.try_finish().map_err(|error| problem(&decoder, &error))?;
    Ok(std::mem::take(&mut decoder.get_mut().bytes))
}

/// Takes bytes up to the limit.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    is_full: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_BODY_BYTES {
            self.is_full = true;
            return Err(io::Error::other("too large"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[tokio::test]
    async fn gzip_is_unpacked_up_to_the_limit() {
        let most = vec![b'x'; MAX_BODY_BYTES];
        assert_eq!(unpack(&packed(&most)).await.unwrap(), most);
        let bomb = packed(&vec![0; 64 * MAX_BODY_BYTES]);
        assert!(bomb.len() < MAX_BODY_BYTES / 8);
        assert!(matches!(unpack(&bomb).await, Err(BodyError::TooLarge)));
    }

    #[tokio::test]
    async fn broken_gzip_is_an_error() {
        let whole = packed(b"some text that is long enough to be cut");
        for broken in [&whole[..whole.len() - 9], &whole[..5], b"no gzip at all"] {
            assert!(matches!(unpack(broken).await, Err(BodyError::Broken(_))), "{broken:?}");
        }
        let two = [whole.clone(), whole].concat();
        assert_eq!(unpack(&two).await.unwrap().len(), 2 * 39, "members one after the other are one body");
    }
}

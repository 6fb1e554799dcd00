//! The headers that a script sets, and those it may not.

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::error::HttpError;

/// The most headers that a script can set.
pub(super) const MAX_HEADERS: usize = 32;

/// The most bytes of names and values together.
pub(super) const MAX_HEADER_BYTES: usize = 16 * 1024;

/// What frames a message or names its receiver. A script that could set these could make one
/// message look like two, or like one to another site.
const OURS: [HeaderName; 9] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
    header::EXPECT,
    header::ACCEPT_ENCODING,
];

/// What still goes out when a redirect leads to another site. Anything else may be a key meant for
/// the first one: services name such headers as they like.
const FOR_ANYONE: [HeaderName; 4] =
    [header::ACCEPT, header::ACCEPT_LANGUAGE, header::CONTENT_TYPE, header::USER_AGENT];

/// Adds a header that the script set; the last one of a name stands.
pub(super) fn set(headers: &mut HeaderMap, name: &[u8], value: &[u8]) -> Result<(), HttpError> {
    /// A name is shown in the error, but not a book of it.
    const MAX_SHOWN_BYTES: usize = 64;
    let shown = || name.get(..MAX_SHOWN_BYTES).unwrap_or(name).escape_ascii().to_string();
    let refused = |problem| HttpError::Header { name: shown(), problem };
    // Before it is copied: a script's string may have megabytes.
    if name.len() + value.len() > MAX_HEADER_BYTES {
        return Err(HttpError::HeadersTooLarge);
    }
    let name = HeaderName::from_bytes(name).map_err(|_| refused("has no valid name"))?;
    let value = HeaderValue::from_bytes(trimmed(value))
        .map_err(|_| refused("holds a line break or another control character"))?;
    if OURS.contains(&name) || name.as_str().starts_with("proxy-") {
        return Err(refused("can't be set by a script"));
    }
    headers.insert(name, value);
    let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
    if headers.len() > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
        return Err(HttpError::HeadersTooLarge);
    }
    Ok(())
}

/// `value` without the blanks around it. A line end is none: nobody writes one who means no other line.
fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Leaves only what any site may see.
pub(super) fn keep_for_anyone(headers: &mut HeaderMap) {
    let kept = FOR_ANYONE.into_iter().filter_map(|name| Some((name.clone(), headers.remove(name)?)));
    *headers = kept.collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_one(name: &[u8], value: &[u8]) -> Result<HeaderMap, HttpError> {
        let mut headers = HeaderMap::new();
        set(&mut headers, name, value).map(|()| headers)
    }

    #[test]
    fn a_header_can_not_become_two() {
        for (name, value) in [
            (&b"X"[..], &b"a\r\nHost: b"[..]),
            (b"X", b"a\r\n"),
            (b"X", b"\nb"),
            (b"X", b"a\nb"),
            (b"X\r\nY", b"a"),
            (b"X", b"\0"),
            (b"", b""),
        ] {
            assert!(matches!(set_one(name, value), Err(HttpError::Header { .. })), "{name:?}: {value:?}");
        }
    }

    #[test]
    fn what_frames_a_message_is_not_the_scripts() {
        for name in ["Host", "content-length", "Transfer-Encoding", "Proxy-Authorization", "connection"] {
            let error = set_one(name.as_bytes(), b"1").unwrap_err();
            assert_eq!(error.to_string(), format!("the header {name} can't be set by a script"));
        }
    }

    #[test]
    fn headers_are_bounded() {
        let mut headers = HeaderMap::new();
        for n in 0..MAX_HEADERS {
            set(&mut headers, format!("X-{n}").as_bytes(), b"v").unwrap();
        }
        assert_eq!(set(&mut headers, b"X-more", b"v"), Err(HttpError::HeadersTooLarge));
        assert_eq!(set_one(b"X", &vec![b'v'; MAX_HEADER_BYTES]).unwrap_err(), HttpError::HeadersTooLarge);
    }
}

//! What a script asks for, checked; and what a redirect makes of it.

use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use url::Url;

use super::body::MAX_BODY_BYTES;
use super::error::HttpError;
use super::headers;

/// The longest URL in bytes, as it goes out. Servers refuse longer ones.
pub(crate) const MAX_URL_BYTES: usize = 8 * 1024;

/// The most redirects that are followed.
pub(super) const MAX_REDIRECTS: usize = 5;

/// A request, to the URL it goes to next.
#[derive(Debug)]
pub(crate) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Request {
    /// A GET of `url`, which is read as browsers do.
    pub(crate) fn get(url: &str) -> Result<Self, HttpError> {
        let url = read_url(None, url)?;
        Ok(Self { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() })
    }

    /// A POST of `body` to `url`.
    pub(crate) fn post(url: &str, content_type: &[u8], body: &[u8]) -> Result<Self, HttpError> {
        if body.len() > MAX_BODY_BYTES {
            return Err(HttpError::RequestTooLarge { found: body.len() });
        }
        let mut request = Self::get(url)?;
        request.method = Method::POST;
        request.body = Bytes::copy_from_slice(body);
        request.set_header(header::CONTENT_TYPE.as_str().as_bytes(), content_type)?;
        Ok(request)
    }

    /// Sets a header, unless it is one that scripts may not set.
    pub(crate) fn set_header(&mut self, name: &[u8], value: &[u8]) -> Result<(), HttpError> {
        headers::set(&mut self.headers, name, value)
    }

    /// The size of its body.
    pub(crate) fn body_bytes(&self) -> usize {
        self.body.len()
    }

    /// Turns the request into the one that a response asks for, if it asks for one.
    pub(super) fn redirect(
        &mut self,
        status: StatusCode,
        location: Option<&HeaderValue>,
    ) -> Result<bool, HttpError> {
        let (Some(location), true) = (location, matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308))
        else {
            return Ok(false);
        };
        let location = String::from_utf8_lossy(location.as_bytes());
        let next =
            read_url(Some(&self.url), &location).map_err(|error| HttpError::Redirect(Box::new(error)))?;
        // What a form's POST has always become in browsers, and what 303 is for.
        if !matches!(status.as_u16(), 307 | 308) {
            self.method = Method::GET;
            self.body = Bytes::new();
            self.headers.remove(header::CONTENT_TYPE);
        }
        if !is_same_site(&self.url, &next) {
            headers::keep_for_anyone(&mut self.headers);
        }
        self.url = next;
        Ok(true)
    }
}

/// Whether headers meant for `from` may go to `to`: the same place, or the same host's secure side.
fn is_same_site(from: &Url, to: &Url) -> bool {
    let place = |url: &Url| (url.scheme() == "https", url.port_or_known_default());
    from.host() == to.host()
        && (place(from) == place(to) || (place(from) == (false, Some(80)) && place(to) == (true, Some(443))))
}

fn read_url(base: Option<&Url>, text: &str) -> Result<Url, HttpError> {
    // Reading makes it no shorter than a third, so what is far too long is not read.
    if text.len() > 3 * MAX_URL_BYTES {
        return Err(HttpError::UrlTooLong { found: text.len() });
    }
    let url = Url::options().base_url(base).parse(text).map_err(HttpError::Url)?;
    if url.as_str().len() > MAX_URL_BYTES {
        return Err(HttpError::UrlTooLong { found: url.as_str().len() });
    }
    if !matches!(url.scheme(), "http" | "https") {
        let scheme = url.scheme().chars().take(16).collect();
        return Err(HttpError::Scheme { scheme });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(HttpError::Credentials);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirected(mut request: Request, status: u16, location: &str) -> Request {
        let location = HeaderValue::from_str(location).unwrap();
        assert!(request.redirect(StatusCode::from_u16(status).unwrap(), Some(&location)).unwrap());
        request
    }

    fn post(url: &str) -> Request {
        let mut request = Request::post(url, b"text/plain", b"x").unwrap();
        for name in ["Authorization", "Cookie", "X-Api-Key", "Accept"] {
            request.set_header(name.as_bytes(), b"v").unwrap();
        }
        request
    }

    #[test]
    fn urls_are_read_as_browsers_do() {
        for (text, expected) in [
            ("https://a.example/w?q=New York&u=m", "https://a.example/w?q=New%20York&u=m"),
            ("http://a.example?q=São Paulo", "http://a.example/?q=S%C3%A3o%20Paulo"),
            (" HTTP://A.example:80/a/../b\n", "http://a.example/b"),
            ("http://bücher.example/", "http://xn--bcher-kva.example/"),
            ("http://2130706433/", "http://127.0.0.1/"),
            ("http://0x7f.1/", "http://127.0.0.1/"),
            ("http://017700000001/", "http://127.0.0.1/"),
            ("http://127.1/", "http://127.0.0.1/"),
            ("http://①②⑦.⓪.⓪.①/", "http://127.0.0.1/"),
            ("http:\\\\a.example\\b", "http://a.example/b"),
        ] {
            assert_eq!(Request::get(text).unwrap().url.as_str(), expected);
        }
    }

    #[test]
    fn other_urls_are_refused() {
        for (text, expected) in [
            ("ftp://a.example/", "only http:// and https:// URLs are allowed, not ftp:"),
            ("file:///etc/passwd", "only http:// and https:// URLs are allowed, not file:"),
            ("a.example", "the URL can't be read: relative URL without a base"),
            ("http://", "the URL can't be read: empty host"),
            (
                "http://u:p@a.example",
                "the URL holds a user name or password; put them into an Authorization header",
            ),
        ] {
            assert_eq!(Request::get(text).unwrap_err().to_string(), expected);
        }
        let long = format!("http://a.example/?q={}x", " ".repeat(MAX_URL_BYTES / 2));
        assert!(matches!(Request::get(&long), Err(HttpError::UrlTooLong { .. })));
    }

    #[test]
    fn a_redirect_to_another_site_takes_no_keys_along() {
        let keys = |request: &Request| request.headers.contains_key("x-api-key");
        let headers = |request: Request| -> Vec<String> {
            let mut names: Vec<_> = request.headers.keys().map(ToString::to_string).collect();
            names.sort();
            names
        };
        assert!(keys(&redirected(post("https://a.example/1"), 307, "/2")));
        assert!(keys(&redirected(post("http://a.example/1"), 307, "https://a.example/1")));
        for other in
            ["https://b.example/", "https://x.a.example/", "http://a.example/", "https://a.example:8443/"]
        {
            let other = redirected(post("https://a.example/1"), 307, other);
            assert_eq!(headers(other), ["accept", "content-type"]);
        }
    }

    #[test]
    fn a_post_becomes_a_get_where_browsers_make_it_one() {
        for (status, method, body) in
            [(301, "GET", ""), (302, "GET", ""), (303, "GET", ""), (307, "POST", "x"), (308, "POST", "x")]
        {
            let next = redirected(post("http://a.example/"), status, "/next");
            assert_eq!((next.method.as_str(), &*next.body), (method, body.as_bytes()), "{status}");
            assert_eq!(next.headers.contains_key("content-type"), status > 303);
        }
    }

    #[test]
    fn a_redirect_leads_to_http_only() {
        let mut request = post("http://a.example/");
        let location = HeaderValue::from_static("file:///etc/passwd");
        let error = request.redirect(StatusCode::FOUND, Some(&location)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "redirected to where scripts can't follow: only http:// and https:// URLs are allowed, not file:"
        );
        assert_eq!(request.redirect(StatusCode::NOT_MODIFIED, Some(&location)), Ok(false));
        assert_eq!(
            request.redirect(StatusCode::FOUND, None),
            Ok(false),
            "and a page without a way on is one"
        );
    }
}

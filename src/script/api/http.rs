//! `goop.http`: `get` and `post`.
//!
//! Both give `status, body, err`. What the outside world or a stranger's text is to blame for comes
//! as `err`; an argument of the wrong type is a mistake in the script and raises an error, as in
//! any other function.

use std::borrow::Cow;
use std::rc::Rc;

use piccolo::{String as LuaString, Value};

use crate::script::api::Invocation;
use crate::script::http::{HttpError, MAX_URL_BYTES, Request, Response};
use crate::vm::call::Call;
use crate::vm::counted::Counted;
use crate::vm::native::{Answer, Flow, Native, Outcome, Raise};
use crate::vm::stdlib::text::number_text;

/// Fuel for a request: it leaves the VM and comes back.
const REQUEST: i32 = 1_024;

/// Fuel for reading a header.
const HEADER: usize = 8;

/// The most requests of one invocation, refused ones included.
const MAX_REQUESTS: u32 = 3;

pub(super) static NATIVES: &[Native] = &[
    Native { name: "goop.http.get", fuel: REQUEST, run: get },
    Native { name: "goop.http.post", fuel: REQUEST, run: post },
];

fn get<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let url = call.text(1)?;
    let request = Request::get(&url_text(url.as_bytes()));
    send(call, request, 2)
}

fn post<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let (url, content_type, body) = (call.text(1)?, call.text(2)?, call.text(3)?);
    call.charge_bytes(body.as_bytes().len());
    let url = url_text(url.as_bytes());
    let request = Request::post(&url, content_type.as_bytes(), body.as_bytes());
    send(call, request, 4)
}

/// A URL as text. Of one that is none and too long, no more than it takes to say so: a byte that is no UTF-8 becomes three.
fn url_text(url: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(url) {
        Ok(url) => Cow::Borrowed(url),
        Err(_) => String::from_utf8_lossy(url.get(..=MAX_URL_BYTES).unwrap_or(url)),
    }
}

/// Sends what was asked for, with the headers of argument `headers`, and waits.
fn send<'gc>(call: &mut Call<'gc, '_>, request: Result<Request, HttpError>, headers: usize) -> Outcome<'gc> {
    let request = match request {
        Ok(request) => set_headers(call, request, headers)?,
        Err(error) => Err(error),
    };
    // Asked before anything is counted: this native is run again when it finds too little memory.
    let body_bytes = request.as_ref().map_or(0, Request::body_bytes);
    call.ask_memory(body_bytes)?;
    let invocation: &Invocation = call.host()?;
    let (client, place, script) =
        (invocation.http.clone(), invocation.place.clone(), invocation.script.clone());
    let sent = invocation.http_requests.get();
    if sent >= MAX_REQUESTS {
        return give_error(call, &format!("at most {MAX_REQUESTS} HTTP requests in one run of a script"));
    }
    invocation.http_requests.set(sent + 1);
    let (client, request) = match (client, request) {
        (Some(client), Ok(request)) => (client, request),
        (None, _) => return give_error(call, "HTTP is switched off"),
        (_, Err(error)) => return give_error(call, &error.to_string()),
    };
    let counted = Counted::new(call.ctx.metrics(), body_bytes);
    let held = call.ctx.metrics().total_allocation();
    Ok(Flow::Wait(Box::pin(async move {
        let fetch = async {
            let response = client.fetch(&script, request).await;
            drop(counted);
            response
        };
        let response = match place {
            Some(place) => place.leave_during(held, fetch).await,
            None => fetch.await,
        };
        let answer: Answer = Rc::new(move |call| give(call, &response));
        answer
    })))
}

/// Reads the table of headers; the first result is the script's mistake, the second is the value's.
fn set_headers<'gc>(
    call: &mut Call<'gc, '_>,
    mut request: Request,
    position: usize,
) -> Result<Result<Request, HttpError>, Raise<'gc>> {
    if call.value(position).is_nil() {
        return Ok(Ok(request));
    }
    for (name, value) in call.table(position)?.iter() {
        call.charge_units(HEADER);
        let Value::String(name) = name else {
            return Err(call.bad_argument(position, "the names of headers must be strings"));
        };
        let number = number_text(value);
        let value = match (value, &number) {
            (Value::String(value), _) => value.as_bytes(),
            (_, Some(number)) => number.as_bytes(),
            _ => return Err(call.bad_argument(position, "the values of headers must be strings")),
        };
        if let Err(error) = request.set_header(name.as_bytes(), value) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(request))
}

fn give<'gc>(call: &mut Call<'gc, '_>, response: &Result<Response, HttpError>) -> Outcome<'gc> {
    match response {
        Ok(Response { status, body }) => {
            let body = call.new_string(&body.bytes)?;
            call.give_all([Value::Integer((*status).into()), body.into(), Value::Nil])
        }
        Err(error) => give_error(call, &error.to_string()),
    }
}

fn give_error<'gc>(call: &mut Call<'gc, '_>, problem: &str) -> Outcome<'gc> {
    let problem = call.new_string(problem.as_bytes())?;
    let nothing = LuaString::from_slice(&call.ctx, b"");
    call.give_all([Value::Integer(0), nothing.into(), problem.into()])
}

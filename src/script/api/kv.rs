//! `goop.kv`: `get`, `set`, `del`.

use piccolo::Value;

use crate::script::api::Invocation;
use crate::script::kv_store::KvSession;
use crate::vm::call::Call;
use crate::vm::native::{Native, Outcome, Raise};

/// Fuel for a call: it may look at the file.
const CALL: i32 = 128;

pub(super) static NATIVES: &[Native] = &[
    Native { name: "goop.kv.get", fuel: CALL, run: get },
    Native { name: "goop.kv.set", fuel: CALL, run: set },
    Native { name: "goop.kv.del", fuel: CALL, run: del },
];

fn store<'a, 'gc>(call: &'a Call<'gc, '_>) -> Result<&'a KvSession, Raise<'gc>> {
    let invocation: &Invocation = call.host()?;
    invocation.kv.as_deref().ok_or_else(|| Raise::Message(format!("{}: switched off", call.name)))
}

/// Keys and values are text; JSON, which the file is, has no other bytes. Not a copy: what is too long for a store may
/// take most of the script's memory.
fn utf8<'gc>(call: &mut Call<'gc, '_>, position: usize) -> Result<&'gc str, Raise<'gc>> {
    let text = call.text(position)?;
    text.to_str().map_err(|_| call.bad_argument(position, "UTF-8 text expected"))
}

fn failed<'gc>(call: &Call<'gc, '_>, error: impl std::fmt::Display) -> Raise<'gc> {
    Raise::Message(format!("{}: {error}", call.name))
}

fn get<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let key = utf8(call, 1)?;
    let value = store(call)?.get(key).map_err(|error| failed(call, error))?;
    match value {
        Some(value) => call.give_bytes(value.as_bytes()),
        None => call.give(Value::Nil),
    }
}

fn set<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let (key, value) = (utf8(call, 1)?, utf8(call, 2)?);
    call.charge_bytes(key.len() + value.len());
    store(call)?.set(key, value).map_err(|error| failed(call, error))?;
    call.give_nothing()
}

fn del<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let key = utf8(call, 1)?;
    store(call)?.delete(key).map_err(|error| failed(call, error))?;
    call.give_nothing()
}

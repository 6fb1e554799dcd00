//! Builds the `goop` table in a fresh VM.

use piccolo::{Table, Value};

use super::{commands, json, kv, log};
use crate::script::Caller;
use crate::script::api::Invocation;
use crate::vm::Installer;
use crate::vm::native::Native;

/// Registers what the program can reach of `goop`.
pub(crate) fn install<'gc>(installer: &mut Installer<'gc, '_>) {
    let installer = &*installer;
    installer.global("goop", |i| {
        let goop = Table::new(&i.ctx);
        if let Some(invocation) = i.host::<Invocation>() {
            fill(i, goop, invocation);
        }
        closed(i, "goop", goop)
    });
}

fn fill<'gc>(i: &Installer<'gc, '_>, goop: Table<'gc>, invocation: &Invocation) {
    let set = |name: &'static str, value: &dyn Fn() -> Value<'gc>| {
        if i.names().reaches_field("goop", name) {
            goop.set_field(i.ctx, name, value());
        }
    };
    set("peer", &|| closed(i, "goop.peer", peer_table(i, &invocation.caller)));
    set("self", &|| closed(i, "goop.self", peer_table(i, &invocation.own)));
    set("log", &|| closed(i, "goop.log", natives(i, log::NATIVES)));
    set("json", &|| closed(i, "goop.json", json_table(i)));
    set("commands", &|| i.bind(&commands::COMMANDS).into());
    if invocation.kv.is_some() {
        set("kv", &|| closed(i, "goop.kv", natives(i, kv::NATIVES)));
    }
    #[cfg(feature = "http")]
    if invocation.http.is_some() {
        set("http", &|| closed(i, "goop.http", natives(i, super::http::NATIVES)));
    }
    #[cfg(feature = "db")]
    if invocation.queries.is_some() {
        set("db", &|| closed(i, "goop.db", natives(i, super::db::NATIVES)));
    }
}

/// The table as the script gets it: read-only, unless this program can do no more than read anyway.
fn closed<'gc>(i: &Installer<'gc, '_>, name: &'static str, table: Table<'gc>) -> Value<'gc> {
    if i.names().holds_tables_of("goop") { i.read_only(name, table).into() } else { table.into() }
}

fn peer_table<'gc>(i: &Installer<'gc, '_>, peer: &Caller) -> Table<'gc> {
    let table = Table::new(&i.ctx);
    table.set_field(i.ctx, "id", i.text(peer.peer.as_str()));
    table.set_field(i.ctx, "label", i.text(&peer.label));
    table
}

fn json_table<'gc>(i: &Installer<'gc, '_>) -> Table<'gc> {
    let table = natives(i, json::NATIVES);
    table.set_field(i.ctx, "null", json::null(i));
    table
}

/// All of a small library: whoever names `goop.kv` uses most of it.
fn natives<'gc>(i: &Installer<'gc, '_>, natives: &'static [Native]) -> Table<'gc> {
    let table = Table::new(&i.ctx);
    for native in natives {
        table.set_field(i.ctx, short_name(native.name), i.bind(native));
    }
    table
}

/// `goop.kv.set` is the field `set` of its table; errors name it in full.
fn short_name(name: &'static str) -> &'static str {
    name.rsplit_once('.').map_or(name, |(_, short)| short)
}
